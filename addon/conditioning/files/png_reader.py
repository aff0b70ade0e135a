# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG, read back: only what `png` writes in 8 bits, grey or RGB, every row the difference to the one above."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DocumentError, storage_error
from ...shot.png import GREY, RGB, SIGNATURE, UP
from .exr_reader import INFLATION

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_CHANNELS = {GREY: 1, RGB: 3}


def read_png(path: Path) -> npt.NDArray[np.uint8]:
    """(H, W) grey or (H, W, 3) RGB uint8 of a file that `png.write_png` wrote.

    Raises `DocumentError` for anything else, also for a good PNG of another program, and for a damaged one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        return _picture(data)
    except (ValueError, struct.error, zlib.error) as error:
        raise DocumentError(
            f"The picture '{path}' is damaged.", "Delete its folder and run 'second-unit condition' again."
        ) from error


def _picture(data: bytes) -> npt.NDArray[np.uint8]:
    width, height, bits, colour, *others = struct.unpack(">IIBBBBB", _chunk(data, len(SIGNATURE), b"IHDR"))
    if not data.startswith(SIGNATURE) or bits != 8 or colour not in _CHANNELS or any(others):
        raise ValueError
    packed = _chunk(data, len(SIGNATURE) + 25, b"IDAT")
    row = width * _CHANNELS[colour]
    # no more is unpacked than the picture holds, and no more room is made than the file can fill
    if not 0 < (row + 1) * height <= INFLATION * len(packed):
        raise ValueError
    raw = zlib.decompressobj().decompress(packed, (row + 1) * height)
    rows = np.frombuffer(raw, np.uint8).reshape(height, row + 1)
    if (rows[:, 0] != UP).any():
        raise ValueError
    picture = np.add.accumulate(rows[:, 1:], axis=0, dtype=np.uint8)
    return picture.reshape((height, width) if colour == GREY else (height, width, 3))


def _chunk(data: bytes, at: int, name: bytes) -> bytes:
    """What the chunk ``name`` at ``at`` holds. Raises ValueError when another is there or its sum is wrong."""
    length, found = struct.unpack_from(">I4s", data, at)
    body = data[at + 8 : at + 8 + length]
    (told,) = struct.unpack_from(">I", data, at + 8 + length)
    if found != name or told != zlib.crc32(body, zlib.crc32(name)):
        raise ValueError
    return body
