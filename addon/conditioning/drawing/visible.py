# SPDX-License-Identifier: GPL-3.0-or-later
"""Values given at the corners of triangles, interpolated at the pixels that see them, perspective-correctly.

For a ray d through a pixel centre and a triangle a, b, c in camera space, the barycentric coordinates of the point that
is hit are in the ratio of the determinants (d, b, c), (a, d, c) and (a, b, d): no depth is needed, each is affine on
screen, and triangles that were cut at the near plane need nothing special. An orthographic view is the same in the
plane: corners and ray take 1 for their third coordinate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from ...shot.camera import Camera
    from .raster import Hits
    from .soup import Soup

    F32: TypeAlias = npt.NDArray[np.float32]
    F64: TypeAlias = npt.NDArray[np.float64]
    I32: TypeAlias = npt.NDArray[np.int32]
    I64: TypeAlias = npt.NDArray[np.int64]
    Bools: TypeAlias = npt.NDArray[np.bool_]

CHUNK = 1 << 14
"""Pixels or triangles worked on at a time: their temporaries stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Visible:
    """The triangles a picture shows.

    ``triangles`` (k,) int64 are soup triangles in ascending order, ``slot`` (H, W) int32 says for each pixel which of
    them it sees, k for none, and ``pixel`` (k,) int64 is one pixel of each.
    """

    triangles: I64
    slot: I32
    pixel: I64


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Three values per triangle, affine on screen up to a common factor.

    ``at`` (3, k) float32 are they at the pixel ``column``, ``row`` (k,) float32, ``right`` and ``down`` (3, k) their
    change from pixel to pixel.
    """

    at: F32
    right: F32
    down: F32
    column: F32
    row: F32


def visible(hits: Hits, soup: Soup) -> Visible:
    """Which triangles are seen, and where."""
    flat = hits.triangle.reshape(-1)
    seen = np.zeros(len(soup.triangles) + 1, bool)
    seen[flat] = True
    triangles = np.flatnonzero(seen[:-1])
    lookup = np.empty(len(soup.triangles) + 1, np.int32)
    lookup[triangles] = np.arange(len(triangles), dtype=np.int32)
    lookup[-1] = len(triangles)
    slot = lookup[flat]
    pixel = np.zeros(len(triangles) + 1, np.int64)
    pixel[slot] = np.arange(len(slot))
    return Visible(triangles, slot.reshape(hits.triangle.shape), pixel[:-1])


def slopes(
    soup: Soup, camera: Camera, triangles: I64, pixel: I64, values: F32, mirrored: Bools | None = None
) -> Slopes:  # fmt: skip
    """Spread ``values`` (k, 3, 3) float32 (triangle, corner, value) over triangles (k,), seen at ``pixel`` (k,).

    With ``mirrored`` (k,) they are turned over where the viewer sees the triangle's back, the side from which its
    corners run clockwise, or from which they do not where its instance is mirrored.
    """
    total = len(triangles)
    at, right, down = (np.empty((3, total), np.float32) for _ in range(3))
    found = Slopes(at, right, down, *_places(pixel, camera.width))
    for part in chunks(total):
        sides = None if mirrored is None else np.where(mirrored[part], 1.0, -1.0)
        corners = _columns(soup, triangles[part], camera)
        weights = _weights(corners, (found.column[part], found.row[part]), camera, sides)
        value = np.ascontiguousarray(np.moveaxis(values[part], 0, -1), np.float64)
        for out, weight in zip((at, right, down), weights, strict=True):
            for axis in range(3):
                out[axis, part] = weight[0] * value[0, axis] + weight[1] * value[1, axis] + weight[2] * value[2, axis]
    return found


def chunks(total: int) -> Iterator[slice]:
    """Slices of `CHUNK` that cover ``total``."""
    for start in range(0, total, CHUNK):
        yield slice(start, min(start + CHUNK, total))


def runs(owner: I32) -> Iterator[tuple[int, slice]]:
    """Each instance of ``owner`` (n,), which is in order, and where it stands there."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(owner)]):
        yield int(owner[start]), slice(start, stop)


def blocks(height: int, width: int) -> Iterator[slice]:
    """Slices of whole rows of about `CHUNK` pixels that cover a picture."""
    rows = max(CHUNK // width, 1)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def evaluate(slopes: Slopes, which: I32, top: int) -> F32:
    """The three values (3, r, W) float32 in whole rows, the first of which is ``top``.

    ``which`` (r, W) is the triangle of ``slopes`` that each pixel sees.
    """
    rows, columns = which.shape
    which = which.astype(np.intp)  # once instead of in every look-up
    right = np.arange(columns, dtype=np.float32) - slopes.column[which]
    down = np.arange(top, top + rows, dtype=np.float32)[:, None] - slopes.row[which]
    found = np.empty((3, *which.shape), np.float32)
    for axis in range(3):
        value = slopes.right[axis][which]
        value *= right
        value += slopes.at[axis][which]
        step = slopes.down[axis][which]
        step *= down
        np.add(value, step, out=found[axis])
    return found


def spread_out(slopes: Slopes, which: I64, total: int) -> Slopes:
    """The same for ``total`` triangles and, last, nothing: ``which`` (k,) are those given, the others have 0."""
    at, right, down = (np.zeros((3, total + 1), np.float32) for _ in range(3))
    column, row = np.zeros(total + 1, np.float32), np.zeros(total + 1, np.float32)
    at[:, which], right[:, which], down[:, which] = slopes.at, slopes.right, slopes.down
    column[which], row[which] = slopes.column, slopes.row
    return Slopes(at, right, down, column, row)


def _places(pixel: I64, width: int) -> tuple[F32, F32]:
    row = pixel // width
    return (pixel - row * width).astype(np.float32), row.astype(np.float32)


def _columns(soup: Soup, triangles: I64, camera: Camera) -> F64:
    """Corners (3, 3, n) float64 (corner, axis, triangle), homogeneous for the picture."""
    points = np.take(soup.vertices, soup.triangles[triangles].T, axis=0)
    columns = np.ascontiguousarray(np.moveaxis(points, 1, -1), np.float64)
    if camera.orthographic:
        columns[:, 2] = 1.0
    return columns


def _weights(
    corners: F64, place: tuple[F32, F32], camera: Camera, sides: F64 | None
) -> tuple[list[F64], list[F64], list[F64]]:
    """Barycentric coordinates at a pixel and their change to the right and down.

    They are scaled to add up to one at the pixel, or to ``sides``, negative where the corners' order shows the other
    side; 0 for a triangle seen exactly edge-on.
    """
    a, b, c = corners
    x, y = (place[0] + 0.5 - camera.cx) / camera.fx, (place[1] + 0.5 - camera.cy) / camera.fy
    normals = _cross(b, c), _cross(c, a), _cross(a, b)
    here = [n[0] * x + n[1] * y + n[2] for n in normals]
    total = here[0] + here[1] + here[2]
    scale = np.where(total == 0, 0.0, 1.0 / np.where(total == 0, 1.0, total))
    if sides is not None:
        scale = np.abs(scale) * sides
    right, down = scale / camera.fx, scale / camera.fy
    return [h * scale for h in here], [n[0] * right for n in normals], [n[1] * down for n in normals]


def _cross(a: F64, b: F64) -> tuple[F64, F64, F64]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
