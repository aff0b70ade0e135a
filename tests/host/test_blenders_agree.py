# SPDX-License-Identifier: GPL-3.0-or-later
"""Every Blender gives the same conditioning of the shipped example as the one of this environment.

Tolerances: what is seen, ids and people to the pixel; depth to 1e-5 of it for all but a thousandth of the pixels;
normals to 0.1 degrees (they are kept in 16 bits) but for a hundredth; flow and joints to 0.001 px.
Measured: 4.2 and 4.5 equal 5.0 to the last bit; 5.2 differs by 5e-6 in depth, 3e-5 px in flow, 1e-5 px in joints.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.host.blender import Blender, run_task

from .conftest import EXAMPLE

pytestmark = pytest.mark.host
LAYERS = ["flow", "lineart", "normal", "playblast", "softedge", "tag"]


def draw(blender: Blender, cache: Path) -> tuple[dict[str, Any], list[RawFrame]]:
    """Two frames in which people walk and the camera moves."""
    told = run_task(blender, "condition", {
        "blend": str(EXAMPLE), "scene": None, "camera": "CAM_SH030", "times": ["1150", "1200"], "after": "1201",
        "meter": 1150, "size": [256, 144], "layers": LAYERS, "renderer": "auto", "cache": str(cache),
    })  # fmt: skip
    return told, [FrameCache(cache).load(key) for key in told["hashes"]]


def objects(frame: RawFrame) -> npt.NDArray[np.str_]:
    numbers, tags = frame.tags()
    return np.array(["", *(tag.object for tag in tags)])[numbers]


def degrees(a: npt.NDArray[np.float16], b: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(x, y), axis=-1), (x * y).sum(axis=-1)))


def assert_agree(mine: RawFrame, theirs: RawFrame) -> None:
    hit = np.isfinite(mine.depth)
    assert np.array_equal(hit, np.isfinite(theirs.depth))
    assert hit.any()
    assert np.array_equal(mine.person, theirs.person)
    assert np.array_equal(objects(mine), objects(theirs))
    assert np.quantile(np.abs(mine.depth[hit] / theirs.depth[hit] - 1), 0.999) < 1e-5
    assert np.quantile(degrees(mine.normal()[hit], theirs.normal()[hit]), 0.99) < 0.1
    assert len(mine.people) == len(theirs.people) == 2
    for one, other in zip(mine.people, theirs.people, strict=True):
        assert one.key == other.key
        assert np.array_equal(one.visibility, other.visibility)
        assert np.array_equal(np.isnan(one.points), np.isnan(other.points))
        assert np.nanmax(np.abs(one.points - other.points)) < 1e-3


def test_the_example_is_the_same_in_every_blender(host_python: str, blender: Blender, tmp_path: Path) -> None:
    if host_python == sys.executable:
        pytest.skip("this is the one the others are compared with")
    told, mine = draw(Blender((sys.executable,), is_app=False), tmp_path / "mine")
    said, theirs = draw(blender, tmp_path / "theirs")
    assert {name: told[name] for name in ("crop", "people", "people_told", "renderer", "notes")} == {
        name: said[name] for name in ("crop", "people", "people_told", "renderer", "notes")
    }
    for a, b, after, then in zip(mine, theirs, told["following"], said["following"], strict=True):
        assert_agree(a, b)
        assert np.quantile(np.abs(a.flow(after) - b.flow(then)), 0.999) < 1e-3
