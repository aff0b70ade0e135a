# SPDX-License-Identifier: GPL-3.0-or-later
"""The timer: lets the desk pick up what is new, redraws the panels, lays a finished edit. Needs bpy.

In background timers never fire: whoever drives Blender there calls `Ticker.tick` in a loop.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import bpy

from ..addon.commands.desk import Plan
from ..addon.errors import SecondUnitError
from .seat import layout_scene, open_file, open_project, ops

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ..addon.commands.desk import Desk, Loop
    from ..addon.shot.project import Project
    from ..addon.shot.shot import Blocking

_LOG = logging.getLogger(__name__)
_BUSY_S, _IDLE_S = 0.25, 1.0
# a script's call makes no undo step, and no unsaved change, unless it says so
_UNDOABLE = ("EXEC_DEFAULT", True)
_SHOWING = {"VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES"}


class Ticker:
    """Registers itself with Blender from `start` to `stop`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # Blender tells timers apart by the object, and a bound method is a new one each time
        self._timer = self._call
        self._project: tuple[Path | None, Project | None] = (None, None)
        self._is_to_lay = False
        desk.on_loop_end = self._ended
        desk.revive = _revive

    def start(self) -> None:
        """From now on, also over the loading of files."""
        bpy.app.timers.register(self._timer, first_interval=_BUSY_S, persistent=True)

    def stop(self) -> None:
        """Leave nothing behind."""
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
        loop = self._desk.loop
        self._desk.close()
        if loop is not None:
            _tidy(loop)

    def _call(self) -> float:
        """What Blender calls. A timer that raises is never called again, so what nobody foresaw is told instead."""
        with ExitStack() as last:
            last.push(self._survive)
            return self.tick()
        return _IDLE_S

    def _survive(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if kind is None or error is None or not issubclass(kind, Exception):
            return False
        _LOG.error("the panels could not be brought up to date", exc_info=error)
        said = f"{kind.__name__}: {error}".splitlines()[0].rstrip(".: ")
        self._desk.say(f"Something unforeseen happened: {said}.", "Blender's console has a report.", is_error=True)
        return True

    def tick(self) -> float:
        """One slice of work; returns the seconds to the next."""
        if self._desk.tick(_blocked(), self._known_project()):
            _redraw()
        if self._is_to_lay:
            self._is_to_lay = False
            _lay()
            _redraw()
        return _IDLE_S if self._desk.loop is None else _BUSY_S

    def _known_project(self) -> Project | None:
        """Asks the disk only when another file was opened."""
        file = open_file()
        if self._project[0] != file:
            self._project = (file, open_project())
        return self._project[1]

    def _ended(self, loop: Loop, code: int) -> None:
        """Tidy up after a loop, and lay its edit if its file is still the one that is open."""
        if code == 0 and loop.told.plan is not None:
            self._is_to_lay = open_file() == loop.order.original
            if self._is_to_lay:
                self._desk.plan = Plan(loop.told.plan, loop.order.scene)
            else:
                self._desk.say(
                    f"The takes of '{loop.order.original.name}' are there.", "Open it and press Update the Edit."
                )
        _tidy(loop, keeps_log=code != 0 and not loop.is_cancelled and loop.told.error is None)


def _tidy(loop: Loop, *, keeps_log: bool = False) -> None:
    """Remove what a loop leaves when it could not do so itself."""
    from ..addon.host.hidden_copy import remove_copy

    if not keeps_log:
        shutil.rmtree(loop.order.folder, ignore_errors=True)
    remove_copy(loop.order.copy)


def _revive(project: Project) -> None:
    from ..addon.commands.revive import revive_runner

    revive_runner(project)


def _blocked() -> tuple[Blocking, ...] | SecondUnitError:
    from ..addon.host.scene_reader import scene_info

    try:
        return scene_info(layout_scene()).shots
    except SecondUnitError as error:
        return error


def _lay() -> None:
    """As an operator, so that it can be undone."""
    context: Any = bpy.context
    windows = context.window_manager.windows
    # the operator says its errors to the desk; to a script they come as RuntimeError besides
    with suppress(RuntimeError):
        if windows and context.window is None:
            with context.temp_override(window=windows[0]):
                ops.second_unit.lay_edit(*_UNDOABLE)
        else:
            ops.second_unit.lay_edit(*_UNDOABLE)


def _redraw() -> None:
    context: Any = bpy.context
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in _SHOWING:
                area.tag_redraw()
