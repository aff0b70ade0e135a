# SPDX-License-Identifier: GPL-3.0-or-later
"""A head with shape keys on a posed armature: the points of its face as we read them, and where they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import armatures
import bpy
import numpy as np

from second_unit.addon.host.rigs import Rigs
from second_unit.addon.shot.people import FACE


def run(args: dict[str, Any]) -> Any:
    """Per case of ``args["cases"]``, each in a scene of its own, what `_case` answers."""
    told = json.loads(Path(args["file"]).read_text(encoding="utf-8"))
    return [_case(told, case) for case in args["cases"]]


def _case(told: dict[str, Any], case: dict[str, Any]) -> Any:
    """Points we find, NaN as None, and where ``told["points"]`` are in the world by Blender's own matrices."""
    scene = armatures.empty()
    rig = armatures.armature("Ada", told["rows"])
    _body(rig)
    face = _head(rig, told, hangs=case.get("hangs", False))
    if "modifier" in case:
        more: Any = face.modifiers.new("more", case["modifier"])
        if case["modifier"] == "SUBSURF":
            # moves no vertex, only puts others between
            more.subdivision_type = "SIMPLE"
        if case["modifier"] == "SOLIDIFY":
            more.solidify_mode = case["mode"]
    if case.get("smooth"):
        face.modifiers.new("Smooth", "NODES").node_group = _smooth()
        face.modifiers.new("Shell", "SOLIDIFY")
    face.hide_render = case.get("hidden", False)
    for name, value in case.get("keys", {}).items():
        face.data.shape_keys.key_blocks[name].value = value
    bone = rig.pose.bones[told["head"]]
    bone.rotation_mode, bone.rotation_euler = "XYZ", (case.get("nod", 0.0), 0, 0)
    rig.location, rig.scale = case.get("at", (0, 0, 0)), (case.get("scale", 1.0),) * 3
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    (person,) = Rigs(scene).people(depsgraph)
    found = [None if np.isnan(row).any() else row.tolist() for row in person.joints[FACE]]
    posed = rig.evaluated_get(depsgraph)
    bone = posed.pose.bones[told["head"]]
    to_world = posed.matrix_world @ bone.matrix @ rig.data.bones[told["head"]].matrix_local.inverted()
    places = np.array(told["vertices"])[list(told["points"].values())]
    for name, value in case.get("keys", {}).items():
        places = places + value * np.array(told["keys"][name])[list(told["points"].values())]
    homogeneous = np.column_stack([places, np.ones(len(places))])
    expected = (homogeneous @ np.array(to_world).T)[:, :3].tolist()
    return {"found": found, "expected": dict(zip(told["points"], expected, strict=True))}


def _smooth() -> Any:
    """Geometry nodes that only shade smooth."""
    tree: Any = bpy.data.node_groups.new("Smooth", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    start, smooth, end = (
        tree.nodes.new(n) for n in ("NodeGroupInput", "GeometryNodeSetShadeSmooth", "NodeGroupOutput")
    )
    tree.links.new(start.outputs[0], smooth.inputs[0])
    tree.links.new(smooth.outputs[0], end.inputs[0])
    return tree


def _body(rig: Any) -> None:
    """A triangle that belongs to the rig, so that it is somebody also without a face."""
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata([(0, 0, 1), (0.1, 0, 1), (0, 0, 1.1)], [], [(0, 1, 2)])
    thing = bpy.data.objects.new("Body", mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.parent = rig


def _head(rig: Any, told: dict[str, Any], *, hangs: bool) -> Any:
    """The mesh: bent by the head bone, or hanging on it."""
    mesh = bpy.data.meshes.new("Face")
    count = len(told["vertices"])
    mesh.from_pydata(told["vertices"], [], [(i, i + 1, i + 2) for i in range(0, count - 2, 3)])
    thing = bpy.data.objects.new("Face", mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.shape_key_add(name="Basis")
    for name, moves in told["keys"].items():
        key = thing.shape_key_add(name=name)
        key.data.foreach_set("co", (np.array(told["vertices"]) + np.array(moves)).ravel())
        key.value = 0
    bpy.context.view_layer.update()
    thing.parent = rig
    if hangs:
        thing.parent_type, thing.parent_bone = "BONE", told["head"]
        bone = rig.data.bones[told["head"]]
        # a child of a bone hangs on its tail
        tail = bone.matrix_local.copy()
        tail.translation = bone.tail_local
        thing.matrix_parent_inverse = tail.inverted()
        return thing
    thing.vertex_groups.new(name=told["head"]).add(range(len(told["vertices"])), 1.0, "REPLACE")
    thing.modifiers.new("Armature", "ARMATURE").object = rig
    return thing
