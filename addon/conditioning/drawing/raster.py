# SPDX-License-Identifier: GPL-3.0-or-later
"""Z-buffer in plain numpy: which triangle does every pixel centre see, and how far is it.

Pixel coverage is found row by row: the two edges of a triangle that cross a row of pixel centres give the span it
covers. An edge is evaluated from its upper to its lower end with the same arithmetic in both triangles that share it,
and spans include their ends, so a closed mesh has no cracks. There is no back-face culling (Cycles has none either).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .culling import Pyramid, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from ...shot.camera import Camera
    from .soup import Soup

    F64: TypeAlias = npt.NDArray[np.float64]
    I32: TypeAlias = npt.NDArray[np.int32]
    I64: TypeAlias = npt.NDArray[np.int64]
    Column3: TypeAlias = tuple[F64, F64, F64]

NOTHING = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
BATCH = 1 << 18
"""Candidate pixels per batch: temporaries stay in the processor's cache."""

SLIVER = 1e-9
"""Triangles thinner than this (pixels) are seen edge-on and drop out, as a ray would miss them."""

NEAREST = 1e-6
"""Blender's smallest clip_start: depths must stay positive for the packed depth test."""


OVERDRAW = 6
"""Triangles whose boxes fill the picture this often are drawn from front to back, leaving out what is hidden."""

MARGIN = 1e-5
"""Share by which a triangle or a run counts as nearer than its nearest end when it is compared with what hides it."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What every pixel centre sees first.

    ``depth`` is (H, W) float32 planar distance in scene units, +inf where nothing was hit; ``triangle`` is (H, W)
    int32 into `Soup.triangles`, -1 where nothing was hit. Row 0 is the top of the picture.
    """

    depth: npt.NDArray[np.float32]
    triangle: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Corners:
    """Triangles on screen, one array per corner: pixels x and y, and q, which is affine on screen.

    q is 1/z under perspective and z in an orthographic view. ``ids`` are soup triangles.
    """

    x: Column3
    y: Column3
    q: Column3
    ids: I32


@dataclass(frozen=True, slots=True)
class _Box:
    """Pixel bounds (inclusive) of triangles; each holds at least one pixel centre."""

    left: I32
    right: I32
    top: I32
    bottom: I32


@dataclass(frozen=True, slots=True)
class _Spans:
    """Runs of covered pixels: in ``row`` from ``left`` over ``width`` pixels; q at the first and its step."""

    row: I32
    left: I32
    width: I32
    q: F64
    step: F64
    ids: I32


def rasterize(soup: Soup, camera: Camera) -> Hits:
    """Nearest triangle and planar depth at every pixel centre, between ``camera.near`` and ``camera.far``.

    Triangles that cross the near plane are cut there and keep their id. Ties go to the lower triangle id.
    """
    key = np.full(camera.width * camera.height, NOTHING, np.uint64)
    near = max(camera.near, NEAREST)
    z = soup.vertices[:, 2]
    corners = soup.triangles.T
    ahead = (z >= near)[corners]
    count = ahead[0].astype(np.int8) + ahead[1] + ahead[2]
    cut = np.flatnonzero((count == 1) | (count == 2)).astype(np.int32)
    if len(cut):  # first, for nothing is nearer
        vertices, ids = _clip(soup.vertices[soup.triangles[cut]].astype(np.float64), ahead[:, cut].T, cut, near)
        flat = vertices.reshape(-1, 3)
        index = np.arange(len(flat), dtype=np.int32).reshape(-1, 3).T
        _draw(key, (flat[:, 0], flat[:, 1], flat[:, 2]), index, ids, camera)
    whole = np.flatnonzero(count == 3).astype(np.int32)
    columns = soup.vertices[:, 0].astype(np.float64), soup.vertices[:, 1].astype(np.float64), z.astype(np.float64)
    _draw(key, columns, corners[:, whole] if len(whole) < corners.shape[1] else corners, whole, camera)
    return _unpack(key, camera)


def instance_ids(hits: Hits, soup: Soup) -> npt.NDArray[np.int32]:
    """Instance per pixel (H, W) int32 into `FrameGeometry.instances`, -1 where nothing was hit."""
    return np.append(soup.instance, np.int32(-1))[hits.triangle]


def _clip(
    corners: F64, ahead: npt.NDArray[np.bool_], ids: I32, near: float
) -> tuple[F64, I32]:  # fmt: skip
    """Cut triangles (k, 3, 3) that cross z = near: what lies ahead of it, one or two triangles for each.

    The odd corner (alone on its side) is rotated to the front, so both cases become plain columns.
    """
    alone = ahead.sum(axis=1) == 1
    odd = np.argmax(ahead == alone[:, None], axis=1)
    turn = (odd[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, turn[:, :, None], axis=1)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac = _at_near(a, b, near), _at_near(a, c, near)
    pair = ~alone
    parts = [
        np.stack([a, ab, ac], axis=1)[alone],
        np.stack([ab, b, c], axis=1)[pair],
        np.stack([ab, c, ac], axis=1)[pair],
    ]
    return np.concatenate(parts), np.concatenate([ids[alone], ids[pair], ids[pair]])


def _at_near(a: F64, b: F64, near: float) -> F64:
    """Where the lines a-b (k, 3) meet the near plane."""
    t = (near - a[:, 2]) / (b[:, 2] - a[:, 2])
    point = a + t[:, None] * (b - a)
    point[:, 2] = near
    return point


def _draw(key: npt.NDArray[np.uint64], columns: Column3, index: I32, ids: I32, camera: Camera) -> None:
    """Draw triangles ``index`` (3, m) over vertex ``columns`` (x, y, z in camera space) into the packed buffer."""
    if not len(ids):
        return
    corners, box = _on_screen(_project(columns, camera), index, ids, camera)
    area = (box.right - box.left + 1).astype(np.int64) * (box.bottom - box.top + 1)
    pixels = camera.width * camera.height
    if area.sum() < OVERDRAW * pixels:
        _draw_all(key, corners, box, camera)
        return
    nearest = _nearest(corners, camera)
    order = np.argsort(nearest, kind="stable")
    drawn = np.cumsum(area[order]) // pixels
    for start, stop in _doublings(drawn):
        part = order[start:stop]
        bits = _high_word(key).reshape(camera.height, camera.width)
        some = _take_box(box, part)
        part = part[~Pyramid(bits).hides(some.left, some.right, some.top, some.bottom, nearest[part])]
        _draw_all(key, _take(corners, part), _take_box(box, part), camera, Rows(bits))


def _draw_all(
    key: npt.NDArray[np.uint64], corners: _Corners, box: _Box, camera: Camera, drawn: Rows | None = None
) -> None:  # fmt: skip
    """Draw them one batch after the other, leaving out runs hidden behind what was ``drawn`` before."""
    for part in _batches(box):
        spans = _spans(_take(corners, part), _take_box(box, part))
        _fill(key, spans if drawn is None else _not_hidden(spans, drawn, camera), camera)


def _not_hidden(spans: _Spans, drawn: Rows, camera: Camera) -> _Spans:
    last = spans.q + spans.step * (spans.width - 1)
    nearest = _bits(np.minimum(spans.q, last) if camera.orthographic else 1.0 / np.maximum(spans.q, last))
    kept = np.flatnonzero(~drawn.hides(spans.row, spans.left, spans.width, nearest))
    return _Spans(
        spans.row[kept], spans.left[kept], spans.width[kept], spans.q[kept], spans.step[kept], spans.ids[kept]
    )


def _nearest(corners: _Corners, camera: Camera) -> npt.NDArray[np.uint32]:
    """Bits of each triangle's least depth."""
    q0, q1, q2 = corners.q
    z = np.minimum(np.minimum(q0, q1), q2) if camera.orthographic else 1.0 / np.maximum(np.maximum(q0, q1), q2)
    return _bits(z)


def _bits(nearest: F64) -> npt.NDArray[np.uint32]:
    """Bits of depths, a little less so that rounding never hides what a pixel could see."""
    return (nearest * (1 - MARGIN)).astype(np.float32).view(np.uint32)


def _doublings(drawn: I64) -> Iterator[tuple[int, int]]:
    """Parts of triangles in order, of which ``drawn`` says how often they filled the picture: each twice the last."""
    start, limit = 0, 1
    while start < len(drawn):
        stop = max(int(np.searchsorted(drawn, limit)), start + 1)
        yield start, stop
        start, limit = stop, 2 * limit + 1


def _high_word(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """The bits of the depths."""
    return (key >> np.uint64(32)).astype(np.uint32)


def _project(columns: Column3, camera: Camera) -> Column3:
    """Camera space to pixels x, y and the value q that is affine on screen. Rubbish behind the camera."""
    x, y, z = columns
    if camera.orthographic:
        return camera.cx + camera.fx * x, camera.cy + camera.fy * y, z
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        q = 1.0 / z
        return camera.cx + camera.fx * x * q, camera.cy + camera.fy * y * q, q


def _on_screen(screen: Column3, index: I32, ids: I32, camera: Camera) -> tuple[_Corners, _Box]:
    """Keep triangles whose box holds a pixel centre: by columns first, then rows, then those with an area."""
    x = _gather(screen[0], index)
    left, right, keep = _bounds(x, camera.width)
    index, ids, left, right = index[:, keep], ids[keep], left[keep], right[keep]
    y = _gather(screen[1], index)
    top, bottom, inside = _bounds(y, camera.height)
    x0, x1, x2 = (column[keep][inside] for column in x)
    y0, y1, y2 = (column[inside] for column in y)
    area = np.abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
    length = np.maximum(np.maximum(np.abs(x1 - x0), np.abs(x2 - x0)), np.maximum(np.abs(y1 - y0), np.abs(y2 - y0)))
    solid = area > SLIVER * length
    chosen = np.flatnonzero(inside)[solid]
    q = _gather(screen[2], index[:, chosen])
    box = _Box(*(side[chosen].astype(np.int32) for side in (left, right, top, bottom)))
    return _Corners((x0[solid], x1[solid], x2[solid]), (y0[solid], y1[solid], y2[solid]), q, ids[chosen]), box


def _gather(values: F64, index: I32) -> Column3:
    return values[index[0]], values[index[1]], values[index[2]]


def _bounds(corner: Column3, size: int) -> tuple[F64, F64, npt.NDArray[np.bool_]]:
    """First and last pixel whose centre lies between the corners, and whether there is one.

    Clamped as floats: casting an out-of-range float to an integer is undefined.
    """
    first = np.maximum(np.ceil(np.minimum(np.minimum(corner[0], corner[1]), corner[2]) - 0.5), 0.0)
    last = np.minimum(np.floor(np.maximum(np.maximum(corner[0], corner[1]), corner[2]) - 0.5), size - 1.0)
    return first, last, first <= last


def _batches(box: _Box) -> Iterator[slice]:
    """Slices of consecutive triangles that hold about `BATCH` candidate pixels each."""
    area = (box.right - box.left + 1).astype(np.int64) * (box.bottom - box.top + 1)
    ends = np.cumsum(area)
    start = 0
    while start < len(area):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + BATCH, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _take(corners: _Corners, part: slice | I64) -> _Corners:
    x, y, q = corners.x, corners.y, corners.q
    return _Corners(
        (x[0][part], x[1][part], x[2][part]),
        (y[0][part], y[1][part], y[2][part]),
        (q[0][part], q[1][part], q[2][part]),
        corners.ids[part],
    )


def _take_box(box: _Box, part: slice | I64) -> _Box:
    return _Box(box.left[part], box.right[part], box.top[part], box.bottom[part])


def _by_row(corners: _Corners) -> tuple[F64, F64, F64]:
    """Corners sorted from top to bottom: three arrays (3, k) of x, y and q."""
    stacked = np.stack([np.stack(corners.x), np.stack(corners.y), np.stack(corners.q)], axis=1)
    top, middle, bottom = stacked[0], stacked[1], stacked[2]
    top, middle = _swap(top, middle)
    middle, bottom = _swap(middle, bottom)
    top, middle = _swap(top, middle)
    return top, middle, bottom


def _swap(upper: F64, lower: F64) -> tuple[F64, F64]:
    wrong = upper[1] > lower[1]
    return np.where(wrong, lower, upper), np.where(wrong, upper, lower)


def _slopes(upper: F64, lower: F64) -> F64:
    """Change of x and q per row (2, k) along the edges upper-lower; 0 for level edges."""
    rise = lower[1] - upper[1]
    level = rise <= 0
    return np.where(level, 0.0, (lower[::2] - upper[::2]) / np.where(level, 1.0, rise))


def _spans(corners: _Corners, box: _Box) -> _Spans:
    """The run of pixels that each triangle covers in each of its rows."""
    top, middle, bottom = _by_row(corners)
    long, first, second = _slopes(top, bottom), _slopes(top, middle), _slopes(middle, bottom)
    rows = box.bottom - box.top + 1
    owner = np.repeat(np.arange(len(rows), dtype=np.int32), rows)
    row = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(rows, dtype=np.int32) - rows - box.top, rows)
    y = row + 0.5
    below = y - top[1][owner]
    x_long = top[0][owner] + below * long[0][owner]
    q_long = top[2][owner] + below * long[1][owner]
    # The two short edges are one table of 2k edges: no need to evaluate both and choose.
    count = len(rows)
    edge = owner + count * (y >= middle[1][owner])
    start, slope = np.concatenate([top, middle], axis=1), np.concatenate([first, second], axis=1)
    below = y - start[1][edge]
    x_short = start[0][edge] + below * slope[0][edge]
    q_short = start[2][edge] + below * slope[1][edge]
    return _runs(owner, row, (x_long, q_long, x_short, q_short), box, corners.ids)


def _runs(owner: I32, row: I32, edges: tuple[F64, F64, F64, F64], box: _Box, ids: I32) -> _Spans:
    """Between two crossings (x, q) of each row: whole pixels, and q from the first on."""
    x_long, q_long, x_short, q_short = edges
    left = np.maximum(np.ceil(np.minimum(x_long, x_short) - 0.5), box.left[owner])
    right = np.minimum(np.floor(np.maximum(x_long, x_short) - 0.5), box.right[owner])
    some = np.flatnonzero(left <= right)
    left, right, x, q = left[some], right[some], x_long[some], q_long[some]
    across = x_short[some] - x
    step = np.where(across == 0, 0.0, (q_short[some] - q) / np.where(across == 0, 1.0, across))
    return _Spans(
        row[some], left.astype(np.int32), (right - left + 1).astype(np.int32),
        q + (left + 0.5 - x) * step, step, ids[owner[some]],
    )  # fmt: skip


def _fill(key: npt.NDArray[np.uint64], spans: _Spans, camera: Camera) -> None:
    """Depth test every pixel of the runs."""
    run = np.repeat(np.arange(len(spans.width), dtype=np.int64), spans.width)
    before = np.cumsum(spans.width, dtype=np.int64) - spans.width
    pixel = np.arange(len(run), dtype=np.int64)
    along = pixel - before[run]
    pixel += (spans.row.astype(np.int64) * camera.width + spans.left - before)[run]
    q = spans.step[run]
    q *= along
    q += spans.q[run]
    z = (q if camera.orthographic else np.divide(1.0, q, out=q)).astype(np.float32)
    _keep_nearest(key, pixel, _pack(z, spans.ids[run]))


def _pack(z: npt.NDArray[np.float32], ids: I32) -> npt.NDArray[np.uint64]:
    """Depth above, id below: the bits of positive float32 sort like unsigned integers."""
    return (z.view(np.uint32).astype(np.uint64) << np.uint64(32)) | ids.astype(np.uint64)


def _keep_nearest(key: npt.NDArray[np.uint64], pixel: I64, candidate: npt.NDArray[np.uint64]) -> None:
    """Minimum per pixel, in place. Of repeated pixels the last write wins, so go on until nothing improves.

    The same as ``np.minimum.at``, and as fast in numpy 1.24, where that is slow.
    """
    while len(pixel):
        better = np.flatnonzero(candidate < key[pixel])
        pixel, candidate = pixel[better], candidate[better]
        key[pixel] = candidate


def _unpack(key: npt.NDArray[np.uint64], camera: Camera) -> Hits:
    """Split the packed buffer, and blank what lies beyond the far plane."""
    depth = _high_word(key).view(np.float32)
    with np.errstate(invalid="ignore"):
        hit = (depth > 0) & (depth <= np.float32(camera.far))
    triangle = np.where(hit, key & np.uint64(0xFFFF_FFFF), np.uint64(0)).astype(np.int32)
    triangle[~hit] = -1
    shape = camera.height, camera.width
    return Hits(np.where(hit, depth, np.float32(np.inf)).reshape(shape), triangle.reshape(shape))
