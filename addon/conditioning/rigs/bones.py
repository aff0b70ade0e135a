# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of this room: a skeleton at rest, a place on a bone, and where a person's joints are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...shot.people import COCO18, FACE, FEET, FOOT_JOINTS, JOINTS, LEFT_HAND, RIGHT_HAND

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

NOSE, NECK = 0, 1
RIGHT = {"shoulder": 2, "elbow": 3, "wrist": 4, "hip": 8, "knee": 9, "ankle": 10, "eye": 14, "ear": 16}
LEFT = {"shoulder": 5, "elbow": 6, "wrist": 7, "hip": 11, "knee": 12, "ankle": 13, "eye": 15, "ear": 17}
SIDES = (LEFT, RIGHT)
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
LIMB_JOINTS = tuple(table[limb] for table in SIDES for limb in LIMBS)

BIG_TOE, SMALL_TOE, HEEL = 0, 1, 2
FEET_OF = (FEET.start, FEET.start + 3)
"""First foot joint of the left and of the right foot: big toe, small toe, heel."""
HANDS_OF = (LEFT_HAND.start, RIGHT_HAND.start)
"""First point, the wrist, of the left and of the right hand."""

JOINT_NAMES = (
    *COCO18,
    *FOOT_JOINTS,
    *(f"{side}Hand{i}" for side in "LR" for i in range(21)),
    *(f"Face{i}" for i in range(FACE.stop - FACE.start)),
)
"""Name of each of the `JOINTS`, as a mapping by hand and a report say it."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Bones at rest in armature space.

    ``parents`` (n,) int64 with -1 for none, ``heads`` and ``tails`` (n, 3) float64. ``deforms`` (n,) bool says which
    bones move a mesh, None when nobody knows.
    """

    names: tuple[str, ...]
    parents: npt.NDArray[np.int64]
    heads: F64
    tails: F64
    deforms: npt.NDArray[np.bool_] | None = None

    @property
    def index(self) -> dict[str, int]:
        """Bone number by name."""
        return {name: i for i, name in enumerate(self.names)}

    @property
    def is_finite(self) -> bool:
        """Whether every bone is somewhere."""
        return bool(np.isfinite(self.heads).all() and np.isfinite(self.tails).all())

    def deforming(self) -> Skeleton:
        """Only the bones that move a mesh, each hung on the nearest such bone above it."""
        if self.deforms is None:
            return self
        flags: list[bool] = self.deforms.tolist()
        parents: list[int] = self.parents.tolist()
        kept = [bone for bone, moves in enumerate(flags) if moves]
        place = {bone: i for i, bone in enumerate(kept)} | {-1: -1}
        above: list[int] = []
        for bone in kept:
            parent = parents[bone]
            while parent >= 0 and not flags[parent]:
                parent = parents[parent]
            above.append(place[parent])
        names = tuple(self.names[bone] for bone in kept)
        return Skeleton(names, np.array(above, np.int64), self.heads[kept], self.tails[kept])

    def children(self) -> list[list[int]]:
        """Bone numbers of the children of every bone."""
        found: list[list[int]] = [[] for _ in self.names]
        parents: list[int] = self.parents.tolist()
        for i, parent in enumerate(parents):
            if parent >= 0:
                found[parent].append(i)
        return found


@dataclass(frozen=True, slots=True)
class BoneEnd:
    """A place on a bone: 0 its head, 1 its tail, what is between them in parts of its length."""

    bone: str
    along: float = 0.0

    @property
    def text(self) -> str:
        """As a mapping by hand would say it, rounded to head or tail."""
        return self.bone if self.along < 1 else f"{self.bone}>"


@dataclass(frozen=True, slots=True)
class PersonMap:
    """Where a rig's joints are.

    ``joints`` maps joint numbers (layout of `shot.people`) to bone ends; neck, and what of nose, eyes and ears has no
    bone, are left to `face.complete`. ``sources`` says per joint "name", "geometry" or "by hand". ``head`` is the
    head bone; ``axes`` (3, 3) the rows up, forward and left of the figure at rest, in armature space. ``confidence``
    is 0..1: 1 named bones that also stand like a person; see `find`.
    """

    family: str
    confidence: float
    joints: Mapping[int, BoneEnd]
    sources: Mapping[int, str]
    head: str | None
    axes: F64
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Names of body, foot and hand joints that no bone gives; neck and face are made from others."""
        derived = {NECK} if self.head is None else {NECK, NOSE, *range(14, 18)}
        wanted = range(FACE.start)
        return [JOINT_NAMES[i] for i in wanted if i not in self.joints and i not in derived]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an armature: a person, or the reason why it is none. ``notes`` are sentences for the artist."""

    person: PersonMap | None
    reason: str = ""
    notes: tuple[str, ...] = field(default=())


def rest_points(skeleton: Skeleton, joints: Mapping[int, BoneEnd]) -> F64:
    """(JOINTS, 3) rest positions of ``joints`` in armature space, NaN where there is none."""
    points = np.full((JOINTS, 3), np.nan)
    index = skeleton.index
    for joint, end in joints.items():
        bone = index[end.bone]
        points[joint] = skeleton.heads[bone] + end.along * (skeleton.tails[bone] - skeleton.heads[bone])
    return points
