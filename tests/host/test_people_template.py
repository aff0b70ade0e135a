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
    for case in ("left", "posed"):
        assert found[case]["names"] == ["Made"], case
        (note,) = found[case]["notes"]
        assert "'Template' has no body and rests as 'Made' does" in note
    for case in ("marked", "taller", "copy"):
        assert found[case]["names"] == ["Made", "Template"], case
        assert found[case]["notes"] == []
    assert found["alone"]["names"] == ["Template"]
    assert all(min(case["joints"]) >= 12 for case in found.values())
