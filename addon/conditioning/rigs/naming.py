# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints by the names of bones: every family, under whatever prefix, suffix or numbering an exporter added."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .bones import BIG_TOE, FEET_OF, HANDS_OF, HEEL, LIMB_JOINTS, NOSE, SIDES, SMALL_TOE, BoneEnd
from .eyelids import settled
from .face import face_joints
from .families import FAMILIES
from .generic import GENERIC, generic_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .bones import Skeleton
    from .families import Family, Finger

_NUMBERED = re.compile(r"_\d+$")
_MOST = 0.8
_AFFIXES = 8
"""How many different prefixes one family is tried with."""
# in a prefix or suffix these mean bones that do not begin, or not stay, at the joint
_OFF_JOINT = re.compile(r"(?<![a-z])(twist|roll|pole|target|ik)(?![a-z])")


@dataclass(frozen=True, slots=True)
class Named:
    """A family whose twelve limb joints all have a bone."""

    family: Family
    joints: Mapping[int, BoneEnd]
    head: str | None


def named(skeleton: Skeleton) -> Iterator[Named]:
    """Every family the names fit, the likeliest first."""
    moving = set(skeleton.deforming().names)
    # bones that move a mesh come last, so that of two equal spellings theirs is kept
    ordered = [name for name in skeleton.names if name not in moving]
    ordered += [name for name in skeleton.names if name in moving]
    spellings = list(_spellings(ordered))
    for family in FAMILIES:
        for names in spellings:
            for affixes in _affixes(family, names, moving):
                found = _Lookup(skeleton, family, names, affixes).find()
                if found is not None:
                    yield found
    found = _Lookup(skeleton, GENERIC, generic_names(ordered), ("", "")).find()
    if found is not None:
        yield found


def _spellings(bones: list[str]) -> Iterator[dict[str, str]]:
    """Bone by lower-case name: as they are, and without the number an exporter put behind each."""
    yield {bone.casefold(): bone for bone in bones}
    numbered = sum(bool(_NUMBERED.search(bone)) for bone in bones)
    if numbered > _MOST * len(bones):
        yield {_NUMBERED.sub("", bone).casefold(): bone for bone in bones}


def _affixes(family: Family, names: Mapping[str, str], moving: Collection[str]) -> list[tuple[str, str]]:
    """What stands before and behind the family's name of the left elbow in this rig.

    Those of bones that move a mesh first, then the shortest: where a control is called like the bone it moves, but
    without its prefix, the bone is meant.
    """
    anchors = [candidate.format(s=family.sides[0]).casefold() for candidate in family.parts["elbow"]]
    found = {
        (bone not in moving, len(name) - len(anchor), name[:at], name[at + len(anchor) :])
        for anchor in anchors
        for name, bone in names.items()
        if (at := name.find(anchor)) >= 0
    }
    affixes = dict.fromkeys((before, behind) for _, _, before, behind in sorted(found))
    return [pair for pair in affixes if not _OFF_JOINT.search(" ".join(pair))][:_AFFIXES]


class _Lookup:
    """Looks the joints of one family up under one prefix and suffix."""

    def __init__(self, skeleton: Skeleton, family: Family, names: Mapping[str, str], affixes: tuple[str, str]) -> None:
        self._skeleton, self._family, self._names = skeleton, family, names
        self._before, self._behind = affixes

    def find(self) -> Named | None:
        marks = [mark.format(s=side) for mark in self._family.marks for side in self._family.sides]
        if marks and not any(self._bone(mark) for mark in marks):
            return None
        joints = dict(self._body())
        bones = {joints[joint].bone for joint in LIMB_JOINTS if joint in joints}
        if len(bones) < len(LIMB_JOINTS):
            return None
        if self._family.outermost:
            joints |= self._outermost(joints)
        joints |= dict(self._extremities(joints))
        joints |= settled(self._skeleton, face_joints(self._bone, self._family.face))
        head = self._in_the_middle("head")
        return Named(self._family, joints, head.bone if head else None)

    def _body(self) -> Iterator[tuple[int, BoneEnd]]:
        for side, table in zip(self._family.sides, SIDES, strict=True):
            for part, joint in table.items():
                end = self._first(part, side)
                if end is not None:
                    yield joint, end
        nose = self._in_the_middle("nose")
        if nose is not None:
            yield NOSE, nose

    def _extremities(self, joints: Mapping[int, BoneEnd]) -> Iterator[tuple[int, BoneEnd]]:
        for side, table, foot, hand in zip(self._family.sides, SIDES, FEET_OF, HANDS_OF, strict=True):
            for offset, part in ((BIG_TOE, "big_toe"), (SMALL_TOE, "small_toe"), (HEEL, "heel")):
                end = self._first(part, side)
                if end is not None:
                    yield foot + offset, end
            fingers = [self._finger(finger, side) for finger in self._family.hand]
            if any(fingers):
                yield hand, joints[table["wrist"]]
            for k, ends in enumerate(fingers):
                yield from ((hand + 1 + 4 * k + i, end) for i, end in enumerate(ends))

    def _finger(self, finger: Finger, side: str) -> list[BoneEnd]:
        """Four joints from the knuckle to the tip, or none."""
        for *run, tip in finger:
            bones = [self._bone(name.format(s=side)) for name in run]
            if all(bones):
                end = self._bone(tip.format(s=side)) if tip else None
                whole = [BoneEnd(bone) for bone in bones if bone]
                return [*whole, BoneEnd(end) if end else BoneEnd(whole[-1].bone, 1.0)]
        return []

    def _outermost(self, joints: Mapping[int, BoneEnd]) -> dict[int, BoneEnd]:
        index, heads = self._skeleton.index, self._skeleton.heads
        chosen: dict[int, BoneEnd] = {}
        for side, table in zip(self._family.sides, SIDES, strict=True):
            for part, following in (("shoulder", "elbow"), ("hip", "knee")):
                origin = heads[index[joints[table[following]].bone]]
                ends = list(self._all(self._family.parts[part], side))
                away = [float(np.linalg.norm(heads[index[end.bone]] - origin)) for end in ends]
                # the first of those that are as far away as the farthest
                best = next(i for i, distance in enumerate(away) if distance >= 0.99 * max(away))
                chosen[table[part]] = ends[best]
        return chosen

    def _first(self, part: str, side: str) -> BoneEnd | None:
        return next(iter(self._all(self._family.parts.get(part, ()), side)), None)

    def _all(self, candidates: Iterable[str], side: str) -> Iterator[BoneEnd]:
        for candidate in candidates:
            bone = self._bone(candidate.rstrip(">^").format(s=side))
            if bone is not None:
                yield BoneEnd(bone, {">": 1.0, "^": 0.5}.get(candidate[-1], 0.0))

    def _bone(self, name: str) -> str | None:
        return self._names.get(f"{self._before}{name.casefold()}{self._behind}")

    def _in_the_middle(self, part: str) -> BoneEnd | None:
        """A bone of neither side; it need not have the suffix of the limbs."""
        end = self._first(part, "")
        if end is None and self._behind:
            plain = _Lookup(self._skeleton, self._family, self._names, (self._before, ""))
            end = plain._first(part, "")
        return end
