# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal pictures are equal movies, also where a muxer draws numbers by chance."""

from __future__ import annotations

import random
import zlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from second_unit.addon.host.blender import Blender
from second_unit.addon.host.codec import BlenderCodec, MovieOrder
from second_unit.addon.host.matroska import settle_numbers


def element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def summed(name: str, content: bytes) -> bytes:
    return element(name, b"\xbf\x84" + zlib.crc32(content).to_bytes(4, "little") + content)


def movie(seed: int, pictures: bytes = b"pictures") -> bytes:
    draw = random.Random(seed)
    track = draw.randbytes(8)
    info = summed("1549a966", element("2ad7b1", b"\x0f\x42\x40") + element("73a4", draw.randbytes(16)))
    tracks = summed("1654ae6b", element("ae", element("d7", b"\1") + element("73c5", track)))
    tags = summed("1254c367", element("7373", element("63c0", element("63c5", track))))
    head = element("1a45dfa3", element("4282", b"matroska"))
    return head + element("18538067", info + tracks + tags + element("1f43b675", pictures))


def settled(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    settle_numbers(path)
    return path.read_bytes()


def test_chance_is_gone_and_the_sums_are_right(tmp_path: Path) -> None:
    first, second = (settled(tmp_path / "m.mkv", movie(seed)) for seed in (1, 2))
    assert movie(1) != movie(2)
    assert first == second
    assert len(first) == len(movie(1))
    assert settled(tmp_path / "m.mkv", first) == first
    number = first[first.index(b"\x73\xc5") + 10 :][:8]
    assert first.count(number) >= 2
    assert any(number)
    for name in ("1549a966", "1654ae6b", "1254c367"):
        start = first.index(bytes.fromhex(name)) + 12
        length = int.from_bytes(first[start - 7 : start], "big")
        content = first[start : start + length]
        assert int.from_bytes(content[2:6], "little") == zlib.crc32(content[6:])


def test_other_pictures_are_another_movie(tmp_path: Path) -> None:
    path = tmp_path / "m.mkv"
    one, other = settled(path, movie(1)), settled(path, movie(1, b"PICTURES"))
    assert one[: one.index(b"pictures")] != other[: other.index(b"PICTURES")]


@pytest.mark.parametrize("data", [b"", b"\0", b"\x18\x53\x80\x67", b"no movie at all" * 9, bytes(999)])
def test_what_is_no_movie_stays(data: bytes, tmp_path: Path) -> None:
    assert settled(tmp_path / "m.mkv", data) == data


def test_a_stump_is_no_trouble(tmp_path: Path) -> None:
    whole = movie(1)
    for length in range(len(whole)):
        assert len(settled(tmp_path / "m.mkv", whole[:length])) == length


@pytest.mark.host
def test_blender_writes_the_same_movie_twice(blender: Blender, tmp_path: Path) -> None:
    pictures = [tmp_path / f"{i}.png" for i in range(3)]
    for i, path in enumerate(pictures):
        Image.fromarray(np.full((32, 48, 3), 60 * i, np.uint8)).save(path)
    movies = [tmp_path / f"{n}.mkv" for n in (1, 2)]
    BlenderCodec(blender).encode_all([MovieOrder(pictures, movie, Fraction(16)) for movie in movies])
    for movie in movies:
        settle_numbers(movie)
    assert movies[0].read_bytes() == movies[1].read_bytes()
    reader = cv2.VideoCapture(str(movies[0]))
    assert [int(reader.read()[1].max()) for _ in pictures] == [0, 60, 120]
    assert not reader.read()[0]
