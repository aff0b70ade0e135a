# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop as the artist sees it: only clicks and keys go in; photographs and Blender's own state come out.

``SECOND_UNIT_PICTURES=docs/images`` shoots the whole example and keeps the photographs, for the guide.
"""

from __future__ import annotations

import hashlib
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Window

pytestmark = pytest.mark.app

# where things are in the sidebar at Blender's own size of things, from its top left corner in pixels
TAB, BUTTON, EXAMPLE, CANCEL = (280, 254), (144, 48), (144, 80), (197, 68)
# below a message and the shots, a line each
SHOW_AT, LINE = (204, 100), 21
# the fields for the first and last frame, from the right end of the timeline's header
START, END = (-204, 10), (-101, 10)
LOOP_S = 900.0


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    named = os.environ.get("SECOND_UNIT_PICTURES")
    return Path(named).absolute() if named else tmp_path


def in_sidebar(
    window: Window, place: tuple[int, int], is_so: Callable[[dict[str, Any]], bool], what: str
) -> dict[str, Any]:
    """Click there until it has worked."""
    x, y, _, _ = window.region("VIEW_3D", "UI")
    return window.click_until(x + place[0], y + place[1], is_so, what)


def open_example(window: Window) -> Path:
    """The sidebar, our tab, the example: three clicks and a key, as a first-time user does it."""
    x, y, width, height = window.region("VIEW_3D", "WINDOW")
    window.move(x + width / 2, y + height / 2)
    window.key("n")
    window.until(lambda s: any((r["space"], r["kind"]) == ("VIEW_3D", "UI") for r in s["regions"]), "the sidebar")
    in_sidebar(window, TAB, lambda s: "Second Unit" in [r["tab"] for r in s["regions"]], "our tab")
    window.settle()
    state = in_sidebar(window, EXAMPLE, lambda s: len(s["view"]["rows"]) == 3, "the example")
    return Path(state["file"])


def type_frames(window: Window, first: int, last: int) -> None:
    """A short piece around the first cut; the artist does not save it."""
    for place, frame in ((END, last), (START, first)):
        x, y, width, _ = window.region("DOPESHEET_EDITOR", "HEADER")
        window.double_click(x + width + place[0], y + place[1])
        window.key("ctrl+a")
        window.type(str(frame))
        window.key("Return")
    window.until(lambda s: [r["first"] for r in s["view"]["rows"]] == [first, 1049], "the two short shots")


def is_planned(state: dict[str, Any], first: int) -> bool:
    """Whether the panel says of every shot what it will become."""
    lines = [line for shot in state["plan"] for line in shot]
    wanted = ("scene frames", "model frame", "Pictures are 832x480; 832x468", "of disk")
    return f"{first} to 1048;" in " ".join(lines[:1]) and all(
        sum(part in line for line in lines) == len(state["view"]["rows"]) for part in wanted
    )


def finished(state: dict[str, Any]) -> bool:
    return not state["view"]["is_running"] and bool(state["view"]["message"])


def test_the_one_button(window: Window, pictures: Path) -> None:
    """Open the example, press the button, watch it, see the strips."""
    blend = open_example(window)
    before = hashlib.sha256(blend.read_bytes()).hexdigest()
    is_whole = "SECOND_UNIT_PICTURES" in os.environ
    if not is_whole:
        type_frames(window, 1045, 1052)
    window.until(lambda s: is_planned(s, 1001 if is_whole else 1045), "the plan")
    window.settle()
    window.shot(pictures / "panel_ready.png")
    layout = window.layout()
    assert len(layout) > 5000
    in_sidebar(window, BUTTON, lambda s: s["view"]["is_running"], "the loop")
    seen = window.until(lambda s: s["view"]["factor"] > 0.3, "progress", LOOP_S)
    assert seen["view"]["step"] in {"Conditioning", "Generating"}
    window.shot(pictures / "panel_running.png")
    state = window.until(finished, "the takes", LOOP_S)
    assert not state["view"]["is_error"], state["view"]
    assert all(row["state"] == "t001" for row in state["view"]["rows"])
    state = window.until(lambda s: bool(s["strips"]), "the strips")
    assert [s["name"] for s in state["strips"] if s["type"] == "IMAGE"] == [r["name"] for r in state["view"]["rows"]]
    assert (state["scene"], state["file"]) == ("Layout", str(blend))
    assert window.layout() == layout
    window.shot(pictures / "panel_done.png")
    lines = len(textwrap.wrap(state["view"]["message"], 32)) + len(state["view"]["rows"])
    place = SHOW_AT[0], SHOW_AT[1] + LINE * lines
    in_sidebar(
        window, place, lambda s: (s["scene"], s["workspace"]) == ("Second Unit Edit", "Video Editing"), "the edit"
    )
    window.settle()
    # without the file browser, which shows somebody's folder
    window.shot(pictures / "edit.png", left=322)
    assert hashlib.sha256(blend.read_bytes()).hexdigest() == before
    assert [p.name for p in blend.parent.iterdir() if p.name.startswith(".")] == []


def test_cancel_and_again(window: Window) -> None:
    """A loop that is stopped says so, and the button is there again."""
    open_example(window)
    in_sidebar(window, BUTTON, lambda s: s["view"]["is_running"], "the loop")
    window.until(lambda s: s["view"]["step"] == "Conditioning", "guides", LOOP_S)
    in_sidebar(window, CANCEL, lambda s: s["view"]["step"] == "Stopping" or finished(s), "the stop")
    state = window.until(finished, "the end", LOOP_S)
    assert state["view"]["message"].startswith("Stopped.")
    assert not state["view"]["is_error"]
    assert state["strips"] == []
