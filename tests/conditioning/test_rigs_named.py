# SPDX-License-Identifier: GPL-3.0-or-later
"""Every naming family gives every joint, on the right side, however the rig rests, stands and is called."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.rigs.bones import (
    HANDS_OF,
    LEFT,
    LIMB_JOINTS,
    LIMBS,
    NECK,
    NOSE,
    RIGHT,
    SIDES,
    PersonMap,
    Skeleton,
    rest_points,
)
from second_unit.addon.conditioning.rigs.face import complete
from second_unit.addon.conditioning.rigs.families import FAMILIES
from second_unit.addon.conditioning.rigs.find import NAME, TURNED_NOTE, find_person
from second_unit.addon.conditioning.rigs.generic import GENERIC

from .armatures import NAMES, Names, Row, moved, named_rows, skeleton, truth

F64 = npt.NDArray[np.float64]
RESTS = {"T": 0.0, "A": 45.0, "arms down": 80.0}
BY_FAMILY = pytest.mark.parametrize("names", NAMES, ids=[f"{i} {names.family}" for i, names in enumerate(NAMES)])


def turned(axis: int, angle: float) -> F64:
    matrix = np.eye(3)
    a, b = (i for i in range(3) if i != axis)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
    return matrix


def person(found: Skeleton) -> PersonMap:
    finding = find_person(found)
    assert finding.person is not None, finding.reason
    return finding.person


def assert_joints(found: Skeleton, mapping: PersonMap, expected: F64) -> None:
    """All limbs are where they should be, and so are the fingers and toes that were found."""
    points = rest_points(found, mapping.joints)
    scale = float(np.ptp(found.heads, axis=0).max())
    assert points[list(LIMB_JOINTS)] == pytest.approx(expected[list(LIMB_JOINTS)], abs=1e-6 * scale)
    hands = [j for first in HANDS_OF for j in range(first, first + 21) if j in mapping.joints]
    assert points[hands] == pytest.approx(expected[hands], abs=1e-6 * scale)


def test_every_shipped_family_is_tested_here() -> None:
    assert {family.name for family in (*FAMILIES, GENERIC)} == {names.family for names in NAMES}


@BY_FAMILY
@pytest.mark.parametrize("arms", RESTS.values(), ids=RESTS)
def test_every_family_gives_18_joints_on_the_right_side(names: Names, arms: float) -> None:
    found = skeleton(named_rows(names, arms))
    mapping = person(found)
    assert mapping.family == names.family
    assert mapping.confidence == (0.8 if names.family == GENERIC.name else 1.0)
    assert_joints(found, mapping, truth(arms))
    assert mapping.head is not None
    head = found.heads[found.index[mapping.head]]
    body = complete(rest_points(found, mapping.joints), head, mapping.axes)[:18]
    assert np.isfinite(body).all()
    assert mapping.missing == [name for name in mapping.missing if "Hand" in name or "Toe" in name or "Heel" in name]
    assert mapping.sources[LEFT["elbow"]] == NAME


@BY_FAMILY
def test_every_family_that_has_fingers_gives_both_hands(names: Names) -> None:
    mapping = person(skeleton(named_rows(names)))
    has_fingers = "index1" in names.parts
    for first in HANDS_OF:
        assert {joint in mapping.joints for joint in range(first, first + 21)} == {has_fingers}
        assert mapping.sources.get(first + 1, NAME) == NAME


@BY_FAMILY
@pytest.mark.parametrize("yaw", [90, 180, 270])
@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_facing_and_size_change_nothing(names: Names, yaw: int, scale: float) -> None:
    matrix = turned(2, math.radians(yaw)) * scale
    found = moved(skeleton(named_rows(names, 45)), matrix, np.array([3.0, -2, 1]) * scale)
    mapping = person(found)
    assert mapping.family == names.family
    assert_joints(found, mapping, truth(45) @ matrix.T + np.array([3.0, -2, 1]) * scale)
    assert mapping.axes == pytest.approx(np.array([(0, 0, 1), (0, -1, 0), (1, 0, 0)]) @ (matrix / scale).T, abs=0.1)


@BY_FAMILY
@pytest.mark.parametrize("prefix", ["Hero:", "Character1_", "rig|", "a.b ", "mixamorig7:", "Лара_"])
def test_a_common_prefix_does_not_matter(names: Names, prefix: str) -> None:
    found = skeleton(named_rows(names, 45, prefix))
    assert_joints(found, person(found), truth(45))


@pytest.mark.parametrize(
    "prefix", ["mixamorig:", "mixamorig1:", "mixamorig12:", "mixamorig_", "mixamorig", "Mixamorig:", ""]
)
def test_mixamo_has_many_prefixes(prefix: str) -> None:
    (names,) = (names for names in NAMES if names.family == "Mixamo")
    found = skeleton(named_rows(names, prefix=prefix))
    mapping = person(found)
    assert (mapping.family, mapping.confidence) == ("Mixamo", 1.0)
    assert mapping.joints[LEFT["wrist"]].bone == f"{prefix}LeftHand"
    assert mapping.head == f"{prefix}Head"


@BY_FAMILY
def test_numbers_an_exporter_put_behind_every_bone_do_not_matter(names: Names) -> None:
    rows = named_rows(names, 45)
    number = {row[0]: f"{row[0]}_{i:02}" for i, row in enumerate(rows)}
    found = skeleton([(number[name], number[above] if above else None, *ends) for name, above, *ends in rows])
    assert_joints(found, person(found), truth(45))


@BY_FAMILY
def test_the_order_and_the_case_of_bones_do_not_matter(names: Names) -> None:
    rows = named_rows(names)
    straight, back = person(skeleton(rows)), person(skeleton(rows[::-1]))
    assert straight.joints == back.joints
    upper = [(name.upper(), above.upper() if above else None, head, tail) for name, above, head, tail in rows]
    assert_joints(skeleton(upper), person(skeleton(upper)), truth())


@given(
    st.sampled_from(NAMES),
    st.tuples(*[st.floats(-math.pi, math.pi)] * 3),
    st.floats(-2, 2),
    st.floats(0, 85),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12),
)
def test_turn_size_rest_and_prefix_never_swap_a_side(
    names: Names, angles: tuple[float, float, float], exponent: float, arms: float, prefix: str
) -> None:
    matrix = turned(0, angles[0]) @ turned(1, angles[1]) @ turned(2, angles[2]) * 10**exponent
    found = moved(skeleton(named_rows(names, arms, prefix)), matrix)
    assert_joints(found, person(found), truth(arms) @ matrix.T)


def test_bones_that_move_a_mesh_are_meant_rather_than_controls_of_the_same_name() -> None:
    names = NAMES[3]
    controls = named_rows(names)
    moving = [(f"DEF-{name}", f"DEF-{above}" if above else None, head, tail) for name, above, head, tail in controls]
    found = skeleton([*controls, *moving])
    deforms = np.array([name.startswith("DEF-") for name in found.names])
    mapping = person(replace(found, deforms=deforms))
    assert all(end.bone.startswith("DEF-") for end in mapping.joints.values())
    assert mapping.head == "DEF-Head"
    assert person(replace(found, deforms=~deforms)).joints[LEFT["elbow"]].bone == "LeftForeArm"


def test_the_first_half_of_an_upper_limb_has_the_joint() -> None:
    """Auto-Rig Pro's deforming bones: the stretch bone begins half way down unless the rig was exported."""
    (names,) = (names for names in NAMES if names.family == "Auto-Rig Pro")
    parts = names.parts | {"upperarm": "arm_twist.{s}", "thigh": "thigh_twist.{s}"}
    parts |= {"forearm": "forearm_stretch.{s}", "shin": "leg_stretch.{s}"}
    rows = named_rows(Names(names.family, names.sides, parts, {}))
    halves: list[Row] = []
    for name, _, head, tail in rows:
        if name.startswith(("arm_twist", "thigh_twist")):
            half = tuple((np.array(head) + np.array(tail)) / 2)
            halves.append((name.replace("_twist", "_stretch"), name, half, tail))
    found = skeleton([*halves, *rows])
    mapping = person(found)
    assert mapping.family == "Auto-Rig Pro"
    assert mapping.joints[LEFT["shoulder"]].bone == "arm_twist.l"
    assert_joints(found, mapping, truth())
    exported = [(name.replace("_twist", "_stretch"), above and above.replace("_twist", "_stretch"), *ends)
                for name, above, *ends in rows]  # fmt: skip
    assert person(skeleton(exported)).joints[RIGHT["hip"]].bone == "thigh_stretch.r"


def test_rigify_by_hand() -> None:
    names = NAMES[0]
    rows = named_rows(names)
    rows += [("DEF-nose.001", "DEF-spine.006", (0, -0.1, 1.65), (0, -0.12, 1.62))]
    for side, x in (("L", 1), ("R", -1)):
        rows.append((f"ORG-heel.02.{side}", f"DEF-foot.{side}", (x * 0.06, 0.05, 0), (x * 0.14, 0.05, 0)))
    mapping = person(skeleton(rows))
    points = rest_points(skeleton(rows), mapping.joints)
    assert mapping.joints[LEFT["elbow"]].text == "DEF-forearm.L"
    assert mapping.joints[NOSE].text == "DEF-nose.001>"
    assert points[20] == pytest.approx((0.1, 0.05, 0))
    assert points[23] == pytest.approx((-0.1, 0.05, 0))
    assert NECK not in mapping.joints


@BY_FAMILY
@pytest.mark.parametrize("limb", LIMBS)
def test_who_lacks_a_joint_is_not_given_a_bone_elsewhere_for_it(names: Names, limb: str) -> None:
    mapping = person(skeleton(named_rows(names)))
    gone = {mapping.joints[table[limb]].bone for table in SIDES}
    rows = [(name, None if above in gone else above, *ends) for name, above, *ends in named_rows(names)]
    finding = find_person(skeleton([row for row in rows if row[0] not in gone]))
    if finding.person is not None:
        assert not gone & {end.bone for end in finding.person.joints.values()}
        if finding.person.sources[LEFT["elbow"]] == NAME:  # by other bones of the same joint, as a control is
            assert_joints(skeleton(rows), finding.person, truth())


def test_feet_that_point_backwards_lower_the_confidence() -> None:
    """Left and right of the names are believed, but said to be doubtful."""
    names = NAMES[3]
    swapped = Names(names.family, names.sides[::-1], names.parts, names.extras)
    mapping = person(skeleton(named_rows(swapped)))
    assert mapping.confidence == 0.5
    assert mapping.notes == (TURNED_NOTE,)


def test_without_a_head_the_confidence_is_lower() -> None:
    names = NAMES[3]
    parts = {part: name for part, name in names.parts.items() if part not in {"head", "eye"}}
    mapping = person(skeleton(named_rows(Names(names.family, names.sides, parts, {}))))
    assert mapping.confidence == 0.9
    assert mapping.head is None
    assert {"Nose", "REye", "LEar"} <= set(mapping.missing)
