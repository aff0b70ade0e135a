# SPDX-License-Identifier: GPL-3.0-or-later
"""A package is written from each raw frame once, and what it says is what the frames held."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import EXTRAS, FrameCache, RawFrame
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.package import PackageOrder, find_package, make_package, view_notes
from second_unit.addon.conditioning.passes import PASSES
from second_unit.addon.conditioning.people.keypoints import pose_keypoint_json
from second_unit.addon.errors import DocumentError
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.documents import digest_file, stable_json
from second_unit.addon.shot.geometry import Tag
from second_unit.addon.shot.package import MANIFEST, load_manifest
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

from .conftest import encode

SIZE = (64, 48)


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


# What the whole shot decides is kept with the frames.


@pytest.fixture
def full(cache: FrameCache, scenes: Any, order: PackageOrder) -> PackageOrder:
    """An order of all passes, whose frames are there."""
    for i in range(6):
        camera = scenes.camera((0.1 * i, -5, 1.6), size=SIZE)
        frame = scenes.with_person(scenes.frame(camera, (scenes.plane(9, 9), scenes.placed())), (0.2 * i, 0, 0))
        frame = replace(frame, instances=tuple(replace(one, tag=Tag(one.key)) for one in frame.instances))
        cache.store(f"frame{i}", draw(frame, Exposure(), EXTRAS), camera)
        cache.store_flow(f"frame{i}", f"frame{i + 1}", np.full((SIZE[1], SIZE[0], 2), i, np.float32))
    following = {time: f"frame{i + 1}" for i, time in enumerate(order.frame_map.times)}
    return replace(order, passes=tuple(PASSES), following=following)


def test_no_layer_is_read_twice(
    cache: FrameCache, full: PackageOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to number the names of a shot nor to find its longest motion."""
    reads: Counter[str] = Counter()

    def counting(kind: type, name: str) -> None:
        function = getattr(kind, name)

        def counted(self: Any, *args: Any) -> Any:
            reads[f"{kind.__name__}.{name}"] += 1
            return function(self, *args)

        monkeypatch.setattr(kind, name, counted)

    for kind, name in ((FrameCache, "load"), (RawFrame, "tags"), (RawFrame, "flow"), (RawFrame, "normal")):
        counting(kind, name)
    made = make_package(tmp_path / "packages", full, cache, encode)
    assert reads == {"FrameCache.load": 6, "RawFrame.tags": 6, "RawFrame.flow": 6, "RawFrame.normal": 12}
    assert json.loads((made / "matte_object" / "names.json").read_text("utf-8"))["names"]


# Nothing damaged is taken for whole.


def files_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_every_file_of_a_package_is_vouched_for(cache: FrameCache, full: PackageOrder, tmp_path: Path) -> None:
    folder = make_package(tmp_path / "packages", full, cache, encode)
    manifest = load_manifest(folder)
    plates = [frame.plate or 0 for frame in manifest.frame_map.plates]
    pictures = [item.file(plate) for item in manifest.passes.values() for plate in plates]
    named = [*pictures, *(video.file for video in manifest.videos.values()), *manifest.texts, MANIFEST]
    assert sorted(named) == files_in(folder)
    assert {name: digest_file(folder / name) for name in manifest.texts} == manifest.texts
    wanted = {"camera/camera.json", "pose/keypoints.json", "pose/people.json", "matte_object/names.json"}
    assert wanted <= set(manifest.texts)


@pytest.mark.parametrize("how", ["gone", "empty", "a digit"])
def test_a_package_with_a_damaged_text_is_made_again(
    how: str, cache: FrameCache, full: PackageOrder, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    folder = make_package(packages, full, cache, encode)
    for name in load_manifest(folder).texts:
        file = folder / name
        whole = file.read_bytes()
        assert find_package(packages, full) == folder
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(b"" if how == "empty" else whole[:-3] + b"7" + whole[-2:])
        assert find_package(packages, full) is None, name
        make_package(packages, full, cache, encode)
        assert file.read_bytes() == whole


def test_a_manifest_of_before_is_read(cache: FrameCache, order: PackageOrder, tmp_path: Path) -> None:
    """It vouches for pictures and movies only."""
    packages = tmp_path / "packages"
    folder = make_package(packages, order, cache, encode)
    document = json.loads((folder / MANIFEST).read_text("utf-8"))
    del document["texts"], document["notes"]
    (folder / MANIFEST).write_text(json.dumps(document), "utf-8")
    assert (load_manifest(folder).texts, load_manifest(folder).notes) == ({}, ())
    assert find_package(packages, order) == folder
    (folder / "camera" / "camera.json").unlink()
    assert find_package(packages, order) is None


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "camera/../../x"])
def test_a_manifest_that_names_files_elsewhere_is_no_manifest(
    name: str, cache: FrameCache, order: PackageOrder, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    folder = make_package(packages, order, cache, encode)
    document = json.loads((folder / MANIFEST).read_text("utf-8"))
    document["texts"][0]["file"] = name
    (folder / MANIFEST).write_text(json.dumps(document), "utf-8")
    with pytest.raises(DocumentError, match="no safe path"):
        load_manifest(folder)
    assert find_package(packages, order) is None


def test_the_manifest_says_what_is_hardly_in_view(
    cache: FrameCache, order: PackageOrder, tmp_path: Path, scenes: Any
) -> None:
    assert view_notes(order, cache) == ()
    camera = scenes.straight(SIZE)
    for key in ("empty0", "empty1"):
        cache.store(key, draw(scenes.frame(camera), Exposure(), ("playblast",)), camera)
    times = order.frame_map.times
    blind = replace(order, hashes={**order.hashes, times[2]: "empty0", times[3]: "empty1"})
    folder = make_package(tmp_path / "packages", blind, cache, encode)
    said = ("Nothing is in view in frames 3 to 4: look through the shot's camera.",)
    assert load_manifest(folder).notes == view_notes(blind, cache) == said
