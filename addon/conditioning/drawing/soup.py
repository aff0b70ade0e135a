# SPDX-License-Identifier: GPL-3.0-or-later
"""All triangles of a frame in one camera-space soup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.geometry import FrameGeometry, Mesh

    F32: TypeAlias = npt.NDArray[np.float32]
    F64: TypeAlias = npt.NDArray[np.float64]
    I32: TypeAlias = npt.NDArray[np.int32]
    I64: TypeAlias = npt.NDArray[np.int64]

FLOAT32_REACH = 1e4
"""Object coordinates beyond this are transformed in float64: a float32 product would lose the subpixel."""

FLAT = 1e-12
"""A matrix whose determinant is this small beside its column lengths shows nothing: zero scale, or flattened."""


@dataclass(frozen=True, slots=True, eq=False)
class Soup:
    """Triangles of all instances in camera space (x right, y down, z forward, scene units).

    ``vertices`` is (n, 3) float32, ``triangles`` (m, 3) int32 into it, ``instance`` (m,) int32 into
    `FrameGeometry.instances`. The triangles of an instance lie together and in the order of its mesh; those with a
    corner that is no finite number have shrunk to one point, where nothing sees them.

    Per instance: ``first_vertex`` and ``first_triangle`` (k,) int64 say where its part begins, -1 where it cannot be
    drawn (no place, scaled to nothing, no triangles); ``to_camera`` (k, 4, 4) float64 is object to camera; ``mesh``
    (k,) int32 indexes ``meshes``.
    """

    vertices: F32
    triangles: I32
    instance: I32
    first_vertex: I64
    first_triangle: I64
    to_camera: F64
    mesh: I32
    meshes: tuple[Mesh, ...]


@dataclass(frozen=True, slots=True)
class _Clean:
    """A mesh without non-finite corners, and the largest absolute coordinate it has."""

    positions: F32
    triangles: I32
    reach: float


def triangle_soup(geometry: FrameGeometry) -> Soup:
    """Bring every instance of ``geometry`` straight to camera space.

    World-to-camera and object-to-world are multiplied in float64 per instance, which keeps float32 vertices accurate
    in scenes far from the world's origin.
    """
    meshes = [_clean(mesh) for mesh in geometry.meshes]
    to_camera, sound = _to_camera(geometry)
    mesh = np.array([instance.mesh for instance in geometry.instances], np.int32)
    sizes = np.array([(len(m.positions), len(m.triangles)) for m in meshes], np.int64).reshape(-1, 2)
    drawn = np.flatnonzero(sound & (sizes[mesh, 1] > 0)) if len(mesh) else np.zeros(0, np.int64)
    counts = sizes[mesh[drawn]] if len(drawn) else np.zeros((0, 2), np.int64)
    ends = np.cumsum(counts, axis=0)
    vertices = np.empty((int(counts[:, 0].sum()), 3), np.float32)
    triangles = np.empty((int(counts[:, 1].sum()), 3), np.int32)
    for index, (vertex, triangle), (v, t) in zip(drawn.tolist(), ends.tolist(), counts.tolist(), strict=True):
        one = meshes[mesh[index]]
        _transform(one, to_camera[index], vertices[vertex - v : vertex])
        np.add(one.triangles, np.int32(vertex - v), out=triangles[triangle - t : triangle])
    firsts = np.full((2, len(mesh)), -1, np.int64)
    firsts[:, drawn] = (ends - counts).T
    owner = np.repeat(drawn.astype(np.int32), counts[:, 1])
    return Soup(vertices, triangles, owner, firsts[0], firsts[1], to_camera, mesh, geometry.meshes)


def _clean(mesh: Mesh) -> _Clean:
    """Shrink triangles with a non-finite corner to one point, and give such vertices a harmless place."""
    positions, triangles = mesh.positions, mesh.triangles
    reach = float(max(-positions.min(initial=0), positions.max(initial=0)))
    if np.isfinite(reach):
        return _Clean(positions, triangles, reach)
    sound = np.isfinite(positions).all(axis=1)
    positions = np.where(sound[:, None], positions, np.float32(0))
    whole = sound[triangles].all(axis=1)
    return _Clean(positions, np.where(whole[:, None], triangles, np.int32(0)), float(np.abs(positions).max(initial=0)))


def _to_camera(geometry: FrameGeometry) -> tuple[F64, npt.NDArray[np.bool_]]:
    """Object to camera (k, 4, 4) float64 of all instances, and which of them have an extent and a place."""
    if not geometry.instances:
        return np.zeros((0, 4, 4)), np.zeros(0, bool)
    world = np.stack([instance.matrix for instance in geometry.instances])
    sound = np.isfinite(world).all(axis=(1, 2))
    matrices = geometry.camera.world_to_camera @ np.where(sound[:, None, None], world, np.eye(4))
    linear = matrices[:, :3, :3]
    size = np.abs(linear).max(axis=1).prod(axis=1)
    return matrices, sound & (size > 0) & (np.abs(np.linalg.det(linear)) > FLAT * size)


def _transform(mesh: _Clean, matrix: F64, out: F32) -> None:
    """Camera-space positions (n, 3) float32 into ``out``."""
    rotation, offset = matrix[:3, :3].T, matrix[:3, 3]
    if mesh.reach > FLOAT32_REACH:
        out[...] = mesh.positions.astype(np.float64) @ rotation + offset
        return
    np.dot(mesh.positions, rotation.astype(np.float32), out=out)
    out += offset.astype(np.float32)
