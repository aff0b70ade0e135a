# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated only at times, behind the scene, or in a shot whose frames do not follow one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Script

pytestmark = pytest.mark.host
FRAMES = [str(frame) for frame in range(1, 11)]


def test_what_may_be_simulated_at_some_time_counts(script: Script) -> None:
    """Whatever its properties say in the frame in which the file was saved."""
    found: dict[str, list[str]] = script("simulation_at_times", task="found")
    still = {"never", "held"}
    assert {name for name, names in found.items() if names == ["Sheet"]} == found.keys() - still
    assert all(not found[name] for name in still)


def test_what_begins_twice_begins_at_the_first(script: Script) -> None:
    assert script("simulation_at_times", task="both") == [["Sheet"], 1]


@pytest.mark.parametrize("case", ["shown", "behind", "body_behind"])
def test_the_end_alone_is_that_of_the_whole(script: Script, tmp_path: Path, case: str) -> None:
    orders = [{"times": FRAMES}, {"times": FRAMES[7:]}, {"times": FRAMES[7:], "is_part": True}]
    whole, end, part = _drawn(script, tmp_path, case, orders)["drawn"]
    assert len(set(whole["hashes"])) >= len(FRAMES) - 3, "it moves"
    assert end["hashes"] == whole["hashes"][7:]
    assert part == {"only_whole": True}
    assert "'Sheet'" in whole["notes"][0]


@pytest.mark.parametrize("case", ["cloth", "soft", "body", "zone"])
def test_frames_that_are_passed_over_are_simulated(script: Script, tmp_path: Path, case: str) -> None:
    """Every frame lies as it does in the whole, and none is worked out more often than it has to be."""
    apart = ["1", "3", "7", "9"]
    orders = [{"times": FRAMES}, {"times": apart}, {"times": ["3", "9"]}, {"times": apart, "meter": 4}]
    found = _drawn(script, tmp_path, case, orders)
    whole, *others = (dict(zip(order["times"], one["hashes"], strict=True)) for order, one in _pairs(orders, found))
    assert len(set(whole.values())) == len(FRAMES), "it moves"
    for other in others:
        assert other == {time: whole[time] for time in other}
    # metered at 4, Blender goes back to 1 and 3 and has to be at 4 again before it can go on
    assert found["steps"] == [10, 9, 9, 9 + 3]


@pytest.mark.parametrize("case", ["cloth", "soft", "body", "zone"])
def test_between_frames_lies_what_is_between_their_states(script: Script, tmp_path: Path, case: str) -> None:
    """However such a time is come to; and the frames behind it lie as if nobody had looked there."""
    orders = [
        {"times": FRAMES}, {"times": ["1", "5/2", "4", "11/2", "7", "17/2", "10"]}, {"times": ["11/2", "6", "17/2"]},
        {"times": ["5", "11/2", "6", "13/2", "7", "8", "17/2", "9"], "meter": 7},
    ]  # fmt: skip
    found = _drawn(script, tmp_path, case, orders)
    seen: dict[str, set[str]] = {}
    for order, one in _pairs(orders, found):
        for time, drawn in zip(order["times"], one["hashes"], strict=True):
            seen.setdefault(time, set()).add(drawn)
    assert all(len(drawn) == 1 for drawn in seen.values())
    assert len(set.union(*seen.values())) == len(seen), "it moves within frames as well"


def _drawn(script: Script, folder: Path, case: str, orders: list[dict[str, Any]]) -> dict[str, Any]:
    return script("simulation_at_times", task="drawn", case=case, folder=str(folder), orders=orders)


def _pairs(orders: list[dict[str, Any]], found: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return list(zip(orders, found["drawn"], strict=True))
