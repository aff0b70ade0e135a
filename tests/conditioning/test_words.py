# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile may name is what this room can make: the words of `shot.profile` and our tables agree."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from second_unit.addon.conditioning.passes import PASSES
from second_unit.addon.conditioning.people.dialects import DIALECTS
from second_unit.addon.conditioning.pictures.depth import Encoding
from second_unit.addon.conditioning.pictures.normal_map import NormalDialect
from second_unit.addon.shot.profile import (
    CONTROL_PASSES,
    DEPTH_ENCODINGS,
    NORMAL_DIALECTS,
    POSE_DIALECTS,
    load_profile,
    profile_names,
)


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (POSE_DIALECTS, DIALECTS),
        (NORMAL_DIALECTS, (kind.value for kind in NormalDialect)),
        (DEPTH_ENCODINGS, (kind.value for kind in Encoding)),
    ],
    ids=["poses", "normals", "depth"],
)
def test_a_profile_knows_exactly_what_can_be_drawn(words: tuple[str, ...], made: Iterable[str]) -> None:
    assert sorted(words) == sorted(made)


def test_every_pass_a_profile_may_name_is_made() -> None:
    assert set(CONTROL_PASSES) <= set(PASSES)


@pytest.mark.parametrize("name", profile_names())
def test_no_shipped_profile_sends_what_nothing_makes(name: str) -> None:
    profile = load_profile(name)
    assert {*profile.controls, *profile.passes} <= set(PASSES)
