# SPDX-License-Identifier: GPL-3.0-or-later
"""From guide pictures to a relief: how near each pixel is, with the people taken out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from .sticks import LIMBS, Person, Stick, assemble, colour_mask, find_bonds, find_sticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pictures import Picture

Plane = npt.NDArray[np.float32]
"""(height, width)."""

# A guide with more colour than that is a picture (a playblast), no drawing of sticks.
_PICTURE_SHARE = 0.25
_BLACK = 12 / 255


@dataclass(slots=True)
class Dialect:
    """Remembers which way round the pose colours are. Evidence adds up over the frames."""

    score: int = 0

    def read(self, sticks: list[Stick]) -> list[Person]:
        """People made of ``sticks``."""
        plain, swapped = (find_bonds(sticks, is_swapped=flag) for flag in (False, True))
        self.score += len(swapped) - len(plain)
        is_swapped = self.score > 0
        return assemble(sticks, swapped if is_swapped else plain, is_swapped=is_swapped)


@dataclass(frozen=True, slots=True)
class Relief:
    """``near`` is 0 for the sky and 1 for the nearest surface (disparity, as depth controls have it)."""

    near: Plane
    people: list[Person]


def read_relief(guides: Sequence[Picture], size: tuple[int, int], dialect: Dialect) -> Relief:
    """Take depth and people from one composite guide, or from a depth guide and a pose guide. ``size`` is (width, height)."""
    width, height = size
    near = np.zeros((height, width), np.float32)
    people: list[Person] = []
    for guide in guides:
        mask = colour_mask(guide)
        grey = guide[..., 1].astype(np.float32) / 255
        share = float(mask.mean())
        if share > _PICTURE_SHARE:
            near = np.maximum(near, guide.mean(axis=2, dtype=np.float32) / 255)
            continue
        if share > 0:
            found = dialect.read(find_sticks(guide, mask))
            people += found
            grey = _without_people(grey, mask, found)
        near = np.maximum(near, grey)
    return Relief(near, people)


def _without_people(grey: Plane, mask: npt.NDArray[np.bool_], people: list[Person]) -> Plane:
    """Fill the black shapes of people from what is around them."""
    height, width = grey.shape
    stencil = Image.new("L", (width // 4 + 1, height // 4 + 1))
    pen = ImageDraw.Draw(stencil)
    for person in people:
        _outline(pen, person, 0.25)
    wide = np.asarray(stencil.resize((stencil.width * 4, stencil.height * 4), Image.Resampling.NEAREST))[:height, :width]
    coloured = _grown(mask)
    hole = coloured | ((wide > 0) & (grey < _BLACK)) | (wide > 128)  # noqa: PLR2004 the inner stencil
    if not (wide > 0).any() or float(grey[~coloured].max(initial=0)) < _BLACK:
        return np.where(coloured, np.float32(0), grey)
    return np.where(hole, _filled(grey, hole), grey)


def _outline(pen: ImageDraw.ImageDraw, person: Person, ratio: float) -> None:
    """Draw a wide (100) and a narrow (255) body: in the narrow one nothing is depth, not even a bright face dot."""
    unit = person.unit() * ratio
    for reach, ink in ((0.42, 100), (0.10, 255)):
        radius = max(unit * reach, 1.5)
        for limb in person.limbs:
            a, b = (person.joints[joint] for joint in LIMBS[limb])
            pen.line([(a[0] * ratio, a[1] * ratio), (b[0] * ratio, b[1] * ratio)], ink, int(2 * radius))
        for joint, (x, y) in person.joints.items():
            size = max(radius, unit * 0.2) if joint == 0 else radius
            pen.ellipse([x * ratio - size, y * ratio - size, x * ratio + size, y * ratio + size], ink)


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """``mask`` and four pixels around it."""
    wide = mask.copy()
    for axis in (0, 1):
        source = wide.copy()
        for step in (1, 2, 3, 4):
            wide |= np.roll(source, step, axis) | np.roll(source, -step, axis)
    return wide


def _filled(grey: Plane, hole: npt.NDArray[np.bool_]) -> Plane:
    """Averages of what is known, from coarse to fine (push-pull, Gortler et al. 1996)."""
    known = (~hole).astype(np.float32)
    image = Image.fromarray(grey * known).reduce(4)
    weight = Image.fromarray(known).reduce(4)
    filled = _pull(np.asarray(image), np.asarray(weight))
    height, width = grey.shape
    large = Image.fromarray(filled).resize((filled.shape[1] * 4, filled.shape[0] * 4), Image.Resampling.BILINEAR)
    return np.asarray(large)[:height, :width]


def _pull(values: Plane, weights: Plane) -> Plane:
    height, width = values.shape
    if min(height, width) <= 1:
        return np.asarray(values / np.maximum(weights, 1e-4), np.float32)
    small = _pull(np.asarray(Image.fromarray(values).reduce(2)), np.asarray(Image.fromarray(weights).reduce(2)))
    coarse = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))
    trust = np.minimum(weights * 1.5, 1)
    return np.asarray(values / np.maximum(weights, 1e-4) * trust + coarse * (1 - trust), np.float32)
