# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as arrays: reading, scaling, padding, blurring, writing."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, PngImagePlugin

from ...shot.png import RGB, UP, png_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Picture = npt.NDArray[np.uint8]
"""(height, width, 3), sRGB."""
GREY = 127

_FILTERS = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames made when asked for: ``frame(i)`` for 0 ≤ i < ``count``."""

    count: int
    frame: Callable[[int], Picture]

    def mapped(self, change: Callable[[Picture], Picture]) -> Clip:
        """The same frames, each changed."""
        return Clip(self.count, lambda index: change(self.frame(index)))

    def then(self, other: Clip) -> Clip:
        """These frames and those of ``other`` after them."""
        return Clip(
            self.count + other.count,
            lambda index: self.frame(index) if index < self.count else other.frame(index - self.count),
        )


def read_picture(path: Path) -> Picture:
    """A file as 8-bit RGB. Raises `OSError` if it is no picture."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def scale(picture: Picture, width: int, height: int, method: str = "bilinear", *, is_cropped: bool = False) -> Picture:
    """Scale to ``width`` x ``height``; with ``is_cropped`` keep the shape and cut the middle out."""
    rows, columns = picture.shape[:2]
    if (columns, rows) == (width, height):
        return picture
    image = Image.fromarray(picture)
    if is_cropped:
        ratio = min(columns / width, rows / height)
        left, top = (columns - width * ratio) / 2, (rows - height * ratio) / 2
        box = (round(left), round(top), columns - round(left), rows - round(top))
        image = image.crop(box)
    return np.asarray(image.resize((width, height), _FILTERS.get(method, Image.Resampling.BILINEAR)))


def blur(picture: Picture, sigma: float) -> Picture:
    """Gaussian blur, ``sigma`` in pixels."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def plain(width: int, height: int, colour: int = GREY * 0x10101) -> Picture:
    """One flat colour, given as 0xRRGGBB."""
    rgb = [(colour >> shift) & 255 for shift in (16, 8, 0)]
    return np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3))


def write_png(picture: Picture, path: Path, texts: Mapping[str, str]) -> None:
    """Write an 8-bit RGB PNG with text chunks. Raises `OSError`.

    Grain does not repeat: looking for repetitions (all but Huffman coding) and for the best filter of each row
    costs half the time of a frame and saves a tenth. Every row is stored as its difference from the one above.
    """
    height, width = picture.shape[:2]
    flat = picture.reshape(height, width * 3)
    rows = np.full((height, 1 + width * 3), UP, np.uint8)
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    texts_first = [(name, data) for name, data, *_ in info.chunks]
    path.write_bytes(png_file((width, height), 8, RGB, rows.tobytes(), _huffman, texts_first))


def _huffman(rows: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return packer.compress(rows) + packer.flush()
