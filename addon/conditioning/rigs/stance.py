# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether twelve limb joints at rest belong to somebody upright, and which way that one looks.

Nothing here knows which axis is up in the file: the figure itself says it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .bones import BIG_TOE, FEET_OF, HEEL, LEFT, LIMB_JOINTS, NOSE, RIGHT, SIDES

if TYPE_CHECKING:
    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Limits:
    """What passes for a person at rest.

    ``bent``: degrees between trunk and legs; ``splayed``: degrees between the trunk and either leg. ``arms``,
    ``trunk``: their lengths in parts of the leg; ``foot``: longest foot in parts of the shin.
    """

    bent: float
    splayed: float
    arms: tuple[float, float]
    trunk: tuple[float, float]
    foot: float


NAMED = Limits(bent=50.0, splayed=60.0, arms=(0.3, 1.8), trunk=(0.15, 3.0), foot=math.inf)
"""For bones with a person's names. Rigify's quadrupeds are bent by 79 degrees, its human by 5."""
SHAPED = Limits(bent=40.0, splayed=40.0, arms=(0.35, 1.3), trunk=(0.25, 1.6), foot=1.0)
"""For bones whose names say nothing."""

_ALIKE = 1.6
"""Left and right limbs differ at most by this factor."""
_SHORTEST = 0.03
"""Shortest bone of a limb in parts of the leg."""
_KNEE = 60.0
_BACKWARD = -0.4
"""Bend of a knee, see `_bend`: a twelfth of the leg behind the line from hip to ankle. Rigify's bird has -0.8."""


def middle(points: F64, part: str) -> F64:
    """Halfway between the left and the right joint, (3,)."""
    return (points[LEFT[part]] + points[RIGHT[part]]) / 2


def unit(vector: F64) -> F64:
    """The direction of a vector; zeros when it has none."""
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector * 0.0


def angle(a: F64, b: F64) -> float:
    """Degrees between two vectors, 90 when one has no direction."""
    return math.degrees(math.acos(min(max(float(unit(a) @ unit(b)), -1.0), 1.0)))


def axes_of(points: F64) -> F64:
    """Rows up, forward and left of the figure whose joints at rest are ``points`` (JOINTS, 3).

    Up goes from the ankles to the shoulders, left from the right shoulder and hip to the left ones; what is in front
    follows from both.
    """
    up = unit(middle(points, "shoulder") - middle(points, "ankle"))
    across = sum((points[LEFT[part]] - points[RIGHT[part]] for part in ("shoulder", "hip")), np.zeros(3))
    left = unit(across - up * (across @ up))
    return np.stack([up, np.cross(left, up), left])


def objection(points: F64, limits: Limits = NAMED) -> str:
    """Why nobody stands like this: a sentence, or "" for a person. ``points`` is (JOINTS, 3).

    The figure may be given as its mirror image; see `birdlike` for what may not.
    """
    limbs = points[list(LIMB_JOINTS)]
    if not np.isfinite(limbs).all():
        return "A joint of its limbs is nowhere."
    arms, legs = _lengths(points, "shoulder", "elbow", "wrist"), _lengths(points, "hip", "knee", "ankle")
    if legs.sum() == 0 or min(arms.min(), legs.min()) < _SHORTEST * legs.sum() / 2:
        return "A bone of its limbs has no length."
    trunk = middle(points, "shoulder") - middle(points, "hip")
    if not _is_upright(points, trunk, limits):
        return "Its legs are not in line with its trunk, as an animal's are not."
    if not _is_even(arms) or not _is_even(legs):
        return "Its left and right limbs differ in length."
    if not _has_proportions(points, arms, legs, limits):
        return "Arms, legs, feet and trunk have not the proportions of a person."
    return _sides(points)


def birdlike(points: F64) -> str:
    """Why no person's knees bend like this: a sentence, or "". ``points`` is (JOINTS, 3), left and right known."""
    forward = axes_of(points)[1]
    if max(_bend(points, side, ("hip", "knee", "ankle"), forward) for side in SIDES) < _BACKWARD:
        return "Its knees bend backwards, as a bird's do."
    return ""


def _is_upright(points: F64, trunk: F64, limits: Limits) -> bool:
    """Whether both legs together, and each of them, go on where the trunk ends, knees not drawn up."""
    legs = [points[side["hip"]] - points[side["ankle"]] for side in SIDES]
    knees = [
        angle(points[side["knee"]] - points[side["hip"]], points[side["ankle"]] - points[side["knee"]])
        for side in SIDES
    ]
    splay = max(angle(trunk, leg) for leg in legs)
    return angle(trunk, legs[0] + legs[1]) <= limits.bent and splay <= limits.splayed and min(knees) <= _KNEE


def _has_proportions(points: F64, arms: F64, legs: F64, limits: Limits) -> bool:
    trunk = float(np.linalg.norm(middle(points, "shoulder") - middle(points, "hip")))
    leg = float(legs.sum()) / 2
    feet = [float(np.linalg.norm(points[foot] - points[s["ankle"]])) for s, foot in zip(SIDES, FEET_OF, strict=True)]
    long_feet = any(foot > limits.foot * float(legs[:, 1].min()) for foot in feet)  # False for unknown ones, NaN
    share = float(arms.sum()) / 2 / leg
    return limits.arms[0] < share < limits.arms[1] and limits.trunk[0] < trunk / leg < limits.trunk[1] and not long_feet


def _sides(points: F64) -> str:
    """Left shoulders, hips and ankles lie on the same side of the body."""
    left = axes_of(points)[2]
    widths = [float((points[LEFT[part]] - points[RIGHT[part]]) @ left) for part in ("shoulder", "hip")]
    if min(widths) <= 0 or not left.any():
        return "Its shoulders and hips are not side by side."
    return ""


def _lengths(points: F64, first: str, second: str, third: str) -> F64:
    """(2, 2) lengths of the upper and lower part of the left and of the right limb."""
    return np.array(
        [
            [np.linalg.norm(points[s[second]] - points[s[first]]), np.linalg.norm(points[s[third]] - points[s[second]])]
            for s in SIDES
        ]
    )


def _is_even(limbs: F64) -> bool:
    left, right = limbs.sum(axis=1)
    return bool(1 / _ALIKE < left / right < _ALIKE)


def facing(points: F64, forward: F64) -> float:
    """How much of the figure says that it looks along ``forward`` (3,): -1 (the other way) to 1, 0 for no sign.

    Toes lie in front of the ankle and heels behind it, knees bend forward, elbows backward, nose and eyes are in
    front of the ears. ``points`` is (JOINTS, 3), NaN where unknown.
    """
    votes: list[tuple[float, float]] = []
    for table, foot in zip(SIDES, FEET_OF, strict=True):
        ankle = points[table["ankle"]]
        votes.append((3.0, _share(points[foot + BIG_TOE] - ankle, forward)))
        votes.append((1.0, _share(ankle - points[foot + HEEL], forward)))
        votes.append((1.0, _bend(points, table, ("hip", "knee", "ankle"), forward)))
        votes.append((1.0, -_bend(points, table, ("shoulder", "elbow", "wrist"), forward)))
        votes.append((1.0, _share(points[table["eye"]] - points[table["ear"]], forward)))
    votes.append((1.0, _share(points[NOSE] - middle(points, "ear"), forward)))
    said = [(weight, vote) for weight, vote in votes if np.isfinite(vote) and vote != 0]
    return sum(weight * vote for weight, vote in said) / sum(weight for weight, _ in said) if said else 0.0


def _share(vector: F64, forward: F64) -> float:
    """Cosine between a vector and forward; NaN stays NaN."""
    return float(unit(vector) @ forward) if np.isfinite(vector).all() else math.nan


def _bend(points: F64, table: dict[str, int], parts: tuple[str, str, str], forward: F64) -> float:
    """How far the middle joint lies forward of the line between the others, 1 for a fifth of their distance or more.

    An arm bends towards the front of the body only as seen along its length, which `forward` across it measures.
    """
    first, second, third = (points[table[part]] for part in parts)
    line = third - first
    length = float(np.linalg.norm(line))
    if length == 0:
        return 0.0
    off = second - first - line * (float((second - first) @ line) / length**2)
    share = float(off @ forward) / length
    return 0.0 if abs(share) < 1e-3 else max(-1.0, min(1.0, 5 * share))
