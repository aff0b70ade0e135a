# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of a PNG file: signature and chunks around rows that somebody else has filtered (PNG, 3rd edition, 5)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2
"""Colour types."""
UP = 2
"""The filter that stores a row as its difference from the one above (9.2); each row begins with its filter."""


def png_file(
    size: tuple[int, int],
    bits: int,
    colour: int,
    rows: bytes,
    pack: Callable[[bytes], bytes],
    extra: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """Make the bytes of a PNG file of ``size`` (width, height).

    ``rows`` are all rows from the top, each its filter byte and its samples (big-endian) of ``bits`` bits; ``pack`` is
    zlib's deflate as the caller wants it; ``extra`` are chunks (name, data) that stand before the picture.
    """
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", pack(rows)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))
