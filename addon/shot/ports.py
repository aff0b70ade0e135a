# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage needs from outside its room, as protocols. The host implements them, tests bring working fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path


class Progress(Protocol):
    """Told how far a step is. Raise `CancelledByUser` from it to stop the step."""

    def __call__(self, done: float, total: float, note: str = "", /) -> None:
        """``done`` of ``total`` units (frames, bytes) are finished; ``note`` is a short text for people."""
        ...


class MovieCodec(Protocol):
    """Frames to movie and back. Colours are display-referred sRGB and stay what they are."""

    def encode(self, frames: list[Path], movie: Path, fps: Fraction, *, crf: str = "HIGH") -> None:
        """Write 8-bit RGB PNG ``frames`` (all of one size) as H.264 in MP4. The movie has exactly ``len(frames)``."""
        ...

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        """Write every frame of ``movie`` as 8-bit RGB PNG into ``folder``, in order, and return the files."""
        ...


def part_of(progress: Progress, start: float, share: float) -> Progress:
    """Progress of one part of a longer work: it begins at ``start`` and makes up ``share`` of the whole, both 0..1."""

    def part(done: float, total: float, note: str = "", /) -> None:
        progress(start + share * done / total if total else start, 1.0, note)

    return part


def silent(done: float, total: float, note: str = "", /) -> None:
    """Progress for nobody."""
    del done, total, note
