# SPDX-License-Identifier: GPL-3.0-or-later
"""The movie codec every Blender carries, used through a child. Needs no bpy; implements `ports.MovieCodec`."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DocumentError, storage_error
from ..shot.documents import pair
from ..shot.ports import silent
from .blender import Blender, no_space_left, run_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from ..shot.ports import Progress


@dataclass(frozen=True, slots=True)
class MovieOrder:
    """One movie to be written: PNG ``frames`` of one size and folder, in order."""

    frames: Sequence[Path]
    movie: Path
    fps: Fraction


@dataclass(frozen=True, slots=True)
class BlenderCodec:
    """H.264 in MP4 by a child Blender."""

    blender: Blender

    def encode(self, frames: list[Path], movie: Path, fps: Fraction, *, crf: str = "HIGH") -> None:
        """See `ports.MovieCodec.encode`."""
        self.encode_all([MovieOrder(frames, movie, fps)], quality=crf)

    def encode_all(self, orders: Sequence[MovieOrder], *, quality: str = "HIGH", progress: Progress = silent) -> None:
        """Several movies in one child, which saves its start."""
        movies = [
            {
                "frames": [str(f) for f in order.frames], "movie": str(order.movie), "fps": pair(order.fps),
                "size": list(png_size(order.frames[0])), "quality": quality,
            }
            for order in orders
        ]  # fmt: skip
        if orders:
            with no_space_left(orders[0].movie.parent):
                run_task(self.blender, "encode", {"movies": movies}, progress)

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        """See `ports.MovieCodec.decode`."""
        with no_space_left(folder):
            result = run_task(self.blender, "decode", {"movie": str(movie), "folder": str(folder)})
        return [Path(frame) for frame in result["frames"]]


def png_size(path: Path) -> tuple[int, int]:
    """Width and height from a PNG's header."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as error:
        raise storage_error(error, path) from error
    if head[:8] != b"\x89PNG\r\n\x1a\n":
        raise DocumentError(f"'{path}' is not a PNG.", "Make the control package again.")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


# lines of one chunk by the number of the compression
_EXR_LINES = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)


def is_whole_png(path: Path) -> bool:
    """Whether a PNG ends as it should; Blender leaves a stump when the disk is full."""
    return path.is_file() and path.stat().st_size > 0 and path.read_bytes()[-8:-4] == b"IEND"


def is_whole_exr(path: Path) -> bool:
    """Whether a single-part OpenEXR of scan lines holds all its chunks to the last byte (openexr.com, file layout).

    Blender leaves a stump, with a table of chunks or without, when the disk is full, and reads it as black.
    """
    if not path.is_file() or not path.stat().st_size:
        return False
    # only the table and the beginnings of chunks are looked at, not the pictures
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _holds_all_chunks(data)


def _holds_all_chunks(data: mmap.mmap) -> bool:
    try:
        at, sizes = _exr_header(data)
        lines = _EXR_LINES[data[sizes["compression"]]]
        _, top, _, bottom = struct.unpack_from("<4i", data, sizes["dataWindow"])
        chunks = struct.unpack_from(f"<{-(-(bottom - top + 1) // lines)}Q", data, at)
        ends = [start + 8 + struct.unpack_from("<i", data, start + 4)[0] for start in chunks]
    except (struct.error, IndexError, KeyError, ValueError, OverflowError):
        return False
    return all(at < end <= len(data) for end in ends)


def _exr_header(data: mmap.mmap) -> tuple[int, dict[str, int]]:
    """Where the header ends, and where the value of each attribute lies."""
    if data[:5] != b"\x76\x2f\x31\x01\x02":
        raise ValueError
    values: dict[str, int] = {}
    at = 8
    while data[at]:
        name_end = data.find(b"\0", at)
        kind_end = data.find(b"\0", name_end + 1)
        values[data[at:name_end].decode("latin-1")] = kind_end + 5
        (length,) = struct.unpack_from("<i", data, kind_end + 1)
        if length < 0 or min(name_end, kind_end) < 0:
            raise ValueError
        at = kind_end + 5 + length
    return at + 1, values
