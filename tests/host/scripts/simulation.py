# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that are simulated, and how they lie in the frames of a shot that is drawn as a whole or in part."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.host import condition
from second_unit.addon.host.simulated import unbaked
from second_unit.addon.shot.documents import Fields

CORNERS = [(x / 4 - 1, y / 4 - 1, 2.0) for y in range(9) for x in range(9)]
FACES = [(9 * y + x, 9 * y + x + 1, 9 * y + x + 10, 9 * y + x + 9) for y in range(8) for x in range(8)]
Cases = dict[str, Callable[[Any], None]]


def build() -> Any:
    """A flat ``Sheet`` two metres up, a free ``Box``, a camera."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    mesh = bpy.data.meshes.new("Sheet")
    mesh.from_pydata(CORNERS, [], FACES)
    for name, data in (("Sheet", mesh), ("Box", mesh.copy()), ("Camera", bpy.data.cameras.new("Camera"))):
        scene.collection.objects.link(bpy.data.objects.new(name, data))
    camera = bpy.data.objects["Camera"]
    camera.location, camera.rotation_euler = (0, -8, 1), (1.5707963, 0, 0)
    scene.camera = camera
    bpy.context.view_layer.objects.active = bpy.data.objects["Sheet"]
    scene.frame_end = 20
    return scene


def sheet() -> Any:
    """What is simulated."""
    return bpy.data.objects["Sheet"]


def cloth(_: Any) -> None:
    """A piece of cloth that falls."""
    sheet().modifiers.new("Cloth", "CLOTH")


def baked(scene: Any) -> None:
    """The same, baked."""
    cloth(scene)
    modifier = sheet().modifiers["Cloth"]
    modifier.point_cache.frame_end = 20
    with bpy.context.temp_override(scene=scene, active_object=sheet(), point_cache=modifier.point_cache):
        bpy.ops.ptcache.bake(bake=True)


def soft(_: Any) -> None:
    """A soft body."""
    sheet().modifiers.new("Soft", "SOFT_BODY")


def particles(_: Any) -> None:
    """Falling particles."""
    sheet().modifiers.new("Rain", "PARTICLE_SYSTEM")


def still_particles(_: Any) -> None:
    """A scatter: nothing moves."""
    sheet().modifiers.new("Scatter", "PARTICLE_SYSTEM").particle_system.settings.physics_type = "NO"


def hair(_: Any) -> None:
    """Hair that is only styled."""
    sheet().modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system.settings.type = "HAIR"


def body(scene: Any) -> None:
    """A rigid body."""
    scene.frame_set(1)
    bpy.ops.rigidbody.world_add()
    scene.rigidbody_world.collection = bpy.data.collections.new("Bodies")
    scene.rigidbody_world.collection.objects.link(sheet())


def nodes(_: Any) -> None:
    """A simulation zone inside a group."""
    inner = bpy.data.node_groups.new("Inner", "GeometryNodeTree")
    inner.nodes.new("GeometryNodeSimulationOutput")
    outer = bpy.data.node_groups.new("Outer", "GeometryNodeTree")
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    sheet().modifiers.new("Nodes", "NODES").node_group = outer


def zone(_: Any) -> None:
    """A zone that lowers the sheet by a little in every frame."""
    tree = bpy.data.node_groups.new("Zone", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    kinds = "NodeGroupInput GeometryNodeSimulationInput GeometryNodeSetPosition GeometryNodeSimulationOutput"
    chain = [tree.nodes.new(kind) for kind in (*kinds.split(), "NodeGroupOutput")]
    chain[1].pair_with_output(chain[3])
    chain[2].inputs["Offset"].default_value = (0, 0, -0.05)
    for one, other in pairwise(chain):
        tree.links.new(next(s for s in one.outputs if s.name == "Geometry"), other.inputs["Geometry"])
    sheet().modifiers.new("Zone", "NODES").node_group = tree


def off(scene: Any) -> None:
    """Switched off for renders."""
    cloth(scene)
    sheet().modifiers["Cloth"].show_render = False


def instanced(scene: Any) -> None:
    """Cloth in a collection that an empty shows."""
    cloth(scene)
    home = bpy.data.collections.new("Home")
    home.objects.link(sheet())
    scene.collection.objects.unlink(sheet())
    empty = bpy.data.objects.new("Empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", home
    scene.collection.objects.link(empty)


CASES: Cases = {
    case.__name__: case
    for case in (cloth, baked, soft, particles, still_particles, hair, body, nodes, zone, off, instanced)
}  # fmt: skip


def run(args: dict[str, Any]) -> Any:
    """Task ``found``: what is said to be simulated in each case. Task ``drawn``: what the condition task answers."""
    if args["task"] == "found":
        return {name: _found(case) for name, case in CASES.items()}
    scene = build()
    CASES[args["case"]](scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(args["folder"]) / "sheet.blend"))
    return [_drawn(args["folder"], order) for order in args["orders"]]


def _found(case: Callable[[Any], None]) -> list[str]:
    scene = build()
    case(scene)
    return list(unbaked(scene, scene.view_layers[0]).names)


def _drawn(folder: str, order: dict[str, Any]) -> dict[str, Any]:
    said = {
        "blend": str(Path(folder) / "sheet.blend"), "camera": "Camera", "meter": int(Fraction(order["times"][0])),
        "size": [32, 32], "cache": str(Path(folder) / "cache"), **order,
    }  # fmt: skip
    return condition.condition_task(Fields(said, "args"), lambda *_: None)
