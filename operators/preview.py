# SPDX-License-Identifier: GPL-3.0-or-later
"""The live preview's switch, and what lives while it is on: draw handler, handlers, a timer, a thread. Needs bpy."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from ..addon.commands.cures import for_panels
from ..addon.errors import SceneError, SecondUnitError
from ..addon.host.marks import ours
from .seat import Operator, Seat, open_file, open_project

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ..addon.commands.previewing import Answer, Question, Reader
    from ..addon.conditioning.preview import Guide, Plan
    from ..addon.host.preview import Preview
    from ..addon.shot.project import Project
    from ..addon.shot.shot import SceneInfo

GUIDES = (
    ("pose", "Pose", "Stick figures of the people, as the model gets them"),
    ("depth", "Depth", "Near is white, over the range of the shot's current package"),
    ("guide", "Guide", "People by pose, over the depth of everything"),
)
_EVERY_S, _LOOK_EVERY = 0.25, 8
_CHANGED = ("depsgraph_update_post", "frame_change_post")
_STALE = ("undo_post", "redo_post")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the panel draws: the guide that is on or "", and what went wrong."""

    guide: str = ""
    trouble: str = ""


class Previewing:
    """One per Blender, from enabling to disabling. Off, it leaves nothing with Blender."""

    def __init__(self) -> None:
        self.shown = Shown()
        self._preview: Preview | None = None
        self._reader: Reader | None = None
        self._answer: Answer | None = None
        self._asked: Question | None = None
        self._project: tuple[Path | None, Project | None] | None = None
        self._ticks = 0
        # Blender tells handlers and timers apart by the object, and a bound method is a new one each time
        self._timer, self._touched, self._undone, self._loading = self._call, self._touch, self._forget, self._load

    def turn(self, guide: str) -> None:
        """On with this guide; off when it is on already."""
        from ..addon.conditioning.preview import Guide

        if self.shown.guide == guide:
            self.stop()
        elif self._preview is not None:
            self._preview.guide = Guide(guide)
            self.shown = Shown(guide)
        else:
            self._start(Guide(guide))
        _redraw()

    def stop(self, trouble: str = "") -> None:
        """Off, with everything taken away again."""
        self._end()
        _take(bpy.app.handlers.load_pre, self._loading)
        self.shown = Shown(trouble=trouble)

    def tick(self) -> float | None:
        """Ask for what is to be known of the project, pick up the answer; returns the seconds to the next, or None."""
        preview, reader = self._preview, self._reader
        if preview is None or reader is None:
            return None
        trouble: BaseException | None = preview.trouble
        if (answer := reader.take()) is not None:
            trouble = trouble or answer.error
            if answer != self._answer:
                self._answer = answer
                _redraw()
        if trouble is not None:
            self.stop(_said(trouble))
            _redraw()
            return None
        self._ticks += 1
        question = self._question()
        if question != self._asked or self._ticks % _LOOK_EVERY == 0:
            self._asked = question
            reader.ask(question)
        return _EVERY_S

    def plan_at(self, scene: str, frame: int, camera: str) -> Plan | None:
        """How pictures of a frame would be made, if that is known."""
        plans = self._answer.scenes.get(scene) if self._answer else None
        return plans.at(frame, camera) if plans else None

    def _start(self, guide: Guide) -> None:
        from ..addon.commands.previewing import Reader
        from ..addon.host.preview import Preview

        with ExitStack() as undo:
            undo.callback(self._end)
            self._preview, self._reader = Preview(guide, self.plan_at), Reader()
            self._preview.begin()
            handlers: Any = bpy.app.handlers
            for names, handler in self._heard():
                for name in names:
                    getattr(handlers, name).append(handler)
            # one that is left from a file that could not be loaded
            _take(handlers.load_pre, self._loading)
            handlers.load_pre.append(self._loading)
            bpy.app.timers.register(self._timer, first_interval=0.0)
            self.shown = Shown(guide.value)
            undo.pop_all()

    def _end(self) -> None:
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
        handlers: Any = bpy.app.handlers
        for names, handler in self._heard():
            for name in names:
                _take(getattr(handlers, name), handler)
        if self._preview is not None:
            self._preview.end()
        if self._reader is not None:
            self._reader.stop()
        self._preview = self._reader = self._answer = self._asked = self._project = None

    def _heard(self) -> tuple[tuple[tuple[str, ...], Any], ...]:
        return (_CHANGED, self._touched), (_STALE, self._undone)

    def _call(self) -> float | None:
        """What Blender calls; it forgets a timer that raises, so that is the end of the preview."""
        with ExitStack() as last:
            last.push(self._survive)
            return self.tick()
        return None

    def _survive(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if kind is None or error is None or not issubclass(kind, Exception):
            return False
        self.stop(_said(error))
        return True

    def _touch(self, *_: object) -> None:
        if self._preview is not None:
            self._preview.touch()

    def _forget(self, *_: object) -> None:
        if self._preview is not None:
            self._preview.forget()

    def _load(self, *_: object) -> None:
        """Before another file: off. Not out of the list that Blender walks through just now; it clears that itself."""
        self._end()
        self.shown = Shown()

    def _question(self) -> Question:
        from ..addon.commands.previewing import Question

        # asks the disk only when another file was opened, or this one saved for the first time
        file = open_file()
        if self._project is None or self._project[0] != file:
            self._project = (file, open_project())
        return Question(self._project[1], _scenes())


class Previewed:
    """Mixin of what shows or switches the preview. `registration` sets it, and takes it away again."""

    previewing: ClassVar[Previewing]


class SECONDUNIT_OT_preview(Seat, Previewed, Operator):
    """Show what the model will be told, over the frame of viewports that look through the camera"""

    bl_idname = "second_unit.preview"
    bl_label = "Live Preview"
    bl_options = {"REGISTER"}

    guide: bpy.props.EnumProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Guide", description="What is shown; the one that is shown already is turned off", items=GUIDES
    )

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        """Of the guide of this button."""
        del context
        return next(text for name, _, text in GUIDES if name == properties.guide)

    def execute(self, context: Any) -> set[str]:
        """Turn it on, over, or off."""
        from ..addon.host.versions import can_draw

        del context
        chosen: Any = self
        try:
            if not can_draw():
                raise SceneError("There is no viewport to draw in.", "Use it in Blender's window.")
            self.previewing.turn(str(chosen.guide))
        except SecondUnitError as error:
            return self.refuse(error)
        return {"FINISHED"}


def _scenes() -> tuple[SceneInfo, ...]:
    """What the windows show, but for our own scenes. One that is not blocked yet is left out."""
    from ..addon.host.scene_reader import scene_info

    context: Any = bpy.context
    scenes: Any = bpy.data.scenes
    owned = ours(scenes)
    found: dict[str, SceneInfo] = {}
    for window in context.window_manager.windows:
        if window.scene not in owned:
            with suppress(SceneError):
                found[window.scene.name] = scene_info(window.scene)
    return tuple(found.values())


def _said(error: BaseException) -> str:
    """For the panel."""
    if isinstance(error, SecondUnitError):
        return for_panels(str(error))
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _take(handlers: list[Any], handler: object) -> None:
    if handler in handlers:
        handlers.remove(handler)


def _redraw() -> None:
    context: Any = bpy.context
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
