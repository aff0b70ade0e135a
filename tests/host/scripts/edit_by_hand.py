# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do to strips and names of a .blend: steps, in order; then it is saved."""

from __future__ import annotations

from typing import Any

import bpy

from second_unit.addon.host.versions import ensure_editor, strip_set, strips_of


def run(args: dict[str, Any]) -> Any:
    """``blend``, ``scene``, ``steps`` and, for a copy, ``to``."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene: Any = bpy.data.scenes[args["scene"]]
    strips = strips_of(ensure_editor(scene))
    for step in args["steps"]:
        if step["do"] == "marker":
            scene.timeline_markers[step["old"]].name = step["new"]
        else:
            _take(strips, step)
    bpy.ops.wm.save_as_mainfile(filepath=args.get("to", args["blend"]), relative_remap=True)
    return [s.name for s in bpy.data.scenes]


def _take(strips: Any, step: dict[str, Any]) -> None:
    match step["do"]:
        case "set":
            for name, value in step["values"].items():
                strip_set(strips[step["strip"]], name, value)
        case "remove":
            strips.remove(strips[step["strip"]])
        case "split":
            strips[step["strip"]].split(frame=step["frame"], split_method="SOFT")
        case "image":
            own = strips.new_image(step["name"], step["file"], step["channel"], step["left"])
            strip_set(own, "right_handle", step["right"])
        case "blur":
            inputs = strips.bl_rna.functions["new_effect"].parameters
            more = {"input1" if "input1" in inputs else "seq1": strips[step["strip"]]}
            more |= {"length": 4} if "length" in inputs else {"frame_end": step["start"] + 4}
            strips.new_effect(step["name"], "GAUSSIAN_BLUR", step["channel"], step["start"], **more)
        case "sound":
            strips.new_sound(step["name"], step["file"], step["channel"], step["start"])
        case "pack":
            sound: Any = bpy.data.sounds.load(step["file"])
            sound.pack()
            strips[step["strip"]].sound = sound
        case "scene":
            bpy.data.scenes[step["old"]].name = step["new"]
        case other:
            raise ValueError(other)
