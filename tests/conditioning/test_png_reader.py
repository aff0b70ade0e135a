# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own PNG files are read back to the sample; what is damaged or made by others is refused, never guessed."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from second_unit.addon.conditioning.files.png import encode_png, write_png
from second_unit.addon.conditioning.files.png_reader import read_png
from second_unit.addon.errors import DocumentError, StorageError


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7), (1, 1, 3), (240, 320, 3)])
def test_what_was_written_is_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    write_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_png(tmp_path / "a.png"), picture)
    np.testing.assert_array_equal(read_png(tmp_path / "a.png"), np.asarray(Image.open(tmp_path / "a.png")))


def _huge(data: bytes) -> bytes:
    """The same rows under a header that asks for 12 exabytes."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


@pytest.mark.parametrize("how", ["empty", "half", "flipped", "text", "huge", "16 bits"])
def test_what_is_damaged_is_refused(tmp_path: Path, how: str) -> None:
    whole = encode_png(np.full((9, 9, 3), 7, np.uint8))
    middle = len(whole) // 2
    broken = {
        "empty": b"", "half": whole[:middle], "text": b"hello" * 40, "huge": _huge(whole),
        "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "16 bits": encode_png(np.full((9, 9), 7, np.uint16)),
    }  # fmt: skip
    (tmp_path / "a.png").write_bytes(broken[how])
    with pytest.raises(DocumentError, match="damaged"):
        read_png(tmp_path / "a.png")


def test_a_file_of_another_program_and_one_that_is_gone_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    with pytest.raises(DocumentError):
        read_png(tmp_path / "a.png")
    with pytest.raises(StorageError):
        read_png(tmp_path / "gone.png")
