# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender renders background sets, at any remove: their people are people of the scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Script

pytestmark = pytest.mark.host


def test_people_of_background_sets_have_a_pose_and_own_their_things(script: Script, tmp_path: Path) -> None:
    found = script("people_behind", folder=str(tmp_path))
    names = ["Ada", "Crowd/Bob", "Zoe"]
    assert found["told"] == names
    for case in ("joints", "preview"):
        assert list(found[case]) == names
        assert min(found[case].values()) >= 14, case
    assert list(found["preview_later"]) == names[:2]
    owners = {key.split("|")[1]: person for key, person in found["owners"].items()}
    assert owners == {"Body": 0, "Hat": 0, "Bag": 0, "Strap": 0, "Box": -1, "Bulk": 1}
