# SPDX-License-Identifier: GPL-3.0-or-later
"""The grade, judged by OpenColorIO."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyOpenColorIO import CDL_NO_CLAMP, OPTIMIZATION_LOSSLESS, CDLTransform, Config

from second_unit.addon.timeline.cdl import Cdl
from second_unit.addon.timeline.comp_recipe import Atmosphere, CompRecipe

SHIPPED = CompRecipe(Atmosphere.for_depth(1.0, 10.0)).cdl
GRADES = st.builds(
    Cdl,
    st.tuples(*[st.floats(0.1, 4)] * 3), st.tuples(*[st.floats(0, 0.5)] * 3), st.tuples(*[st.floats(0.3, 3)] * 3),
    st.floats(0, 2),
)  # fmt: skip
PIXELS = np.random.default_rng(1).uniform(0, 3, (4, 5, 3))


def judged(cdl: Cdl, rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """What OpenColorIO makes of it, without its shortcuts for powers."""
    transform: Any = CDLTransform()
    transform.setSlope(cdl.slope)
    transform.setOffset(cdl.offset)
    transform.setPower(cdl.power)
    transform.setSat(cdl.saturation)
    transform.setStyle(CDL_NO_CLAMP)
    processor: Any = Config.CreateRaw().getProcessor(transform).getOptimizedCPUProcessor(OPTIMIZATION_LOSSLESS)
    pixels = np.ascontiguousarray(rgb.reshape(-1, 3), np.float32)
    processor.applyRGB(pixels)
    return pixels.reshape(rgb.shape)


def test_no_grade_changes_nothing() -> None:
    assert Cdl().apply(PIXELS) == pytest.approx(PIXELS)


@given(GRADES)
def test_a_grade_equals_opencolorio(cdl: Cdl) -> None:
    assert np.allclose(cdl.apply(PIXELS), judged(cdl, PIXELS), rtol=1e-4, atol=1e-4)


def test_the_shipped_grade_equals_opencolorio_and_is_visible() -> None:
    assert SHIPPED.apply(PIXELS) == pytest.approx(judged(SHIPPED, PIXELS), rel=1e-4, abs=1e-5)
    assert np.abs(SHIPPED.apply(PIXELS) - PIXELS).mean() > 0.02


def test_a_negative_offset_equals_opencolorio_as_long_as_nothing_falls_below_zero() -> None:
    cdl = Cdl((1.2, 1.0, 0.9), (-0.1, -0.05, 0.0), (1.1, 0.9, 1.0), 0.8)
    bright = PIXELS + 0.2
    assert cdl.apply(bright) == pytest.approx(judged(cdl, bright), rel=1e-4, abs=1e-5)


def test_what_falls_below_zero_becomes_black_and_finite() -> None:
    """Where OpenColorIO passes negative values on, our compositor cuts them: both ways of the same standard."""
    cdl = Cdl(offset=(-0.5, -0.5, -0.5), power=(0.5, 2.2, 1.0))
    assert np.array_equal(cdl.apply(np.array([[0.1, 0.2, 0.3], [-1.0, -2.0, -3.0]])), np.zeros((2, 3)))


def test_bright_values_are_not_clamped() -> None:
    assert Cdl(slope=(2, 2, 2)).apply(np.array([[4.0, 5.0, 6.0]])) == pytest.approx(np.array([[8.0, 10.0, 12.0]]))


def test_no_saturation_is_rec709_luma() -> None:
    grey = Cdl(saturation=0.0).apply(np.eye(3))
    assert grey == pytest.approx(np.repeat([[0.2126], [0.7152], [0.0722]], 3, axis=1))


def test_the_input_is_left_as_it_was() -> None:
    before = PIXELS.copy()
    SHIPPED.apply(PIXELS)
    assert np.array_equal(PIXELS, before)
