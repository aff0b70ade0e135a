# SPDX-License-Identifier: GPL-3.0-or-later
"""People as data: what readers of POSE_KEYPOINT expect, and our own document."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.people.keypoints import PeopleFrame, people_json, pose_keypoint_json
from second_unit.addon.conditioning.people.pose import Policy, PosedPerson, Visibility
from second_unit.addon.shot.people import BODY, FACE, FEET, JOINTS, LEFT_HAND, RIGHT_HAND

SIZE = (208, 120)
LENGTHS = {
    "pose_keypoints_2d": 54, "foot_keypoints_2d": 18, "face_keypoints_2d": 210,
    "hand_left_keypoints_2d": 63, "hand_right_keypoints_2d": 63,
}  # fmt: skip


def figure(
    points: npt.NDArray[Any] | None = None, has: tuple[slice, ...] = (BODY,), **codes: Visibility
) -> PosedPerson:
    """Somebody who has these groups of joints, each joint in a place of its own."""
    places = np.column_stack([20.0 + np.arange(JOINTS), 10.0 + np.arange(JOINTS) / 2]) if points is None else points
    seen = np.full(JOINTS, Visibility.MISSING, np.int8)
    for part in has:
        seen[part] = Visibility.SEEN
    for name, code in codes.items():
        seen[int(name.removeprefix("j"))] = code
    places = np.where((seen == Visibility.MISSING)[:, None], np.nan, places)
    return PosedPerson("a", places, np.where(seen == Visibility.MISSING, np.nan, 2.0), seen)


def triples(values: list[float]) -> npt.NDArray[np.float64]:
    return np.array(values).reshape(-1, 3)


def lists_of(person: PosedPerson, policy: Policy | None = None) -> dict[str, npt.NDArray[np.float64]]:
    (document,) = json.loads(json.dumps(pose_keypoint_json([[person]], SIZE, policy or Policy()), allow_nan=False))
    return {key: triples(values) for key, values in document["people"][0].items()}


def test_lists_are_full_pixels_stay_pixels_and_confidence_is_all_or_nothing() -> None:
    gone = figure(np.full((JOINTS, 2), 900.0), **{f"j{k}": Visibility.OUTSIDE for k in range(18)})
    person = figure(j4=Visibility.OCCLUDED, j9=Visibility.MISSING)
    documents = json.loads(json.dumps(pose_keypoint_json([[person, gone], []], SIZE)))
    assert [len(one["people"]) for one in documents] == [1, 0]
    assert {(one["canvas_width"], one["canvas_height"]) for one in documents} == {SIZE}
    lists = documents[0]["people"][0]
    assert {key: len(values) for key, values in lists.items()} == LENGTHS
    body = triples(lists["pose_keypoints_2d"])
    assert np.flatnonzero(body[:, 2] == 0).tolist() == [4, 9]
    np.testing.assert_array_equal(body[0], (20, 10, 1))
    np.testing.assert_array_equal(body[4], (0, 0, 0))
    for key in LENGTHS.keys() - {"pose_keypoints_2d"}:
        assert not any(lists[key])


def test_hands_feet_and_face_are_the_persons_own_in_their_order() -> None:
    lists = lists_of(figure(has=(slice(0, JOINTS),)))
    for key, part in (
        ("pose_keypoints_2d", BODY), ("foot_keypoints_2d", FEET),
        ("hand_left_keypoints_2d", LEFT_HAND), ("hand_right_keypoints_2d", RIGHT_HAND),
    ):  # fmt: skip
        assert lists[key][:, 0].tolist() == [20 + k for k in range(part.start, part.stop)], key
    face = lists["face_keypoints_2d"]
    assert face[:68, 0].tolist() == [20 + k for k in range(FACE.start, FACE.stop)]
    assert face[68:, 0].tolist() == [20 + 14, 20 + 15], "right eye, left eye"
    assert (face[:, 2] == 1).all()


def test_eyes_alone_make_no_face_and_a_face_without_eyes_keeps_their_places() -> None:
    assert not lists_of(figure())["face_keypoints_2d"].any()
    face = lists_of(figure(has=(BODY, FACE), j15=Visibility.OCCLUDED))["face_keypoints_2d"]
    assert face[68].tolist() == [34, 17, 1]
    assert face[69].tolist() == [0, 0, 0]


@pytest.mark.parametrize("code", Visibility)
def test_what_is_listed(code: Visibility) -> None:
    listed = lists_of(figure(j4=code))["pose_keypoints_2d"][4].tolist()
    shown = code in (Visibility.SEEN, Visibility.SELF_OCCLUDED, Visibility.OUTSIDE)
    assert listed == ([24.0, 12.0, 1.0] if shown else [0.0, 0.0, 0.0])
    only_seen = Policy(self_occluded=False, outside=False)
    assert lists_of(figure(j4=code), only_seen)["pose_keypoints_2d"][4, 2] == float(code is Visibility.SEEN)


def is_read_as_shares(keypoints: npt.NDArray[np.float64]) -> bool:
    """The rule by which comfyui_controlnet_aux and webui take a list for shares of the picture."""
    points = keypoints[keypoints[:, 2] >= 1.0, :2]
    return bool(len(points)) and bool((np.abs(points) <= 1).all())


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.sampled_from([0.3, 2.0, 50.0, 1e9]))
def test_no_list_can_be_mistaken_for_shares_and_every_number_is_one(seed: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    codes = random.choice(list(Visibility), JOINTS).astype(np.int8)
    codes[0] = Visibility.SEEN
    points = random.normal(0, spread, (JOINTS, 2))
    points[0] = 100
    points[codes == Visibility.MISSING] = np.nan
    points[codes == Visibility.BEHIND] = np.inf
    for key, keypoints in lists_of(PosedPerson("a", points, np.ones(JOINTS), codes)).items():
        assert keypoints.size == LENGTHS[key]
        assert not is_read_as_shares(keypoints), key
        assert set(keypoints[:, 2].tolist()) <= {0.0, 1.0}
        assert np.isfinite(keypoints).all()
        assert not keypoints[keypoints[:, 2] == 0].any()


def test_a_group_squeezed_into_the_first_pixel_is_left_out() -> None:
    points = np.full((JOINTS, 2), 100.0)
    points[LEFT_HAND] = 0.5
    lists = lists_of(figure(points, has=(BODY, LEFT_HAND)))
    assert not lists["hand_left_keypoints_2d"].any()
    assert lists["pose_keypoints_2d"][:, 2].all()


def test_our_own_document_tells_place_distance_and_visibility() -> None:
    codes = {"j4": Visibility.OCCLUDED, "j9": Visibility.BEHIND, "j12": Visibility.MISSING}
    frames = [PeopleFrame(1001, "1", [figure(has=(BODY, FEET), **codes)]), PeopleFrame(1002, "3/2", [])]
    document = json.loads(json.dumps(people_json(frames, SIZE, ["b", "a"], 0.01), allow_nan=False))
    assert document["size"] == list(SIZE)
    assert document["people"] == [{"id": 0, "key": "b"}, {"id": 1, "key": "a"}]
    assert [(one["frame"], one["scene"], len(one["people"])) for one in document["frames"]] == [
        (1001, "1", 1), (1002, "3/2", 0),
    ]  # fmt: skip
    person = document["frames"][0]["people"][0]
    assert (person["id"], person["key"]) == (1, "a")
    assert person.keys() == {"id", "key", "body", "feet"}, "nothing of hands and face nobody has"
    body = person["body"]
    assert {len(values) for values in body.values()} == {18} == {len(document["joints"]["body"])}
    assert [body["visibility"][k] for k in (0, 4, 9, 12)] == ["SEEN", "OCCLUDED", "BEHIND", "MISSING"]
    assert [body["pixel"][k] for k in (0, 4, 9, 12)] == [[20.0, 10.0], [24.0, 12.0], None, None]
    assert [body["depth_m"][k] for k in (0, 4, 9, 12)] == [0.02, 0.02, 0.02, None]


def test_every_joint_has_a_name_of_its_own_in_its_group() -> None:
    joints = people_json([], SIZE, [])["joints"]
    assert [len(names) for names in joints.values()] == [18, 6, 21, 21, 68]
    assert all(len(set(names)) == len(names) for names in joints.values())
    assert joints["left_hand"][:6] == ["Wrist", "Thumb1", "Thumb2", "Thumb3", "Thumb4", "Index1"]


def test_somebody_who_is_not_of_the_cast_has_no_id_and_infinite_places_are_null() -> None:
    points = np.full((JOINTS, 2), np.inf)
    document = people_json([PeopleFrame(1, "1", [figure(points)])], SIZE, ["other"])
    person = json.loads(json.dumps(document, allow_nan=False))["frames"][0]["people"][0]
    assert person["id"] == -1
    assert person["body"]["pixel"] == [None] * 18
