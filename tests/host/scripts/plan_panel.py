# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says of the shots before they are rendered, read off its labels: in background nothing is drawn."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from panel import _enable, _tick  # pyright: ignore[reportPrivateUsage]

PATIENCE_S = 60.0


class Paper:
    """In place of a layout: keeps the labels. What is drawn in a panel within the panel goes to a paper of its own."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.lines: list[str] = []
        self.body = None
        self._is_open = is_open

    def label(self, *, text: str, icon: str = "") -> None:
        del icon
        self.lines.append(text)

    def panel(self, name: str, *, default_closed: bool = False) -> tuple[Paper, Paper | None]:
        del name, default_closed
        self.body = Paper() if self._is_open else None
        return Paper(), self.body

    def operator(self, name: str, **_: object) -> SimpleNamespace:
        return SimpleNamespace(name=name)

    def row(self, **_: object) -> Paper:
        return self

    column = box = row

    def separator(self, **_: object) -> None:
        pass


def run(args: dict[str, Any]) -> Any:
    """``change`` is done to the open scene and saved; returns the plan's lines by shot, at the width of a sidebar."""
    registration, _ = _enable(args["root"])
    threads = _threads()
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    before = _until_new(registration, ([], ""))
    told = before
    for change in args["changes"]:
        _CHANGES[change](bpy.context.scene, Path(args["blend"]))
        bpy.ops.wm.save_mainfile()
        told = _until_new(registration, told) if change != "nothing" else told
    answer = _told(args["width"]) | {"before": before[0], "closed": _paper(args["width"], 0, is_open=False).body}
    registration.unregister()
    return answer | {"threads": _threads() == threads, "left": hasattr(_seat(), "planner")}


def _seat() -> Any:
    return sys.modules["bl_ext.operators.seat"].Seat


def _threads() -> list[str]:
    import threading

    return [thread.name for thread in threading.enumerate()]


def _until_new(registration: Any, before: tuple[list[str], str]) -> tuple[list[str], str]:
    """Tick until the plan says something else."""
    end = time.monotonic() + PATIENCE_S
    while (now := _known()) == before or now == ([], ""):
        _tick(registration)
        if time.monotonic() > end:
            raise TimeoutError(f"in vain: still {now}")
    return now


def _known() -> tuple[list[str], str]:
    shown = _seat().planner.shown
    return [line for shot in shown.shots for line in shot.lines], shown.trouble


def _told(width: int) -> dict[str, Any]:
    """The lines at the first frame of each shot, and at a frame of none."""
    shots = _seat().planner.shown.shots
    frames = [shot.cut.first for shot in shots] or [1]
    papers = [_paper(width, frame) for frame in frames]
    begin = time.perf_counter()
    elsewhere = _paper(width, -100)
    took = (time.perf_counter() - begin) * 1000
    return {
        "shots": [paper.body.lines if paper.body else [] for paper in papers], "ms": took,
        "elsewhere": elsewhere.body.lines if elsewhere.body else [], "above": elsewhere.lines,
    }  # fmt: skip


def _paper(width: int, frame: int, *, is_open: bool = True) -> Paper:
    panels, paper = sys.modules["bl_ext.ui.panels"], Paper(is_open=is_open)
    seat = _seat()
    sheet = SimpleNamespace(desk=seat.desk, planner=seat.planner, layout=paper, draw_more=lambda *_: None)
    context = SimpleNamespace(
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)), region=SimpleNamespace(width=width),
        scene=SimpleNamespace(frame_current=frame),
    )  # fmt: skip
    panels.SECONDUNIT_PT_sequencer.draw(sheet, context)
    return paper


def _shorter(scene: Any, blend: Path) -> None:
    del blend
    scene.frame_end -= 7


def _moved(scene: Any, blend: Path) -> None:
    del blend
    scene.timeline_markers[1].frame += 3


def _wider(scene: Any, blend: Path) -> None:
    del blend
    scene.render.resolution_x, scene.render.resolution_y = 2048, 858


def _slower(scene: Any, blend: Path) -> None:
    del blend
    scene.render.fps, scene.render.fps_base = 24, 1.001


def _handles(scene: Any, blend: Path) -> None:
    del blend
    scene["second_unit"] = {"shots": {scene.timeline_markers[0].name: {"handles": [4, 5]}}}


def _settings(text: str) -> Any:
    def write(scene: Any, blend: Path) -> None:
        del scene
        file = blend.parent / "second_unit" / blend.stem / "project.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'schema = "second_unit.project/1"\n[defaults]\n{text}\n')

    return write


def _outside(scene: Any, blend: Path) -> None:
    """All cameras are bound after the last frame."""
    del blend
    scene.frame_start, scene.frame_end = 1, 10


_CHANGES = {
    "shorter": _shorter, "moved": _moved, "wider": _wider, "slower": _slower, "handles": _handles,
    "final": _settings('quality = "final"'), "nobody": _settings('profile = "nobody"'), "mended": _settings(""),
    "torn": _settings("profile = ["), "outside": _outside,
}  # fmt: skip
