# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot that no child may draw in part is drawn by one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands import drawing
from second_unit.addon.commands.drawing import Crew, FrameOrder, draw_frames
from second_unit.addon.host.blender import Blender
from second_unit.addon.shot.ports import Progress

TIMES = tuple(Fraction(frame) for frame in range(1, 33))
ORDER = FrameOrder(Path("a.blend"), None, "Camera", TIMES, 1, (32, 32), ("depth",), "auto", Path("cache"))


def draw(monkeypatch: pytest.MonkeyPatch, *, is_simulated: bool) -> tuple[list[int], dict[Fraction, str]]:
    """How many frames each child was asked for, in that order or beside each other; the frames that came back."""
    asked: list[int] = []

    def run_task(_: Blender, name: str, task: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        assert name == "condition"
        asked.append(len(task["times"]))
        assert task["is_part"] is (len(task["times"]) < len(TIMES))
        progress(1, 1)
        if is_simulated and task["is_part"]:
            return {"only_whole": True}
        return {"hashes": [f"h{time}" for time in task["times"]], "notes": ["Simulated."] if is_simulated else []}

    monkeypatch.setattr(drawing, "run_task", run_task)
    with ThreadPoolExecutor(4) as pool:
        drawn = draw_frames(Crew(Blender(("none",), is_app=False), pool), ORDER, 4, lambda *_: None)
    assert drawn.notes == (("Simulated.",) if is_simulated else ())
    return asked, dict(drawn.hashes)


def test_what_is_simulated_is_drawn_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, hashes = draw(monkeypatch, is_simulated=True)
    assert asked == [8, 8, 8, 8, 32]
    assert hashes == {time: f"h{time}" for time in TIMES}


def test_everything_else_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, hashes = draw(monkeypatch, is_simulated=False)
    assert asked == [8, 8, 8, 8]
    assert hashes == {time: f"h{time}" for time in TIMES}
