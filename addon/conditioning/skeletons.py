# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone end is which COCO-18 joint, by the naming families artists meet. Pure tables and look-ups.

A joint is written ``bone`` (its head) or ``bone>`` (its tail). ``{s}`` stands for the side. The joints a table leaves
out are found otherwise: the neck is the middle of the shoulders (a rig's neck bone sits about 10 cm from it); nose,
eyes and ears come from the head bone when there are no face bones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

NOSE, NECK = 0, 1
RIGHT = {"shoulder": 2, "elbow": 3, "wrist": 4, "hip": 8, "knee": 9, "ankle": 10, "eye": 14, "ear": 16}
LEFT = {"shoulder": 5, "elbow": 6, "wrist": 7, "hip": 11, "knee": 12, "ankle": 13, "eye": 15, "ear": 17}
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_PREFIX = re.compile(r"^mixamorig\d*[:_]?", re.IGNORECASE)


# Rigify's animals share its people's bone names; their paws do not
_PAW = re.compile(r"^(DEF-|ORG-)?r_(palm|toe)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Family:
    """One naming family: joint part to bone candidates, best first."""

    name: str
    sides: tuple[str, str]
    joints: Mapping[str, tuple[str, ...]]


def _rigify(prefix: str) -> dict[str, tuple[str, ...]]:
    limbs = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
    joints = {part: (f"{prefix}{bone}.{{s}}",) for part, bone in zip(LIMBS, limbs, strict=True)}
    face = {
        "head": (f"{prefix}spine.006",),
        "nose": (f"{prefix}nose.001>", "DEF-nose.001>", "ORG-nose.001>"),
        "eye": (f"{prefix}eye.{{s}}", "ORG-eye.{s}", "MCH-eye.{s}", "master_eye.{s}"),
        "ear": (f"{prefix}ear.{{s}}",),
    }
    return joints | face


FAMILIES = (
    Family("Rigify", ("L", "R"), _rigify("DEF-")),
    Family("Rigify original bones", ("L", "R"), _rigify("ORG-")),
    Family("Rigify metarig", ("L", "R"), _rigify("")),
    Family(
        "Mixamo",
        ("Left", "Right"),
        {
            "shoulder": ("{s}Arm",), "elbow": ("{s}ForeArm",), "wrist": ("{s}Hand",),
            "hip": ("{s}UpLeg",), "knee": ("{s}Leg",), "ankle": ("{s}Foot",), "head": ("Head",), "eye": ("{s}Eye",),
        },
    ),
    Family(
        "Unreal mannequin",
        ("l", "r"),
        {
            "shoulder": ("upperarm_{s}",), "elbow": ("lowerarm_{s}",), "wrist": ("hand_{s}",),
            "hip": ("thigh_{s}",), "knee": ("calf_{s}",), "ankle": ("foot_{s}",), "head": ("head",),
            "eye": ("eye_{s}",),
        },
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BoneEnd:
    """The head of a bone, or its tail."""

    bone: str
    tail: bool


@dataclass(frozen=True, slots=True)
class Mapping18:
    """Where a rig's joints are: joint index to bone end, and the head bone for what has no bone."""

    family: str
    joints: Mapping[int, BoneEnd]
    head: str | None


def find_joints(bones: Iterable[str]) -> Mapping18 | None:
    """The first family that has both shoulders, elbows, wrists, hips, knees and ankles; None: no person we can read."""
    bones = list(bones)
    if any(_PAW.match(bone) for bone in bones):
        return None
    names = {_PREFIX.sub("", bone).casefold(): bone for bone in bones}
    for family in FAMILIES:
        joints = {index: end for index, end in _look_up(family, names) if end is not None}
        if all(table[limb] in joints for table in (LEFT, RIGHT) for limb in LIMBS):
            head = _first(family.joints.get("head", ()), "", names)
            return Mapping18(family.name, joints, head.bone if head else None)
    return None


def _look_up(family: Family, names: Mapping[str, str]) -> Iterable[tuple[int, BoneEnd | None]]:
    for side, table in zip(family.sides, (LEFT, RIGHT), strict=True):
        for part, index in table.items():
            yield index, _first(family.joints.get(part, ()), side, names)
    yield NOSE, _first(family.joints.get("nose", ()), "", names)


def _first(candidates: tuple[str, ...], side: str, names: Mapping[str, str]) -> BoneEnd | None:
    for candidate in candidates:
        bone = names.get(candidate.rstrip(">").format(s=side).casefold())
        if bone is not None:
            return BoneEnd(bone, candidate.endswith(">"))
    return None


# (up, forward, left) from the head joint in units of the head bone's length, measured on the Rigify human
_FACE = {
    NOSE: (0.32, 0.87, 0.0),
    LEFT["eye"]: (0.57, 0.49, 0.26), RIGHT["eye"]: (0.57, 0.49, -0.26),
    LEFT["ear"]: (0.41, 0.03, 0.46), RIGHT["ear"]: (0.41, 0.03, -0.46),
}  # fmt: skip


def complete(
    joints: npt.NDArray[np.float64], head: npt.NDArray[np.float64] | None, axes: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """Fill in the neck and the missing face points.

    ``joints`` is (18, 3) world, NaN where unknown; ``head`` (3,) the head joint; ``axes`` (3, 3) rows up, forward and
    left of the head, unit vectors. The head's size is 0.9 times the distance from shoulders to head joint, because the
    tail of a head bone means nothing in many rigs.
    """
    filled = joints.copy()
    filled[NECK] = (joints[RIGHT["shoulder"]] + joints[LEFT["shoulder"]]) / 2
    if head is None or axes is None:
        return filled
    size = 0.9 * float(np.linalg.norm(filled[NECK] - head))
    for index, offsets in _FACE.items():
        if np.isnan(filled[index]).any():
            filled[index] = head + size * (np.array(offsets) @ axes)
    return filled


def limb_radius(joints: npt.NDArray[np.float64]) -> float:
    """How deep a joint may lie inside its own body: two fifths of the trunk, 0.2 m on a grown person."""
    hips = (joints[RIGHT["hip"]] + joints[LEFT["hip"]]) / 2
    return 0.4 * float(np.linalg.norm(joints[NECK] - hips))
