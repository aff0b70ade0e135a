# SPDX-License-Identifier: GPL-3.0-or-later
"""`demo` before its first frame, and what `run --dry-run` says of all the steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands import demo

Cli = Callable[..., Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders a demo would have been made in."""
    folders: list[Path] = []
    monkeypatch.setattr(demo, "demo", lambda _console, out, *_: folders.append(out))
    return folders


def test_the_demo_goes_where_it_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in ([], ["--out", "a"], ["--project", "b"], ["--out", "c", "--project", tmp_path / "c"]):
        assert cli("demo", *words).code == 0
    assert asked == [tmp_path / name for name in ("second-unit-demo", "a", "b", "c")]


def test_two_folders_for_one_demo_are_refused(cli: Cli, tmp_path: Path, asked: list[Path]) -> None:
    heard = cli("demo", "--out", tmp_path / "a", "--project", tmp_path / "b")
    assert (heard.code, asked) == (2, [])
    assert "--out and --project" in heard.err


@pytest.mark.parametrize("blender", ["/nonsense", "no-such-blender-anywhere"])
def test_without_its_blender_the_demo_leaves_nothing(
    blender: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLENDER", blender)
    heard = cli("demo", "--out", tmp_path / "demo")
    assert heard.code == 2
    assert f"There is no Blender at '{blender}'." in heard.err
    assert list(tmp_path.iterdir()) == []


FOREIGN = "http://gpu.example.org:8188"


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("words", "service", "needs_yes"),
    [
        ([], "'rehearsal'", False), (["--service", "http://127.0.0.1:8188"], "127.0.0.1", False),
        (["--service", FOREIGN], "gpu.example.org", True), (["--service", FOREIGN, "--allow-host"], "example", False),
    ],
)  # fmt: skip
def test_a_dry_run_of_everything_says_what_would_follow_and_does_nothing(
    words: list[str], service: str, needs_yes: bool, cli: Cli, film: Any, runners: list[Any]
) -> None:
    before = film.files()
    heard = cli("run", film.blend, "--dry-run", "--takes", "3", *words)
    assert heard.code == 0, heard.err
    shots, ordered, made = heard.err.splitlines()[:-2], *heard.err.splitlines()[-2:]
    assert [line.split(":")[0] for line in shots if not line.startswith(" ")] == ["SH010", "SH020"]
    assert "3 take(s) of each shot" in ordered
    assert service in ordered
    assert ("--allow-host" in ordered) is needs_yes
    assert all(word in made for word in ("edit", "comps", "review", "contact sheet", "Nothing was done."))
    assert (film.files(), runners) == (before, [])


@pytest.mark.usefixtures("host")
def test_a_dry_run_of_everything_is_no_safer_with_a_service_that_is_none(cli: Cli, film: Any) -> None:
    assert cli("run", film.blend, "--dry-run", "--service", "http://user:pw@host").code == 2
