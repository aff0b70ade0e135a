# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene ``Second Unit Edit``: one strip per shot, updated in place. Needs bpy."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy

from ..shot.documents import digest, digest_file, write_atomic
from ..shot.naming import folder_name
from ..timeline.edit_plan import read_strip
from .edit_file import edit_file, follow_name, is_renamed, owned_scene
from .marks import EDIT, LAYOUT
from .movies import add_image_strip, plain_colour, refuse_missing, set_rate
from .versions import abspath, ensure_editor, has_sound, show_in_sequencer, strip_get, strip_set, strips_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..shot.documents import Fields
    from ..shot.ports import Progress
    from ..timeline.edit_plan import StripPlan

_SHOT, _KEY, _PLACE = (f"second_unit_{name}" for name in ("shot", "key", "place"))
# on every strip of ours: the scene it was laid from
_FROM = "second_unit_from"
# the name of the layout's sound strip, and what it was like when ours was last brought up to date
_SOUND, _SOUND_WAS = "second_unit_sound", "second_unit_sound_was"
_LEVELS = ("volume", "pan", "mute")
_LAST_CHANNEL = 128


def edit_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``edit``: layout, scene, edit, plan -> which strips were made, changed, kept and removed.

    ``notes`` are sentences about what could not be as planned.
    """
    progress(0, 1, "building the edit")
    plan = args.section("plan")
    with edit_file(Path(args.text("edit")), Path(args.text("layout"))):
        report = lay_edit(bpy.data.scenes[args.text("scene")], plan, "//")
        _show(owned_scene(EDIT, plan.text("scene")))
    return report


def lay_edit(layout: Any, plan: Fields, root: str) -> dict[str, Any]:
    """Bring the edit of ``layout`` in the open file up to date; see `edit_task` for the report.

    ``root`` is the project's folder, absolute or beginning with ``//``, and ends with a slash. Strips of another layout
    that stands in the file stay where and as they are.
    """
    scene = owned_scene(EDIT, plan.text("scene"))
    for strip in _strips_without_layout(scene):
        strip[_FROM] = scene.get(LAYOUT, layout.name)
    scene[LAYOUT] = layout.name
    _frame(scene, plan)
    strips = [read_strip(item) for item in plan.sections("strips")]
    report = _lay_strips(scene, [replace(s, files=tuple(f"{root}{f}" for f in s.files)) for s in strips], plan)
    report["sound"] = _lay_sounds(scene, layout, plan, _Sounds(root, report["notes"]))
    report["sound_files"] = _written_sounds(scene, root)
    return report


def _strips_without_layout(scene: Any) -> list[Any]:
    """Strips laid when an edit was that of one layout only."""
    ours = (strip for mark in (_SHOT, _SOUND) for strips in _owned_strips(scene, mark).values() for strip in strips)
    return [strip for strip in ours if _FROM not in strip]


def _is_of_another(strip: Any, scene: Any) -> bool:
    """Whether a strip was laid from another layout than the edit is now laid from, and that one still stands."""
    return strip[_FROM] != scene[LAYOUT] and strip[_FROM] in bpy.data.scenes


def _frame(scene: Any, plan: Fields) -> None:
    set_rate(scene, plan.fraction("fps"))
    scene.render.resolution_x, scene.render.resolution_y = plan.integers("size", 2)
    scene.render.resolution_percentage = 100
    first, last = plan.integers("frames", 2)
    others = [s for strips in _owned_strips(scene, _SHOT).values() for s in strips if _is_of_another(s, scene)]
    scene.frame_start = min([first, *(int(strip_get(s, "left_handle")) for s in others)])
    scene.frame_end = max([last, *(int(strip_get(s, "right_handle")) - 1 for s in others)])
    scene.frame_current = scene.frame_start
    plain_colour(scene)
    channels = ensure_editor(scene).channels
    for number, name in enumerate(plan.items("channels"), 1):
        channels[number].name = name


def _lay_strips(scene: Any, plans: list[StripPlan], plan: Fields) -> dict[str, Any]:
    """Make and update the strips we own, found by their properties; whatever the editor added stays.

    First everything that has to leave its place does, then what is new is laid: no shot pushes another one aside.
    """
    ours, theirs = _owned_strips(scene, _SHOT), _names_of_others(scene)
    report: dict[str, Any] = {"made": [], "changed": [], "kept": [], "removed": [], "notes": []}
    to_lay: list[StripPlan] = []
    for item in plans:
        fate, is_to_lay = _update(scene, item, ours.pop(item.shot_uuid, []))
        report[fate].append(item.name)
        if is_to_lay:
            to_lay.append(item)
    for orphans in ours.values():
        if any(_is_of_another(strip, scene) for strip in orphans):
            continue
        report["removed"].append(orphans[0].name)
        _remove(scene, orphans)
    report["notes"] += [_gone(name) for name in theirs if name not in _names_of_others(scene)]
    _follow_names(scene, plans)
    channels = plan.items("channels")
    report["notes"] += [note for item in to_lay if (note := _lay(scene, item, channels))]
    return report


def _names_of_others(scene: Any) -> list[str]:
    return [strip.name for strip in strips_of(ensure_editor(scene)) if _SHOT not in strip]


def _gone(name: str) -> str:
    return f"The strip '{name}' worked on a shot that had to be laid anew, and went with it: make it again."


def _owned_strips(scene: Any, mark: str) -> dict[str, list[Any]]:
    """Our strips by what their property ``mark`` says; an editor may have cut one in two."""
    ours: dict[str, list[Any]] = {}
    for strip in strips_of(ensure_editor(scene)):
        if mark in strip:
            ours.setdefault(strip[mark], []).append(strip)
    return ours


def _update(scene: Any, item: StripPlan, old: list[Any]) -> tuple[str, bool]:
    """Bring the strips of one shot up to date where they lie. Returns what becomes of them, and whether to lay one.

    Another take in the same place keeps trims, effects and transitions: only the files change.
    """
    for strip in old:
        strip[_FROM] = scene[LAYOUT]
    if old and all(strip[_KEY] == item.key for strip in old):
        return "kept", False
    if old and all(strip.get(_PLACE) == item.place and len(strip.elements) == len(item.files) for strip in old):
        for strip in old:
            _refill(scene, strip, item)
        return "changed", False
    _remove(scene, old)
    return ("changed" if old else "made"), True


def _remove(scene: Any, strips: list[Any]) -> None:
    for strip in strips:
        strips_of(scene.sequence_editor).remove(strip)


def _follow_names(scene: Any, plans: list[StripPlan]) -> None:
    """Strips follow their shots' names. By way of the uuid: two shots may have swapped names."""
    ours = _owned_strips(scene, _SHOT)
    renamed = [(s, item) for item in plans for s in ours.get(item.shot_uuid, []) if is_renamed(s, item.name)]
    for way in ("shot_uuid", "name"):
        for strip, item in renamed:
            follow_name(strip, getattr(item, way))


def _lay(scene: Any, item: StripPlan, channels: list[str]) -> str:
    """Lay a shot on the channel of the takes, or on the next one that is free at its frames; then a note says so.

    It is trimmed on an empty channel first: a strip that touches another while it changes is pushed aside by Blender.
    """
    place, takes = (item.start, item.cut.first, item.cut.last + 1), channels.index("Takes") + 1
    in_its_place = _strips_at(scene, takes, *place[1:])
    channel = _free_channel(scene, range(takes, _LAST_CHANNEL), *place[1:])
    strip = add_image_strip(scene, item.name, item.files, _empty_channel(scene), item.start)
    _put(scene, strip, place, channel)
    strip.transform.scale_x = strip.transform.scale_y = item.scale
    _own(scene, strip, item)
    follow_name(strip, item.name)
    if not in_its_place:
        return ""
    called = f" ({channels[channel - 1]})" if channel <= len(channels) else ""
    return f"{item.name} lies on channel {channel}{called}: the strip '{in_its_place[0].name}' is in its place."


def _put(scene: Any, strip: Any, place: Sequence[float], channel: int) -> None:
    """Bring a strip to (content start, left handle, right handle) and a channel that is free there."""
    start, left, right = place
    strip.channel = _empty_channel(scene)
    strip_set(strip, "content_start", start)
    # the right one first and last: handles cannot pass each other
    for name, frame in (("right_handle", right), ("left_handle", left), ("right_handle", right)):
        strip_set(strip, name, int(frame))
    strip.channel = channel


def _strips_at(scene: Any, channel: int, left: float, right: float) -> list[Any]:
    return [
        strip
        for strip in strips_of(scene.sequence_editor)
        if strip.channel == channel and strip_get(strip, "left_handle") < right
        and strip_get(strip, "right_handle") > left
    ]  # fmt: skip


def _free_channel(scene: Any, channels: Iterable[int], left: float, right: float) -> int:
    """The first of ``channels`` with nothing between two frames; the last channel when there is none."""
    return next((c for c in channels if not _strips_at(scene, c, left, right)), _LAST_CHANNEL)


def _empty_channel(scene: Any) -> int:
    used = {strip.channel for strip in strips_of(scene.sequence_editor)}
    return next((c for c in range(_LAST_CHANNEL, 0, -1) if c not in used), _LAST_CHANNEL)


def _refill(scene: Any, strip: Any, item: StripPlan) -> None:
    refuse_missing(item.files)
    folder, _ = item.files[0].rsplit("/", 1)
    strip.directory = f"{folder}/"
    for element, file in zip(strip.elements, item.files, strict=True):
        element.filename = file.rsplit("/", 1)[1]
    _own(scene, strip, item)


def _own(scene: Any, strip: Any, item: StripPlan) -> None:
    strip.colorspace_settings.name = "sRGB"
    strip[_SHOT], strip[_KEY], strip[_PLACE] = item.shot_uuid, item.key, item.place
    strip[_FROM] = scene[LAYOUT]


@dataclass(frozen=True, slots=True)
class _Sounds:
    """Where packed sound is written, and what there is to say about sound."""

    root: str
    notes: list[str]


def _lay_sounds(scene: Any, layout: Any, plan: Fields, sounds: _Sounds) -> str:
    """Let our sound strips follow the layout's. Packed sound is written into the project first."""
    source = layout.sequence_editor
    wanted = {s.name: s for s in strips_of(source) if s.type == "SOUND" and s.sound is not None} if source else {}
    ours, theirs_too = _sounds_by_layout(scene)
    for name in ours.keys() - wanted.keys():
        _remove(scene, ours[name])
    channels = [plan.items("channels").index("Sound") + 1, *range(len(plan.items("channels")) + 1, _LAST_CHANNEL)]
    is_left_out = False
    for name, theirs in wanted.items():
        now = _sound_state(theirs, sounds.root)
        if not Path(abspath(now["file"])).is_file():
            sounds.notes.append(f"The sound file '{abspath(now['file'])}' of the layout's strip '{name}' is missing.")
        if now in theirs_too:
            continue
        is_left_out |= not _follow_sound(scene, name, now, ours.get(name, []), channels)
    return "this Blender was built without sound" if is_left_out else f"{len(wanted)} sound strips"


def _sounds_by_layout(scene: Any) -> tuple[dict[str, list[Any]], list[dict[str, Any]]]:
    """The sound strips of this layout by name, and what those of others hold: no sound is to be heard twice."""
    ours: dict[str, list[Any]] = {}
    others: list[dict[str, Any]] = []
    for name, strips in _owned_strips(scene, _SOUND).items():
        for strip in strips:
            if _is_of_another(strip, scene):
                others.append(_sound_was(strip, {}))
            else:
                ours.setdefault(name, []).append(strip)
    return ours, others


def _written_sounds(scene: Any, root: str) -> list[str]:
    """The sound files we wrote, as seen from the project."""
    strips = (strip for ours in _owned_strips(scene, _SOUND).values() for strip in ours)
    files = {str(_sound_was(strip, {}).get("file", "")) for strip in strips}
    return sorted(file.removeprefix(root) for file in files if file.startswith(root))


def _sound_state(strip: Any, root: str) -> dict[str, Any]:
    """What of a sound strip is followed, each for itself."""
    place = [float(strip_get(strip, name)) for name in ("content_start", "left_handle", "right_handle")]
    return {"file": _sound_file(strip.sound, root), "place": place, **{n: getattr(strip, n) for n in _LEVELS}}


def _follow_sound(scene: Any, name: str, now: dict[str, Any], ours: list[Any], channels: list[int]) -> bool:
    """Bring our strips of one sound up to date in what changed in the layout; the rest is the editor's.

    False when this Blender cannot, because it was built without sound.
    """
    was = _sound_was(ours[0], now) if ours else {}
    if was.get("file") != now["file"]:
        if not has_sound():
            return False
        ours = [_new_sound(scene, name, now, old, channels) for old in ours or [None]]
    if was.get("place") != now["place"]:
        _remove(scene, ours[1:])
        ours = ours[:1]
        _put_sound(scene, ours[0], now["place"], [ours[0].channel, *channels] if was else channels)
    for strip in ours:
        for level in _LEVELS:
            if was.get(level) != now[level]:
                setattr(strip, level, now[level])
        strip[_SOUND], strip[_SOUND_WAS], strip[_FROM] = name, json.dumps(now), scene[LAYOUT]
    return True


def _sound_was(strip: Any, now: dict[str, Any]) -> dict[str, Any]:
    """What the layout's strip was like when ours was last brought up to date; ``now`` where nobody wrote that down."""
    try:
        was: object = json.loads(str(strip.get(_SOUND_WAS, "null")))
    except ValueError:
        return now
    return cast("dict[str, Any]", was) if isinstance(was, dict) else now


def _new_sound(scene: Any, name: str, now: dict[str, Any], old: Any | None, channels: list[int]) -> Any:
    """A strip for the sound; one that takes the place of ``old`` is what that was but for the file."""
    strip = strips_of(scene.sequence_editor).new_sound(name, now["file"], _empty_channel(scene), 1)
    if old is None:
        return strip
    kept = {level: getattr(old, level) for level in ("name", *_LEVELS)}
    place = [strip_get(old, handle) for handle in ("content_start", "left_handle", "right_handle")]
    channels = [old.channel, *channels]
    _remove(scene, [old])
    _put_sound(scene, strip, place, channels)
    for level, value in kept.items():
        setattr(strip, level, value)
    return strip


def _put_sound(scene: Any, strip: Any, place: Sequence[float], channels: list[int]) -> None:
    strip.channel = _empty_channel(scene)
    _put(scene, strip, place, _free_channel(scene, channels, place[1], place[2]))


def _sound_file(sound: Any, root: str) -> str:
    """A path for the sound; a packed one is written into the project's ``sound`` folder, named by its content."""
    if sound.packed_file is None:
        return os.path.normpath(abspath(sound.filepath))
    content = bytes(sound.packed_file.data)
    named = Path(sound.filepath.replace("\\", "/").rsplit("/", 1)[-1] or sound.name)
    sha = digest(content)
    suffix = named.suffix if named.suffix[1:].isalnum() else ""
    # no name of the artist's is refused, not even one without a letter
    name = f"{folder_name(f'sound {named.stem}')[6:] or 'sound'}.{sha[:8]}{suffix}"
    target = Path(abspath(root)) / "sound" / name
    if not target.is_file() or digest_file(target) != sha:
        write_atomic(target, content)
    return f"{root}sound/{name}"


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
