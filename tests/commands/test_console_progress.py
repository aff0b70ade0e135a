# SPDX-License-Identifier: GPL-3.0-or-later
"""What a panel hears of a step while it runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands import console as console_module
from second_unit.addon.commands.console import Console


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(console_module, "time", made)
    return made


def heard(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_progress_is_told_four_times_a_second_and_once_more_at_the_end(clock: Clock) -> None:
    out = io.StringIO()
    bar = Console(json=True, out=out, err=io.StringIO()).step("Conditioning")
    for frame in range(101):
        bar(frame, 100, f"frame {frame}")
        clock.now += 0.02
    bar.finish("3 packages, 3 new")
    records = heard(out)
    assert [r["kind"] for r in records[-2:]] == ["progress", "step"]
    assert records[-1] == {"kind": "step", "step": "Conditioning", "result": "3 packages, 3 new"}
    told = [r["done"] for r in records[:-1]]
    assert told == [0, 13, 26, 39, 52, 65, 78, 91, 100]
    assert records[1] == {"kind": "progress", "step": "Conditioning", "done": 13, "total": 100, "note": "frame 13"}


def test_what_was_told_is_not_told_again_at_the_end(clock: Clock) -> None:
    out = io.StringIO()
    bar = Console(json=True, out=out, err=io.StringIO()).step("Edit")
    bar(1, 1)
    clock.now += 1
    bar.finish("built")
    assert [r["kind"] for r in heard(out)] == ["progress", "step"]


def test_a_step_without_progress_still_tells_its_result(clock: Clock) -> None:
    del clock
    out = io.StringIO()
    Console(json=True, out=out, err=io.StringIO()).step("Edit").finish("up to date")
    assert heard(out) == [{"kind": "step", "step": "Edit", "result": "up to date"}]


def test_parts_are_heard_on_the_whole_bar_and_people_read_no_records(clock: Clock, tmp_path: Path) -> None:
    out, err, file = io.StringIO(), io.StringIO(), tmp_path / "log.jsonl"
    bar = Console(json_file=file, out=out, err=err).step("Conditioning")
    bar.part(1, 2, "SH020")(1, 2)
    clock.now += 2
    bar.finish("done")
    records = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert records[0] == {"kind": "progress", "step": "Conditioning", "done": 0.75, "total": 1.0, "note": "SH020"}
    assert out.getvalue() == ""
    assert err.getvalue() == "  Conditioning          done (2 s)\n"
