# SPDX-License-Identifier: GPL-3.0-or-later
"""From guide pictures to a relief: how near each pixel is, with the people taken out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from .sticks import Drawing, Person, Point, colour_mask, read_drawing, read_people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pictures import Picture

Plane = npt.NDArray[np.float32]
"""(height, width)."""

# A guide with more colour than that is a picture (a playblast), no drawing of sticks.
_PICTURE_SHARE = 0.25
_BLACK = 12 / 255
# The shapes of people are 0; a movie's compression adds a step or two.
_VOID = 2.6 / 255
_RELAXATIONS = 16
_CERTAIN = 60
# Clothes, hats and bags end this far from the body, in units of it.
_CLOTHES = 0.3
_SKIN = 0.02
_THIN = 0.14
_SHARPENED = np.clip(np.arange(256, dtype=np.float32) / 255 * np.float32(2.4) - np.float32(0.75), 0, 1)
_OUTSIDE = 9.0
# Joints of a body part and its half thickness in units.
_PARTS: tuple[tuple[int, int, float], ...] = (
    (1, 8, 0.22), (1, 11, 0.22), (8, 11, 0.2), (2, 5, 0.12), (2, 3, 0.1), (3, 4, 0.08), (5, 6, 0.1), (6, 7, 0.08),
    (8, 9, 0.17), (9, 10, 0.1), (11, 12, 0.17), (12, 13, 0.1),
)  # fmt: skip


@dataclass(slots=True)
class Dialect:
    """Remembers which way round the pose colours are. Evidence adds up over the frames."""

    score: int = 0

    def read(self, drawing: Drawing) -> list[Person]:
        """People in a drawing."""
        if abs(self.score) > _CERTAIN:
            return read_people(drawing, is_swapped=self.score > 0).people
        plain, swapped = (read_people(drawing, is_swapped=flag) for flag in (False, True))
        self.score += swapped.score - plain.score
        return swapped.people if self.score > 0 else plain.people


@dataclass(frozen=True, slots=True)
class Relief:
    """``near`` is 0 for the sky and 1 for the nearest surface (disparity, as depth controls have it).

    ``is_guessed`` marks what was hidden behind people. ``shape`` is 1 where people are seen, None if the guides do
    not show it; ``reaches`` has for each person the distance to the body in units of it.
    """

    near: Plane
    is_guessed: npt.NDArray[np.bool_]
    people: list[Person]
    shape: Plane | None
    reaches: list[Plane]


def read_relief(guides: Sequence[Picture], size: tuple[int, int], dialect: Dialect) -> Relief:
    """Take depth and people from one composite guide, or from a depth guide and a pose guide.

    ``size`` is (width, height).
    """
    width, height = size
    near = np.zeros((height, width), np.float32)
    people: list[Person] = []
    reaches: list[Plane] = []
    shape: Plane | None = None
    is_guessed = np.zeros((height, width), np.bool_)
    for guide in guides:
        mask = colour_mask(guide)
        grey = guide[..., 1].astype(np.float32) / np.float32(255)
        share = float(mask.mean())
        if share > _PICTURE_SHARE:
            near = np.maximum(near, guide.mean(axis=2, dtype=np.float32) / 255)
            continue
        if share > 0:
            found = dialect.read(read_drawing(guide, mask))
            near_them = [_reach(person, size) for person in found]
            people, reaches = people + found, reaches + near_them
            grey, hole, seen = _without_people(grey, mask, near_them)
            shape = seen if shape is None else shape
            is_guessed |= hole
        near = np.maximum(near, grey)
    return Relief(near, is_guessed, people, shape, reaches)


def _without_people(
    grey: Plane, mask: npt.NDArray[np.bool_], reaches: list[Plane]
) -> tuple[Plane, npt.NDArray[np.bool_], Plane | None]:
    """Fill the black shapes of people from what is around them. Also returns what was filled, and the shapes."""
    coloured = _grown(mask, 2)
    ring = _grown(coloured, 2) & ~coloured
    is_cut_out = bool(reaches) and float((grey[ring] < _BLACK).mean()) > 0.25
    if not is_cut_out or float(grey[~_grown(coloured, 2)].max(initial=0)) < _BLACK:
        return np.where(_grown(coloured, 2), np.float32(0), grey), np.zeros_like(mask), None
    reach = np.minimum.reduce(reaches)
    black = (grey < _VOID) & (reach < _CLOTHES) & ~_leaking(grey < _VOID, reach)
    black |= (grey < _BLACK) & (reach < _SKIN) | coloured
    hole = _grown(black, 3)
    return np.where(hole, _filled(grey, hole), grey), hole, _smooth_shape(black)


def _leaking(black: npt.NDArray[np.bool_], reach: Plane) -> npt.NDArray[np.bool_]:
    """Black that comes from outside of all clothes: the set's own. It spreads inwards until it meets a body."""
    inside = _quarter(black.astype(np.float32)) > 0.5
    depth = _quarter(reach)
    leak = inside & (depth > _CLOTHES)
    may = inside & (depth > _SKIN)
    for _ in range(12):
        outer = np.where(leak, depth, np.float32(-_OUTSIDE))
        around = np.pad(outer, 1, mode="edge")
        highest = np.maximum.reduce([around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]])
        leak |= may & (highest >= depth)
    # A thin leak across a coat leaves a notch: close it.
    kept = ~_grown(~_grown(inside & ~leak, 2), 2)
    leak &= ~kept
    # Thin and far from any body: a gap of the set behind people, hardly a part of them.
    opened = _grown(~_grown(~inside, 2), 2)
    leak |= inside & ~opened & (depth > _THIN)
    return _quadrupled(leak.astype(np.float32), black.shape) > 0.5


def _smooth_shape(black: npt.NDArray[np.bool_]) -> Plane:
    """Average over 5 x 5, sharpened: closes gaps beside sticks and rounds the steps of pixels."""
    image = Image.fromarray(black.astype(np.uint8) * 255).filter(ImageFilter.BoxBlur(2))
    return _SHARPENED[np.asarray(image)]


def softened(plane: Plane, reach: int) -> Plane:
    """Average over a square that reaches that many pixels to each side."""
    size = 2 * reach + 1
    for axis in (0, 1):
        pads = [(0, 0), (0, 0)]
        pads[axis] = (reach + 1, reach)
        total = np.cumsum(np.pad(plane, pads, mode="edge"), axis=axis, dtype=np.float32)
        plane = total[size:] - total[:-size] if axis == 0 else total[:, size:] - total[:, :-size]
    return np.asarray(plane / np.float32(size * size), np.float32)


def _reach(person: Person, size: tuple[int, int]) -> Plane:
    """Distance to the skin in units of the body, negative inside; measured on every fourth pixel."""
    width, height = size
    unit = max(person.unit(), 6.0)
    rows, columns = -(-height // 4), -(-width // 4)
    x = np.arange(columns, dtype=np.float32)[None, :] * 4 + np.float32(2)
    y = np.arange(rows, dtype=np.float32)[:, None] * 4 + np.float32(2)
    reach = np.full((rows, columns), _OUTSIDE, np.float32)
    for a, b, radius in _bars(person, unit):
        dx, dy = b[0] - a[0], b[1] - a[1]
        along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / max(dx * dx + dy * dy, 1e-3), 0, 1)
        off_x, off_y = x - a[0] - along * dx, y - a[1] - along * dy
        np.minimum(reach, np.sqrt(off_x * off_x + off_y * off_y) / unit - radius, out=reach)
    return _quadrupled(np.asarray(reach, np.float32), (height, width))


def _bars(person: Person, unit: float) -> list[tuple[Point, Point, float]]:
    """Bars that fill the body. Where a leg was not drawn there may be one, in whatever way it steps."""
    joints = person.joints
    bars = [(joints[a], joints[b], radius) for a, b, radius in _PARTS if a in joints and b in joints]
    head = person.head()
    if head is not None:
        bars.append((head, head, 0.26))
    if head is not None and 1 in joints:
        bars.append((head, joints[1], 0.1))
    for hip, knee, ankle in ((8, 9, 10), (11, 12, 13)):
        last = next((joint for joint in (ankle, knee, hip) if joint in joints), None)
        if last is not None:
            down, radius = {ankle: (0.15, 0.0), knee: (1.0, 0.1), hip: (1.9, 0.25)}[last]
            bars.append((joints[last], (joints[last][0], joints[last][1] + down * unit), radius))
    return bars


def _grown(mask: npt.NDArray[np.bool_], reach: int) -> npt.NDArray[np.bool_]:
    """``mask`` and ``reach`` pixels around it."""
    wide = mask.copy()
    for _ in range(reach):
        wide[1:] |= wide[:-1]
        wide[:-1] |= wide[1:]
    for _ in range(reach):
        wide[:, 1:] |= wide[:, :-1]
        wide[:, :-1] |= wide[:, 1:]
    return wide


def _filled(grey: Plane, hole: npt.NDArray[np.bool_]) -> Plane:
    """What is hidden, as smooth as what is around it.

    A first guess from averages, coarse to fine (push-pull, Gortler et al. 1996), then steps towards the
    solution of Laplace's equation, which continues a floor or a wall as a plane: their disparity is linear
    over the picture.
    """
    known = (~hole).astype(np.float32)
    weight, values = _quarter(known), _quarter(grey * known)
    filled = pull(values, weight)
    is_known = weight > 0.5
    fixed = np.where(is_known, values / np.maximum(weight, 1e-4), 0).astype(np.float32)
    for _ in range(_RELAXATIONS):
        padded = np.pad(np.where(is_known, fixed, filled), 1, mode="edge")
        filled = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / np.float32(4)
    # Where most of what is around is sky, what is hidden is sky and not a faint wall.
    sky = _quarter(known * (grey < _VOID))
    filled = np.where(is_known, fixed, np.where(pull(sky, weight) > 0.5, np.float32(0), filled))
    return _quadrupled(np.asarray(filled, np.float32), grey.shape)


def _quarter(plane: Plane) -> Plane:
    return np.asarray(Image.fromarray(np.asarray(plane, np.float32)).reduce(4))


def _quadrupled(plane: Plane, shape: tuple[int, ...]) -> Plane:
    image = Image.fromarray(np.ascontiguousarray(plane))
    whole = np.asarray(image.resize((image.width * 4, image.height * 4), Image.Resampling.BILINEAR))
    return whole[: shape[0], : shape[1]]


def pull(values: Plane, weights: Plane) -> Plane:
    """Averages of ``values`` (already times their ``weights``), from coarse to fine: no pixel stays empty."""
    height, width = values.shape
    if min(height, width) <= 1:
        return np.asarray(values / np.maximum(weights, 1e-4), np.float32)
    small = pull(np.asarray(Image.fromarray(values).reduce(2)), np.asarray(Image.fromarray(weights).reduce(2)))
    coarse = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))
    trust = np.minimum(weights * 1.5, 1)
    return np.asarray(values / np.maximum(weights, 1e-4) * trust + coarse * (1 - trust), np.float32)
