# SPDX-License-Identifier: GPL-3.0-or-later
"""People as data: POSE_KEYPOINT, which ComfyUI and editors read, and our own document, which leaves nothing out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from ...shot.people import BODY, COCO18, FACE, FEET, FOOT_JOINTS, LEFT_HAND, RIGHT_HAND
from .pose import AS_DETECTED, Policy, PosedPerson, Visibility

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Bools: TypeAlias = npt.NDArray[np.bool_]
    F64: TypeAlias = npt.NDArray[np.float64]

PEOPLE_SCHEMA = "second_unit.people/1"

EYES = (COCO18.index("REye"), COCO18.index("LEye"))
"""Points 68 and 69 of a face in POSE_KEYPOINT."""

_HAND = ("Wrist", *(f"{finger}{k}" for finger in ("Thumb", "Index", "Middle", "Ring", "Little") for k in range(1, 5)))

GROUPS = {
    "body": (BODY, COCO18),
    "feet": (FEET, FOOT_JOINTS),
    "left_hand": (LEFT_HAND, _HAND),
    "right_hand": (RIGHT_HAND, _HAND),
    "face": (FACE, tuple(f"Face{k}" for k in range(68))),
}
"""Name to the joints of a person and their names."""


def pose_keypoint_json(
    frames: Sequence[Sequence[PosedPerson]], size: tuple[int, int], policy: Policy = AS_DETECTED
) -> list[dict[str, Any]]:
    """POSE_KEYPOINT: one document per frame, coordinates in pixels of the picture ``size`` (width, height).

    The confidence is exactly 1.0 for a shown joint (readers drop anything less) and 0.0, with the joint at the
    origin, for all others. Lists are always there and full, with zeros for what nobody has: some readers cannot take
    null. A face has the body's eyes as points 68 and 69. People of whom nothing lies in the picture are left out, as a
    detector would.
    """
    return [keypoint_frame(people, size, policy) for people in frames]


def keypoint_frame(
    people: Sequence[PosedPerson], size: tuple[int, int], policy: Policy = AS_DETECTED
) -> dict[str, Any]:  # fmt: skip
    """One frame of `pose_keypoint_json`."""
    width, height = size
    return {
        "people": [_keypoint_lists(person, policy) for person in people if _is_in_picture(person, policy)],
        "canvas_height": height,
        "canvas_width": width,
    }


def _is_in_picture(person: PosedPerson, policy: Policy) -> bool:
    return bool((person.shown(policy) & (person.visibility != Visibility.OUTSIDE)).any())


def _keypoint_lists(person: PosedPerson, policy: Policy) -> dict[str, list[float]]:
    shown = person.shown(policy)
    points = np.where(shown[:, None], np.round(person.points, 3), 0.0)
    face = np.concatenate([np.arange(FACE.start, FACE.stop), EYES]) if shown[FACE].any() else None
    return {
        "pose_keypoints_2d": _triples(points[BODY], shown[BODY]),
        "foot_keypoints_2d": _triples(points[FEET], shown[FEET]),
        "face_keypoints_2d": [0.0] * 210 if face is None else _triples(points[face], shown[face]),
        "hand_left_keypoints_2d": _triples(points[LEFT_HAND], shown[LEFT_HAND]),
        "hand_right_keypoints_2d": _triples(points[RIGHT_HAND], shown[RIGHT_HAND]),
    }


def _triples(points: F64, shown: Bools) -> list[float]:
    """x, y, confidence, x, y …; empty where readers would take pixels for shares of the picture.

    They do when no coordinate of a list exceeds 1: a group squeezed into the topmost left pixel, which nobody misses.
    """
    if np.abs(points).max() <= 1:
        return [0.0] * (3 * len(points))
    return cast("list[float]", np.column_stack([points, shown.astype(np.float64)]).reshape(-1).tolist())


@dataclass(frozen=True, slots=True)
class PeopleFrame:
    """The people of one frame: ``frame`` is the plate's number, ``scene`` the frame of the scene, as written."""

    frame: int
    scene: str
    people: Sequence[PosedPerson]


def people_json(
    frames: Sequence[PeopleFrame], size: tuple[int, int], keys: Sequence[str], metres_per_unit: float = 1.0
) -> dict[str, Any]:
    """Everything known about the people of a shot, whatever a model is told of it.

    ``keys`` are the people of the shot; a person's id is the place in them, -1 for somebody not listed. Of each group
    of joints a person has: ``pixel`` [x, y], ``depth_m`` the planar distance from the camera in metres (with the
    package's camera this gives the place in the world), ``visibility`` by name. Where a joint is missing both are null;
    behind the camera it has no pixel.
    """
    return {**people_head(size, keys), "frames": [people_frame(one, keys, metres_per_unit) for one in frames]}


def people_head(size: tuple[int, int], keys: Sequence[str], casts: Sequence[str] = ()) -> dict[str, Any]:
    """`people_json` but for its frames. ``casts``, if given, are the cast members they are, "" for who is none."""
    people: list[dict[str, Any]] = [{"id": number, "key": key} for number, key in enumerate(keys)]
    for person, member in zip(people, casts, strict=False):
        person["cast"] = member
    return {
        "schema": PEOPLE_SCHEMA,
        "size": list(size),
        "joints": {name: list(names) for name, (_, names) in GROUPS.items()},
        "people": people,
    }


def people_frame(one: PeopleFrame, keys: Sequence[str], metres_per_unit: float = 1.0) -> dict[str, Any]:
    """One frame of `people_json`."""
    ids = {key: number for number, key in enumerate(keys)}
    people = [_person(person, ids.get(person.key, -1), metres_per_unit) for person in one.people]
    return {"frame": one.frame, "scene": one.scene, "people": people}


def _person(person: PosedPerson, number: int, metres_per_unit: float) -> dict[str, Any]:
    has = person.visibility != Visibility.MISSING
    joints = {name: _group(person, part, metres_per_unit) for name, (part, _) in GROUPS.items() if has[part].any()}
    return {"id": number, "key": person.key, **joints}


def _group(person: PosedPerson, part: slice, metres_per_unit: float) -> dict[str, list[Any]]:
    names = [Visibility(code).name for code in cast("list[int]", person.visibility[part].tolist())]
    nowhere = np.isin(person.visibility[part], (Visibility.MISSING, Visibility.BEHIND))
    pixels = cast("list[list[float]]", np.where(nowhere[:, None], np.nan, person.points[part]).tolist())
    depths = cast("list[float]", (person.z[part] * metres_per_unit).tolist())
    return {
        "pixel": [[round(x, 3), round(y, 3)] if math.isfinite(x) and math.isfinite(y) else None for x, y in pixels],
        "depth_m": [round(z, 5) if math.isfinite(z) else None for z in depths],
        "visibility": names,
    }
