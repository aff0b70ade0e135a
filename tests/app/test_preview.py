# SPDX-License-Identifier: GPL-3.0-or-later
"""The live preview as the artist sees it: clicks and keys go in, the pixels of a photograph are judged.

``SECOND_UNIT_PICTURES=docs/images`` keeps the one of the guide.
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from PIL import Image

from second_unit.addon.conditioning.people.dialects import COLOURS

from .conftest import SIZE, Window
from .test_window import in_sidebar, open_example

pytestmark = pytest.mark.app

BUTTONS = {"pose": (136, 231), "depth": (195, 231), "guide": (254, 231)}
"""Of the preview, in the sidebar at Blender's own size of things, with the example open."""
FRAME = 1046
"""Both people are in the picture."""
STEPS = 8
JOINTS_AT_LEAST = 12
AS_GOOD_AS_EQUAL = 8


def through_the_camera(window: Window) -> None:
    """Its key, with the mouse over the viewport; then the frame is typed into the timeline's header."""
    over_the_viewport(window)
    window.key("KP_0")
    window.until(lambda s: s["perspective"] == "CAMERA", "the camera's view")
    x, y, width, _ = window.region("DOPESHEET_EDITOR", "HEADER")
    window.double_click(x + width - 313, y + 10)
    window.key("ctrl+a")
    window.type(str(FRAME))
    window.key("Return")
    window.until(lambda s: s["frame"] == FRAME, "the frame")


def over_the_viewport(window: Window) -> None:
    x, y, width, height = window.region("VIEW_3D", "WINDOW")
    window.move(x + width / 2, y + height / 2)


def press(window: Window, guide: str, wanted: str) -> None:
    in_sidebar(window, BUTTONS[guide], lambda s: s["preview"]["guide"] == wanted, f"the preview of {guide}")
    over_the_viewport(window)
    window.settle()


def photograph(window: Window, file: Path) -> np.ndarray:
    """The viewport's own part of the screen, row 0 below as in Blender, (height, width, 3)."""
    window.shot(file)
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB").crop(viewport(window)))[::-1].astype(np.int64)


def viewport(window: Window) -> tuple[int, int, int, int]:
    """Where the viewport is in a photograph, to the pixel: the window has borders, and its title is cut off there."""
    state = window.state()
    found = next(r for r in state["regions"] if (r["space"], r["kind"]) == ("VIEW_3D", "WINDOW"))
    across, down = state["window"]
    left, top = (SIZE[0] - across) // 2 + found["x"], down - found["y"] - found["height"]
    return left, top, left + found["width"], top + found["height"]


def is_there(picture: np.ndarray, x: float, y: float, colour: np.ndarray) -> bool:
    """Whether a pixel next to a place has the colour."""
    column, row = int(x), int(y)
    around = picture[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3)
    return bool((np.abs(around - colour).max(axis=1) <= AS_GOOD_AS_EQUAL).any())


def in_frame(look: dict[str, Any], x: float, y: float, margin: float = 6.0) -> bool:
    left, bottom, right, top = look["frame"]
    return left + margin < x < right - margin and bottom + margin < y < top - margin


def free(window: Window, x: float, y: float) -> bool:
    """Whether a place of the viewport is covered by none of the regions that float over it, nor by the mark."""
    left, _, _, _ = window.region("VIEW_3D", "WINDOW")
    side, _, _, _ = window.region("VIEW_3D", "UI")
    return 60 < x < side - left - 10 and y > 150


def judge_pose(window: Window, picture: np.ndarray, look: dict[str, Any]) -> None:
    """Where Blender projects the bones to, there are the joints' colours; VACE has red and blue exchanged."""
    shown = [(j, x, y) for j, x, y in look["joints"] if in_frame(look, x, y) and free(window, x, y)]
    found = [j for j, x, y in shown if is_there(picture, x, y, COLOURS[j][::-1].astype(np.int64))]
    assert len(shown) >= JOINTS_AT_LEAST
    # limbs and joints of the nearer person may lie over one of the other
    assert len(found) >= len(shown) - 2, (shown, found)


def judge_depth(window: Window, picture: np.ndarray, look: dict[str, Any]) -> None:
    """Greys, the farther the darker, by distances that Blender's ray caster found; nothing is black."""
    places = [(x, y, z) for x, y, z in look["depth"] if in_frame(look, x, y) and free(window, x, y)]
    colours = np.array([picture[y, x] for x, y, _ in places])
    z = np.array([np.inf if z is None else z for *_, z in places])
    assert len(places) > 500
    assert (np.ptp(colours, axis=1) <= 2).mean() > 0.98
    grey = colours[:, 1]
    assert len(np.unique(grey)) > 30
    order = np.argsort(z)
    z, grey = z[order], grey[order]
    pairs = np.random.default_rng(1).integers(0, len(z), (20000, 2))
    near, far = pairs.min(axis=1), pairs.max(axis=1)
    told = z[far] > z[near] * 1.05
    wrong = told & (grey[far] > grey[near] + 2)
    assert told.sum() > 5000
    assert wrong.sum() / told.sum() < 0.03
    assert grey[z < np.quantile(z, 0.02)].mean() > 200


def test_the_preview_is_what_the_model_gets(window: Window, tmp_path: Path) -> None:
    """On, through all guides, off again: the viewport is then what it was before."""
    open_example(window)
    through_the_camera(window)
    over_the_viewport(window)
    window.settle()
    before = photograph(window, tmp_path / "before.png")
    layout = window.layout()
    pictures = {}
    for guide in ("pose", "depth", "guide"):
        press(window, guide, guide)
        pictures[guide] = photograph(window, tmp_path / f"{guide}.png")
    look = window.look()
    judge_pose(window, pictures["pose"], look)
    judge_pose(window, pictures["guide"], look)
    judge_depth(window, pictures["depth"], look)
    keep(window, tmp_path / "guide.png")
    tell_times(window)
    press(window, "guide", "")
    window.until(lambda s: s["frame"] == FRAME, "the frame")
    window.settle()
    after = photograph(window, tmp_path / "after.png")
    # Blender smooths edges over some redraws
    left, bottom, right, top = (round(edge) for edge in look["frame"])
    differs = np.abs(after - before)[bottom + 2 : top - 2, left + 2 : right - 2].max(axis=2)
    assert differs.mean() < 1
    assert (differs > 40).mean() < 0.005
    assert window.state()["preview"] == {"guide": "", "trouble": ""}
    assert window.layout() == layout


def tell_times(window: Window) -> None:
    """Frames are stepped through and back; what the drawing took is printed, and judged by nobody."""
    over_the_viewport(window)
    at = FRAME
    for key, step in (("Right", 1), ("Left", -1)):
        for _ in range(STEPS):
            at += step
            window.key(key)
            window.until(lambda s, at=at: s["frame"] == at, "the next frame")
    window.settle()
    took = window.look()["took"]
    # how many redraws Blender makes of so many steps is its own affair
    assert any(is_new for is_new, _ in took)
    for what, wanted in (("worked out anew", True), ("drawn again", False)):
        some = [ms for is_new, ms in took if is_new == wanted]
        print(f"preview {what}: {len(some)} times, median {median(some or [0]):.1f} ms, longest {max(some or [0]):.1f}")


def keep(window: Window, file: Path) -> None:
    """The viewport and its sidebar, for the guide."""
    if "SECOND_UNIT_PICTURES" in os.environ:
        with Image.open(file) as picture:
            picture.crop(viewport(window)).save(Path(os.environ["SECOND_UNIT_PICTURES"]).absolute() / "preview.png")
