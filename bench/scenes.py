# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenes of the benches, built in Blender from nothing: always the same, in every version. Needs bpy.

S is a room with 73 objects; M a street of 2,015 objects, 300 of them collection instances, 2,600 instances in all and
about 210,000 triangles; L a terrain of two million triangles with 48 rocks. People walk in each; the camera moves.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

FRAMES = (1, 480)
_BONES = {
    "Hips": ((0, 0, 0.95), (0, 0, 1.1), ""), "Spine": ((0, 0, 1.1), (0, 0, 1.45), "Hips"),
    "Neck": ((0, 0, 1.45), (0, 0, 1.55), "Spine"), "Head": ((0, 0, 1.55), (0, 0, 1.75), "Neck"),
    **{
        f"{side}{name}": ((x * sx, y, z), (x2 * sx, y2, z2), parent.replace("*", side))
        for side, sx in (("Left", 1), ("Right", -1))
        for name, (x, y, z), (x2, y2, z2), parent in (
            ("Arm", (0.18, 0, 1.42), (0.45, 0, 1.42), "Spine"), ("ForeArm", (0.45, 0, 1.42), (0.7, 0, 1.42), "*Arm"),
            ("Hand", (0.7, 0, 1.42), (0.8, 0, 1.42), "*ForeArm"), ("UpLeg", (0.1, 0, 0.95), (0.1, -0.02, 0.5), "Hips"),
            ("Leg", (0.1, -0.02, 0.5), (0.1, 0, 0.08), "*UpLeg"), ("Foot", (0.1, 0, 0.08), (0.1, -0.15, 0.02), "*Leg"),
        )
    },
}  # fmt: skip


def build(name: str) -> Any:
    """Empty the open file and build scene S, M or L; returns its scene, with the camera ``Camera``."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene: Any = bpy.context.scene
    scene.frame_start, scene.frame_end = FRAMES
    scene.render.resolution_x, scene.render.resolution_y = 1280, 720
    _lamp(scene)
    known: dict[str, Callable[[Any, random.Random], None]] = {"S": _room, "M": _street, "L": _terrain}
    known[name](scene, random.Random(7))  # noqa: S311 - to place boxes
    marker = scene.timeline_markers.new("SH010", frame=FRAMES[0])
    marker.camera = scene.camera
    return scene


def _put(scene: Any, name: str, data: Any, place: tuple[float, float, float] = (0, 0, 0)) -> Any:
    thing: Any = bpy.data.objects.new(name, data)
    thing.location = place
    scene.collection.objects.link(thing)
    return thing


def _mesh(name: str, vertices: Any, faces: Any, *, smooth: bool = False) -> Any:
    mesh: Any = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    if smooth:
        mesh.shade_smooth()
    return mesh


def _box(name: str) -> Any:
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return _mesh(name, corners, faces)


def _ball(name: str, rings: int, radius: float = 0.5) -> Any:
    """A smooth ball of ``4 * rings * rings`` triangles, or about that."""
    turns = [math.pi * i / rings for i in range(rings + 1)]
    vertices = [
        (radius * math.sin(t) * math.cos(p), radius * math.sin(t) * math.sin(p), radius * math.cos(t))
        for t in turns
        for p in (2 * math.pi * k / (2 * rings) for k in range(2 * rings))
    ]
    wide = 2 * rings
    faces = [
        (r * wide + k, r * wide + (k + 1) % wide, (r + 1) * wide + (k + 1) % wide, (r + 1) * wide + k)
        for r in range(rings)
        for k in range(wide)
    ]
    return _mesh(name, vertices, faces, smooth=True)


def _lamp(scene: Any) -> None:
    light: Any = bpy.data.lights.new("Sun", "SUN")
    light.energy = 3.0
    _put(scene, "Sun", light).rotation_euler = (0.6, 0.3, 0.0)


def _camera(scene: Any, start: tuple[float, float, float], end: tuple[float, float, float], pitch: float) -> None:
    camera = _put(scene, "Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens, camera.data.clip_end = 35.0, 2000.0
    camera.rotation_euler = (pitch, 0, 0)
    for frame, place in zip(FRAMES, (start, end), strict=True):
        camera.location = place
        camera.keyframe_insert("location", frame=frame)
    scene.camera = camera


def _person(scene: Any, name: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A skinned figure that walks from one place to another."""
    rig = _put(scene, name, bpy.data.armatures.new(name))
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, (head, tail, parent) in _BONES.items():
        new = rig.data.edit_bones.new(bone)
        new.head, new.tail = head, tail
        new.parent = rig.data.edit_bones.get(parent)
    bpy.ops.object.mode_set(mode="OBJECT")
    _skin(scene, rig)
    for frame, place in zip(FRAMES, (start, end), strict=True):
        rig.location = (*place, 0)
        rig.keyframe_insert("location", frame=frame)
    for side, sign in (("Left", 1), ("Right", -1)):
        for bone in (f"{side}UpLeg", f"{side}Arm"):
            posed = rig.pose.bones[bone]
            posed.rotation_mode = "XYZ"
            for frame in range(FRAMES[0], FRAMES[1] + 1, 12):
                posed.rotation_euler[0] = sign * 0.5 * math.cos(math.pi * frame / 12)
                posed.keyframe_insert("rotation_euler", index=0, frame=frame)


def _skin(scene: Any, rig: Any) -> None:
    """One mesh of balls along the bones, each weighted to its own."""
    ball = _ball(rig.name + " part", 8)
    parts, faces, groups = [], [], {}
    points = np.array([v.co for v in ball.vertices])
    polygons = [tuple(p.vertices) for p in ball.polygons]
    for bone, (head, tail, _) in _BONES.items():
        first = sum(len(p) for p in parts)
        middle, long = (np.array(head) + tail) / 2, math.dist(head, tail)
        parts.append(points * (0.16, 0.16, 0.16 + long) + middle)
        faces += [tuple(first + i for i in polygon) for polygon in polygons]
        groups[bone] = range(first, first + len(points))
    body = _put(
        scene, rig.name + " Body", _mesh(rig.name + " Body", np.concatenate(parts).tolist(), faces, smooth=True)
    )
    for bone, members in groups.items():
        body.vertex_groups.new(name=bone).add(list(members), 1.0, "REPLACE")
    body.parent = rig
    body.modifiers.new("Armature", "ARMATURE").object = rig


def _room(scene: Any, dice: random.Random) -> None:
    box = _box("Box")
    floor = _put(scene, "Floor", box, (0, 0, -0.1))
    floor.scale = (12, 12, 0.1)
    for number, place in enumerate(((0, 6, 0), (-6, 0, 0), (6, 0, 0))):
        wall = _put(scene, f"Wall {number}", box, place)
        wall.scale = (12, 0.2, 4) if place[1] else (0.2, 12, 4)
    for number in range(63):
        thing = _put(scene, f"Box {number}", box, (dice.uniform(-5, 5), dice.uniform(-3, 5), 0))
        thing.scale = tuple(dice.uniform(0.2, 0.9) for _ in range(3))
        thing.rotation_euler[2] = dice.uniform(0, 3)
    ball = _put(scene, "Ball", _ball("Ball", 16), (0, 1, 1.5))
    ball.scale = (1.2, 1.2, 1.2)
    _person(scene, "Ada", (-2, 2), (2, -2))
    _person(scene, "Bob", (2, 3), (-1, 0))
    _camera(scene, (0, -7, 1.7), (0.8, -4.5, 1.6), math.radians(88))


def _street(scene: Any, dice: random.Random) -> None:
    box, ball = _box("House"), _ball("Crown", 7)
    ground = _put(scene, "Ground", box, (0, 100, -1))
    ground.scale = (60, 260, 1)
    tree: Any = bpy.data.collections.new("Tree")
    for name, data, place, scale in (
        ("Trunk", box, (0, 0, 0), (0.3, 0.3, 2.0)), ("Crown", ball, (0, 0, 2.6), (2, 2, 2.2)),
        ("Crown Top", ball, (0.2, 0, 3.6), (1.3, 1.3, 1.3)),
    ):  # fmt: skip
        part: Any = bpy.data.objects.new(name, data)
        part.location, part.scale = place, scale
        tree.objects.link(part)
    for number in range(300):
        spot = _put(scene, f"Tree {number}", None, (dice.choice((-1, 1)) * dice.uniform(5, 9), number * 0.7, 0))
        spot.instance_type, spot.instance_collection = "COLLECTION", tree
    for number in range(1703):
        side = dice.choice((-1, 1))
        thing = _put(
            scene, f"House {number}", box if number % 4 else ball, (side * dice.uniform(10, 28), number / 8, 0)
        )
        thing.scale = (dice.uniform(0.5, 4), dice.uniform(0.5, 4), dice.uniform(0.5, 12))
    for number, name in enumerate(("Ada", "Bob", "Cem")):
        _person(scene, name, (number - 1.0, 6.0 + 2 * number), (1.0 - number, 3.0 + number))
    _camera(scene, (0, -4, 1.7), (0, 2, 1.7), math.radians(89))


def _terrain(scene: Any, dice: random.Random) -> None:
    side = 1001
    x, y = np.meshgrid(np.linspace(-60, 60, side), np.linspace(-20, 100, side))
    z = np.sin(x * 0.3) * np.cos(y * 0.25) * 1.2 + 0.15 * np.sin(x * 2.1 + y * 1.7) - 1.5
    mesh: Any = bpy.data.meshes.new("Terrain")
    count = side * side
    mesh.vertices.add(count)
    mesh.vertices.foreach_set("co", np.stack([x, y, z], -1).astype(np.float32).reshape(-1))
    index = np.arange(count).reshape(side, side)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    mesh.loops.add(quads.size)
    mesh.loops.foreach_set("vertex_index", quads.reshape(-1).astype(np.int32))
    mesh.polygons.add(len(quads))
    mesh.polygons.foreach_set("loop_start", np.arange(0, quads.size, 4, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    _put(scene, "Terrain", mesh)
    rock = _ball("Rock", 16)
    for number in range(48):
        stone = _put(
            scene, f"Rock {number}", rock, (dice.uniform(-12, 12), dice.uniform(0, 40), dice.uniform(-1.5, 0.5))
        )
        stone.scale = tuple(dice.uniform(0.4, 2.5) for _ in range(3))
    _person(scene, "Ada", (-1.5, 8), (1.5, 4))
    _person(scene, "Bob", (1.5, 9), (-1, 6))
    _camera(scene, (0, -8, 2.5), (0, -2, 2.3), math.radians(84))
