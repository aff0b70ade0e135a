# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenEXR, written small: scan lines, one part or several, plain or zipped (openexr.com, "File Layout").

Blender's Python can render an EXR but not make one from arrays, and no OpenEXR library comes with every Blender.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from .png import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

MAGIC, VERSION = b"\x76\x2f\x31\x01", 2
TILED, LONG_NAMES, NOT_IMAGE, SEVERAL = 0x200, 0x400, 0x800, 0x1000
"""Flags beside the version."""

SHORT_NAME, LONG_NAME = 31, 255
"""Bytes in a name, without and with the flag for long ones."""

KINDS = (np.dtype("<u4"), np.dtype("<f2"), np.dtype("<f4"))
"""Types of a channel by their number."""

LEVEL = 1
"""zlib level: depth comes out 3 % larger than at OpenEXR's own 4, in four fifths of the time."""


class Compression(IntEnum):
    """The lossless ways we read and write: none, zip by line, zip by 16 lines."""

    NONE = 0
    ZIPS = 2
    ZIP = 3

    @property
    def lines(self) -> int:
        """Lines in one chunk."""
        return 16 if self is Compression.ZIP else 1


@dataclass(frozen=True, slots=True, eq=False)
class ExrPart:
    """One part of a file; a file of one part is a plain EXR.

    ``channels`` are (H, W) float16, float32 or uint32 by full name (``depth.Z``), row 0 on top. ``origin`` is the
    place of the first pixel in a ``display`` window (width, height) that begins at 0, 0; without one the display
    window is the picture's own size. ``texts`` are the string attributes.
    """

    channels: Mapping[str, npt.NDArray[Any]]
    name: str = ""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    compression: Compression = Compression.ZIP
    origin: tuple[int, int] = (0, 0)
    display: tuple[int, int] | None = None
    pixel_aspect: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        height, width = next(iter(self.channels.values())).shape
        return width, height


def write_exr(path: Path, parts: Sequence[ExrPart]) -> None:
    """Write a file (see `exr_bytes`) so that ``path`` is either whole or not there.

    Raises:
        StorageError: if the disk refuses; nothing half-written stays behind.
    """
    write_whole(path, exr_bytes(parts))


def exr_bytes(parts: Sequence[ExrPart]) -> bytes:
    """The bytes of an OpenEXR file, equal for equal parts.

    Raises ValueError for what no file can hold: no channels, unequal sizes, other types, several parts without names
    of their own. That is a mistake of the caller.
    """
    several = len(parts) > 1
    for part in parts:
        _check(part)
    if not parts or (several and (len({p.name for p in parts}) < len(parts) or not all(p.name for p in parts))):
        raise ValueError("an EXR has one part, or several with names of their own")
    if len({(part.display or part.size, part.pixel_aspect) for part in parts}) > 1:
        raise ValueError("the parts of an EXR share one display window and pixel aspect")
    headers = b"".join(_header(part, several=several) for part in parts) + (b"\0" if several else b"")
    longest = max(len(name) for part in parts for name in _names(part))
    flags = VERSION | (SEVERAL if several else 0) | (LONG_NAMES if longest > SHORT_NAME else 0)
    chunks = [chunk for i, part in enumerate(parts) for chunk in _chunks(part, i if several else None)]
    front = MAGIC + struct.pack("<I", flags) + headers
    starts = np.cumsum([len(front) + 8 * len(chunks), *map(len, chunks)])[:-1]
    return b"".join([front, starts.astype("<u8").tobytes(), *chunks])


def _check(part: ExrPart) -> None:
    shapes = {array.shape for array in part.channels.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or 0 in shape:
        raise ValueError(f"no EXR for channels of shapes {[a.shape for a in part.channels.values()]}")
    if {array.dtype.newbyteorder("<") for array in part.channels.values()} - set(KINDS):
        raise ValueError(f"no EXR for channels of {[a.dtype.name for a in part.channels.values()]}")
    if any(not 0 < len(name) <= LONG_NAME or b"\0" in name for name in _names(part)):
        raise ValueError("names in an EXR have 1 to 255 bytes")
    if clash := _REQUIRED & part.texts.keys():
        raise ValueError(f"'{min(clash)}' is an attribute of EXR itself")


_REQUIRED = frozenset(
    {
        "channels", "chunkCount", "compression", "dataWindow", "displayWindow", "lineOrder", "name",
        "pixelAspectRatio", "screenWindowCenter", "screenWindowWidth", "type", "version", "tiles", "view",
    }
)  # fmt: skip


def _names(part: ExrPart) -> Iterator[bytes]:
    """Every name in the header that is the caller's: it must fit, and may need the flag for long ones."""
    yield from (name.encode() for name in (*part.channels, *part.texts))


def _header(part: ExrPart, *, several: bool) -> bytes:
    (width, height), (x, y) = part.size, part.origin
    shown = part.display or part.size
    attributes: dict[str, tuple[str, bytes]] = {
        "channels": ("chlist", b"".join(_channel(name, part.channels[name]) for name in _sorted(part)) + b"\0"),
        "compression": ("compression", bytes([part.compression])),
        "dataWindow": ("box2i", struct.pack("<4i", x, y, x + width - 1, y + height - 1)),
        "displayWindow": ("box2i", struct.pack("<4i", 0, 0, shown[0] - 1, shown[1] - 1)),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", part.pixel_aspect)),
        "screenWindowCenter": ("v2f", struct.pack("<2f", 0, 0)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
    }
    if part.name:
        attributes["name"] = "string", part.name.encode()
    if several:
        attributes["type"] = "string", b"scanlineimage"
        attributes["chunkCount"] = "int", struct.pack("<i", -(-height // part.compression.lines))
    attributes |= {name: ("string", text.encode()) for name, text in sorted(part.texts.items())}
    return b"".join(_attribute(name, *value) for name, value in attributes.items()) + b"\0"


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value


def _sorted(part: ExrPart) -> list[str]:
    """Channels as the file has them, by the bytes of their names."""
    return sorted(part.channels, key=str.encode)


def _channel(name: str, array: npt.NDArray[Any]) -> bytes:
    return name.encode() + b"\0" + struct.pack("<iB3xii", KINDS.index(array.dtype.newbyteorder("<")), 0, 1, 1)


def _chunks(part: ExrPart, number: int | None) -> Iterator[bytes]:
    """Chunks from the top; ``number`` is that of the part in a file of several."""
    height = part.size[1]
    samples = [part.channels[name] for name in _sorted(part)]
    rows = np.concatenate([_bytes_of(array).reshape(height, -1) for array in samples], axis=1)
    for top in range(0, height, part.compression.lines):
        data = _pack(rows[top : top + part.compression.lines].reshape(-1), part.compression)
        front = b"" if number is None else struct.pack("<i", number)
        yield front + struct.pack("<ii", part.origin[1] + top, len(data)) + data


def _bytes_of(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).view(np.uint8)


def _pack(raw: npt.NDArray[np.uint8], compression: Compression) -> bytes:
    """Deflate one chunk, or leave it as it is where that is no smaller (a reader tells them apart by the size).

    Bytes of even and odd places are parted first, and each is stored as its difference from the one before, plus 128.
    """
    if compression is Compression.NONE:
        return raw.tobytes()
    parted = np.concatenate([raw[::2], raw[1::2]])
    steps = parted.copy()
    steps[1:] -= parted[:-1]
    steps[1:] += np.uint8(128)
    small = zlib.compress(steps.tobytes(), LEVEL)
    return small if len(small) < len(raw) else raw.tobytes()
