# SPDX-License-Identifier: GPL-3.0-or-later
"""People from the artist's own rigs: evaluated bones to COCO-18 joints. Needs bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..conditioning.skeletons import Mapping18, complete, find_joints, limb_radius
from ..shot.geometry import NOBODY, Person

if TYPE_CHECKING:
    from collections.abc import Container, Generator
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

SET_PROPERTY = "second_unit_set"
"""A mesh object with this custom property set belongs to the set, whatever it hangs on."""

_REST_FORWARD, _REST_LEFT = (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)


class Rigs:
    """Finds the people of a scene once and reads their joints in every frame.

    Ids follow the sorted full names of the rigs. A rig that owns meshes is a person wherever one of them is seen; a
    bare rig is one when it is visible in ``layer`` (the scene's first view layer unless given), so that a hidden
    leftover metarig is nobody.
    """

    def __init__(self, scene: Any, layer: Any = None) -> None:
        layer = layer or scene.view_layers[0]
        found: dict[str, tuple[Any, Mapping18]] = {}
        for rig in sorted((o for o in scene.objects if o.type == "ARMATURE"), key=lambda o: o.name_full):
            mapping = find_joints(bone.name for bone in rig.data.bones)
            if mapping is not None:
                found[rig.name_full] = (rig, mapping)
        owners = {_owner(thing, found) for thing in scene.objects if thing.type == "MESH"}
        self._people = {
            name: (rig, mapping) for name, (rig, mapping) in found.items() if name in owners or _shown(rig, layer)
        }
        self._index = {name: i for i, name in enumerate(self._people)}
        self._bare = {i for name, i in self._index.items() if name not in owners}

    @property
    def names(self) -> list[str]:
        """Full rig names in id order."""
        return list(self._people)

    def people(self, depsgraph: Any, seen: AbstractSet[int] | None = None) -> tuple[Person, ...]:
        """All people of the evaluated frame, in id order.

        Those whose index is not in ``seen`` (the people of the frame's visible instances; None: everybody is there)
        have no joints, unless their rigs own no mesh at all.
        """
        return tuple(
            _person(rig.evaluated_get(depsgraph), mapping, present=seen is None or i in seen or i in self._bare)
            for i, (rig, mapping) in enumerate(self._people.values())
        )

    def person_of(self, thing: Any) -> int:
        """Index of the person a mesh object belongs to, or `NOBODY`.

        It is theirs when skinned to the rig or parented to it at any remove, unless it carries the custom property
        ``second_unit_set``: a prop held in a hand.
        """
        owner = _owner(thing, self._index)
        return NOBODY if owner is None else self._index[owner]


def _owner(thing: Any, rigs: Container[str]) -> str | None:
    """Full name of the first of ``rigs`` that deforms or carries ``thing``."""
    if thing.get(SET_PROPERTY):
        return None
    for rig in _carriers(thing):
        if rig.name_full in rigs:
            return rig.name_full
    return None


def _carriers(thing: Any) -> Generator[Any]:
    """What deforms a mesh object, then its ancestors from the nearest on."""
    yield from (m.object for m in thing.modifiers if m.type == "ARMATURE" and m.object is not None)
    parent = thing.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _shown(rig: Any, layer: Any) -> bool:
    return not rig.hide_render and rig.visible_get(view_layer=layer)


def _person(rig: Any, mapping: Mapping18, *, present: bool) -> Person:
    world = np.array(rig.matrix_world, dtype=np.float64)
    bones = rig.pose.bones
    joints = np.full((18, 3), np.nan)
    if not present:
        return Person(rig.name_full, joints, 0.0)
    for index, end in mapping.joints.items():
        bone = bones[end.bone]
        joints[index] = _to_world(world, bone.tail if end.tail else bone.head)
    head, axes = _head(bones[mapping.head], world) if mapping.head else (None, None)
    joints = complete(joints, head, axes)
    return Person(rig.name_full, joints, limb_radius(joints))


def _to_world(world: npt.NDArray[np.float64], point: Any) -> npt.NDArray[np.float64]:
    return world[:3, :3] @ np.array(point, dtype=np.float64) + world[:3, 3]


def _head(bone: Any, world: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The head joint and the head's up, forward and left axes: the rest axes carried along by the pose."""
    turned = world[:3, :3] @ np.array((bone.matrix @ bone.bone.matrix_local.inverted()).to_3x3(), dtype=np.float64)
    up = world[:3, :3] @ np.array(bone.y_axis, dtype=np.float64)
    axes = np.stack([up, turned @ _REST_FORWARD, turned @ _REST_LEFT])
    return _to_world(world, bone.head), axes / np.linalg.norm(axes, axis=1, keepdims=True)
