# SPDX-License-Identifier: GPL-3.0-or-later
"""People whose bones are called nothing in particular are found by their shape, and left is left."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.rigs.anatomy import NO_SIDE
from second_unit.addon.conditioning.rigs.bones import LEFT, RIGHT, rest_points
from second_unit.addon.conditioning.rigs.find import GEOMETRY, find_person

from .armatures import NAMES, Names, Row, anonymous, moved, named_rows, skeleton, truth
from .test_rigs_named import RESTS, assert_joints, person, turned

F64 = npt.NDArray[np.float64]
FULL = NAMES[0]
RIGIFY = next(names for names in NAMES if names.family == "Rigify metarig")


def without(names: Names, *parts: str) -> Names:
    kept = {part: name for part, name in names.parts.items() if not part.startswith(parts)}
    return replace(names, parts=kept, extras={})


HANDLESS = without(RIGIFY, "thumb", "index", "middle", "ring", "little")
VARIANTS = {
    "everything": FULL,
    "no extras": RIGIFY,
    "no fingers": HANDLESS,
    "no hands": without(HANDLESS, "hand"),
    "no collar bones": without(RIGIFY, "clavicle"),
    "no toes": without(RIGIFY, "toe"),
    "no neck": without(RIGIFY, "neck"),
    "a bare figure": without(HANDLESS, "clavicle", "neck", "toe", "spine"),
}
BY_VARIANT = pytest.mark.parametrize("names", VARIANTS.values(), ids=VARIANTS)


@BY_VARIANT
@pytest.mark.parametrize("arms", RESTS.values(), ids=RESTS)
@pytest.mark.parametrize("yaw", [0, 90, 180, 270])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_person_is_found_by_shape(names: Names, arms: float, yaw: int, scale: float) -> None:
    matrix = turned(2, math.radians(yaw)) * scale
    found = anonymous(moved(skeleton(named_rows(names, arms)), matrix))
    mapping = person(found)
    assert mapping.family == "by shape"
    assert 0.46 <= mapping.confidence <= 0.7
    assert mapping.sources[LEFT["knee"]] == GEOMETRY
    assert_joints(found, mapping, truth(arms) @ matrix.T)


@given(
    st.sampled_from(sorted(VARIANTS)),
    st.tuples(*[st.floats(-math.pi, math.pi)] * 3),
    st.floats(-2, 2),
    st.floats(0, 85),
)
def test_turn_size_and_rest_never_swap_a_side(
    variant: str, angles: tuple[float, float, float], exponent: float, arms: float
) -> None:
    matrix = turned(0, angles[0]) @ turned(1, angles[1]) @ turned(2, angles[2]) * 10**exponent
    found = anonymous(
        moved(skeleton(named_rows(VARIANTS[variant], arms)), matrix, np.array([1.0, 2, 3]) * 10**exponent)
    )
    mapping = person(found)
    assert_joints(found, mapping, truth(arms) @ matrix.T + np.array([1.0, 2, 3]) * 10**exponent)


@given(
    st.sampled_from(sorted(VARIANTS)), st.floats(-30, 85), st.floats(0.55, 1.2), st.floats(0.8, 1.3),
    st.floats(0.8, 1.25), st.floats(0, 0.2),
)  # fmt: skip
def test_odd_proportions_never_swap_a_side(
    variant: str, arms: float, leg: float, trunk: float, arm: float, straddle: float
) -> None:
    """Short legs, long arms, apart: a joint may be missed, the sides may not change."""

    def warped(point: tuple[float, float, float]) -> tuple[float, float, float]:
        x, y, z = point
        out, sign = abs(x), math.copysign(1.0, x)
        out = out if out < 0.18 else 0.18 + (out - 0.18) * arm
        out += straddle * max(0.93 - z, 0) if out > 0.05 else 0
        return sign * out, y, z * leg if z < 0.93 else 0.93 * leg + (z - 0.93) * trunk

    rows = [
        (name, above, warped(head), warped(tail)) for name, above, head, tail in named_rows(VARIANTS[variant], arms)
    ]
    found = anonymous(skeleton(rows))
    mapping = find_person(found).person
    if mapping is not None:
        points = rest_points(found, mapping.joints)
        assert all(points[joint][0] > 0 for joint in LEFT.values() if joint < 14)
        assert all(points[joint][0] < 0 for joint in RIGHT.values() if joint < 14)
        assert points[LEFT["knee"]] == pytest.approx(warped(tuple(truth(arms)[LEFT["knee"]])))


@BY_VARIANT
def test_the_order_of_bones_does_not_matter(names: Names) -> None:
    rows = named_rows(names, 45)
    order = np.random.default_rng(5).permutation(len(rows))
    found = anonymous(skeleton([rows[i] for i in order]))
    assert_joints(found, person(found), truth(45))


def split(rows: list[Row], *starts: str) -> list[Row]:
    """Limb bones cut into two in a row, as rigs that twist have them."""
    found: list[Row] = []
    for name, above, head, tail in rows:
        if name.startswith(starts):
            half = tuple((np.array(head) + np.array(tail)) / 2)
            found += [(name, above, head, half), (f"{name}.b", name, half, tail)]
        else:
            found.append((name, f"{above}.b" if above and above.startswith(starts) else above, head, tail))
    return found


@pytest.mark.parametrize("arms", RESTS.values(), ids=RESTS)
@pytest.mark.parametrize("names", [RIGIFY, HANDLESS], ids=["hands", "no fingers"])
def test_twist_bones_within_a_limb_are_no_joints(names: Names, arms: float) -> None:
    rows = split(named_rows(names, arms), "upper_arm", "forearm", "thigh", "shin")
    found = anonymous(skeleton(rows))
    assert_joints(found, person(found), truth(arms))


def test_side_bones_of_the_pelvis_are_no_thighs() -> None:
    rows: list[Row] = []
    for name, above, head, tail in named_rows(RIGIFY, 45):
        is_thigh = name.startswith("thigh")
        pelvis = f"pelvis{name[-2:]}"
        if is_thigh:
            rows.append((pelvis, above, (math.copysign(0.02, head[0]), 0.02, 1.02), head))
        rows.append((name, pelvis if is_thigh else above, head, tail))
    found = anonymous(skeleton(rows))
    assert_joints(found, person(found), truth(45))


def strand(name: str, above: str, points: list[tuple[float, float, float]]) -> list[Row]:
    """A chain of bones and its mirror image."""
    rows: list[Row] = []
    for side, sign in (("L", 1), ("R", -1)):
        parent = above
        for i, (a, b) in enumerate(pairwise(points)):
            head, tail = ((sign * x, y, z) for x, y, z in (a, b))
            rows.append((f"{name}{i}.{side}", parent, head, tail))
            parent = f"{name}{i}.{side}"
    return rows


HAIR = strand("hair", "spine.006", [(0.08, 0.05, 1.7), (0.1, 0.07, 1.5), (0.1, 0.08, 1.3), (0.1, 0.08, 1.1)])
SKIRT = strand("skirt", "spine", [(0.14, 0.02, 1.0), (0.19, 0.02, 0.85), (0.22, 0.02, 0.7), (0.24, 0.02, 0.55)])
EARS = strand("ear", "spine.006", [(0.07, 0.0, 1.75), (0.1, 0.0, 1.85), (0.12, 0.0, 1.95)])
TAIL: list[Row] = [
    (f"tail{i}", f"tail{i - 1}" if i else "spine", (0, 0.1 + 0.2 * i, 0.9), (0, 0.3 + 0.2 * i, 0.9)) for i in range(4)
]


GROWN = {"hair": HAIR, "skirt": SKIRT, "ears": EARS, "tail": TAIL, "all": HAIR + SKIRT + TAIL}


@pytest.mark.parametrize("extra", GROWN.values(), ids=GROWN)
@pytest.mark.parametrize("arms", RESTS.values(), ids=RESTS)
def test_hair_skirts_and_tails_are_no_limbs(extra: list[Row], arms: float) -> None:
    found = anonymous(skeleton(named_rows(RIGIFY, arms) + extra))
    assert_joints(found, person(found), truth(arms))


def standing_still(arms: float = 80) -> list[Row]:
    """Straight limbs and no feet: nothing says which way this looks."""
    rows = named_rows(without(HANDLESS, "eye"), arms)
    flat: list[Row] = [(n, p, (h[0], 0.0, h[2]), (t[0], 0.0, t[2])) for n, p, h, t in rows]
    return [row for row in flat if not row[0].startswith("toe")]


def test_a_figure_that_may_look_either_way_is_not_guessed() -> None:
    finding = find_person(anonymous(skeleton(standing_still())))
    assert finding.person is None
    assert finding.reason == NO_SIDE


@pytest.mark.parametrize("pattern", ["x{}_{}q", "abc{}{}", "{}{}", "bone_{}_{}_jnt"])
@pytest.mark.parametrize(("left", "right"), [("L", "R"), ("left", "right"), ("l", "r")])
def test_a_letter_in_the_middle_of_the_names_decides(pattern: str, left: str, right: str) -> None:
    rows = standing_still()
    parts = {name: i for i, name in enumerate(sorted({row[0].removesuffix(".L").removesuffix(".R") for row in rows}))}

    def called(name: str | None) -> str | None:
        if name is None:
            return None
        part, side = (name[:-2], name[-1]) if name.endswith((".L", ".R")) else (name, "")
        return pattern.format({"L": left, "R": right, "": "m"}[side], f"{parts[part]:03}")

    found = skeleton([(str(called(name)), called(above), head, tail) for name, above, head, tail in rows])
    expected = truth(80)
    expected[:, 1] = 0
    assert_joints(found, person(found), expected)


def test_bones_that_move_a_mesh_are_taken_rather_than_controls_in_their_places() -> None:
    rows = named_rows(RIGIFY, 45)
    controls = [(f"c {name}", above and f"c {above}", head, tail) for name, above, head, tail in rows]
    moving = [(name, above or "c spine", head, tail) for name, above, head, tail in rows]
    both = skeleton([*controls, *moving])
    deforms = np.array([not name.startswith("c ") for name in both.names])
    found = replace(anonymous(both), deforms=deforms)
    mapping = person(found)
    assert_joints(found, mapping, truth(45))
    assert all(deforms[found.index[end.bone]] for end in mapping.joints.values())


def test_a_rig_that_moves_nothing_yet_is_read_all_the_same() -> None:
    found = anonymous(skeleton(named_rows(RIGIFY, 45)))
    assert_joints(found, person(replace(found, deforms=np.zeros(len(found.names), bool))), truth(45))
