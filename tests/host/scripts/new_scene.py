# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene made with New, Copy Settings while the edit is shown, and blocked: a camera, a marker, frames."""

from __future__ import annotations

import importlib
from typing import Any

import bpy

from second_unit.addon.host.marks import OWNED
from second_unit.addon.host.scene_reader import scene_info


def run(args: dict[str, Any]) -> Any:
    """What is blocked there, as the panels and the commands see it; the file is saved as ``args["to"]``."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    window: Any = bpy.context.window
    window.scene = bpy.data.scenes[args["edit_scene"]]
    bpy.ops.scene.new(type="EMPTY")
    scene: Any = window.scene
    assert OWNED in scene
    scene.name = "Beach"
    camera: Any = bpy.data.objects.new("Beach Cam", bpy.data.cameras.new("Beach Cam"))
    scene.collection.objects.link(camera)
    scene.camera, scene.frame_start, scene.frame_end = camera, 1, 24
    scene.timeline_markers.new("BE010", frame=1).camera = camera
    seat = importlib.import_module("second_unit.operators.seat")
    info = scene_info(seat.layout_scene())
    bpy.ops.wm.save_as_mainfile(filepath=args["to"])
    others = sorted({name for shot in info.shots for name in shot.home.others})
    return {
        "layout": info.name, "shots": [[s.name, s.cut.first, s.cut.last] for s in info.shots], "others": others,
    }  # fmt: skip
