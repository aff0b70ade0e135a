# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a face is in the picture, for models that get it as a video of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...shot.camera import Crop
from ...shot.people import FACE
from .pose import FARTHEST_PIXEL, Visibility

if TYPE_CHECKING:
    from .pose import PosedPerson

FACE_SIZE = (512, 512)
"""What Wan-Animate stretches the crop to, whatever its shape."""

GROWTH = 1.3
"""Area of the crop over that of the box around the points."""


def face_box(person: PosedPerson, size: tuple[int, int], growth: float = GROWTH) -> Crop | None:
    """The part of the picture ``size`` (width, height) with the face of ``person``; None when there is none in it.

    The box around the 68 points, hidden ones included, is grown to ``growth`` times its area in its own proportions.
    Three quarters of the added height go above it, for the forehead. Then it is cut to the picture and truncated to
    whole pixels (Wan-Animate's preprocessing).
    """
    codes, points = person.visibility[FACE], person.points[FACE]
    known = (codes != Visibility.MISSING) & (codes != Visibility.BEHIND) & (np.abs(points) < FARTHEST_PIXEL).all(axis=1)
    if not known.any():
        return None
    (left, top), (right, bottom) = points[known].min(axis=0).tolist(), points[known].max(axis=0).tolist()
    scale = math.sqrt(growth) - 1
    aside, above = (right - left) * scale / 2, (bottom - top) * scale / 4
    x0, x1 = int(max(left - aside, 0)), int(min(right + aside, size[0]))
    y0, y1 = int(max(top - 3 * above, 0)), int(min(bottom + above, size[1]))
    return Crop(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None
