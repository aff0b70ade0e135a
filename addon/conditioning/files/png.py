# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG, written fast: Blender has no Pillow, and a picture here goes out in a quarter of its time.

Every row is stored as the difference to the one above (filter 2, Up), which suits smooth renders, at zlib level 1.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import storage_error
from ...shot.png import GREY, RGB, UP, png_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


def encode_png(array: npt.NDArray[Any], level: int = 1) -> bytes:
    """(H, W) uint8 or uint16 grey, or (H, W, 3) uint8 or uint16 RGB, as the bytes of a PNG file.

    ``level`` is zlib's. Raises ValueError for any other shape or type: a mistake of the caller.
    """
    colour = {2: GREY, 3: RGB}.get(array.ndim)
    bits = {"uint8": 8, "uint16": 16}.get(array.dtype.name)
    if colour is None or bits is None or (colour == RGB and array.shape[2] != 3) or 0 in array.shape:
        raise ValueError(f"no PNG for shape {array.shape} of {array.dtype}")
    height, width = array.shape[:2]
    samples = np.ascontiguousarray(array if bits == 8 else array.astype(">u2"))
    rows = samples.view(np.uint8).reshape(height, -1)
    raw = np.empty((height, rows.shape[1] + 1), np.uint8)
    raw[:, 0] = UP
    raw[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=raw[1:, 1:])
    return png_file((width, height), bits, colour, raw.tobytes(), lambda rows: zlib.compress(rows, level))


def write_png(path: Path, array: npt.NDArray[Any], level: int = 1) -> None:
    """Write ``array`` (see `encode_png`) so that ``path`` is either whole or not there.

    Raises:
        StorageError: if the disk refuses; nothing half-written stays behind.
    """
    write_whole(path, encode_png(array, level))


def write_whole(path: Path, data: bytes) -> None:
    """Write a picture aside and rename it: ``path`` is either whole or not there.

    Raises:
        StorageError: if the disk refuses; nothing half-written stays behind.
    """
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):  # the disk that refused may refuse this too; the first error is the one to tell
            aside.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def grey_as_rgb(grey: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Grey (H, W) as RGB (H, W, 3) of three equal channels, which is how models take depth and lines."""
    return np.repeat(grey[:, :, None], 3, axis=2)
