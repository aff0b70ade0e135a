# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bare rig is no person of its own but belongs to somebody's rig: its template, or what controls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..shot.people import BODY

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from .posing import Figure

_MOST_OF_BODY = 10
_REST_TOLERANCE = 0.01
_ORIGINAL = "ORG-"
"""Rigify gives a rig a copy of every bone of its metarig, called like this and the bone's name."""
_MANY_MORE = 2
"""A generator adds controls and mechanics: Rigify makes 222 bones of 29 and 706 of 159 (4.2 to 5.0)."""


def is_part_of(bare: Figure, other: Figure, *, has_body: bool) -> bool:
    """Whether a rig without meshes is the template of another, or moves its bones; ``has_body``: the other has meshes.

    Both rest alike. A template has mostly other bones, or the other has originals of them, and nothing animates it; one
    of a rig without a body has far fewer bones as well. What is left are stand-ins, such as a copy with a bone more.
    """
    if not _rest_alike(bare, other):
        return False
    if has_body and _moves(bare.thing, other):
        return True
    return not _is_performed(bare.thing) and _made(bare, other, has_body=has_body)


def _made(bare: Figure, other: Figure, *, has_body: bool) -> bool:
    """Whether the other rig's bones look generated from those of the bare one."""
    names, others = _names(bare.thing), _names(other.thing)
    if names == others:
        return False
    if 2 * sum(_ORIGINAL + name in others for name in names) >= len(names):
        return True
    is_fuller = has_body or len(others) >= _MANY_MORE * len(names)
    return is_fuller and 2 * len(names & others) < min(len(names), len(others))


def _names(rig: Any) -> AbstractSet[str]:
    """What the bones are called, without the name spaces that importers put before copies."""
    return {name.rpartition(":")[2] for name in tuple(rig.data.bones.keys())}


def _rest_alike(one: Figure, other: Figure) -> bool:
    """Whether most joints are at the same place at rest, within a hundredth of the figure's size."""
    mine, theirs = one.rest()[BODY], other.rest()[BODY]
    both = ~(np.isnan(mine) | np.isnan(theirs)).any(axis=1)
    if both.sum() < _MOST_OF_BODY:
        return False
    size = float(np.ptp(theirs[both], axis=0).max())
    return bool(np.abs(mine[both] - theirs[both]).max() <= _REST_TOLERANCE * size)


def _moves(rig: Any, other: Figure) -> bool:
    """Whether constraints tie most bones that make joints to this rig, as those of a game skeleton to its controls."""
    made = {end.bone for joint, end in other.mapping.joints.items() if joint in range(BODY.start, BODY.stop)}
    tied = [
        bone
        for bone in other.thing.pose.bones
        if bone.name in made and any(getattr(one, "target", None) == rig for one in bone.constraints)
    ]
    return 2 * len(tied) >= len(made)


def _is_performed(rig: Any) -> bool:
    """Whether it has an action, also in a strip, or a driver of its own: bones drive each other in any rig."""
    data = rig.animation_data
    if data is None:
        return False
    drives = any(not curve.data_path.startswith("pose.bones") for curve in data.drivers)
    return drives or data.action is not None or any(track.strips for track in data.nla_tracks)
