# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rig was made from is nobody, though a generator leaves it in sight; a bare copy of a rig is a stand-in."""

from __future__ import annotations

import pytest

from ..conditioning.armatures import NAMES, named_rows
from .conftest import Script

pytestmark = pytest.mark.host


def test_a_template_is_nobody_beside_the_rig_that_was_made_from_it(script: Script) -> None:
    rows = {names.family: named_rows(names) for names in NAMES if names.family.startswith("Rigify")}
    found = script("template", made=rows["Rigify"], template=rows["Rigify metarig"])
    for case in ("left", "posed", "mechanical", "controls", "bare"):
        assert found[case]["names"] == ["Made"], case
        (note,) = found[case]["notes"]
        assert "'Template' has no body and rests as 'Made' does" in note
    for case in ("marked", "taller", "copy", "prop", "space", "keyed", "strip", "driven", "bare copy"):
        assert found[case]["names"] == ["Made", "Template"], case
        assert found[case]["notes"] == []
    assert found["alone"]["names"] == ["Template"]
    assert all(min(case["joints"]) >= 12 for case in found.values())


@pytest.mark.parametrize("kind", ["basic_human", "human"])
def test_a_metarig_is_nobody_beside_the_rig_that_rigify_made_of_it(script: Script, kind: str) -> None:
    """With a body on the rig, while both are bare, and where an empty shows both; keys make a person of a metarig."""
    found = script("rigify_made", kind=kind)
    for case in ("body", "bare"):
        assert found[case]["names"] == ["rig"], case
        (note,) = found[case]["notes"]
        assert "'metarig' has no body and rests as 'rig' does" in note
    assert found["stand"]["names"] == ["Empty/rig"]
    assert found["keyed"]["names"] == ["metarig", "rig"]
    assert found["alone"]["names"] == ["metarig"]
