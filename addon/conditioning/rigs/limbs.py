# SPDX-License-Identifier: GPL-3.0-or-later
"""Limbs in a chain of bones whose names say nothing: where along it the three joints are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from .stance import angle

if TYPE_CHECKING:
    import numpy.typing as npt

    from .bones import Skeleton
    from .symmetry import Mirror

    F64 = npt.NDArray[np.float64]

_LONGEST_TAIL = 0.4
"""A last bone longer than this part of its chain was drawn by an importer that knew no better."""
_MOST_POINTS = 14
_UPPER_PER_LOWER_ARM = 1.1
_SHOULDER_PER_UPPER_ARM = 0.62
"""Half the width of the shoulders in parts of the upper arm."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The longest way down from a bone.

    ``bones`` are numbers, ``points`` (m, 3) their heads and the last tail, ``tail`` whether that tail is there,
    ``length`` what it measures along the bones.
    """

    bones: tuple[int, ...]
    points: F64
    tail: bool
    length: float

    @property
    def root(self) -> int:
        """Number of the first bone."""
        return self.bones[0]


@dataclass(frozen=True, slots=True)
class Limb:
    """Three joints as places in ``chain.points``, and how unlikely they are."""

    chain: Chain
    places: tuple[int, int, int]
    cost: float

    @property
    def points(self) -> F64:
        """(3, 3) positions."""
        return self.chain.points[list(self.places)]


def longest_chain(skeleton: Skeleton, children: list[list[int]], root: int, tolerance: float) -> Chain:
    """The longest way from the head of ``root`` to a leaf, without bones that lie in the same place."""
    bones = _longest_path(skeleton, children, root)
    kept: list[int] = []
    for bone in bones:
        if kept and np.linalg.norm(skeleton.heads[bone] - skeleton.heads[kept[-1]]) < tolerance / 4:
            kept.pop()
        kept.append(bone)
    points = skeleton.heads[kept]
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    last = float(np.linalg.norm(skeleton.tails[kept[-1]] - points[-1]))
    tail = tolerance / 4 < last < max(_LONGEST_TAIL * length / (1 - _LONGEST_TAIL), tolerance) or len(kept) == 2
    if tail:
        points = np.concatenate([points, skeleton.tails[kept[-1:]]])
        length += last
    return Chain(tuple(kept), points, tail, length)


def _longest_path(skeleton: Skeleton, children: list[list[int]], root: int) -> list[int]:
    """Bone numbers from ``root`` to the leaf that is farthest along the bones; no recursion, chains may be long."""
    order = [root]
    for bone in order:
        order.extend(children[bone])
    best: dict[int, tuple[float, int | None]] = {}
    for bone in reversed(order):
        steps = [
            (best[child][0] + float(np.linalg.norm(skeleton.heads[child] - skeleton.heads[bone])), child)
            for child in children[bone]
        ]
        best[bone] = max(steps) if steps else (0.0, None)
    path = [root]
    while (following := best[path[-1]][1]) is not None:
        path.append(following)
    return path


def as_leg(chain: Chain) -> Limb | None:
    """Hip, knee and ankle: thigh and shin alike long and nearly in line, and the foot turned off them."""
    points = chain.points[:_MOST_POINTS]
    last = len(points) - 1
    best: Limb | None = None
    for places in combinations(range(len(points)), 3):
        hip, knee, ankle = places
        thigh, shin = points[knee] - points[hip], points[ankle] - points[knee]
        bend = angle(thigh, shin)
        if bend > 40:
            continue
        lengths = float(np.linalg.norm(thigh)), float(np.linalg.norm(shin))
        if min(lengths) == 0:
            continue
        turned = ankle < last and angle(shin, points[ankle + 1] - points[ankle]) > 30
        cost = 4 * math.log(lengths[0] / lengths[1]) ** 2
        cost += 2 * abs(math.log(sum(lengths) / chain.length)) + (0.0 if turned else 0.5 if ankle < last else 0.8)
        # a side bone of the pelvis turns into the thigh; a twist bone does not
        cost += _bends_inside(points, places)
        if best is None or cost < best.cost:
            best = Limb(chain, places, cost)
    return best


def as_arm(chain: Chain, children: list[list[int]], mirror: Mirror) -> Limb | None:
    """Shoulder, elbow and wrist: proportions of an arm, and the hand where the chain branches or ends."""
    points = chain.points[:_MOST_POINTS]
    last = len(points) - 1
    best: Limb | None = None
    for places in combinations(range(len(points)), 3):
        shoulder, elbow, wrist = places
        upper, lower = points[elbow] - points[shoulder], points[wrist] - points[elbow]
        lengths = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
        if min(lengths) == 0 or angle(upper, lower) > 100:
            continue
        wide = abs(float(points[shoulder] @ mirror.normal) - mirror.offset)
        cost = 4 * math.log(lengths[0] / lengths[1] / _UPPER_PER_LOWER_ARM) ** 2
        cost += math.log(max(wide, 1e-3 * lengths[0]) / lengths[0] / _SHOULDER_PER_UPPER_ARM) ** 2
        cost += 0.0 if _is_hand(chain, children, wrist) else 0.5 if wrist >= last - 1 else 2.0
        cost += _bends_inside(points, places)
        if best is None or cost < best.cost:
            best = Limb(chain, places, cost)
    return best


def _is_hand(chain: Chain, children: list[list[int]], place: int) -> bool:
    """Whether fingers begin at the bone whose head this is."""
    return place < len(chain.bones) and sum(bool(children[child]) for child in children[chain.bones[place]]) >= 3


def _bends_inside(points: F64, places: tuple[int, int, int]) -> float:
    """Places skipped between the joints must lie on straight lines: twist bones do, joints often do not."""
    cost = 0.0
    for a, b in pairwise(places):
        line = points[b] - points[a]
        length = float(np.linalg.norm(line))
        for point in points[a + 1 : b]:
            off = point - points[a]
            off = off - line * (float(off @ line) / length**2)
            cost += 20 * float(np.linalg.norm(off)) / length
    return cost
