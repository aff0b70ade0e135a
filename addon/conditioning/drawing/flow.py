# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward optical flow: where what a pixel sees will be in the picture of the next frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .visible import Visible, blocks, evaluate, runs, slopes, spread_out, visible

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.camera import Camera
    from ...shot.geometry import FrameGeometry, Mesh
    from .raster import Hits
    from .soup import Soup

    F32: TypeAlias = npt.NDArray[np.float32]
    F64: TypeAlias = npt.NDArray[np.float64]
    I32: TypeAlias = npt.NDArray[np.int32]
    I64: TypeAlias = npt.NDArray[np.int64]
    Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Moves:
    """How each instance gets from this frame's camera space to the next one's.

    ``rigid`` (k, 4, 4) float64; ``deforms`` (k,) where the mesh itself changes, with the same corners; ``lost`` (k,)
    where there is no such thing in the next frame, or it has other corners. ``partner`` (k,) int64 indexes the next
    frame's instances, -1 for none.
    """

    rigid: F64
    deforms: Bools
    lost: Bools
    partner: I64


def flow(
    hits: Hits, soup: Soup, geometry: FrameGeometry, following: FrameGeometry, seen: Visible | None = None
) -> tuple[F32, Bools]:
    """Motion (H, W, 2) float32 of every pixel centre to the ``following`` frame, in pixels, x right and y down.

    Also whether each is known (H, W). The surface point at the pixel's centre is followed: by its instance's matrices,
    or within its triangle where the mesh deforms. Instances are matched by key. What vanishes or changes its corners
    gets the camera's motion alone and is not known; what passes behind the near plane gets 0 and is not known. The
    background has 0 and is known, as in Cycles. Lens changes count. A view of two planes.
    """
    moves = _moves(soup, geometry, following)
    shape = hits.triangle.shape
    motion, known = np.zeros((2, *shape), np.float32), np.ones(shape, bool)
    # the last one stands for the background, which rests
    owner = np.append(soup.instance, np.int32(len(geometry.instances)))[hits.triangle]
    tables = _rigid_tables(moves.rigid, geometry.camera, following.camera)
    for rows in blocks(*shape):
        _follow_rigid(motion, known, tables, owner[rows], hits.depth[rows], rows, (geometry.camera, following.camera))
    if moves.deforms.any():
        _follow_deforming(motion, known, moves, (hits, soup, seen or visible(hits, soup)), geometry.camera, following)
    if moves.lost.any():
        known &= ~np.append(moves.lost, False)[owner]
    return np.moveaxis(motion, 0, -1), known


def _moves(soup: Soup, geometry: FrameGeometry, following: FrameGeometry) -> _Moves:
    """Match the instances of two frames by key."""
    there = {instance.key: index for index, instance in enumerate(following.instances)}
    partner = np.array([there.get(instance.key, -1) for instance in geometry.instances], np.int64)
    same = _compare_meshes(geometry, following, partner)
    lost, deforms = same == _OTHER, same == _DEFORMED
    world = np.stack([np.eye(4), *(i.matrix for i in geometry.instances)])[1:]
    then = world.copy()
    for index in np.flatnonzero(~lost).tolist():
        then[index] = following.instances[int(partner[index])].matrix
    lost |= ~np.isfinite(then).all(axis=(1, 2))
    stays = lost | (then == world).all(axis=(1, 2))
    drawn = soup.first_triangle >= 0
    rigid = np.broadcast_to(np.eye(4), world.shape).copy()
    if not np.array_equal(following.camera.world_to_camera, geometry.camera.world_to_camera):
        rigid[stays] = following.camera.world_to_camera @ np.linalg.inv(geometry.camera.world_to_camera)
    moved = drawn & ~stays
    rigid[moved] = following.camera.world_to_camera @ then[moved] @ np.linalg.inv(soup.to_camera[moved])
    return _Moves(rigid, deforms & ~lost & drawn, lost, partner)


_SAME, _DEFORMED, _OTHER = 0, 1, 2


def _compare_meshes(geometry: FrameGeometry, following: FrameGeometry, partner: I64) -> npt.NDArray[np.int8]:
    """For each instance: is its mesh in the next frame the same, deformed, or another one."""
    known: dict[tuple[int, int], int] = {}
    found = np.full(len(partner), _OTHER, np.int8)
    for index, other in enumerate(partner.tolist()):
        if other >= 0:
            pair = geometry.instances[index].mesh, following.instances[int(other)].mesh
            if pair not in known:
                known[pair] = _compare(geometry.meshes[pair[0]], following.meshes[pair[1]])
            found[index] = known[pair]
    return found


def _compare(now: Mesh, then: Mesh) -> int:
    """The corners decide: a bent quad may be cut into triangles the other way round, and is still the same."""
    if now is then:
        return _SAME
    if now.positions.shape != then.positions.shape or now.triangles.shape != then.triangles.shape:
        return _OTHER
    if not np.array_equal(now.triangles, then.triangles):
        turned = np.flatnonzero((now.triangles != then.triangles).any(axis=1))
        if not np.array_equal(np.unique(now.triangles[turned]), np.unique(then.triangles[turned])):
            return _OTHER
    return _SAME if np.array_equal(now.positions, then.positions) else _DEFORMED


def _rigid_tables(rigid: F64, now: Camera, then: Camera) -> F32:
    """Tables (3, 4, k + 1) float32, the last of them for what rests, that take (u, v, 1, s) to the next picture.

    u' = row 0 / row 2, v' = row 1 / row 2. s is 1/z under perspective, z in an orthographic view. For a perspective
    next frame row 2 is its depth times s, or its depth itself, seen from an orthographic frame.
    """
    tables = _picture(then) @ rigid @ _ray(now)
    return np.ascontiguousarray(np.moveaxis(np.concatenate([tables, np.eye(3, 4)[None]]), 0, -1), np.float32)


def _ray(camera: Camera) -> F64:
    """(u, v, 1, s) to a homogeneous point of camera space."""
    x, y = (1 / camera.fx, -camera.cx / camera.fx), (1 / camera.fy, -camera.cy / camera.fy)
    ends = [[0, 0, 0, 1], [0, 0, 1, 0]] if camera.orthographic else [[0, 0, 1, 0], [0, 0, 0, 1]]
    return np.array([[x[0], 0, x[1], 0], [0, y[0], y[1], 0], *ends])


def _picture(camera: Camera) -> F64:
    """A homogeneous point of camera space to homogeneous pixels."""
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    if camera.orthographic:
        return np.array([[fx, 0, 0, cx], [0, fy, 0, cy], [0, 0, 0, 1]])
    return np.array([[fx, 0, cx, 0], [0, fy, cy, 0], [0, 0, 1, 0]])


def _follow_rigid(
    motion: F32, known: Bools, tables: F32, owner: I32, depth: F32, rows: slice, cameras: tuple[Camera, Camera]
) -> None:
    """Write the motion of whole rows, whose pixels (r, W) are seen on instance ``owner`` at ``depth``."""
    camera, then = cameras
    nothing = np.isinf(depth)
    depth = np.where(nothing, np.float32(1), depth)
    s = depth if camera.orthographic else 1 / depth
    one = owner[0, 0] if (owner == owner[0, 0]).all() else owner.astype(np.intp)
    here = _centres(rows, camera.width)
    there = [_row(coefficients, one, *here, s) for coefficients in tables]
    z = there[2] if camera.orthographic else there[2] * depth
    lost = (z < _near(then)) & ~nothing
    _write(motion[:, rows], known[rows], there, here, lost, None)


def _centres(rows: slice, width: int) -> tuple[F32, F32]:
    """Columns (W,) and rows (r, 1) of pixel centres."""
    half = np.float32(0.5)
    return np.arange(width, dtype=np.float32) + half, np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + half


def _near(camera: Camera) -> np.float32:
    """An orthographic picture has a place for everything."""
    return np.float32(-np.inf if camera.orthographic else camera.near)


def _row(coefficients: F32, one: I64 | np.int32, u: F32, v: F32, s: F32) -> F32:
    total = coefficients[3][one] * s
    total += coefficients[0][one] * u
    total += coefficients[1][one] * v
    total += coefficients[2][one]
    return total


def _follow_deforming(
    motion: F32,
    known: Bools,
    moves: _Moves,
    picture: tuple[Hits, Soup, Visible],
    camera: Camera,
    following: FrameGeometry,
) -> None:
    """Write the motion of pixels on meshes that deform: each stays where it is within its triangle."""
    near = _near(following.camera)
    hits, soup, seen = picture
    which = np.flatnonzero(moves.deforms[soup.instance[seen.triangles]])
    corners = _next_corners(soup, seen.triangles[which], moves, following)
    spread = slopes(soup, camera, seen.triangles[which], seen.pixel[which], corners)
    every = spread_out(spread, which, len(seen.triangles))
    chosen = np.zeros(len(seen.triangles) + 1, bool)
    chosen[which] = True
    beginning = np.append(hits.depth.reshape(-1)[seen.pixel], np.float32(1))
    for rows in blocks(*seen.slot.shape):
        slot = seen.slot[rows]
        mask = chosen[slot]
        if mask.any():
            there = evaluate(every, slot, rows.start)
            # the slopes are those of 1/z, scaled to be right at one pixel of the triangle
            depth = np.where(mask, hits.depth[rows], np.float32(1))
            z = there[2] if camera.orthographic else there[2] * (depth / beginning[slot])
            _write(motion[:, rows], known[rows], list(there), _centres(rows, camera.width), ~(z >= near), mask)


def _next_corners(soup: Soup, triangles: I64, moves: _Moves, following: FrameGeometry) -> F32:
    """Corners (k, 3, 3) float32 in homogeneous pixels of the next frame."""
    owner = soup.instance[triangles]
    found = np.empty((len(triangles), 3, 3), np.float32)
    project = _picture(following.camera) @ following.camera.world_to_camera
    for index, part in runs(owner):
        then = following.instances[int(moves.partner[index])]
        mesh = following.meshes[then.mesh]
        matrix = project @ then.matrix
        corner = mesh.positions[soup.triangles[triangles[part]] - soup.first_vertex[index]]
        flat = corner.reshape(-1, 3).astype(np.float64) @ matrix[:, :3].T
        flat += matrix[:, 3]
        found[part] = flat.reshape(-1, 3, 3)
    return found


def _write(motion: F32, known: Bools, there: list[F32], here: tuple[F32, F32], lost: Bools, mask: Bools | None) -> None:
    """Homogeneous pixels ``there`` minus ``here``, where ``mask``; 0 and not known where ``lost``."""
    lost = lost | (there[2] == 0)
    scale = 1 / np.where(there[2] == 0, np.float32(1), there[2])
    chosen = np.True_ if mask is None else mask
    for axis in (0, 1):
        value = there[axis] * scale - here[axis]
        value[lost] = 0
        np.copyto(motion[axis], value, where=chosen)
    np.copyto(known, ~lost, where=chosen)
