# SPDX-License-Identifier: GPL-3.0-or-later
"""Filled ellipses and discs, pixel for pixel as OpenCV paints them, many at once.

Pose models were trained on pictures drawn with OpenCV's ``ellipse2Poly`` + ``fillConvexPoly`` and ``circle``. Blender
has no OpenCV, so the same integer arithmetic is done here: a shape becomes the union of its outline (Bresenham lines)
and its scan rows (16.16 fixed point), which in a convex shape are one run of pixels each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    I64: TypeAlias = npt.NDArray[np.int64]
    Size: TypeAlias = tuple[int, int]

FRACTION = 16
"""Bits behind the point of OpenCV's scan rows."""

NEVER = np.int64(1) << 40
"""Beyond every picture."""

STEPS = 361
"""Corners of an ellipse: 0 to 360 degrees in steps of one."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of pixels ``left``..``right`` (inclusive) in ``row``, each belonging to the ``shape`` of that number."""

    shape: I64
    row: I64
    left: I64
    right: I64


def ellipses(centres: I64, halves: I64, angles: I64, size: Size) -> Runs:
    """Filled ellipses: ``centres`` (k, 2) and half axes ``halves`` (k, 2) pixels, ``angles`` (k,) whole degrees.

    Angles turn x towards y (clockwise in the picture). ``size`` is the picture's (width, height); the runs are cut
    to it.
    """
    corners = _corners(centres, halves, angles)
    shape = np.repeat(np.arange(len(corners)), STEPS - 1)
    a, b = corners[:, :-1].reshape(-1, 2), corners[:, 1:].reshape(-1, 2)
    moved = (a != b).any(axis=1)
    shape, a, b = shape[moved], a[moved], b[moved]
    return joined(_outline(shape, a, b, size), _hull(len(corners), _scan(shape, a, b), size))


def discs(centres: I64, radius: int, size: Size) -> Runs:
    """Filled circles of one ``radius`` around ``centres`` (k, 2) pixels, cut to the picture ``size``."""
    rows, halves = _disc(radius)
    shape = np.repeat(np.arange(len(centres)), len(rows))
    row = (centres[:, 1:] + rows).reshape(-1)
    left, right = (centres[:, :1] - halves).reshape(-1), (centres[:, :1] + halves).reshape(-1)
    left, right = np.maximum(left, 0), np.minimum(right, size[0] - 1)
    seen = (row >= 0) & (row < size[1]) & (left <= right)
    return Runs(shape[seen], row[seen], left[seen], right[seen])


def joined(*groups: Runs) -> Runs:
    """Runs of several groups in the order of their shapes, so that `fill` paints one shape after the other."""
    shape = np.concatenate([group.shape for group in groups])
    order = np.argsort(shape, kind="stable")
    row = np.concatenate([group.row for group in groups])[order]
    left = np.concatenate([group.left for group in groups])[order]
    right = np.concatenate([group.right for group in groups])[order]
    return Runs(shape[order], row, left, right)


def fill(canvas: npt.NDArray[np.uint8], runs: Runs, colours: npt.NDArray[np.uint8]) -> None:
    """Paint ``runs`` in their order into ``canvas`` (H, W, 3), later ones over earlier ones.

    ``colours`` is (shapes, 3).
    """
    width = runs.right - runs.left + 1
    run = np.repeat(np.arange(len(width)), width)
    along = np.arange(len(run)) - (np.cumsum(width) - width)[run]
    pixel = (runs.row * canvas.shape[1] + runs.left)[run] + along
    canvas.reshape(-1, 3)[pixel] = colours[runs.shape[run]]


def _sines() -> npt.NDArray[np.float64]:
    """OpenCV's table: sines of whole degrees with seven decimals, held as float32. 0 to 450 degrees."""
    exact = np.sin(np.radians(np.arange(451)))
    return np.round(exact, 7).astype(np.float32).astype(np.float64)


def _corners(centres: I64, halves: I64, angles: I64) -> I64:
    """Polygons (k, STEPS, 2) of whole pixels on the ellipses."""
    table = _sines()
    degrees = angles % 360
    cosine, sine = table[450 - degrees][:, None], table[degrees][:, None]
    x = halves[:, :1] * table[450 - np.arange(STEPS)]
    y = halves[:, 1:] * table[np.arange(STEPS)]
    turned = np.stack([centres[:, :1] + x * cosine - y * sine, centres[:, 1:] + x * sine + y * cosine], axis=2)
    return np.rint(turned).astype(np.int64)


def _outline(shape: I64, a: I64, b: I64, size: Size) -> Runs:
    """Pixels of the lines a-b, each a run of its own, as an 8-connected line drawn from left to right."""
    a, b, seen = _cut(a, b, size)
    shape, a, b = shape[seen], a[seen], b[seen]
    back = (b[:, 0] < a[:, 0])[:, None]
    a, b = np.where(back, b, a), np.where(back, a, b)
    delta = b - a
    span = np.abs(delta)
    steep = span[:, 1] > span[:, 0]
    major, minor = span.max(axis=1), span.min(axis=1)
    count = major + 1
    line = np.repeat(np.arange(len(a)), count)
    step = np.arange(len(line)) - (np.cumsum(count) - count)[line]
    # Steps to the side after k steps ahead, in closed form: the error term turns negative when 2·minor·k exceeds it.
    safe = np.maximum(major, 1)
    aside = ((2 * minor)[line] * step + (safe - 1)[line]) // (2 * safe)[line]
    down = np.where(delta[:, 1] < 0, -1, 1)[line]
    x = a[line, 0] + np.where(steep[line], aside, step)
    y = a[line, 1] + down * np.where(steep[line], step, aside)
    return Runs(shape[line], y, x, x)


def _scan(shape: I64, a: I64, b: I64) -> Runs:
    """Where scan rows meet the edges a-b: from the upper end on, the lower end's row excluded."""
    level = a[:, 1] == b[:, 1]
    shape, a, b = shape[~level], a[~level], b[~level]
    turned = (a[:, 1] > b[:, 1])[:, None]
    a, b = np.where(turned, b, a), np.where(turned, a, b)
    rows = b[:, 1] - a[:, 1]
    slope = _truncated(((b[:, 0] - a[:, 0]) << FRACTION) * 2 + rows, 2 * rows)
    edge = np.repeat(np.arange(len(rows)), rows)
    step = np.arange(len(edge)) - (np.cumsum(rows) - rows)[edge]
    x = ((a[:, 0] << FRACTION)[edge] + slope[edge] * step + (1 << (FRACTION - 1))) >> FRACTION
    return Runs(shape[edge], a[edge, 1] + step, x, x)


def _truncated(numerator: I64, denominator: I64) -> I64:
    """Integer division towards zero, as C divides. The denominator is positive."""
    return np.sign(numerator) * (np.abs(numerator) // denominator)


def _hull(count: int, scan: Runs, size: Size) -> Runs:
    """One run per shape and row from the leftmost to the rightmost crossing, cut to the picture."""
    width, height = size
    left, right = np.full(count * height, NEVER), np.full(count * height, -NEVER)
    seen = (scan.row >= 0) & (scan.row < height)
    place = scan.shape[seen] * height + scan.row[seen]
    np.minimum.at(left, place, scan.left[seen])
    np.maximum.at(right, place, scan.right[seen])
    left, right = np.maximum(left, 0), np.minimum(right, width - 1)
    place = np.flatnonzero(left <= right)
    return Runs(place // height, place % height, left[place], right[place])


def _cut(a: I64, b: I64, size: Size) -> tuple[I64, I64, npt.NDArray[np.bool_]]:
    """Clip lines to the picture with OpenCV's integer rounding; which of them are seen at all.

    Ends beyond the top or bottom are moved first (a, then b), then those beyond the sides.
    """
    inside = ((a >= 0) & (a < size) & (b >= 0) & (b < size)).all(axis=1)
    if inside.all():
        return a, b, inside
    a, b = a.copy(), b.copy()
    limit = np.array(size) - 1
    seen = np.ones(len(a), bool)
    for axis in (1, 0):
        seen &= ~(_same_side(a, b, limit, 0) | _same_side(a, b, limit, 1))
        for end, other in ((a, b), (b, a)):
            _move_inside(end, other, axis, int(limit[axis]), seen)
    seen &= ((a >= 0) & (a <= limit) & (b >= 0) & (b <= limit)).all(axis=1)
    return a, b, seen


def _same_side(a: I64, b: I64, limit: I64, axis: int) -> npt.NDArray[np.bool_]:
    """Both ends beyond the same border."""
    both_before = (a[:, axis] < 0) & (b[:, axis] < 0)
    return both_before | ((a[:, axis] > limit[axis]) & (b[:, axis] > limit[axis]))


def _move_inside(end: I64, other: I64, axis: int, limit: int, seen: npt.NDArray[np.bool_]) -> None:
    """Move ``end`` along its line onto the border of ``axis``, in place, where it lies beyond it."""
    border = np.clip(end[:, axis], 0, limit)
    outside = np.flatnonzero(seen & (border != end[:, axis]))
    if not len(outside):
        return
    away = (border - end[:, axis])[outside].astype(np.float64)
    delta = (other - end)[outside]
    shift = away * delta[:, 1 - axis] / delta[:, axis]
    end[outside, 1 - axis] += np.trunc(shift).astype(np.int64)
    end[outside, axis] = border[outside]


def _disc(radius: int) -> tuple[I64, I64]:
    """Rows of a filled circle and the half width of each, by OpenCV's midpoint loop."""
    half = np.full(2 * radius + 1, -1, np.int64)
    error, x, y, plus, minus = 0, radius, 0, 1, 2 * radius - 1
    while x >= y:
        for row, reach in ((y, x), (x, y)):
            half[radius - row] = max(half[radius - row], reach)
            half[radius + row] = max(half[radius + row], reach)
        y += 1
        error += plus
        plus += 2
        if error > 0:
            error -= minus
            x -= 1
            minus -= 2
    return np.arange(-radius, radius + 1), half
