# SPDX-License-Identifier: GPL-3.0-or-later
"""Things put where a script says; a wall and a square before it."""

from __future__ import annotations

from typing import Any

import bpy


def wall_and_front() -> tuple[Any, Any]:
    """A scene whose camera sees a wall at eight units; and ``Front``, two by two, at four."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene: Any = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    camera = put(scene, "Camera", bpy.data.cameras.new("Camera"), (0, 0, 0))
    camera.rotation_euler[0] = 1.5707963
    scene.camera = camera
    square(scene, "Wall", 8, 20)
    return scene, square(scene, "Front", 4, 1)


def put(scene: Any, name: str, data: Any, place: tuple[float, float, float]) -> Any:
    """A new object in the scene's own collection."""
    thing: Any = bpy.data.objects.new(name, data)
    thing.location = place
    scene.collection.objects.link(thing)
    return thing


def square(scene: Any, name: str, distance: float, half: float) -> Any:
    """It faces the camera."""
    mesh: Any = bpy.data.meshes.new(name)
    corners = [(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    return put(scene, name, mesh, (0, distance, 0))


def into_strip(held: Any) -> None:
    """The action of an animation data becomes a strip of its NLA."""
    action, slot = held.action, getattr(held, "action_slot", None)
    strip = held.nla_tracks.new().strips.new("Strip", 1, action)
    if slot is not None:
        strip.action_slot = slot
    held.action = None
