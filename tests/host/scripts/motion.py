# SPDX-License-Identifier: GPL-3.0-or-later
"""Shots whose motion Cycles does not tell by itself, beside what our own z-buffer says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import simulation

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.host import condition
from second_unit.addon.shot.documents import Fields

SPEED = 0.05
"""Scene units in a frame."""
WHOLE = ("2", "3", "4", "5")
THIRDS = ("2", "7/2", "5", "13/2")
SECONDS = ("2", "4", "6", "8")


def run(args: dict[str, Any]) -> Any:
    """Draw every case by each renderer, and compare; see `_compared`. For ``hair`` see `_combed`."""
    return {case: _CASES[case](Path(args["folder"]) / case) for case in args["cases"]}


def _scene() -> Any:
    scene = simulation.build()
    # no edge shall lie on the centre of a pixel
    scene.camera.location.x = 0.0137
    return scene


def _rain(scene: Any, lifetime: float, last: int) -> None:
    """Boxes that are born in every frame and fall, baked."""
    simulation.particles(scene)
    settings = simulation.sheet().particle_systems[0].settings
    settings.count, settings.frame_start, settings.frame_end, settings.lifetime = 80, 1, last, lifetime
    settings.lifetime_random, settings.show_unborn = 0.3, False
    settings.render_type, settings.instance_object = "OBJECT", bpy.data.objects["Box"]
    settings.particle_size = 0.08
    bpy.data.objects["Box"].location.z = 50
    scene.frame_end = 12
    with bpy.context.temp_override(scene=scene, active_object=simulation.sheet()):
        bpy.ops.ptcache.bake_all(bake=True)


def _slide(thing: Any, start: float, speed: float) -> None:
    """Along x, for good and evenly."""
    for frame in (0, 20):
        thing.location.x = start + speed * frame
        thing.keyframe_insert("location", frame=frame)
    action = thing.animation_data.action
    curves = action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves
    for curve in curves:
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def _short(folder: Path) -> Any:
    scene = _scene()
    _rain(scene, 2.5, 12)
    return _compared(folder, WHOLE)


def _long(folder: Path) -> Any:
    scene = _scene()
    _rain(scene, 50, 4)
    return _compared(folder, WHOLE)


def _followed(folder: Path) -> Any:
    scene = _scene()
    _rain(scene, 2.5, 12)
    _slide(scene.camera, 0.0137, SPEED)
    return _compared(folder, WHOLE)


def _flat(folder: Path) -> Any:
    scene = _scene()
    _rain(scene, 2.5, 12)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 3
    scene.camera.rotation_euler.x += 0.1
    _slide(scene.camera, 0.0137, SPEED)
    return _compared(folder, WHOLE)


def _stepped(times: tuple[str, ...], remap: int = 100) -> Any:
    """A sheet that bends over time, and a camera on its way."""

    def draw(folder: Path) -> Any:
        scene = _scene()
        scene.render.frame_map_old, scene.render.frame_map_new = 100, remap
        sheet = simulation.sheet()
        sheet.rotation_euler.x = 0.6
        sheet.shape_key_add(name="Basis")
        bent = sheet.shape_key_add(name="Bent")
        for point in bent.data:
            point.co.z += point.co.x**2
        for frame in (0, 12):
            bent.value = frame / 12
            bent.keyframe_insert("value", frame=frame)
        _slide(sheet, -0.3, SPEED)
        _slide(scene.camera, 0.0137, -SPEED)
        return _compared(folder, times)

    return draw


def _hair(folder: Path) -> Any:
    """Hair on what slides past a camera at rest: it moves as far as its depth says."""
    scene = _scene()
    simulation.hair(scene)
    settings = simulation.sheet().particle_systems[0].settings
    settings.count, settings.hair_length, settings.root_radius = 800, 0.5, 5.0
    _slide(simulation.sheet(), 0, SPEED)
    scene.camera.location.z = 2
    bpy.data.objects["Box"].location.z = 50
    blend, found = _saved(folder), list[Any]()
    for times, step in ((WHOLE, 1.0), (SECONDS, 2.0), (THIRDS, 1.5)):
        for frame, motion in _drawn(blend, times, "cycles"):
            hit = np.isfinite(frame.depth)
            across = SPEED * step * frame.camera["fx"] / frame.depth[hit]
            off = np.abs(motion[hit] - np.stack([across, np.zeros_like(across)], axis=-1))
            found.append({"hit": int(hit.sum()), "off": float(off.max()), "least": float(across.min())})
    return found


_CASES = {
    "short": _short, "long": _long, "followed": _followed, "flat": _flat, "hair": _hair,
    "whole": _stepped(WHOLE), "seconds": _stepped(SECONDS), "thirds": _stepped(THIRDS),
    "slowed": _stepped(WHOLE, 200), "hurried": _stepped(THIRDS, 50),
}  # fmt: skip


def _compared(folder: Path, times: tuple[str, ...]) -> Any:
    """Per frame: pixels that any ``hit``, where depths ``differ``, the ``longest`` motion, how far ``off`` it is."""
    blend, found = _saved(folder), list[Any]()
    ours, theirs = (_drawn(blend, times, renderer) for renderer in ("zbuffer", "cycles"))
    for (mine, should), (frame, motion) in zip(ours, theirs, strict=True):
        hit = np.isfinite(mine.depth) | np.isfinite(frame.depth)
        same = np.isclose(mine.depth, frame.depth, rtol=1e-3) & hit
        off = np.linalg.norm(motion - should, axis=-1)[same]
        length = np.linalg.norm(should, axis=-1)[same]
        found.append({
            "hit": int(hit.sum()), "differ": int((hit & ~same).sum()), "longest": float(length.max()),
            "p99": float(np.quantile(off, 0.99)), "off": float(off.max()),
        })  # fmt: skip
    return found


def _saved(folder: Path) -> Path:
    folder.mkdir(parents=True)
    blend = folder / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    return blend


def _drawn(blend: Path, times: tuple[str, ...], renderer: str) -> list[tuple[RawFrame, Any]]:
    cache = blend.with_name("cache")
    said = {
        "blend": str(blend), "camera": "Camera", "meter": 1, "times": list(times[:-1]), "after": times[-1],
        "size": [160, 90], "cache": str(cache), "layers": ["flow"], "renderer": renderer,
    }  # fmt: skip
    done = condition.condition_task(Fields(said, "args"), lambda *_: None)
    assert done["renderer"]["name"] == renderer
    frames = [FrameCache(cache).load(key) for key in done["hashes"]]
    return [(frame, frame.flow(key)) for frame, key in zip(frames, done["following"], strict=True)]
