# SPDX-License-Identifier: GPL-3.0-or-later
"""Filled ellipses, discs and lines, pixel for pixel as OpenCV paints them, many at once.

Pose models were trained on pictures drawn with OpenCV's ``ellipse2Poly`` + ``fillConvexPoly``, ``circle`` and ``line``.
Blender has no OpenCV, so the same integer arithmetic is done here: a shape becomes the union of its outline (lines of
single pixels) and its scan rows (16.16 fixed point), which in a convex shape are one run of pixels each.
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

WHOLE = 1 << FRACTION
"""One pixel in 16.16 fixed point."""

NEVER = np.int64(1) << 40
"""Beyond every picture."""

STEPS = 361
"""Corners of an ellipse: 0 to 360 degrees in steps of one."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of pixels ``left``..``right`` (inclusive) in ``row``, each belonging to the ``shape`` of that number.

    In any order; `joined` sorts them.
    """

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
    reach = _larger(np.abs(b - a))
    long = reach > 1
    body = _hull(len(corners), _scan(shape, _fixed_x(a), _fixed_x(b), size), size)
    return _together(_dots(shape[reach == 1], b[reach == 1], size), _thin(shape[long], a[long], b[long], size), body)


def lines(a: I64, b: I64, thickness: int, size: Size) -> Runs:
    """Lines from ``a`` to ``b``, both (k, 2) pixels, ``thickness`` of 1 or more, cut to the picture ``size``.

    A thick line is a rectangle with round ends; the rounding of OpenCV makes odd ones a pixel wider than their name.
    """
    if thickness == 1:
        return _thin(np.arange(len(a)), a, b, size)
    corners = _rectangles(a, b, thickness)
    shape = np.repeat(np.flatnonzero(_larger(np.abs(b - a))), 4)
    start, end = corners.reshape(-1, 2), np.roll(corners, -1, axis=1).reshape(-1, 2)
    outline = _thin_fixed(shape, start, end, size)
    body = _hull(len(a), _scan(shape, _whole_y(start), _whole_y(end), size), size)
    radius = (thickness * WHOLE // 2 + WHOLE // 2) >> FRACTION
    return _together(outline, body, discs(a, radius, size), discs(b, radius, size))


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
    runs = _together(*groups)
    # numpy sorts 16 bits by radix: four times as fast
    key = runs.shape.astype(np.uint16) if runs.shape.max(initial=0) < 1 << 16 else runs.shape
    order = np.argsort(key, kind="stable")
    return Runs(runs.shape[order], runs.row[order], runs.left[order], runs.right[order])


def _together(*groups: Runs) -> Runs:
    return Runs(
        np.concatenate([group.shape for group in groups]),
        np.concatenate([group.row for group in groups]),
        np.concatenate([group.left for group in groups]),
        np.concatenate([group.right for group in groups]),
    )


def fill(canvas: npt.NDArray[np.uint8], runs: Runs, colours: npt.NDArray[np.uint8]) -> None:
    """Paint ``runs`` in their order into ``canvas`` (H, W, 3), contiguous, later ones over earlier ones.

    ``colours`` is (shapes, 3).
    """
    width = runs.right - runs.left + 1
    start = runs.row * canvas.shape[1] + runs.left - (np.cumsum(width) - width)
    pixel = np.repeat(start, width)
    pixel += np.arange(len(pixel))
    pixel *= 3
    flat = canvas.reshape(-1)
    # one channel after the other: assigning rows of three bytes takes five times as long
    for channel in range(3):
        flat[pixel] = np.repeat(colours[:, channel][runs.shape], width)
        pixel += 1


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


def _fixed_x(points: I64) -> I64:
    """Pixels to what `_scan` takes: column in fixed point, row whole."""
    return points << np.array([FRACTION, 0])


def _whole_y(points: I64) -> I64:
    """Fixed point to what `_scan` takes."""
    return np.stack([points[:, 0], (points[:, 1] + WHOLE // 2) >> FRACTION], axis=1)


def _larger(pairs: I64) -> I64:
    """The larger number of each pair (n, 2): column by column, which numpy does many times faster than along rows."""
    return np.maximum(pairs[:, 0], pairs[:, 1])


def _inside(points: I64, size: Size) -> npt.NDArray[np.bool_]:
    x, y = points.T
    return (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])


def _dots(shape: I64, points: I64, size: Size) -> Runs:
    """Single pixels. An edge of one step is the pixels of its ends, and in a closed outline each end is a start."""
    seen = _inside(points, size)
    x, y = points[seen].T
    return Runs(shape[seen], y, x, x)


def _thin(shape: I64, a: I64, b: I64, size: Size) -> Runs:
    """Pixels of the lines a-b, each a run of its own, as an 8-connected line drawn from left to right."""
    a, b, seen = _cut(a, b, size)
    shape, a, b = shape[seen], a[seen], b[seen]
    back = (b[:, 0] < a[:, 0])[:, None]
    a, b = np.where(back, b, a), np.where(back, a, b)
    delta = b - a
    span = np.abs(delta)
    steep = span[:, 1] > span[:, 0]
    major, minor = _larger(span), -_larger(-span)
    line, step = _steps(major + 1)
    # Steps to the side after k steps ahead, in closed form: the error term turns negative when 2·minor·k exceeds it.
    safe = np.maximum(major, 1)
    aside = ((2 * minor)[line] * step + (safe - 1)[line]) // (2 * safe)[line]
    down = np.where(delta[:, 1] < 0, -1, 1)[line]
    x = a[line, 0] + np.where(steep[line], aside, step)
    y = a[line, 1] + down * np.where(steep[line], step, aside)
    return Runs(shape[line], y, x, x)


def _thin_fixed(shape: I64, a: I64, b: I64, size: Size) -> Runs:
    """Pixels of the lines a-b between points in 16.16 fixed point, each a run of its own, cut to the picture."""
    width, height = size
    a, b, seen = _cut(a, b, (width * WHOLE, height * WHOLE))
    shape, a, b = shape[seen], a[seen], b[seen]
    steep = (np.abs(b - a)[:, 0] <= np.abs(b - a)[:, 1])[:, None]
    # from here on column 0 is the axis the line runs along
    a, b = np.where(steep, a[:, ::-1], a), np.where(steep, b[:, ::-1], b)
    back = (b[:, 0] < a[:, 0])[:, None]
    a, b = np.where(back, b, a), np.where(back, a, b)
    ahead, aside = (b - a).T
    slope = _truncated(aside << FRACTION, ahead | 1)
    line, step = _steps((ahead >> FRACTION) + 1)
    along = ((a[:, 0] + WHOLE // 2) >> FRACTION)[line] + step
    across = ((a[:, 1] + WHOLE // 2)[line] + slope[line] * step) >> FRACTION
    ends = (b + WHOLE // 2) >> FRACTION
    owner = np.concatenate([line, np.arange(len(b))])
    along, across = np.concatenate([along, ends[:, 0]]), np.concatenate([across, ends[:, 1]])
    pixels = np.stack([along, across], axis=1)
    return _dots(shape[owner], np.where(steep[owner], pixels[:, ::-1], pixels), size)


def _rectangles(a: I64, b: I64, thickness: int) -> I64:
    """Corners (k, 4, 2) of thick lines in 16.16 fixed point; lines without length are left out."""
    delta = (a - b).astype(np.float64)
    long = _larger(np.abs(a - b)) > 0
    a, b, delta = a[long] << FRACTION, b[long] << FRACTION, delta[long]
    half = thickness * (WHOLE / 2) + (thickness & 1) * (WHOLE / 2)
    scale = half / np.sqrt(delta[:, 0] * delta[:, 0] + delta[:, 1] * delta[:, 1])
    side = np.rint(np.stack([-delta[:, 1] * scale, delta[:, 0] * scale], axis=1)).astype(np.int64)
    return np.stack([a + side, a - side, b - side, b + side], axis=1)


def _steps(count: I64) -> tuple[I64, I64]:
    """For ``count`` steps each: the number of the line and of the step in it, one after the other."""
    line = np.repeat(np.arange(len(count)), count)
    return line, np.arange(len(line)) - (np.cumsum(count) - count)[line]


def _scan(shape: I64, a: I64, b: I64, size: Size) -> Runs:
    """Where scan rows meet the edges a-b: from the upper end on, the lower end's row excluded.

    Points are (column in fixed point, whole row). Rows outside the picture are left out, columns are not.
    """
    level = a[:, 1] == b[:, 1]
    shape, a, b = shape[~level], a[~level], b[~level]
    turned = (a[:, 1] > b[:, 1])[:, None]
    a, b = np.where(turned, b, a), np.where(turned, a, b)
    rows = b[:, 1] - a[:, 1]
    slope = _truncated((b[:, 0] - a[:, 0]) * 2 + rows, 2 * rows)
    first = np.maximum(-a[:, 1], 0)
    edge, step = _steps(np.maximum(np.minimum(rows, size[1] - a[:, 1]) - first, 0))
    step += first[edge]
    x = (a[edge, 0] + slope[edge] * step + WHOLE // 2) >> FRACTION
    return Runs(shape[edge], a[edge, 1] + step, x, x)


def _truncated(numerator: I64, denominator: I64) -> I64:
    """Integer division towards zero, as C divides. The denominator is positive."""
    return np.sign(numerator) * (np.abs(numerator) // denominator)


def _hull(count: int, scan: Runs, size: Size) -> Runs:
    """One run per shape and row from the leftmost to the rightmost crossing, cut to the picture."""
    width, height = size
    left, right = np.full(count * height, NEVER), np.full(count * height, -NEVER)
    place = scan.shape * height + scan.row
    np.minimum.at(left, place, scan.left)
    np.maximum.at(right, place, scan.right)
    left, right = np.maximum(left, 0), np.minimum(right, width - 1)
    place = np.flatnonzero(left <= right)
    return Runs(place // height, place % height, left[place], right[place])


def _cut(a: I64, b: I64, size: Size) -> tuple[I64, I64, npt.NDArray[np.bool_]]:
    """Clip lines to the picture with OpenCV's integer rounding; which of them are seen at all.

    Ends beyond the top or bottom are moved first (a, then b), then those beyond the sides.
    """
    inside = _inside(a, size) & _inside(b, size)
    if inside.all():
        return a, b, inside
    a, b = a.copy(), b.copy()
    limit = np.array(size) - 1
    seen = np.ones(len(a), bool)
    for axis in (1, 0):
        seen &= ~(_same_side(a, b, limit, 0) | _same_side(a, b, limit, 1))
        for end, other in ((a, b), (b, a)):
            _move_inside(end, other, axis, int(limit[axis]), seen)
    return a, b, seen & _inside(a, size) & _inside(b, size)


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
