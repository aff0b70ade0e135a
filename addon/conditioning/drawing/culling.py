# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles are wholly hidden behind what is drawn already: a pyramid of farthest depths.

The idea is Greene, Kass and Miller's hierarchical z-buffer (SIGGRAPH 1993). A box of pixels is compared with at most
four tiles that cover it. Depths are compared as the bits of positive float32, which sort like unsigned integers.
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


def _coarser(tiles: U32, factor: int) -> U32:
    """Maximum over squares of ``factor``; what lies beyond the border counts as nearest."""
    height, width = (-(-n // factor) for n in tiles.shape)
    if tiles.shape != (height * factor, width * factor):
        padded = np.zeros((height * factor, width * factor), np.uint32)
        padded[: tiles.shape[0], : tiles.shape[1]] = tiles
        tiles = padded
    rows = tiles.reshape(height, factor, -1).max(axis=1)
    return rows.reshape(height, width, factor).max(axis=2)
