# SPDX-License-Identifier: GPL-3.0-or-later
"""A linked copy of the layout beside it in the file, with marker names of its own."""

from __future__ import annotations

from typing import Any

import bpy


def run(args: dict[str, Any]) -> Any:
    """Saved as ``args["to"]``; the copy is called ``args["copy"]``."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    window: Any = bpy.context.window
    window.scene = bpy.data.scenes["Layout"]
    bpy.ops.scene.new(type="LINK_COPY")
    copy: Any = window.scene
    copy.name = args["copy"]
    for marker in copy.timeline_markers:
        marker.name = marker.name.replace("SH", "BE")
    window.scene = bpy.data.scenes["Layout"]
    bpy.ops.wm.save_as_mainfile(filepath=args["to"])
    return [scene.name for scene in bpy.data.scenes]
