# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of the face: from Rigify's face bones, or for nose, eyes and ears from the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...shot.people import FACE, JOINTS
from .bones import FEET_OF, HANDS_OF, LEFT, NECK, NOSE, RIGHT, BoneEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

# iBUG numbers of the points in the middle, and of the right half with their mirror images on the left
_MIDDLE: dict[int, tuple[str, float]] = {
    8: ("chin", 0.0), 27: ("nose", 0.0), 28: ("nose", 0.5), 29: ("nose", 1.0), 30: ("nose.001", 1.0),
    33: ("nose.003", 1.0),
}  # fmt: skip
_HALF: dict[tuple[int, int], tuple[str, float]] = {
    (0, 16): ("jaw.{s}", 0.0), (1, 15): ("jaw.{s}", 0.25), (2, 14): ("jaw.{s}", 0.5), (3, 13): ("jaw.{s}", 0.75),
    (4, 12): ("jaw.{s}.001", 0.0), (5, 11): ("jaw.{s}.001", 0.5), (6, 10): ("jaw.{s}.001", 0.8),
    (7, 9): ("jaw.{s}.001", 1.0),
    (17, 26): ("brow.T.{s}", 1.0), (18, 25): ("brow.T.{s}.001", 0.5), (19, 24): ("brow.T.{s}.001", 1.0),
    (20, 23): ("brow.T.{s}.002", 0.5), (21, 22): ("brow.T.{s}.002", 1.0),
    (31, 35): ("nose.{s}", 1.0), (32, 34): ("nose.{s}.001", 0.5),
    (36, 45): ("lid.T.{s}", 0.0), (37, 44): ("lid.T.{s}.001", 0.3), (38, 43): ("lid.T.{s}.002", 0.7),
    (39, 42): ("lid.T.{s}.003", 1.0), (40, 47): ("lid.B.{s}.001", 0.2), (41, 46): ("lid.B.{s}.002", 0.3),
    (48, 54): ("lip.T.{s}.001", 1.0), (49, 53): ("lip.T.{s}.001", 0.35), (50, 52): ("lip.T.{s}", 0.6),
    (59, 55): ("lip.B.{s}.001", 0.35), (58, 56): ("lip.B.{s}", 0.6),
    (60, 64): ("lip.T.{s}.001", 1.0), (61, 63): ("lip.T.{s}", 0.8), (67, 65): ("lip.B.{s}", 0.8),
}  # fmt: skip
_LIPS = {51: ("lip.T.L", 0.0), 57: ("lip.B.L", 0.0), 62: ("lip.T.L", 0.0), 66: ("lip.B.L", 0.0)}


MIRRORED = tuple(_HALF)
"""Pairs of the 68 points that change places in a mirror; the others lie in the middle."""


def face_joints(bone: Callable[[str], str | None], prefix: str) -> dict[int, BoneEnd]:
    """Joint to bone end for those of the 68 points that have a face bone of Rigify.

    ``bone`` finds a bone by name. Rigify has one loop of lip bones, so the inner and the outer lips fall together.
    Which bone is which point is our own assignment, by where the bones lie on the metarig.
    """
    wanted = _MIDDLE | _LIPS
    for (right, left), (name, along) in _HALF.items():
        wanted[right] = (name.format(s="R"), along)
        wanted[left] = (name.format(s="L"), along)
    found: dict[int, BoneEnd] = {}
    for point, (name, along) in wanted.items():
        real = bone(f"{prefix}{name}")
        if real is not None:
            found[FACE.start + point] = BoneEnd(real, along)
    return found


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
