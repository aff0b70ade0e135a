# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel says of every shot, before it is rendered, what the command line says of the same file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Script

pytestmark = pytest.mark.host
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}
USUAL = 280
"""Pixels of a sidebar as Blender opens it."""
FRAMES, MODEL, SIZE, DISK = "scene frames", "model frames", "Pictures are", "of disk"


@pytest.fixture
def film(example: Path, tmp_path: Path) -> Path:
    """The artist's file, in a folder with a space."""
    home = tmp_path / "my film"
    home.mkdir()
    return Path(shutil.copy(example, home / "film.blend"))


def at_panel(script: Script, film: Path, *changes: str, width: int = USUAL) -> dict[str, Any]:
    told = script("plan_panel", blend=str(film), changes=changes, width=width)
    print(f"one draw of the whole panel: {told['ms']:.2f} ms")
    assert (told["threads"], told["left"]) == (True, False)
    return told


def on_command_line(film: Path, python: str) -> str:
    """The letters of what ``condition --dry-run`` says."""
    done = subprocess.run(
        [sys.executable, "-m", "second_unit.addon.cli", "condition", str(film), "--dry-run", "--blender", python],
        capture_output=True, text=True, check=False, env=WITHOUT_APP,
    )  # fmt: skip
    return letters(done.stderr)


def letters(*lines: str) -> str:
    """Without the spaces: lines are broken in narrow sidebars, even within a path."""
    return "".join("".join(lines).split())


def said(told: dict[str, Any]) -> str:
    return letters(*(line for lines in told["shots"] for line in lines))


def test_the_panel_says_what_the_command_line_says(script: Script, film: Path, host_python: str) -> None:
    told = at_panel(script, film)
    assert len(told["shots"]) == 3
    for lines in told["shots"]:
        assert all(letters(part) in letters(*lines) for part in (FRAMES, MODEL, SIZE, DISK))
    assert said(told) == on_command_line(film, host_python)


def test_it_follows_the_scene_and_the_project(script: Script, film: Path, host_python: str) -> None:
    """Frames, markers, size, rate, handles, quality: each is seen, and the whole is what the command line says."""
    told = at_panel(script, film, "shorter", "moved", "wider", "slower", "handles", "final")
    assert "23.976fps" in said(told)
    assert letters("with handles of 4 and 5") in said(told)
    assert said(told) == on_command_line(film, host_python) != letters(*told["before"])


def test_at_a_frame_of_no_shot_it_is_the_first(script: Script, film: Path) -> None:
    told = at_panel(script, film)
    assert told["elsewhere"] == told["shots"][0] != told["shots"][1]


def test_closed_it_says_nothing(script: Script, film: Path) -> None:
    assert at_panel(script, film)["closed"] is None


@pytest.mark.parametrize(("trouble", "part"), [("nobody", "There is no profile 'nobody'."), ("torn", "not valid TOML")])
def test_what_cannot_be_planned_is_its_sentence(
    script: Script, film: Path, host_python: str, trouble: str, part: str
) -> None:
    told = at_panel(script, film, trouble)
    assert letters(part) in letters(*told["elsewhere"])
    assert letters(*told["elsewhere"]) in on_command_line(film, host_python)


def test_cameras_outside_the_frames_are_a_sentence(script: Script, film: Path) -> None:
    assert letters("All camera markers lie outside") in letters(*at_panel(script, film, "outside")["elsewhere"])


def test_mended_the_plan_is_there_again(script: Script, film: Path) -> None:
    told = at_panel(script, film, "nobody", "mended")
    assert said(told) == letters(*told["before"])


@pytest.mark.parametrize("width", [130, 160, USUAL, 600])
def test_lines_fit_into_the_sidebar(script: Script, film: Path, width: int) -> None:
    """A letter takes about 6 pixels of Blender's own font at its own size; tabs and edges take some more."""
    told = at_panel(script, film, width=width)
    longest = max(len(line) for lines in told["shots"] for line in lines)
    assert width / 2 < longest * 6 <= width - 50
