# SPDX-License-Identifier: GPL-3.0-or-later
"""A mapping an artist wrote: JSON text on the rig, joint name to bone name.

``{"RShoulder": "arm.001", "LWrist": "palm>", "Head": "skull"}``: a bone means its head, a bone followed by ``>`` its
tail. Joints are called as in `bones.JOINT_NAMES` (COCO-18, the six of the feet, LHand0..20, RHand0..20, Face0..67), and
``Head`` is the bone that nose, eyes and ears follow. What is not said is found as ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from .bones import JOINT_NAMES, NECK, BoneEnd

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HEAD = "Head"
_LONGEST = 100_000
_NUMBER = {name: i for i, name in enumerate(JOINT_NAMES) if i != NECK}


@dataclass(frozen=True, slots=True)
class ByHand:
    """Joints and head bone that were written down, and sentences about what could not be understood."""

    joints: Mapping[int, BoneEnd] = field(default_factory=dict[int, BoneEnd])
    head: str | None = None
    notes: tuple[str, ...] = ()


def read_by_hand(text: object, bones: Collection[str]) -> ByHand:
    """Understand the property's value for a rig with these ``bones``. Never fails: what is damaged becomes a note."""
    if text is None or text == "":
        return ByHand()
    entries = _entries(text)
    if entries is None:
        return ByHand(notes=("The mapping by hand is not a JSON object of joint and bone names: it is not used.",))
    joints: dict[int, BoneEnd] = {}
    head: str | None = None
    notes: list[str] = []
    for joint, value in entries.items():
        end = _end(value, bones)
        if joint != HEAD and joint not in _NUMBER:
            notes.append(f"The mapping by hand names a joint {_short(joint)} that there is not: it is not used.")
        elif end is None:
            notes.append(f"The mapping by hand gives {joint} the bone {_short(value)}, which the rig does not have.")
        elif joint == HEAD:
            head = end.bone
        else:
            joints[_NUMBER[joint]] = end
    return ByHand(joints, head, tuple(notes))


def _entries(text: object) -> dict[str, object] | None:
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", found) if isinstance(found, dict) else None


def _end(value: object, bones: Collection[str]) -> BoneEnd | None:
    """The bone whose name this is, else the tail of the one before the mark."""
    if not isinstance(value, str):
        return None
    if value in bones:
        return BoneEnd(value)
    if value.endswith(">") and value[:-1] in bones:
        return BoneEnd(value[:-1], 1.0)
    return None


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
