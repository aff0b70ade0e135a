# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles, and which rows of theirs, are wholly hidden behind what is drawn already: farthest depths.

The idea is Greene, Kass and Miller's hierarchical z-buffer (SIGGRAPH 1993). A box of pixels is compared with at most
four tiles that cover it, a run of pixels with at most two stretches of its row. Depths are compared as the bits of
positive float32, which sort like unsigned integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    I32: TypeAlias = npt.NDArray[np.int32]
    U32: TypeAlias = npt.NDArray[np.uint32]

TILE_BITS = 3
"""The finest tiles are 8 pixels wide and high."""

STRETCH_BITS = 4
"""The finest stretches of a row are 16 pixels long."""


class Pyramid:
    """The farthest depth of every tile of a picture, in tiles that double in size from level to level."""

    def __init__(self, bits: U32) -> None:
        """``bits`` (H, W) uint32 of the depths drawn so far, the largest number where there is nothing."""
        tiles = _coarser(bits, 1 << TILE_BITS)
        levels = [tiles]
        while max(tiles.shape) > 1:
            tiles = _coarser(tiles, 2)
            levels.append(tiles)
        self._values = np.concatenate([level.reshape(-1) for level in levels])
        self._first = np.cumsum([0, *(level.size for level in levels[:-1])])
        self._width = np.array([level.shape[1] for level in levels])

    def hides(self, left: I32, right: I32, top: I32, bottom: I32, nearest: U32) -> npt.NDArray[np.bool_]:
        """Whether boxes of pixels (n,), inclusive, show nothing that is no nearer than ``nearest`` (n,)."""
        extent = np.maximum(right - left, bottom - top)
        sizes = 1 << (TILE_BITS + np.arange(len(self._first)))
        level = np.searchsorted(sizes[:-1], extent)
        shift = TILE_BITS + level
        first, width = self._first[level], self._width[level]
        farthest = np.zeros(len(left), np.uint32)
        for row in (top >> shift, bottom >> shift):
            start = first + row * width
            for column in (left >> shift, right >> shift):
                np.maximum(farthest, self._values[start + column], out=farthest)
        return nearest > farthest


class Rows:
    """The farthest depth of every stretch of a picture's rows, in stretches that double in length."""

    def __init__(self, bits: U32) -> None:
        """``bits`` (H, W) uint32 as for `Pyramid`."""
        levels = [_shorter(bits, 1 << STRETCH_BITS)]
        while levels[-1].shape[1] > 1:
            levels.append(_shorter(levels[-1], 2))
        self._values = np.concatenate([level.reshape(-1) for level in levels])
        self._first = np.cumsum([0, *(level.size for level in levels[:-1])], dtype=np.int32)
        self._width = np.array([level.shape[1] for level in levels], np.int32)
        sizes = (1 << STRETCH_BITS) << np.arange(len(levels) - 1)
        self._level = np.searchsorted(sizes, np.arange(bits.shape[1] + 1)).astype(np.int32)

    def hides(self, row: I32, left: I32, width: I32, nearest: U32) -> npt.NDArray[np.bool_]:
        """Whether runs of ``width`` pixels (n,) from ``left`` on show nothing no nearer than ``nearest`` (n,)."""
        level = self._level[width]
        shift = level + np.int32(STRETCH_BITS)
        start = self._first[level] + row * self._width[level]
        ends = left >> shift, (left + width - 1) >> shift
        return nearest > np.maximum(self._values[start + ends[0]], self._values[start + ends[1]])


def _coarser(tiles: U32, factor: int) -> U32:
    """Maximum over squares of ``factor``; what lies beyond the border counts as nearest."""
    height, width = (-(-n // factor) for n in tiles.shape)
    if tiles.shape != (height * factor, width * factor):
        padded = np.zeros((height * factor, width * factor), np.uint32)
        padded[: tiles.shape[0], : tiles.shape[1]] = tiles
        tiles = padded
    return _shorter(tiles.reshape(height, factor, -1).max(axis=1), factor)


def _shorter(rows: U32, factor: int) -> U32:
    """Maximum over ``factor`` neighbours in every row; what lies beyond the border counts as nearest."""
    height, width = len(rows), -(-rows.shape[1] // factor)
    if rows.shape[1] != width * factor:
        rows = np.pad(rows, ((0, 0), (0, width * factor - rows.shape[1])))
    return rows.reshape(height, width, factor).max(axis=2)
