# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes that a z-buffer cannot draw, each a wall 8 units from the camera with something 4 units from it."""

from __future__ import annotations

from typing import Any

import bpy
from placing import wall_and_front

from second_unit.addon.host.limits import beyond_zbuffer


def run(args: dict[str, Any]) -> Any:
    """Build the scene ``kind``, save it as ``blend``; returns why it needs Cycles."""
    scene, front = wall_and_front()
    front.location.x = 0.2
    _KINDS[args["kind"]](scene, front)
    scene.frame_start, scene.frame_end = 1, 4
    scene.timeline_markers.new("SH010", frame=1).camera = scene.camera
    bpy.ops.wm.save_as_mainfile(filepath=args["blend"])
    return beyond_zbuffer(scene, scene.view_layers[0])


def _material(thing: Any) -> tuple[Any, Any]:
    material: Any = bpy.data.materials.new("Leaf")
    material.use_nodes = True
    thing.data.materials.append(material)
    return material.node_tree, next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def _cutout(scene: Any, front: Any) -> None:
    """The left half of the square is not there."""
    del scene
    tree, principled = _material(front)
    place, split = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeSeparateXYZ")
    step = tree.nodes.new("ShaderNodeMath")
    step.operation, step.inputs[1].default_value = "GREATER_THAN", 0.0
    tree.links.new(place.outputs["Object"], split.inputs[0])
    tree.links.new(split.outputs[0], step.inputs[0])
    tree.links.new(step.outputs[0], principled.inputs["Alpha"])


def _hair(scene: Any, front: Any) -> None:
    del scene
    front.modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = front.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 50, 1.0


def _pano(scene: Any, front: Any) -> None:
    del front
    scene.camera.data.type = "PANO"
    owner = scene.camera.data if hasattr(scene.camera.data, "panorama_type") else scene.camera.data.cycles
    owner.panorama_type = "EQUIRECTANGULAR"


def _moving(scene: Any, front: Any) -> None:
    """Nothing special; the square and the camera move sideways."""
    for frame in (1, 4):
        front.location.x = 0.2 + 0.1 * frame
        front.keyframe_insert("location", frame=frame)
        scene.camera.location.x = -0.05 * frame
        scene.camera.keyframe_insert("location", frame=frame)


def _hidden_glass(scene: Any, front: Any) -> None:
    """A cut-out that is never rendered needs nobody."""
    _cutout(scene, front)
    front.hide_render = True


def _centimetres(scene: Any, front: Any) -> None:
    """The scene's unit is a centimetre; the camera is focused on the square."""
    del front
    scene.unit_settings.scale_length = 0.01
    focus = scene.camera.data.dof
    focus.use_dof, focus.focus_distance, focus.aperture_fstop = True, 4.0, 2.0


def _oblong(scene: Any, front: Any) -> None:
    """Pixels twice as wide as high, and a size that overscan rounds."""
    _moving(scene, front)
    scene.render.pixel_aspect_x, scene.render.resolution_x = 2.0, 173


def _flat(scene: Any, front: Any) -> None:
    """An orthographic camera that moves and turns."""
    _moving(scene, front)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 5.0
    for frame in (1, 4):
        scene.camera.rotation_euler[1] = 0.02 * frame
        scene.camera.keyframe_insert("rotation_euler", frame=frame)


def _scattered(scene: Any, front: Any) -> None:
    """Geometry nodes show a see-through leaf that is in no collection, and a line that nobody draws."""
    leaf: Any = bpy.data.objects.new("Leaf", front.data.copy())
    _cutout(scene, leaf)
    tree: Any = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    told, join = tree.nodes.new("NodeGroupOutput"), tree.nodes.new("GeometryNodeJoinGeometry")
    shown, line = tree.nodes.new("GeometryNodeObjectInfo"), tree.nodes.new("GeometryNodeCurvePrimitiveLine")
    shown.inputs["Object"].default_value, shown.inputs["As Instance"].default_value = leaf, True
    tree.links.new(shown.outputs["Geometry"], join.inputs[0])
    tree.links.new(line.outputs[0], join.inputs[0])
    tree.links.new(join.outputs[0], told.inputs[0])
    front.modifiers.new("Scatter", "NODES").node_group = tree


_KINDS = {
    "scattered": _scattered,
    "cutout": _cutout,
    "hair": _hair,
    "pano": _pano,
    "moving": _moving,
    "hidden": _hidden_glass,
    "centimetres": _centimetres,
    "oblong": _oblong,
    "flat": _flat,
}
