# SPDX-License-Identifier: GPL-3.0-or-later
"""People by pose, set by depth: the two never share a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.people.dialects import dialect
from second_unit.addon.conditioning.people.figures import draw_pose
from second_unit.addon.conditioning.pictures.depth import disparity, shot_range, to_grey8
from second_unit.addon.conditioning.pictures.guide import composite


def test_people_are_cut_out_with_a_rim_and_the_stick_figure_lies_on_top() -> None:
    depth = np.full((20, 20), 200, np.uint8)
    person = np.zeros((20, 20), np.uint8)
    person[8:12, 8:12] = 1
    pose = np.zeros((20, 20, 3), np.uint8)
    pose[10, 2:18] = (153, 0, 0)
    guide = composite(depth, person, pose)
    expected = np.full((20, 20, 3), 200, np.uint8)
    expected[6:14, 6:14] = 0
    expected[10, 2:18] = (153, 0, 0)
    np.testing.assert_array_equal(guide, expected)


def test_at_the_border_the_rim_does_not_wrap_around() -> None:
    person = np.zeros((9, 9), np.uint8)
    person[0, 0] = 3
    guide = composite(np.full((9, 9), 50, np.uint8), person, np.zeros((9, 9, 3), np.uint8))
    assert (guide[:3, :3] == 0).all()
    assert (guide == 50).all(axis=2).sum() == 81 - 9


def test_in_a_drawn_frame_no_pixel_of_a_person_shows_depth(scenes: Any) -> None:
    frame = scenes.street((208, 120))
    drawn = draw(frame, Exposure())
    grey = to_grey8(disparity(drawn.depth, shot_range(drawn.stats)))
    pose = draw_pose(drawn.people, (208, 120), dialect("openpose"))
    guide = composite(grey, drawn.person, pose)
    inside = drawn.person > 0
    assert inside.sum() > 800
    np.testing.assert_array_equal(guide[inside], pose[inside])
    far_off = np.s_[:, :30]
    np.testing.assert_array_equal(guide[far_off], np.repeat(grey[far_off][..., None], 3, 2))
