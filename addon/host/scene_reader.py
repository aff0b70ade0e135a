# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a .blend with care and reading what is in it before anything is evaluated. Needs bpy."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import DocumentError, SceneError
from ..shot.documents import Fields, pair
from ..shot.shot import Home, Marker, SceneInfo, block_shots
from ..shot.timing import FrameRange
from .marks import ours
from .session import given
from .versions import blender_version

if TYPE_CHECKING:
    from ..shot.ports import Progress

_HEADER = re.compile(rb"BLENDER(?:[-_][vV](\d)(\d\d)|\d\d-\d\dv(\d\d)(\d\d))")
SHOT_DATA = "second_unit"


def open_blend(path: Path, *, with_ui: bool = False) -> None:
    """Load ``path``; its scripts run only in a session whose artist trusts them.

    Raises `SceneError` for all but a .blend this Blender can read.
    """
    if not path.is_file():
        raise SceneError(f"There is no file '{path}'.", "Check the path of the .blend.")
    session = given()
    is_trusted = session is not None and session.trusted
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=with_ui, use_scripts=is_trusted)
    except RuntimeError as error:
        raise _unreadable(path) from error
    if bpy.data.version[:2] > bpy.app.version[:2]:
        raise _too_new(path, bpy.data.version[:2])


def _unreadable(path: Path) -> SceneError:
    version = _header_version(path)
    if version and version > bpy.app.version[:2]:
        return _too_new(path, version)
    return SceneError(
        f"'{path}' is not a .blend file that Blender can read.", "Save the scene again from Blender and use that."
    )


def _too_new(path: Path, version: tuple[int, ...]) -> SceneError:
    theirs = ".".join(str(part) for part in version[:2])
    return SceneError(
        f"'{path}' was saved by Blender {theirs}, and this is Blender {blender_version()}.",
        f"Use Blender {theirs} or newer with --blender PATH.",
    )


def _header_version(path: Path) -> tuple[int, int] | None:
    """(major, minor) from an uncompressed .blend header, old (``BLENDER-v402``) or new (``BLENDER17-01v0500``)."""
    with path.open("rb") as file:
        found = _HEADER.match(file.read(32))
    if not found:
        return None
    major, minor = (found[1], found[2]) if found[1] else (found[3], found[4])
    return int(major), int(minor)


def pick_scene(name: str | None) -> Any:
    """The named scene, or the one that was active when the file was saved."""
    if not name:
        return bpy.context.scene
    if name not in bpy.data.scenes:
        names = ", ".join(f"'{scene.name}'" for scene in bpy.data.scenes)
        raise SceneError(f"There is no scene '{name}' in the file.", f"Use --scene with one of: {names}.")
    return bpy.data.scenes[name]


def scene_info(scene: Any) -> SceneInfo:
    """Shots, rate and delivery size of a scene. Raises `SceneError` when there is no camera or no frame."""
    markers = [Marker(m.name, m.frame, m.camera.name) for m in scene.timeline_markers if m.camera]
    frames = FrameRange(scene.frame_start, scene.frame_end)
    shots = block_shots(markers, frames, scene.camera.name if scene.camera else None)
    handles, home = _handles(scene), _home(scene)
    render = scene.render
    scale = render.resolution_percentage / 100
    return SceneInfo(
        name=scene.name,
        fps=_rate(render),
        size=(max(1, int(render.resolution_x * scale)), max(1, int(render.resolution_y * scale))),
        frames=frames,
        shots=tuple(replace(s, handles=handles.get(s.name), home=home) for s in shots),
        blender=blender_version(),
        pixel_aspect=(float(render.pixel_aspect_x), float(render.pixel_aspect_y)),
    )


def _home(scene: Any) -> Home:
    scenes: Any = bpy.data.scenes
    owned = ours(scenes)
    return Home(scene.name, tuple(other.name for other in scenes if other != scene and other not in owned))


def _rate(render: Any) -> Fraction:
    base = Fraction(render.fps_base).limit_denominator(10000)
    if base <= 0:
        raise SceneError(
            "The scene's frame rate is beyond all measure.", "Set a frame rate such as 24 in Output, Format."
        )
    return Fraction(render.fps) / base


def _handles(scene: Any) -> dict[str, tuple[int, int]]:
    """Handles (head, tail) by shot name, from the scene's own ``second_unit`` property."""
    stored: Any = scene.get(SHOT_DATA)
    if stored is None:
        return {}
    try:
        shots = Fields(stored.to_dict() if hasattr(stored, "to_dict") else stored, SHOT_DATA).mapping("shots", {})
        read = {name: Fields(data, name).integers("handles", 2) for name, data in shots.items() if "handles" in data}
    except (DocumentError, TypeError) as error:
        raise _odd_property() from error
    if any(value < 0 for handles in read.values() for value in handles):
        raise _odd_property()
    return {name: (head, tail) for name, (head, tail) in read.items()}


def _odd_property() -> SceneError:
    return SceneError(
        f"The scene's property '{SHOT_DATA}' does not hold handles as it should.",
        'Set it like {"shots": {"SH010": {"handles": [8, 8]}}}, or delete it.',
    )


def read_task(args: Fields, progress: Progress) -> dict[str, Any]:
    """Task ``read``: blend, scene -> the scene's info as JSON (see `commands.context`); ``notes`` are sentences."""
    progress(0, 1, "reading the scene")
    open_blend(Path(args.text("blend")))
    scene = pick_scene(args.maybe_text("scene"))
    info = scene_info(scene)
    return {
        "name": info.name, "fps": pair(info.fps), "size": list(info.size), "blender": info.blender,
        "pixel_aspect": list(info.pixel_aspect),
        "frames": [info.frames.first, info.frames.last], "notes": [*_blocked(), *_stepped(scene)],
        "others": list(info.shots[0].home.others) if info.shots else [],
        "shots": [
            {
                "name": s.name, "camera": s.camera, "cut": [s.cut.first, s.cut.last],
                "handles": s.handles and list(s.handles),
            }
            for s in info.shots
        ],
    }  # fmt: skip


def _blocked() -> list[str]:
    """What Blender said about scripts it did not run when it loaded the file."""
    if not bpy.app.autoexec_fail:
        return []
    todo = " Allow them in Blender and run this again." if given() else ""
    return [f"Scripts of the file were not run ({bpy.app.autoexec_fail_message}): what they do is missing.{todo}"]


def _stepped(scene: Any) -> list[str]:
    step: int = scene.frame_step
    return [f"The scene's frame step of {step} is not used: every frame is drawn."] if step != 1 else []
