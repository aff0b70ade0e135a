# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of raw frames: what is damaged is not there, what is there is not drawn again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import EXTRAS, FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw

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
