# SPDX-License-Identifier: GPL-3.0-or-later
"""The live preview hangs handlers into Blender while it is on, and nothing when it is off, however that came."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Script

pytestmark = pytest.mark.host

ON = {
    "load_pre": 1, "undo_post": 1, "redo_post": 1, "depsgraph_update_post": 1, "frame_change_post": 1, "draw": 1,
    "timers": 1,
}  # fmt: skip
OFF = dict.fromkeys(ON, 0)


def live(script: Script, step: str) -> dict[str, Any]:
    told = script("preview", step=step)
    assert told["before"] == OFF
    assert told["during"] == ON
    return told


@pytest.mark.parametrize("step", ["again", "disable", "load"])
def test_off_leaves_nothing(script: Script, step: str) -> None:
    """Pressed once more, disabled, another file."""
    told = live(script, step)
    assert told["after"] == OFF
    assert told["shown"] == ["", ""]


def test_another_guide_is_the_same_preview(script: Script) -> None:
    told = live(script, "other")
    assert (told["after"], told["answer"]) == (ON, "depth")


def test_an_undo_is_survived(script: Script) -> None:
    told = live(script, "undo")
    assert told["after"] == ON
    assert told["answer"] == [[["Ada", True]]] * 2


def test_people_come_go_and_hide(script: Script) -> None:
    told = live(script, "rigs")
    assert told["answer"] == [[["Ada", True]], [["Ada", False]], [["Ada", False], ["Bob", True]], [["Bob", True]]]


def test_the_plan_comes_from_the_project(script: Script) -> None:
    told = live(script, "plan")
    assert told["answer"] == [True, [832, 480], True]


def test_the_first_error_turns_it_off_and_is_told(script: Script) -> None:
    told = live(script, "trouble")
    assert told["answer"] == [True, True, "pose"]
    assert told["after"] == OFF
    assert told["shown"][0] == ""
    assert told["shown"][1]


def test_without_a_viewport_the_button_says_so(script: Script) -> None:
    told = live(script, "press")
    assert "no viewport" in told["answer"]
    assert "window" in told["answer"]
    assert told["after"] == OFF
