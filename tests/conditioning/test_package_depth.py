# SPDX-License-Identifier: GPL-3.0-or-later
"""One range for the depth of a whole shot: what rests keeps its grey, whoever comes near."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.package import DepthChoice, PackageOrder, make_package
from second_unit.addon.conditioning.pictures.depth import DepthRange, DepthStats, Encoding, range_for
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

from .conftest import encode

SIZE = (64, 48)
STILL_Z = 3.5
DEPTHS = ((2.0, 4.0), (3.0, 40.0))
"""Of the cards to the left and to the right of the one that rests, in the first frame and in the second."""
ROW, LEFT, MIDDLE, RIGHT = 24, 12, 32, 52


@pytest.fixture
def cache(tmp_path: Path, scenes: Any) -> FrameCache:
    """Three cards that face the camera, each as wide in both frames; the one in the middle rests."""
    cache = FrameCache(tmp_path / "cache")
    camera = scenes.straight(SIZE)
    for i, (left, right) in enumerate(DEPTHS):
        cards = ((left, -0.3, 0.3), (STILL_Z, 0.0, 0.12), (right, 0.3, 0.3))
        things = [(scenes.plane(z * width, z * 0.6), scenes.placed((z * x, 0, z))) for z, x, width in cards]
        cache.store(f"frame{i}", draw(scenes.frame(camera, *things), Exposure(), ("playblast",)), camera)
    return cache


@pytest.fixture
def order() -> PackageOrder:
    profile = load_profile("wan-vace-14b")
    frame_map = as_is(FrameRange(1, 2), (0, 0), profile.rule)
    hashes = {time: f"frame{i}" for i, time in enumerate(frame_map.times)}
    return PackageOrder("u", "S", {}, Fraction(24), frame_map, hashes, SIZE, Crop(0, 0, *SIZE), profile, "draft", ())


def read(package: Path, name: str) -> list[npt.NDArray[np.int64]]:
    """Grey of every plate of a pass."""
    manifest = load_manifest(package)
    files = [package / manifest.passes[name].file(frame.plate or 0) for frame in manifest.frame_map.plates]
    pictures = [np.asarray(Image.open(file)).astype(np.int64) for file in files]
    return [picture[..., 0] if picture.ndim == 3 else picture for picture in pictures]


def whole(cache: FrameCache) -> DepthStats:
    return DepthStats.of(cache.load("frame0").depth) + DepthStats.of(cache.load("frame1").depth)


@pytest.mark.parametrize("encoding", list(Encoding), ids=lambda e: e.value)
def test_the_range_is_that_of_both_frames(
    encoding: Encoding, cache: FrameCache, order: PackageOrder, tmp_path: Path
) -> None:
    told = replace(order, profile=replace(order.profile, depth_encoding=encoding.value))
    package = make_package(tmp_path / "packages", told, cache, encode)
    said = load_manifest(package).depth
    spread, grey = range_for(whole(cache), Encoding.DISPARITY), range_for(whole(cache), encoding)
    assert (said.near, said.far, said.clipped) == (spread.near, spread.far, spread.clipped)
    assert said.grey is not None
    assert (said.grey.encoding, said.grey.near, said.grey.far) == (encoding.value, grey.near, grey.far)
    # the nearest of the first frame, the farthest of the second
    assert (said.near, said.far) == (pytest.approx(2.0), pytest.approx(40.0))
    for name, most in (("depth", 1), ("depth16", 1), ("guide", 1)):
        first, second = read(package, name)
        assert abs(first[ROW, MIDDLE] - second[ROW, MIDDLE]) <= most, name
        assert first[ROW, LEFT] > second[ROW, LEFT] > 0, name


def test_grey_is_inverse_depth_within_that_range(cache: FrameCache, order: PackageOrder, tmp_path: Path) -> None:
    """By hand: (1/z - 1/40) / (1/2 - 1/40)."""
    package = make_package(tmp_path / "packages", order, cache, encode)
    for picture, (left, right) in zip(read(package, "depth"), DEPTHS, strict=True):
        for column, z in ((LEFT, left), (MIDDLE, STILL_Z), (RIGHT, right)):
            assert picture[ROW, column] == pytest.approx(255 * (1 / z - 1 / 40) / (1 / 2 - 1 / 40), abs=1), z


def test_another_shots_range_is_kept_in_both_frames(cache: FrameCache, order: PackageOrder, tmp_path: Path) -> None:
    locked = replace(order, depth=DepthChoice(locked=DepthRange(1.0, 80.0)))
    package = make_package(tmp_path / "packages", locked, cache, encode)
    said = load_manifest(package).depth
    assert (said.near, said.far, said.clipped) == (1.0, 80.0, 0.0)
    grey = 255 * (1 / STILL_Z - 1 / 80) / (1 - 1 / 80)
    assert [picture[ROW, MIDDLE] for picture in read(package, "depth")] == pytest.approx([grey, grey], abs=1)
