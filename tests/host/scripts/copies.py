# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody keeps a full copy of a scene, or gives it another name."""

from __future__ import annotations

from typing import Any

import bpy

from second_unit.addon.host.marks import OWNED
from second_unit.addon.host.versions import comp_tree, strips_of


def _copy(scene: Any) -> Any:
    """As New, Full Copy does it. Blender 4.5 ends when it saves a copied Color Balance node (double free)."""
    for node in [n for n in comp_tree(scene).nodes if n.bl_idname == "CompositorNodeColorBalance"] if _IS_4_5 else ():
        comp_tree(scene).nodes.remove(node)
    window: Any = bpy.context.window
    window.scene = scene
    bpy.ops.scene.new(type="FULL_COPY")
    return window.scene


_IS_4_5 = bpy.app.version[:2] == (4, 5)


def run(args: dict[str, Any]) -> Any:
    """Scenes with a sequencer, copied ones among them, and how many picture strips each has."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene: Any = bpy.data.scenes[args["scene"]]
    if args.get("rename"):
        scene.name = args["rename"]
    if args["copy"]:
        copy = _copy(scene)
        assert OWNED in copy
        copy.name = args["copy"]
    bpy.ops.wm.save_as_mainfile(filepath=args["blend"])
    edits = [s for s in bpy.data.scenes if s.sequence_editor and s.name != "Layout"]
    return {s.name: sum(strip.type == "IMAGE" for strip in strips_of(s.sequence_editor)) for s in edits}
