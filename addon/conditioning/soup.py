# SPDX-License-Identifier: GPL-3.0-or-later
"""All triangles of a frame in one camera-space soup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..shot.geometry import FrameGeometry, Instance, Mesh

FLOAT32_REACH = 1e4
"""Object coordinates beyond this are transformed in float64: a float32 product would lose the subpixel."""

FLAT = 1e-12
"""A matrix whose determinant is this small beside its column lengths shows nothing: zero scale, or flattened."""


@dataclass(frozen=True, slots=True)
class Soup:
    """Triangles of all instances in camera space (x right, y down, z forward, scene units).

    ``vertices`` is (n, 3) float32, ``triangles`` (m, 3) int32 into it, ``instance`` (m,) int32 into
    `FrameGeometry.instances`. Triangles that cannot be drawn (non-finite, scaled to nothing) are left out.
    """

    vertices: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    instance: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Clean:
    """A mesh without non-finite corners, and the largest absolute coordinate it has."""

    positions: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    reach: float


def triangle_soup(geometry: FrameGeometry) -> Soup:
    """Bring every instance of ``geometry`` straight to camera space.

    World-to-camera and object-to-world are multiplied in float64 per instance, which keeps float32 vertices accurate
    in scenes far from the world's origin.
    """
    meshes = [_clean(mesh) for mesh in geometry.meshes]
    drawn = [
        (index, meshes[instance.mesh], matrix)
        for index, instance in enumerate(geometry.instances)
        if len(meshes[instance.mesh].triangles)
        and (matrix := _to_camera(instance, geometry.camera.world_to_camera)) is not None
    ]
    vertex_counts = np.array([len(mesh.positions) for _, mesh, _ in drawn], np.int64)
    triangle_counts = np.array([len(mesh.triangles) for _, mesh, _ in drawn], np.int64)
    vertices = np.empty((int(vertex_counts.sum()), 3), np.float32)
    triangles = np.empty((int(triangle_counts.sum()), 3), np.int32)
    first_vertex = first_triangle = 0
    for _, mesh, matrix in drawn:
        last_vertex = first_vertex + len(mesh.positions)
        last_triangle = first_triangle + len(mesh.triangles)
        _transform(mesh, matrix, vertices[first_vertex:last_vertex])
        np.add(mesh.triangles, np.int32(first_vertex), out=triangles[first_triangle:last_triangle])
        first_vertex, first_triangle = last_vertex, last_triangle
    owners = np.array([index for index, _, _ in drawn], np.int32)
    return Soup(vertices, triangles, np.repeat(owners, triangle_counts))


def _clean(mesh: Mesh) -> _Clean:
    """Drop triangles with a non-finite corner, and give such vertices a harmless place."""
    positions, triangles = mesh.positions, mesh.triangles
    reach = float(max(-positions.min(initial=0), positions.max(initial=0)))
    if np.isfinite(reach):
        return _Clean(positions, triangles, reach)
    sound = np.isfinite(positions).all(axis=1)
    positions = np.where(sound[:, None], positions, np.float32(0))
    return _Clean(positions, triangles[sound[triangles].all(axis=1)], float(np.abs(positions).max(initial=0)))


def _to_camera(instance: Instance, world_to_camera: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Object to camera (4, 4) float64, or None where the instance has no extent or no place."""
    if not np.isfinite(instance.matrix).all():
        return None
    matrix = world_to_camera @ instance.matrix
    linear = matrix[:3, :3]
    size = float(np.abs(linear).max(axis=0).prod())
    if size == 0 or abs(float(np.linalg.det(linear))) <= FLAT * size:
        return None
    return matrix


def _transform(mesh: _Clean, matrix: npt.NDArray[np.float64], out: npt.NDArray[np.float32]) -> None:
    """Camera-space positions (n, 3) float32 into ``out``."""
    rotation, offset = matrix[:3, :3].T, matrix[:3, 3]
    if mesh.reach > FLOAT32_REACH:
        out[...] = mesh.positions.astype(np.float64) @ rotation + offset
        return
    np.dot(mesh.positions, np.ascontiguousarray(rotation, np.float32), out=out)
    out += offset.astype(np.float32)
