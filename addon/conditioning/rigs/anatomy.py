# SPDX-License-Identifier: GPL-3.0-or-later
"""A person in a skeleton whose bones are called nothing in particular: two arms, two legs, a head, in mirror halves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...shot.people import JOINTS
from .bones import BIG_TOE, FEET_OF, LIMBS, SIDES, BoneEnd
from .limbs import Chain, Limb, as_arm, as_leg, longest_chain
from .stance import SHAPED, axes_of, facing, middle, objection, unit
from .symmetry import find_mirror

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .bones import Skeleton
    from .symmetry import Mirror

    F64 = npt.NDArray[np.float64]

MOST_BONES = 4000
_EXTRA_LEG = 0.75
_SURE = 0.15
_POOR = 0.4
"""Fit below which a shape is nobody's; people have 0.7 and more, birds less than 0.1."""
_MOST_CHAINS = 24
NO_SIDE = "Its left cannot be told from its right: no feet, no bent knees, no face and no letters in the names say it."
NO_SHAPE = "Nothing in it is shaped like a person."


@dataclass(frozen=True, slots=True)
class Shape:
    """Joints found from the shape, the head bone, and how good a fit it is, 0..1; or the reason why not."""

    joints: dict[int, BoneEnd]
    head: str | None
    fit: float
    reason: str = ""


def shaped(skeleton: Skeleton) -> Shape:
    """Read a person from parents and rest positions.

    From the bones that move a mesh if they do for it: controls lie in the same places and need not follow.
    """
    moving = skeleton.deforming()
    shape = _shaped(moving)
    return shape if shape.joints or moving is skeleton else _shaped(skeleton)


def _shaped(skeleton: Skeleton) -> Shape:
    if not 12 <= len(skeleton.names) <= MOST_BONES:
        return Shape({}, None, 0.0, NO_SHAPE)
    mirror = find_mirror(skeleton)
    if mirror is None:
        return Shape({}, None, 0.0, NO_SHAPE)
    return _Anatomy(skeleton, mirror).read()


class _Anatomy:
    def __init__(self, skeleton: Skeleton, mirror: Mirror) -> None:
        self._skeleton, self._mirror = skeleton, mirror
        self._children = skeleton.children()
        self._partners = _partners(skeleton, mirror, self._children)

    def read(self) -> Shape:
        best: tuple[float, Limb, Limb] | None = None
        chains = self._chains()
        legs = [limb for chain in chains if (limb := as_leg(chain)) is not None]
        arms = [limb for chain in chains if (limb := as_arm(chain, self._children, self._mirror)) is not None]
        for arm in arms:
            for leg in legs:
                if arm.chain.root != leg.chain.root and (cost := self._cost(arm, leg)) is not None:
                    best = min(best or (np.inf, arm, leg), (cost, arm, leg), key=lambda found: found[0])
        if best is None or self._has_more_legs(chains, best[1], best[2]):
            return Shape({}, None, 0.0, NO_SHAPE)
        return self._person(best[1], best[2])

    def _chains(self) -> list[Chain]:
        """Chains of the positive half that begin in the middle of the body or nowhere, the longest first."""
        side, parents = self._mirror.side, self._skeleton.parents
        inside = side > self._mirror.tolerance
        roots = [
            i
            for i in np.flatnonzero(inside).tolist()
            if i in self._partners and (parents[i] < 0 or not inside[parents[i]])
        ]
        chains = [longest_chain(self._skeleton, self._children, root, self._mirror.tolerance) for root in roots]
        long = [chain for chain in chains if len(chain.points) >= 3]
        return sorted(long, key=lambda chain: -chain.length)[:_MOST_CHAINS]

    def _cost(self, arm: Limb, leg: Limb) -> float | None:
        """How unlikely these are a person's arm and leg; None when they cannot be."""
        points = self._both(arm, leg)
        if objection(points, SHAPED) or self._head(points) is None:
            return None
        # legs and arms are the long limbs; skirts and hair are shorter
        return arm.cost + leg.cost - 2 * float(np.log(leg.chain.length * arm.chain.length / self._mirror.size**2))

    def _both(self, arm: Limb, leg: Limb) -> F64:
        """(JOINTS, 3) with the found half as left and its image as right, wherever left may be."""
        half = np.concatenate([arm.points, leg.points])
        points = np.full((JOINTS, 3), np.nan)
        for table, side in zip(SIDES, (half, self._mirror.image(half)), strict=True):
            for limb, point in zip(LIMBS, side, strict=True):
                points[table[limb]] = point
        return points

    def _head(self, points: F64) -> int | None:
        """The bone in the middle that lies above the shoulders and carries most, the lowest of equals."""
        up, shoulders = axes_of(points)[0], middle(points, "shoulder")
        trunk = float(np.linalg.norm(shoulders - middle(points, "hip")))
        heads, tails = self._skeleton.heads, self._skeleton.tails
        rise = (heads - shoulders) @ up / trunk
        off = np.linalg.norm(heads - shoulders - rise[:, None] * up * trunk, axis=1) / trunk
        central = (np.abs(self._mirror.side) < self._mirror.tolerance) & (rise > 0.1) & (rise < 1.0) & (off < 0.6)
        tops = (tails - shoulders) @ up / trunk
        central &= (tops > rise) | np.array([bool(c) for c in self._children])
        found = np.flatnonzero(central)
        if not len(found):
            return None
        # the head is the last joint of the neck: the highest that is still within reach of one
        reach = rise[found] < max(0.5, float(rise[found].min()) + 0.05)
        return int(found[reach][np.argmax(rise[found][reach])])

    def _has_more_legs(self, chains: Sequence[Chain], arm: Limb, leg: Limb) -> bool:
        """A third pair of long limbs beside them: a spider, or something with wings."""
        mine = np.concatenate([arm.chain.points, leg.chain.points])
        for chain in chains:
            near = np.linalg.norm(chain.points[:, None] - mine[None], axis=2).min(axis=1) < 3 * self._mirror.tolerance
            if chain.length > _EXTRA_LEG * leg.chain.length and len(chain.bones) >= 3 and near.mean() < 0.5:
                return True
        return False

    def _person(self, arm: Limb, leg: Limb) -> Shape:
        points = self._both(arm, leg)
        up = axes_of(points)[0]
        for foot, image in zip(FEET_OF, (False, True), strict=True):
            tip = leg.chain.points[-1]
            points[foot + BIG_TOE] = self._mirror.image(tip) if image else tip
        plus = self._ends(arm, leg)
        minus = {part: self._image(end) for part, end in plus.items()}
        # the found half is the left one when the figure then looks where its feet point
        vote = facing(points, self._ahead(up)) + self._face_vote(points, up)
        vote += 2 * _letters([(plus[limb].bone, minus[limb].bone) for limb in LIMBS])
        if abs(vote) < _SURE:
            return Shape({}, None, 0.0, NO_SIDE)
        halves = (plus, minus) if vote > 0 else (minus, plus)
        joints: dict[int, BoneEnd] = {}
        for table, foot, ends in zip(SIDES, FEET_OF, halves, strict=True):
            joints |= {table[limb]: ends[limb] for limb in LIMBS}
            if "toe" in ends:
                joints[foot + BIG_TOE] = ends["toe"]
        if objection(points, SHAPED):
            return Shape({}, None, 0.0, NO_SHAPE)
        head = self._head(points)
        fit = self._mirror.share * float(np.exp(-0.3 * max(arm.cost + leg.cost, 0.0))) * min(1.0, 0.5 + abs(vote))
        if fit < _POOR:
            return Shape({}, None, 0.0, NO_SHAPE)
        return Shape(joints, None if head is None else self._skeleton.names[head], fit)

    def _ahead(self, up: F64) -> F64:
        """Where the figure looks when the found half is its left one."""
        x, y, z = np.cross(self._mirror.normal, up).tolist()
        return np.array([x, y, z], np.float64)

    def _face_vote(self, points: F64, up: F64) -> float:
        """Pairs of bones on the head, eyes above all, lie in front of its joint."""
        head = self._head(points)
        if head is None:
            return 0.0
        forward = self._ahead(up)
        inside = [i for i in self._partners if self._skeleton.parents[i] == head]
        offsets = [float(unit(self._skeleton.heads[i] - self._skeleton.heads[head]) @ forward) for i in inside]
        return 0.5 * float(np.mean(offsets)) if offsets else 0.0

    def _ends(self, arm: Limb, leg: Limb) -> dict[str, BoneEnd]:
        ends = {limb: self._end(arm.chain, place) for limb, place in zip(LIMBS[:3], arm.places, strict=True)}
        ends |= {limb: self._end(leg.chain, place) for limb, place in zip(LIMBS[3:], leg.places, strict=True)}
        last = len(leg.chain.points) - 1
        if leg.places[2] < last:
            ends["toe"] = self._end(leg.chain, last)
        return ends

    def _end(self, chain: Chain, place: int) -> BoneEnd:
        if place < len(chain.bones):
            return BoneEnd(self._skeleton.names[chain.bones[place]])
        return BoneEnd(self._skeleton.names[chain.bones[-1]], 1.0)

    def _image(self, end: BoneEnd) -> BoneEnd:
        bone = self._skeleton.index[end.bone]
        return BoneEnd(self._skeleton.names[self._partners.get(bone, bone)], end.along)


def _partners(skeleton: Skeleton, mirror: Mirror, children: list[list[int]]) -> dict[int, int]:
    """The bone on the other side for each bone of the positive half that has one.

    Of several in the same place the one is meant whose tail and number of children agree best.
    """
    other = np.flatnonzero(mirror.side < -mirror.tolerance)
    found: dict[int, int] = {}
    if not len(other):
        return found
    for bone in np.flatnonzero(mirror.side > mirror.tolerance).tolist():
        away = np.linalg.norm(skeleton.heads[other] - mirror.image(skeleton.heads[bone]), axis=1)
        near = other[away < 2 * mirror.tolerance].tolist()
        if near:
            tail = mirror.image(skeleton.tails[bone])

            def unlike(candidate: int, bone: int = bone, tail: F64 = tail) -> tuple[int, bool, float]:
                parent, theirs = int(skeleton.parents[bone]), int(skeleton.parents[candidate])
                related = parent == theirs or found.get(parent) == theirs
                brood = abs(len(children[candidate]) - len(children[bone]))
                return brood, not related, float(np.linalg.norm(skeleton.tails[candidate] - tail))

            found[bone] = min(near, key=unlike)
    return found


def _letters(pairs: Sequence[tuple[str, str]]) -> float:
    """Whether names that differ in one place only differ by left and right: 1 (the first is left) to -1."""
    votes = [_letter(a.casefold(), b.casefold()) for a, b in pairs]
    return sum(votes) / len(votes)


def _letter(a: str, b: str) -> int:
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    if start is None:
        return 0
    end = next((i for i, (x, y) in enumerate(zip(reversed(a), reversed(b), strict=False)) if x != y), 0)
    first, second = a[start : max(len(a) - end, start + 1)], b[start : max(len(b) - end, start + 1)]
    # "left" and "right" share their last letter
    if first in {"l", "lef", "left"} and second in {"r", "righ", "right"}:
        return 1
    return -1 if first in {"r", "righ", "right"} and second in {"l", "lef", "left"} else 0
