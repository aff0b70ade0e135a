# SPDX-License-Identifier: GPL-3.0-or-later
"""Mappings artists write: used where they make sense, explained where they do not, never an accident."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.rigs.bones import JOINT_NAMES, LIMB_JOINTS, NECK, BoneEnd
from second_unit.addon.conditioning.rigs.by_hand import ByHand, read_by_hand
from second_unit.addon.conditioning.rigs.find import BY_HAND, NAME, find_person
from second_unit.addon.shot.people import COCO18, FACE, FOOT_JOINTS, JOINTS, LEFT_HAND, RIGHT_HAND

from .armatures import NAMES, anonymous, named_rows, skeleton, truth
from .test_rigs_named import assert_joints
from .test_rigs_nobody import spider

BONES = {"arm", "palm", "odd>", "skull"}


def test_heads_and_tails() -> None:
    said = read_by_hand('{"RShoulder": "arm", "LWrist": "palm>", "Nose": "odd>", "Head": "skull"}', BONES)
    assert said == ByHand({2: BoneEnd("arm"), 7: BoneEnd("palm", 1.0), 0: BoneEnd("odd>")}, "skull")


def test_every_joint_has_a_name() -> None:
    assert len(JOINT_NAMES) == len(set(JOINT_NAMES)) == JOINTS
    assert JOINT_NAMES[:24] == COCO18 + FOOT_JOINTS
    assert [JOINT_NAMES[i] for i in (LEFT_HAND.start, RIGHT_HAND.start, RIGHT_HAND.stop - 1, FACE.start)] == [
        "LHand0", "RHand0", "RHand20", "Face0",
    ]  # fmt: skip


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_said_is_nothing(nothing: object) -> None:
    assert read_by_hand(nothing, BONES) == ByHand()


@pytest.mark.parametrize(
    "damaged", ["{", "[]", "3", "null", 3, 2.5, b"{}", ["x"], "[" * 100_000, "x" * 200_000, '{"a": NaN']
)
def test_what_cannot_be_read_is_one_note(damaged: object) -> None:
    said = read_by_hand(damaged, BONES)
    assert not said.joints
    assert len(said.notes) == 1
    assert "JSON" in said.notes[0]


@pytest.mark.parametrize(
    ("entry", "word"),
    [({"LTentacle": "arm"}, "LTentacle"), ({"Neck": "arm"}, "Neck"), ({"LKnee": "leg"}, "leg"), ({"LKnee": 4}, "4"),
     ({"LKnee": None}, "None"), ({"LKnee": ["arm"]}, "arm"), ({"Head": "none"}, "none"), ({"LKnee": "y" * 999}, "yyy")],
)  # fmt: skip
def test_one_wrong_entry_is_named_and_the_others_hold(entry: dict[str, object], word: str) -> None:
    said = read_by_hand(json.dumps({**entry, "RElbow": "arm"}), BONES)
    assert said.joints == {3: BoneEnd("arm")}
    (note,) = said.notes
    assert word in note
    assert len(note) < 200


@given(st.text() | st.dictionaries(st.text(), st.text() | st.integers() | st.none()).map(json.dumps))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert set(read_by_hand(text, BONES).joints) <= set(range(JOINTS)) - {NECK}


def test_what_is_said_goes_before_the_names() -> None:
    found = skeleton(named_rows(NAMES[2]))
    said = read_by_hand('{"LWrist": "palm>", "REye": "hand.R>", "Head": "spine.004"}', set(found.names))
    mapping = find_person(found, said).person
    assert mapping is not None
    assert mapping.family == "Rigify metarig"
    assert (mapping.joints[14], mapping.sources[14]) == (BoneEnd("hand.R", 1.0), BY_HAND)
    assert mapping.sources[7] == NAME
    assert mapping.head == "spine.004"
    assert len(mapping.notes) == 1


def test_all_limbs_by_hand_need_nothing_else() -> None:
    """Even a spider may be cast, and a rig without any meaning is mapped exactly as said."""
    found = skeleton(spider())
    bones = iter(found.names)
    said = read_by_hand(json.dumps({JOINT_NAMES[joint]: next(bones) for joint in LIMB_JOINTS}), set(found.names))
    finding = find_person(found, said)
    assert finding.person is not None
    assert (finding.person.family, finding.person.confidence) == (BY_HAND, 1.0)
    plain = anonymous(skeleton(named_rows(NAMES[2])))
    index = {name: i for i, name in enumerate(skeleton(named_rows(NAMES[2])).names)}
    named = find_person(skeleton(named_rows(NAMES[2]))).person
    assert named is not None
    text = json.dumps({JOINT_NAMES[j]: f"Node_{index[named.joints[j].bone]}" for j in LIMB_JOINTS})
    mapping = find_person(plain, read_by_hand(text, set(plain.names))).person
    assert mapping is not None
    assert_joints(plain, mapping, truth())
    assert np.isfinite(mapping.axes).all()


def test_too_little_by_hand_says_what_it_lacks() -> None:
    found = skeleton(spider())
    said = read_by_hand(json.dumps({JOINT_NAMES[j]: "body" for j in LIMB_JOINTS[:-2]}), set(found.names))
    finding = find_person(found, said)
    assert finding.person is None
    (note,) = finding.notes
    assert all(JOINT_NAMES[joint] in note for joint in LIMB_JOINTS[-2:])
    assert "LShoulder" not in note


def test_notes_reach_who_is_nobody() -> None:
    finding = find_person(skeleton(spider()), read_by_hand("{", set()))
    assert finding.person is None
    assert len(finding.notes) == 1
