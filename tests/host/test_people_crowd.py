# SPDX-License-Identifier: GPL-3.0-or-later
"""People whom empties show, who is nobody, whose cast they are, and what is said about it.

The truth about a wrist is where Blender puts the corner of a mesh that is skinned to that hand alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.shot.people import COCO18

from .conftest import Script

pytestmark = pytest.mark.host
WRISTS = COCO18.index("RWrist"), COCO18.index("LWrist")


def group(script: Script, tmp_path: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = script("crowd", group=name, folder=str(tmp_path))
    for case in found.values():
        for frame in case["frames"]:
            assert list(frame["joints"]) == case["names"], "everybody keeps the same id"
        told = case["told"]
        assert told["people"] == case["names"] == [one["key"] for one in told["people_told"]]
        assert [one["cast"] for one in told["people_told"]] == case["casts"]
        assert set(case["notes"]) <= set(told["notes"]), "the user hears of everything"
    return found


def assert_hands(frame: dict[str, Any], person: str, *, is_mirrored: bool = False) -> None:
    joints, hands = frame["joints"][person], frame["hands"][person]
    wrists = WRISTS[::-1] if is_mirrored else WRISTS
    assert [joints[k] for k in wrists] == [pytest.approx(hand, abs=1e-4) for hand in hands]


def test_everybody_whom_an_empty_shows_has_joints_of_their_own(script: Script, tmp_path: Path) -> None:
    found = group(script, tmp_path, "instanced")
    names = {name: case["names"] for name, case in found.items()}
    assert names["two"] == ["Left/Guy", "Right/Guy"]
    assert names["with_original"] == ["Again/Guy", "Guy"]
    assert names["excluded_original"] == ["Again/Guy"]
    assert names["nested"] == [f"{row}/{column}/Guy" for row in ("Back", "Front") for column in "AB"]
    assert names["many"] == [f"Pair{i}/{who}" for i in range(5) for who in ("Ann", "Bob")]
    assert names["linked"] == [f"{side}/Guy [library.blend]" for side in ("Left", "Right")]
    for name in ("two", "with_original", "excluded_original", "nested", "many", "linked"):
        for frame in found[name]["frames"]:
            for person in found[name]["names"]:
                assert_hands(frame, person, is_mirrored=person.startswith("Back/"))
        assert found[name]["notes"] == []
    first, second = (frame["joints"]["Left/Guy"] for frame in found["two"]["frames"])
    assert second[4][0] - first[4][0] == pytest.approx(0.5, abs=1e-5), "the empty moves"
    assert len({frame["hash"] for frame in found["two"]["frames"]}) == 2
    assert found["with_original"]["frames"][0]["standing"] == ["Again/Guy"]
    assert found["nested"]["rigs"] == ["Guy"] * 4
    things = found["many"]["frames"][0]["things"]
    assert things["Pair3/Bob"] == [["BobBody", "", ""], ["BobHat", "", ""]]


def test_instances_that_show_nobody(script: Script, tmp_path: Path) -> None:
    """Empties that are hidden, a hat without a head, a leftover metarig; a scattered body is said."""
    found = group(script, tmp_path, "instanced")
    late = found["hidden_instancer"]
    assert late["names"] == ["Late/Guy"]
    assert not any(late["frames"][0]["joints"]["Late/Guy"])
    assert_hands(late["frames"][1], "Late/Guy")
    assert [frame["standing"] for frame in late["frames"]] == [[], ["Late/Guy"]]
    assert found["hat_rack"]["names"] == ["Ada"]
    things = found["hat_rack"]["frames"][0]["things"]
    assert (len(things["Ada"]), things[""]) == (2, [["Hat", "", ""]])
    assert found["bare_in_collection"]["names"] == ["A/Bones", "B/Guy"]
    assert all(found["bare_in_collection"]["frames"][0]["joints"]["A/Bones"][:18])
    assert not any(found["scattered"]["frames"][0]["joints"]["Ada"])
    (note,) = found["scattered"]["notes"]
    assert note.startswith("'Ground' shows copies of the person 'Ada', which get no pose")


def test_who_is_nobody(script: Script, tmp_path: Path) -> None:
    found = group(script, tmp_path, "who")
    held = found["holdout_all"]["frames"][0]["joints"]
    assert not any(held["Ada"]), "what is cut out of the picture has no figure in it"
    assert all(held["Bob"][:18])
    assert found["never_shown"]["names"] == ["Bones", "Late", "Usual"]
    for name in ("Bones", "Late"):
        first, second = (frame["joints"][name] for frame in found["never_shown"]["frames"])
        assert not any(first)
        assert all(second[:18])
    assert found["marked"]["names"] == ["F", "G", "H", "I"]
    assert found["marked"]["notes"] == [
        "Rig 'H': The property second_unit_person says neither yes nor no: it is not used."
    ]
    bad, bone = found["by_hand"]["notes"]
    assert bad.startswith("Rig 'Ada': The mapping by hand is not a JSON object")
    assert bone.startswith("Rig 'Prop': ")
    assert "'nope'" in bone


def test_hair_and_clothes_are_theirs(script: Script, tmp_path: Path) -> None:
    (frame, _) = group(script, tmp_path, "who")["hair"]["frames"]
    assert frame["curves"] == {"Parented": 0, "Grown": 0, "Nobodys": -1}
    assert {name for name, *_ in frame["things"]["Ada"]} == {"AdaBody", "Shirt", "Loose"}
    assert {name for name, *_ in frame["things"][""]} == {"Sword", "Gem"}


def test_people_of_the_cast_come_first_in_its_order(script: Script, tmp_path: Path) -> None:
    """And their meshes are the cast's too, unless they say otherwise."""
    found = group(script, tmp_path, "cast")
    case = found["by_rig"]
    assert dict(zip(case["names"], case["casts"], strict=True)) == {
        "Cid": "anton", "Eve": "eve", "Bob": "mara", "Dan": "mara", "Ann": "zoe", "Aaa": "",
    }  # fmt: skip
    assert case["names"] == ["Cid", "Eve", "Bob", "Dan", "Ann", "Aaa"]
    casts = {name: cast for things in case["frames"][0]["things"].values() for name, cast, _ in things}
    assert casts == {
        "CidBody": "anton", "EveBody": "eve", "BobBody": "mara", "DanBody": "mara", "AnnBody": "zoe", "AaaBody": "",
        "Hat": "hat", "Box": "",
    }  # fmt: skip
    case = found["by_instancer"]
    assert case["names"] == ["Right/Guy", "Mid/Guy", "Left/Guy"]
    assert case["casts"] == ["jan", "somebody", "tim"]
    things = case["frames"][0]["things"]
    assert [things[name][0][1] for name in case["names"]] == case["casts"]


def test_classes_by_number_and_what_is_no_class(script: Script, tmp_path: Path) -> None:
    """0 is wall, 12 person, 19 chair, as in the list of the 150."""
    case = group(script, tmp_path, "cast")["classes"]
    labels = {name: label for name, _, label in case["frames"][0]["things"][""]}
    assert {name: labels[name] for name in ("Num", "Whole", "Text")} == {
        "Num": "person", "Whole": "chair", "Text": "Swivel_Chair",
    }  # fmt: skip
    said = {note.split("'")[1]: note for note in case["notes"]}
    assert said.keys() == {"Lot", "Typo", "Far", "Below", "Yes", "Array"}
    assert len(case["notes"]) == len(said), "a collection is named once"
    assert all("is not a class of ADE20K" in said[name] for name in ("Lot", "Typo", "Far", "Below", "Yes"))
    assert "chair" in said["Typo"]
    assert "second_unit_class" in said["Array"]
