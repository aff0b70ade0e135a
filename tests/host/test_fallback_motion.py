# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion in frames that Cycles draws is that of the shot, also where Cycles itself has none or another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Script

pytestmark = pytest.mark.host


@pytest.fixture
def moved(script: Script, tmp_path: Path) -> Any:
    def draw(*cases: str) -> dict[str, Any]:
        return script("motion", cases=list(cases), folder=str(tmp_path))

    return draw


def agrees(frames: list[dict[str, Any]]) -> None:
    """Both renderers see the same thing at the same place, and send it to the same place."""
    assert len(frames) == 3
    for frame in frames:
        assert frame["hit"] > 300, frame
        assert frame["differ"] <= 5, frame  # on an edge one ray may decide otherwise
        assert frame["p99"] < 0.01, frame
        assert frame["off"] < 0.1, frame
        assert frame["longest"] > 0.3, frame


@pytest.mark.parametrize("case", ["short", "long", "followed", "flat"])
def test_particles_move_from_the_frame_they_are_born_in(moved: Any, case: str) -> None:
    """Long lives and lives of two frames, camera at rest and on its way, in perspective and without."""
    agrees(moved(case)[case])


@pytest.mark.parametrize("case", ["whole", "seconds", "thirds"])
def test_motion_goes_to_the_next_frame_of_the_shot_however_far_it_is(moved: Any, case: str) -> None:
    """A mesh that bends under a moving camera, each frame of the scene, each second one, and in between."""
    agrees(moved(case)[case])


@pytest.mark.parametrize("case", ["slowed", "hurried"])
def test_cycles_stands_where_the_camera_does_in_a_remapped_scene(moved: Any, case: str) -> None:
    agrees(moved(case)[case])


def test_hair_goes_as_far_as_the_shots_next_frame(moved: Any) -> None:
    """It is no surface that we read, so Cycles' own motion is stretched."""
    frames = moved("hair")["hair"]
    assert len(frames) == 9
    for frame in frames:
        assert frame["hit"] > 300
        assert frame["least"] > 0.5
        assert frame["off"] < 0.01
