# SPDX-License-Identifier: GPL-3.0-or-later
"""One figure at known places: colours read off the tables by hand, and what is drawn of it at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.people.dialects import DIALECTS, Order, Pens, dialect
from second_unit.addon.conditioning.people.figures import draw_pose
from second_unit.addon.conditioning.people.pose import Policy, PosedPerson, Visibility
from second_unit.addon.errors import UsageError
from second_unit.addon.shot.people import BODY, FEET, JOINTS, LEFT_HAND

SPOTS = np.full((JOINTS, 2), np.nan)
SPOTS[BODY] = [
    (104, 20), (104, 34), (88, 34), (80, 52), (76, 70), (120, 34), (128, 52), (132, 70), (96, 72),
    (94, 92), (92, 112), (112, 72), (114, 92), (116, 112), (100, 16), (108, 16), (94, 18), (114, 18),
]  # fmt: skip
SIZE = (208, 120)


def figure(points: npt.NDArray[np.float64] = SPOTS, **codes: Visibility) -> PosedPerson:
    """Somebody whose joints are seen where they have a place."""
    seen = np.where(np.isnan(points[:, 0]), Visibility.MISSING, Visibility.SEEN).astype(np.int8)
    for name, code in codes.items():
        seen[int(name.removeprefix("j"))] = code
    return PosedPerson("a", points, np.ones(JOINTS), seen)


def test_known_places_have_the_colours_of_the_field() -> None:
    """Full colour on joints, 0.6 of it in the middle of limbs: read off the table by hand."""
    picture = draw_pose([figure()], SIZE, dialect("openpose"))
    spots = {
        (76, 70): (170, 255, 0), (132, 70): (0, 255, 85), (92, 112): (0, 170, 255), (116, 112): (85, 0, 255),
        (96, 34): (153, 0, 0), (112, 34): (153, 51, 0), (84, 43): (153, 102, 0), (124, 43): (102, 153, 0),
        (95, 82): (0, 153, 51), (113, 82): (0, 102, 153),
    }  # fmt: skip
    assert {spot: tuple(picture[spot[1], spot[0]].tolist()) for spot in spots} == spots
    reversed_ = draw_pose([figure()], SIZE, dialect("vace"))
    assert tuple(reversed_[34, 96]) == (0, 0, 153), "VACE: the limb of the right shoulder is blue"
    assert tuple(draw_pose([figure()], SIZE, dialect("core"))[34, 96]) == (255, 0, 0)


def test_toes_are_the_middle_of_big_and_small_ones() -> None:
    points = SPOTS.copy()
    points[FEET] = [(120, 116), (130, 116), (100, 100), (80, 116), (86, 116), (90, 100)]
    picture = draw_pose([figure(points)], SIZE, dialect("wan-animate"))
    assert tuple(picture[116, 125]) == (200, 200, 0)
    assert tuple(picture[116, 83]) == (100, 100, 0)
    without = draw_pose([figure(points, j19=Visibility.MISSING)], SIZE, dialect("wan-animate"))
    assert not without[116, 125].any()


@pytest.mark.parametrize("code", Visibility)
def test_what_is_drawn(code: Visibility) -> None:
    drawn = code in (Visibility.SEEN, Visibility.SELF_OCCLUDED, Visibility.OUTSIDE)
    picture = draw_pose([figure(j4=code)], SIZE, dialect("openpose"))
    assert picture[70, 76].any() == drawn
    assert picture[61, 78].any() == drawn, "a limb needs both its ends"


@pytest.mark.parametrize(
    ("policy", "code", "joint", "drawn"),
    [
        (Policy(self_occluded=False), Visibility.SELF_OCCLUDED, 4, False),
        (Policy(occluded=True), Visibility.OCCLUDED, 4, True),
        (Policy(outside=False), Visibility.OUTSIDE, 4, False), (Policy(occluded=True), Visibility.BEHIND, 4, False),
        (Policy(head_from_behind=False), Visibility.SELF_OCCLUDED, 0, False),
        (Policy(head_from_behind=False), Visibility.SELF_OCCLUDED, 4, True),
        (Policy(head_from_behind=False), Visibility.SEEN, 0, True),
    ],
)  # fmt: skip
def test_the_policy_decides_what_is_drawn(policy: Policy, code: Visibility, joint: int, drawn: bool) -> None:
    picture = draw_pose([figure(**{f"j{joint}": code})], SIZE, dialect("openpose"), policy)
    x, y = SPOTS[joint].astype(int)
    own = draw_pose([figure()], SIZE, dialect("openpose"))[y, x]
    assert np.array_equal(picture[y, x], own) == drawn


def test_joints_that_are_not_numbers_or_absurdly_far_are_skipped() -> None:
    points = SPOTS.copy()
    points[4], points[7], points[10] = (np.nan, 3), (1e30, 5), (np.inf, -np.inf)
    seen = {f"j{k}": Visibility.SEEN for k in (4, 7, 10)}
    picture = draw_pose([figure(points, **seen)], SIZE, dialect("openpose"))
    assert not picture[70, 76].any()
    assert tuple(picture[20, 104]) == (255, 0, 0)


def test_points_of_hands_and_faces_in_the_first_row_or_column_are_left_out() -> None:
    points = np.full((JOINTS, 2), np.nan)
    points[LEFT_HAND] = (50, 50)
    points[25], points[66], points[67] = (0.9, 50), (100, 0.9), (100, 80)
    picture = draw_pose([figure(points)], SIZE, dialect("dwpose"))
    assert not picture[:, :10].any()
    assert not picture[:10].any()
    assert tuple(picture[80, 100]) == (255, 255, 255)
    assert tuple(picture[50, 50]) == (0, 0, 255)


def test_parts_and_pens_can_be_chosen() -> None:
    points = np.where(np.isnan(SPOTS), (60.0, 60.0), SPOTS)
    person, full = figure(points), dialect("dwpose")
    assert tuple(draw_pose([person], SIZE, full)[60, 60]) == (255, 255, 255)
    assert tuple(draw_pose([person], SIZE, full.with_parts(["body", "hands"]))[60, 60]) == (0, 0, 255)
    assert not draw_pose([person], SIZE, full.with_parts(["body"]))[60, 60].any()
    assert not draw_pose([person], SIZE, full.with_parts(["face"]))[20, 104].any()
    assert not draw_pose([person], SIZE, full.with_parts([])).any()
    dots = draw_pose([person], SIZE, replace(full, body=False, hands=False, pens=lambda _: Pens(face=0)))
    assert dots.any(axis=2).sum() == 1


def test_part_by_part_everybodys_joints_lie_over_everybodys_limbs() -> None:
    """Somebody in front crosses a joint of somebody behind with a limb."""
    behind = figure()
    places = np.full((JOINTS, 2), np.nan)
    places[[1, 2]] = (88, 64), (88, 4)
    crossing = figure(places)
    assert tuple(draw_pose([behind, crossing], SIZE, dialect("dwpose"))[34, 88]) == (255, 170, 0)
    by_person = replace(dialect("dwpose"), order=Order.PERSON)
    assert tuple(draw_pose([behind, crossing], SIZE, by_person)[34, 88]) == (153, 0, 0)


def test_nobody_is_black() -> None:
    for name in DIALECTS:
        assert not draw_pose([], SIZE, dialect(name)).any()
    nobody = figure(np.full((JOINTS, 2), np.nan))
    assert draw_pose([nobody], SIZE, dialect("dwpose")).shape == (120, 208, 3)
    assert not draw_pose([nobody], SIZE, dialect("dwpose")).any()


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no pose dialect 'klingon'.*openpose.*wan-animate"):
        dialect("klingon")
    assert set(DIALECTS) == {"openpose", "xinsir", "vace", "wan-animate", "core", "dwpose"}
