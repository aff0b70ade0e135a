# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera-space normals as the picture a ControlNet was trained on."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

NEUTRAL, BLACK = (128, 128, 255), (0, 0, 0)
"""Backgrounds to choose from: a surface that faces the camera, or nothing. The networks fix neither."""


class NormalDialect(Enum):
    """What red, green and blue say: BAE and DSINE have left, up, towards; OpenGL and games right, up, towards."""

    BAE = "bae"
    OPENGL = "opengl"

    @property
    def signs(self) -> tuple[float, float, float]:
        """Factors from our axes (x right, y down, z forward) to red, green and blue."""
        return (-1.0, -1.0, -1.0) if self is NormalDialect.BAE else (1.0, -1.0, -1.0)


def normal_map(
    normal: npt.NDArray[np.float32], dialect: NormalDialect, background: tuple[int, int, int] = NEUTRAL
) -> npt.NDArray[np.uint8]:
    """Normals (H, W, 3) float32 in camera space (x right, y down, z forward; 0 for no hit) as (H, W, 3) uint8 RGB.

    Each channel is (n + 1) / 2 * 255, rounded: a surface that faces the camera is (128, 128, 255). Nothing was hit
    where the picture is ``background``.
    """
    picture = np.empty(normal.shape, np.uint8)
    hit = np.zeros(normal.shape[:2], bool)
    for channel, sign in enumerate(dialect.signs):
        axis = normal[:, :, channel]
        hit |= axis != 0
        value = np.clip(axis * np.float32(127.5 * sign) + np.float32(128), 0, 255)
        picture[:, :, channel] = value.astype(np.uint8)
    picture[~hit] = background
    return picture
