# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instance is at a place: our own z-buffer knows it for sure, the search has to find the same."""

from __future__ import annotations

import pytest

from .conftest import Script

pytestmark = pytest.mark.host


def test_the_search_finds_the_instance_that_was_drawn(script: Script) -> None:
    """Mirrored, sheared and sunk into each other; a pixel where two touch may go to either."""
    told = script("who", scenes=["instances", "curves", "seed7"])
    for name in ("instances", "curves", "seed7"):
        found = told[name]
        assert found["seen"] > 10_000
        assert found["by search"] <= 5, (name, found)
        assert found["by drawing"] == 0, (name, found)
        assert found["without numbers"] <= 5, (name, found)
    assert told["instances"]["instances"] > told["instances"]["objects"] + 8


def test_hair_belongs_to_the_tuft_whose_straws_are_there(script: Script) -> None:
    told = script("who", scenes=[])["straws"]
    assert (told["seen"], told["wrong"]) == (1200, 0)
