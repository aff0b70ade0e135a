# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws people as lit, rounded volumes over their joints, with a soft shadow under the feet."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

_DARK = 0.34
_RIM = 0.5


def _gap(a: Point, b: Point) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


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
    # Half the size is enough for cloth, and for a big figure a quarter of the time.
    reach = max(int(0.05 * body.unit), 1)
    half = Image.fromarray(np.pad(cover, ((0, height % 2), (0, width % 2)), mode="edge")).reduce(2)
    puffed = softened(softened(np.asarray(half), reach), reach)
    # Shapes go on below the frame: there they have no edge.
    down, across = (np.float32(-2.6 * reach) * side for side in np.gradient(puffed))
    length = np.maximum(np.sqrt(across * across + down * down) / np.float32(0.96), 1)
    painted = ink.shade(_cloth(body, puffed.shape), across / length, down / length)
    painted *= (0.72 + 0.28 * np.clip(puffed * 2 - 0.9, 0, 1))[..., None]
    for channel in range(3):
        layer[..., channel] = _doubled(painted[..., channel], (width, height))


def _doubled(plane: Plane, size: tuple[int, int]) -> Plane:
    image = Image.fromarray(np.asarray(plane, np.float32))
    whole = np.asarray(image.resize((image.width * 2, image.height * 2), Image.Resampling.BILINEAR))
    return whole[: size[1], : size[0]]


def _cloth(body: Body, shape: tuple[int, ...]) -> Canvas:
    """Colours by rows, on every second pixel: hat above the brow, coat to the hem, trousers below it."""
    joints, unit, outfit = body.joints, body.unit, body.outfit
    neck = joints.get(1) or middle(list(joints.values()))
    hips = [joints[joint] for joint in (8, 11) if joint in joints]
    hip = middle(hips)[1] if hips else neck[1] + unit
    head = body.head or (neck[0], neck[1] - 0.5 * unit)
    y = np.arange(shape[0], dtype=np.float32)[:, None] * 2
    x = np.arange(shape[1], dtype=np.float32)[None, :] * 2 - head[0]
    off = np.abs(x)
    # The brim of a hat is wider than the head and lower than the brow.
    is_hat = (y < head[1] - 0.06 * unit) | (y < head[1] + 0.02 * unit) & (off > 0.2 * unit)
    is_head = (y < neck[1] - 0.16 * unit) & (off < np.where(is_hat, 0.55 * unit, 0.34 * unit))
    is_face = x * body.facing > 0.04 * unit
    is_low = np.broadcast_to(y > hip + outfit.hem * unit, shape)
    palette = np.array([outfit.top, outfit.legs, outfit.hair, outfit.skin, outfit.hat], np.float32)
    return palette[np.where(is_head, np.where(is_hat, 4, 2 + is_face), is_low.astype(np.int64))]


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
    if not is_draped:
        _trunk(canvas, body, ink)
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


def _trunk(canvas: Canvas, body: Body, ink: Ink) -> None:
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
    if hips:
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
    shaded = replace(ink, strength=0.8 * ink.strength)
    throat = middle([body.joints[1], chin])
    _capsule(canvas, throat, chin, (0.085 * unit, 0.08 * unit), outfit.skin, shaded)
    if not is_draped:
        _capsule(canvas, (x, y - 0.08 * unit), (x, y), (radius * 1.04, radius * 0.95), outfit.hair, ink)
    if 0 not in body.joints and 14 not in body.joints and 15 not in body.joints:
        return
    front = x + 0.11 * unit * body.facing
    wide = radius * (0.76 - 0.1 * abs(body.facing))
    _capsule(
        canvas, (front, y + 0.02 * unit), (front - 0.01 * unit, y + 0.13 * unit), (wide, wide * 0.82), outfit.skin, ink
    )


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
