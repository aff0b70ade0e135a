# SPDX-License-Identifier: GPL-3.0-or-later
"""`doctor` looks at the folder that would be used, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands import doctor
from second_unit.addon.generation.jobs.lease import Lease

Cli = Callable[..., Any]


def findings(heard: Any) -> dict[str, tuple[str, str]]:
    return {r["name"]: (r["found"], r["fix"]) for r in heard.records}


def test_a_good_folder_is_fine_and_stays_as_it_is(cli: Cli, tmp_path: Path) -> None:
    heard = cli("doctor", "--json", "--project", tmp_path)
    assert findings(heard)["Project"] == (str(tmp_path), "")
    assert list(tmp_path.iterdir()) == []
    assert set(findings(heard)) == {"Python", "Blender", "Project", "Disk"}


def test_a_folder_that_will_be_made_is_judged_by_the_one_above(cli: Cli, tmp_path: Path) -> None:
    found, fix = findings(cli("doctor", "--json", "--project", tmp_path / "new" / "film"))["Project"]
    assert ("will be made" in found, fix) == (True, "")
    assert list(tmp_path.iterdir()) == []


def test_without_a_project_it_is_the_folder_one_is_in(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert findings(cli("doctor", "--json"))["Project"] == (str(tmp_path), "")


@pytest.mark.parametrize("below", ["", "film"])
def test_a_file_is_no_folder(below: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    heard = cli("doctor", "--json", "--project", tmp_path / "afile" / below)
    found, fix = findings(heard)["Project"]
    assert heard.code == 1
    assert "afile' is no folder" in found
    assert "--project" in fix


def test_a_folder_that_refuses_is_said(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "mkdtemp", refuse)
    heard = cli("doctor", "--json", "--project", tmp_path)
    assert heard.code == 1
    assert "not writable" in findings(heard)["Project"][0]


def test_a_drive_that_gives_one_lock_twice_is_said(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "acquire", lambda _: None)
    found, fix = findings(cli("doctor", "--json", "--project", tmp_path))["Project"]
    assert "lock" in found
    assert "--project" in fix
    assert list(tmp_path.iterdir()) == []


def test_a_drive_that_does_not_rename_is_said(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", lambda self, _: self)
    assert "rename" in findings(cli("doctor", "--json", "--project", tmp_path))["Project"][0]


def test_a_blender_that_cannot_be_started_is_said(cli: Cli, tmp_path: Path) -> None:
    heard = cli("doctor", "--json", "--project", tmp_path, "--blender", "no-such-blender-anywhere")
    assert heard.code == 1
    assert "no-such-blender-anywhere" in findings(heard)["Blender"][0]
