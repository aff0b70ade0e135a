# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the edit of a file."""

from __future__ import annotations

from typing import Any

import bpy

from second_unit.addon.host.versions import strip_get, strips_of


def run(args: dict[str, Any]) -> Any:
    """Scenes, strips and channels of ``args["blend"]``."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene = bpy.data.scenes["Second Unit Edit"]
    strips = [
        {
            "name": s.name, "type": s.type, "channel": s.channel, "left": strip_get(s, "left_handle"),
            "right": strip_get(s, "right_handle"), "start": strip_get(s, "content_start"), "muted": s.mute,
            "volume": round(s.volume, 4) if s.type == "SOUND" else None,
            "files": [e.filename for e in s.elements] if s.type == "IMAGE" else [],
            "directory": s.directory if s.type == "IMAGE" else s.sound.filepath if s.type == "SOUND" else "",
        }
        for s in strips_of(scene.sequence_editor)
    ]  # fmt: skip
    return {
        "scenes": [s.name for s in bpy.data.scenes], "strips": strips,
        "owned": {s["second_unit_owned"]: s.name for s in bpy.data.scenes if "second_unit_owned" in s},
        "channels": [c.name for c in list(scene.sequence_editor.channels)[1:6]],
        "view": scene.view_settings.view_transform, "fps": scene.render.fps / scene.render.fps_base,
        "size": [scene.render.resolution_x, scene.render.resolution_y],
        "frames": [scene.frame_start, scene.frame_end],
    }  # fmt: skip
