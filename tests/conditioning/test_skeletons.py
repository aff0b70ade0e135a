# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rigs are people, and where their 18 joints are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.skeletons import (
    FAMILIES,
    LEFT,
    LIMBS,
    NECK,
    NOSE,
    RIGHT,
    BoneEnd,
    complete,
    find_joints,
    limb_radius,
)

F64 = npt.NDArray[np.float64]
SIDED = {**dict.fromkeys(LEFT.values(), "left"), **dict.fromkeys(RIGHT.values(), "right")}


def sided(left: str, right: str, *names: str) -> list[str]:
    return [name.format(s=side) for name in names for side in (left, right)]


RIGIFY_LIMBS = sided(
    "L", "R", *(f"{b}.{{s}}" for b in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "shoulder"))
)
RIGIFY_FACE = ["spine.006", "nose", "nose.001", "nose.002", *sided("L", "R", "eye.{s}", "ear.{s}", "ear.{s}.001")]
METARIG = [*RIGIFY_LIMBS, *RIGIFY_FACE, "spine", "spine.001", "spine.003", "pelvis.L", "pelvis.R", "toe.L", "toe.R"]
GENERATED = [
    *(f"DEF-{b}" for b in RIGIFY_LIMBS), *(f"ORG-{b}" for b in METARIG), "DEF-upper_arm.L.001", "DEF-upper_arm.R.001",
    "DEF-spine.006", "DEF-nose.001", "DEF-ear.L", "DEF-ear.R", "MCH-eye.L", "MCH-eye.R", "root", "torso",
    "head", "neck",
    *sided("L", "R", "upper_arm_fk.{s}", "hand_ik.{s}", "foot_ik.{s}", "MCH-forearm_ik.{s}", "upper_arm_parent.{s}"),
]  # fmt: skip
MIXAMO = [
    "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End",
    *sided("Left", "Right", "{s}Shoulder", "{s}Arm", "{s}ForeArm", "{s}Hand", "{s}HandIndex1", "{s}UpLeg", "{s}Leg",
           "{s}Foot", "{s}ToeBase", "{s}Eye"),
]  # fmt: skip
UNREAL = [
    "root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head", "ik_foot_root", "ik_hand_gun",
    *sided("l", "r", "clavicle_{s}", "upperarm_{s}", "upperarm_twist_01_{s}", "lowerarm_{s}", "lowerarm_twist_01_{s}",
           "hand_{s}", "index_01_{s}", "thigh_{s}", "thigh_twist_01_{s}", "calf_{s}", "foot_{s}", "ball_{s}",
           "ik_hand_{s}", "ik_foot_{s}"),
]  # fmt: skip
PEOPLE = {
    "Rigify": GENERATED,
    "Rigify original bones": [f"ORG-{b}" for b in METARIG],
    "Rigify metarig": METARIG,
    "Mixamo": MIXAMO,
    "Unreal mannequin": UNREAL,
}
BY_FAMILY = pytest.mark.parametrize(("family", "bones"), list(PEOPLE.items()), ids=list(PEOPLE))

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


@BY_FAMILY
def test_every_family_is_known_by_its_name(family: str, bones: list[str]) -> None:
    found = find_joints(bones)
    assert found is not None
    assert found.family == family


def test_every_shipped_family_is_tested_here() -> None:
    assert [family.name for family in FAMILIES] == list(PEOPLE)


@BY_FAMILY
def test_every_family_gives_all_18_joints(family: str, bones: list[str]) -> None:
    found = find_joints(bones)
    assert found is not None
    assert found.head in bones, family
    assert {end.bone for end in found.joints.values()} <= set(bones)
    everybody = standing(*HALF)
    everybody[NOSE] = 0, -0.12, 1.6
    joints = np.full((18, 3), np.nan)
    for index in found.joints:
        joints[index] = everybody[index]
    assert np.isfinite(complete(joints, HEAD, AXES)).all()


MIRROR = {
    **dict(zip(LEFT.values(), RIGHT.values(), strict=True)),
    **dict(zip(RIGHT.values(), LEFT.values(), strict=True)),
}
MARKS = {"Mixamo": ("Left", "Right"), "Unreal mannequin": ("_l", "_r")}


@BY_FAMILY
def test_left_stays_left(family: str, bones: list[str]) -> None:
    found = find_joints(bones)
    assert found is not None
    left, right = MARKS.get(family, (".L", ".R"))
    for index, end in found.joints.items():
        if index != NOSE:
            mine, other = (left, right) if SIDED[index] == "left" else (right, left)
            assert mine in end.bone
            assert found.joints[MIRROR[index]] == BoneEnd(end.bone.replace(mine, other), end.tail)


@BY_FAMILY
def test_a_limb_is_the_head_of_its_bone(family: str, bones: list[str]) -> None:
    found = find_joints(bones)
    assert found is not None
    assert not any(found.joints[table[limb]].tail for table in (LEFT, RIGHT) for limb in LIMBS), family


def test_rigify_by_hand() -> None:
    found = find_joints(GENERATED)
    assert found is not None
    assert found.joints[LEFT["elbow"]] == BoneEnd("DEF-forearm.L", tail=False)
    assert found.joints[RIGHT["ankle"]] == BoneEnd("DEF-foot.R", tail=False)
    assert found.joints[RIGHT["ear"]] == BoneEnd("DEF-ear.R", tail=False)
    assert found.joints[LEFT["eye"]].bone.endswith("eye.L")
    assert found.joints[NOSE] == BoneEnd("DEF-nose.001", tail=True)
    assert NECK not in found.joints


@pytest.mark.parametrize(
    "prefix", ["mixamorig:", "mixamorig1:", "mixamorig12:", "mixamorig_", "mixamorig", "Mixamorig:", ""]
)
def test_mixamo_has_many_prefixes(prefix: str) -> None:
    found = find_joints(f"{prefix}{bone}" for bone in MIXAMO)
    assert found is not None
    assert found.family == "Mixamo"
    assert found.joints[LEFT["wrist"]].bone == f"{prefix}LeftHand"
    assert found.joints[RIGHT["eye"]].bone == f"{prefix}RightEye"
    assert found.head == f"{prefix}Head"


@BY_FAMILY
def test_the_order_and_the_case_of_bones_do_not_matter(family: str, bones: list[str]) -> None:
    straight, turned = find_joints(bones), find_joints(list(reversed(bones)))
    assert straight == turned
    upper = find_joints(bone.upper() for bone in bones)
    assert upper is not None
    assert straight is not None
    assert upper.family == family
    assert upper.joints == {i: BoneEnd(e.bone.upper(), e.tail) for i, e in straight.joints.items()}


@BY_FAMILY
@pytest.mark.parametrize("limb", LIMBS)
def test_who_lacks_a_limb_is_nobody(family: str, bones: list[str], limb: str) -> None:
    found = find_joints(bones)
    assert found is not None
    gone = {found.joints[LEFT[limb]].bone}
    if family == "Rigify":
        gone.add(next(iter(gone)).replace("DEF-", "ORG-"))
    assert find_joints(bone for bone in bones if bone not in gone) is None


QUADRUPED = [
    "spine", "spine.004", "spine.008", "spine.011", "pelvis.L", "pelvis.R",
    *sided("L", "R", *(f"{b}.{{s}}" for b in ("thigh", "shin", "foot", "toe", "front_thigh", "front_shin",
    "front_foot"))),
]  # fmt: skip
CAT = [
    *METARIG, "tail.001", "tail.002", "tail.003", "tail.004", "belly.C", "Breast.C",
    *sided("L", "R", "f_palm.001.{s}", "r_palm.001.{s}", "f_toe.{s}", "r_toe.{s}"),
]  # fmt: skip
OTHERS = {
    "no bones": [],
    "a prop": ["Bone", "Bone.001"],
    "a door": ["hinge.L", "hinge.R", "handle"],
    "a dog": [*QUADRUPED, "tail.001", "ear.L", "ear.R", "jaw"],
    "a horse": [
        "spine.006", *sided("L", "R", "upper_arm.{s}", "forearm.{s}", "forefoot.{s}", "thigh.{s}", "hind_foot.{s}"),
    ],
    "Rigify's cat": CAT,
    "a spider": [f"leg{i}_{part}.{s}" for i in range(4) for part in ("coxa", "femur", "tibia") for s in "LR"],
    "a bird": [*sided("L", "R", "thigh.{s}", "shin.{s}", "foot.{s}", "Wing.{s}"), "spine.006"],
    "arms alone": [b for b in METARIG if not b.startswith(("thigh", "shin", "foot"))],
    "a car": ["body", *sided("L", "R", "wheel_front.{s}", "wheel_back.{s}", "door.{s}")],
}  # fmt: skip


@pytest.mark.parametrize("bones", list(OTHERS.values()), ids=list(OTHERS))
def test_animals_and_props_are_no_people(bones: list[str]) -> None:
    assert find_joints(bones) is None


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
