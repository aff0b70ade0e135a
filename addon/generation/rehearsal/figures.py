# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws people as lit, rounded volumes over their joints, with a soft shadow under the feet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from .relief import softened
from .sticks import middle

if TYPE_CHECKING:
    from .palette import Colour, Outfit
    from .relief import Plane
    from .sticks import Person, Point

Canvas = npt.NDArray[np.float32]
"""(height, width, 3), sRGB, 0 … 1; drawn into."""

_STEADY = 0.75
_PATIENCE = 24
_SURE = 3
_DARK = 0.34
_RIM = 0.5
_TRUNK = (1, 8, 11, 2, 5)
_MANY = 4


@dataclass(slots=True)
class Actor:
    """A person over time: which number, where, how large, how near."""

    number: int
    joints: dict[int, Point]
    unit: float
    near: float
    is_first: bool = False
    speed: Point = (0.0, 0.0)
    seen: int = 0
    missed: int = 0

    def drift(self) -> None:
        """Where it should be by now: people who pass each other keep their way. Lost ones slow down."""
        self.joints = {joint: (x + self.speed[0], y + self.speed[1]) for joint, (x, y) in self.joints.items()}
        self.missed += 1
        if self.missed > 2:
            self.speed = (0.9 * self.speed[0], 0.9 * self.speed[1])

    def move(self, joints: dict[int, Point], unit: float, near: float) -> None:
        """Take the place; follow size and depth slowly, so that a reading that jumps does not show."""
        steps = _steps(self.joints, joints)
        rate = 0.5 if self.seen else 0.0
        x, y = (float(np.median([step[axis] for step in steps])) for axis in (0, 1))
        self.speed = (self.speed[0] + rate * x, self.speed[1] + rate * y)
        self.joints = joints
        self.seen, self.missed = self.seen + 1, 0
        self.unit += (1 - _STEADY) * (unit - self.unit)
        self.near += (1 - _STEADY) * (near - self.near)

    def misfit(self, joints: dict[int, Point], unit: float) -> float:
        """How little a person looks like this actor, in pixels: joints that come and go do not count."""
        return float(np.median([np.hypot(x, y) for x, y in _steps(self.joints, joints)])) + abs(self.unit - unit)


def _steps(before: dict[int, Point], after: dict[int, Point]) -> list[Point]:
    """Ways of the joints that both have, the trunk's if there are any; else the way of the middle."""
    common = before.keys() & after.keys()
    pairs = [(before[joint], after[joint]) for joint in sorted(common & set(_TRUNK) or common)]
    pairs = pairs or [(middle(list(before.values())), middle(list(after.values())))]
    return [(q[0] - p[0], q[1] - p[1]) for p, q in pairs]


@dataclass(slots=True)
class Cast:
    """Follows people from frame to frame so that they keep clothes and size.

    In the first frame they are numbered from left to right. Who comes while somebody is missing is taken for the
    missing one: two people never wear more than two sets of clothes.
    """

    actors: list[Actor] = field(default_factory=list[Actor])
    _frames: int = 0

    def follow(self, people: list[Person], near: Plane) -> list[tuple[int, Actor]]:
        """Index of each person with its actor, the farthest first: the nearer are drawn over them."""
        for actor in self.actors:
            actor.drift()
        units = [max(person.unit(), 6.0) for person in people]
        chosen = self._matches(people, units, near.shape[1])
        for index in sorted(range(len(people)), key=lambda index: _anchor(people[index])):
            depth = _depth_at_feet(people[index], units[index], near)
            if index not in chosen:
                chosen[index] = self._newcomer(people[index], units[index], depth)
            chosen[index].move(dict(people[index].joints), units[index], depth)
        self._frames += 1
        self.actors = [actor for actor in self.actors if actor.number < 2 or actor.missed < min(actor.seen, _PATIENCE)]
        # A reading of one person as two lives for a frame or two.
        pairs = [(index, actor) for index, actor in chosen.items() if actor.is_first or actor.seen >= _SURE]
        return sorted(pairs, key=lambda pair: pair[1].near)

    def _newcomer(self, person: Person, unit: float, depth: float) -> Actor:
        lost = [actor for actor in self.actors if actor.missed]
        if lost and len(self.actors) > 1:
            actor = max(lost, key=lambda actor: actor.missed)
            actor.joints, actor.speed, actor.unit, actor.near = dict(person.joints), (0.0, 0.0), unit, depth
            return actor
        used = {actor.number for actor in self.actors}
        number = next(number for number in range(len(used) + 1) if number not in used)
        self.actors.append(Actor(number, dict(person.joints), unit, depth, self._frames == 0))
        return self.actors[-1]

    def _matches(self, people: list[Person], units: list[float], width: int) -> dict[int, Actor]:
        """Who is who: the way of least total distance. Too far away is somebody else."""
        actors = sorted(self.actors, key=lambda actor: actor.missed)
        gates = [1.5 * actor.unit + (0.08 + 0.02 * actor.missed) * width for actor in actors]
        gaps = [
            [actor.misfit(person.joints, unit) for person, unit in zip(people, units, strict=True)] for actor in actors
        ]
        pairs = _least(gaps, gates, frozenset(range(len(people))))[1]
        return {index: actors[row] for row, index in pairs.items()}


def _least(
    gaps: list[list[float]], gates: list[float], free: frozenset[int], row: int = 0
) -> tuple[float, dict[int, int]]:
    """Rows with their columns for the least sum; a row without a column costs its gate.

    All ways are tried for a few, the nearest first for many.
    """
    if row == len(gaps):
        return 0.0, {}
    options = sorted((gaps[row][column], column) for column in free if gaps[row][column] < gates[row])
    is_crowd = len(gaps) > _MANY or len(free) > _MANY
    ways: list[tuple[float, dict[int, int]]] = []
    for gap, column in options[:1] if is_crowd else options:
        total, pairs = _least(gaps, gates, free - {column}, row + 1)
        ways.append((gap + total, {row: column} | pairs))
    if not (is_crowd and options):
        total, pairs = _least(gaps, gates, free, row + 1)
        ways.append((gates[row] + total, pairs))
    return min(ways, key=lambda way: way[0])


def _anchor(person: Person) -> float:
    """Where a person stands from left to right: the neck, for arms and legs swing."""
    return person.joints.get(1, person.mean())[0]


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
    strength: float = 1.0

    def shade(self, colour: Colour | Canvas, across: Plane, down: Plane) -> Canvas:
        """Colour of a round surface; ``across`` and ``down`` are the x and y of its normal."""
        up = np.sqrt(np.maximum(1 - across * across - down * down, 0))
        lit = across * self.light[0] + down * self.light[1] + up * self.light[2]
        # Two soft steps read as paint rather than as plastic.
        tone = 0.55 * _soft_step(lit, -0.15, 0.35) + 0.45 * _soft_step(lit, 0.45, 0.95)
        rim = _RIM * np.maximum(1 - up, 0) ** 3 * np.maximum(lit, 0)
        base = np.asarray(colour, np.float32) * np.float32(self.strength)
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


@dataclass(frozen=True, slots=True)
class Body:
    """A person to draw: joints, size in pixels, clothes. ``facing`` is -1 to the left, 1 to the right, 0 to us."""

    joints: dict[int, Point]
    unit: float
    outfit: Outfit
    facing: float
    head: Point | None

    def moved(self, x: float, y: float) -> Body:
        """The same in a picture whose corner is at (x, y)."""
        joints = {joint: (place[0] - x, place[1] - y) for joint, place in self.joints.items()}
        head = None if self.head is None else (self.head[0] - x, self.head[1] - y)
        return replace(self, joints=joints, head=head)


def dressed(person: Person, unit: float, outfit: Outfit) -> Body:
    """A person with its clothes on."""
    joints, head = person.joints, person.head()
    spread = abs(joints[2][0] - joints[5][0]) if 2 in joints and 5 in joints else unit
    face = [joints[joint] for joint in (0, 14, 15) if joint in joints]
    facing = 0.0
    if face and head is not None:
        facing = float(np.clip((middle(face)[0] - head[0]) / (0.16 * unit), -1, 1))
    return Body(joints, unit, outfit, facing if spread < 0.75 * unit or abs(facing) > 0.5 else 0.5 * facing, head)


def draw_person(canvas: Canvas, body: Body, ink: Ink, shape: Plane | None) -> None:
    """Draw a body; where ``shape`` (1 for seen) is known, within it and dressed to its edge."""
    if shape is None:
        _parts(canvas, body, ink, is_draped=False)
        return
    rows, columns = shape.any(axis=1).nonzero()[0], shape.any(axis=0).nonzero()[0]
    if not len(rows):
        return
    area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cover = shape[area]
    layer = np.empty((*cover.shape, 3), np.float32)
    body = body.moved(float(columns[0]), float(rows[0]))
    _drape(layer, cover, body, ink)
    _parts(layer, body, ink, is_draped=True)
    canvas[area] += cover[..., None] * (layer - canvas[area])


def _drape(layer: Canvas, cover: Plane, body: Body, ink: Ink) -> None:
    """Paint the whole shape: hat, coat, trousers by height, rounded towards the edges of the shape."""
    height, width = cover.shape
    reach = max(int(0.05 * body.unit), 1)
    half = Image.fromarray(np.pad(cover, ((0, height % 2), (0, width % 2)), mode="edge")).reduce(2)
    puffed = softened(softened(np.asarray(half), reach), reach)
    # Shapes go on below the frame: there they have no edge.
    down, across = np.gradient(puffed)
    steep = np.float32(2.6 * reach)
    across, down = (_doubled(-steep * side, (width, height)) for side in (across, down))
    length = np.maximum(np.sqrt(across * across + down * down) / np.float32(0.96), 1)
    layer[:] = ink.shade(_cloth(body, (height, width)), across / length, down / length)
    layer *= (0.72 + 0.28 * np.clip(_doubled(puffed, (width, height)) * 2 - 0.9, 0, 1))[..., None]


def _doubled(plane: Plane, size: tuple[int, int]) -> Plane:
    image = Image.fromarray(np.asarray(plane, np.float32))
    whole = np.asarray(image.resize((image.width * 2, image.height * 2), Image.Resampling.BILINEAR))
    return whole[: size[1], : size[0]]


def _cloth(body: Body, shape: tuple[int, int]) -> Canvas:
    """Colours by rows: hat above the brow, coat to the hem, trousers below it."""
    joints, unit, outfit = body.joints, body.unit, body.outfit
    neck = joints.get(1) or middle(list(joints.values()))
    hips = [joints[joint] for joint in (8, 11) if joint in joints]
    hip = middle(hips)[1] if hips else neck[1] + unit
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    collar, hem = neck[1] - 0.1 * unit, hip + outfit.hem * unit
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    head = body.head or (neck[0], neck[1] - 0.5 * unit)
    is_head = (y < collar) & (np.abs(x - head[0]) < 0.55 * unit)
    brow = head[1] - 0.06 * unit
    colours = np.where((y > hem)[..., None], np.array(outfit.legs, np.float32), np.array(outfit.top, np.float32))
    colours = np.broadcast_to(colours, (*shape, 3)).copy()
    colours[is_head & (y >= brow)] = outfit.hair
    colours[is_head & (y < brow)] = outfit.hat
    return colours


def _parts(canvas: Canvas, body: Body, ink: Ink, *, is_draped: bool) -> None:
    """What is farther from us first: of somebody seen from the side, the far leg and arm are behind the trunk."""
    # Facing right shows the right side (2, 3, 4), facing left the left one.
    sides = [((5, 6, 7), (11, 12, 13)), ((2, 3, 4), (8, 9, 10))]
    if body.facing < 0:
        sides.reverse()
    dim = replace(ink, strength=1 - 0.3 * abs(body.facing))
    for (_, leg), tint in zip(sides, (dim, ink), strict=True):
        _leg(canvas, body, leg, tint, is_draped=is_draped)
    is_profile = abs(body.facing) > 0.6
    if is_profile:
        _arm(canvas, body, sides[0][0], dim)
    if not is_draped or is_profile:
        _trunk(canvas, body, ink, is_draped=is_draped)
    _head(canvas, body, ink, is_draped=is_draped)
    for arm, _ in sides[1:] if is_profile else sides:
        _arm(canvas, body, arm, ink)


def _leg(canvas: Canvas, body: Body, leg: tuple[int, int, int], ink: Ink, *, is_draped: bool) -> None:
    joints, unit, legs = body.joints, body.unit, body.outfit.legs
    hip, knee, ankle = leg
    if is_draped and body.outfit.hem > 0.5:
        return
    if hip in joints and knee not in joints and not is_draped:
        x, y = joints[hip]
        _capsule(canvas, (x, y), (x, y + 0.9 * unit), (0.17 * unit, 0.13 * unit), legs, ink, is_fading=True)
    _limb(canvas, joints, (hip, knee), (0.17 * unit, 0.125 * unit), legs, ink)
    _limb(canvas, joints, (knee, ankle), (0.125 * unit, 0.085 * unit), legs, ink)
    shoe: Colour = (legs[0] * 0.45, legs[1] * 0.45, legs[2] * 0.45)
    _foot(canvas, joints, ankle, unit, shoe, ink)


def _arm(canvas: Canvas, body: Body, arm: tuple[int, int, int], ink: Ink) -> None:
    joints, unit, outfit = body.joints, body.unit, body.outfit
    shoulder, elbow, wrist = arm
    if elbow in joints and wrist in joints:
        _hand(canvas, joints[elbow], joints[wrist], unit, outfit.skin, ink)
    _limb(canvas, joints, (elbow, wrist), (0.09 * unit, 0.065 * unit), outfit.top, ink)
    _limb(canvas, joints, (shoulder, elbow), (0.12 * unit, 0.09 * unit), outfit.top, ink)


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


def _trunk(canvas: Canvas, body: Body, ink: Ink, *, is_draped: bool) -> None:
    joints, unit, outfit = body.joints, body.unit, body.outfit
    shoulders, hips = ([joints[joint] for joint in pair if joint in joints] for pair in ((2, 5), (8, 11)))
    neck = joints.get(1) or (middle(shoulders) if shoulders else None)
    if neck is None:
        return
    # Below the frame the trunk goes on, so that a close-up has a chest.
    hip = middle(hips) if hips else (neck[0], neck[1] + 1.05 * unit)
    wide = 0.5 * _gap(*shoulders) if len(shoulders) == 2 else 0.0
    narrow = 0.5 * _gap(*hips) if len(hips) == 2 else 0.0
    radii = (max(wide * 0.98, 0.2 * unit), max(narrow * 1.25, 0.18 * unit))
    if hips and not is_draped:
        _capsule(canvas, hips[0], hips[-1], (0.16 * unit, 0.16 * unit), outfit.legs, ink)
    start = _towards(neck, hip, 0.78 * radii[0])
    end = _towards(hip, neck, 0.55 * radii[1])
    _capsule(canvas, start, end, radii, outfit.top, ink)


def _head(canvas: Canvas, body: Body, ink: Ink, *, is_draped: bool) -> None:
    """An upright skull over the neck; the face is on the side where eyes and nose are."""
    head, unit, outfit = body.head, body.unit, body.outfit
    if head is None or 1 not in body.joints:
        return
    x, y = head
    radius = 0.21 * unit
    chin = (x + 0.02 * unit * body.facing, y + 0.1 * unit)
    _capsule(canvas, _towards(body.joints[1], chin, 0.02 * unit), chin, (0.1 * unit, 0.09 * unit), outfit.skin, ink)
    if not is_draped:
        _capsule(canvas, (x, y - 0.08 * unit), (x, y), (radius * 1.04, radius * 0.95), outfit.hair, ink)
    if 0 not in body.joints and 14 not in body.joints and 15 not in body.joints:
        return
    front = x + 0.11 * unit * body.facing
    wide = radius * (0.82 - 0.12 * abs(body.facing))
    _capsule(canvas, (front, y + 0.0 * unit), (front - 0.01 * unit, y + 0.13 * unit), (wide, wide * 0.82), outfit.skin, ink)


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


def _capsule(
    canvas: Canvas,
    a: Point,
    b: Point,
    radii: tuple[float, float],
    colour: Colour,
    ink: Ink,
    *,
    is_fading: bool = False,
) -> None:
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
    cover = np.clip(radius - distance + 0.5, 0, 1) * (1 - along if is_fading else 1)
    share = np.asarray(np.minimum(distance / radius, 1) / np.maximum(distance, 1e-3), np.float32)
    painted = ink.shade(colour, off_x * share, off_y * share)
    painted *= (1 - 0.3 * np.clip((distance - radius + 2.5) / 2.5, 0, 1))[..., None]
    area += (painted - area) * cover[..., None]
