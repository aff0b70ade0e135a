# SPDX-License-Identifier: GPL-3.0-or-later
"""People from the artist's own rigs: evaluated bones to joints. Needs bpy objects, imports none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..conditioning.rigs.bones import JOINT_NAMES, Finding, PersonMap, Skeleton
from ..conditioning.rigs.by_hand import read_by_hand
from ..conditioning.rigs.face import complete, limb_radius, mirrored
from ..conditioning.rigs.find import find_person
from ..shot.geometry import NOBODY, Person
from ..shot.people import FACE, FEET, JOINTS, LEFT_HAND, RIGHT_HAND

if TYPE_CHECKING:
    from collections.abc import Container, Generator
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

SET_PROPERTY = "second_unit_set"
"""A mesh object with this custom property set belongs to the set, whatever it hangs on."""
JOINTS_PROPERTY = "second_unit_joints"
"""Text on an armature object, or else on its data: where joints are, by hand; see `conditioning.rigs.by_hand`."""
PERSON_PROPERTY = "second_unit_person"
"""On an armature object, or else on its data: false or 0 when it is not a person, whatever it looks like."""
NOT_A_PERSON = f"It is marked as no person ({PERSON_PROPERTY} is off)."


class Rigs:
    """Finds the people of a scene once and reads their joints in every frame.

    Ids follow the sorted full names of the rigs. A rig that owns meshes is a person wherever one of them is seen; a
    bare rig is one when it is visible in ``layer`` (the scene's first view layer unless given), so that a hidden
    leftover metarig is nobody.
    """

    def __init__(self, scene: Any, layer: Any = None) -> None:
        layer = layer or scene.view_layers[0]
        rigs = sorted((o for o in scene.objects if o.type == "ARMATURE"), key=lambda o: o.name_full)
        findings: dict[str, Finding] = {rig.name_full: find_on(rig) for rig in rigs}
        found: dict[str, _Rig] = {
            rig.name_full: _Rig(rig, finding.person)
            for rig in rigs
            if (finding := findings[rig.name_full]).person is not None
        }
        owners = {_owner(thing, found) for thing in scene.objects if thing.type == "MESH"}
        self._people = {name: rig for name, rig in found.items() if name in owners or _shown(rig.thing, layer)}
        self._index = {name: i for i, name in enumerate(self._people)}
        self._owned: dict[str, int] = {}
        self._bare = {i for name, i in self._index.items() if name not in owners}
        self._others = {name: finding for name, finding in findings.items() if finding.person is None}

    @property
    def names(self) -> list[str]:
        """Full rig names in id order."""
        return list(self._people)

    def people_report(self) -> list[dict[str, Any]]:
        """Per person in id order, ready for JSON.

        ``rig`` and ``family`` are names, ``confidence`` is 0..1, ``missing`` lists joints of body, feet and hands that
        no bone gives, ``sources`` says for the others of body and feet which bone end does and how it was found,
        ``hands`` how those were found or None, ``face`` how many of its 68 points there are; ``notes`` are sentences.
        """
        return [_report(name, rig.mapping) for name, rig in self._people.items()]

    def others_report(self) -> list[dict[str, Any]]:
        """Per armature that is no person: rig, the reason in a sentence, and notes on a mapping by hand."""
        return [
            {"rig": name, "reason": finding.reason, "notes": list(finding.notes)}
            for name, finding in self._others.items()
        ]

    def people(self, depsgraph: Any, seen: AbstractSet[int] | None = None) -> tuple[Person, ...]:
        """All people of the evaluated frame, in id order.

        Those whose index is not in ``seen`` (the people of the frame's visible instances; None: everybody is there)
        have no joints, unless their rigs own no mesh at all.
        """
        return tuple(
            rig.person(depsgraph, present=seen is None or i in seen or i in self._bare)
            for i, rig in enumerate(self._people.values())
        )

    def person_of(self, thing: Any) -> int:
        """Index of the person a mesh object belongs to, or `NOBODY`.

        It is theirs when skinned to the rig or parented to it at any remove, unless it carries the custom property
        ``second_unit_set``: a prop held in a hand. Looked up once: parents and modifiers are the same in all frames.
        """
        name: str = thing.name_full
        if name not in self._owned:
            owner = _owner(thing, self._index)
            self._owned[name] = NOBODY if owner is None else self._index[owner]
        return self._owned[name]


def find_on(rig: Any) -> Finding:
    """What an armature object is, by its properties, its names and its rest pose."""
    if rig.pose is None:
        return Finding(None, "It has no pose.")
    marked = _property(rig, PERSON_PROPERTY)
    if isinstance(marked, bool | int | float) and not marked:
        return Finding(None, NOT_A_PERSON)
    skeleton = read_skeleton(rig)
    return find_person(skeleton, read_by_hand(_property(rig, JOINTS_PROPERTY), set(skeleton.names)))


def read_skeleton(rig: Any) -> Skeleton:
    """The bones of an armature object at rest."""
    bones = rig.data.bones
    names = tuple(bones.keys())
    index = {name: i for i, name in enumerate(names)}
    parents = [-1 if bone.parent is None else index[bone.parent.name] for bone in bones]
    deforms = np.empty(len(bones), np.bool_)
    bones.foreach_get("use_deform", deforms)
    heads, tails = _vectors(bones, "head_local"), _vectors(bones, "tail_local")
    return Skeleton(names, np.array(parents, np.int64), heads, tails, deforms)


def _property(rig: Any, name: str) -> object:
    """A custom property of the object, or else of its data."""
    own = rig.get(name)
    return rig.data.get(name) if own is None else own


def _vectors(bones: Any, name: str) -> F64:
    flat = np.empty(3 * len(bones), np.float32)
    bones.foreach_get(name, flat)
    return flat.reshape(-1, 3).astype(np.float64)


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


class _Rig:
    """A person's armature object, and what of it is read in every frame."""

    def __init__(self, thing: Any, mapping: PersonMap) -> None:
        self.thing, self.mapping = thing, mapping
        self._places = self._locate(tuple(thing.pose.bones.keys()))

    def person(self, depsgraph: Any, *, present: bool) -> Person:
        name = self.thing.name_full
        joints = np.full((JOINTS, 3), np.nan)
        if not present:
            return Person(name, joints, 0.0)
        posed = self.thing.evaluated_get(depsgraph)
        world, bones, places = np.array(posed.matrix_world, dtype=np.float64), posed.pose.bones, self._places
        points = _posed(bones, places)
        joints[places.joints] = points @ world[:3, :3].T + world[:3, 3]
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
        return Person(name, joints, limb_radius(joints))

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


def _posed(bones: Any, places: _Places) -> F64:
    """(k, 3) places on the posed bones, in armature space."""
    heads = _vectors(bones, "head")[places.bones]
    if not places.along.any():
        return heads
    return heads + places.along * (_vectors(bones, "tail")[places.bones] - heads)


def _report(name: str, mapping: PersonMap) -> dict[str, Any]:
    joints = sorted((joint, end) for joint, end in mapping.joints.items() if joint < FEET.stop)
    return {
        "rig": name,
        "family": mapping.family,
        "confidence": mapping.confidence,
        "missing": mapping.missing,
        "sources": {JOINT_NAMES[joint]: f"{end.text} ({mapping.sources[joint]})" for joint, end in joints},
        "hands": {
            "left": mapping.sources.get(LEFT_HAND.start + 1),
            "right": mapping.sources.get(RIGHT_HAND.start + 1),
        },
        "face": sum(joint >= FACE.start for joint in mapping.joints),
        "notes": list(mapping.notes),
    }


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
