# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes the key of a frame and what does not; equal frames and packages made by two at once."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

from second_unit.addon.conditioning.cache import FrameCache, put_in_place
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.package import PackageOrder, find_package, make_package
from second_unit.addon.shot.camera import Camera, Crop
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

from .conftest import Script

COUNTS = [
    "lamp moved", "lamp dimmed", "mesh moved", "mesh edited", "camera moved", "lens changed", "proportion changed",
    "invisible to the camera", "not rendered", "holdout",
]  # fmt: skip
DOES_NOT_COUNT = [
    "other camera moved", "hidden in the viewport's eye only", "percentage", "twice the pixels", "other order",
    "markers and range", "second layer", "lost library", "half a metre",
]  # fmt: skip


@pytest.mark.host
def test_the_key_of_a_frame_follows_what_is_seen(script: Script, tmp_path: Path) -> None:
    """One change each against the untouched scene."""
    found: dict[str, Any] = script("hashes", cache=str(tmp_path / "cache"))
    plain = found["nothing"]
    assert {n: found[n]["key"] != plain["key"] for n in COUNTS} == dict.fromkeys(COUNTS, True)
    assert {n: found[n]["key"] != plain["key"] for n in DOES_NOT_COUNT} == dict.fromkeys(DOES_NOT_COUNT, False)
    assert len({found[n]["key"] for n in COUNTS}) >= len(COUNTS) - 1
    assert plain["instances"] == ["|Left|", "|Right|"]
    for gone in ("invisible to the camera", "not rendered"):
        assert found[gone]["instances"] == ["|Right|"]
    assert np.allclose(found["markers and range"]["eye"], [0, -8, 1], atol=1e-5)
    assert plain["crop"] == found["percentage"]["crop"] == [2, 0, 60, 32]
    _says(found)


def _says(found: dict[str, Any]) -> None:
    """What the task says beside the frames."""
    assert found["nothing"]["notes"] == []
    assert (found["nothing"]["metres_per_unit"], found["half a metre"]["metres_per_unit"]) == (1.0, 0.5)
    (layers,) = found["second layer"]["notes"]
    assert "'Extra'" in layers
    (library,) = found["lost library"]["notes"]
    assert "props.blend' is missing" in library


# Two at once. The rival acts exactly between our look and our rename.


def folder(path: Path, *files: str) -> Path:
    path.mkdir(parents=True)
    for name in files:
        (path / name).write_text(path.name, "utf-8")
    return path


def test_a_rival_who_was_quicker_wins(tmp_path: Path) -> None:
    aside, target = folder(tmp_path / ".mine.part", "whole"), tmp_path / "frame"
    looks: list[bool] = []

    def is_whole() -> bool:
        looks.append((target / "whole").is_file())
        if len(looks) == 1:
            folder(target, "whole")
        return looks[-1]

    put_in_place(aside, target, is_whole)
    assert (target / "whole").read_text("utf-8") == "frame"
    assert aside.is_dir()


def test_a_broken_folder_makes_room(tmp_path: Path) -> None:
    aside, target = folder(tmp_path / ".mine.part", "whole"), folder(tmp_path / "frame", "half")
    put_in_place(aside, target, (target / "whole").is_file)
    assert [p.name for p in tmp_path.iterdir()] == ["frame"]
    assert [p.name for p in target.iterdir()] == ["whole"]


def test_a_refusal_of_the_disk_is_not_taken_for_a_race(tmp_path: Path) -> None:
    aside = folder(tmp_path / ".mine.part", "whole")
    with pytest.raises(FileNotFoundError):
        put_in_place(aside, tmp_path / "nowhere" / "frame", lambda: False)


CAMERA = Camera(64, 48, 60, 60, 32, 24, 0.1, 100.0, np.diag([1.0, -1.0, -1.0, 1.0]))
TRIANGLE = Mesh(np.array([(-1, -1, -3), (1, -1, -4), (0, 1, -5)], np.float32), np.array([(0, 1, 2)], np.int32))
DRAWN = draw(
    FrameGeometry(Fraction(1), CAMERA, (TRIANGLE,), (Instance("t", 0, np.eye(4)),), (), ()), Exposure(), ("playblast",)
)


@pytest.mark.parametrize("broken", [False, True])
def test_eight_at_once_leave_one_whole_frame(tmp_path: Path, *, broken: bool) -> None:
    cache, start = FrameCache(tmp_path), threading.Barrier(8)
    if broken:
        folder(tmp_path / "k", "depth.npy")

    def store(_: int) -> None:
        start.wait()
        cache.store("k", DRAWN, CAMERA)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, range(8)))
    assert [p.name for p in tmp_path.iterdir()] == ["k"]
    assert np.array_equal(cache.load("k").depth, DRAWN.depth)


def fake_encode(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
    for frames, movie, _ in movies:
        movie.write_text(str(len(frames)), "utf-8")


@pytest.fixture
def order(tmp_path: Path) -> PackageOrder:
    """Four equal frames, which are in the cache."""
    FrameCache(tmp_path / "cache").store("k", DRAWN, CAMERA)
    profile = load_profile("wan-vace-14b")
    frame_map = as_is(FrameRange(1001, 1004), (0, 0), profile.rule)
    return PackageOrder(
        "u", "SH010", {}, Fraction(24), frame_map, dict.fromkeys(frame_map.times, "k"), (64, 48), Crop(0, 2, 64, 44),
        profile, "draft", (), metres_per_unit=0.5,
    )  # fmt: skip


def test_a_lost_race_for_a_package_uses_the_winner(tmp_path: Path, order: PackageOrder) -> None:
    packages, cache = tmp_path / "packages", FrameCache(tmp_path / "cache")

    def overtaken(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
        make_package(packages, order, cache, fake_encode)
        (packages / order.folder_name / "winner").touch()
        fake_encode(movies)

    made = make_package(packages, order, cache, overtaken)
    assert made == find_package(packages, order)
    assert (made / "winner").is_file()
    assert [p.name for p in packages.iterdir()] == [made.name]
    assert load_manifest(made).depth.metres_per_unit == 0.5


@pytest.mark.parametrize(
    "victim",
    ["manifest.json", "depth/1003.png", "guide/1001.png", "video/guide.0.mkv", "camera/camera.json", "depth16"],
)
def test_a_damaged_package_counts_as_absent_and_is_made_again(tmp_path: Path, order: PackageOrder, victim: str) -> None:
    packages, cache = tmp_path / "packages", FrameCache(tmp_path / "cache")
    made = make_package(packages, order, cache, fake_encode)
    lost = made / victim
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    assert find_package(packages, order) is None
    assert make_package(packages, order, cache, fake_encode) == made == find_package(packages, order)
    assert [p.name for p in packages.iterdir()] == [made.name]


def test_a_package_of_another_hash_with_the_same_beginning_is_no_match(tmp_path: Path, order: PackageOrder) -> None:
    packages = tmp_path / "packages"
    made = make_package(packages, order, FrameCache(tmp_path / "cache"), fake_encode)
    text = (made / "manifest.json").read_text("utf-8")
    (made / "manifest.json").write_text(text.replace(order.input_hash, order.input_hash[:8] + "0" * 56), "utf-8")
    assert find_package(packages, order) is None


@pytest.mark.parametrize("change", [{"fps": Fraction(12)}, {"controls": ("depth",)}, {"pose_dialect": "other"}])
def test_what_the_profile_asks_of_movies_and_poses_counts(order: PackageOrder, change: dict[str, Any]) -> None:
    assert replace(order, profile=replace(order.profile, **change)).input_hash != order.input_hash


# What a file tells of its maker, and whether it is all there.


@pytest.mark.host
def test_no_picture_says_where_or_when_it_was_made(script: Script, tmp_path: Path) -> None:
    """The scene comes from a saved .blend, and every stamp was on."""
    script("stamps", folder=str(tmp_path))
    with OpenEXR.File(str(tmp_path / "o.0001.exr")) as exr:
        header = {k: v for k, v in exr.header().items() if isinstance(v, str)}
    assert header.keys() <= {"Software", "colorInteropID"}
    for name in ("o.0001.exr", "p.0001.png", "whole.mp4"):
        data = (tmp_path / name).read_bytes()
        assert not [word for word in (str(tmp_path).encode(), b"stamped.blend", b"Date") if word in data], name


@pytest.mark.host
def test_a_stump_of_a_movie_is_said_and_removed(script: Script, tmp_path: Path) -> None:
    """The whole movie stays."""
    found = script("stamps", folder=str(tmp_path))
    assert found["whole"] == ""
    for name in ("half", "empty", "missing", "too short"):
        assert f"{name}.mp4' was not written completely." in found[name]
        assert not (tmp_path / f"{name}.mp4").exists()
    assert (tmp_path / "whole.mp4").is_file()
