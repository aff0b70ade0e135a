# SPDX-License-Identifier: GPL-3.0-or-later
"""Three cameras on timeline markers, the lights, the world, and the render settings of the layout scene."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import example_plan as plan
from example_set import LAMPS, LANTERN, STREET_LAMP
from mathutils import Euler, Vector

Move = tuple[float, Sequence[float], Sequence[float]]
CUTS = (("SH010", 1001), ("SH020", 1049), ("SH030", 1097))
DOLLY: tuple[Move, ...] = (
    (1001, (2.45, -2.62, 1.20), (-2.6, -0.25, 1.05)),
    (1012, (2.38, -2.58, 1.21), (-2.5, -0.25, 1.07)),
    (1048, (1.62, -2.05, 1.38), (-1.22, -0.08, 1.32)),
)
PAN: tuple[Move, ...] = (
    (1049, (0.16, -3.95, 1.22), (-0.50, 0.0, 1.17)),
    (1055, (0.16, -3.95, 1.22), (-0.47, 0.0, 1.17)),
    (1088, (0.16, -3.95, 1.22), (0.17, 0.0, 1.17)),
    (1096, (0.16, -3.95, 1.22), (0.20, 0.0, 1.17)),
)
CRANE: tuple[Move, ...] = (
    (1089, (-1.62, -1.62, 1.62), (0.22, 0.0, 1.32)),
    (1104, (-1.75, -1.72, 1.68), (0.25, -0.05, 1.27)),
    (1225, (-7.2, -4.2, 4.9), (2.9, 0.3, 1.35)),
    (1248, (-7.45, -4.3, 5.05), (3.1, 0.3, 1.4)),
)


def build_cameras(root: bpy.types.Collection) -> None:
    """Cameras, their moves, the markers that bind them, and the shot data of SH030's handles."""
    scene = bpy.context.scene
    cameras = {
        "SH010": _camera(root, "CAM_SH010", 35.0, DOLLY),
        "SH020": _camera(root, "CAM_SH020", 50.0, PAN),
        "SH030": _camera(root, "CAM_SH030", 28.0, CRANE),
    }
    for name, frame in CUTS:
        scene.timeline_markers.new(name, frame=frame).camera = cameras[name]
    scene.camera = cameras["SH010"]
    _pull_focus(cameras["SH010"])
    scene["second_unit"] = {"shots": {"SH030": {"handles": [8, 8]}}}


def _camera(root: bpy.types.Collection, name: str, lens: float, moves: Sequence[Move]) -> bpy.types.Object:
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    root.objects.link(camera)
    data = camera.data
    data.lens, data.sensor_width, data.clip_start, data.clip_end = lens, 36.0, 0.05, 200.0
    data.passepartout_alpha, data.display_size = 0.85, 0.4
    camera.rotation_mode = "XYZ"
    turn = Euler()
    for frame, at, target in moves:
        camera.location = at
        turn = (Vector(target) - Vector(at)).to_track_quat("-Z", "Y").to_euler("XYZ", turn)
        camera.rotation_euler = turn
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
    _ease(camera.animation_data.action)
    camera.animation_data.action.name = f"{name}_move"
    return camera


def _ease(action: bpy.types.Action) -> None:
    for curve in action.fcurves:
        for key in curve.keyframe_points:
            key.interpolation, key.handle_left_type, key.handle_right_type = "BEZIER", "AUTO_CLAMPED", "AUTO_CLAMPED"
        curve.update()


def _pull_focus(camera: bpy.types.Object) -> None:
    """Focus on the lantern, pulled to the courier's eyes; afterwards it follows him in."""
    scene, dof = bpy.context.scene, camera.data.dof
    dof.use_dof, dof.aperture_fstop, dof.aperture_blades = True, 2.0, 7
    for frame in (1001, 1012, 1028, 1038, 1048):
        scene.frame_set(frame)
        walker = plan.body_at(plan.COURIER, frame)
        eye, axis = camera.matrix_world.translation, -camera.matrix_world.col[2].to_3d()
        subject = LANTERN + Vector((0, 0, 0.12)) if frame <= 1012 else Vector((walker.x + 0.1, walker.y, 1.6))
        dof.focus_distance = max(0.3, (subject - eye).dot(axis))
        dof.keyframe_insert("focus_distance", frame=frame)
    _ease(camera.data.animation_data.action)
    camera.data.animation_data.action.name = "CAM_SH010_focus"


def _light(
    root: bpy.types.Collection,
    name: str,
    kind: str,
    at: Sequence[float],
    to: Sequence[float] | None,
    watts: float,
    colour: Sequence[float],
) -> bpy.types.Light:
    data = bpy.data.lights.new(name, kind)
    data.energy, data.color = watts, colour
    light = bpy.data.objects.new(name, data)
    light.location = at
    if to is not None:
        light.rotation_euler = (Vector(to) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
    root.objects.link(light)
    return data


def build_lights(root: bpy.types.Collection) -> None:
    """Key from the yard flood, blue fill, cool rim, warm practicals at the visible lamps, and a dim world."""
    key = _light(root, "LGT_key", "AREA", (-3.2, -5.6, 6.2), (0.2, 0.0, 1.0), 360, (1.0, 0.90, 0.76))
    key.shape, key.size = "DISK", 1.0
    fill = _light(root, "LGT_fill", "AREA", (3.5, -6.8, 4.6), (-1.0, 0.5, 1.0), 55, (0.62, 0.75, 1.0))
    fill.shape, fill.size = "DISK", 5.0
    rim = _light(root, "LGT_rim", "AREA", (-6.5, 3.2, 6.6), (0.0, 0.0, 1.2), 520, (0.50, 0.68, 1.0))
    rim.shape, rim.size = "DISK", 1.2
    yard = _light(root, "LGT_yard", "AREA", (4.0, -1.0, 12.0), (4.0, 0.5, 0.0), 300, (0.48, 0.62, 1.0))
    yard.shape, yard.size = "DISK", 9.0
    warm = (1.0, 0.70, 0.38)
    for i, at in enumerate(LAMPS):
        lamp = _light(root, f"LGT_practical_dock.{i:02d}", "POINT", Vector(at) + Vector((0, 0, -0.22)), None, 120, warm)
        lamp.shadow_soft_size = 0.10
    head = STREET_LAMP + Vector((-1.08, 1.08, 5.25))
    street = _light(
        root, "LGT_practical_street", "SPOT", head, head + Vector((-0.4, 0.5, -5.0)), 1700, (1.0, 0.74, 0.42)
    )
    street.spot_size, street.spot_blend, street.shadow_soft_size = math.radians(115), 0.6, 0.15
    gate = _light(
        root, "LGT_practical_gate", "SPOT", (-20.58, -2.32, 5.25), (-19.5, -0.8, 0.0), 2600, (1.0, 0.74, 0.42)
    )
    gate.spot_size, gate.spot_blend, gate.shadow_soft_size = math.radians(120), 0.6, 0.15
    lantern = _light(root, "LGT_practical_lantern", "POINT", LANTERN + Vector((0, 0, 0.12)), None, 6, warm)
    lantern.shadow_soft_size = 0.04
    inside = _light(root, "LGT_inside", "AREA", (4.4, 8.2, 4.7), (4.4, 7.6, 0.0), 160, (1.0, 0.82, 0.58))
    inside.shape, inside.size, inside.size_y = "RECTANGLE", 4.0, 0.6
    inside = _light(root, "LGT_inside_west", "AREA", (-4.4, 8.2, 4.7), (-4.4, 7.6, 0.0), 160, (1.0, 0.82, 0.58))
    inside.shape, inside.size, inside.size_y = "RECTANGLE", 4.0, 0.6


def set_up_scene() -> None:
    """Frame range, size, units, a dim world; no path of the building machine."""
    scene = bpy.context.scene
    scene.name = "Layout"
    scene.frame_start, scene.frame_end = plan.FIRST_FRAME, plan.LAST_FRAME
    render = scene.render
    render.fps, render.fps_base = plan.FPS, 1.0
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1920, 1080, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.filepath = "//"
    scene.unit_settings.system, scene.unit_settings.length_unit = "METRIC", "METERS"
    scene.cycles.samples, scene.cycles.preview_samples = 64, 16
    world = bpy.data.worlds.new("Night")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.030, 0.045, 0.085, 1.0)
    background.inputs["Strength"].default_value = 0.6
    scene.world = world
