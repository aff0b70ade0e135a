# SPDX-License-Identifier: GPL-3.0-or-later
"""Our PNG files, read by Pillow."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from second_unit.addon.conditioning.files.png import encode_png, grey_as_rgb, write_png, write_whole
from second_unit.addon.errors import StorageError


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (48, 83), (7, 5, 3), (1, 9, 3)])
def test_bytes_come_back(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    read = Image.open(io.BytesIO(encode_png(picture)))
    assert read.mode == ("RGB" if len(shape) == 3 else "L")
    np.testing.assert_array_equal(np.asarray(read), picture)


def test_sixteen_bits_come_back() -> None:
    picture = np.random.default_rng(1).integers(0, 65536, (31, 17)).astype(np.uint16)
    read = Image.open(io.BytesIO(encode_png(picture)))
    assert read.mode.startswith("I;16")
    np.testing.assert_array_equal(np.asarray(read), picture)


def test_a_view_is_written_as_it_looks() -> None:
    picture = np.arange(96, dtype=np.uint8).reshape(8, 12)[::-1, ::2]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(picture)))), picture)


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8), np.zeros(4)]
)
def test_other_arrays_are_refused(picture: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="no PNG"):
        encode_png(picture)


def test_writing_replaces_the_file_and_leaves_nothing_aside(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    write_png(target, np.full((3, 3), 9, np.uint8))
    assert np.asarray(Image.open(target)).tolist() == [[9] * 3] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_refusing_disk_is_told_and_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(errno.ENOSPC, "no space", str(len(data)))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_png(target, np.full((3, 3), 9, np.uint8))
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_png(tmp_path / "gone" / "a.png", np.zeros((3, 3), np.uint8))


def test_grey_becomes_three_equal_channels() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(grey_as_rgb(grey), np.stack([grey] * 3, axis=-1))


def test_any_bytes_are_written_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.flo", b"PIEH")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.flo", b"PIEH")]
