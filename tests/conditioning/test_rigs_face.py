# SPDX-License-Identifier: GPL-3.0-or-later
"""What no bone says: the neck, a face without face bones, how thick a limb is; and the 68 points that bones say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.rigs.bones import LEFT, LIMBS, NECK, NOSE, RIGHT, Skeleton, rest_points
from second_unit.addon.conditioning.rigs.eyelids import settled
from second_unit.addon.conditioning.rigs.face import MIRRORED, complete, face_joints, limb_radius
from second_unit.addon.conditioning.rigs.face_bones import auto_rig_pro_face, daz_face, makehuman_face, rigify_face
from second_unit.addon.conditioning.rigs.families import FAMILIES
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


# Face bones.

# Blender's metarig, Genesis 8 and MPFB as published: bone, head and tail at rest, left half and middle. Genesis 8 in
# centimetres right, up, towards the viewer; MPFB in metres right, back, up.
DAZ = {
    "Chin": (0, 158.34, 7.45), "MidNoseBridge": (0, 168.34, 9.0), "Nose": (0, 164.87, 10.35),
    "lJawClench": (6.07, 161.80, 0.79), "lBrowOuter": (5.47, 170.07, 7.25), "lBrowMid": (3.86, 170.67, 8.5),
    "lBrowInner": (1.95, 170.40, 8.75), "lNostril": (0.70, 164.55, 9.61), "lLipCorner": (3.26, 161.71, 7.33),
    "LipUpperMiddle": (0, 162.53, 9.21), "LipLowerMiddle": (0, 160.71, 8.69), "lLipUpperInner": (1.09, 162.24, 8.83),
    "lLipUpperOuter": (2.10, 162.06, 8.53), "lLipLowerInner": (1.09, 160.94, 8.40),
    "lLipLowerOuter": (2.13, 161.12, 8.13),
}  # fmt: skip
DAZ_LIDS = {
    "lEyelidInner": (1.81, 168.62, 7.90), "lEyelidOuter": (4.77, 168.62, 7.01),
    "lEyelidUpperInner": (3.21, 169.06, 8.07), "lEyelidUpperOuter": (3.37, 169.05, 8.07),
    "lEyelidLowerInner": (3.18, 167.95, 8.0), "lEyelidLowerOuter": (3.40, 167.95, 8.0),
}  # fmt: skip
DAZ_EYE = (3.29, 168.62, 6.23)
MPFB = {
    "special04": ((0, -0.107, 0.6255), (0, -0.132, 0.643)), "special03": ((0, -0.056, 0.703), (0, -0.159, 0.704)),
    "oculi02.L": ((0.0523, -0.121, 0.742), (0.032, -0.139, 0.757)),
    "oculi01.L": ((0.032, -0.139, 0.757), (0.0153, -0.143, 0.758)),
    "levator06.L": ((0.0057, -0.158, 0.698), (0.0169, -0.139, 0.702)),
    "levator05.L": ((0.0277, -0.137, 0.670), (0.0248, -0.137, 0.662)),
    "oris05": ((0, -0.150, 0.682), (0, -0.153, 0.676)), "oris01": ((0, -0.143, 0.653), (0, -0.148, 0.667)),
    "oris03.L": ((0.0134, -0.147, 0.681), (0.0164, -0.147, 0.675)),
    "oris07.L": ((0.0124, -0.140, 0.648), (0.0172, -0.143, 0.660)),
}  # fmt: skip
Ends = dict[str, tuple[Sequence[float], Sequence[float]]]


def mirrored_bones(half: Ends, sides: tuple[str, str]) -> Ends:
    """The same with the right half, whose names differ by the side at their beginning or their end."""
    whole = dict(half)
    for name, (head, tail) in half.items():
        twin = name
        if name.endswith(f".{sides[0]}"):
            twin = name[: -len(sides[0])] + sides[1]
        elif name.startswith(sides[0]):
            twin = sides[1] + name[len(sides[0]) :]
        whole[twin] = ((-head[0], *head[1:]), (-tail[0], *tail[1:])) if twin != name else (head, tail)
    return whole


def as_skeleton(bones: Ends) -> Skeleton:
    heads, tails = (np.array([ends[k] for ends in bones.values()], np.float64) for k in (0, 1))
    return Skeleton(tuple(bones), np.full(len(bones), -1), heads, tails)


def daz(*, lids: str = "kept") -> Skeleton:
    """Genesis 8 at rest with the ends of its lid bones ``kept``, all ``alike``, or made up ``aside`` by an importer."""
    ahead = np.array([0, 0, 1.0])
    bones: Ends = {name: (head, tuple(np.add(head, ahead * 0.5))) for name, head in DAZ.items()}
    for name, tail in DAZ_LIDS.items():
        made = {"kept": tail, "alike": tuple(np.add(DAZ_EYE, ahead)), "aside": tuple(np.add(DAZ_EYE, (0, 2, 0)))}
        flip = -1 if "Lower" in name and lids == "aside" else 1
        bones[name] = (DAZ_EYE, tuple(np.add(DAZ_EYE, np.subtract(made[lids], DAZ_EYE) * flip)))
    return as_skeleton(mirrored_bones(bones, ("l", "r")))


def points_of(skeleton: Skeleton, table: dict[int, tuple[str, float]]) -> F64:
    """(68, 3) at rest."""
    known = {name: name for name in skeleton.names}
    return rest_points(skeleton, settled(skeleton, face_joints(known.get, table)))[FACE]


def assert_is_drawn_like_a_face(points: F64, up: int) -> None:
    """Every known point on its side, mirror images level, brows over eyes over nose over mouth over chin."""
    for right, left in MIRRORED:
        if np.isfinite(points[[right, left]]).all():
            assert points[right] == pytest.approx(points[left] * (-1, 1, 1))
            assert points[left, 0] > 0
    heights = points[:, up]
    order = [range(17, 27), range(36, 48), [30, 33], range(31, 36), range(48, 68), [8]]
    rows = [heights[list(part)][np.isfinite(heights[list(part)])] for part in order]
    rows = [row for row in rows if len(row)]
    assert all(above.min() > below.max() - 1e-3 for above, below in itertools.pairwise(rows) if above is not below)
    for outer, inner in (
        (17, 21),
        (17, 19),
        (19, 21),
        (18, 20),
        (36, 39),
        (37, 38),
        (41, 40),
        (48, 49),
        (49, 50),
        (49, 51),
    ):
        if np.isfinite(points[[outer, inner]]).all():
            assert points[outer, 0] < points[inner, 0] <= 0
    for upper, lower in ((37, 41), (38, 40), (51, 57), (49, 59), (50, 58)):
        if np.isfinite(points[[upper, lower]]).all():
            assert heights[upper] > heights[lower]


def test_genesis_8_has_its_brows_lids_nose_lips_and_chin() -> None:
    points = points_of(daz(), daz_face())
    assert np.isfinite(points).all(axis=1).sum() == 45
    assert_is_drawn_like_a_face(points, up=1)
    assert points[45] == pytest.approx(DAZ_LIDS["lEyelidOuter"])
    assert points[39] == pytest.approx(np.array(DAZ_LIDS["lEyelidInner"]) * (-1, 1, 1))
    assert points[30] == pytest.approx(DAZ["Nose"])


@pytest.mark.parametrize("lids", ["alike", "aside"])
def test_lids_whose_ends_an_importer_made_up_are_left_out(lids: str) -> None:
    points = points_of(daz(lids=lids), daz_face())
    assert np.isnan(points[36:48]).all()
    assert np.isfinite(points).all(axis=1).sum() == 33


def test_mpfb_has_its_brows_nose_lips_and_chin() -> None:
    points = points_of(as_skeleton(mirrored_bones(MPFB, ("L", "R"))), makehuman_face())
    assert np.isfinite(points).all(axis=1).sum() == 30
    assert_is_drawn_like_a_face(points, up=2)


@pytest.mark.parametrize("inner_first", [False, True])
def test_which_of_numbered_lids_is_the_outer_one_the_rest_pose_tells(*, inner_first: bool) -> None:
    numbers = ("3", "1", "2", "1") if inner_first else ("1", "3", "1", "2")
    lids = dict(
        zip(
            (f"c_eyelid_{part}.l" for part in (
                f"top_0{numbers[0]}", f"top_0{numbers[1]}", f"bot_0{numbers[0]}", f"bot_0{numbers[1]}",
                f"corner_0{numbers[2]}", f"corner_0{numbers[3]}",
            )),
            ((4.2, 169.1, 7.9), (2.5, 169.1, 8.0), (4.2, 168.0, 7.9), (2.5, 168.0, 8.0), (4.77, 168.6, 7.0),
             (1.81, 168.6, 7.9)), strict=True,
        )
    )  # fmt: skip
    bones: Ends = {name: (DAZ_EYE, tail) for name, tail in lids.items()}
    for name, place in {
        "c_eyebrow_03.l": DAZ["lBrowOuter"], "c_eyebrow_01_end.l": DAZ["lBrowInner"],
        "c_lips_smile.l": DAZ["lLipCorner"], "c_lips_top.x": DAZ["LipUpperMiddle"],
    }.items():  # fmt: skip
        bones[name] = (place, tuple(np.add(place, (0, 0, 0.3))))
    points = points_of(as_skeleton(mirrored_bones(bones, ("l", "r"))), auto_rig_pro_face())
    assert_is_drawn_like_a_face(points, up=1)
    assert points[[44, 43, 46, 47, 45, 42], 0] == pytest.approx([4.2, 2.5, 4.2, 2.5, 4.77, 1.81])


def test_each_family_with_face_bones_finds_them_and_the_others_have_none() -> None:
    """Every bone of each table, under its family's body: so many points, none of them at the bones of another side."""
    counts = {family.name: len(family.face) for family in FAMILIES if family.face}
    assert counts == {
        "Rigify": 68, "Rigify original bones": 68, "Rigify metarig": 68, "MakeHuman": 30, "Daz Genesis 3 and 8": 45,
        "Daz Genesis 9": 19, "Auto-Rig Pro": 41, "Unreal mannequin": 36,
    }  # fmt: skip
    for family in FAMILIES:
        for right, left in MIRRORED:
            if right in family.face:
                name, along = family.face[right]
                twin, twin_along = family.face[left]
                assert along == twin_along
                assert name != twin
                assert len(name) == len(twin)


def test_without_face_bones_there_are_no_face_points() -> None:
    assert face_joints(lambda _: None, rigify_face("")) == {}
    assert settled(as_skeleton({"head": ((0, 0, 0), (0, 0, 1))}), {}) == {}


def test_each_of_the_68_points_has_one_bone_and_its_mirror_image_the_other() -> None:
    found = face_joints(lambda name: name, rigify_face("DEF-"))
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
