# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is a person in which picture, with the human metarig every Blender ships."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import bpy
import numpy as np

from second_unit.addon.host.extract import Extractor
from second_unit.addon.host.rigs import Rigs

CUBE = [(x, y, z) for x in (-0.2, 0.2) for y in (-0.2, 0.2) for z in (0.0, 1.7)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def build() -> Any:
    """A rig ``Ada`` with a skinned ``Body``, a ``Hat`` on a bone, a ``Bag`` parented as an object; a free ``Box``."""
    scene = empty_set(6)
    ada = metarig("Ada")
    mesh("Body").modifiers.new("Armature", "ARMATURE").object = ada
    hat, bag = mesh("Hat"), mesh("Bag")
    hat.parent, hat.parent_type, hat.parent_bone = ada, "BONE", "spine.006"
    bag.parent = ada
    mesh("Strap").parent = bag
    mesh("Box")
    return scene


def empty_set(distance: float) -> Any:
    """Nothing but a camera that far from the origin, one metre up; the metarigs are at hand."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="rigify")
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0, -distance, 1), (1.5707963, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return scene


def metarig(name: str) -> Any:
    """The basic human metarig: 29 bones."""
    bpy.ops.object.armature_basic_human_metarig_add()
    rig = bpy.context.object
    rig.name = name
    return rig


def mesh(name: str) -> Any:
    """A box of a person's size."""
    data = bpy.data.meshes.new(name)
    data.from_pydata(CUBE, [], FACES)
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def nothing(_: Any) -> None:
    """As built."""


def body_only_hidden(_: Any) -> None:
    """Hat and bag are still to be seen."""
    bpy.data.objects["Body"].hide_viewport = True


def all_hidden(_: Any) -> None:
    """The person is out of the picture altogether."""
    for name in ("Body", "Hat", "Bag", "Strap"):
        bpy.data.objects[name].hide_viewport = True


def all_invisible(_: Any) -> None:
    """In the scene, but not for the camera."""
    for name in ("Body", "Hat", "Bag", "Strap"):
        bpy.data.objects[name].visible_camera = False


def hat_is_set(_: Any) -> None:
    """A prop."""
    bpy.data.objects["Hat"]["second_unit_set"] = True


def hidden_metarig(_: Any) -> None:
    """What generating a rig leaves behind."""
    metarig("metarig").hide_set(state=True)


def bare_metarig(_: Any) -> None:
    """Blocked with bones alone."""
    metarig("Zoe")


def extra_crowd(scene: Any) -> None:
    """The body once more, as an instance of a collection."""
    crowd = bpy.data.collections.new("Crowd")
    crowd.objects.link(bpy.data.objects["Body"])
    empty = bpy.data.objects.new("Crowd", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", crowd
    scene.collection.objects.link(empty)


CASES: list[Callable[[Any], None]] = [
    nothing, body_only_hidden, all_hidden, all_invisible, hat_is_set, hidden_metarig, bare_metarig, extra_crowd,
]  # fmt: skip


def run(_: dict[str, Any]) -> Any:
    """Per case: who owns which instance, and how many joints each person has."""
    return {case.__name__: _look(case) for case in CASES}


def _look(case: Callable[[Any], None]) -> dict[str, Any]:
    scene = build()
    bones = len(bpy.data.objects["Ada"].data.bones)
    case(scene)
    rigs = Rigs(scene)
    geometry, _ = Extractor(rigs, (64, 64), (64, 64)).frame(bpy.context.evaluated_depsgraph_get(), Fraction(1))
    return {
        "bones": bones,
        "names": rigs.names,
        "owners": {i.key: i.person for i in geometry.instances},
        "joints": {p.key: int(np.isfinite(p.joints).all(axis=1).sum()) for p in geometry.people},
    }
