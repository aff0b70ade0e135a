# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of loops: those of ended processes go, all others stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from second_unit.addon.commands.loop_folder import make_loop_folder, own_loop_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="whether a process runs cannot be asked there")


@pytest.fixture
def ended() -> int:
    """A process that has been."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_loop_left_is_swept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: int
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, waiting = make_loop_folder(), make_loop_folder()
    running = waiting.with_name(waiting.name.replace(f"_{os.getpid()}-", f"_{ended}-"))
    left = running.with_name(f"{running.name}x")
    foreign = left.with_name("second_unit_loop_of_somebody")
    for folder in (running, left, foreign):
        folder.mkdir()
    own_loop_folder(killed, ended)
    own_loop_folder(running, os.getpid())
    new = make_loop_folder()
    assert set(tmp_path.iterdir()) == {waiting, running, foreign, new}
