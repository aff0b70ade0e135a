# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames to movie and back in each supported Blender."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from second_unit.addon.errors import DocumentError
from second_unit.addon.host.blender import Blender
from second_unit.addon.host.codec import BlenderCodec

pytestmark = pytest.mark.host


def ramp(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Grey ramps that differ from frame to frame."""
    files: list[Path] = []
    for i in range(count):
        row = np.linspace(0, 255 - 10 * i, size[0]).round().astype(np.uint8)
        grey = np.repeat(row[None], size[1], axis=0)
        files.append(folder / f"{i:04d}.png")
        Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(files[-1])
    return files


def test_a_movie_has_exactly_its_frames(blender: Blender, tmp_path: Path) -> None:
    """Count, size and grey survive: the mean error of a ramp is below one grey, no grey is off by more than six."""
    codec = BlenderCodec(blender)
    files = ramp(tmp_path, 9, (208, 112))
    movie = tmp_path / "guide.mp4"
    codec.encode(files, movie, Fraction(16))
    (tmp_path / "back").mkdir()
    back = codec.decode(movie, tmp_path / "back")
    assert len(back) == 9
    for sent, got in zip(files, back, strict=True):
        off = np.abs(np.asarray(Image.open(sent), int) - np.asarray(Image.open(got), int))
        assert off.mean() < 1.0
        assert off.max() <= 6


def test_a_missing_frame_is_said_and_does_not_end_blender(blender: Blender, tmp_path: Path) -> None:
    """Rendering a strip without its file would crash every Blender."""
    files = ramp(tmp_path, 3, (64, 64))
    files[1].unlink()
    with pytest.raises(DocumentError, match=r"0001\.png' is missing"):
        BlenderCodec(blender).encode(files, tmp_path / "m.mp4", Fraction(24))


def test_no_movie_is_said(blender: Blender, tmp_path: Path) -> None:
    """A service may answer anything."""
    (tmp_path / "x.mp4").write_bytes(b"not a movie")
    with pytest.raises(DocumentError, match="not a movie"):
        BlenderCodec(blender).decode(tmp_path / "x.mp4", tmp_path)
