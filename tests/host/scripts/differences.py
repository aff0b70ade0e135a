# SPDX-License-Identifier: GPL-3.0-or-later
"""What this Blender really is like, in the words of the table in `host/versions.py`."""

from __future__ import annotations

from typing import Any

import bpy

from second_unit.addon.host import versions


def run(_: dict[str, Any]) -> Any:
    """Version, and cells of the table by row."""
    scene: Any = bpy.context.scene
    editor = versions.ensure_editor(scene)
    strip: Any = getattr(bpy.types, "Strip", None) or bpy.types.Sequence
    both = hasattr(editor, "strips"), hasattr(editor, "sequences")
    has_group = hasattr(scene, "compositing_node_group")
    return {
        "version": versions.blender_version(),
        "rows": {
            "strips of an editor": {(True, True): "both", (True, False): "strips", (False, True): "sequences"}[both],
            "strip handle names": "left_handle …" if "left_handle" in strip.bl_rna.properties else "frame_final_start",
            "compositor tree": "compositing_…group" if has_group else "scene.node_tree",
            "which edit is shown": "workspace" if hasattr(bpy.context.workspace, "sequencer_scene") else "the scene",
            "sound (Audaspace)": "yes" if versions.has_sound() else "not in the wheel",
            "drawing in background": "after gpu.init()" if versions.can_draw() else "never",
        },
    }
