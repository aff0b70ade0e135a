# SPDX-License-Identifier: GPL-3.0-or-later
"""In a Blender application a child of that application sees what its parent sees."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, SCRIPTS

pytestmark = pytest.mark.app
ORDER: dict[str, Any] = {"camera": "A", "times": ["2", "5", "8"], "meter": 1, "size": [64, 32]}


@pytest.mark.parametrize("trusted", [True, False])
def test_a_child_of_the_application_equals_its_parent(tmp_path: Path, trusted: bool) -> None:
    """With the user's own, here empty, preferences."""
    if not os.environ.get("BLENDER"):
        pytest.skip("$BLENDER names no application")
    answer, folder = tmp_path / "answer.json", tmp_path / "a shoot"
    folder.mkdir()
    args = {"root": str(ROOT), "answer": str(answer), "folder": str(folder), "trusted": trusted, "order": ORDER}
    script = ["-b", "--factory-startup", "--python", str(SCRIPTS / "in_app.py"), "--", json.dumps(args)]
    env = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "resources")}
    done = subprocess.run(
        [*shlex.split(os.environ["BLENDER"]), *script],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.is_file(), f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    found = json.loads(answer.read_text("utf-8"))
    assert found["is_app"]
    assert found["child"] == found["hashes"]
    assert (found["changed"], found["same bytes"], found["trusted"]) == ([], True, trusted)
    assert (found["without session"] == found["hashes"]) is not trusted
    assert len(found["concerns"]) == len(found["notes"]) == (not trusted)
