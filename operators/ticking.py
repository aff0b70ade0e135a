# SPDX-License-Identifier: GPL-3.0-or-later
"""The timer: lets the desk pick up what is new, redraws the panels, lays a finished edit. Needs bpy.

In background timers never fire: whoever drives Blender there calls `Ticker.tick` in a loop.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import bpy

from ..addon.commands.desk import Plan
from ..addon.commands.loop_folder import remove_loop_folder
from ..addon.commands.planning import Planner, Scene
from ..addon.errors import SecondUnitError
from ..addon.host.unforeseen import name_of
from .seat import Seat, layout_scene, open_file, open_project, ops

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ..addon.commands.desk import Desk, Loop, Order
    from ..addon.shot.project import Project
    from ..addon.shot.shot import SceneInfo

_LOG = logging.getLogger(__name__)
_BUSY_S, _IDLE_S = 0.25, 1.0
# a script's call makes no undo step, and no unsaved change, unless it says so
_UNDOABLE = ("EXEC_DEFAULT", True)
_SHOWING = {"VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES"}
_CHANGING = {"UNDO", "UNDO_GROUPED", "BLOCKING"}
"""Options of an operator that changes something until it ends, such as a grab; what only listens has none of them."""


class Ticker:
    """Registers itself with Blender from `start` to `stop`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._planner = Planner()
        # Blender tells timers apart by the object, and a bound method is a new one each time
        self._timer = self._call
        self._project: tuple[Path | None, Project | None] = (None, None)
        self._waiting: Order | None = None
        desk.on_loop_end = self._ended
        desk.revive = _revive

    def start(self) -> None:
        """From now on, also over the loading of files."""
        Seat.planner = self._planner
        bpy.app.timers.register(self._timer, first_interval=_BUSY_S, persistent=True)

    def stop(self) -> None:
        """Leave nothing behind."""
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
        loop = self._desk.loop
        self._desk.close()
        if loop is not None:
            _tidy(loop)
        self._planner.stop()
        del Seat.planner

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
        said = f"Something unforeseen happened: {name_of(error)}."
        self._desk.say(said, "Blender's console has a report.", is_error=True)
        return True

    def tick(self) -> float:
        """One slice of work; returns the seconds to the next."""
        try:
            project, found = self._known_project(), _scene_info()
        except SecondUnitError as error:
            project, found = None, error
        blocked = found if isinstance(found, SecondUnitError) else found.shots
        is_planned_anew = self._planner.tick(_to_be_planned(project, found))
        if self._desk.tick(blocked, project) or is_planned_anew:
            _redraw()
        # laying makes an undo step, which must not hold half of what the artist is just doing
        if self._waiting is not None and not _is_artist_changing():
            order, self._waiting = self._waiting, None
            self._lay(order)
            _redraw()
        is_idle = self._desk.loop is None and self._waiting is None and not self._planner.is_busy
        return _IDLE_S if is_idle else _BUSY_S

    def _lay(self, order: Order) -> None:
        """Lay the edit of a loop if its file is still the one that is open."""
        if open_file() == order.original:
            _lay()
            return
        self._desk.plan = None
        self._desk.say(f"The takes of '{order.original.name}' are there.", "Open it and press Update the Edit.")

    def _known_project(self) -> Project | None:
        """Asks the disk only when another file was opened."""
        file = open_file()
        if self._project[0] != file:
            self._project = (file, open_project())
        return self._project[1]

    def _ended(self, loop: Loop, code: int) -> None:
        """Tidy up after a loop; its edit is laid by the next tick that finds the artist's hands still."""
        if code == 0 and loop.told.plan is not None:
            self._desk.plan = Plan(loop.told.plan, loop.order.scene)
            self._waiting = loop.order
        _tidy(loop, keeps_log=code != 0 and not loop.is_cancelled and loop.told.error is None)


def _tidy(loop: Loop, *, keeps_log: bool = False) -> None:
    """Remove what a loop leaves when it could not do so itself."""
    from ..addon.host.hidden_copy import remove_copy

    if not keeps_log:
        remove_loop_folder(loop.order.folder)
    remove_copy(loop.order.copy)


def _revive(project: Project) -> None:
    from ..addon.commands.revive import revive_runner

    revive_runner(project)


def _scene_info() -> SceneInfo | SecondUnitError:
    from ..addon.host.scene_reader import scene_info

    try:
        return scene_info(layout_scene())
    except SecondUnitError as error:
        return error


def _to_be_planned(project: Project | None, found: SceneInfo | SecondUnitError) -> Scene | None:
    """A file that was never saved has no project, and nothing can be made of it yet."""
    file = open_file()
    if file is None or project is None or isinstance(found, SecondUnitError):
        return None
    return Scene(file, project, found)


def _is_artist_changing() -> bool:
    """Whether an operator at work in some window will make an undo step of its own when it ends."""
    context: Any = bpy.context
    return any(
        _CHANGING & set(operator.bl_options)
        for window in context.window_manager.windows
        for operator in window.modal_operators
    )


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
