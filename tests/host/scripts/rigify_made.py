# SPDX-License-Identifier: GPL-3.0-or-later
"""A metarig beside the rig that Rigify itself generates from it."""

from __future__ import annotations

from typing import Any

import bpy
from people import empty_set, mesh

from second_unit.addon.host.rigs import Rigs


def run(args: dict[str, Any]) -> Any:
    """Who is there in each case, and what is said, for the metarig called ``args["kind"]``."""
    return {case: _case(args["kind"], case) for case in ("body", "bare", "stand", "keyed", "alone")}


def _case(kind: str, case: str) -> Any:
    scene = empty_set(6)
    getattr(bpy.ops.object, f"armature_{kind}_metarig_add")()
    metarig = bpy.context.object
    if case != "alone":
        bpy.ops.pose.rigify_generate()
        rig = next(thing for thing in scene.objects if thing.type == "ARMATURE" and thing != metarig)
        metarig.name, rig.name = "metarig", "rig"
        if case == "body":
            mesh("Body").modifiers.new("Armature", "ARMATURE").object = rig
        if case == "keyed":
            metarig.pose.bones[0].keyframe_insert("location", frame=1)
        if case == "stand":
            _move(scene, [metarig, rig])
    bpy.context.view_layer.update()
    rigs = Rigs(scene, scene.view_layers[0])
    return {"names": rigs.names, "notes": rigs.notes}


def _move(scene: Any, things: list[Any]) -> None:
    """Into a collection that only an empty shows."""
    collection = bpy.data.collections.new("Shown")
    for thing in things:
        for home in list(thing.users_collection):
            home.objects.unlink(thing)
        collection.objects.link(thing)
    empty = bpy.data.objects.new("Empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    scene.collection.objects.link(empty)
