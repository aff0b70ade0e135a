# SPDX-License-Identifier: GPL-3.0-or-later
"""How the layers of a raw frame lie on disk: plain where they are read in parts, packed where they are mostly alike.

Both end with a check sum of all before it, which numpy and zipfile do not mind: a damaged frame is drawn again.
"""

from __future__ import annotations

import math
import re
import zlib
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.lib import format as numpy_format

from .aside import aside

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Pieces: TypeAlias = tuple[bytes | memoryview, ...]

# zlib at 1 packs a picture of ids in a fifth of the time of numpy's own level and hardly larger
_LEVEL = 1
_SUM, _BLOCK = 4, 1 << 20
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<kind>[<|][fiu]\d)', 'fortran_order': False, "
    rb"'shape': \((?P<shape>[\d, ]*)\), \} *\n",
    re.DOTALL,
)
_LONGEST_HEADER = 256
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"


def plain(array: npt.NDArray[Any], beyond: bytes = b"") -> Pieces:
    """An ``.npy`` file, the array itself uncopied if it is in C order. ``beyond`` comes behind it (`read_beyond`)."""
    ordered, header = np.ascontiguousarray(array), BytesIO()
    npy: Any = numpy_format
    npy.write_array_header_1_0(header, npy.header_data_from_array_1_0(ordered))
    return _sealed(header.getvalue(), memoryview(cast("Any", ordered)).cast("B"), beyond)


def packed(**arrays: npt.NDArray[Any]) -> Pieces:
    """An ``.npz`` file of named arrays."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as file:
        for name, array in arrays.items():
            # opened by its name, an entry has no date: equal arrays are equal files
            with file.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.save(entry, array, allow_pickle=False)
    return _sealed(buffer.getvalue())


def read_packed(path: Path, *names: str) -> tuple[npt.NDArray[Any], ...]:
    """Named arrays of an ``.npz`` file; raises what zipfile raises for a damaged one, or `ValueError`."""
    with ZipFile(path) as file:
        return tuple(_array(file.read(f"{name}.npy")) for name in names)


def read_plain(path: Path) -> npt.NDArray[Any]:
    """An ``.npy`` file of ours; it stays on disk until it is touched. Raises `ValueError` for any other."""
    kind, shape, start = _header(path)
    return np.memmap(path, kind, "r", start, shape)


def read_beyond(path: Path) -> bytes:
    """What an ``.npy`` file holds behind its array, b"" for nothing. Raises as `read_plain`."""
    kind, shape, start = _header(path)
    with path.open("rb") as file:
        file.seek(start + math.prod(shape) * kind.itemsize)
        return file.read()[:-_SUM]


def _header(path: Path) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    with path.open("rb") as file:
        return _parsed(file.read(_LONGEST_HEADER))


def _array(data: bytes) -> npt.NDArray[Any]:
    kind, shape, start = _parsed(data[:_LONGEST_HEADER])
    return np.frombuffer(data, kind, math.prod(shape), start).reshape(shape)


def _parsed(head: bytes) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Type, shape and place of an array (NumPy Enhancement Proposal 1, format 1.0).

    numpy reads that as Python, which in 3.11 fails now and then where two threads do it at once (gh-106905).
    """
    found = _NPY.match(head)
    if found is None:
        raise ValueError("no array of ours")
    shape = tuple(int(side) for side in found["shape"].split(b",") if side.strip())
    return np.dtype(found["kind"].decode()), shape, found.end()


def is_whole(path: Path) -> bool:
    """Whether a layer's file is as it was written, to the last bit. Raises `OSError` when it is not there."""
    return _is_whole_png(path) if path.suffix == ".png" else _is_sealed(path)


def write(path: Path, data: Pieces) -> None:
    """Write a file in pieces. Raises `OSError`, also for a full disk, of which numpy's own short write says nothing."""
    with path.open("wb") as file:
        file.writelines(data)


def write_aside(path: Path, data: Pieces) -> None:
    """Write and rename: nobody ever reads half a layer. Raises `OSError`."""
    part = aside(path)
    try:
        write(part, data)
        part.replace(path)
    finally:
        with suppress(OSError):  # the first error is the one to tell
            part.unlink(missing_ok=True)


def _sealed(*data: bytes | memoryview) -> Pieces:
    found = 0
    for piece in data:
        found = zlib.crc32(piece, found)
    return (*data, found.to_bytes(_SUM, "little"))


def _is_sealed(path: Path) -> bool:
    left, found = path.stat().st_size - _SUM, 0
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            found, left = zlib.crc32(block, found), left - len(block)
        return left == 0 and file.read() == found.to_bytes(_SUM, "little")


def _is_whole_png(path: Path) -> bool:
    """Whether the check sums of all chunks are right, the last one being there (PNG specification, 5.3)."""
    data = path.read_bytes()
    at, kind = len(_PNG_START), b""
    while data.startswith(_PNG_START) and at + 12 <= len(data) and kind != _PNG_END:
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if zlib.crc32(memoryview(data)[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        at = end + 4
    return kind == _PNG_END and at == len(data)
