# SPDX-License-Identifier: GPL-3.0-or-later
"""The movie codec every Blender carries, used through a child. Needs no bpy; implements `ports.MovieCodec`."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..conditioning.files.exr_reader import holds_all_chunks
from ..errors import DocumentError, UsageError, storage_error
from ..shot.documents import pair
from ..shot.ports import silent
from ..shot.profile import Carriage
from .blender import Blender, no_space_left, run_task
from .matroska import settle_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from ..shot.ports import Progress


ENDINGS = {Carriage.FFV1: ".mkv", Carriage.H264_444: ".444.mp4", Carriage.H264: ".mp4"}
"""How the name of a movie ends, which tells its carriage; the longer ending counts."""


def carriage_of(movie: Path) -> Carriage:
    """The carriage a movie's name asks for. Raises `UsageError` for a name nothing is written under."""
    for carriage, ending in ENDINGS.items():
        if movie.name.lower().endswith(ending):
            return carriage
    raise UsageError(
        f"'{movie.name}' is no name for a movie.", "Choose h264, h264-444 or ffv1 as the carriage in the profile."
    )


@dataclass(frozen=True, slots=True)
class MovieOrder:
    """One movie to be written: PNG ``frames`` of one size and folder, in order; its name tells the carriage."""

    frames: Sequence[Path]
    movie: Path
    fps: Fraction

    def size(self) -> tuple[int, int]:
        """Width and height of every frame.

        Raises `DocumentError` for frames of several sizes, which Blender would silently crop, `UsageError` for none
        and for odd sides where the chroma is halved.
        """
        if not self.frames:
            raise UsageError(f"'{self.movie.name}' would have no frames.", "Choose at least one frame.")
        sizes = {png_size(frame): frame for frame in self.frames if frame.is_file()}
        if len(sizes) > 1:
            told = " and ".join(f"'{frame.name}' is {size[0]}x{size[1]}" for size, frame in sorted(sizes.items())[:2])
            raise DocumentError(f"The frames of a movie have several sizes: {told}.", "Make the control package again.")
        width, height = next(iter(sizes), None) or png_size(self.frames[0])
        if carriage_of(self.movie) is Carriage.H264 and (width % 2 or height % 2):
            raise UsageError(
                f"{width}x{height} is no size for H.264 with halved chroma: both sides must be even.",
                "Choose an even size, or the carriage h264-444 or ffv1 in the profile.",
            )
        return width, height


@dataclass(frozen=True, slots=True)
class BlenderCodec:
    """H.264 in MP4 or FFV1 in Matroska by a child Blender."""

    blender: Blender

    def encode(self, frames: list[Path], movie: Path, fps: Fraction, *, crf: str = "HIGH") -> None:
        """See `ports.MovieCodec.encode`."""
        self.encode_all([MovieOrder(frames, movie, fps)], quality=crf)

    def encode_all(self, orders: Sequence[MovieOrder], *, quality: str = "", progress: Progress = silent) -> None:
        """Several movies in one child, which saves its start; ``quality`` "" is the best of each carriage.

        Equal frames give equal files.

        Raises as `MovieOrder.size` does, and `StorageError` for a movie that lacks frames.
        """
        movies = [
            {
                "frames": [str(f) for f in order.frames], "movie": str(order.movie), "fps": pair(order.fps),
                "size": list(order.size()), "carriage": carriage_of(order.movie).value,
                "quality": quality if carriage_of(order.movie) is Carriage.H264 else "",
            }
            for order in orders
        ]  # fmt: skip
        if orders:
            with no_space_left(orders[0].movie.parent):
                run_task(self.blender, "encode", {"movies": movies}, progress)
                for order in orders:
                    if carriage_of(order.movie) is Carriage.FFV1:
                        settle_numbers(order.movie)

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


def is_whole_png(path: Path) -> bool:
    """Whether a PNG ends as it should; Blender leaves a stump when the disk is full."""
    return path.is_file() and path.stat().st_size > 0 and path.read_bytes()[-8:-4] == b"IEND"


def is_whole_exr(path: Path) -> bool:
    """Whether an OpenEXR of scan lines holds all its chunks to the last byte (see `exr_reader.holds_all_chunks`)."""
    if not path.is_file() or not path.stat().st_size:
        return False
    # only the table and the beginnings of chunks are looked at, not the pictures
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return holds_all_chunks(data)


_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_whole_mkv(path: Path) -> bool:
    """Whether a Matroska file ends where its segment says (RFC 8794, RFC 9559).

    Blender and most players take its length from the head, so that a stump seems to have all its frames.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    try:
        start, length = _element(head, 0, _EBML)
        start, length = _element(head, start + length, _SEGMENT)
    except (IndexError, ValueError):
        return False
    return start + length == path.stat().st_size


def _element(data: bytes, at: int, name: bytes) -> tuple[int, int]:
    """Where the content of the EBML element ``name`` at ``at`` begins, and its length in bytes."""
    if data[at : at + len(name)] != name:
        raise ValueError
    at += len(name)
    # as many zero bits lead as bytes follow the first
    width = 9 - data[at].bit_length()
    if not 1 <= width <= 8 or at + width > len(data):
        raise ValueError
    return at + width, int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
