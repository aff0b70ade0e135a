# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures in Blender: joints lie where Blender projects the bones, animals are nobody, properties are obeyed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.rigs.bones import FEET_OF, HANDS_OF, LEFT, RIGHT
from second_unit.addon.shot.people import FACE

from ..conditioning.armatures import FINGERS, JOINT_OF, NAMES, Names, named_rows
from .conftest import Script

pytestmark = pytest.mark.host
RESTS = (0.0, 45.0, 80.0)
SCALES = (1.0, 0.01, 100.0)
YAWS = (0.0, math.pi, math.pi / 2, -math.pi / 2)


def ends_of(names: Names) -> dict[int, tuple[str, float]]:
    """Joint to bone and place on it, as the family's own names say."""
    found: dict[int, tuple[str, float]] = {}
    for side, table, hand in zip(names.sides, (LEFT, RIGHT), HANDS_OF, strict=True):
        called = {part: name.replace("{s}", side) for part, name in names.parts.items()}
        found |= {table[joint]: (called[part], 0.0) for joint, part in JOINT_OF.items()}
        if "index1" in called:
            found |= {hand: (called["hand"], 0.0)}
            for k, finger in enumerate(FINGERS):
                found |= {hand + 4 * k + n: (called[f"{finger}{n}"], 0.0) for n in (1, 2, 3)}
                found[hand + 4 * k + 4] = (called[f"{finger}3"], 1.0)
        if "toe" in called:
            found[FEET_OF[side == names.sides[1]]] = (called["toe"], 1.0)
    return found


def test_joints_of_every_family_are_where_blender_projects_the_bones(script: Script, tmp_path: Path) -> None:
    cases = [
        {
            "rows": named_rows(names, RESTS[i % 3]), "ends": ends_of(names), "seed": i,
            "scale": SCALES[i % 3], "yaw": YAWS[i % 4],
        }
        for i, names in enumerate(NAMES)
    ]  # fmt: skip
    file = tmp_path / "cases.json"
    file.write_text(json.dumps(cases), encoding="utf-8")
    for names, answer in zip(NAMES, script("armatures", task="families", file=str(file)), strict=True):
        (report,) = answer["report"]
        assert report["family"] == names.family
        ours = np.array(answer["ours"])
        assert (ours[:18] > -1e8).all(), names.family
        for joint, theirs in answer["theirs"].items():
            assert ours[int(joint)] == pytest.approx(theirs, abs=0.1), (names.family, joint)


def test_of_all_that_rigify_ships_only_humans_are_people(script: Script) -> None:
    found: dict[str, Any] = script("armatures", task="metarigs")
    assert len(found) >= 8
    for name, (known, nameless) in found.items():
        is_human = name in {"human", "basic_human"}
        assert bool(known["report"]) == bool(nameless["report"]) == is_human, name
        assert bool(known["others"]) == (not is_human)
    known, nameless = found["human"]
    (report,) = known["report"]
    assert (report["family"], report["confidence"]) == ("Rigify metarig", 1.0)
    assert report["missing"] == ["LSmallToe", "RSmallToe"]
    assert (report["hands"], report["face"]) == ({"left": "name", "right": "name"}, 68)
    assert nameless["report"][0]["hands"] == {"left": "geometry", "right": "geometry"}
    assert all(known["joints"][: FACE.start][i] for i in range(FACE.start) if i not in {19, 22})
    assert_same(nameless["joints"], known["joints"], [*RIGHT.values(), *LEFT.values()][:6])
    hands = range(HANDS_OF[0], HANDS_OF[1] + 21)
    assert_same(nameless["joints"], known["joints"], list(hands))
    assert nameless["joints"][FACE.start] is None
    assert_is_a_face(np.array(known["joints"][FACE]))


def assert_same(ours: list[Any], theirs: list[Any], joints: list[int]) -> None:
    assert np.array([ours[j] for j in joints]) == pytest.approx(np.array([theirs[j] for j in joints]), abs=1e-5)


def assert_is_a_face(points: np.ndarray) -> None:
    """68 points of somebody who looks along -y with the left on +x, in the order of iBUG."""
    x, y, z = points.T
    assert (np.diff(x[:17]) > 0).all()  # the contour goes from the right ear over the chin to the left one
    assert np.argmin(z[:17]) == 8
    assert (np.diff(x[17:27]) > 0).all()  # brows
    assert (np.diff(z[27:31]) < 0).all()  # the bridge goes down to the tip
    assert np.argmin(y) in range(27, 36)  # the nose is farthest in front
    assert (np.diff(x[31:36]) > 0).all()
    for corner, top, inner, bottom in ((36, (37, 38), 39, (41, 40)), (42, (43, 44), 45, (47, 46))):
        assert x[corner] < x[top[0]] < x[top[1]] < x[inner]
        assert z[list(top)].min() > z[list(bottom)].max()
        assert x[bottom[0]] < x[bottom[1]]
    assert (np.diff(x[48:55]) > 0).all()
    assert (np.diff(x[54:60]) < 0).all()
    assert z[51] > z[57]
    assert z[17:27].min() > z[36:48].mean() > z[31:36].max() > z[48:68].max() > z[8]


def test_what_the_properties_say_is_done(script: Script) -> None:
    rows = named_rows(NAMES[2])
    text = json.dumps({"REye": "hand.R>", "LBeak": "hand.L"})
    off, on = {"second_unit_person": False}, {"second_unit_person": True}
    cases = [
        {}, {"object": off}, {"data": off}, {"object": on, "data": off}, {"object": {"second_unit_person": 0}},
        {"object": {"second_unit_joints": text}}, {"data": {"second_unit_joints": text}},
        {"object": {"second_unit_joints": "{"}}, {"object": {"second_unit_joints": 7}},
        {"object": {"second_unit_joints": [1.0, 2.0]}},
    ]  # fmt: skip
    plain, *marked, a, b, broken, number, array = script("armatures", task="said", rows=rows, cases=cases)
    assert len(plain["people"]) == 1
    assert plain["people"][0]["notes"] == []
    assert [len(case["people"]) for case in marked] == [0, 0, 1, 0]
    assert all("second_unit_person" in case["others"][0]["reason"] for case in marked if not case["people"])
    assert a == b
    assert a["people"][0]["sources"]["REye"] == "hand.R> (by hand)"
    assert "LBeak" in a["people"][0]["notes"][0]
    for case in (broken, number, array):
        assert case["people"][0]["family"] == plain["people"][0]["family"]
        assert len(case["people"][0]["notes"]) == 1


@pytest.mark.parametrize("bones", [0, 3])
def test_a_rig_of_few_bones_is_nobody(script: Script, bones: int) -> None:
    rows = [(f"Bone{i}", None, (i, 0, 0), (i, 0, 1)) for i in range(bones)]
    (found,) = script("armatures", task="said", rows=rows, cases=[{}])
    assert found["people"] == []
    assert found["others"][0]["reason"]


def test_a_rig_scaled_to_nothing_is_read_without_an_error(script: Script) -> None:
    (joints,) = script("armatures", task="flat", rows=named_rows(NAMES[2]))
    assert np.ptp(np.array(joints), axis=0) == pytest.approx((0, 0, 0))


def test_a_mirrored_rig_has_its_sides_where_they_are_seen(script: Script) -> None:
    straight, mirrored = (np.array(case) for case in script("armatures", task="mirror", rows=named_rows(NAMES[3])))
    assert mirrored == pytest.approx(straight, abs=1e-5)
