# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenEXR, read carefully: what `exr` writes and what Blender 4.2 to 5.2 writes, from files nobody vouches for.

Blender writes all layers into one part up to 4.5, and one part per pass from 5.0 on unless they are interleaved; the
names of the channels are the same (``ViewLayer.Depth.Z``), so `channels_of` hides the difference.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DocumentError, storage_error
from .exr import KINDS, LONG_NAME, MAGIC, NOT_IMAGE, SEVERAL, TILED, VERSION, Compression, ExrPart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from mmap import mmap
    from pathlib import Path

    import numpy.typing as npt

INFLATION = 1032
"""Deflate makes nothing smaller than this (RFC 1951: 258 bytes from 2 bits), so a short file cannot ask for more."""

MOST_BYTES = 1 << 32
"""Samples of one file. 4 GiB are 40 channels of float at 8192 x 3200."""

_OTHERS = {1: "RLE", 4: "PIZ", 5: "PXR24", 6: "B44", 7: "B44A", 8: "DWAA", 9: "DWAB"}
_LINES = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)
"""Lines of one chunk by the number of the compression."""


@dataclass(frozen=True, slots=True)
class _Header:
    """One part as its header declares it; ``window`` is (left, top, width, height)."""

    name: str
    channels: dict[str, np.dtype[Any]]
    compression: Compression
    window: tuple[int, int, int, int]
    display: tuple[int, int, int, int]
    pixel_aspect: float
    texts: dict[str, str]

    @property
    def row_bytes(self) -> int:
        return self.window[2] * sum(kind.itemsize for kind in self.channels.values())

    @property
    def chunks(self) -> int:
        return -(-self.window[3] // self.compression.lines)


def read_exr(path: Path) -> tuple[ExrPart, ...]:
    """All parts of a file.

    Raises:
        DocumentError: if it is damaged, or of a kind we do not read (tiles, deep data, lossy compression).
        StorageError: if it cannot be opened.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise storage_error(error, path) from error
    return parse_exr(data, str(path))


def parse_exr(data: bytes, source: str = "EXR") -> tuple[ExrPart, ...]:
    """All parts of a file's bytes; ``source`` names it in errors.

    Nothing is allocated before the sizes in the headers were checked against the length of the file.

    Raises:
        DocumentError: as `read_exr`.
    """
    try:
        return _Reader(data, source).parts()
    except (struct.error, IndexError, KeyError, ValueError, zlib.error) as error:
        raise _damaged(source, "it ends early or is scrambled") from error


def holds_all_chunks(data: bytes | mmap) -> bool:
    """Whether a file of scan lines, of any compression, holds all its chunks to the last byte; pixels are not read.

    A program whose disk is full leaves stumps, with a table of chunks or without, that Blender reads as black.
    """
    try:
        return _Reader(data, "EXR").is_whole()
    except (DocumentError, struct.error, IndexError, KeyError, ValueError, OverflowError):
        return False


def channels_of(parts: Sequence[ExrPart]) -> dict[str, npt.NDArray[Any]]:
    """Channels of all parts by name. Where parts use a name twice, the later one is put behind its part's name."""
    found: dict[str, npt.NDArray[Any]] = {}
    for part in parts:
        for name, array in part.channels.items():
            found[f"{part.name}.{name}" if name in found else name] = array
    return found


def _damaged(source: str, why: str) -> DocumentError:
    return DocumentError(f"The picture '{source}' cannot be read: {why}.", "Render or export it again.")


def _foreign(source: str, what: str) -> DocumentError:
    return DocumentError(
        f"The picture '{source}' has {what}, which is not read here.", "Save it with scan lines and ZIP compression."
    )


class _Reader:
    """One pass over the bytes of a file."""

    def __init__(self, data: bytes | mmap, source: str) -> None:
        self._data = data
        self._source = source
        self._at = 0

    def parts(self) -> tuple[ExrPart, ...]:
        several = self._opening()
        headers = [self._header(values, several=several) for values in self._headers(several=several)]
        total = sum(h.row_bytes * h.window[3] for h in headers)
        if total > min(MOST_BYTES, INFLATION * len(self._data)):
            raise _damaged(self._source, f"it declares {total} bytes of pixels, which it cannot hold")
        tables = [self._table(header.chunks) for header in headers]
        return tuple(
            self._part(header, table, i if several else None)
            for i, (header, table) in enumerate(zip(headers, tables, strict=True))
        )

    def is_whole(self) -> bool:
        """See `holds_all_chunks`."""
        several = self._opening()
        counts: list[int] = []
        for values in self._headers(several=several):
            _, _, _, height = self._window(values["dataWindow"][1])
            counts.append(-(-height // _LINES[values["compression"][1][0]]))
        starts = [start for count in counts for start in self._table(count)]
        # the part's number comes first where there are several, then the line
        ahead, first = 4 * several + 4, self._at
        ends = [start + ahead + 4 + struct.unpack_from("<i", self._data, start + ahead)[0] for start in starts]
        return all(first <= start < end <= len(self._data) for start, end in zip(starts, ends, strict=True))

    def _opening(self) -> bool:
        """Whether the file has several parts."""
        if self._take(4) != MAGIC:
            raise _damaged(self._source, "it is no OpenEXR file")
        (flags,) = struct.unpack("<I", self._take(4))
        if flags & 0xFF != VERSION:
            raise _foreign(self._source, f"version {flags & 0xFF} of the format")
        if flags & (TILED | NOT_IMAGE):
            raise _foreign(self._source, "tiles or deep data")
        return bool(flags & SEVERAL)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if count < 0 or end > len(self._data):
            raise _damaged(self._source, "it ends early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _name(self) -> str:
        end = self._data.find(b"\0", self._at, self._at + LONG_NAME + 1)
        if end < 0:
            raise _damaged(self._source, "a name in its header has no end")
        name = self._take(end - self._at).decode()
        self._at += 1
        return name

    def _headers(self, *, several: bool) -> list[Mapping[str, tuple[str, bytes]]]:
        """The attributes of every part, (type, value) by name."""
        headers = [self._attributes()]
        while several and self._data[self._at]:
            headers.append(self._attributes())
        self._at += several
        return headers

    def _attributes(self) -> Mapping[str, tuple[str, bytes]]:
        found: dict[str, tuple[str, bytes]] = {}
        while name := self._name():
            kind = self._name()
            (length,) = struct.unpack("<i", self._take(4))
            found[name] = kind, self._take(length)
        return found

    def _header(self, attributes: Mapping[str, tuple[str, bytes]], *, several: bool) -> _Header:
        values = {name: value for name, (_, value) in attributes.items()}
        if several and values["type"] != b"scanlineimage":
            raise _foreign(self._source, "tiles or deep data")
        texts = {
            name: value.decode(errors="replace")
            for name, (kind, value) in attributes.items()
            if kind == "string" and name not in {"name", "type"}
        }
        (aspect,) = struct.unpack("<f", values["pixelAspectRatio"])
        return _Header(
            values.get("name", b"").decode(), self._channels(values["channels"]), self._kind(values["compression"][0]),
            self._window(values["dataWindow"]), self._window(values["displayWindow"]), aspect, texts,
        )  # fmt: skip

    def _kind(self, number: int) -> Compression:
        if number in _OTHERS:
            raise _foreign(self._source, f"{_OTHERS[number]} compression")
        if number not in set(Compression):
            raise _damaged(self._source, "its compression is unknown")
        return Compression(number)

    def _window(self, value: bytes) -> tuple[int, int, int, int]:
        left, top, right, bottom = struct.unpack("<4i", value)
        if right < left or bottom < top:
            raise _damaged(self._source, "its picture has no size")
        return left, top, right - left + 1, bottom - top + 1

    def _channels(self, value: bytes) -> dict[str, np.dtype[Any]]:
        """Name and type of each channel, in the order of the file."""
        found: dict[str, np.dtype[Any]] = {}
        at = 0
        while value[at]:
            end = value.index(b"\0", at)
            kind, across, down = struct.unpack_from("<i4xii", value, end + 1)
            name = value[at:end].decode()
            if not 0 <= kind < len(KINDS) or name in found:
                raise _damaged(self._source, "its list of channels is scrambled")
            if (across, down) != (1, 1):
                raise _foreign(self._source, "subsampled channels")
            found[name] = KINDS[kind]
            at = end + 17
        if not found:
            raise _damaged(self._source, "it has no channels")
        return found

    def _table(self, count: int) -> list[int]:
        return list(struct.unpack(f"<{count}Q", self._take(8 * count)))

    def _part(self, header: _Header, table: list[int], number: int | None) -> ExrPart:
        left, top, _, height = header.window
        rows = np.empty((height, header.row_bytes), np.uint8)
        lines = header.compression.lines
        for chunk, start in enumerate(table):
            first = chunk * lines
            block = rows[first : first + lines]
            self._at = start
            if number is not None and struct.unpack("<i", self._take(4))[0] != number:
                raise _damaged(self._source, "its parts are mixed up")
            y, length = struct.unpack("<ii", self._take(8))
            if y != top + first:
                raise _damaged(self._source, "its lines are mixed up")
            block.reshape(-1)[:] = self._unpack(self._take(length), block.size, header.compression)
        shown = header.display
        return ExrPart(
            _split(rows, header), header.name, header.texts, header.compression,
            (left - shown[0], top - shown[1]), (shown[2], shown[3]), header.pixel_aspect,
        )  # fmt: skip

    def _unpack(self, packed: bytes, size: int, compression: Compression) -> npt.NDArray[np.uint8]:
        """Inflate one chunk to exactly ``size`` bytes; the inverse of `exr._pack`."""
        if len(packed) == size:
            return np.frombuffer(packed, np.uint8)
        inflate = zlib.decompressobj()
        steps = b"" if compression is Compression.NONE else inflate.decompress(packed, size)
        if len(steps) != size or inflate.decompress(inflate.unconsumed_tail, 1) or not inflate.eof:
            raise _damaged(self._source, "its pixels are not as many as it declares")
        parted = np.frombuffer(steps, np.uint8) ^ np.uint8(128)  # minus 128, modulo 256
        parted[0] ^= np.uint8(128)
        np.cumsum(parted, dtype=np.uint8, out=parted)
        raw = np.empty(size, np.uint8)
        half = (size + 1) // 2
        raw[::2], raw[1::2] = parted[:half], parted[half:]
        return raw


def _split(rows: npt.NDArray[np.uint8], header: _Header) -> dict[str, npt.NDArray[Any]]:
    """Channels (H, W) out of rows (H, bytes), in which they lie one behind the other."""
    found: dict[str, npt.NDArray[Any]] = {}
    at = 0
    for name, kind in header.channels.items():
        end = at + header.window[2] * kind.itemsize
        found[name] = np.ascontiguousarray(rows[:, at:end]).view(kind)
        at = end
    return found
