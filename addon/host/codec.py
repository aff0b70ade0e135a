# SPDX-License-Identifier: GPL-3.0-or-later
"""The movie codec every Blender carries, used through a child. Needs no bpy; implements `ports.MovieCodec`."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DocumentError, storage_error
from ..shot.documents import pair
from ..shot.ports import silent
from .blender import Blender, run_task

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
        run_task(self.blender, "encode", {"movies": movies}, progress)

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        """See `ports.MovieCodec.decode`."""
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
