# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels say of every shot before it is rendered: the words of ``condition --dry-run``. Needs no bpy.

They are worked out in a thread, when the scene changes and now and then, for a disk may be slow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..host.unforeseen import name_of
from .answering import Answerer

if TYPE_CHECKING:
    from pathlib import Path

    from ..shot.project import Project
    from ..shot.shot import SceneInfo
    from ..shot.timing import FrameRange

_LOOK_EVERY = 8
"""Ticks between two looks at the project's files, as the desk has it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a plan is made of beside the project's files: the open file, its project and the scene as it is now."""

    blend: Path
    project: Project
    info: SceneInfo


@dataclass(frozen=True, slots=True)
class Planned:
    """One shot and the sentences of its plan (`shot.plan.sentences`)."""

    name: str
    cut: FrameRange
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plans:
    """All shots of a scene in order, or the ``trouble`` why they cannot be planned."""

    shots: tuple[Planned, ...] = ()
    trouble: str = ""

    def at(self, frame: int) -> Planned | None:
        """The shot that has this scene frame; the first one for a frame of none."""
        return next((shot for shot in self.shots if frame in shot.cut), self.shots[0] if self.shots else None)


class Planner:
    """Plans one scene at a time in a thread. ``shown`` is what panels draw; `tick` picks up what is new."""

    def __init__(self) -> None:
        self.shown = Plans()
        self._answerer = Answerer(_plan, _failed, "second_unit_plan")
        self._asked: Scene | None = None
        self._ticks = 0

    @property
    def is_busy(self) -> bool:
        """Whether a plan is being made."""
        return self._answerer.is_busy

    def tick(self, scene: Scene | None) -> bool:
        """Plan ``scene``, None when there is none to be planned; True when something else is to be shown."""
        before = self.shown
        if scene is None or self._asked is None or scene.blend != self._asked.blend:
            self._asked, self.shown = None, Plans()
        found = self._answerer.take()
        if found is not None and found[0] == self._asked:
            self.shown = found[1]
        self._ask(scene)
        return self.shown != before

    def stop(self) -> None:
        """Wait for the thread, which reads a few small files."""
        self._answerer.stop()

    def _ask(self, scene: Scene | None) -> None:
        self._ticks += 1
        is_due = scene != self._asked or self._ticks % _LOOK_EVERY == 0
        if scene is not None and is_due and self._answerer.ask(scene):
            self._asked = scene


def _plan(scene: Scene) -> tuple[Scene, Plans]:
    """The plans, and what they are of: by the time they are there something else may be asked for."""
    # in the thread, and not when Blender starts: it takes a while
    from .dry_run import read_plans

    return scene, read_plans(scene)


def _failed(scene: Scene, error: Exception) -> tuple[Scene, Plans]:
    """Said where the plans would be, lest old ones stay there."""
    said = f"Something unforeseen happened: {name_of(error)}."
    return scene, Plans(trouble=f"{said} Blender's console has a report.")
