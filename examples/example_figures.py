# SPDX-License-Identifier: GPL-3.0-or-later
"""The two people: Rigify rigs, and their bodies bound to the DEF bones in two ways."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import bpy
from example_bodies import Build, body_parts
from example_mesh import Builder
from mathutils import Matrix, Vector

TORSO_BONES = (("DEF-spine", 1.08), ("DEF-spine.001", 1.22), ("DEF-spine.002", 1.38), ("DEF-spine.003", 1.55))


def make_rig(build: Build, parent: bpy.types.Collection) -> bpy.types.Object:
    """Generate `RIG-<name>` from a scaled human metarig, drop the metarig and the UI script, hide what is not posed."""
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    metarig.scale = (build.scale,) * 3
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    metarig.data.rigify_rig_basename = f"RIG-{build.name}"
    bpy.ops.pose.rigify_generate()
    rig = bpy.context.object
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.name = rig.data.name = f"RIG-{build.name}"
    data = metarig.data
    bpy.data.objects.remove(metarig)
    bpy.data.armatures.remove(data)
    for text in list(bpy.data.texts):
        bpy.data.texts.remove(text)
    _tidy(build, rig, parent)
    return rig


def _tidy(build: Build, rig: bpy.types.Object, parent: bpy.types.Collection) -> None:
    scene = bpy.context.scene
    for holder in list(rig.users_collection):
        holder.objects.unlink(rig)
    parent.objects.link(rig)
    widgets = next(c for c in scene.collection.children if c.name.startswith("WGTS"))
    scene.collection.children.unlink(widgets)
    parent.children.link(widgets)
    widgets.name = f"WGTS_{build.name}"
    widgets.hide_viewport = widgets.hide_render = True
    shown = {"Torso", "Arm.L (IK)", "Arm.R (IK)", "Leg.L (IK)", "Leg.R (IK)", "Root"}
    for bones in rig.data.collections_all:
        bones.is_visible = bones.name in shown
    rig.show_in_front = False
    for name in ("upper_arm_parent.L", "upper_arm_parent.R", "thigh_parent.L", "thigh_parent.R"):
        rig.pose.bones[name]["IK_Stretch"] = 0.0
    for name in ("upper_arm_parent.L", "upper_arm_parent.R"):
        rig.pose.bones[name]["pole_vector"] = True


def _smooth(value: float, low: float, high: float) -> float:
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


def weights(group: str, point: Vector) -> dict[str, float]:
    """Bone weights of a vertex (metarig coordinates): whole, or blended over the trunk and the coat."""
    if group == "blend:torso":
        found: dict[str, float] = {}
        for (low, z0), (high, z1) in pairwise(TORSO_BONES):
            if z0 <= point.z <= z1:
                t = _smooth(point.z, z0, z1)
                found = {low: 1 - t, high: t}
        return found or {(TORSO_BONES[0] if point.z < TORSO_BONES[0][1] else TORSO_BONES[-1])[0]: 1.0}
    if group == "blend:coat":
        hips = 0.10 + 0.90 * _smooth(point.z, 0.70, 1.10)
        left = _smooth(point.x, -0.13, 0.13)
        return {"DEF-spine": hips, "DEF-thigh.L": (1 - hips) * left, "DEF-thigh.R": (1 - hips) * (1 - left)}
    return {group: 1.0}


def dress_in_parts(
    build: Build, rig: bpy.types.Object, parent: bpy.types.Collection, materials: Sequence[bpy.types.Material]
) -> None:
    """One object per DEF bone, parented to that bone; its origin is the bone's head."""
    for bone_name, builder in body_parts(build, rig).items():
        bone = rig.data.bones[bone_name]
        head = bone.head_local.copy()
        builder.vertices = [v * build.scale - head for v in builder.vertices]
        name = f"{build.name}_{bone_name.removeprefix('DEF-')}"
        part = bpy.data.objects.new(name, builder.mesh(name, materials, smooth=True))
        parent.objects.link(part)
        part.parent, part.parent_type, part.parent_bone = rig, "BONE", bone_name
        part.matrix_parent_inverse = (bone.matrix_local @ Matrix.Translation((0, bone.length, 0))).inverted()
        part.location = head


def dress_in_one(
    build: Build, rig: bpy.types.Object, parent: bpy.types.Collection, materials: Sequence[bpy.types.Material]
) -> None:
    """One joined mesh with vertex groups and an Armature modifier."""
    whole, owners = Builder(), list[dict[str, float]]()
    for group, builder in body_parts(build, rig).items():
        base = len(whole.vertices)
        whole.vertices += builder.vertices
        whole.faces += [tuple(base + i for i in face) for face in builder.faces]
        whole.slots += builder.slots
        owners += [weights(group, v) for v in builder.vertices]
    whole.vertices = [v * build.scale for v in whole.vertices]
    body = bpy.data.objects.new(f"{build.name}_body", whole.mesh(f"{build.name}_body", materials, smooth=True))
    parent.objects.link(body)
    body.parent = rig
    groups: dict[str, bpy.types.VertexGroup] = {}
    for index, owner in enumerate(owners):
        for bone, weight in owner.items():
            if weight > 1e-4:
                groups.setdefault(bone, body.vertex_groups.get(bone) or body.vertex_groups.new(name=bone)).add(
                    [index], weight, "REPLACE"
                )
    modifier = body.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
