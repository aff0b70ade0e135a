# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads people back out of a drawn OpenPose picture.

Limb *i* of the COCO-18 drawing has the hue 20° x i (Z. Cao et al., OpenPose; the colours of ControlNet's drawing), darkened to
60 %; joints are full bright discs. Some dialects swap red and blue: hue index i becomes 12 - i. Which one a picture follows
shows in how well the limbs hang together.
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
_SHORTEST = 6.0
_REACH = 14.0

@dataclass(frozen=True, slots=True)
class Stick:
    """One drawn limb: its hue index, its ends, half its thickness."""

    hue: int
    ends: tuple[Point, Point]
    half: float


@dataclass(slots=True)
class Person:
    """Joints by COCO-18 number, and the limbs that were drawn."""

    joints: dict[int, Point] = field(default_factory=dict[int, Point])
    limbs: set[int] = field(default_factory=set[int])

    def mean(self) -> Point:
        """Middle of the joints."""
        xs, ys = zip(*self.joints.values(), strict=True)
        return sum(xs) / len(xs), sum(ys) / len(ys)

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
    high = np.maximum(np.maximum(picture[..., 0], picture[..., 1]), picture[..., 2])
    low = np.minimum(np.minimum(picture[..., 0], picture[..., 1]), picture[..., 2])
    return (high - low) > _COLOURFUL


def find_sticks(picture: Picture, mask: npt.NDArray[np.bool_]) -> list[Stick]:
    """All limbs among the pixels of ``mask``."""
    ys, xs = np.nonzero(mask)
    if len(xs) == 0:
        return []
    colours = picture[ys, xs].astype(np.float32)
    peak = colours.max(axis=1)
    is_limb = peak < _JOINT_BRIGHTNESS
    if is_limb.mean() < 0.2:  # noqa: PLR2004 a dialect that does not darken its limbs
        is_limb[:] = True
    hues = np.round(_hue(colours[is_limb]) / 20).astype(np.int64) % HUES
    points = np.stack([xs[is_limb], ys[is_limb]], axis=1)
    return [stick for hue in range(HUES) for stick in _sticks_of(hue, points[hues == hue])]


def _hue(colours: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Hue in degrees of (n, 3) RGB."""
    red, green, blue = colours.T
    return np.degrees(np.arctan2(np.sqrt(np.float32(3)) * (green - blue), 2 * red - green - blue)) % 360


def _sticks_of(hue: int, points: npt.NDArray[np.int64]) -> Iterator[Stick]:
    for piece in _pieces(points):
        centre = piece.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov((piece - centre).T) + np.eye(2) * 1e-6)
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
    if len(points) < 12:  # noqa: PLR2004
        return
    cells = points // _CELL
    keys = cells[:, 1] * 100_003 + cells[:, 0]
    unique, inverse = np.unique(keys, return_inverse=True)
    labels = _flood([int(key) for key in unique])
    per_point = np.array(labels)[inverse]
    for label in range(max(labels) + 1):
        piece = points[per_point == label]
        if len(piece) >= 12:  # noqa: PLR2004
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


@dataclass(frozen=True, slots=True)
class _Bond:
    """Two sticks meet in a joint: stick and end, stick and end."""

    distance: float
    joint: int
    first: tuple[int, int]
    second: tuple[int, int]


def limb_of(hue: int, *, is_swapped: bool) -> int | None:
    """Number of the limb with that hue index."""
    number = (SWAPPED - hue) % HUES if is_swapped else hue
    return number if number < len(LIMBS) else None


def find_bonds(sticks: list[Stick], *, is_swapped: bool) -> list[_Bond]:
    """Where the ends of neighbouring limbs meet, the closest first."""
    bonds: list[_Bond] = []
    limbs = [limb_of(stick.hue, is_swapped=is_swapped) for stick in sticks]
    for i, first in enumerate(sticks):
        for j in range(i + 1, len(sticks)):
            a, b = limbs[i], limbs[j]
            shared = set(LIMBS[a]) & set(LIMBS[b]) if a is not None and b is not None and a != b else set[int]()
            if shared:
                bonds += _meeting(i, first, j, sticks[j], shared.pop())
    return sorted(bonds, key=lambda bond: bond.distance)


def _meeting(i: int, first: Stick, j: int, second: Stick, joint: int) -> list[_Bond]:
    reach = _REACH + 2 * (first.half + second.half)
    gaps = [
        (float(np.hypot(p[0] - q[0], p[1] - q[1])), m, n) for m, p in enumerate(first.ends) for n, q in enumerate(second.ends)
    ]
    distance, m, n = min(gaps)
    return [_Bond(distance, joint, (i, m), (j, n))] if distance < reach else []


def assemble(sticks: list[Stick], bonds: list[_Bond], *, is_swapped: bool) -> list[Person]:
    """Join sticks to people, from left to right. No person gets the same limb twice."""
    limbs = [limb_of(stick.hue, is_swapped=is_swapped) for stick in sticks]
    groups: dict[int, set[int]] = {index: {index} for index, limb in enumerate(limbs) if limb is not None}
    labels: dict[tuple[int, int], int] = {}
    for bond in bonds:
        (i, _), (j, _) = bond.first, bond.second
        if groups[i] is not groups[j]:
            if {limbs[k] for k in groups[i]} & {limbs[k] for k in groups[j]}:
                continue
            merged = groups[i] | groups[j]
            groups |= dict.fromkeys(merged, merged)
        for side in (bond.first, bond.second):
            labels.setdefault(side, bond.joint)
    unique = {id(group): group for group in groups.values()}.values()
    people = [_person(sorted(group), sticks, limbs, labels) for group in unique]
    return sorted((person for person in people if len(person.limbs) > 1), key=lambda person: person.mean()[0])


def _person(group: list[int], sticks: list[Stick], limbs: list[int | None], labels: dict[tuple[int, int], int]) -> Person:
    person = Person()
    found: dict[int, list[Point]] = {}
    for index in group:
        limb = limbs[index]
        if limb is None:
            continue
        person.limbs.add(limb)
        start = _first_end(index, limb, sticks[index], labels)
        for joint, end in zip(LIMBS[limb], (start, 1 - start), strict=True):
            found.setdefault(joint, []).append(sticks[index].ends[end])
    for joint, points in found.items():
        xs, ys = zip(*points, strict=True)
        person.joints[joint] = (sum(xs) / len(xs), sum(ys) / len(ys))
    return person


def _first_end(index: int, limb: int, stick: Stick, labels: dict[tuple[int, int], int]) -> int:
    """Which end is the limb's first joint. Without a neighbour the upper one."""
    first, second = LIMBS[limb]
    for end in (0, 1):
        if labels.get((index, end)) == first:
            return end
        if labels.get((index, end)) == second:
            return 1 - end
    return 0 if stick.ends[0][1] <= stick.ends[1][1] else 1
