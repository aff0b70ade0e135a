# SPDX-License-Identifier: GPL-3.0-or-later
"""Shots that Cycles looks at while things move: what it sees, beside what our own z-buffer sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import simulation
from placing import into_strip

from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.errors import SceneError
from second_unit.addon.host import condition
from second_unit.addon.shot.documents import Fields

SIZE = (64, 64)


def run(args: dict[str, Any]) -> Any:
    """Draw the frames of a case once per renderer; see `_drawn`."""
    scene = simulation.build()
    # no edge shall lie on the centre of a pixel
    scene.camera.location.x = 0.0137
    {"rain": _rain, "cloth": simulation.cloth, "held": _held, "strip": _strip}[args["case"]](scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(args["folder"]) / "sheet.blend"))
    return {renderer: _drawn(Path(args["folder"]), renderer) for renderer in args["renderers"]}


def _rain(scene: Any) -> None:
    """Boxes that are born in every frame, baked."""
    simulation.particles(scene)
    settings = simulation.sheet().particle_systems[0].settings
    settings.count, settings.frame_start, settings.frame_end, settings.lifetime = 60, 1, 12, 50
    settings.render_type, settings.instance_object = "OBJECT", bpy.data.objects["Box"]
    settings.particle_size = 0.08
    bpy.data.objects["Box"].location.z = 50
    scene.frame_end = 8
    with bpy.context.temp_override(scene=scene, active_object=simulation.sheet()):
        bpy.ops.ptcache.bake_all(bake=True)


def _held(_: Any) -> None:
    """A holdout that moves."""
    box = bpy.data.objects["Box"]
    box.is_holdout = True
    for frame in (1, 9):
        box.location = (frame / 10, 0, -1)
        box.rotation_euler.x = 1.2
        box.keyframe_insert("location", frame=frame)


def _strip(_: Any) -> None:
    """A cut-out that a strip shows from frame 3 on."""
    material: Any = bpy.data.materials.new("Cut")
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.2
    sheet = simulation.sheet()
    sheet.data.materials.append(material)
    for frame, is_hidden in ((1, True), (3, False)):
        sheet.hide_render = is_hidden
        sheet.keyframe_insert("hide_render", frame=frame)
    into_strip(sheet.animation_data)
    sheet.hide_render = True


def _drawn(folder: Path, renderer: str) -> Any:
    """The engine, and per frame the columns and rows that are hit and the longest motion; or what was raised."""
    cache = folder / f"cache_{renderer}"
    times = ["2", "4", "6"]
    said = {
        "blend": str(folder / "sheet.blend"), "camera": "Camera", "meter": 1, "times": times, "after": "7",
        "size": list(SIZE), "cache": str(cache), "layers": ["flow"], "renderer": renderer,
    }  # fmt: skip
    try:
        done = condition.condition_task(Fields(said, "args"), lambda *_: None)
    except SceneError as error:
        return {"error": str(error)}
    frames = FrameCache(cache)
    hit = [np.isfinite(frames.load(key).depth).tolist() for key in done["hashes"]]
    motion = [frames.longest_motion(*pair) for pair in zip(done["hashes"], done["following"], strict=True)]
    return {"name": done["renderer"]["name"], "hit": hit, "motion": motion, "notes": done["notes"]}
