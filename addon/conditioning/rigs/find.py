# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an armature is a person and where its joints are: by hand, else by name, else by shape.

Names are believed only when the bones also stand like a person: a dog whose bones are called LeftArm is a dog. The
confidence is 1 for what was done by hand, for names what the family is worth (1, plain words 0.8) less 0.1 without a
head bone and halved when feet, knees and face look the other way than left and right say; for shapes 0.3 to 0.7 by
how well they fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .anatomy import shaped
from .bones import JOINT_NAMES, LIMB_JOINTS, Finding, PersonMap, rest_points
from .by_hand import ByHand
from .hands import shaped_hands
from .naming import named
from .stance import axes_of, birdlike, facing, objection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .bones import BoneEnd, Skeleton

BY_HAND, NAME, GEOMETRY = "by hand", "name", "geometry"
_TURNED = -0.3
TURNED_NOTE = "Its feet, knees or face look the other way than its left and right say: check the mapping."
DAMAGED = "Its rest pose has bones that are nowhere."


def find_person(skeleton: Skeleton, said: ByHand | None = None) -> Finding:
    """Read a rig. What was ``said`` by hand goes before everything else, joint by joint."""
    said = said or ByHand()
    if not skeleton.is_finite:
        return Finding(None, DAMAGED, said.notes)
    if set(LIMB_JOINTS) <= set(said.joints):
        return _by_hand(skeleton, said)
    found = _by_name(skeleton)
    if found.person is None:
        by_shape = _by_shape(skeleton)
        found = by_shape if by_shape.person is not None or not found.reason else found
    if found.person is None:
        return Finding(None, found.reason, (*said.notes, *_lacking(said)))
    return Finding(_with(skeleton, found.person, said), "", said.notes)


def _lacking(said: ByHand) -> list[str]:
    """What a mapping by hand would need to stand alone."""
    lacking = [JOINT_NAMES[joint] for joint in LIMB_JOINTS if joint not in said.joints]
    return [f"The mapping by hand lacks {', '.join(lacking)} to stand alone."] if said.joints else []


def _by_name(skeleton: Skeleton) -> Finding:
    reason = ""
    for match in named(skeleton):
        points = rest_points(skeleton, match.joints)
        why = objection(points) or birdlike(points)
        reason = reason or why
        if not why:
            axes = axes_of(points)
            turned = facing(points, axes[1]) < _TURNED
            trust = (match.family.trust - (0.0 if match.head else 0.1)) * (0.5 if turned else 1.0)
            return Finding(
                _person(
                    skeleton, match.family.name, trust, match.joints, NAME, match.head, (TURNED_NOTE,) if turned else ()
                )
            )
    return Finding(None, reason)


def _by_shape(skeleton: Skeleton) -> Finding:
    shape = shaped(skeleton)
    if not shape.joints:
        return Finding(None, shape.reason)
    points = rest_points(skeleton, shape.joints)
    why = birdlike(points)
    if why:
        return Finding(None, why)
    return Finding(_person(skeleton, "by shape", 0.3 + 0.4 * shape.fit, shape.joints, GEOMETRY, shape.head, ()))


def _by_hand(skeleton: Skeleton, said: ByHand) -> Finding:
    """All limbs were said, so nothing is doubted: a person may rest lying or crawling."""
    person = _person(skeleton, BY_HAND, 1.0, said.joints, BY_HAND, said.head, said.notes)
    return Finding(person, "", said.notes)


def _person(
    skeleton: Skeleton,
    family: str,
    confidence: float,
    joints: Mapping[int, BoneEnd],
    source: str,
    head: str | None,
    notes: tuple[str, ...],
) -> PersonMap:
    fingers = shaped_hands(skeleton, joints)
    sources = {**dict.fromkeys(fingers, GEOMETRY), **dict.fromkeys(joints, source)}
    axes = axes_of(rest_points(skeleton, joints))
    return PersonMap(family, round(confidence, 2), {**fingers, **joints}, sources, head, axes, notes)


def _with(skeleton: Skeleton, person: PersonMap, said: ByHand) -> PersonMap:
    """The same person with what was said put over it."""
    if not said.joints and said.head is None and not said.notes:
        return person
    joints = {**person.joints, **said.joints}
    sources = {**person.sources, **dict.fromkeys(said.joints, BY_HAND)}
    axes = axes_of(rest_points(skeleton, joints))
    return PersonMap(
        person.family, person.confidence, joints, sources, said.head or person.head, axes, (*person.notes, *said.notes)
    )
