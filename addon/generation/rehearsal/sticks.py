# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads people back out of a drawn OpenPose picture.

Limb *i* of the COCO-18 drawing has the hue 20° x i (Z. Cao et al., OpenPose; the colours of ControlNet's
drawing), darkened to 60 %; joints are full bright discs. Some dialects swap red and blue: hue index i becomes
12 - i. Which one a picture follows shows in how well the limbs hang together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .pictures import Picture

Point = tuple[float, float]
"""x right, y down, in pixels."""

LIMBS: tuple[tuple[int, int], ...] = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
HUES = 18
SWAPPED = 12
_COLOURFUL = 48
_JOINT_BRIGHTNESS = 205
_CELL = 6
_SHORTEST = 5.0
_COVERED = 24.0
_FACE = 12
_NECK = 12
_LOOSE = 0.8
_SHARED = 3
_REACH = 8.0


@dataclass(frozen=True, slots=True)
class Stick:
    """One drawn limb: its hue index, its ends, half its thickness."""

    hue: int
    ends: tuple[Point, Point]
    half: float

    @property
    def length(self) -> float:
        """Pixels from end to end."""
        (ax, ay), (bx, by) = self.ends
        return float(np.hypot(ax - bx, ay - by))


@dataclass(slots=True)
class Person:
    """Joints by COCO-18 number, and the limbs that were drawn."""

    joints: dict[int, Point] = field(default_factory=dict[int, Point])
    limbs: set[int] = field(default_factory=set[int])

    def mean(self) -> Point:
        """Middle of the joints."""
        return middle(list(self.joints.values()))

    def has_head(self) -> bool:
        """Whether the way from neck to nose, or more of the face than one joint, was drawn."""
        return _NECK in self.limbs or len(self.joints.keys() & {0, 14, 15, 16, 17}) > 1

    def head(self) -> Point | None:
        """Middle of the skull: above the neck, moved towards the ears if they were drawn."""
        ears = [self.joints[joint] for joint in (16, 17) if joint in self.joints]
        face = ears or [self.joints[joint] for joint in (14, 15, 0) if joint in self.joints]
        neck = self.joints.get(1)
        if neck is None:
            return middle(face) if face else None
        unit = self.unit()
        upright = (neck[0], neck[1] - 0.5 * unit)
        if not face:
            return upright
        x, y = middle(face)
        # One ear of a head in profile is right beside the middle; a nose is far before it.
        pull = 0.8 if ears else 0.5
        away = upright[0] + pull * (x - upright[0])
        return away, min(max(y - 0.02 * unit, neck[1] - 0.75 * unit), neck[1] - 0.3 * unit)

    def length(self, first: int, second: int) -> float:
        """Pixels between two joints, 0 if one is missing."""
        if first not in self.joints or second not in self.joints:
            return 0.0
        (ax, ay), (bx, by) = self.joints[first], self.joints[second]
        return float(np.hypot(ax - bx, ay - by))

    def unit(self) -> float:
        """Size of the body in pixels: about the length of its trunk."""
        guesses = [
            self.length(1, 8), self.length(1, 11), 1.15 * self.length(8, 9), 1.15 * self.length(11, 12),
            1.2 * self.length(9, 10), 1.2 * self.length(12, 13), 1.5 * self.length(2, 5),
            1.6 * self.length(2, 3), 1.6 * self.length(5, 6), 1.7 * self.length(0, 1),
        ]  # fmt: skip
        return max(guesses)


def colour_mask(picture: Picture) -> npt.NDArray[np.bool_]:
    """Pixels that are no grey, (height, width)."""
    # Planes of their own: numpy is four times as fast on them as on every third byte.
    red, green, blue = np.ascontiguousarray(np.moveaxis(picture, 2, 0))
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    return (high - low) > _COLOURFUL


@dataclass(frozen=True, slots=True)
class Drawing:
    """Limbs, and discs of joints as (hue index, centre). No discs if they are as dark as the limbs."""

    sticks: list[Stick]
    discs: list[tuple[int, Point]]


def read_drawing(picture: Picture, mask: npt.NDArray[np.bool_]) -> Drawing:
    """All limbs and joints among the pixels of ``mask``."""
    ys, xs = np.nonzero(mask)
    if len(xs) == 0:
        return Drawing([], [])
    colours = picture[ys, xs].astype(np.float32)
    indices = np.round(_hue(colours) / 20).astype(np.int64) % HUES
    points = np.stack([xs, ys], axis=1)
    is_limb = colours.max(axis=1) < _JOINT_BRIGHTNESS
    is_darkened = is_limb.mean() > 0.2
    if not is_darkened:
        is_limb[:] = True
    sticks = [stick for hue in range(HUES) for stick in _sticks_of(hue, points[is_limb & (indices == hue)])]
    discs = [(hue, centre) for hue in range(HUES) for centre in _discs_of(points[~is_limb & (indices == hue)])]
    return Drawing(_trusted(sticks, 1.0 if is_darkened else 2.5), discs)


def _discs_of(points: npt.NDArray[np.int64]) -> Iterator[Point]:
    for piece in _pieces(points):
        x, y = piece.mean(axis=0)
        yield float(x), float(y)


def _trusted(sticks: list[Stick], shortest: float) -> list[Stick]:
    """Without slivers between two colours, crumbs, and lumps of two limbs.

    All limbs of a drawing are equally thick.
    """
    if not sticks:
        return []
    order = sorted(sticks, key=lambda stick: stick.half)
    total = sum(stick.length for stick in order)
    usual = next(
        stick.half for index, stick in enumerate(order) if sum(item.length for item in order[: index + 1]) * 2 >= total
    )
    return [stick for stick in sticks if 0.55 * usual < stick.half < 1.6 * usual and stick.length > shortest * usual]


def _hue(colours: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Hue in degrees of (n, 3) RGB."""
    red, green, blue = colours.T
    return np.degrees(np.arctan2(np.sqrt(np.float32(3)) * (green - blue), 2 * red - green - blue)) % 360


def _sticks_of(hue: int, points: npt.NDArray[np.int64]) -> Iterator[Stick]:
    for piece in _pieces(points):
        centre = piece.mean(axis=0)
        spread: npt.NDArray[np.float64] = np.asarray(np.cov((piece - centre).T), np.float64) + np.eye(2) * 1e-6
        values, vectors = np.linalg.eigh(spread)
        minor, major = np.sqrt(values)
        along = (piece - centre) @ vectors[:, 1]
        low, high = float(along.min()), float(along.max())
        # Rings around discs and crumbs at crossings are short or round.
        if high - low < _SHORTEST or major < 1.7 * minor:
            continue
        start, end = centre + vectors[:, 1] * low, centre + vectors[:, 1] * high
        yield Stick(hue, ((float(start[0]), float(start[1])), (float(end[0]), float(end[1]))), float(2 * minor))


def _pieces(points: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Connected groups of at least a dozen points, by cells of a few pixels."""
    if len(points) < 12:
        return
    cells = points // _CELL
    keys = cells[:, 1] * 100_003 + cells[:, 0]
    unique, inverse = np.unique(keys, return_inverse=True)
    labels = _flood([int(key) for key in unique])
    per_point = np.array(labels)[inverse]
    for label in range(max(labels) + 1):
        piece = points[per_point == label]
        if len(piece) >= 12:
            yield piece


def _flood(keys: list[int]) -> list[int]:
    """Label of each cell; cells that touch, also at a corner, share one."""
    places = {key: index for index, key in enumerate(keys)}
    labels = [-1] * len(keys)
    count = 0
    for first in range(len(keys)):
        if labels[first] >= 0:
            continue
        stack = [first]
        labels[first] = count
        while stack:
            key = keys[stack.pop()]
            for step in (-100_004, -100_003, -100_002, -1, 1, 100_002, 100_003, 100_004):
                other = places.get(key + step)
                if other is not None and labels[other] < 0:
                    labels[other] = count
                    stack.append(other)
        count += 1
    return labels


def limb_of(hue: int, *, is_swapped: bool) -> int | None:
    """Number of the limb with that hue index."""
    number = (SWAPPED - hue) % HUES if is_swapped else hue
    return number if number < len(LIMBS) else None


@dataclass(slots=True)
class _Placed:
    """A stick that is known: its limb, and the place of its two joints in the order of the limb."""

    limb: int
    places: list[Point]
    anchors: list[int | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """The people in a drawing under one assumption about its colours.

    ``score`` says how well everything hangs together.
    """

    people: list[Person]
    score: int


def read_people(drawing: Drawing, *, is_swapped: bool) -> Reading:
    """Join sticks to people, from left to right. No person gets the same limb twice."""
    discs = [((SWAPPED - hue) % HUES if is_swapped else hue, place) for hue, place in drawing.discs]
    placed: list[_Placed] = []
    for stick in drawing.sticks:
        limb = limb_of(stick.hue, is_swapped=is_swapped)
        item = None if limb is None else _place(limb, stick, discs)
        if item is not None:
            placed.append(item)
    placed += _hidden(placed, discs)
    placed.sort(key=lambda item: item.anchors.count(None))
    bonds = _shared_discs(placed) if discs else _meetings(placed)
    people = [_person([placed[index] for index in group], discs) for group in _groups(placed, bonds)]
    whole = [person for person in _mended(people) if len(person.limbs) > 1 and min(person.limbs) < _FACE]
    return Reading(sorted(whole, key=lambda person: person.mean()[0]), len(bonds))


def _place(limb: int, stick: Stick, discs: list[tuple[int, Point]]) -> _Placed | None:
    """Turn a stick the right way round. None if no disc of its joints is at its ends: then it is no limb."""
    if not discs:
        return _Placed(limb, sorted(stick.ends, key=lambda end: end[1]), [None, None])
    reach = _REACH + 1.3 * stick.half
    choices: list[tuple[float, _Placed]] = []
    for ends in (stick.ends, stick.ends[::-1]):
        found = [_nearest(joint, end, discs, reach) for joint, end in zip(LIMBS[limb], ends, strict=True)]
        item = _Placed(limb, list(ends), [index for index, _ in found])
        choices.append((sum(distance for _, distance in found), item))
    best = min(choices, key=lambda choice: choice[0])[1]
    return None if best.anchors == [None, None] else best


def _hidden(placed: list[_Placed], discs: list[tuple[int, Point]]) -> list[_Placed]:
    """Limbs so short that their discs cover them."""
    # A crumb beside a disc hangs on one end only: it must not hide the true limb.
    seen = {(item.limb, anchor) for item in placed if None not in item.anchors for anchor in item.anchors}
    at: dict[int, list[tuple[int, Point]]] = {}
    for index, (joint, place) in enumerate(discs):
        at.setdefault(joint, []).append((index, place))
    found: list[_Placed] = []
    for limb, (start, end) in enumerate(LIMBS):
        reach = _COVERED if limb < _FACE else 2 * _COVERED
        pairs = [(_gap(p, q), i, p, j, q) for i, p in at.get(start, []) for j, q in at.get(end, [])]
        for gap, i, p, j, q in sorted(pairs):
            if gap < reach and (limb, i) not in seen and (limb, j) not in seen:
                seen |= {(limb, i), (limb, j)}
                found.append(_Placed(limb, [p, q], [i, j]))
    return found


def _nearest(joint: int, place: Point, discs: list[tuple[int, Point]], reach: float) -> tuple[int | None, float]:
    near = [(_gap(place, centre), index) for index, (kind, centre) in enumerate(discs) if kind == joint]
    distance, index = min(near, default=(reach, -1))
    return (index, distance) if distance < reach else (None, reach)


def _gap(a: Point, b: Point) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _shared_discs(placed: list[_Placed]) -> list[tuple[int, int]]:
    """Pairs of limbs that end in the same disc."""
    at: dict[int, list[int]] = {}
    for index, item in enumerate(placed):
        for anchor in item.anchors:
            if anchor is not None:
                at.setdefault(anchor, []).append(index)
    return [(users[0], other) for users in at.values() for other in users[1:]]


def _meetings(placed: list[_Placed]) -> list[tuple[int, int]]:
    """Without discs.

    Pairs of neighbouring limbs whose ends meet, the closest first. Turns the sticks on the way.
    """
    bonds: list[tuple[float, int, int]] = []
    for i, first in enumerate(placed):
        for j, second in enumerate(placed[:i]):
            shared = set(LIMBS[first.limb]) & set(LIMBS[second.limb])
            if first.limb == second.limb or not shared:
                continue
            gap, m, n = min((_gap(p, q), m, n) for m, p in enumerate(first.places) for n, q in enumerate(second.places))
            if gap < 3 * _REACH:
                joint = shared.pop()
                _turn(first, m, joint)
                _turn(second, n, joint)
                bonds.append((gap, i, j))
    return [(i, j) for _, i, j in sorted(bonds)]


def _turn(item: _Placed, end: int, joint: int) -> None:
    if LIMBS[item.limb][end] != joint:
        item.places.reverse()


def _groups(placed: list[_Placed], bonds: list[tuple[int, int]]) -> list[set[int]]:
    """Limbs that belong together."""
    groups = {index: {index} for index in range(len(placed))}
    for i, j in bonds:
        merged = groups[i] | groups[j]
        if groups[i] is not groups[j] and len({placed[index].limb for index in merged}) == len(merged):
            groups |= dict.fromkeys(merged, merged)
    return list({id(group): group for group in groups.values()}.values())


def _mended(people: list[Person]) -> list[Person]:
    """Give loose pieces to the nearest body that lacks them. What it has already is a crumb and goes.

    Limbs that cross tear a drawing into pieces. What has a head, or much that the body has too, is somebody else.
    """
    bodies: list[Person] = []
    for part in sorted(people, key=lambda person: (not person.has_head(), -len(person.limbs))):
        near = [
            body
            for body in bodies
            if len(part.limbs & body.limbs) <= _SHARED and _closest(part, body) < _LOOSE * body.unit()
        ]
        if part.has_head() or not near:
            bodies.append(part)
            continue
        body = min(near, key=lambda body: _apart(part, body))
        joints = {joint for limb in part.limbs - body.limbs for joint in LIMBS[limb]}
        body.limbs |= part.limbs
        body.joints = {joint: part.joints[joint] for joint in joints} | body.joints
    return bodies


def middle(points: list[Point]) -> Point:
    """Mean of points."""
    xs, ys = zip(*points, strict=True)
    return sum(xs) / len(xs), sum(ys) / len(ys)


def _closest(part: Person, body: Person) -> float:
    """Pixels between the closest joints."""
    return min((_gap(p, q) for p in part.joints.values() for q in body.joints.values()), default=float("inf"))


def _apart(part: Person, body: Person) -> float:
    """Pixels between the places of a joint that both have; without one, between the closest joints."""
    common = [_gap(place, body.joints[joint]) for joint, place in part.joints.items() if joint in body.joints]
    return min(common) if common else _closest(part, body)


def _person(items: list[_Placed], discs: list[tuple[int, Point]]) -> Person:
    person = Person({}, {item.limb for item in items})
    found: dict[int, list[Point]] = {}
    for item in items:
        for joint, place, anchor in zip(LIMBS[item.limb], item.places, item.anchors, strict=True):
            if anchor is None:
                found.setdefault(joint, []).append(place)
            else:
                person.joints[joint] = discs[anchor][1]
    for joint, points in found.items():
        person.joints.setdefault(joint, middle(points))
    return person
