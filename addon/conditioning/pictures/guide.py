# SPDX-License-Identifier: GPL-3.0-or-later
"""The composite guide: people by pose, the set by depth.

Video models are not trained on overlapping controls (reference: conditioning, trap 10), so the two never meet in a
pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

RIM = 2
"""Pixels by which people are cut wider than they are: otherwise a rim of depth outlines the body."""


def composite(
    depth: npt.NDArray[np.uint8], person_ids: npt.NDArray[np.uint8], pose: npt.NDArray[np.uint8], rim: int = RIM
) -> npt.NDArray[np.uint8]:
    """Depth of the set with people cut out, and their stick figures over it: (H, W, 3) uint8 RGB.

    ``depth`` is (H, W) uint8 grey, ``person_ids`` (H, W) uint8 with 0 for nobody, ``pose`` (H, W, 3) uint8 on black.
    """
    set_ = np.where(_dilated(person_ids > 0, rim), np.uint8(0), depth)
    guide = np.repeat(set_[:, :, None], 3, axis=2)
    painted = (pose[:, :, 0] | pose[:, :, 1] | pose[:, :, 2]) > 0
    guide[painted] = pose[painted]
    return guide


def _dilated(mask: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """Grow a mask by ``by`` pixels in a square."""
    for axis in (0, 1):
        grown = mask.copy()
        along, target = np.moveaxis(mask, axis, 0), np.moveaxis(grown, axis, 0)
        for shift in range(1, by + 1):
            target[shift:] |= along[:-shift]
            target[:-shift] |= along[shift:]
        mask = grown
    return mask
