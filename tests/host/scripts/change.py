# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes a .blend the way an artist would, and saves it (or a copy)."""

from __future__ import annotations

from typing import Any

import bpy


def run(args: dict[str, Any]) -> Any:
    """``move``: an object and by how much; ``remove_cameras``; ``frame_step``; ``render``: settings by name.

    ``fake_version``: bytes are patched by the test.
    """
    if args.get("blend"):
        bpy.ops.wm.open_mainfile(filepath=args["blend"])
    else:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    for name, by in args.get("move", {}).items():
        bpy.data.objects[name].delta_location = by
    if "property" in args:
        bpy.data.scenes["Layout"]["second_unit"] = args["property"]
    bpy.context.scene.frame_step = args.get("frame_step", bpy.context.scene.frame_step)
    for name, value in args.get("render", {}).items():
        setattr(bpy.context.scene.render, name, value)
    if args.get("remove_cameras"):
        for thing in [o for o in bpy.data.objects if o.type == "CAMERA"]:
            bpy.data.objects.remove(thing)
    bpy.ops.wm.save_as_mainfile(filepath=args["to"], compress=False)
    return list(bpy.app.version)
