# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones of an armature object at rest, and the joints they make in every frame. Reads bpy objects, imports none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..conditioning.rigs.bones import PersonMap, Skeleton, rest_points
from ..conditioning.rigs.face import complete, limb_radius, mirrored
from ..shot.geometry import Person
from ..shot.people import JOINTS
from .arrays import vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from .face_mesh import FaceMesh

    F64 = npt.NDArray[np.float64]


def read_skeleton(rig: Any) -> Skeleton:
    """The bones of an armature object at rest."""
    bones = rig.data.bones
    names = tuple(bones.keys())
    index = {name: i for i, name in enumerate(names)}
    parents = [-1 if bone.parent is None else index[bone.parent.name] for bone in bones]
    deforms = np.empty(len(bones), np.bool_)
    bones.foreach_get("use_deform", deforms)
    heads, tails = _doubles(bones, "head_local"), _doubles(bones, "tail_local")
    return Skeleton(names, np.array(parents, np.int64), heads, tails, deforms)


@dataclass(frozen=True, slots=True)
class _Places:
    """Which pose bones are needed and how they make joints.

    ``joints`` (k,) numbers, ``bones`` (k,) places among the pose bones, ``along`` (k, 1) on them; ``head`` the head
    bone's place or None, ``turn`` (3, 3) the figure's up, forward and left as columns in the head bone's axes.
    """

    joints: npt.NDArray[np.int64]
    bones: npt.NDArray[np.int64]
    along: F64
    head: int | None
    turn: F64


class Figure:
    """A person's armature object, and what of it is read in every frame."""

    def __init__(self, thing: Any, mapping: PersonMap, face: FaceMesh | None = None) -> None:
        self.thing, self.mapping, self._face = thing, mapping, face
        self._places = self._locate(tuple(thing.pose.bones.keys()))
        self._rest: F64 | None = None

    def person(self, key: str, depsgraph: Any, stand: F64 | None) -> Person:
        """The person called ``key`` in the evaluated frame; ``stand`` (4, 4) is where its world is shown."""
        joints = np.full((JOINTS, 3), np.nan)
        posed = self.thing.evaluated_get(depsgraph)
        world, bones, places = np.array(posed.matrix_world, dtype=np.float64), posed.pose.bones, self._places
        world = world if stand is None else stand @ world
        points = _posed(bones, places)
        joints[places.joints] = points @ world[:3, :3].T + world[:3, 3]
        if self._face is not None:
            self._face.add_to(joints, depsgraph, stand)
        head, axes = None, None
        if places.head is not None:
            bone = bones[places.head]
            head = world[:3, :3] @ np.array(bone.head, dtype=np.float64) + world[:3, 3]
            turned = world[:3, :3] @ np.array(bone.matrix, dtype=np.float64)[:3, :3] @ places.turn
            lengths = np.linalg.norm(turned, axis=0)
            axes = (turned / lengths).T if lengths.all() else None
        joints = complete(joints, head, axes)
        if np.linalg.det(world[:3, :3]) < 0:
            joints = mirrored(joints)
        return Person(key, joints, limb_radius(joints))

    def rest(self) -> F64:
        """Joints (JOINTS, 3) of the bones at rest, in the armature's own space; NaN where no bone gives one."""
        if self._rest is None:
            posed = set(self.thing.pose.bones.keys())
            ends = {joint: end for joint, end in self.mapping.joints.items() if end.bone in posed}
            self._rest = rest_points(read_skeleton(self.thing), ends)
        return self._rest

    def _locate(self, names: tuple[str, ...]) -> _Places:
        index = {name: i for i, name in enumerate(names)}
        ends = [(joint, end) for joint, end in sorted(self.mapping.joints.items()) if end.bone in index]
        head, turn = self.mapping.head, np.eye(3)
        if head is not None:
            rest = np.array(self.thing.data.bones[head].matrix_local, dtype=np.float64)[:3, :3]
            turn = np.linalg.inv(rest) @ self.mapping.axes.T
        return _Places(
            np.array([joint for joint, _ in ends], np.int64),
            np.array([index[end.bone] for _, end in ends], np.int64),
            np.array([[end.along] for _, end in ends], np.float64),
            None if head is None else index.get(head),
            turn,
        )


def _doubles(bones: Any, name: str) -> F64:
    return vectors(bones, name).astype(np.float64)


def _posed(bones: Any, places: _Places) -> F64:
    """(k, 3) places on the posed bones, in armature space."""
    heads = _doubles(bones, "head")[places.bones]
    if not places.along.any():
        return heads
    return heads + places.along * (_doubles(bones, "tail")[places.bones] - heads)
