# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a frame, white on black: borders between things, creases, and steps in depth within one thing.

Whether there is a step between two neighbouring pixels is told by planes: each side's depth is continued to the other
side by the plane of its own last two pixels (1/z is affine on screen; z in an orthographic view). A surface without a
gap, however bent or steep, never misses both predictions by more than `STEP`: with slopes g and h per pixel on its
sides the two misses add up to the change from g to h, and each is measured in units longer than its own side's slope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from ...shot.camera import Camera
    from .frame import Surfaces

    F32: TypeAlias = npt.NDArray[np.float32]
    I64: TypeAlias = npt.NDArray[np.int64]
    Bools: TypeAlias = npt.NDArray[np.bool_]

CREASE = 0.80
"""Shading normals whose cosine is less than this meet in a crease (about 37 degrees)."""

SOFT_CREASE = (0.94, 0.50)
"""Soft lines begin at the first cosine (20 degrees) and have their full strength from the second (60 degrees) on."""

STEP = 2.0
"""Miss by which depth steps, in pixels as large as they are on the surface there. 1 would do between planes; the last
pixels of a ball's outline bend by up to sqrt(2), and its facets add a little."""

HINT = 0.25
"""Share of `STEP` by which planes must be missed for a closer look, which measures distances rather than their
inverse."""

AHEAD = 0.5
"""Miss from which one side counts as lying before the other, and so has the line."""

FARTHEST = 1e6
"""Misses beyond this are all alike."""

TASTE = (0.23, -0.31, -0.92)
"""Where neither lies before the other the side whose normal goes farther this way has the line: it is the same side
all along an edge between two faces."""

SIGMA = 1.0
"""Width of soft lines in pixels (standard deviation)."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Neighbours ``first`` and ``second`` (k,), flat pixel indices, that may have a line between them.

    ``border`` is whether things change or depth steps, ``cosine`` that of the two normals (0 beside nothing), and
    ``owner`` the one of the two pixels that a line one pixel wide lies on.
    """

    first: I64
    second: I64
    border: Bools
    cosine: F32
    owner: I64


def hard(found: Surfaces, camera: Camera) -> npt.NDArray[np.uint8]:
    """Lines (H, W) uint8, 255 on 0, one pixel wide and not smoothed.

    A line lies on one side only: on the thing in front, where there is one.
    """
    lines = np.zeros(found.ids.size, np.uint8)
    for pairs in _pairs(found, camera, CREASE):
        lines[pairs.owner[pairs.border | (pairs.cosine < CREASE)]] = 255
    return lines.reshape(found.ids.shape)


def soft(found: Surfaces, camera: Camera) -> npt.NDArray[np.uint8]:
    """Lines (H, W) uint8, smooth greys on black like those of HED and PIDI; creases are fainter the flatter they are.

    A line is centred between the two pixels it parts. Level and upright pieces are smoothed apart and added as
    lengths are, so that a line is as bright in every direction.
    """
    weak, full = SOFT_CREASE
    square = np.zeros(found.ids.shape, np.float32)
    for pairs in _pairs(found, camera, weak):
        bend = np.clip((np.float32(weak) - pairs.cosine) / np.float32(weak - full), 0, 1)
        strength = np.where(pairs.border, np.float32(1), bend)
        layer = np.zeros(found.ids.size, np.float32)
        layer[pairs.first] = strength
        layer[pairs.second] += strength
        layer = _blurred(layer.reshape(found.ids.shape))
        square += layer * layer
    np.sqrt(square, out=square)
    return (np.minimum(square, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _pairs(found: Surfaces, camera: Camera, crease: float) -> Iterator[_Pairs]:
    """Neighbours beside each other, then above each other."""
    width = found.ids.shape[1]
    depth = np.where(found.ids >= 0, found.hits.depth, np.float32(0))
    affine = depth if camera.orthographic else np.divide(1, depth, out=np.zeros_like(depth), where=depth > 0)
    for step, focal in ((1, camera.fx), (width, camera.fy)):
        limit = np.ones_like(depth) if camera.orthographic else affine
        limit = limit.reshape(-1) * np.float32(HINT * STEP / abs(focal))
        first = _candidates(found, _bent(affine.reshape(-1), step, limit), step, crease)
        yield _judged(found, depth, first, step, focal, orthographic=camera.orthographic)


def _bent(affine: F32, step: int, limit: F32) -> Bools:
    """Pixels whose two neighbours are not in line with them, and the outermost ones, which have one neighbour only.

    ``affine`` (n,) is what planes have a constant step of, ``limit`` (n,) by how much it may be missed.
    """
    bend = affine[2 * step :] + affine[: -2 * step]
    bend -= affine[step:-step]
    bend -= affine[step:-step]
    bent = np.ones(len(affine), bool)
    np.greater(np.abs(bend, out=bend), limit[step:-step], out=bent[step:-step])
    return bent


def _candidates(found: Surfaces, bent: Bools, step: int, crease: float) -> I64:
    """First pixels of pairs worth a closer look. Done for the whole picture: many cheap looks beat few dear ones."""
    ids = found.ids.reshape(-1)
    planes = [axis.reshape(-1) for axis in np.moveaxis(found.normal, -1, 0)]
    cosine, product = planes[0][:-step] * planes[0][step:], np.empty(max(len(ids) - step, 0), np.float32)
    for plane in planes[1:]:
        cosine += np.multiply(plane[:-step], plane[step:], out=product)
    worth = bent[:-step] & bent[step:]
    worth |= cosine < np.float32(crease)
    worth &= ids[:-step] >= 0
    worth |= ids[:-step] != ids[step:]
    if step == 1:  # the last of a row has no neighbour, but the first of the next one comes after it
        worth[found.ids.shape[1] - 1 :: found.ids.shape[1]] = False
    return np.flatnonzero(worth)


def _judged(
    found: Surfaces, depth: F32, first: I64, step: int, focal: float, *, orthographic: bool
) -> _Pairs:  # fmt: skip
    second = first + step
    ids = found.ids.reshape(-1)
    same = ids[first] == ids[second]
    seen = (ids[first] >= 0) & (ids[second] >= 0)
    miss = _misses(found, depth, (first, -step), focal, orthographic=orthographic)
    back = _misses(found, depth, (second, step), focal, orthographic=orthographic)
    border = ~same | (np.minimum(np.abs(miss), np.abs(back)) > STEP)
    normal = [axis.reshape(-1) for axis in np.moveaxis(found.normal, -1, 0)]
    cosine = sum((axis[first] * axis[second] for axis in normal), np.float32(0))
    taste = sum(
        ((axis[first] - axis[second]) * np.float32(t) for axis, t in zip(normal, TASTE, strict=True)), np.float32(0)
    )
    mine = np.where(np.abs(taste) > 1e-3, taste > 0, ids[first] > ids[second])
    mine |= (miss > AHEAD) & (back < -AHEAD)
    mine &= ~((back > AHEAD) & (miss < -AHEAD))
    mine = np.where(seen, mine, ids[first] >= 0)
    return _Pairs(first, second, border, np.where(seen, cosine, np.float32(0)), np.where(mine, first, second))


def _misses(found: Surfaces, depth: F32, side: tuple[I64, int], focal: float, *, orthographic: bool) -> F32:
    """By how much the other pixel lies behind the plane of this ``side`` (pixels, step to the one behind them).

    In pixels as large as they are on this surface: sqrt(size^2 + slope^2). Where the pixel behind shows something
    else the plane is taken as facing the camera.
    """
    pixel, behind = side
    ids, z = found.ids.reshape(-1), depth.reshape(-1)
    before = _inside(pixel + behind, pixel, found.ids.shape)
    before = np.where(ids[before] == ids[pixel], before, pixel)
    own, last, other = z[pixel].astype(np.float64), z[before].astype(np.float64), z[pixel - behind]
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = 2 * own - last if orthographic else 1 / np.maximum(2 / own - 1 / last, 0)
        size = (1.0 if orthographic else own) / abs(focal)
        miss = (other - ahead) / np.hypot(size, own - last)
    return np.clip(np.nan_to_num(miss), -FARTHEST, FARTHEST).astype(np.float32)


def _inside(moved: I64, pixel: I64, shape: tuple[int, ...]) -> I64:
    """Pixels after a move, or where they were when it would leave the picture or change the row sideways."""
    height, width = shape
    kept = (moved >= 0) & (moved < height * width)
    kept &= (moved % width == pixel % width) | (moved // width == pixel // width)
    return np.where(kept, moved, pixel)


def _blurred(layer: F32) -> F32:
    """Gaussian blur, scaled so that a long straight line of ones, two pixels wide, has 1 in its middle."""
    reach = int(np.ceil(3 * SIGMA))
    weights = np.exp(-0.5 * (np.arange(reach + 1) / SIGMA) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    for axis in (0, 1):
        moved = np.moveaxis(layer, axis, 0)
        blurred = layer * np.float32(weights[0])
        into = np.moveaxis(blurred, axis, 0)
        for shift, weight in enumerate(weights[1:].astype(np.float32).tolist(), 1):
            into[shift:] += moved[:-shift] * np.float32(weight)
            into[:-shift] += moved[shift:] * np.float32(weight)
        layer = blurred
    return layer / np.float32(weights[0] + weights[1])
