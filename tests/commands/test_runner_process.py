# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner is started so that nothing lying about gets imported, and with the user's own idea of where they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from second_unit.addon.generation.jobs.process import runner_argv
from second_unit.addon.shot.project import Project


def test_a_module_in_the_project_or_the_current_folder_is_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that somebody sent may hold a `requests.py`."""
    for name in ("requests", "numpy", "json", "PIL"):
        (tmp_path / f"{name}.py").write_text("open('stolen', 'w').close()\n", encoding="utf-8")
    (tmp_path / "jobs").mkdir()
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(runner_argv(Project(tmp_path)), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "stolen").exists()
