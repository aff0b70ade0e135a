# SPDX-License-Identifier: GPL-3.0-or-later
"""The crop around a face, as Wan-Animate's preprocessing makes it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from second_unit.addon.conditioning.people.face import FACE_SIZE, face_box
from second_unit.addon.conditioning.people.pose import PosedPerson, Visibility
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.people import FACE, JOINTS

SIZE = (1280, 720)


def somebody(left: float, top: float, right: float, bottom: float, code: Visibility = Visibility.SEEN) -> PosedPerson:
    """A face whose points span exactly this box; the body is elsewhere."""
    points = np.full((JOINTS, 2), 5.0)
    shares = np.random.default_rng(1).random((68, 2))
    shares[:2] = (0, 0), (1, 1)
    points[FACE] = (left, top) + shares * (right - left, bottom - top)
    return PosedPerson("a", points, np.ones(JOINTS), np.full(JOINTS, code, np.int8))


def test_the_area_grows_by_three_tenths_most_of_it_upwards() -> None:
    grow = math.sqrt(1.3)
    box = face_box(somebody(400, 200, 500, 320), SIZE)
    assert box is not None
    assert box == Crop(int(450 - 50 * grow), int(200 - 0.75 * 120 * (grow - 1)), box.width, box.height)
    assert box.x + box.width == int(450 + 50 * grow)
    assert box.y + box.height == int(320 + 0.25 * 120 * (grow - 1))
    assert box.width * box.height == pytest.approx(1.3 * 100 * 120, rel=0.03)
    assert FACE_SIZE == (512, 512)


def test_the_box_is_cut_to_the_picture() -> None:
    assert face_box(somebody(-50, -20, 60, 80), SIZE) == Crop(0, 0, 67, 83)
    box = face_box(somebody(1200, 650, 1400, 800), SIZE)
    assert box is not None
    assert (box.x + box.width, box.y + box.height) == SIZE


def test_hidden_points_count_and_a_face_that_is_not_there_has_no_box() -> None:
    seen = face_box(somebody(400, 200, 500, 320), SIZE)
    assert face_box(somebody(400, 200, 500, 320, Visibility.OCCLUDED), SIZE) == seen
    for nobody in (
        somebody(400, 200, 500, 320, Visibility.MISSING), somebody(400, 200, 500, 320, Visibility.BEHIND),
        somebody(1400, 200, 1500, 320, Visibility.OUTSIDE), somebody(400, -320, 500, -200),
        somebody(400, 200, 400, 200),
    ):  # fmt: skip
        assert face_box(nobody, SIZE) is None


def test_points_without_a_place_do_not_spoil_the_box() -> None:
    person = somebody(400, 200, 500, 320)
    person.points[FACE.start + 5], person.points[FACE.start + 6] = np.nan, 1e30
    person.visibility[FACE.start + 5] = Visibility.MISSING
    assert face_box(person, SIZE) == face_box(somebody(400, 200, 500, 320), SIZE)
