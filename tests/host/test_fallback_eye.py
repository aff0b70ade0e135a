# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycles looks at what moves: nothing is lost, nothing stands still, nothing is shown that is held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Script

pytestmark = pytest.mark.host


@pytest.fixture
def drawn(script: Script, tmp_path: Path) -> Any:
    def draw(case: str, *renderers: str) -> dict[str, Any]:
        return script("eye", case=case, folder=str(tmp_path), renderers=list(renderers))

    return draw


def test_particles_are_there_in_the_frame_they_are_born_in(drawn: Any) -> None:
    found = drawn("rain", "zbuffer", "cycles")
    for ours, theirs in zip(found["zbuffer"]["hit"], found["cycles"]["hit"], strict=True):
        assert np.sum(ours) > 50
        assert (np.array(ours) != np.array(theirs)).sum() <= 1


def test_an_unbaked_simulation_is_refused_where_cycles_would_stop_it(drawn: Any) -> None:
    found = drawn("cloth", "zbuffer", "cycles")
    assert found["zbuffer"]["name"] == "zbuffer"
    assert "'Sheet'" in found["cycles"]["error"]
    assert "Bake the simulation" in found["cycles"]["error"]


def test_what_is_held_out_does_not_move(drawn: Any) -> None:
    found = drawn("held", "zbuffer", "cycles")
    assert found["zbuffer"]["motion"] == pytest.approx([0, 0, 0], abs=0.01)
    assert found["cycles"]["motion"] == pytest.approx([0, 0, 0], abs=0.01)


def test_a_cut_out_that_a_strip_shows_needs_cycles_and_who_refuses_is_told_what_is_lost(drawn: Any) -> None:
    found = drawn("strip", "auto", "zbuffer")
    assert found["auto"]["name"] == "cycles"
    (note,) = (note for note in found["zbuffer"]["notes"] if "as asked" in note)
    assert "'Cut' is see-through" in note
