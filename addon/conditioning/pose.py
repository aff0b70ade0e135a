# SPDX-License-Identifier: GPL-3.0-or-later
"""People as OpenPose stick figures in COCO-18 order, and what of them the camera sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from . import paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ..shot.camera import Camera
    from ..shot.geometry import Person

    F64: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int8]

COCO18 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "RHip",
    "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
)  # fmt: skip
"""Joints in the order of every ControlNet; R is the person's own right."""

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""The 17 limbs in drawing order, as pairs of joints counted from 0. Limb i has colour i."""

COLOURS: npt.NDArray[np.uint8] = np.array(
    [
        (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
        (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
        (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
    ],
    np.uint8,
)  # fmt: skip
"""RGB of joint k and limb k (reference: conditioning 2.2)."""

STICK, DISC = 4, 4
"""Half width of a limb and radius of a joint, pixels, in the plain openpose dialect."""

LIMB_SHARE = 0.6
"""Limbs are painted at this share of their colour, joints at the full one."""

FARTHEST_PIXEL = 1 << 24
"""A joint projected farther out than this is next to the camera plane; its limb has no sensible direction."""

FACE_POINTS, HAND_POINTS = 70, 21
"""Lengths of the lists in POSE_KEYPOINT that a body-only figure fills with zeros."""


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


DRAWN = (Visibility.SEEN, Visibility.SELF_OCCLUDED, Visibility.OUTSIDE)


@dataclass(frozen=True, slots=True)
class PosedPerson:
    """One figure in one picture.

    ``points`` is (18, 2) float64, column and row in pixels (pixel corners at integers; rubbish where `BEHIND`),
    ``z`` (18,) planar depth in scene units, ``visibility`` (18,) int8 of `Visibility`.
    """

    key: str
    points: F64
    z: F64
    visibility: Codes

    @property
    def drawn(self) -> npt.NDArray[np.bool_]:
        """Which joints (18,) a stick figure shows."""
        reachable = (np.abs(np.nan_to_num(self.points, nan=np.inf)) < FARTHEST_PIXEL).all(axis=1)
        return np.isin(self.visibility, DRAWN) & reachable


def visibility(
    joints: F64,
    camera: Camera,
    depth: npt.NDArray[np.float32],
    reach: float,
    own: npt.NDArray[np.bool_] | None = None,
) -> Codes:
    """`Visibility` (18,) int8 of projected ``joints`` (18, 3): column, row, planar z; NaN where missing.

    ``depth`` is the (H, W) float32 picture before holdouts are blanked. Joints lie inside the body, so something has
    to be nearer than z - ``reach`` to hide one. ``own`` (H, W) marks the pixels of the same person; without it every
    occluder counts as another thing.
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
        codes = visibility(joints, camera, depth, person.reach, person_ids == index + 1)
        posed.append(PosedPerson(person.key, joints[:, :2], joints[:, 2], codes))
    return posed


def draw_openpose(
    people: Sequence[PosedPerson], size: tuple[int, int], *, stick: int = STICK, disc: int = DISC
) -> npt.NDArray[np.uint8]:
    """The COCO-18 stick figures of ``people`` on black, (H, W, 3) uint8 RGB, ``size`` being (width, height).

    Per person all limbs in table order, then all joints. Coordinates are truncated, nothing is anti-aliased, and a
    limb needs both its ends: exactly as the training pictures were drawn. ``stick`` is the half width of limbs and
    ``disc`` the radius of joints in pixels (other dialects are thicker or thinner).
    """
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    drawn = np.array([person.drawn for person in people], bool).reshape(-1, len(COCO18))
    if not drawn.any():
        return canvas
    points = np.array([person.points for person in people], np.float64).reshape(-1, len(COCO18), 2)
    limbs = _limbs(np.where(drawn[:, :, None], points, 0.0), drawn, stick, size)
    joints = _joints(np.where(drawn[:, :, None], points, 0.0), drawn, disc, size)
    runs = paint.joined(limbs, joints)
    darkened = (COLOURS[: len(LIMBS)] * LIMB_SHARE).astype(np.uint8)
    paint.fill(canvas, runs, np.tile(np.concatenate([darkened, COLOURS]), (len(drawn), 1)))
    return canvas


SHAPES = len(LIMBS) + len(COCO18)
"""Shapes of one person: limbs first, then joints."""


def _limbs(points: F64, drawn: npt.NDArray[np.bool_], stick: int, size: tuple[int, int]) -> paint.Runs:
    """Limb ellipses of all people, numbered by their place in the drawing."""
    first, second = np.array(LIMBS).T
    person, limb = np.nonzero(drawn[:, first] & drawn[:, second])
    a, b = points[person, first[limb]], points[person, second[limb]]
    delta = a - b
    length = np.hypot(delta[:, 0], delta[:, 1])
    angle = np.degrees(np.arctan2(delta[:, 1], delta[:, 0]))
    halves = np.stack([length / 2, np.full(len(length), float(stick))], axis=1)
    centres = (a + b) / 2
    runs = paint.ellipses(centres.astype(np.int64), halves.astype(np.int64), angle.astype(np.int64), size)
    return replace(runs, shape=(person * SHAPES + limb)[runs.shape])


def _joints(points: F64, drawn: npt.NDArray[np.bool_], disc: int, size: tuple[int, int]) -> paint.Runs:
    """Joint discs of all people, numbered by their place in the drawing."""
    person, joint = np.nonzero(drawn)
    runs = paint.discs(points[person, joint].astype(np.int64), disc, size)
    return replace(runs, shape=(person * SHAPES + len(LIMBS) + joint)[runs.shape])


def pose_keypoint_json(frames: Sequence[Sequence[PosedPerson]], size: tuple[int, int]) -> list[dict[str, Any]]:
    """POSE_KEYPOINT: one document per frame, coordinates in pixels of the picture ``size`` (width, height).

    The confidence is exactly 1.0 for a drawn joint (readers drop anything less) and 0.0, with the joint at the
    origin, for all others. Face and hands are full lists of zeros: some readers cannot take null. People of whom no
    joint lies in the picture are left out, as a detector would.
    """
    width, height = size
    return [
        {
            "people": [_keypoint_lists(person) for person in people if _in_picture(person)],
            "canvas_height": height,
            "canvas_width": width,
        }
        for people in frames
    ]


def _in_picture(person: PosedPerson) -> bool:
    return bool((person.drawn & (person.visibility != Visibility.OUTSIDE)).any())


def _keypoint_lists(person: PosedPerson) -> dict[str, list[float]]:
    drawn = person.drawn
    triples = np.column_stack([np.where(drawn[:, None], np.round(person.points, 3), 0.0), drawn.astype(np.float64)])
    return {
        "pose_keypoints_2d": cast("list[float]", triples.reshape(-1).tolist()),
        "face_keypoints_2d": [0.0] * (3 * FACE_POINTS),
        "hand_left_keypoints_2d": [0.0] * (3 * HAND_POINTS),
        "hand_right_keypoints_2d": [0.0] * (3 * HAND_POINTS),
    }
