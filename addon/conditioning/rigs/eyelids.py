# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the rest pose tells of face bones: which lid is the outer one, and whether lid bones end on the lids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...shot.people import FACE
from .bones import rest_points
from .face import MIRRORED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from .bones import BoneEnd, Skeleton

    F64 = npt.NDArray[np.float64]

_EYES = (((36, 39), (37, 38), (41, 40)), ((45, 42), (44, 43), (46, 47)))
"""Corners, upper and lower lid of the right and of the left eye, the outer point first."""
_BROWS, _MOUTH = slice(17, 27), slice(48, 68)
_WIDE = (17, 18, 19, 48)
"""Right points whose distance from their mirror images tells how wide the face is."""
_APART = 0.1
"""Points of an eye that lie closer together, by that width, are not on its lids."""
_AHEAD = 0.5
"""The mean cosine of the least angle between lid bones that begin in the middle of the eye and the way it looks."""


def settled(skeleton: Skeleton, joints: Mapping[int, BoneEnd]) -> dict[int, BoneEnd]:
    """Face ``joints`` with each eye's points outer before inner, and without those that are not on the lids.

    Some families number their lids. And where lid bones begin in the middle of the eye, their ends are on the lids only
    if the importer kept the ends of bones.
    """
    places = rest_points(skeleton, joints)[FACE]
    left = _mean(np.array([places[left] - places[right] for right, left in MIRRORED if right in _WIDE]))
    kept = dict(joints)
    for eye, outward in zip(_EYES, (-left, left), strict=True):
        points = [FACE.start + point for pair in eye for point in pair if FACE.start + point in joints]
        if points and not _are_lids(skeleton, {point: joints[point] for point in points}, places, left):
            for point in points:
                del kept[point]
        for pair in eye:
            outer, inner = (FACE.start + point for point in pair)
            if outer in kept and inner in kept and (places[pair[0]] - places[pair[1]]) @ outward < 0:
                kept[outer], kept[inner] = kept[inner], kept[outer]
    return kept


def _are_lids(skeleton: Skeleton, ends: Mapping[int, BoneEnd], places: F64, left: F64) -> bool:
    """Whether the points of one eye lie around it. Without brows or mouth nobody knows, and they are not believed."""
    here = places[[point - FACE.start for point in ends]]
    heads = skeleton.heads[[skeleton.index[end.bone] for end in ends.values()]]
    least = _APART * float(np.linalg.norm(left))
    if not _spread(here) >= least:
        return False
    if _spread(heads) >= least:
        return True
    ahead = np.cross(left, _mean(places[_BROWS]) - _mean(places[_MOUTH]))
    lengths = np.linalg.norm(here - heads, axis=1) * np.linalg.norm(ahead)
    return bool(((here - heads) @ ahead).sum() > _AHEAD * lengths.sum())


def _mean(points: F64) -> F64:
    """The middle (3,) of those of (n, 3) that are known, NaN when none is."""
    known = points[np.isfinite(points).all(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(3, np.nan)


def _spread(points: F64) -> float:
    """The largest distance between two of (n, 3)."""
    return float(np.linalg.norm(points[:, None] - points[None], axis=-1).max())
