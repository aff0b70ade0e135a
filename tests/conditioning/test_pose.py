# SPDX-License-Identifier: GPL-3.0-or-later
"""Where joints are in the picture, and what is hidden by whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.people.pose import REACH_SHARES, Policy, Visibility, keypoints, visibility
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Person
from second_unit.addon.shot.people import BODY, COCO18, FACE, FEET, JOINTS, LEFT_HAND, RIGHT_HAND

SIZE = (208, 120)


def posed(frame: FrameGeometry, number: int = 0) -> dict[str, Visibility]:
    person = draw(frame, Exposure()).people[number]
    return {name: Visibility(int(code)) for name, code in zip(COCO18, person.visibility[BODY], strict=True)}


def everywhere(place: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """All joints of somebody in one place."""
    return np.tile(np.array(place), (JOINTS, 1))


def names_of(person: Person, camera: Camera, depth: npt.NDArray[Any], ids: npt.NDArray[Any]) -> list[str]:
    (posed,) = keypoints([person], camera, depth, ids)
    return [Visibility(int(code)).name for code in posed.visibility]


@pytest.fixture
def alone(scenes: Any) -> FrameGeometry:
    """Somebody who stands on the ground and looks at the camera."""
    ground = scenes.frame(scenes.camera(size=SIZE), (scenes.plane(40, 40), scenes.placed()))
    return scenes.with_person(ground, (0, 0, 0))


def test_somebody_who_faces_the_camera_is_all_seen(alone: FrameGeometry) -> None:
    assert set(posed(alone).values()) == {Visibility.SEEN}


def test_a_screen_hides_what_is_behind_it_and_nothing_else(scenes: Any, alone: FrameGeometry) -> None:
    """A sheet up to 0.9 m, 1.5 m in front of the person: it hides knees and ankles."""
    screen = scenes.placed((0, -1.5, 0.3), (4, 0.02, 1.2))
    with_screen = replace(
        alone, meshes=(*alone.meshes, scenes.box()),
        instances=(*alone.instances, replace(alone.instances[0], key="screen", mesh=len(alone.meshes), matrix=screen)),
    )  # fmt: skip
    hidden = {name for name, code in posed(with_screen).items() if code is not Visibility.SEEN}
    assert hidden == {"RKnee", "RAnkle", "LKnee", "LAnkle"}
    assert posed(with_screen)["RKnee"] is Visibility.OCCLUDED
    held = replace(with_screen, instances=(*alone.instances, replace(with_screen.instances[-1], holdout=True)))
    assert posed(held)["RKnee"] is Visibility.OCCLUDED
    assert np.isinf(draw(held, Exposure()).depth).sum() > np.isinf(draw(with_screen, Exposure()).depth).sum()


def test_the_own_body_hides_differently_from_somebody_else(scenes: Any, alone: FrameGeometry) -> None:
    """A wrist behind the back is self-occluded; behind another person it is occluded."""
    person = alone.people[0]
    joints = person.joints.copy()
    joints[4] = (-0.02, 0.45, 1.1)
    behind_back = replace(alone, people=(replace(person, joints=joints),))
    assert posed(behind_back)["RWrist"] is Visibility.SELF_OCCLUDED
    crowd = scenes.with_person(alone, (0, -1.6, 0))
    assert posed(crowd)["RHip"] is Visibility.OCCLUDED
    assert posed(crowd, 1)["RHip"] is Visibility.SEEN


def test_a_joint_inside_the_own_surface_is_seen_within_reach_only(scenes: Any) -> None:
    camera = scenes.straight((8, 8))
    depth = np.full((8, 8), 5.0, np.float32)
    joints = np.array([(4.0, 4.0, 5.1), (4.0, 4.0, 5.3), (4.0, 4.0, 4.9)])
    codes = visibility(joints, camera, depth, 0.2)
    assert [Visibility(int(code)).name for code in codes] == ["SEEN", "OCCLUDED", "SEEN"]


def test_outside_behind_missing_and_beyond_far_are_told_apart(scenes: Any) -> None:
    camera = scenes.straight((8, 8), near=0.5, far=50.0)
    depth = np.full((8, 8), np.inf, np.float32)
    joints = np.array(
        [(-0.01, 4, 2), (7.99, 4, 2), (8.0, 4, 2), (4, -3, 2), (4, 4, -2), (4, 4, 0.4), (np.nan, 4, 2), (4, 4, 60)]
    )
    names = [Visibility(int(code)).name for code in visibility(joints, camera, depth, 0.2)]
    assert names == ["OUTSIDE", "SEEN", "OUTSIDE", "OUTSIDE", "BEHIND", "BEHIND", "MISSING", "OCCLUDED"]


def test_missing_joints_of_a_rig_are_missing_in_the_frame(alone: FrameGeometry) -> None:
    joints = alone.people[0].joints.copy()
    joints[14:] = np.nan
    frame = replace(alone, people=(Person("a", joints, 0.18),))
    assert [name for name, code in posed(frame).items() if code is Visibility.MISSING] == list(COCO18[14:])
    codes = draw(frame, Exposure()).people[0].visibility
    assert codes.shape == (JOINTS,)
    assert (codes[BODY.stop :] == Visibility.MISSING).all()


def test_keypoints_lie_where_the_camera_projects_the_joints(alone: FrameGeometry) -> None:
    person = draw(alone, Exposure()).people[0]
    projected = alone.camera.project(alone.people[0].joints)
    np.testing.assert_allclose(person.points, projected[:, :2])
    np.testing.assert_allclose(person.z, projected[:, 2])


def test_each_joint_has_the_reach_of_its_kind(scenes: Any) -> None:
    """A screen at 5 m, joints 4 cm behind it: seen where the body is thick, hidden where it is thin."""
    camera, depth = scenes.straight((8, 8)), np.full((8, 8), 5.0, np.float32)
    codes = np.array(names_of(Person("a", everywhere((0, 0, 5.04)), 0.2), camera, depth, np.zeros((8, 8), np.uint8)))
    assert set(codes[BODY]) == {"SEEN"}
    assert set(codes[FEET]) == {"SEEN"}
    for hand in (LEFT_HAND, RIGHT_HAND):
        assert codes[hand.start] == "SEEN", "the wrist is as thick as the body's"
        assert set(codes[hand.start + 1 : hand.stop]) == {"OCCLUDED"}
    deeper = np.array(names_of(Person("a", everywhere((0, 0, 5.06)), 0.2), camera, depth, np.zeros((8, 8), np.uint8)))
    assert set(deeper[FEET]) == set(deeper[FACE]) == {"OCCLUDED"}
    assert deeper[1] == deeper[0] == deeper[4] == "SEEN"
    deepest = np.array(names_of(Person("a", everywhere((0, 0, 5.15)), 0.2), camera, depth, np.zeros((8, 8), np.uint8)))
    assert {COCO18[k] for k in np.flatnonzero(deepest[BODY] == "OCCLUDED")} == {
        "Nose", "REye", "LEye", "REar", "LEar", "RWrist", "LWrist", "RAnkle", "LAnkle",
    }  # fmt: skip


def test_reach_grows_with_the_person() -> None:
    assert REACH_SHARES.shape == (JOINTS,)
    assert REACH_SHARES.max() == 1.0
    fingers = [*range(LEFT_HAND.start + 1, LEFT_HAND.stop), *range(RIGHT_HAND.start + 1, RIGHT_HAND.stop)]
    assert REACH_SHARES[fingers].max() * 0.2 <= 0.03, "half of what lies between a finger and the one after the next"


def test_a_finger_behind_a_thin_board_is_occluded_and_one_behind_the_own_palm_self_occluded(scenes: Any) -> None:
    """A board 3 cm in front of the hand, then the same board as part of the person."""
    camera = scenes.camera((0, -3, 1), (0, 0, 1), (64, 64))
    board = scenes.placed((0, -0.04, 1.0), (0.3, 0.005, 0.3))
    frame = scenes.frame(camera, (scenes.box(), board))
    joints = np.full((JOINTS, 3), np.nan)
    joints[LEFT_HAND] = np.linspace((-0.05, 0, 1), (0.05, 0, 1), 21)
    behind = replace(frame, people=(Person("a", joints, 0.2),))
    codes = draw(behind, Exposure()).people[0].visibility[LEFT_HAND]
    assert set(codes[1:]) == {Visibility.OCCLUDED}
    own = replace(behind, instances=(replace(frame.instances[0], person=0),))
    assert set(draw(own, Exposure()).people[0].visibility[LEFT_HAND][1:]) == {Visibility.SELF_OCCLUDED}
    free = replace(behind, instances=(replace(frame.instances[0], matrix=scenes.placed((0, 0.5, 1.0))),))
    assert set(draw(free, Exposure()).people[0].visibility[LEFT_HAND]) == {Visibility.SEEN}


def test_a_face_looking_away_is_behind_its_own_head(scenes: Any, alone: FrameGeometry) -> None:
    """The nose of the analytic figure lies 21 cm behind the back of its head, the ears at its sides."""
    away = scenes.with_person(replace(alone, people=(), instances=alone.instances[:1]), (0, 0, 0), np.pi)
    codes = posed(away)
    assert {codes["Nose"], codes["REye"], codes["LEye"]} == {Visibility.SELF_OCCLUDED}
    assert codes["RShoulder"] is Visibility.SEEN
    person = draw(away, Exposure()).people[0]
    assert person.shown()[0]
    assert not person.shown(Policy(head_from_behind=False))[[0, 14, 15]].any()
    assert person.shown(Policy(head_from_behind=False))[1:14].all()


@pytest.mark.parametrize("orthographic", [False, True])
def test_all_states_are_right_from_a_parallel_camera_too(scenes: Any, orthographic: bool) -> None:
    """A wall 4 m away covers the right half; joints before it, behind it, beside the picture and behind the camera."""
    size, scale = (80, 60), 10.0 if orthographic else 80.0
    camera = scenes.straight(size, orthographic=orthographic, fx=scale, fy=scale, near=0.5, far=50.0)
    right_half = scenes.placed((10, 0, 4), (20, 40, 0.1))
    joints = np.full((JOINTS, 3), np.nan)
    joints[:8] = [
        (0.5, 0, 3),
        (0.5, 0, 9),
        (-0.5, 0, 9),
        (60, 0, 9),
        (0.1, 0, 0.4),
        (-0.5, 0, -3),
        (0.5, 0, 4.1),
        (-1, 0, 60),
    ]
    frame = replace(scenes.frame(camera, (scenes.box(), right_half)), people=(Person("a", joints, 0.2),))
    codes = draw(frame, Exposure()).people[0].visibility[:9]
    assert [Visibility(int(code)).name for code in codes] == [
        "SEEN", "OCCLUDED", "SEEN", "OUTSIDE", "BEHIND", "BEHIND", "SEEN", "OCCLUDED", "MISSING",
    ]  # fmt: skip


def test_what_the_near_plane_cuts_away_hides_nothing(scenes: Any) -> None:
    """A board before the near plane is not drawn, so the joint behind it is seen; a joint before the plane is not."""
    camera = scenes.straight((40, 40), near=1.0)
    board = scenes.placed((0, 0, 0.7), (2, 2, 0.1))
    joints = np.full((JOINTS, 3), np.nan)
    joints[:2] = (0, 0, 3), (0, 0, 0.8)
    frame = replace(scenes.frame(camera, (scenes.box(), board)), people=(Person("a", joints, 0.2),))
    assert draw(frame, Exposure()).people[0].visibility[:2].tolist() == [Visibility.SEEN, Visibility.BEHIND]


def test_the_border_of_the_picture_belongs_to_it_on_the_left_and_top_only(scenes: Any) -> None:
    camera, depth = scenes.straight((8, 6)), np.full((6, 8), np.inf, np.float32)
    joints = np.array([(0, 0, 2), (8, 3, 2), (3, 6, 2), (7.999, 5.999, 2), (-1e-9, 3, 2)])
    codes = visibility(joints, camera, depth, np.full(5, 0.1))
    assert [Visibility(int(code)).name for code in codes] == ["SEEN", "OUTSIDE", "OUTSIDE", "SEEN", "OUTSIDE"]


def test_beyond_the_far_plane_nothing_is_there_not_even_behind_the_own_body(scenes: Any) -> None:
    camera, depth = scenes.straight((8, 8), far=50.0), np.full((8, 8), 49.0, np.float32)
    codes = visibility(np.array([(4, 4, 49.5), (4, 4, 60.0)]), camera, depth, 0.2, np.ones((8, 8), bool))
    assert codes.tolist() == [Visibility.SELF_OCCLUDED, Visibility.OCCLUDED]
