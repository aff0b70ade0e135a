# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that say side and limb in plain words, in any order: ``Arm.Upper.L``, ``hand_right``, ``L thigh``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .families import Family

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
_HELPERS = frozenset({"ik", "fk", "twist", "pole", "target", "ctrl", "control", "roll", "helper", "nub", "end", "mch"})
_NOISE = frozenset({"def", "bone", "jnt", "joint", "bip", "01", "1", "001"})
_WORD_FOR = {
    "shoulder": "upperarm|armupper|uparm|arm|shldr|humerus|bicep",
    "elbow": "forearm|lowerarm|armlower|lowarm|loarm|radius|elbow",
    "wrist": "hand|wrist|palm",
    "hip": "thigh|upperleg|legupper|upleg|femur|leg|hip",
    "knee": "shin|calf|lowerleg|leglower|lowleg|loleg|tibia|knee|leg",
    "ankle": "foot|ankle",
}

GENERIC = Family(
    "plain words",
    ("left", "right"),
    {part: tuple(f"{{s}} {word}" for word in words.split("|")) for part, words in _WORD_FOR.items()}
    | {"head": (" head",), "eye": ("{s} eye",), "ear": ("{s} ear",), "big_toe": ("{s} toe>", "{s} toes>")},
    trust=0.8,
)


def generic_names(bones: Iterable[str]) -> dict[str, str]:
    """Bone by "<side> <words>", the last of each; helpers of a limb are left out."""
    found: dict[str, str] = {}
    for bone in bones:
        words = [word.casefold() for word in _WORDS.findall(bone)]
        if _HELPERS.isdisjoint(words):
            sides = [_SIDES[word] for word in words if word in _SIDES]
            rest = "".join(word for word in words if word not in _SIDES and word not in _NOISE)
            if len(sides) < 2:
                found[f"{''.join(sides)} {rest}"] = bone
    return found
