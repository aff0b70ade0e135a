# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures built from tables and Rigify's own, posed, and read by us and by Blender's camera matrix."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from joints import project

from second_unit.addon.host.extract import read_camera
from second_unit.addon.host.rigs import Rigs, find_on


def run(args: dict[str, Any]) -> Any:
    """``task`` names one of the functions below."""
    return {"families": families, "metarigs": metarigs, "said": said, "mirror": mirror, "flat": flat}[args["task"]](
        args
    )


def families(args: dict[str, Any]) -> Any:
    """Per case our pixels of every joint, and Blender's of those the case names bones for."""
    return [_family(case) for case in json.loads(Path(args["file"]).read_text(encoding="utf-8"))]


def _family(case: dict[str, Any]) -> dict[str, Any]:
    scene = empty()
    rig = armature("Ada", case["rows"])
    pose(rig, case["seed"])
    rig.scale = (case["scale"],) * 3
    rig.rotation_euler = (0, 0, case["yaw"])
    rig.location = (3 * case["scale"], -case["scale"], 0)
    camera = look(scene, rig.location, case["scale"])
    return {**_look(scene, camera, case["ends"]), "report": Rigs(scene).people_report()}


def _look(scene: Any, camera: Any, ends: dict[str, Any]) -> dict[str, Any]:
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    seen = camera.evaluated_get(depsgraph)
    people = Rigs(scene).people(depsgraph)
    if not people:
        return {"ours": None, "theirs": {}}
    pixels = read_camera(seen, (1920, 1080), scene).project(people[0].joints)[:, :2]
    posed = scene.objects["Ada"].evaluated_get(depsgraph)
    theirs = project(posed, seen, depsgraph, {int(k): (bone, along) for k, (bone, along) in ends.items()})
    return {"ours": np.where(np.isfinite(pixels), pixels, -1e9).tolist(), "theirs": theirs}


def metarigs(_: dict[str, Any]) -> Any:
    """Per metarig Rigify ships what is reported of it and its joints: as it is, and with names that say nothing."""
    empty()
    bpy.ops.preferences.addon_enable(module="rigify")
    answer: dict[str, Any] = {}
    for operator in sorted(name for name in dir(bpy.ops.object) if name.endswith("_metarig_add")):
        scene = empty()
        getattr(bpy.ops.object, operator)()
        rig = bpy.context.object
        rig.name = "Ada"
        known = _found(scene, rig)
        for i, bone in enumerate(rig.data.bones):
            bone.name = f"Node_{i}"
        answer[operator.removeprefix("armature_").removesuffix("_metarig_add")] = [known, _found(scene, rig)]
    return answer


def _found(scene: Any, rig: Any) -> dict[str, Any]:
    rigs = Rigs(scene)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    depsgraph.update()
    people = rigs.people(depsgraph)
    joints = people[0].joints if people else np.zeros((0, 3))
    return {
        "report": rigs.people_report(),
        "others": rigs.others_report(),
        "joints": [None if np.isnan(row).any() else row.tolist() for row in joints],
        "bones": len(rig.data.bones),
    }


def said(args: dict[str, Any]) -> Any:
    """Per value of a property, on the object or its data: what is reported."""
    answer: list[Any] = []
    for case in args["cases"]:
        scene = empty()
        rig = armature("Ada", args["rows"])
        for key, value in case.get("object", {}).items():
            rig[key] = value
        for key, value in case.get("data", {}).items():
            rig.data[key] = value
        rigs = Rigs(scene)
        answer.append({"people": rigs.people_report(), "others": rigs.others_report()})
    return answer


def mirror(args: dict[str, Any]) -> Any:
    """Left and right wrist and big toe in the world, of a rig and of its mirror image."""
    answer: list[Any] = []
    for scale in ((1, 1, 1), (-1, 1, 1)):
        scene = empty()
        armature("Ada", args["rows"]).scale = scale
        bpy.context.view_layer.update()
        (person,) = Rigs(scene).people(bpy.context.evaluated_depsgraph_get())
        answer.append(person.joints[[7, 4, 18, 21, 24, 45, 15, 14]].tolist())
    return answer


def flat(args: dict[str, Any]) -> Any:
    """Body joints that are somewhere, of a rig without size; warnings are errors."""
    warnings.simplefilter("error")
    scene = empty()
    armature("Ada", args["rows"]).scale = (0, 0, 0)
    bpy.context.view_layer.update()
    people = Rigs(scene).people(bpy.context.evaluated_depsgraph_get())
    return [person.joints[:14][np.isfinite(person.joints[:14]).all(axis=1)].tolist() for person in people]


def empty() -> Any:
    """A scene with nothing in it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene


def armature(name: str, rows: list[Any]) -> Any:
    """An armature object of bones (name, parent, head, tail)."""
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = rig.data.edit_bones
    for bone, _, head, tail in rows:
        made = bones.new(bone)
        made.head, made.tail = head, tail
    for bone, parent, *_ in rows:
        if parent:
            bones[bone].parent = bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(rig.data.bones) == len(rows)
    return rig


def pose(rig: Any, seed: int) -> None:
    """Turn every bone by up to 20 degrees."""
    random = np.random.default_rng(seed)
    for bone in rig.pose.bones:
        bone.rotation_mode = "XYZ"
        bone.rotation_euler = random.uniform(-0.35, 0.35, 3).tolist()


def look(scene: Any, target: Any, scale: float) -> Any:
    """A shifted camera six metres in front, in the rig's own measure."""
    data = bpy.data.cameras.new("Camera")
    data.clip_start, data.clip_end = 0.01 * scale, 1000 * scale
    data.shift_x, data.lens = 0.05, 35
    camera = bpy.data.objects.new("Camera", data)
    camera.location = (target[0] + scale, target[1] - 6 * scale, 1.2 * scale)
    camera.rotation_euler = (math.radians(88), 0, math.radians(9))
    scene.collection.objects.link(camera)
    scene.camera = camera
    assert find_on(scene.objects["Ada"]) is not None
    return camera
