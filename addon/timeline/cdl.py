# SPDX-License-Identifier: GPL-3.0-or-later
"""The ASC CDL: ten numbers that say a grade to every other tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Rgb = tuple[float, float, float]
_LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, slots=True)
class Cdl:
    """Slope, offset, power and saturation, with the name of the space they apply in: without it they are no grade."""

    slope: Rgb = (1.0, 1.0, 1.0)
    offset: Rgb = (0.0, 0.0, 0.0)
    power: Rgb = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    space: str = "Linear Rec.709"

    def apply(self, rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The grade as our comp renders it, on (…, 3) values.

        ``out = max(in·slope + offset, 0) ** power``, then saturation around Rec.709 luma; no upper clamp. Equal to
        OpenColorIO's CDL_NO_CLAMP wherever ``in·slope + offset`` is not negative.
        """
        graded = np.maximum(rgb * np.array(self.slope) + np.array(self.offset), 0.0) ** np.array(self.power)
        luma = graded @ _LUMA
        return luma[..., None] + self.saturation * (graded - luma[..., None])
