# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated and not baked lies the same in every frame, whoever draws which part of the shot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Script

pytestmark = pytest.mark.host
FRAMES = [str(frame) for frame in range(1, 11)]


@pytest.mark.parametrize("case", ["cloth", "soft", "body", "zone"])
def test_a_part_of_a_simulation_is_that_of_the_whole(script: Script, tmp_path: Path, case: str) -> None:
    """In one piece, its end alone, its end metered later, and as the part of somebody who draws with others."""
    orders = [
        {"times": FRAMES}, {"times": FRAMES[6:]}, {"times": FRAMES[8:], "meter": 10},
        {"times": FRAMES[6:], "is_part": True},
    ]  # fmt: skip
    found: list[dict[str, Any]] = script("simulation", task="drawn", case=case, folder=str(tmp_path), orders=orders)
    whole, end, tail, part = found
    assert len(set(whole["hashes"])) == len(FRAMES), "it moves"
    assert end["hashes"] == whole["hashes"][6:]
    assert tail["hashes"] == whole["hashes"][8:]
    assert part == {"only_whole": True}
    (note,) = whole["notes"]
    assert "'Sheet'" in note
    assert "bake" in note


@pytest.mark.parametrize("saved_at", [1, 12])
@pytest.mark.parametrize("case", ["cloth", "soft", "zone"])
def test_a_run_up_begins_where_the_simulation_does(script: Script, tmp_path: Path, case: str, saved_at: int) -> None:
    """Whatever frame the file was left at: a simulation whose first frame is passed over stands still.

    Not so rigid bodies, which Blender works out from their first frame on by itself.
    """
    frames = [str(frame) for frame in range(3, 13)]
    orders = [{"times": frames}, {"times": frames[6:]}, {"times": frames[6:], "meter": 3}]
    found: list[dict[str, Any]] = script(
        "simulation_late", case=case, folder=str(tmp_path), start=3, saved_at=saved_at, orders=orders
    )
    whole, end, metered = found
    assert len(set(whole["hashes"])) == len(frames), "it moves"
    assert "from 3 on" in whole["notes"][0]
    assert end["hashes"] == metered["hashes"] == whole["hashes"][6:]


def test_what_is_baked_is_drawn_in_parts(script: Script, tmp_path: Path) -> None:
    orders = [{"times": FRAMES}, {"times": FRAMES[6:], "is_part": True}]
    whole, part = script("simulation", task="drawn", case="baked", folder=str(tmp_path), orders=orders)
    assert part["hashes"] == whole["hashes"][6:]
    assert whole["notes"] == []


def test_what_counts_as_simulated(script: Script) -> None:
    found: dict[str, list[str]] = script("simulation", task="found")
    moving = {"cloth", "soft", "particles", "body", "nodes", "zone", "instanced"}
    assert {name for name, names in found.items() if names} == moving
    assert {name for name, names in found.items() if names == ["Sheet"]} == moving
    assert found.keys() - moving == {"baked", "still_particles", "hair", "off"}
