# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist at the panel: the extension is enabled in this very Blender, operators are called, the timer is driven.

Timers never fire in background, so the script calls what Blender's timer would.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from dump import dump_scene

PATIENCE_S = 240.0


def run(args: dict[str, Any]) -> Any:
    """``steps`` are done in order; returns what the panels showed and the layout was before and after."""
    registration, desk = _enable(args["root"])
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene = bpy.data.scenes[args["scene"]]
    for name, value in args.get("frames", {}).items():
        setattr(scene, name, value)
    if args.get("save"):
        bpy.ops.wm.save_mainfile()
    before = dump_scene(scene)
    answers = [_STEPS[step](registration, desk, args) for step in args["steps"]]
    view = desk.view
    answer = {
        "answers": answers, "message": view.message, "fix": view.fix, "is_error": view.is_error,
        "rows": [[row.name, row.state, row.mark] for row in view.rows], "file": bpy.data.filepath,
        "is_dirty": bpy.data.is_dirty, "before": before, "after": dump_scene(bpy.data.scenes[args["scene"]]),
        "scenes": [s.name for s in bpy.data.scenes], "strips": _strips(),
    }  # fmt: skip
    registration.unregister()
    return answer


def _enable(root: str, name: str = "bl_ext") -> tuple[Any, Any]:
    # named as Blender names an installed extension: nothing may depend on the name
    spec = importlib.util.spec_from_file_location(
        name, Path(root) / "__init__.py", submodule_search_locations=[str(Path(root))]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    module.register()
    seat = sys.modules[f"{name}.operators.seat"]
    return sys.modules[f"{name}.addon.registration"], seat.Seat.desk


def _tick(registration: Any) -> None:
    registration._registered.ticker.tick()
    time.sleep(0.05)


def _press(registration: Any, desk: Any, _: dict[str, Any]) -> str:
    """The button; an error of ours comes as a RuntimeError from a script."""
    del registration, desk
    try:
        bpy.ops.second_unit.run_loop()
    except RuntimeError as error:
        return str(error)
    return ""


def _finish(registration: Any, desk: Any, _: dict[str, Any]) -> str:
    return _until(registration, desk, lambda: desk.loop is None)


def _settle(registration: Any, desk: Any, _: dict[str, Any]) -> str:
    """Until the list has heard of the project, and of the end of its jobs."""

    def is_settled() -> bool:
        rows = desk.view.rows
        return bool(rows and rows[0].state) and all(row.mark != "running" for row in rows)

    return _until(registration, desk, is_settled)


def _reach(step: str) -> Any:
    return lambda registration, desk, _: _until(registration, desk, lambda: desk.view.step == step)


def _until(registration: Any, desk: Any, is_so: Any) -> str:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        _tick(registration)
        if time.monotonic() > end:
            return f"in vain: {desk.view}"
    for _ in range(3):
        _tick(registration)
    return ""


def _cancel(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    bpy.ops.second_unit.cancel()
    return _finish(registration, desk, args)


def _kill_loop(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    desk.loop.process.kill()
    return _finish(registration, desk, args)


def _break_edit(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    del registration, desk
    project = Path(args["blend"]).parent / "second_unit" / Path(args["blend"]).stem
    shutil.rmtree(project / "edit.blend", ignore_errors=True)
    (project / "edit.blend").unlink(missing_ok=True)
    (project / "edit.blend").mkdir()
    return ""


def _break_conditioning(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """A file where the cache should be."""
    del registration, desk
    return _put(args, "cache", "no folder")


def _break_generating(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """A service that is not there."""
    del registration, desk
    return _put(args, "project.toml", f'schema = "second_unit.project/1"\n[service]\nname = "{args["nobody"]}"\n')


def _break_comp(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """A file where the comps should be."""
    del registration, desk
    return _put(args, "SH010/comp", "no folder")


def _put(args: dict[str, Any], name: str, text: str) -> str:
    file = Path(args["blend"]).parent / "second_unit" / Path(args["blend"]).stem / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return ""


def _break_review(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    del registration, desk
    return _put(args, "review", "no folder")


def _surprise(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """Something nobody foresaw, once; then the timer goes on."""
    del desk, args
    ticker = registration._registered.ticker

    def fail() -> float:
        raise ZeroDivisionError("nobody foresaw this")

    ticker.tick = fail
    again = ticker._timer()
    del ticker.tick
    return "" if again > 0 and ticker._timer() > 0 else "in vain"


def _damage_settings(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    del registration, desk
    return _put(args, "project.toml", 'schema = "second_unit.project/1"\n[service\n')


def _test_service(registration: Any, desk: Any, _: dict[str, Any]) -> str:
    """The button of the preferences; an error of ours comes as a RuntimeError from a script."""
    del registration, desk
    try:
        bpy.ops.second_unit.test_service()
    except RuntimeError as error:
        return str(error)
    return ""


def _move(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """A change of the artist's own, before the loop, as a step that can be undone."""
    del registration, desk, args
    bpy.context.scene.objects[0].location.x += 1
    bpy.ops.ed.undo_push(message="Move")
    return ""


def _undo(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """Undo the edit, and only that."""
    del registration, desk, args
    before = bpy.context.scene.objects[0].location.x
    bpy.ops.ed.undo()
    after = bpy.context.scene.objects[0].location.x
    return f"scenes {[s.name for s in bpy.data.scenes]}, moved by {after - before:g}"


def _rename(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """The layout gets another name while the loop is at work, and another scene is shown."""
    del registration, desk, args
    bpy.data.scenes["Layout"].name = "Blocking"
    return ""


def _name_back(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    del registration, desk, args
    bpy.data.scenes["Blocking"].name = "Layout"
    return ""


def _disable(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """The extension is disabled in the middle of a loop: nothing may be left, not even a temporary folder."""
    del args
    folder = desk.loop.order.folder
    registration.unregister()
    registration.register()
    return str(folder.exists())


def _twice(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """The same extension from another repository takes the first one's place; then the first is disabled."""
    del desk
    second, _ = _enable(args["root"], "bl_ext_other")
    registration.unregister()
    stays = "run_loop" in dir(bpy.ops.second_unit)
    second.unregister()
    gone = "run_loop" not in dir(bpy.ops.second_unit)
    registration.register()
    return f"{stays} {gone}"


def _link_in_a_circle(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """The folder of projects is a link to itself, found when the file is opened."""
    link = Path(args["blend"]).parent / "second_unit"
    shutil.rmtree(link, ignore_errors=True)
    link.symlink_to(link.name)
    for _ in range(30):
        _tick(registration)
    return str(desk.view.problem)


class _Grab:
    bl_options = frozenset({"REGISTER", "UNDO", "BLOCKING"})


class _Listener:
    bl_options = frozenset({"REGISTER"})


def _grab(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """The loop ends while the artist is moving something, in the second window; then the hand is still.

    In background nothing is modal, so the windows are feigned.
    """
    ticking = sys.modules["bl_ext.operators.ticking"]
    modal: list[Any] = [_Listener(), _Grab()]
    windows = [SimpleNamespace(modal_operators=[_Listener()], screen=SimpleNamespace(areas=[])) for _ in range(2)]
    windows[1].modal_operators = modal
    feigned = SimpleNamespace(
        context=SimpleNamespace(
            window_manager=SimpleNamespace(windows=windows), window=object(), scene=bpy.context.scene
        ),
        app=bpy.app,
    )
    ticking.bpy = feigned
    try:
        told = _finish(registration, desk, args)
        during = [s.name for s in bpy.data.scenes]
        modal.pop()
        _tick(registration)
    finally:
        ticking.bpy = bpy
    return told or f"{during} {[s.name for s in bpy.data.scenes]}"


def _autopack(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """An image that Blender packs with every save of this file, when it is told so."""
    del registration, desk
    picture = Path(args["blend"]).parent / "wall.png"
    image = bpy.data.images.new("Wall", 8, 8)
    image.filepath_raw, image.file_format = str(picture), "PNG"
    image.save()
    bpy.data.images.remove(image)
    bpy.data.images.load(str(picture)).use_fake_user = True
    bpy.data.use_autopack = True
    return ""


def _packed(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    del registration, desk, args
    return f"{bpy.data.images['wall.png'].packed_file is not None} {bpy.data.use_autopack}"


def _tell(registration: Any, desk: Any, args: dict[str, Any]) -> str:
    """Say that a job is at work, and stay until somebody kills this Blender."""
    del registration, desk
    Path(args["told"]).touch()
    time.sleep(PATIENCE_S)
    return "nobody came"


_STEPS = {
    "press": _press, "finish": _finish, "cancel": _cancel, "settle": _settle, "kill loop": _kill_loop,
    "until conditioning": _reach("Conditioning"), "until generating": _reach("Generating"),
    "until comp": _reach("Comp"), "break edit": _break_edit, "break review": _break_review,
    "break conditioning": _break_conditioning, "break generating": _break_generating, "break comp": _break_comp,
    "surprise": _surprise, "move": _move, "undo": _undo, "rename": _rename, "name back": _name_back,
    "disable": _disable, "autopack": _autopack, "packed": _packed, "tell": _tell,
    "twice": _twice, "link in a circle": _link_in_a_circle, "grab": _grab,
    "damage settings": _damage_settings, "test service": _test_service,
}  # fmt: skip


def _strips() -> list[list[Any]]:
    scene: Any = bpy.data.scenes.get("Second Unit Edit")
    if scene is None:
        return []
    editor = scene.sequence_editor
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    return [[s.name, s.type, s.channel] for s in strips]
