# SPDX-License-Identifier: GPL-3.0-or-later
"""What an editor does to the edit: trims the head of the first strip, cuts it in two, adds a title."""

from __future__ import annotations

from typing import Any

import bpy

from second_unit.addon.host.versions import strip_set, strips_of


def run(args: dict[str, Any]) -> Any:
    """Change ``args["blend"]`` and save it."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene: Any = bpy.data.scenes["Second Unit Edit"]
    strips = strips_of(scene.sequence_editor)
    first = strips["SH010"]
    strip_set(first, "left_handle", 1004)
    first.split(frame=1007, split_method="SOFT")
    more = {"length": 5} if "length" in strips.bl_rna.functions["new_effect"].parameters else {"frame_end": 1008}
    strips.new_effect("Editor's title", "TEXT", 6, 1003, **more)
    bpy.ops.wm.save_mainfile()
    return True
