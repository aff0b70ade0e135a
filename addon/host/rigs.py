# SPDX-License-Identifier: GPL-3.0-or-later
"""People from the artist's own rigs: evaluated bones to COCO-18 joints. Needs bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..conditioning.skeletons import Mapping18, complete, find_joints, limb_radius
from ..shot.geometry import NOBODY, Person

if TYPE_CHECKING:
    import numpy.typing as npt

_REST_FORWARD, _REST_LEFT = (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)


class Rigs:
    """Finds the people of a scene once and reads their joints in every frame. Ids follow the sorted rig names."""

    def __init__(self, scene: Any) -> None:
        self._mappings: dict[str, Mapping18] = {}
        for rig in sorted((o for o in scene.objects if o.type == "ARMATURE"), key=lambda o: o.name):
            mapping = find_joints(bone.name for bone in rig.data.bones)
            if mapping is not None and not rig.hide_render:
                self._mappings[rig.name] = mapping
        self._index = {name: i for i, name in enumerate(self._mappings)}

    @property
    def names(self) -> list[str]:
        """Rig names in id order."""
        return list(self._mappings)

    def people(self, depsgraph: Any) -> tuple[Person, ...]:
        """All people of the evaluated frame, in id order."""
        objects = depsgraph.scene_eval.objects
        return tuple(
            _person(objects[name].evaluated_get(depsgraph), mapping) for name, mapping in self._mappings.items()
        )

    def person_of(self, instance_object: Any) -> int:
        """Index of the person an evaluated mesh object belongs to: skinned to the rig, or hung on one of its bones."""
        rig = _rig_of(instance_object)
        return self._index.get(rig.name, NOBODY) if rig is not None else NOBODY


def _rig_of(thing: Any) -> Any:
    for modifier in thing.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None:
            return modifier.object
    while thing is not None and thing.parent is not None:
        if thing.parent.type == "ARMATURE" and thing.parent_type in {"BONE", "ARMATURE"}:
            return thing.parent
        thing = thing.parent
    return None


def _person(rig: Any, mapping: Mapping18) -> Person:
    world = np.array(rig.matrix_world, dtype=np.float64)
    bones = rig.pose.bones
    joints = np.full((18, 3), np.nan)
    for index, end in mapping.joints.items():
        bone = bones[end.bone]
        joints[index] = _to_world(world, bone.tail if end.tail else bone.head)
    head, axes = _head(bones[mapping.head], world) if mapping.head else (None, None)
    joints = complete(joints, head, axes)
    return Person(rig.name, joints, limb_radius(joints))


def _to_world(world: npt.NDArray[np.float64], point: Any) -> npt.NDArray[np.float64]:
    return world[:3, :3] @ np.array(point, dtype=np.float64) + world[:3, 3]


def _head(bone: Any, world: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The head joint and the head's up, forward and left axes: the rest axes carried along by the pose."""
    turned = world[:3, :3] @ np.array((bone.matrix @ bone.bone.matrix_local.inverted()).to_3x3(), dtype=np.float64)
    up = world[:3, :3] @ np.array(bone.y_axis, dtype=np.float64)
    axes = np.stack([up, turned @ _REST_FORWARD, turned @ _REST_LEFT])
    return _to_world(world, bone.head), axes / np.linalg.norm(axes, axis=1, keepdims=True)
