# SPDX-License-Identifier: GPL-3.0-or-later
"""The live preview without a screen: where the frame lies in a viewport, and what its depth buffer means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.people.pose import Visibility
from second_unit.addon.conditioning.pictures.depth import DepthRange, Encoding, encoded
from second_unit.addon.conditioning.preview import (
    Frame,
    Lens,
    Mapping,
    frame_in,
    in_picture,
    is_cut_off,
    packed,
    picture_places,
    posed,
    visible,
    without_lines,
)
from second_unit.addon.shot.camera import Camera, Crop, fit_into
from second_unit.addon.shot.geometry import Person
from second_unit.addon.shot.people import JOINTS

REGION = (1000, 700)
NEAR, FAR = 0.1, 100.0
SEEN, OWN, HIDDEN = Visibility.SEEN, Visibility.SELF_OCCLUDED, Visibility.OCCLUDED


def perspective(left: float, right: float, bottom: float, top: float) -> np.ndarray:
    """`glFrustum` of its reference page; edges at distance 1."""
    edges = np.array([left, right, bottom, top]) * NEAR
    left, right, bottom, top = edges
    return np.array(
        [
            [2 * NEAR / (right - left), 0, (right + left) / (right - left), 0],
            [0, 2 * NEAR / (top - bottom), (top + bottom) / (top - bottom), 0],
            [0, 0, -(FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)],
            [0, 0, -1, 0],
        ]
    )


def parallel(left: float, right: float, bottom: float, top: float) -> np.ndarray:
    """`glOrtho` of its reference page."""
    return np.array(
        [
            [2 / (right - left), 0, 0, -(right + left) / (right - left)],
            [0, 2 / (top - bottom), 0, -(top + bottom) / (top - bottom)],
            [0, 0, -2 / (FAR - NEAR), -(FAR + NEAR) / (FAR - NEAR)],
            [0, 0, 0, 1],
        ]
    )


def camera(*, orthographic: bool = False, shift: float = 0.0) -> Camera:
    """A delivery of 1920x1080, one unit high at distance 1, moved right by ``shift`` units there."""
    return Camera(
        1920, 1080, 1080, 1080, 960 - shift * 1080, 540, NEAR, FAR, np.eye(4), orthographic=orthographic
    )  # fmt: skip


@given(
    st.booleans(),
    st.floats(-0.4, 0.4),
    st.floats(50, 3000),
    st.tuples(st.floats(-500, 900), st.floats(-500, 600)),
    st.sampled_from([(832, 480), (1280, 720), (512, 768)]),
)
def test_the_frame_is_found_wherever_the_viewport_shows_it(
    orthographic: bool, shift: float, width: float, at: tuple[float, float], size: tuple[int, int]
) -> None:
    """The delivery is laid at ``at``, ``width`` pixels wide; the viewport's projection follows from that."""
    pixel, height = (16 / 9) / width, width * 9 / 16
    left, bottom = shift - 8 / 9 - at[0] * pixel, -0.5 - at[1] * pixel
    edges = left, left + REGION[0] * pixel, bottom, bottom + REGION[1] * pixel
    window = (parallel if orthographic else perspective)(*edges)
    delivery = camera(orthographic=orthographic, shift=shift)
    found = frame_in(window, *fit_into(delivery, size), REGION)
    wanted = (at[0], at[1], at[0] + width, at[1] + height)
    # `crop_for` rounds the delivery's sides to whole pixels of the picture, not what they hold
    assert (found.left, found.bottom, found.right, found.top) == pytest.approx(wanted, abs=1e-6 * width)


def test_only_pixels_inside_frame_and_viewport_are_drawn() -> None:
    assert visible(Frame(10.4, 20.6, 30.5, 40.4), REGION) == (10, 21, 20, 19)
    assert visible(Frame(-50, -50, 2000, 2000), REGION) == (0, 0, *REGION)
    assert visible(Frame(1001, 0, 1200, 100), REGION) is None
    assert visible(Frame(-300, 0, -1, 100), REGION) is None
    assert [is_cut_off(Frame(*edges), REGION) for edges in ((0, 0, 1000, 700), (-0.2, 0, 900, 600))] == [False, True]


def test_a_place_in_the_frame_is_a_place_in_the_picture() -> None:
    """Overscan of 6 rows; half of the frame is out of sight on the left."""
    low, high = picture_places(Frame(-100, 50, 100, 150), Crop(0, 6, 832, 468), (0, 50, 100, 100))
    assert low == pytest.approx((416, 474))
    assert high == pytest.approx((832, 6))


@given(st.floats(0.1001, 99.9), st.booleans())
def test_the_depth_buffer_is_read_as_opengl_writes_it(z: float, orthographic: bool) -> None:
    window = (parallel if orthographic else perspective)(-1, 1, -1, 1)
    clip = window @ np.array([0, 0, -z, 1])
    value = np.array([clip[2] / clip[3] / 2 + 0.5, 1.0], np.float32)
    found = Lens.of(window).planar(value)
    # what 24 bits between 0.1 and 100 can tell apart there
    assert found[0] == pytest.approx(z, rel=2e-6 * max(1, z / NEAR))
    assert found[1] == np.inf


@pytest.mark.parametrize("encoding", Encoding)
def test_greys_are_those_of_the_package(encoding: Encoding) -> None:
    range_ = DepthRange(1.5, 40.0)
    z = np.geomspace(0.2, 90, 500, dtype=np.float32)
    mapping = Mapping.of(range_, encoding)
    grey = mapping.gain * (1 / z if mapping.inverse else z) + mapping.bias
    assert np.abs(grey.clip(0, 1) - encoded(z[None], range_, encoding)[0]).max() < 1e-5


def test_depth_is_put_where_the_picture_has_it() -> None:
    """The picture is 40x30 with 3 rows of overscan; the viewport shows it twice as large, row 0 below, its left cut."""
    crop, frame, box = Crop(0, 3, 40, 24), Frame(-20, 10, 60, 58), (0, 10, 60, 48)
    values = np.arange(48 * 60, dtype=np.float32).reshape(48, 60) / 4000
    found = in_picture(values, box, frame, crop, (40, 30))
    assert (found[:3] == 1).all()
    assert (found[27:] == 1).all()
    assert (found[:, :10] == 1).all()
    # the centre of picture pixel (column 10, row 3) is viewport place (1, 57), between four pixels: the upper right
    assert found[3, 10] == values[47, 1]
    assert found[26, 39] == values[1, 59]


def test_lines_of_overlays_go_and_things_stay() -> None:
    clean = np.full((60, 80), 0.9, np.float32)
    clean[20:40, 10:30] = 0.5
    drawn = clean.copy()
    drawn[30, :] = drawn[31, :] = 0.2
    drawn[:, 60] = 0.3
    np.fill_diagonal(drawn, 0.1)
    assert np.array_equal(without_lines(drawn)[3:-3, 3:-3], clean[3:-3, 3:-3])
    clean[:] = np.float32(0.9)
    clean[20:23, 10:13] = 0.5
    assert np.array_equal(without_lines(clean), clean)


def test_all_colours_survive_as_one_number() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (50, 70, 3), np.uint8)
    picture[0, 0], picture[0, 1] = 255, 0
    numbers = packed(picture).astype(np.float64)
    red, rest = np.divmod(numbers, 65536)
    assert np.array_equal(np.stack([red, *np.divmod(rest, 256)], axis=2), picture)


def person(*places: tuple[float, float, float]) -> Person:
    joints = np.full((JOINTS, 3), np.nan)
    joints[: len(places)] = np.reshape(places, (-1, 3))
    return Person("a", joints, 0.2)


LOOKING = replace(camera(), width=64, height=36, fx=36, fy=36, cx=32, cy=18)


@pytest.mark.parametrize(
    ("distance", "codes"),
    [(None, [SEEN, SEEN]), (9.0, [SEEN, SEEN]), (4.0, [SEEN, OWN]), (3.0, [HIDDEN, HIDDEN]), (1.0, [HIDDEN, HIDDEN])],
)
def test_what_is_nearer_than_the_whole_person_is_something_else(distance: float | None, codes: list[int]) -> None:
    """Joints 4 and 5 units away; a wall at ``distance``: unknown, behind them, through the person, before them."""
    depth = None if distance is None else np.full((36, 64), distance, np.float32)
    (found,) = posed([person((0, 0, 4), (0.5, 0, 5))], LOOKING, depth)
    assert found.visibility[:2].tolist() == codes
    assert found.points[:2] == pytest.approx(np.array([[32, 18], [35.6, 18]]))


def test_nobody_and_those_who_are_not_there_are_no_trouble() -> None:
    assert posed([], LOOKING, None) == []
    (found,) = posed([person()], LOOKING, np.ones((36, 64), np.float32))
    assert (found.visibility == Visibility.MISSING).all()
