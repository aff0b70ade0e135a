# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of the face: from face bones (see `face_bones`), or for nose, eyes and ears from the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...shot.people import FACE, JOINTS
from .bones import FEET_OF, HANDS_OF, LEFT, NECK, NOSE, RIGHT, BoneEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

MIRRORED = (
    *zip(range(8), range(16, 8, -1), strict=True), *zip(range(17, 22), range(26, 21, -1), strict=True),
    (31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),
    (48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65),
)  # fmt: skip
"""Pairs of the 68 points, right and left, that change places in a mirror; the others lie in the middle."""


def face_joints(bone: Callable[[str], str | None], table: Mapping[int, tuple[str, float]]) -> dict[int, BoneEnd]:
    """Joint to bone end for those of the 68 points that have a bone. ``bone`` finds a bone by its name in ``table``."""
    found = ((point, bone(name), along) for point, (name, along) in table.items())
    return {FACE.start + point: BoneEnd(real, along) for point, real, along in found if real is not None}


# (up, forward, left) from the head joint in units of the head bone's length, measured on the Rigify human
_FACE = {
    NOSE: (0.32, 0.87, 0.0),
    LEFT["eye"]: (0.57, 0.49, 0.26), RIGHT["eye"]: (0.57, 0.49, -0.26),
    LEFT["ear"]: (0.41, 0.03, 0.46), RIGHT["ear"]: (0.41, 0.03, -0.46),
}  # fmt: skip


def complete(joints: F64, head: F64 | None, axes: F64 | None) -> F64:
    """Fill in the neck and the missing face points of the body.

    ``joints`` is (18 or more, 3) world, NaN where unknown; ``head`` (3,) the head joint; ``axes`` (3, 3) rows up,
    forward and left of the head, unit vectors. The head's size is 0.9 times the distance from shoulders to head joint,
    because the tail of a head bone means nothing in many rigs.
    """
    filled = joints.copy()
    filled[NECK] = (joints[RIGHT["shoulder"]] + joints[LEFT["shoulder"]]) / 2
    if head is None or axes is None:
        return filled
    missing = [index for index in _FACE if not np.isfinite(filled[index]).all()]
    if missing:
        size = 0.9 * float(np.linalg.norm(filled[NECK] - head))
        filled[missing] = head + size * (np.array([_FACE[index] for index in missing]) @ axes)
    return filled


def mirrored(joints: F64) -> F64:
    """``joints`` (JOINTS, 3) of somebody seen in a mirror, whose left hand looks like a right one: sides exchanged."""
    order = np.arange(JOINTS)
    for part, left in LEFT.items():
        order[[left, RIGHT[part]]] = RIGHT[part], left
    for left, right in (FEET_OF, HANDS_OF):  # equal blocks, the left one first
        size = right - left
        order[left : right + size] = np.roll(order[left : right + size], size)
    for right, left in MIRRORED:
        order[[FACE.start + right, FACE.start + left]] = FACE.start + left, FACE.start + right
    return joints[order]


def limb_radius(joints: F64) -> float:
    """How deep a joint may lie inside its own body: two fifths of the trunk, 0.2 m on a grown person."""
    hips = (joints[RIGHT["hip"]] + joints[LEFT["hip"]]) / 2
    return 0.4 * float(np.linalg.norm(joints[NECK] - hips))
