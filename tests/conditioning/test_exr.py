# SPDX-License-Identifier: GPL-3.0-or-later
"""Our OpenEXR against the reference library, both ways, and against damage."""

from __future__ import annotations

import errno
import struct
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.files.exr import Compression, ExrPart, exr_bytes, write_exr
from second_unit.addon.conditioning.files.exr_reader import channels_of, holds_all_chunks, parse_exr, read_exr
from second_unit.addon.errors import DocumentError, StorageError

THEIRS = {
    Compression.NONE: OpenEXR.NO_COMPRESSION,
    Compression.ZIPS: OpenEXR.ZIPS_COMPRESSION,
    Compression.ZIP: OpenEXR.ZIP_COMPRESSION,
}
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def samples(seed: int, shape: tuple[int, int], kind: str) -> Any:
    """Any bits, with what breaks arithmetic: infinities, not-a-numbers, denormals, and runs that pack well."""
    rng = np.random.default_rng(seed)
    width = np.dtype(kind).itemsize
    bits = rng.integers(0, 256, (*shape, width), np.uint8).view(kind)[..., 0]
    return np.where(rng.random(shape) < 0.5, bits, np.dtype(kind).type(1)).astype(kind)


@st.composite
def parts(draw: Any) -> list[ExrPart]:
    count = draw(st.integers(1, 3))
    window = draw(st.one_of(st.none(), st.tuples(st.integers(1, 50), st.integers(1, 50))))
    shape = draw(st.integers(1, 40)), draw(st.integers(1, 23))
    aspect = draw(st.sampled_from([1.0, 0.5, 2.0]))
    texts = st.dictionaries(WORDS.map(lambda s: f"x{s}"), st.text(max_size=20), max_size=3)
    made = []
    for number in range(count):
        names = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
        kinds = draw(st.lists(st.sampled_from(["f2", "f4", "u4"]), min_size=4, max_size=4))
        channels = {name: samples(draw(st.integers(0, 99)), shape, k) for name, k in zip(names, kinds, strict=False)}
        made.append(
            ExrPart(
                channels, f"part{number}" if count > 1 else draw(st.sampled_from(["", "one"])), draw(texts),
                draw(st.sampled_from(Compression)), (draw(st.integers(-9, 9)), draw(st.integers(-9, 9))),
                window or shape[::-1], aspect,
            )
        )  # fmt: skip
    return made


def bits(channels: Any) -> dict[str, tuple[str, bytes]]:
    """Values that are equal only bit for bit."""
    return {name: (array.dtype.name, np.ascontiguousarray(array).tobytes()) for name, array in channels.items()}


def theirs(data: bytes, folder: Path) -> Any:
    file = folder / "ours.exr"
    file.write_bytes(data)
    return OpenEXR.File(str(file), separate_channels=True).parts


@given(parts())
def test_what_we_write_comes_back(made: list[ExrPart]) -> None:
    read = parse_exr(exr_bytes(made))
    assert [bits(part.channels) for part in read] == [bits(part.channels) for part in made]
    for ours, back in zip(made, read, strict=True):
        assert (back.name, back.texts, back.compression) == (ours.name, ours.texts, ours.compression)
        assert (back.origin, back.display, back.pixel_aspect) == (ours.origin, ours.display, ours.pixel_aspect)


@settings(max_examples=40)
@given(made=parts())
def test_the_reference_library_reads_what_we_write(made: list[ExrPart], tmp_path_factory: Any) -> None:
    read = theirs(exr_bytes(made), tmp_path_factory.mktemp("exr"))
    assert len(read) == len(made)
    for ours, part in zip(made, read, strict=True):
        assert bits({name: channel.pixels for name, channel in part.channels.items()}) == bits(ours.channels)
        assert {name: part.header[name] for name in ours.texts} == dict(ours.texts)
        corner = tuple(part.header["dataWindow"][0].tolist())
        assert corner == ours.origin
        assert tuple((part.header["displayWindow"][1] + 1).tolist()) == ours.display
        assert part.header["pixelAspectRatio"] == ours.pixel_aspect


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("compression", Compression)
@pytest.mark.parametrize("height", [1, 15, 16, 17, 50])
def test_we_read_what_the_reference_library_writes(
    tmp_path: Path, compression: Compression, height: int, several: bool
) -> None:
    header = {"compression": THEIRS[compression], "type": OpenEXR.scanlineimage, "comment": "Grüße"}
    layers = [
        {"ViewLayer.Depth.Z": samples(1, (height, 9), "f4"), "R": samples(2, (height, 9), "f2")},
        {"id.X": samples(3, (height, 9), "u4")},
    ]
    file = tmp_path / "a.exr"
    if several:
        OpenEXR.File([OpenEXR.Part({**header, "name": str(i)}, dict(c)) for i, c in enumerate(layers)]).write(str(file))
    else:
        OpenEXR.File(header, layers[0] | layers[1]).write(str(file))
    read = read_exr(file)
    assert len(read) == 1 + several
    assert bits(channels_of(read)) == bits(layers[0] | layers[1])
    assert read[0].texts["comment"] == "Grüße"
    assert read[0].compression is compression


def test_names_that_two_parts_use_are_told_apart() -> None:
    one, two = np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)
    found = channels_of([ExrPart({"Z": one}, "a"), ExrPart({"Z": two, "N": two}, "b")])
    assert {name: array[0, 0] for name, array in found.items()} == {"Z": 0, "b.Z": 1, "N": 1}


def test_equal_parts_are_equal_bytes_and_big_endian_is_turned() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    once = exr_bytes([ExrPart({"Z": array, "A": array}, texts={"b": "1", "a": "2"})])
    again = exr_bytes([ExrPart({"A": array.astype(">f4"), "Z": array[::-1][::-1]}, texts={"a": "2", "b": "1"})])
    assert once == again


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [ExrPart({})],
        [ExrPart({"Z": np.zeros((2, 2), np.float64)})],
        [ExrPart({"Z": np.zeros((2, 2, 3), np.float32)})],
        [ExrPart({"Z": np.zeros((0, 2), np.float32)})],
        [ExrPart({"Z": np.zeros((2, 2), np.float32), "A": np.zeros((2, 3), np.float32)})],
        [ExrPart({"": np.zeros((2, 2), np.float32)})],
        [ExrPart({"a\0b": np.zeros((2, 2), np.float32)})],
        [ExrPart({"a" * 256: np.zeros((2, 2), np.float32)})],
        [ExrPart({"Z": np.zeros((2, 2), np.float32)}, texts={"channels": "x"})],
        [ExrPart({"Z": np.zeros((2, 2), np.float32)})] * 2,
        [ExrPart({"Z": np.zeros((2, 2), np.float32)}, "a")] * 2,
        [ExrPart({"Z": np.zeros((2, 2), np.float32)}, "a"), ExrPart({"Z": np.zeros((2, 3), np.float32)}, "b")],
    ],
)
def test_what_no_file_can_hold_is_refused(wrong: list[ExrPart]) -> None:
    with pytest.raises(ValueError, match=r"EXR"):
        exr_bytes(wrong)


def whole() -> bytes:
    array = samples(5, (20, 7), "f4")
    return exr_bytes([ExrPart({"Z": array, "N.X": array}, "a", {"t": "x"}), ExrPart({"Y": array}, "b")])


def test_every_stump_is_told() -> None:
    data = whole()
    for length in range(len(data)):
        with pytest.raises(DocumentError, match="cannot be read"):
            parse_exr(data[:length])


@settings(max_examples=400)
@given(st.integers(0, len(whole()) - 1), st.binary(min_size=1, max_size=9))
def test_damage_is_told_or_harmless(at: int, rubbish: bytes) -> None:
    """Never another error, never more memory than a small file can mean."""
    data = whole()
    damaged = data[:at] + rubbish + data[at + len(rubbish) :]
    tracemalloc.start()
    with suppress(DocumentError):
        parse_exr(damaged)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20e6


@given(st.binary(max_size=200))
def test_rubbish_is_told(data: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_exr(b"\x76\x2f\x31\x01\x02\0\0\0" + data)


def with_window(right: int, bottom: int) -> bytes:
    """A file that claims to be larger than it is."""
    data = exr_bytes([ExrPart({"Z": np.zeros((4, 4), np.float32)})])
    at = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    return data[:at] + struct.pack("<4i", 0, 0, right, bottom) + data[at + 16 :]


@pytest.mark.parametrize(
    ("right", "bottom"), [(2**31 - 1, 2**31 - 1), (39999, 39999), (2**31 - 1, 0), (0, 2**31 - 1), (-5, 3), (3, -1)]
)
def test_a_small_file_that_declares_a_huge_picture_takes_no_memory(right: int, bottom: int) -> None:
    data = with_window(right, bottom)
    tracemalloc.start()
    with pytest.raises(DocumentError, match="cannot be read"):
        parse_exr(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1e6


def test_a_chunk_that_inflates_too_far_is_told() -> None:
    data = exr_bytes([ExrPart({"Z": np.ones((16, 64), np.float32)})])
    head = data[: data.index(b"\x78\x01") - 4]
    bomb = zlib.compress(bytes(10_000_000), 9)
    tracemalloc.start()
    with pytest.raises(DocumentError, match="as many as it declares"):
        parse_exr(head + struct.pack("<i", len(bomb)) + bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1e6


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}, "PIZ"),
        ({"compression": OpenEXR.DWAA_COMPRESSION, "type": OpenEXR.scanlineimage}, "DWAA"),
        ({"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}, "tile"),
    ],
)  # fmt: skip
def test_kinds_we_do_not_read_are_named(tmp_path: Path, header: dict[str, Any], said: str) -> None:
    file = tmp_path / "a.exr"
    OpenEXR.File(header, {"Z": np.zeros((40, 40), np.float32)}).write(str(file))
    with pytest.raises(DocumentError, match=said):
        read_exr(file)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = ExrPart({"Z": samples(1, (8, 8), "f4")})
    write_exr(tmp_path / "a.exr", [part])
    assert bits(read_exr(tmp_path / "a.exr")[0].channels) == bits(part.channels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.exr"]

    def full(self: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_exr(tmp_path / "b.exr", [part])
    assert [path.name for path in tmp_path.iterdir()] == ["a.exr"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_exr(tmp_path / "gone.exr")


@pytest.mark.parametrize("count", [1, 2])
def test_a_file_is_whole_to_its_last_chunk_whatever_its_parts(count: int) -> None:
    parts = [ExrPart({"Z": samples(i, (37, 9), "f4")}, f"part{i}" if count > 1 else "") for i in range(count)]
    data = exr_bytes(parts)
    assert holds_all_chunks(data)
    assert [length for length in range(len(data)) if holds_all_chunks(data[:length])] == []
