# SPDX-License-Identifier: GPL-3.0-or-later
"""The application sees in the shipped example what the bpy module of this environment sees.

`tests/host/test_blenders_agree.py` compares the modules with each other. Tolerances, and what 5.2 and 5.0 came to:

* what is hit, people and names, which make the mattes: all but one pixel in ten thousand; none differs
* depth, and its range over the frames: 1e-5 of it, for all but a thousandth of the pixels; 4e-7
* normals: 0.1 degrees, as they are kept in 16 bits, but for a hundredth; 0.02 everywhere
* joints: 0.01 px, all of them; 1.2e-5. Whether they are seen: the same
* flow: 0.01 px, but for a thousandth; 5e-4 in a frame in which it is 3,400 px long, else 3e-5
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.conditioning.pictures.depth import DepthStats, shot_range
from second_unit.addon.host.blender import Blender, run_task

from .conftest import ROOT

pytestmark = [pytest.mark.app, pytest.mark.slow]
EXAMPLE = ROOT / "examples" / "handover.blend"
LAYERS = ["flow", "normal", "tag"]
FEW, DEPTH, DEGREES, JOINT_PX, FLOW_PX = 1e-4, 1e-5, 0.1, 0.01, 0.01


@pytest.fixture(scope="module")
def application() -> Blender:
    named = os.environ.get("BLENDER")
    if not named:
        pytest.skip("$BLENDER names no application")
    return Blender(tuple(shlex.split(named)), is_app=True)


def draw(blender: Blender, camera: str, times: list[int], cache: Path) -> tuple[dict[str, Any], list[RawFrame]]:
    told = run_task(blender, "condition", {
        "blend": str(EXAMPLE), "scene": None, "camera": camera, "times": [str(time) for time in times],
        "after": str(times[-1] + 1), "meter": times[0], "size": [256, 144], "layers": LAYERS, "renderer": "auto",
        "cache": str(cache),
    })  # fmt: skip
    return told, [FrameCache(cache).load(key) for key in told["hashes"]]


def names(frame: RawFrame) -> npt.NDArray[np.str_]:
    """What every pixel shows: object, collections, cast and class (H, W)."""
    numbers, tags = frame.tags()
    return np.array(["", *(f"{t.object}|{'/'.join(t.collections)}|{t.cast}|{t.label}" for t in tags)])[numbers]


def degrees(a: npt.NDArray[np.float16], b: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(x, y), axis=-1), (x * y).sum(axis=-1)))


def assert_same_surfaces(mine: RawFrame, theirs: RawFrame) -> None:
    both = np.isfinite(mine.depth) & np.isfinite(theirs.depth)
    assert both.mean() > 0.5
    assert (np.isfinite(mine.depth) != np.isfinite(theirs.depth)).mean() <= FEW
    assert np.quantile(np.abs(theirs.depth[both] / mine.depth[both] - 1), 0.999) < DEPTH
    assert np.quantile(degrees(mine.normal()[both], theirs.normal()[both]), 0.99) < DEGREES
    for one, other in ((mine.person, theirs.person), (names(mine), names(theirs))):
        assert (one != other).mean() <= FEW
        assert len(np.unique(one)) > 1


def assert_same_people(mine: RawFrame, theirs: RawFrame) -> None:
    assert [person.key for person in mine.people] == [person.key for person in theirs.people]
    assert mine.people
    for one, other in zip(mine.people, theirs.people, strict=True):
        assert np.array_equal(one.visibility, other.visibility)
        assert np.array_equal(np.isnan(one.points), np.isnan(other.points))
        assert np.nanmax(np.abs(one.points - other.points)) < JOINT_PX


@pytest.mark.parametrize(
    ("camera", "times"), [("CAM_SH010", [1010, 1047]), ("CAM_SH030", [1150, 1200])], ids=["SH010", "SH030"]
)
def test_the_example_is_the_same_in_the_application(
    application: Blender, tmp_path: Path, camera: str, times: list[int]
) -> None:
    told, mine = draw(Blender((sys.executable,), is_app=False), camera, times, tmp_path / "mine")
    said, theirs = draw(application, camera, times, tmp_path / "theirs")
    for name in ("crop", "people", "people_told", "renderer", "metres_per_unit", "notes"):
        assert told[name] == said[name], name
    for a, b, after, then in zip(mine, theirs, told["following"], said["following"], strict=True):
        assert_same_surfaces(a, b)
        assert_same_people(a, b)
        assert np.quantile(np.abs(a.flow(after) - b.flow(then)), 0.999) < FLOW_PX
    ours, others = (shot_range(DepthStats.of(a.depth) + DepthStats.of(b.depth)) for a, b in (mine, theirs))
    assert (others.near, others.far) == pytest.approx((ours.near, ours.far), rel=DEPTH)
