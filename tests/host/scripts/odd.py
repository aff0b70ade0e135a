# SPDX-License-Identifier: GPL-3.0-or-later
"""A small scene with one thing in it that no artist meant, saved as a .blend per oddity."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from placing import put

CORNERS = [(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0), (0, 0, 1.5)]
FACES = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def build() -> Any:
    """A pyramid, a lamp and a camera."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    mesh = bpy.data.meshes.new("Pyramid")
    mesh.from_pydata(CORNERS, [], FACES)
    camera = put(scene, "A", bpy.data.cameras.new("A"), (0, -8, 1))
    camera.rotation_euler = (1.5707963, 0, 0)
    put(scene, "Pyramid", mesh, (0, 0, 0))
    put(scene, "Key", bpy.data.lights.new("Key", "POINT"), (2, -3, 4))
    scene.camera = camera
    scene.frame_start, scene.frame_end = 1, 3
    return scene


def transform(attribute: str, *value: float) -> Callable[[], None]:
    """The camera's own."""

    def change() -> None:
        setattr(bpy.data.objects["A"], attribute, value)

    return change


def parent_of_nothing() -> None:
    """The camera hangs on something scaled to nothing."""
    parent = put(bpy.context.scene, "Parent", None, (0, 0, 0))
    parent.scale = (0, 0, 0)
    bpy.data.objects["A"].parent = parent


def ortho_of_nothing() -> None:
    """An orthographic camera that sees nothing wide."""
    data = bpy.data.objects["A"].data
    data.type, data.ortho_scale = "ORTHO", 0.0


def shift_nowhere() -> None:
    """A shift that is no number."""
    bpy.data.objects["A"].data.shift_x = math.nan


def endless_clip() -> None:
    """A far plane as far as it goes."""
    bpy.data.objects["A"].data.clip_end = math.inf


def small_camera() -> None:
    """Scaled down and turned inside out, which changes no picture's size."""
    bpy.data.objects["A"].scale = (0.001, 0.001, 0.001)


def broken_vertices() -> None:
    """Two corners that are nowhere."""
    vertices = bpy.data.meshes["Pyramid"].vertices
    vertices[4].co.z, vertices[0].co.x = math.nan, math.inf


def broken_object() -> None:
    """A set piece that is nowhere, and one scaled to nothing."""
    mesh = bpy.data.meshes["Pyramid"]
    put(bpy.context.scene, "Nowhere", mesh, (math.nan, 0, 0))
    put(bpy.context.scene, "Endless", mesh, (0, 0, 0)).scale = (math.inf, 1, 1)
    put(bpy.context.scene, "Nothing", mesh, (0, 0, 0)).scale = (0, 0, 0)


def broken_lamp() -> None:
    """A lamp that is nowhere, and one without direction."""
    put(bpy.context.scene, "Nowhere", bpy.data.lights.new("N", "AREA"), (math.inf, 0, 0))
    put(bpy.context.scene, "Flat", bpy.data.lights.new("F", "SPOT"), (0, 0, 3)).scale = (0, 0, 0)


def nothing_there() -> None:
    """Only the camera is left."""
    for name in ("Pyramid", "Key"):
        bpy.data.objects.remove(bpy.data.objects[name])


def flat_meshes() -> None:
    """Without a face, without a vertex, and with all corners in one place."""
    for name, corners, faces in (("Empty", [], []), ("Wire", CORNERS, []), ("Dot", [(0, 0, 0)] * 5, FACES)):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(corners, [], faces)
        put(bpy.context.scene, name, mesh, (0, -2, 1))


def three_bones() -> None:
    """A lever: nobody."""
    data = bpy.data.armatures.new("Lever")
    lever = put(bpy.context.scene, "Lever", data, (0, 0, 0))
    bpy.context.view_layer.objects.active = lever
    bpy.ops.object.mode_set(mode="EDIT")
    for number, name in enumerate(("head", "spine", "hand.L")):
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = (0, 0, number), (0, 0, number + 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.data.objects["Pyramid"].parent = lever


def inside() -> None:
    """The camera stands in a closed room, whose walls it sees from within, with a wall through its near plane."""
    mesh = bpy.data.meshes.new("Room")
    corners = [(x, y, z) for x in (-3, 3) for y in (-9, 5) for z in (-1, 4)]
    mesh.from_pydata(corners, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    put(bpy.context.scene, "Room", mesh, (0, 0, 0))


def in_a_head() -> None:
    """The camera stands in a closed head half a unit wide, which fills its picture."""
    mesh = bpy.data.meshes.new("Head")
    corners = [(x, y, z) for x in (-0.25, 0.25) for y in (-0.25, 0.25) for z in (-0.25, 0.25)]
    mesh.from_pydata(corners, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    put(bpy.context.scene, "Head", mesh, (0, -8, 1))


def mirrored_camera() -> None:
    """Its parent is turned inside out along one axis, the pyramid stands on the left."""
    parent = put(bpy.context.scene, "Parent", None, (0, 0, 0))
    parent.scale = (-1, 1, 1)
    bpy.data.objects["A"].parent = parent
    bpy.data.objects["Pyramid"].location.x = -2


def endless_frame() -> None:
    """A delivery frame of 40,000 pixels."""
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = 40000, 20000


def before_zero() -> None:
    """A pyramid that moves with the frames, from below zero on."""
    thing = bpy.data.objects["Pyramid"]
    for frame in (-4, 4):
        thing.location.x = frame / 4
        thing.keyframe_insert("location", frame=frame)
    for curve in curves_of(thing):
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"


def curves_of(thing: Any) -> Any:
    """The curves of an action, which moved in 4.4."""
    action = thing.animation_data.action
    return action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves


ODDITIES: dict[str, Callable[[], None]] = {
    "location nan": transform("location", math.nan, 0, 0),
    "location inf": transform("location", 0, math.inf, 0),
    "rotation nan": transform("rotation_euler", math.nan, 0, 0),
    "scale nan": transform("scale", 1, math.nan, 1),
    "scale zero": transform("scale", 0, 0, 0),
    "scale flat": transform("scale", 1, 1, 0),
    "parent scale zero": parent_of_nothing,
    "ortho zero": ortho_of_nothing,
    "shift nan": shift_nowhere,
    "camera small": small_camera,
    "clip endless": endless_clip,
    "mesh nan": broken_vertices,
    "object nan": broken_object,
    "lamp nan": broken_lamp,
    "nothing there": nothing_there,
    "meshes flat": flat_meshes,
    "three bones": three_bones,
    "inside": inside,
    "in a head": in_a_head,
    "mirrored": mirrored_camera,
    "frame endless": endless_frame,
    "before zero": before_zero,
}


def run(args: dict[str, Any]) -> Any:
    """Save ``<folder>/<oddity>.blend`` for each."""
    for name, change in ODDITIES.items():
        build()
        change()
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(args["folder"]) / f"{name}.blend"))
    return list(ODDITIES)
