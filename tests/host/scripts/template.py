# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig with a body beside a bare one that rests the same way, as a generator leaves its template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import armatures
import bpy
import numpy as np

from second_unit.addon.host.rigs import PERSON_PROPERTY, Rigs
from second_unit.addon.shot.people import BODY


def run(args: dict[str, Any]) -> Any:
    """Who is there in each case, how many joints they have, and what is said."""
    cases = ("left", "marked", "taller", "posed", "copy", "prop", "space", "keyed", "strip", "driven", "controls")
    copies = ("copy", "prop", "space")
    cases = (*cases, "mechanical", "bare", "bare copy", "alone")
    made, template = args["made"], args["template"]
    return {case: _case(made, made if case in (*copies, "bare copy") else template, case) for case in cases}


def _case(made: list[Any], rows: list[Any], case: str) -> Any:
    scene = armatures.empty()
    template = armatures.armature("Template", rows)
    if case != "alone":
        rig = armatures.armature("Made", made)
        if case == "bare":
            _mechanics(rig)
        if not case.startswith("bare"):
            _body(rig)
        if case == "controls":
            _tie(rig, template)
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
    CHANGES.get(case, lambda _: None)(template)
    bpy.context.view_layer.update()
    rigs = Rigs(scene, scene.view_layers[0])
    people = rigs.people(bpy.context.evaluated_depsgraph_get())
    return {
        "names": rigs.names, "notes": rigs.notes,
        "joints": [int(np.isfinite(one.joints[BODY]).all(axis=1).sum()) for one in people],
    }  # fmt: skip


def _prop(rig: Any) -> None:
    """One bone more, and two metres beside."""
    rig.location = (2, 0, 0)
    bone = _edited(rig).new("prop")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 0.1)
    bpy.ops.object.mode_set(mode="OBJECT")


def _space(rig: Any) -> None:
    """As a second import of the same rig is called."""
    for bone in rig.data.bones:
        bone.name = f"second:{bone.name}"


def _keyed(rig: Any) -> None:
    rig.pose.bones[0].keyframe_insert("location", frame=1)


def _strip(rig: Any) -> None:
    _keyed(rig)
    data = rig.animation_data
    data.nla_tracks.new().strips.new("Walk", 1, data.action)
    data.action = None


def _driven(rig: Any) -> None:
    rig.driver_add("location", 0)


def _mechanical(rig: Any) -> None:
    """Bones that drive each other perform nothing."""
    rig.pose.bones[0].driver_add("location", 0)


def _mechanics(rig: Any) -> None:
    """As many bones again, and some, as a generator adds."""
    bones = _edited(rig)
    for i in range(len(bones) + 9):
        bone = bones.new(f"MCH-{i}")
        bone.head, bone.tail = (0, 0, 0), (0, 0, 0.1)
    bpy.ops.object.mode_set(mode="OBJECT")


def _tie(rig: Any, to: Any) -> None:
    """Every bone follows the nearest of an animated rig."""
    _keyed(to)
    for bone in rig.pose.bones:
        tie = bone.constraints.new("COPY_ROTATION")
        nearest = min(to.data.bones, key=lambda one: (one.head_local - bone.bone.head_local).length)
        tie.target, tie.subtarget = to, nearest.name


CHANGES: dict[str, Callable[[Any], None]] = {
    "prop": _prop, "space": _space, "keyed": _keyed, "strip": _strip, "driven": _driven, "mechanical": _mechanical,
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
