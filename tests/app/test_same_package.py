# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window makes of a shot is, byte for byte, what the same Blender makes of the saved file without a window.

So is what the panel says beforehand.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from .conftest import Window
from .test_window import BUTTON, CANCEL, LOOP_S, finished, in_sidebar, open_example, type_frames

pytestmark = [pytest.mark.app, pytest.mark.slow]
SHOTS = ("SH010", "SH020")


def packages(project: Path) -> dict[str, Any]:
    """Every file of every shot's package by its path: its digest, or, of a manifest, what is in it."""
    found: dict[str, Any] = {}
    for shot in SHOTS:
        (package,) = (project / shot / "packages").iterdir()
        for path in sorted(path for path in package.rglob("*") if path.is_file()):
            is_manifest = path == package / "manifest.json"
            told = but_volatile(path) if is_manifest else sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(project).as_posix()] = told
    return found


def but_volatile(manifest: Path) -> dict[str, Any]:
    told = json.loads(manifest.read_text("utf-8"))
    del told["volatile"]
    return told


def pictures(files: dict[str, Any]) -> dict[str, Any]:
    """Without the texts of cameras: another Python has another numpy, which may round their last digit otherwise."""
    found = {name: told for name, told in files.items() if name.split("/")[3] not in {"camera", "manifest.json"}}
    assert len(found) > len(files) / 2
    return found


def made_without_window(command: list[str], env: dict[str, str], project: Path) -> dict[str, Any]:
    """The packages of the same shots, with their uuids, made anew."""
    shutil.rmtree(project / "cache")
    for shot in SHOTS:
        shutil.rmtree(project / shot / "packages")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return packages(project)


def save(window: Window, blend: Path) -> None:
    before = blend.stat().st_mtime_ns
    x, y, width, height = window.region("VIEW_3D", "WINDOW")
    window.move(x + width / 2, y + height / 2)
    window.key("ctrl+s")
    window.until(lambda _: blend.stat().st_mtime_ns != before, "the saved file")


def test_window_and_command_line_make_the_same_packages(window: Window, tmp_path: Path) -> None:
    blend = open_example(window)
    type_frames(window, 1047, 1051)
    save(window, blend)
    plan = window.until(lambda s: [len(shot) for shot in s["plan"]] == [4, 4], "the plan")["plan"]
    in_sidebar(window, BUTTON, lambda s: s["view"]["is_running"], "the loop")
    window.until(lambda s: s["view"]["step"] == "Generating" or finished(s), "the packages", LOOP_S)
    in_sidebar(window, CANCEL, lambda s: s["view"]["step"] == "Stopping" or finished(s), "the stop")
    window.until(finished, "the end", LOOP_S)
    project = blend.parent / "second_unit" / blend.stem
    ours = packages(project)
    assert {name.split("/")[3] for name in ours} >= {"depth", "pose", "guide", "video", "camera", "manifest.json"}

    env = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "user")}
    headless = [window.tool, "blender", "-b", str(blend), "--command", "second_unit", "condition"]
    assert made_without_window(headless, env, project) == ours
    pip = [sys.executable, "-m", "second_unit.addon.cli", "condition", str(blend)]
    assert pictures(made_without_window(pip, env, project)) == pictures(ours)
    told = subprocess.run([*pip, "--dry-run"], env=env, capture_output=True, text=True, check=True).stderr
    assert [line.strip() for line in told.splitlines()] == [line for shot in plan for line in shot]
