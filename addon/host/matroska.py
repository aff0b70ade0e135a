# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes what is random out of a Matroska file, so that equal pictures are equal movies. Needs no bpy.

A muxer draws the numbers of the segment and of its tracks by chance (RFC 9559, 5.1.2.1 and 5.1.4.1.2). Here they
follow from all the rest of the file; the check sums of what holds them are made right again (RFC 8794, 11.3.1).
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUM, _SUM_BYTES = b"\xbf\x84", 4
_HOLDERS = {0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0x1254C367, 0x7373, 0x63C0}
"""Segment; Info; Tracks, TrackEntry; Tags, Tag, Targets."""
_RANDOM = {0x73A4, 0x73C5, 0x63C5}
"""SegmentUUID; TrackUID, and TagTrackUID, which names one."""


def settle_numbers(movie: Path) -> None:
    """Replace the random numbers of ``movie``. A file that is no Matroska, or not whole, stays. Raises `OSError`."""
    data = bytearray(movie.read_bytes())
    places = list(_places(data, 0, len(data)))
    numbers = [(start, stop) for name, start, stop in places if name in _RANDOM]
    sums = [(start + 2, stop) for name, start, stop in places if name in _HOLDERS and _has_sum(data, start)]
    for start, stop in (*numbers, *((at, at + _SUM_BYTES) for at, _ in sums)):
        data[start:stop] = bytes(stop - start)
    digest = hashlib.sha256(data).digest()
    for start, stop in numbers:
        data[start:stop] = digest[: stop - start]
    # from within outwards: a sum covers those inside
    for at, stop in reversed(sums):
        covered = memoryview(data)[at + _SUM_BYTES : stop]
        data[at : at + _SUM_BYTES] = zlib.crc32(covered).to_bytes(_SUM_BYTES, "little")
    if numbers:
        movie.write_bytes(data)


def _has_sum(data: bytearray, start: int) -> bool:
    """Whether the first thing in an element is its check sum."""
    return bytes(data[start : start + 2]) == _SUM


def _places(data: bytearray, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Elements between ``at`` and ``end``, and those in holders: name, where the content starts and stops."""
    while at < end:
        start_of_name, at = at, at + _width(data, at)
        name = int.from_bytes(data[start_of_name:at], "big")
        width = _width(data, at)
        length = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
        start, at = at + width, at + width + length
        if at > end:
            return
        yield name, start, at
        if name in _HOLDERS:
            yield from _places(data, start, at)


def _width(data: bytearray, at: int) -> int:
    """Bytes of a number that begins at ``at``: as many zero bits lead as bytes follow the first."""
    return 9 - data[at].bit_length() if at < len(data) else 1
