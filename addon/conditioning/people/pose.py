# SPDX-License-Identifier: GPL-3.0-or-later
"""People in the picture: where their joints are and what of them the camera sees."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...shot.people import FACE, FEET, JOINTS, LEFT_HAND, RIGHT_HAND

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ...shot.camera import Camera
    from ...shot.geometry import Person

    Bools: TypeAlias = npt.NDArray[np.bool_]
    Codes: TypeAlias = npt.NDArray[np.int8]
    F64: TypeAlias = npt.NDArray[np.float64]

FARTHEST_PIXEL = 1 << 24
"""A joint projected farther out than this is next to the camera plane; its limb has no sensible direction."""

HEAD_JOINTS = (0, 14, 15, 16, 17)
"""Nose, eyes and ears within the body."""


def _reach_shares() -> F64:
    """How deep each joint lies in the body, as a share of `Person.reach` (0.2 m on a grown person).

    Trunk, elbows and knees 1: hips lie 12 cm deep, and loose clothes belong to a person. Wrists, ankles, nose, eyes and
    ears 1/2: an ear across the head is 15 cm away and hidden. Feet 1/4: the toe of a shoe is 5 cm high. Points of the
    face 1/5: bones of a face sit up to 4 cm below the skin. Fingers 0.15: half their centimetre and a half, a glove,
    and a mesh that fits its bones badly come to 3 cm, less than the 4 cm from one finger to the one after the next.
    """
    shares = np.ones(JOINTS)
    shares[[4, 7, 10, 13, *HEAD_JOINTS]] = 0.5
    shares[FEET] = 0.25
    shares[FACE] = 0.2
    for hand in (LEFT_HAND, RIGHT_HAND):
        shares[hand] = 0.15
        shares[hand.start] = 0.5
    return shares


REACH_SHARES = _reach_shares()


class Visibility(IntEnum):
    """What the camera sees of a joint."""

    MISSING = 0
    """The rig has no such joint."""
    SEEN = 1
    SELF_OCCLUDED = 2
    """Behind the person's own body: detectors still report it, so it is drawn."""
    OCCLUDED = 3
    """Behind something else, or beyond the far plane."""
    OUTSIDE = 4
    """Outside the picture, in front of the camera."""
    BEHIND = 5
    """Behind the camera or its near plane."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which joints models are told of. The default is what detectors report, and with it the training pictures.

    ``self_occluded``: behind the own body; detectors guess them well. ``occluded``: behind other things; they do not.
    ``outside``: outside the picture, so that limbs run on to its border. ``head_from_behind``: self-occluded nose,
    eyes, ears and face too; without them a model sees more clearly that somebody looks away.
    """

    self_occluded: bool = True
    occluded: bool = False
    outside: bool = True
    head_from_behind: bool = True

    def tells(self, codes: Codes) -> Bools:
        """Which joints (JOINTS,) with these `Visibility` codes are told."""
        told = codes == Visibility.SEEN
        told |= self.self_occluded & (codes == Visibility.SELF_OCCLUDED)
        told |= self.occluded & (codes == Visibility.OCCLUDED)
        told |= self.outside & (codes == Visibility.OUTSIDE)
        if not self.head_from_behind:
            head = np.zeros(len(codes), bool)
            head[[*HEAD_JOINTS]] = head[FACE] = True
            told &= ~(head & (codes == Visibility.SELF_OCCLUDED))
        return told


AS_DETECTED = Policy()


@dataclass(frozen=True, slots=True)
class PosedPerson:
    """One figure in one picture.

    ``points`` is (JOINTS, 2) float64, column and row in pixels (pixel corners at integers; rubbish where `BEHIND`),
    ``z`` (JOINTS,) planar depth in scene units, ``visibility`` (JOINTS,) int8 of `Visibility`; joints in the order of
    `shot.people`.
    """

    key: str
    points: F64
    z: F64
    visibility: Codes

    def shown(self, policy: Policy = AS_DETECTED) -> Bools:
        """Which joints (JOINTS,) a picture or a list of this policy shows."""
        reachable = (np.abs(np.nan_to_num(self.points, nan=np.inf)) < FARTHEST_PIXEL).all(axis=1)
        return policy.tells(self.visibility) & reachable


def visibility(
    joints: F64,
    camera: Camera,
    depth: npt.NDArray[np.float32],
    reach: float | F64,
    own: Bools | None = None,
) -> Codes:
    """`Visibility` (n,) int8 of projected ``joints`` (n, 3): column, row, planar z; NaN where missing.

    ``depth`` is the (H, W) float32 picture before holdouts are blanked. Joints lie inside the body, so something has
    to be nearer than z - ``reach`` to hide one; ``reach`` is one length in scene units or (n,) of them. ``own`` (H, W)
    marks the pixels of the same person; without it every occluder counts as another thing.
    """
    u, v, z = joints.T
    codes = np.full(len(joints), Visibility.SEEN, np.int8)
    missing = np.isnan(joints).any(axis=1)
    with np.errstate(invalid="ignore"):
        behind = z <= max(camera.near, 0.0)
        inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height) & ~behind
    columns, rows = (np.where(inside, axis, 0).astype(np.int64) for axis in (u, v))
    with np.errstate(invalid="ignore"):
        hidden = inside & (z - reach > depth[rows, columns])
        beyond = inside & (z - reach > camera.far)
    codes[~inside] = Visibility.OUTSIDE
    codes[hidden | beyond] = Visibility.OCCLUDED
    if own is not None:
        codes[hidden & ~beyond & own[rows, columns]] = Visibility.SELF_OCCLUDED
    codes[behind] = Visibility.BEHIND
    codes[missing] = Visibility.MISSING
    return codes


def keypoints(
    people: Sequence[Person],
    camera: Camera,
    depth: npt.NDArray[np.float32],
    person_ids: npt.NDArray[np.uint8],
) -> list[PosedPerson]:
    """Project ``people`` and tell what is seen of them.

    ``depth`` (H, W) float32 and ``person_ids`` (H, W) uint8 (0 nobody, i + 1 for ``people[i]``) are the picture of
    the same ``camera``, with holdouts still in.
    """
    posed: list[PosedPerson] = []
    for index, person in enumerate(people):
        with np.errstate(invalid="ignore", over="ignore"):
            joints = camera.project(person.joints)
        codes = visibility(joints, camera, depth, person.reach * REACH_SHARES, person_ids == index + 1)
        posed.append(PosedPerson(person.key, joints[:, :2], joints[:, 2], codes))
    return posed
