# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig with a body beside a bare one that rests the same way, as a generator leaves its template."""

from __future__ import annotations

from typing import Any

import armatures
import bpy
import numpy as np

from second_unit.addon.host.rigs import PERSON_PROPERTY, Rigs
from second_unit.addon.shot.people import BODY


def run(args: dict[str, Any]) -> Any:
    """Who is there in each case, how many joints they have, and what is said."""
    cases = ("left", "marked", "taller", "posed", "copy", "alone")
    return {case: _case(args["made"], args["made"] if case == "copy" else args["template"], case) for case in cases}


def _case(made: list[Any], rows: list[Any], case: str) -> Any:
    scene = armatures.empty()
    template = armatures.armature("Template", rows)
    if case != "alone":
        _body(armatures.armature("Made", made))
    if case == "marked":
        template[PERSON_PROPERTY] = True
    if case == "taller":
        for bone in _edited(template):
            bone.head.z *= 1.2
            bone.tail.z *= 1.2
        bpy.ops.object.mode_set(mode="OBJECT")
    if case == "posed":
        template.location, template.scale = (1, 0, 0), (2, 2, 2)
        template.pose.bones[0].rotation_mode = "XYZ"
        template.pose.bones[0].rotation_euler.x = 0.5
    bpy.context.view_layer.update()
    rigs = Rigs(scene, scene.view_layers[0])
    people = rigs.people(bpy.context.evaluated_depsgraph_get())
    return {
        "names": rigs.names, "notes": rigs.notes,
        "joints": [int(np.isfinite(one.joints[BODY]).all(axis=1).sum()) for one in people],
    }  # fmt: skip


def _edited(rig: Any) -> Any:
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    return rig.data.edit_bones


def _body(rig: Any) -> None:
    mesh = bpy.data.meshes.new("Body")
    mesh.from_pydata([(0, 0, 1), (0.1, 0, 1), (0, 0, 1.1)], [], [(0, 1, 2)])
    thing = bpy.data.objects.new("Body", mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.modifiers.new("Armature", "ARMATURE").object = rig
