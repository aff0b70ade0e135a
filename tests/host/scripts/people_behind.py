# SPDX-License-Identifier: GPL-3.0-or-later
"""People of a background set, and of the set behind that one. Every answer is what a render, or a viewport, reads."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from in_render import look_in_render
from people import build, mesh, metarig

from second_unit.addon.host import condition
from second_unit.addon.host.extract import Extractor
from second_unit.addon.host.preview import Crew
from second_unit.addon.host.rigs import Rigs
from second_unit.addon.shot.documents import Fields


def run(args: dict[str, Any]) -> Any:
    """The people as a command tells them, as the extractor has them and as the preview does, moved once."""
    file = Path(args["folder"]) / "behind.blend"
    _build()
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.open_mainfile(filepath=str(file))
    scene = bpy.context.scene
    order = {"camera": "Eye", "times": ["1"], "meter": 1, "size": [32, 32], "cache": str(file.parent / "cache")}
    told = condition.condition_scene(scene, Fields(order, "order"), lambda *_: None)
    rigs = Rigs(scene, scene.view_layers[0])
    frames: list[Any] = []
    scene.render.resolution_x, scene.render.resolution_y = 4, 4
    extractor = Extractor(rigs, (4, 4), (4, 4))
    look_in_render(scene, (1,), (4, 4), lambda depsgraph: frames.append(extractor.frame(depsgraph, Fraction(1))[0]))
    crew = Crew()
    first = crew.people(scene, bpy.context.evaluated_depsgraph_get())
    bpy.data.objects["Zoe"].hide_set(True, view_layer=bpy.data.scenes["Far"].view_layers[0])
    bpy.context.view_layer.update()
    return {
        "told": told["people"],
        "owners": {i.key: i.person for i in frames[0].instances},
        "joints": _count(frames[0].people),
        "preview": _count(first),
        "preview_later": _count(crew.people(scene, bpy.context.evaluated_depsgraph_get())),
    }


def _build() -> None:
    """Ada and her things, and a hidden bare rig, are in Near; the bare Zoe, and a crowd of one, in Far."""
    near = build()
    near.name = "Near"
    leftover = metarig("Leftover")
    # of a set Blender renders the first layer that is meant for it
    rendered = near.view_layers.new("Rendered")
    near.view_layers[0].use = False
    leftover.hide_set(state=True, view_layer=rendered)
    far = bpy.data.scenes.new("Far")
    bpy.context.window.scene = far
    metarig("Zoe")
    crowd = bpy.data.collections.new("Crowd")
    for thing in (metarig("Bob"), mesh("Bulk")):
        for home in list(thing.users_collection):
            home.objects.unlink(thing)
        crowd.objects.link(thing)
    bpy.data.objects["Bulk"].modifiers.new("Armature", "ARMATURE").object = bpy.data.objects["Bob"]
    empty = bpy.data.objects.new("Crowd", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", crowd
    far.collection.objects.link(empty)
    near.background_set = far
    main = bpy.data.scenes.new("Main")
    main.background_set = near
    bpy.context.window.scene = main
    eye = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    eye.location, eye.rotation_euler = (0, -6, 1), (1.5707963, 0, 0)
    main.collection.objects.link(eye)
    main.camera = eye


def _count(people: Any) -> dict[str, int]:
    return {one.key: int(np.isfinite(one.joints).all(axis=1).sum()) for one in people}
