# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws people as lit, rounded volumes over their joints, with a soft shadow under the feet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .palette import Colour, Look
    from .relief import Plane
    from .sticks import Person, Point

Canvas = npt.NDArray[np.float32]
"""(height, width, 3), sRGB, 0 … 1; drawn into."""

_STEADY = 0.75
_FAR = 0.3
_PATIENCE = 24
_RESIZED = 0.4
_DARK = 0.34
_RIM = 0.5


@dataclass(slots=True)
class Actor:
    """A person over time: which number, how large, how near."""

    number: int
    place: Point
    unit: float
    near: float

    speed: Point = (0.0, 0.0)
    seen: int = 0
    missed: int = 0

    def drift(self) -> None:
        """Where it should be by now: people who pass each other keep their way."""
        self.place = (self.place[0] + self.speed[0], self.place[1] + self.speed[1])
        self.missed += 1

    def move(self, place: Point, unit: float, near: float) -> None:
        """Take the place; follow size and depth slowly, so that a reading that jumps does not show."""
        off = (place[0] - self.place[0], place[1] - self.place[1])
        self.speed = (self.speed[0] + 0.5 * off[0], self.speed[1] + 0.5 * off[1])
        self.place = place
        self.seen, self.missed = self.seen + 1, 0
        self.unit += (1 - _STEADY) * (unit - self.unit)
        self.near += (1 - _STEADY) * (near - self.near)

    def misfit(self, place: Point, unit: float) -> float:
        """How little a person looks like this actor, in pixels."""
        return _gap(self.place, place) + 2 * abs(self.unit - unit)


@dataclass(slots=True)
class Cast:
    """Follows people from frame to frame so that they keep clothes and size."""

    actors: list[Actor] = field(default_factory=list[Actor])
    _count: int = 0

    def follow(self, people: list[Person], near: Plane) -> list[tuple[Person, Actor]]:
        """Pair the people of this frame with actors; the farthest first, so that the nearer are drawn over them."""
        seen = [(person.mean(), max(person.unit(), 6.0)) for person in people]
        chosen = self._matches(seen, near.shape[1] * _FAR)
        for index, (place, unit) in enumerate(seen):
            depth = _depth_at_feet(people[index], unit, near)
            if index not in chosen:
                chosen[index] = Actor(self._count, place, unit, depth)
                self._count += 1
                self.actors.append(chosen[index])
            chosen[index].move(place, unit, depth)
        # A reading of two people as one lives for a frame or two: it must not wait for somebody to come by.
        self.actors = [actor for actor in self.actors if actor.missed <= min(actor.seen, _PATIENCE)]
        pairs = [(person, chosen[index]) for index, person in enumerate(people)]
        return sorted(pairs, key=lambda pair: pair[1].near)

    def _matches(self, seen: list[tuple[Point, float]], reach: float) -> dict[int, Actor]:
        """Who is who, the best fits first. Everybody is counted as missed until they move."""
        for actor in self.actors:
            actor.drift()
        fits = [
            (actor.misfit(place, unit), number, index)
            for number, actor in enumerate(self.actors)
            for index, (place, unit) in enumerate(seen)
            if abs(unit - actor.unit) < _RESIZED * actor.unit
        ]
        chosen: dict[int, Actor] = {}
        taken: set[int] = set()
        for misfit, number, index in sorted(fits):
            if misfit < reach and index not in chosen and number not in taken:
                chosen[index] = self.actors[number]
                taken.add(number)
        return chosen


def _gap(a: Point, b: Point) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _depth_at_feet(person: Person, unit: float, near: Plane) -> float:
    """Depth of the ground just below the lowest joint; out of frame: as near as the body is large."""
    height, width = near.shape
    x, y = max(person.joints.values(), key=lambda point: point[1])
    row = int(y + 0.25 * unit)
    if row >= height:
        return float(np.clip(unit / height * 1.6, 0.2, 1.0))
    return float(near[max(row, 0), int(np.clip(x, 0, width - 1))])


@dataclass(slots=True)
class Ink:
    """What a body part is painted with. ``fog`` is the share of ``air`` over it."""

    light: npt.NDArray[np.float32]
    key: npt.NDArray[np.float32]
    air: npt.NDArray[np.float32]
    fog: float

    def shade(self, colour: Colour, across: Plane, down: Plane) -> Canvas:
        """Colour of a round surface; ``across`` and ``down`` are the x and y of its normal."""
        up = np.sqrt(np.maximum(1 - across * across - down * down, 0))
        lit = across * self.light[0] + down * self.light[1] + up * self.light[2]
        # Two soft steps read as paint rather than as plastic.
        tone = 0.55 * _soft_step(lit, -0.15, 0.35) + 0.45 * _soft_step(lit, 0.45, 0.95)
        rim = _RIM * np.maximum(1 - up, 0) ** 3 * np.maximum(lit, 0)
        base = np.array(colour, np.float32)
        painted = base * (_DARK + (1.12 - _DARK) * tone)[..., None] + self.key * (rim + 0.16 * tone * tone)[..., None]
        return painted * (1 - self.fog) + self.air * self.fog


def _soft_step(value: Plane, low: float, high: float) -> Plane:
    ramp = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def draw_shadow(canvas: Canvas, person: Person, unit: float) -> None:
    """A soft dark ellipse under the feet."""
    feet = [person.joints[joint] for joint in (10, 13) if joint in person.joints]
    if not feet:
        return
    xs, ys = zip(*feet, strict=True)
    centre = (sum(xs) / len(xs), max(ys) + 0.1 * unit)
    reach = (0.42 * unit + 0.5 * (max(xs) - min(xs)), 0.15 * unit)
    window = _window(
        canvas,
        centre[0] - 2 * reach[0],
        centre[1] - 2 * reach[1],
        centre[0] + 2 * reach[0],
        centre[1] + 2 * reach[1],
    )
    if window is None:
        return
    area, x, y = window
    dark = 0.6 * np.exp(-1.6 * (((x - centre[0]) / reach[0]) ** 2 + ((y - centre[1]) / reach[1]) ** 2))
    area *= (1 - dark)[..., None]


def draw_person(canvas: Canvas, person: Person, unit: float, look: Look, number: int, ink: Ink) -> None:
    """Legs, trunk, neck, head, arms, in this order."""
    top, legs, skin, hair = look.outfit(number)
    shoe: Colour = (legs[0] * 0.45, legs[1] * 0.45, legs[2] * 0.45)
    joints = person.joints
    for hip, knee, ankle in ((8, 9, 10), (11, 12, 13)):
        _limb(canvas, joints, (hip, knee), (0.17 * unit, 0.125 * unit), legs, ink)
        _limb(canvas, joints, (knee, ankle), (0.125 * unit, 0.085 * unit), legs, ink)
        _foot(canvas, joints, ankle, unit, shoe, ink)
    _trunk(canvas, joints, unit, (top, legs), ink)
    _head(canvas, joints, unit, (skin, hair), ink)
    sleeve = top if number % 2 == 0 else skin
    for shoulder, elbow, wrist in ((2, 3, 4), (5, 6, 7)):
        _limb(canvas, joints, (shoulder, elbow), (0.115 * unit, 0.085 * unit), top, ink)
        _limb(canvas, joints, (elbow, wrist), (0.085 * unit, 0.06 * unit), sleeve, ink)
        if elbow in joints and wrist in joints:
            _hand(canvas, joints[elbow], joints[wrist], unit, skin, ink)


def _limb(
    canvas: Canvas,
    joints: dict[int, Point],
    pair: tuple[int, int],
    radii: tuple[float, float],
    colour: Colour,
    ink: Ink,
) -> None:
    if pair[0] in joints and pair[1] in joints:
        _capsule(canvas, joints[pair[0]], joints[pair[1]], radii, colour, ink)


def _foot(canvas: Canvas, joints: dict[int, Point], ankle: int, unit: float, colour: Colour, ink: Ink) -> None:
    if ankle in joints:
        x, y = joints[ankle]
        _capsule(canvas, (x, y + 0.02 * unit), (x, y + 0.1 * unit), (0.085 * unit, 0.095 * unit), colour, ink)


def _hand(canvas: Canvas, elbow: Point, wrist: Point, unit: float, colour: Colour, ink: Ink) -> None:
    length = max(_gap(elbow, wrist), 1.0)
    step = 0.13 * unit / length
    end = (wrist[0] + (wrist[0] - elbow[0]) * step, wrist[1] + (wrist[1] - elbow[1]) * step)
    _capsule(canvas, wrist, end, (0.06 * unit, 0.07 * unit), colour, ink)


def _trunk(canvas: Canvas, joints: dict[int, Point], unit: float, colours: tuple[Colour, Colour], ink: Ink) -> None:
    shoulders, hips = ([joints[joint] for joint in pair if joint in joints] for pair in ((2, 5), (8, 11)))
    neck = joints.get(1) or (_middle(shoulders) if shoulders else None)
    if neck is None:
        return
    # Below the frame the trunk goes on, so that a close-up has a chest.
    hip = _middle(hips) if hips else (neck[0], neck[1] + 1.05 * unit)
    wide = 0.5 * _gap(*shoulders) if len(shoulders) == 2 else 0.0
    narrow = 0.5 * _gap(*hips) if len(hips) == 2 else 0.0
    radii = (max(wide * 0.98, 0.2 * unit), max(narrow * 1.25, 0.18 * unit))
    if hips:
        _capsule(canvas, hips[0], hips[-1], (0.16 * unit, 0.16 * unit), colours[1], ink)
    start = _towards(neck, hip, 0.78 * radii[0])
    end = _towards(hip, neck, 0.55 * radii[1])
    _capsule(canvas, start, end, radii, colours[0], ink)


def _head(canvas: Canvas, joints: dict[int, Point], unit: float, colours: tuple[Colour, Colour], ink: Ink) -> None:
    eyes_and_ears = [joints[joint] for joint in (14, 15, 16, 17) if joint in joints]
    # On small figures the eyes' discs cover the nose's.
    nose = joints.get(0) or (_middle(eyes_and_ears) if eyes_and_ears else None)
    if 1 not in joints or nose is None:
        return
    skin, hair = colours
    neck = joints[1]
    middle = _middle([nose, _middle(eyes_and_ears)]) if eyes_and_ears else nose
    centre = _towards(middle, neck, -0.03 * unit)
    # Standing, seen from afar, the way from neck to nose is short when the head looks down: never smaller
    # than that.
    radius = 0.2 * unit
    _capsule(
        canvas,
        neck,
        _towards(neck, centre, max(_gap(neck, centre) - radius, 1.0)),
        (0.085 * unit, 0.08 * unit),
        skin,
        ink,
    )
    lean = _towards((0.0, 0.0), (centre[0] - neck[0], centre[1] - neck[1]), 1.0)
    crown = (centre[0] + lean[0] * 0.1 * unit, centre[1] + lean[1] * 0.1 * unit)
    _capsule(canvas, crown, _towards(crown, neck, 0.06 * unit), (radius * 1.06, radius * 0.98), hair, ink)
    face = _towards(middle, neck, 0.03 * unit)
    _capsule(
        canvas,
        _towards(face, neck, -0.06 * unit),
        _towards(face, neck, 0.08 * unit),
        (radius * 0.8, radius * 0.7),
        skin,
        ink,
    )


def _middle(points: list[Point]) -> Point:
    xs, ys = zip(*points, strict=True)
    return sum(xs) / len(xs), sum(ys) / len(ys)


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = max(_gap(start, end), 1e-3)
    return start[0] + (end[0] - start[0]) * distance / length, start[1] + (end[1] - start[1]) * distance / length


def _window(canvas: Canvas, x0: float, y0: float, x1: float, y1: float) -> tuple[Canvas, Plane, Plane] | None:
    """The part of the canvas inside a box and the pixel centres in it, None if it is outside."""
    height, width = canvas.shape[:2]
    left, top = max(int(x0), 0), max(int(y0), 0)
    right, bottom = min(int(x1) + 2, width), min(int(y1) + 2, height)
    if left >= right or top >= bottom:
        return None
    x = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    return canvas[top:bottom, left:right], x, y


def _capsule(canvas: Canvas, a: Point, b: Point, radii: tuple[float, float], colour: Colour, ink: Ink) -> None:
    """A round bar from ``a`` to ``b``, ``radii`` wide at its ends, slightly swollen between them."""
    reach = max(radii) * 1.1 + 1
    box = (min(a[0], b[0]) - reach, min(a[1], b[1]) - reach, max(a[0], b[0]) + reach, max(a[1], b[1]) + reach)
    window = _window(canvas, *box)
    if window is None:
        return
    area, x, y = window
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / max(dx * dx + dy * dy, 1e-3), 0, 1)
    radius = (radii[0] + (radii[1] - radii[0]) * along) * (1 + 0.3 * along * (1 - along))
    off_x = np.asarray(x - (a[0] + along * dx), np.float32)
    off_y = np.asarray(y - (a[1] + along * dy), np.float32)
    distance = np.sqrt(off_x * off_x + off_y * off_y)
    cover = np.clip(radius - distance + 0.5, 0, 1)
    share = np.asarray(np.minimum(distance / radius, 1) / np.maximum(distance, 1e-3), np.float32)
    painted = ink.shade(colour, off_x * share, off_y * share)
    painted *= (1 - 0.3 * np.clip((distance - radius + 2.5) / 2.5, 0, 1))[..., None]
    area += (painted - area) * cover[..., None]
