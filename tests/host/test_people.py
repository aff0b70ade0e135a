# SPDX-License-Identifier: GPL-3.0-or-later
"""Who counts as a person in a frame, and what belongs to them."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Script

pytestmark = pytest.mark.host
ALL = {"|Body|": 0, "|Hat|": 0, "|Bag|": 0, "|Strap|": 0, "|Box|": -1}


def test_a_person_is_who_is_seen(script: Script) -> None:
    """The human metarig with a body, a hat, a bag and a strap on the bag; the box belongs to nobody."""
    found: dict[str, Any] = script("people")
    assert {case["bones"] for case in found.values()} == {29}
    plain = found["nothing"]
    assert plain["owners"] == ALL
    joints = plain["joints"]["Ada"]
    assert joints >= 14
    assert found["body_only_hidden"]["joints"] == {"Ada": joints}
    for gone in ("all_hidden", "all_invisible"):
        assert found[gone]["owners"] == {"|Box|": -1}
        assert (found[gone]["names"], found[gone]["joints"]) == (["Ada"], {"Ada": 0})
    assert found["hat_is_set"]["owners"] == {**ALL, "|Hat|": -1}
    assert found["hidden_metarig"]["joints"] == {"Ada": joints}
    assert found["bare_metarig"]["joints"] == {"Ada": joints, "Zoe": joints}
    crowd = found["extra_crowd"]["owners"]
    assert {key: crowd[key] for key in ALL} == ALL
    (extra,) = crowd.keys() - ALL.keys()
    assert (extra.split("|")[:2], crowd[extra]) == (["Crowd", "Body"], 1)
    assert found["extra_crowd"]["joints"] == {"Ada": joints, "Crowd/Ada": joints}
