# SPDX-License-Identifier: GPL-3.0-or-later
"""Host tests talk to a Blender the way the product does, or run a script of `scripts/` in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.host.blender import Blender

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
EXAMPLE = ROOT / "examples" / "handover.blend"

Script = Callable[..., Any]


@pytest.fixture
def blender(host_python: str) -> Blender:
    """A Blender of the version under test."""
    return Blender((host_python,), is_app=False)


@pytest.fixture
def script(host_python: str, tmp_path: Path) -> Script:
    """Runs a script of `scripts/` in Blender with JSON arguments; what it returns comes back as JSON."""

    def run(name: str, **args: object) -> Any:
        answer = tmp_path / f"{name}.answer.json"
        order = json.dumps({"root": str(ROOT), "answer": str(answer), **args})
        env = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "resources"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [host_python, "-u", str(SCRIPTS / "main.py"), name, order]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
        assert answer.is_file(), f"{name} gave no answer:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return json.loads(answer.read_text(encoding="utf-8"))

    return run


@pytest.fixture(scope="session")
def example() -> Path:
    """The shipped example."""
    return EXAMPLE
