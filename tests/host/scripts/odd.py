# SPDX-License-Identifier: GPL-3.0-or-later
"""A small scene with one thing in it that no artist meant, saved as a .blend per oddity."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

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


def put(scene: Any, name: str, data: Any, where: tuple[float, float, float]) -> Any:
    """A new object in the scene."""
    thing = bpy.data.objects.new(name, data)
    thing.location = where
    scene.collection.objects.link(thing)
    return thing


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
}


def run(args: dict[str, Any]) -> Any:
    """Save ``<folder>/<oddity>.blend`` for each."""
    for name, change in ODDITIES.items():
        build()
        change()
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(args["folder"]) / f"{name}.blend"))
    return list(ODDITIES)
