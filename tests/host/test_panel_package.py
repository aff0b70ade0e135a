# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the panel's loop and of the command line are the same bytes, but for what manifests call volatile."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.host.blender import CHILD

from .conftest import Script
from .test_panel import at_panel, project

pytestmark = pytest.mark.host
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}
# one frame before the first cut, two after it: the model wants one and five
FEW = {"frame_start": 1048, "frame_end": 1050}
SHOTS = ("SH010", "SH020")


def packages(film: Path) -> dict[str, Any]:
    """Every file of every shot's package by its path: its digest, or, of a manifest, what is in it."""
    found: dict[str, Any] = {}
    for shot in SHOTS:
        (package,) = project(film).shot(shot).packages.iterdir()
        files = sorted(path for path in package.rglob("*") if path.is_file())
        for path in files:
            name = path.relative_to(project(film).root).as_posix()
            is_manifest = path == package / "manifest.json"
            found[name] = but_volatile(path) if is_manifest else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def but_volatile(manifest: Path) -> dict[str, Any]:
    told = json.loads(manifest.read_text("utf-8"))
    del told["volatile"]
    return told


def forget(film: Path) -> None:
    """The shots keep their records, with their uuids; packages and frames go."""
    shutil.rmtree(project(film).cache)
    for shot in SHOTS:
        shutil.rmtree(project(film).shot(shot).packages)


def test_the_panel_makes_the_packages_of_the_command_line(
    script: Script, example: Path, tmp_path: Path, host_python: str
) -> None:
    """In one process and in four."""
    film = Path(shutil.copy(example, tmp_path / "film.blend"))
    at_panel(script, film, "press", "until generating", "cancel", frames=FEW, save=True)
    ours = packages(film)
    assert {name.split("/")[3] for name in ours} >= {"depth", "pose", "guide", "video", "camera", "manifest.json"}
    for jobs in ("1", "4"):
        forget(film)
        command = [host_python, "-P", "-u", str(CHILD), "--cli", "condition", str(film), "--jobs", jobs]
        done = subprocess.run(command, env=WITHOUT_APP, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        assert packages(film) == ours
