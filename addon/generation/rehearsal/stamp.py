# SPDX-License-Identifier: GPL-3.0-or-later
"""The word REHEARSAL in small letters of our own, bottom left of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from .pictures import Picture

WORD = "REHEARSAL"
_LETTERS = {
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "L": "10000 10000 10000 10000 10000 10000 11111",
}
_ROWS_PER_PIXEL = 300


def word_mask(scale: int) -> npt.NDArray[np.bool_]:
    """The word as pixels, seven rows of letters high, times ``scale``."""
    letters = [np.array([[bit == "1" for bit in row] for row in _LETTERS[letter].split()]) for letter in WORD]
    spaced = np.concatenate([np.pad(letter, ((0, 0), (0, 2))) for letter in letters], axis=1)[:, :-2]
    return np.kron(spaced, np.ones((scale, scale), np.bool_)).astype(np.bool_)


def burn_in(picture: Picture) -> None:
    """Write the word into ``picture``, white on a darkened strip. A picture too small for it stays as it is."""
    height, width = picture.shape[:2]
    scale = max(1, height // _ROWS_PER_PIXEL)
    mask = word_mask(scale)
    pad = 3 * scale
    bottom, left = height - 4 * scale, 4 * scale
    top, right = bottom - mask.shape[0] - 2 * pad, left + mask.shape[1] + 2 * pad
    if top < 0 or right > width:
        return
    strip = picture[top:bottom, left:right]
    strip[:] = strip // 2
    inner = strip[pad:-pad, pad:-pad]
    inner[mask] = (inner[mask] // 4 + 180).astype(np.uint8)
