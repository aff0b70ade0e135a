# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes are OpenCV's, pixel for pixel, wherever they lie."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.people import paint

cv2 = pytest.importorskip("cv2")

FAR = 1 << 24
COLOUR = np.array([[10, 120, 230]], np.uint8)
ordinary = st.integers(-40, 260)
anywhere = st.one_of(ordinary, st.integers(-5000, 5000), st.integers(-FAR, FAR))
point = st.tuples(anywhere, anywhere)
size = st.tuples(st.integers(1, 210), st.integers(1, 130))
Size = tuple[int, int]
Point = tuple[int, int]


def one(x: int, y: int) -> npt.NDArray[np.int64]:
    return np.array([[x, y]], np.int64)


def ours(runs: paint.Runs, size: Size) -> npt.NDArray[np.uint8]:
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    paint.fill(canvas, paint.joined(runs), COLOUR)
    return canvas


@settings(max_examples=600, deadline=None)
@given(size=size, a=point, b=point, thickness=st.integers(1, 9))
def test_lines_of_every_thickness(size: Size, a: Point, b: Point, thickness: int) -> None:
    expected = np.zeros((size[1], size[0], 3), np.uint8)
    cv2.line(expected, a, b, COLOUR[0].tolist(), thickness=thickness)
    np.testing.assert_array_equal(ours(paint.lines(one(*a), one(*b), thickness, size), size), expected)


@settings(max_examples=300, deadline=None)
@given(size=size, a=st.tuples(ordinary, ordinary), turn=st.tuples(st.integers(-4, 4), st.integers(-4, 4)))
def test_short_lines(size: Size, a: Point, turn: Point) -> None:
    for thickness in (1, 2, 3):
        expected = np.zeros((size[1], size[0], 3), np.uint8)
        b = (a[0] + turn[0], a[1] + turn[1])
        cv2.line(expected, a, b, COLOUR[0].tolist(), thickness=thickness)
        np.testing.assert_array_equal(ours(paint.lines(one(*a), one(*b), thickness, size), size), expected)


@settings(max_examples=300, deadline=None)
@given(
    size=size, centre=point, length=st.one_of(st.integers(0, 300), st.integers(0, 5000), st.integers(0, FAR)),
    width=st.integers(1, 28), angle=st.integers(-180, 180),
)  # fmt: skip
def test_ellipses(size: Size, centre: Point, length: int, width: int, angle: int) -> None:
    expected = np.zeros((size[1], size[0], 3), np.uint8)
    polygon = cv2.ellipse2Poly(centre, (length, width), angle, 0, 360, 1)
    cv2.fillConvexPoly(expected, polygon, COLOUR[0].tolist())
    runs = paint.ellipses(one(*centre), one(length, width), np.array([angle]), size)
    np.testing.assert_array_equal(ours(runs, size), expected)


@settings(max_examples=100, deadline=None)
@given(size=size, centre=point, radius=st.integers(0, 40))
def test_discs(size: Size, centre: Point, radius: int) -> None:
    expected = np.zeros((size[1], size[0], 3), np.uint8)
    cv2.circle(expected, centre, radius, COLOUR[0].tolist(), thickness=-1)
    np.testing.assert_array_equal(ours(paint.discs(one(*centre), radius, size), size), expected)


def test_later_shapes_lie_over_earlier_ones_whatever_order_they_come_in() -> None:
    a, b = paint.discs(one(5, 5), 3, (20, 20)), paint.discs(one(7, 5), 3, (20, 20))
    above = paint.Runs(b.shape + 1, b.row, b.left, b.right)
    canvas = np.zeros((20, 20, 3), np.uint8)
    paint.fill(canvas, paint.joined(above, a), np.array([(1, 2, 3), (4, 5, 6)], np.uint8))
    assert tuple(canvas[5, 6]) == (4, 5, 6)
    assert tuple(canvas[5, 2]) == (1, 2, 3)


def test_more_shapes_than_sixteen_bits_can_count_keep_their_order() -> None:
    runs = paint.discs(np.full((70000, 2), 1), 0, (3, 3))
    canvas = np.zeros((3, 3, 3), np.uint8)
    paint.fill(canvas, paint.joined(runs), np.repeat([[9], [7]], [69999, 1], axis=0) * np.ones((1, 3), np.uint8))
    assert tuple(canvas[1, 1]) == (7, 7, 7)
