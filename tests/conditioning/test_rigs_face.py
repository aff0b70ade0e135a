# SPDX-License-Identifier: GPL-3.0-or-later
"""What no bone says: the neck, a face without face bones, how thick a limb is; and the 68 points that bones say."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.rigs.bones import LEFT, LIMBS, NECK, NOSE, RIGHT
from second_unit.addon.conditioning.rigs.face import complete, face_joints, limb_radius
from second_unit.addon.shot.people import FACE

F64 = npt.NDArray[np.float64]

# Somebody 1.75 m tall at the origin who looks along -y; their left is +x.
HALF = {
    "shoulder": (0.19, 0, 1.42), "elbow": (0.30, -0.02, 1.16), "wrist": (0.34, -0.10, 0.92), "hip": (0.10, 0, 0.92),
    "knee": (0.11, -0.03, 0.50), "ankle": (0.12, 0, 0.09), "eye": (0.035, -0.10, 1.64), "ear": (0.08, -0.01, 1.62),
}  # fmt: skip
HEAD = np.array([0.0, 0.0, 1.52])
AXES = np.array([(0.0, 0, 1), (0, -1, 0), (1, 0, 0)])


def standing(*parts: str) -> F64:
    """The joints of these parts on both sides, the others unknown."""
    joints = np.full((18, 3), np.nan)
    for part in parts:
        joints[LEFT[part]] = HALF[part]
        joints[RIGHT[part]] = np.array(HALF[part]) * (-1, 1, 1)
    return joints


# What no bone says.


def test_the_neck_is_the_middle_of_the_shoulders_whatever_the_rig_says() -> None:
    joints = standing(*LIMBS)
    joints[NECK] = 0, 0.05, 1.50
    assert complete(joints, HEAD, AXES)[NECK] == pytest.approx((0, 0, 1.42))
    assert complete(joints, None, None)[NECK] == pytest.approx((0, 0, 1.42))


def test_known_joints_are_left_alone_and_so_is_the_input() -> None:
    joints = standing(*HALF)
    before = joints.copy()
    filled = complete(joints, HEAD, AXES)
    assert np.array_equal(joints, before, equal_nan=True)
    known = np.isfinite(before).all(axis=1)
    assert np.array_equal(filled[known], before[known])


def test_without_a_head_the_face_stays_unknown() -> None:
    filled = complete(standing(*LIMBS), None, None)
    assert np.isnan(filled[[NOSE, *(table[p] for table in (LEFT, RIGHT) for p in ("eye", "ear"))]]).all()
    assert np.isfinite(filled[[table[p] for table in (LEFT, RIGHT) for p in LIMBS]]).all()


def assert_is_a_face(joints: F64, head: F64, axes: F64) -> None:
    """Nose in front, eyes above it, ears behind the eyes, left on the left, all within a head's size."""
    up, forward, left = ((joints - head) @ axes.T).T
    le, re, la, ra = LEFT["eye"], RIGHT["eye"], LEFT["ear"], RIGHT["ear"]
    assert forward[NOSE] > forward[le] == pytest.approx(forward[re])
    assert forward[le] > forward[la] == pytest.approx(forward[ra])
    assert up[le] == pytest.approx(up[re])
    assert up[le] > up[NOSE] > 0
    assert left[la] > left[le] > 0 > left[re] > left[ra]
    assert left[NOSE] == pytest.approx(0, abs=1e-9)
    assert max(np.linalg.norm(joints[i] - head) for i in (NOSE, le, re, la, ra)) < 0.25


def test_a_face_without_bones_is_a_face() -> None:
    assert_is_a_face(complete(standing(*LIMBS), HEAD, AXES), HEAD, AXES)


@given(st.floats(-math.pi, math.pi), st.floats(-1, 1), st.floats(-1, 1))
def test_the_face_turns_with_the_head(yaw: float, pitch: float, roll: float) -> None:
    axes = AXES @ turn(2, yaw).T @ turn(0, pitch).T @ turn(1, roll).T
    assert_is_a_face(complete(standing(*LIMBS), HEAD, axes), HEAD, axes)


def turn(axis: int, angle: float) -> F64:
    matrix = np.eye(3)
    a, b = (i for i in range(3) if i != axis)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
    return matrix


@given(st.floats(0.01, 100))
def test_a_larger_figure_has_a_larger_face_and_thicker_limbs(scale: float) -> None:
    small = complete(standing(*LIMBS), HEAD, AXES)
    large = complete(standing(*LIMBS) * scale, HEAD * scale, AXES)
    assert large == pytest.approx(small * scale)
    assert limb_radius(large) == pytest.approx(limb_radius(small) * scale)


def test_a_limb_of_a_grown_person_is_a_fifth_of_a_metre_deep() -> None:
    assert limb_radius(complete(standing(*LIMBS), HEAD, AXES)) == pytest.approx(0.2)


def test_one_eye_that_has_a_bone_stays_where_the_bone_is() -> None:
    joints = standing(*LIMBS)
    joints[LEFT["eye"]] = 0.03, -0.09, 1.66
    filled = complete(joints, HEAD, AXES)
    assert filled[LEFT["eye"]] == pytest.approx((0.03, -0.09, 1.66))
    assert np.isfinite(filled[RIGHT["eye"]]).all()


def test_without_face_bones_there_are_no_face_points() -> None:
    assert face_joints(lambda _: None, "") == {}


def test_each_of_the_68_points_has_one_bone_and_its_mirror_image_the_other() -> None:
    found = face_joints(lambda name: name, "DEF-")
    assert sorted(found) == list(range(FACE.start, FACE.stop))
    contour = dict(zip(range(17), range(16, -1, -1), strict=True))
    brows = dict(zip(range(17, 27), range(26, 16, -1), strict=True))
    eyes = {36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46}
    lips = {48: 54, 49: 53, 50: 52, 59: 55, 58: 56, 60: 64, 61: 63, 67: 65, 31: 35, 32: 34}
    for right, left in {**contour, **brows, **eyes, **lips}.items():
        a, b = found[FACE.start + right], found[FACE.start + left]
        assert a.bone.replace(".R", ".L") == b.bone.replace(".R", ".L")
        assert a.along == b.along
        assert a.bone != b.bone or right == left
