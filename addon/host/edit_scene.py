# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene ``Second Unit Edit``: one strip per shot, updated in place. Needs bpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..timeline.edit_plan import read_strip
from .edit_file import EDIT, edit_file, owned_scene
from .movies import add_image_strip, plain_colour, refuse_missing, set_rate
from .versions import abspath, ensure_editor, has_sound, show_in_sequencer, strip_get, strip_set, strips_of

if TYPE_CHECKING:
    from ..shot.documents import Fields
    from ..shot.ports import Progress
    from ..timeline.edit_plan import StripPlan

_SHOT, _KEY, _PLACE, _SOUND = (f"second_unit_{name}" for name in ("shot", "key", "place", "sound"))


def edit_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``edit``: layout, scene, edit, plan -> which strips were made, changed, kept and removed."""
    progress(0, 1, "building the edit")
    plan = args.section("plan")
    with edit_file(Path(args.text("edit")), Path(args.text("layout"))):
        layout = bpy.data.scenes[args.text("scene")]
        scene = owned_scene(EDIT, plan.text("scene"))
        _frame(scene, plan)
        report = _lay_strips(scene, [read_strip(item) for item in plan.sections("strips")], plan)
        report["sound"] = _lay_sound(scene, layout, plan)
        _show(scene)
    return report


def _frame(scene: Any, plan: Fields) -> None:
    set_rate(scene, plan.fraction("fps"))
    scene.render.resolution_x, scene.render.resolution_y = plan.integers("size", 2)
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = plan.integers("frames", 2)
    scene.frame_current = scene.frame_start
    plain_colour(scene)
    channels = ensure_editor(scene).channels
    for number, name in enumerate(plan.items("channels"), 1):
        channels[number].name = name


def _channel(plan: Fields, name: str) -> int:
    return plan.items("channels").index(name) + 1


def _lay_strips(scene: Any, plans: list[StripPlan], plan: Fields) -> dict[str, Any]:
    """Make and update the strips we own, found by their properties; whatever the editor added stays."""
    ours: dict[str, list[Any]] = {}
    for strip in strips_of(ensure_editor(scene)):
        if _SHOT in strip:
            ours.setdefault(strip[_SHOT], []).append(strip)
    report: dict[str, Any] = {"made": [], "changed": [], "kept": [], "removed": []}
    for item in plans:
        report[_update(scene, item, ours.pop(item.shot_uuid, []), _channel(plan, "Takes"))].append(item.name)
    for orphans in ours.values():
        report["removed"].append(orphans[0].name)
        _remove(scene, orphans)
    return report


def _update(scene: Any, item: StripPlan, old: list[Any], channel: int) -> str:
    """Bring the strips of one shot up to date (an editor may have cut one in two); returns what became of them.

    Another take in the same place keeps trims, effects and transitions: only the files change.
    """
    if old and all(strip[_KEY] == item.key for strip in old):
        return "kept"
    if old and all(strip.get(_PLACE) == item.place and len(strip.elements) == len(item.files) for strip in old):
        for strip in old:
            _refill(strip, item)
        return "changed"
    if old:
        channel = old[0].channel
        _remove(scene, old)
    _lay(scene, item, channel)
    return "changed" if old else "made"


def _remove(scene: Any, strips: list[Any]) -> None:
    for strip in strips:
        strips_of(scene.sequence_editor).remove(strip)


def _lay(scene: Any, item: StripPlan, channel: int) -> None:
    strip = add_image_strip(scene, item.name, [f"//{file}" for file in item.files], channel, item.start)
    strip_set(strip, "left_handle", item.cut.first)
    strip_set(strip, "right_handle", item.cut.last + 1)
    strip.transform.scale_x = strip.transform.scale_y = item.scale
    _own(strip, item)


def _refill(strip: Any, item: StripPlan) -> None:
    refuse_missing([f"//{file}" for file in item.files])
    folder, _ = item.files[0].rsplit("/", 1)
    strip.directory = f"//{folder}/"
    for element, file in zip(strip.elements, item.files, strict=True):
        element.filename = file.rsplit("/", 1)[1]
    _own(strip, item)


def _own(strip: Any, item: StripPlan) -> None:
    strip.colorspace_settings.name = "sRGB"
    strip[_SHOT], strip[_KEY], strip[_PLACE] = item.shot_uuid, item.key, item.place


def _lay_sound(scene: Any, layout: Any, plan: Fields) -> str:
    """Bring the layout's sound strips along, once. Packed sound is written beside the edit first."""
    source = layout.sequence_editor
    wanted = [s for s in strips_of(source) if s.type == "SOUND"] if source else []
    editor = ensure_editor(scene)
    known = {s[_SOUND] for s in strips_of(editor) if _SOUND in s}
    new = [s for s in wanted if s.name not in known]
    if new and not has_sound():
        return "this Blender was built without sound"
    for old in new:
        start = int(strip_get(old, "content_start"))
        strip = strips_of(editor).new_sound(old.name, _sound_file(old.sound), _channel(plan, "Sound"), start)
        strip_set(strip, "left_handle", strip_get(old, "left_handle"))
        strip_set(strip, "right_handle", strip_get(old, "right_handle"))
        strip.mute, strip.volume = old.mute, old.volume
        strip[_SOUND] = old.name
    return f"{len(wanted)} sound strips"


def _sound_file(sound: Any) -> str:
    """A path for the sound; a packed one is written into the project's ``sound`` folder."""
    if sound.packed_file is None:
        return abspath(sound.filepath)
    name = Path(sound.filepath.replace("\\", "/").rsplit("/", 1)[-1].removeprefix("//") or sound.name).name
    target = Path(abspath("//")) / "sound" / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(bytes(sound.packed_file.data))
    return f"//sound/{name}"


def _show(scene: Any) -> None:
    """Let whoever opens the file see the edit. Somebody's own arrangement with a sequencer in it is left alone."""
    window: Any = bpy.context.window
    if window is None:
        return
    window.scene = scene
    show_in_sequencer(scene)
    areas = sorted(window.screen.areas, key=lambda a: a.width * a.height)
    if any(area.type == "SEQUENCE_EDITOR" for area in areas):
        return
    window.workspace.name = "Edit"
    areas[-1].type = "SEQUENCE_EDITOR"
    space = areas[-1].spaces.active
    space.view_type, space.show_seconds = "SEQUENCER_PREVIEW", False
