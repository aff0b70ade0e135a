# SPDX-License-Identifier: GPL-3.0-or-later
"""The live preview's life in a Blender without a window: what it hangs into Blender, and that it takes it away."""

from __future__ import annotations

import importlib
import sys
import time
from types import SimpleNamespace
from typing import Any

import bpy
import people
from panel import _enable  # pyright: ignore[reportPrivateUsage]

LISTS = ("load_pre", "undo_post", "redo_post", "depsgraph_update_post", "frame_change_post")


class _Watched:
    """In place of Blender's own: counts the draw handlers that stand. Blender has no list of them."""

    def __init__(self) -> None:
        self.standing: list[Any] = []
        view: Any = bpy.types.SpaceView3D
        self._add, self._remove = view.draw_handler_add, view.draw_handler_remove

    def draw_handler_add(self, *args: Any) -> Any:
        handle = self._add(*args)
        self.standing.append(handle)
        return handle

    def draw_handler_remove(self, handle: Any, kind: str) -> None:
        self._remove(handle, kind)
        self.standing.remove(handle)


def run(args: dict[str, Any]) -> Any:
    """``step``: one of the functions below, with the preview on."""
    registration, desk = _enable(args["root"])
    scene = people.build()
    module = sys.modules["bl_ext.operators.preview"]
    host = importlib.import_module("bl_ext.addon.host.preview")
    watched = _Watched()
    host.bpy = SimpleNamespace(
        types=SimpleNamespace(SpaceView3D=watched), context=bpy.context, data=bpy.data, app=bpy.app
    )
    previewing = module.Previewed.previewing
    before = _hung(watched, previewing)
    previewing.turn("pose")
    during = _hung(watched, previewing)
    answer = _STEPS[args["step"]](previewing, scene, registration)
    return {
        "before": before, "during": during, "after": _hung(watched, previewing), "answer": answer,
        "shown": [previewing.shown.guide, previewing.shown.trouble], "desk": desk.view.message,
    }  # fmt: skip


def _hung(watched: _Watched, previewing: Any) -> dict[str, int]:
    ours = {name: sum(_is_ours(run) for run in getattr(bpy.app.handlers, name)) for name in LISTS}
    timers = int(bpy.app.timers.is_registered(previewing._timer))
    return {**ours, "draw": len(watched.standing), "timers": timers}


def _is_ours(run: Any) -> bool:
    return "operators.preview" in getattr(run, "__module__", "")


def _again(previewing: Any, scene: Any, registration: Any) -> Any:
    del scene, registration
    previewing.turn("pose")


def _other(previewing: Any, scene: Any, registration: Any) -> Any:
    del scene, registration
    previewing.turn("depth")
    return previewing.shown.guide


def _disable(previewing: Any, scene: Any, registration: Any) -> Any:
    del previewing, scene
    registration.unregister()


def _load(previewing: Any, scene: Any, registration: Any) -> Any:
    del previewing, scene, registration
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def _undo(previewing: Any, scene: Any, registration: Any) -> Any:
    """References to objects die with an undo; the preview finds its people again."""
    del registration
    preview = previewing._preview
    name = scene.name
    bpy.ops.ed.undo_push(message="before")
    bpy.data.objects["Box"].location.x = 5
    bpy.ops.ed.undo_push(message="after")
    told = [_people(preview, name)]
    bpy.ops.ed.undo()
    return [*told, _people(preview, name)]


def _rigs(previewing: Any, scene: Any, registration: Any) -> Any:
    """Rigs come, go, and are hidden from the render."""
    del registration
    preview, name = previewing._preview, scene.name
    told = [_people(preview, name)]
    bpy.data.objects["Body"].hide_render = bpy.data.objects["Hat"].hide_render = True
    bpy.data.objects["Bag"].hide_render = bpy.data.objects["Strap"].hide_render = True
    told.append(_people(preview, name))
    people.metarig("Bob")
    told.append(_people(preview, name))
    bpy.data.objects.remove(bpy.data.objects["Ada"])
    return [*told, _people(preview, name)]


def _people(preview: Any, name: str) -> list[list[Any]]:
    """Who is there, and whether any of their joints are."""
    scene = bpy.data.scenes[name]
    layer = scene.view_layers[0]
    layer.update()
    found = preview._crew.people(scene, layer.depsgraph)
    return [[person.key, bool((person.joints == person.joints).any())] for person in found]


def _plan(previewing: Any, scene: Any, registration: Any) -> Any:
    """What is to be known comes from a thread."""
    del registration
    told = [previewing.plan_at(scene.name, 1, "Camera") is None]
    for _ in range(100):
        previewing.tick()
        if previewing.plan_at(scene.name, 1, "Camera") is not None:
            break
        time.sleep(0.05)
    plan = previewing.plan_at(scene.name, 1, "Camera")
    return [*told, list(plan.size), plan.locked is None]


def _trouble(previewing: Any, scene: Any, registration: Any) -> Any:
    """The handler keeps it to itself; the next tick tells. A context without anything in it is what fails here."""
    del scene, registration
    preview = previewing._preview
    sys.modules["bl_ext.addon.host.preview"].bpy.context = SimpleNamespace()
    preview._draw()
    first = preview.trouble
    preview._draw()
    told = [first is not None, preview.trouble is first, previewing.shown.guide]
    previewing.tick()
    return told


def _press(previewing: Any, scene: Any, registration: Any) -> Any:
    """The button, in a Blender that cannot draw."""
    del scene, registration
    previewing.stop()
    try:
        bpy.ops.second_unit.preview(guide="pose")
    except RuntimeError as error:
        return str(error)
    return ""


_STEPS = {
    "again": _again, "other": _other, "disable": _disable, "load": _load, "undo": _undo, "rigs": _rigs, "plan": _plan,
    "trouble": _trouble, "press": _press,
}  # fmt: skip
