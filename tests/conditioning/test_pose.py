# SPDX-License-Identifier: GPL-3.0-or-later
"""Stick figures: what is hidden by whom, and the drawing models were trained on."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.exposure import Exposure
from second_unit.addon.conditioning.frame import draw
from second_unit.addon.conditioning.pose import (
    COCO18,
    COLOURS,
    LIMBS,
    PosedPerson,
    Visibility,
    draw_openpose,
    pose_keypoint_json,
    visibility,
)
from second_unit.addon.shot.geometry import FrameGeometry, Person

SIZE = (208, 120)


def posed(frame: FrameGeometry, number: int = 0) -> dict[str, Visibility]:
    person = draw(frame, Exposure()).people[number]
    return {name: Visibility(int(code)) for name, code in zip(COCO18, person.visibility, strict=True)}


def figure(points: npt.NDArray[Any], codes: npt.NDArray[Any] | None = None) -> PosedPerson:
    seen = np.full(18, Visibility.SEEN, np.int8)
    return PosedPerson("a", points.astype(np.float64), np.ones(18), seen if codes is None else codes)


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


def test_keypoints_lie_where_the_camera_projects_the_joints(alone: FrameGeometry) -> None:
    person = draw(alone, Exposure()).people[0]
    projected = alone.camera.project(alone.people[0].joints)
    np.testing.assert_allclose(person.points, projected[:, :2])
    np.testing.assert_allclose(person.z, projected[:, 2])


def opencv_drawing(people: list[PosedPerson], size: tuple[int, int], stick: int = 4, disc: int = 4) -> npt.NDArray[Any]:
    """The OpenPose drawing by OpenCV itself."""
    cv2 = pytest.importorskip("cv2")
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    for person in people:
        p, drawn = person.points, person.drawn
        for number, (a, b) in enumerate(LIMBS):
            if not (drawn[a] and drawn[b]):
                continue
            (x, y), (dx, dy) = (p[a] + p[b]) / 2, p[a] - p[b]
            half, angle = int(math.sqrt(dx * dx + dy * dy) / 2), int(math.degrees(math.atan2(dy, dx)))
            polygon = cv2.ellipse2Poly((int(x), int(y)), (half, stick), angle, 0, 360, 1)
            cv2.fillConvexPoly(canvas, polygon, [int(int(c) * 0.6) for c in COLOURS[number]])
        for k in range(18):
            if drawn[k]:
                cv2.circle(canvas, (int(p[k, 0]), int(p[k, 1])), disc, [int(c) for c in COLOURS[k]], thickness=-1)
    return canvas


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), spread=st.sampled_from([15, 60, 300, 4000]), count=st.integers(1, 3),
    stick=st.integers(1, 9), disc=st.integers(0, 9),
)  # fmt: skip
def test_every_pixel_is_opencvs(seed: int, spread: int, count: int, stick: int, disc: int) -> None:
    random = np.random.default_rng(seed)
    people = []
    for _ in range(count):
        codes = random.choice([Visibility.SEEN, Visibility.OUTSIDE, Visibility.OCCLUDED], 18, p=[0.8, 0.1, 0.1])
        people.append(figure(random.normal(90, spread, (18, 2)), codes.astype(np.int8)))
    ours = draw_openpose(people, SIZE, stick=stick, disc=disc)
    np.testing.assert_array_equal(ours, opencv_drawing(people, SIZE, stick, disc))


PLACES = np.array(
    [
        (104, 20), (104, 34), (88, 34), (80, 52), (76, 70), (120, 34), (128, 52), (132, 70), (96, 72),
        (94, 92), (92, 112), (112, 72), (114, 92), (116, 112), (100, 16), (108, 16), (94, 18), (114, 18),
    ]
)  # fmt: skip


def looks_right(picture: npt.NDArray[Any]) -> bool:
    """Spot check by the table of the field: full colour on joints, 0.6 of it in the middle of limbs."""
    spots = {
        (76, 70): (170, 255, 0), (132, 70): (0, 255, 85), (92, 112): (0, 170, 255), (116, 112): (85, 0, 255),
        (96, 34): (153, 0, 0), (112, 34): (153, 51, 0), (84, 43): (153, 102, 0), (124, 43): (102, 153, 0),
        (95, 82): (0, 153, 51), (113, 82): (0, 102, 153),
    }  # fmt: skip
    return all(tuple(picture[y, x].tolist()) == colour for (x, y), colour in spots.items())


def test_colours_are_the_fields_and_the_check_rejects_the_usual_mistakes() -> None:
    picture = draw_openpose([figure(PLACES)], SIZE)
    assert looks_right(picture)
    swapped = PLACES[[0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]]
    bright = np.where((picture > 0) & (picture.max(2) == 153)[..., None], (picture / 0.6).astype(np.uint8), picture)
    wrong = {
        "BGR": picture[..., ::-1],
        "left and right": draw_openpose([figure(swapped)], SIZE),
        "undarkened": bright,
        "shifted": np.roll(picture, 5, axis=1),
        "black": np.zeros_like(picture),
    }
    assert not [name for name, answer in wrong.items() if looks_right(answer)]


def test_a_one_pixel_shift_is_not_the_same_drawing() -> None:
    one, other = (draw_openpose([figure(PLACES + shift)], SIZE) for shift in (0, 1))
    assert (one != other).any()
    np.testing.assert_array_equal(one[:-1, :-1], other[1:, 1:])


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (Visibility.SEEN, True), (Visibility.SELF_OCCLUDED, True), (Visibility.OUTSIDE, True),
        (Visibility.OCCLUDED, False), (Visibility.BEHIND, False), (Visibility.MISSING, False),
    ],
)  # fmt: skip
def test_what_is_drawn_and_listed(code: Visibility, *, shown: bool) -> None:
    codes = np.full(18, Visibility.SEEN, np.int8)
    codes[4] = code
    picture = draw_openpose([figure(PLACES, codes)], SIZE)
    assert (picture[70, 76] > 0).any() == shown
    assert (picture[61, 78] > 0).any() == shown, "a limb needs both its ends"
    (document,) = pose_keypoint_json([[figure(PLACES, codes)]], SIZE)
    listed = document["people"][0]["pose_keypoints_2d"]
    assert listed[12:15] == ([76.0, 70.0, 1.0] if shown else [0.0, 0.0, 0.0])


def test_joints_that_are_not_numbers_or_absurdly_far_are_skipped() -> None:
    points = PLACES.astype(float)
    points[4], points[7], points[10] = (np.nan, 3), (1e30, 5), (np.inf, -np.inf)
    picture = draw_openpose([figure(points)], SIZE)
    assert (picture[70, 76] == 0).all()
    assert (picture[20, 104] == COLOURS[0]).all()


def test_later_people_are_painted_over_earlier_ones() -> None:
    picture = draw_openpose([figure(PLACES), figure(np.roll(PLACES, 1, axis=0))], SIZE)
    np.testing.assert_array_equal(picture[34, 104], COLOURS[2])


def test_nobody_is_black() -> None:
    assert not draw_openpose([], SIZE).any()
    assert draw_openpose([], SIZE).shape == (120, 208, 3)


def test_pose_keypoint_is_what_readers_expect() -> None:
    codes = np.full(18, Visibility.SEEN, np.int8)
    codes[[4, 9]] = Visibility.OCCLUDED, Visibility.MISSING
    gone = figure(PLACES + 500, np.full(18, Visibility.OUTSIDE, np.int8))
    documents = json.loads(json.dumps(pose_keypoint_json([[figure(PLACES + 0.25, codes), gone], []], SIZE)))
    assert [len(one["people"]) for one in documents] == [1, 0]
    assert {(one["canvas_width"], one["canvas_height"]) for one in documents} == {SIZE}
    person = documents[0]["people"][0]
    triples = np.array(person["pose_keypoints_2d"]).reshape(18, 3)
    assert set(triples[:, 2].tolist()) == {0.0, 1.0}
    assert np.flatnonzero(triples[:, 2] == 0).tolist() == [4, 9]
    np.testing.assert_array_equal(triples[0], (104.25, 20.25, 1.0))
    assert triples[:, :2].max() > 1, "pixels, never a share of the picture"
    lengths = {key: len(values) for key, values in person.items()}
    assert lengths == {
        "pose_keypoints_2d": 54, "face_keypoints_2d": 210,
        "hand_left_keypoints_2d": 63, "hand_right_keypoints_2d": 63,
    }  # fmt: skip
