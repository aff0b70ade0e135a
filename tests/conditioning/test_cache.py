# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of raw frames: what is damaged is not there, what is there is not drawn again."""

from __future__ import annotations

import ast
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import EXTRAS, FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.in_view import InView
from second_unit.addon.errors import DocumentError

AFTER = "b" * 64
FILES = [
    "frame.json", "depth.npy", "person.npz", "normal.npy", "tag.npz", "playblast.png", "lineart.png", "softedge.png",
    f"flow-{AFTER[:16]}.npy",
]  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, scenes: Any) -> FrameCache:
    """One frame with everything."""
    cache, camera = FrameCache(tmp_path / "cache"), scenes.camera((0, -5, 1.6), size=(32, 32))
    frame = scenes.with_person(scenes.frame(camera, (scenes.plane(9, 9), scenes.placed())), (0, 0, 0))
    cache.store("a", draw(frame, Exposure(), EXTRAS), camera)
    cache.store_flow("a", AFTER, np.ones((32, 32, 2), np.float32))
    return cache


def damages(data: bytes) -> list[bytes]:
    """Cut short, emptied, lengthened, blanked, and with one bit turned in many places."""
    turned = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(0, len(data), max(1, len(data) // 37))]
    return [b"", data[: len(data) // 2], data[:-1], data + b"x", bytes(len(data)), *turned]


def test_a_whole_frame_is_there(cache: FrameCache) -> None:
    assert sorted(path.name for path in (cache.root / "a").iterdir()) == sorted(FILES)
    assert cache.holds("a", EXTRAS, AFTER)
    assert not cache.holds("a", EXTRAS, "c" * 64)
    assert cache.missing("a", EXTRAS) is None
    assert cache.missing("z", ("tag",)) == ("tag",)
    assert cache.missing("z") == ()


@pytest.mark.parametrize("name", FILES)
def test_the_smallest_damage_is_seen(cache: FrameCache, name: str) -> None:
    """And only what the damage touches is to be drawn again: one layer, or everything with its base."""
    file = cache.root / "a" / name
    whole = file.read_bytes()
    extra = next((layer for layer in EXTRAS if name.startswith(layer)), "")
    for data in damages(whole):
        # white space in JSON says nothing
        if name == "frame.json" and data.strip() == whole.strip():
            continue
        file.write_bytes(data)
        if name == "frame.json" and same_json(data, whole):
            continue
        assert not cache.holds("a", EXTRAS, AFTER)
        if extra:
            assert cache.missing("a", EXTRAS) == (extra,)
    file.unlink()
    assert not cache.holds("a", EXTRAS, AFTER)
    file.write_bytes(whole)
    assert cache.holds("a", EXTRAS, AFTER)


def same_json(data: bytes, whole: bytes) -> bool:
    """The last digit of a number may say nothing either."""
    try:
        return bool(json.loads(data) == json.loads(whole))
    except ValueError:
        return False


def test_layers_are_added_and_the_others_stay(cache: FrameCache, scenes: Any) -> None:
    camera = scenes.camera((0, -5, 1.6), size=(32, 32))
    frame = scenes.frame(camera, (scenes.plane(9, 9), scenes.placed()))
    cache.store("b", draw(frame, Exposure()), camera)
    before = {path: path.stat().st_mtime_ns for path in (cache.root / "b").iterdir()}
    assert cache.missing("b", ("normal", "playblast")) == ("normal", "playblast")
    cache.store("b", draw(frame, Exposure(), ("normal",)), camera)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert cache.missing("b", ("normal", "playblast")) == ("playblast",)


# What is kept so that pictures need not be read again.


def test_what_a_shot_is_judged_by_is_known_without_its_pictures(cache: FrameCache, scenes: Any) -> None:
    camera = scenes.camera((0, -5, 1.6), size=(32, 32))
    cache.store("b", draw(scenes.frame(camera), Exposure(), ("tag",)), camera)
    motion = np.zeros((32, 32, 2), np.float32)
    motion[3, 4], motion[5, 6] = (3, 4), (np.inf, 0)
    cache.store_flow("b", AFTER, motion)
    assert cache.holds("b", ("tag",), AFTER)
    assert (cache.in_view("a"), cache.in_view("b")) == (InView(anything=True), InView(anything=False))
    assert cache.longest_motion("a", AFTER) == pytest.approx(2**0.5)
    assert cache.longest_motion("b", AFTER) == 5
    assert np.array_equal(cache.load("b").flow(AFTER), motion)
    assert cache.tags("a") == cache.load("a").tags()[1]
    assert cache.tags("b") == []
    assert [person.key for person in cache.people("a")] == [person.key for person in cache.load("a").people]
    for name in ("depth.npy", "person.npz"):
        (cache.root / "a" / name).unlink()
    assert cache.tags("a")


def test_frames_of_before_are_read_all_the_same(cache: FrameCache) -> None:
    """Without what is in view and without the longest motion, as frames were stored until then."""
    about = json.loads((cache.root / "a" / "frame.json").read_text("utf-8"))
    del about["view"], about["sum"]
    about["sum"] = zlib.crc32(json.dumps(about).encode())
    (cache.root / "a" / "frame.json").write_text(json.dumps(about), "utf-8")
    flow = cache.root / "a" / f"flow-{AFTER[:16]}.npy"
    old = flow.read_bytes()[: -4 - struct.calcsize("<d")]
    flow.write_bytes(old + zlib.crc32(old).to_bytes(4, "little"))
    assert cache.holds("a", EXTRAS, AFTER)
    assert cache.in_view("a") is None
    assert cache.longest_motion("a", AFTER) == pytest.approx(2**0.5)


def test_what_was_damaged_since_is_told(cache: FrameCache) -> None:
    for name in ("frame.json", "tag.npz", f"flow-{AFTER[:16]}.npy"):
        (cache.root / "a" / name).write_bytes(b"x")
    for read in (cache.in_view, cache.tags, cache.people, lambda key: cache.longest_motion(key, AFTER)):
        with pytest.raises(DocumentError, match="is damaged"):
            read("a")


def test_layers_are_read_without_python_s_own_reader(cache: FrameCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numpy reads heads of arrays as Python, which in 3.11 fails now and then where two threads do so at once."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the head of an array was read as Python")

    monkeypatch.setattr(ast, "parse", refuse)
    monkeypatch.setattr(ast, "literal_eval", refuse)
    raw = cache.load("a")
    layers = (raw.depth, raw.person, raw.normal(), raw.tags()[0], raw.flow(AFTER))
    assert [layer.dtype.name for layer in layers] == ["float32", "uint8", "float16", "uint16", "float32"]
    assert [layer.shape for layer in layers] == [(32, 32), (32, 32), (32, 32, 3), (32, 32), (32, 32, 2)]
