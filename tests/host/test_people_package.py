# SPDX-License-Identifier: GPL-3.0-or-later
"""Who of the cast is in a package: in its manifest, in its list of people, and in its name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.package import PackageOrder, make_package
from second_unit.addon.shot.camera import Camera, Crop
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh
from second_unit.addon.shot.package import load_manifest, save_manifest
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

CAMERA = Camera(64, 48, 60, 60, 32, 24, 0.1, 100.0, np.diag([1.0, -1.0, -1.0, 1.0]))
TRIANGLE = Mesh(np.array([(-1, -1, -3), (1, -1, -4), (0, 1, -5)], np.float32), np.array([(0, 1, 2)], np.int32))
TOLD = (
    {"id": 0, "key": "Left/Guy", "rig": "Guy", "cast": "mara"},
    {"id": 1, "key": "Right/Guy", "rig": "Guy", "cast": "mara"},
    {"id": 2, "key": "Zoe", "rig": "Zoe", "cast": "zoe"},
    {"id": 3, "key": "Extra", "rig": "Extra", "cast": ""},
)


def encode(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
    for _, movie, _ in movies:
        movie.write_text("a movie", "utf-8")


@pytest.fixture
def order(tmp_path: Path) -> PackageOrder:
    """One frame of four people of whom nothing is seen."""
    frame = FrameGeometry(Fraction(1), CAMERA, (TRIANGLE,), (Instance("t", 0, np.eye(4)),), (), ())
    FrameCache(tmp_path / "cache").store("k", draw(frame, Exposure(), ("playblast",)), CAMERA)
    profile = load_profile("wan-vace-14b")
    frame_map = as_is(FrameRange(1, 1), (0, 0), profile.rule)
    return PackageOrder(
        "u", "SH010", {}, Fraction(24), frame_map, dict.fromkeys(frame_map.times, "k"), (64, 48), Crop(0, 2, 64, 44),
        profile, "draft", tuple(told["key"] for told in TOLD), people_told=TOLD,
    )  # fmt: skip


def test_the_cast_stands_in_the_manifest_and_beside_the_joints(tmp_path: Path, order: PackageOrder) -> None:
    made = make_package(tmp_path / "packages", order, FrameCache(tmp_path / "cache"), encode)
    written: dict[str, Any] = json.loads((made / "manifest.json").read_text("utf-8"))
    assert written["cast"] == [{"name": "mara", "people": [0, 1]}, {"name": "zoe", "people": [2]}]
    assert [person["cast"] for person in written["people"]] == ["mara", "mara", "zoe", ""]
    people = json.loads((made / "pose" / "people.json").read_text("utf-8"))["people"]
    assert people == [{name: told[name] for name in ("id", "key", "cast")} for told in TOLD]
    save_manifest(tmp_path, load_manifest(made))
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8")) == written


def test_another_cast_is_another_package(order: PackageOrder) -> None:
    recast = replace(order, people_told=({**TOLD[0], "cast": "jan"}, *TOLD[1:]))
    assert recast.input_hash != order.input_hash
    assert replace(order, people_told=TOLD).input_hash == order.input_hash
