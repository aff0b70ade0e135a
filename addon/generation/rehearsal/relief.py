# SPDX-License-Identifier: GPL-3.0-or-later
"""From guide pictures to a relief: how near each pixel is, with the people taken out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from .sticks import LIMBS, Drawing, Person, colour_mask, read_drawing, read_people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pictures import Picture

Plane = npt.NDArray[np.float32]
"""(height, width)."""

# A guide with more colour than that is a picture (a playblast), no drawing of sticks.
_PICTURE_SHARE = 0.25
_BLACK = 12 / 255
_RELAXATIONS = 24


@dataclass(slots=True)
class Dialect:
    """Remembers which way round the pose colours are. Evidence adds up over the frames."""

    score: int = 0

    def read(self, drawing: Drawing) -> list[Person]:
        """People in a drawing."""
        plain, swapped = (read_people(drawing, is_swapped=flag) for flag in (False, True))
        self.score += swapped.score - plain.score
        return swapped.people if self.score > 0 else plain.people


@dataclass(frozen=True, slots=True)
class Relief:
    """``near`` is 0 for the sky and 1 for the nearest surface (disparity, as depth controls have it).

    ``is_guessed`` marks what was hidden behind people.
    """

    near: Plane
    is_guessed: npt.NDArray[np.bool_]
    people: list[Person]


def read_relief(guides: Sequence[Picture], size: tuple[int, int], dialect: Dialect) -> Relief:
    """Take depth and people from one composite guide, or from a depth guide and a pose guide.

    ``size`` is (width, height).
    """
    width, height = size
    near = np.zeros((height, width), np.float32)
    people: list[Person] = []
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
            people += found
            grey, hole = _without_people(grey, mask, found)
            is_guessed |= hole
        near = np.maximum(near, grey)
    return Relief(near, is_guessed, people)


def _without_people(
    grey: Plane, mask: npt.NDArray[np.bool_], people: list[Person]
) -> tuple[Plane, npt.NDArray[np.bool_]]:
    """Fill the black shapes of people from what is around them."""
    height, width = grey.shape
    stencil = Image.new("L", (width // 4 + 1, height // 4 + 1))
    pen = ImageDraw.Draw(stencil)
    for person in people:
        _outline(pen, person, 0.25)
    wide = np.asarray(stencil.resize((stencil.width * 4, stencil.height * 4), Image.Resampling.NEAREST))[
        :height, :width
    ]
    coloured = _grown(mask, 4)
    black = (wide > 0) & (grey < _BLACK)
    hole = coloured | _grown(black, 4) | (wide > 128)
    if not (wide > 0).any() or float(grey[~coloured].max(initial=0)) < _BLACK:
        return np.where(coloured, np.float32(0), grey), np.zeros_like(mask)
    return np.where(hole, _filled(grey, hole), grey), hole


def _outline(pen: ImageDraw.ImageDraw, person: Person, ratio: float) -> None:
    """Draw a wide (100) and a narrow (255) body.

    In the narrow one nothing is depth, not even a bright face dot.
    """
    unit = person.unit() * ratio
    for reach, ink in ((0.3, 100), (0.10, 255)):
        radius = max(unit * reach, 1.5)
        for limb in person.limbs:
            a, b = (person.joints[joint] for joint in LIMBS[limb])
            pen.line([(a[0] * ratio, a[1] * ratio), (b[0] * ratio, b[1] * ratio)], ink, int(2 * radius))
        for joint, (x, y) in person.joints.items():
            size = max(radius, unit * (reach + 0.08)) if joint == 0 else radius
            pen.ellipse([x * ratio - size, y * ratio - size, x * ratio + size, y * ratio + size], ink)


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
    weight = np.asarray(Image.fromarray(known).reduce(4))
    values = np.asarray(Image.fromarray(grey * known).reduce(4))
    filled = pull(values, weight)
    is_known = weight > 0.5
    fixed = np.where(is_known, values / np.maximum(weight, 1e-4), 0).astype(np.float32)
    for _ in range(_RELAXATIONS):
        padded = np.pad(np.where(is_known, fixed, filled), 1, mode="edge")
        filled = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / np.float32(4)
    # Where most of what is around is sky, what is hidden is sky and not a faint wall.
    sky = np.asarray(Image.fromarray(known * (grey < _BLACK)).reduce(4))
    filled = np.where(is_known, fixed, filled)
    height, width = grey.shape
    near, share = (_quadrupled(plane)[:height, :width] for plane in (filled, pull(sky, weight)))
    return np.where(share > 0.5, np.float32(0), near)


def _quadrupled(plane: Plane) -> Plane:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((image.width * 4, image.height * 4), Image.Resampling.BILINEAR))


def pull(values: Plane, weights: Plane) -> Plane:
    """Averages of ``values`` (already times their ``weights``), from coarse to fine: no pixel stays empty."""
    height, width = values.shape
    if min(height, width) <= 1:
        return np.asarray(values / np.maximum(weights, 1e-4), np.float32)
    small = pull(np.asarray(Image.fromarray(values).reduce(2)), np.asarray(Image.fromarray(weights).reduce(2)))
    coarse = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))
    trust = np.minimum(weights * 1.5, 1)
    return np.asarray(values / np.maximum(weights, 1e-4) * trust + coarse * (1 - trust), np.float32)
