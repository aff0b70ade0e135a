# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingers in a hand whose bones are called nothing in particular."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from .bones import HANDS_OF, SIDES, BoneEnd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .bones import Skeleton

_FINGERS = 5
_BONES = 3
_MOST = 120
"""Bones a hand may have."""


def shaped_hands(skeleton: Skeleton, joints: Mapping[int, BoneEnd]) -> dict[int, BoneEnd]:
    """The 21 points of each hand that has five fingers of three bones and no point yet.

    The thumb begins nearest to the wrist; the others follow by their distance from it. Bones of the palm are skipped;
    where even the thumb has four bones the last one is an end bone, whose head is the tip.
    """
    children = skeleton.children()
    found: dict[int, BoneEnd] = {}
    for table, first in zip(SIDES, HANDS_OF, strict=True):
        wrist = joints[table["wrist"]]
        if first in joints or wrist.along:
            continue
        fingers = _fingers(skeleton, children, skeleton.index[wrist.bone])
        if fingers:
            found[first] = wrist
            found |= {first + 1 + 4 * k + i: end for k, ends in enumerate(fingers) for i, end in enumerate(ends)}
    return found


def _fingers(skeleton: Skeleton, children: list[list[int]], wrist: int) -> list[list[BoneEnd]]:
    """Four joints of each of five fingers, from the thumb on; empty unless there are exactly five."""
    paths = _paths(children, wrist)
    if paths is None or len(paths) != _FINGERS:
        return []
    has_ends = min(len(path) for path in paths) > _BONES
    runs: list[list[int]] = [path[-_BONES - 1 :] if has_ends else path[-_BONES:] for path in paths]
    knuckles = skeleton.heads[[run[0] for run in runs]]
    thumb = int(np.argmin(np.linalg.norm(knuckles - skeleton.heads[wrist], axis=1)))
    away = np.linalg.norm(knuckles - knuckles[thumb], axis=1)
    order = sorted(range(_FINGERS), key=lambda k: float(away[k]))
    names = skeleton.names
    return [
        [
            *(BoneEnd(names[bone]) for bone in runs[k][:_BONES]),
            BoneEnd(names[runs[k][-1]], 0.0 if has_ends else 1.0),
        ]
        for k in order
    ]


def _paths(children: list[list[int]], wrist: int) -> list[list[int]] | None:
    """Ways from below the wrist to every leaf with three bones of its own; None for what is too large for a hand."""
    found: list[list[int]] = []
    open_: list[list[int]] = [[child] for child in children[wrist]]
    seen = 0
    while open_:
        path = open_.pop()
        seen += 1
        if seen > _MOST:
            return None
        following = children[path[-1]]
        open_ += [[*path, child] for child in following]
        if not following and len(path) >= _BONES:
            found.append(path)
    shared = Counter(bone for path in found for bone in path)
    own = [[bone for bone in path if shared[bone] == 1] for path in found]
    return [path for path in own if len(path) >= _BONES]
