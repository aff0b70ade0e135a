# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals of visible surfaces in camera space, smooth where the mesh is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .visible import Visible, blocks, chunks, evaluate, runs, slopes, spread_out, visible

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.camera import Camera
    from .raster import Hits
    from .soup import Soup

    F32: TypeAlias = npt.NDArray[np.float32]
    F64: TypeAlias = npt.NDArray[np.float64]
    I64: TypeAlias = npt.NDArray[np.int64]

SHORTEST = 1e-6
"""Smooth normals whose sum is shorter than this cancel each other out; the flat one takes their place."""


def normals(hits: Hits, soup: Soup, camera: Camera, seen: Visible | None = None) -> F32:
    """Normals (H, W, 3) float32 in camera space (x right, y down, z forward), 0 where nothing was hit.

    Unit length. Flat triangles get their own normal, turned towards the viewer whatever way they are wound. Smooth ones
    get the interpolated corner normals at the pixel centre, turned over where the viewer sees the triangle's back, as
    in Cycles: at grazing angles they may lean away a little. Only what is visible is computed: ``seen`` is `visible` of
    the hits, if it is there already. The result is a view of three contiguous planes.
    """
    seen = seen or visible(hits, soup)
    smooth = _is_smooth(soup)[soup.instance[seen.triangles]]
    flat = np.flatnonzero(~smooth)
    table = np.zeros((3, len(seen.triangles) + 1), np.float32)
    for part in chunks(len(flat)):
        table[:, flat[part]] = _flat(soup, seen.triangles[flat[part]], orthographic=camera.orthographic)
    if smooth.any():
        return np.moveaxis(_shade_smooth(seen, smooth, table, soup, camera), 0, -1)
    return np.moveaxis(np.stack([axis[seen.slot] for axis in table]), 0, -1)


def _is_smooth(soup: Soup) -> npt.NDArray[np.bool_]:
    """Whether each instance has corner normals."""
    meshes = np.array([mesh.normals is not None for mesh in soup.meshes], bool)
    return meshes[soup.mesh] if len(soup.mesh) else np.zeros(0, bool)


def _shade_smooth(
    seen: Visible, smooth: npt.NDArray[np.bool_], table: F32, soup: Soup, camera: Camera
) -> F32:  # fmt: skip
    """Normals (3, H, W) of everything: ``table`` (3, k + 1) are those of the flat triangles, and 0 for nothing."""
    which = np.flatnonzero(smooth)
    triangles = seen.triangles[which]
    corners, mirrored = _corner_normals(soup, triangles)
    steep = slopes(soup, camera, triangles, seen.pixel[which], corners, mirrored)
    every = spread_out(steep, which, len(smooth))
    every.at[:, ~np.append(smooth, False)] = table[:, ~np.append(smooth, False)]
    planes = np.empty((3, *seen.slot.shape), np.float32)
    for rows in blocks(*seen.slot.shape):
        slot = seen.slot[rows]
        normal = evaluate(every, slot, rows.start)
        length = np.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])
        short = ~(length > SHORTEST)
        if short.any():
            length[short] = 1
            broken = short & (slot < len(smooth))
            normal[:, broken] = _flat(soup, seen.triangles[slot[broken]], orthographic=camera.orthographic)
        np.divide(normal, length, out=planes[:, rows])
    return planes


def _corner_normals(soup: Soup, triangles: I64) -> tuple[F32, npt.NDArray[np.bool_]]:
    """Corner normals (k, 3, 3) float32 in camera space, and whether the instance is mirrored (k,).

    Of a mesh that is seen in several places they are as long as the instance's scale makes them; of one with a single
    instance they have unit length: Cycles transforms such meshes before it interpolates.
    """
    shared = np.bincount(soup.mesh, minlength=len(soup.meshes)) > 1
    owner = soup.instance[triangles]
    found = np.empty((len(triangles), 3, 3), np.float32)
    parts = list(runs(owner))
    linear = soup.to_camera[[index for index, _ in parts], :3, :3]
    inverse = np.linalg.inv(linear)
    inverse /= np.abs(inverse).max(axis=(1, 2), keepdims=True)
    for (index, part), turn in zip(parts, inverse, strict=True):
        mesh = soup.meshes[int(soup.mesh[index])]
        if mesh.normals is None or mesh.normal_index is None:
            continue
        corner = mesh.normals[mesh.normal_index[triangles[part] - soup.first_triangle[index]]]
        np.dot(corner.reshape(-1, 3), turn.astype(np.float32), out=found[part].reshape(-1, 3))
        if not shared[soup.mesh[index]] and not _is_uniform(turn):
            length = np.linalg.norm(found[part], axis=2, keepdims=True)
            found[part] /= np.where(length > 0, length, np.float32(1))
    mirrored = np.repeat(np.linalg.det(linear) < 0, [part.stop - part.start for _, part in parts])
    return found, mirrored


def _is_uniform(linear: F64) -> bool:
    """Whether it keeps angles."""
    product = linear @ linear.T
    return bool(np.abs(product - np.eye(3) * product[0, 0]).max() < SHORTEST * product[0, 0])


def _flat(soup: Soup, triangles: I64, *, orthographic: bool) -> F32:
    """Unit normals (3, k) towards the viewer; the cross product is written out, which is three times as fast."""
    corners = soup.triangles[triangles]
    x0, y0, z0 = soup.vertices[corners[:, 0]].T.astype(np.float64)
    x1, y1, z1 = soup.vertices[corners[:, 1]].T - np.stack([x0, y0, z0])
    x2, y2, z2 = soup.vertices[corners[:, 2]].T - np.stack([x0, y0, z0])
    normal = np.stack([y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2])
    away = normal[2] if orthographic else normal[0] * x0 + normal[1] * y0 + normal[2] * z0
    length = np.sqrt((normal * normal).sum(axis=0))
    normal *= np.where(away > 0, -1.0, 1.0) / np.where(length > 0, length, 1.0)
    return normal.astype(np.float32)
