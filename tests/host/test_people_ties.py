# SPDX-License-Identifier: GPL-3.0-or-later
"""What ties a thing to a person, what is held out while hidden in viewports, and more people than can be told apart."""

from __future__ import annotations

import pytest

from .conftest import Script

pytestmark = pytest.mark.host


def test_constraints_tie_and_what_is_off_for_render_does_not(script: Script) -> None:
    """Nor does what is muted, has no weight, belongs to the set, or is let go on the way, be it in a meta strip.

    What lets go of another thing that shares the action lets go of nothing here.
    """
    found: dict[str, int] = script("ties", group="owners")
    theirs = {
        "Body", "Hat CHILD_OF", "Hat COPY_TRANSFORMS", "Hat ARMATURE", "Badge", "Coat", "Late", "Shirt", "Scarf",
        "Shared", "Shared strip", "Slotless",
    }  # fmt: skip
    assert {name for name, person in found.items() if person == 0} == theirs
    assert {name for name, person in found.items() if person == -1} == {
        "Muted", "Weak", "Weightless", "Handed", "Prop", "Empty", "Wall", "Floor", "Roof",
        "Striped", "Meta", "Metas", "Giver",
    }  # fmt: skip


def test_animated_holdouts_count_in_the_frame_they_are_in(script: Script) -> None:
    first, second = script("ties", group="held")
    assert first == ["CutHidden"]
    assert second == ["CutHidden", "Hidden", "Seen", "Shown"]


def test_people_beyond_the_numbers_are_said(script: Script) -> None:
    all_told, one_more = script("ties", group="many")
    assert all_told == []
    assert one_more == ["The scene has 256 people, and 255 can be told apart: the others are drawn as part of the set."]
