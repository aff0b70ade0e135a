# SPDX-License-Identifier: GPL-3.0-or-later
"""A package is written from each raw frame once, and what it says is what the frames held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.package import PackageOrder, make_package
from second_unit.addon.conditioning.people.keypoints import pose_keypoint_json
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.documents import stable_json
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

SIZE = (64, 48)


def encode(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
    for _, movie, _ in movies:
        movie.write_bytes(b"movie")


@pytest.fixture
def cache(tmp_path: Path, scenes: Any) -> FrameCache:
    """Six frames of somebody who walks, each with another camera."""
    cache = FrameCache(tmp_path / "cache")
    for i in range(6):
        camera = scenes.camera((0.1 * i, -5, 1.6), size=SIZE)
        frame = scenes.with_person(scenes.frame(camera, (scenes.plane(9, 9), scenes.placed())), (0.2 * i, 0, 0))
        cache.store(f"frame{i}", draw(frame, Exposure(), ("playblast",)), camera)
    return cache


@pytest.fixture
def order() -> PackageOrder:
    profile = load_profile("wan-vace-14b")
    frame_map = as_is(FrameRange(1, 6), (0, 0), profile.rule)
    hashes = {time: f"frame{i}" for i, time in enumerate(frame_map.times)}
    return PackageOrder(
        "u", "SH010", {}, Fraction(24), frame_map, hashes, SIZE, Crop(0, 0, *SIZE), profile, "draft", ("Ada",)
    )  # fmt: skip


def test_every_raw_frame_is_read_once_and_told_in_order(
    cache: FrameCache, order: PackageOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = [cache.load(f"frame{i}") for i in range(6)]
    reads: Counter[str] = Counter()
    load = FrameCache.load

    def counted(self: FrameCache, key: str) -> RawFrame:
        reads[key] += 1
        return load(self, key)

    monkeypatch.setattr(FrameCache, "load", counted)
    package = make_package(tmp_path / "packages", order, cache, encode)
    assert reads == {f"frame{i}": 1 for i in range(6)}
    told = json.loads((package / "camera" / "camera.json").read_text("utf-8"))["frames"]
    assert [(t["frame"], t["scene"]) for t in told] == [(1001 + i, str(1 + i)) for i in range(6)]
    assert [t["world_to_camera"] for t in told] == [raw.camera["world_to_camera"] for raw in raws]
    expected = stable_json(pose_keypoint_json([raw.people for raw in raws], SIZE))
    assert (package / "pose" / "keypoints.json").read_text("utf-8") == expected
    assert len({json.dumps(raw.camera) for raw in raws}) == 6


@pytest.mark.parametrize("name", ["frame.json", "depth.npy", "person.npz", "playblast.png"])
@pytest.mark.parametrize("how", ["gone", "empty", "junk", "half"])
def test_a_damaged_frame_of_the_cache_is_not_there(cache: FrameCache, name: str, how: str) -> None:
    file = cache.root / "frame2" / name
    whole = file.read_bytes()
    assert cache.holds("frame2", ("playblast",))
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes({"empty": b"", "junk": b"x", "half": whole[: len(whole) // 2]}[how])
    assert not cache.holds("frame2", ("playblast",))
    assert cache.holds("frame3", ("playblast",))
