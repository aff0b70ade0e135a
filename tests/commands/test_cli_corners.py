# SPDX-License-Identifier: GPL-3.0-or-later
"""Corners of the command line: odd values, interruptions, options that must mean what they say."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands import actions, context
from second_unit.addon.errors import UsageError
from second_unit.addon.shot.project import Project, Settings
from second_unit.addon.shot.timing import FrameRange

Cli = Callable[..., Any]


# Values.


@pytest.mark.parametrize("size", ["20000x4", "8x480", "832x9000", "0x0", "99999x99999"])
@pytest.mark.usefixtures("host")
def test_a_size_nobody_can_draw_is_said_with_its_limits(size: str, cli: Cli, film: Any) -> None:
    heard = cli("condition", film.blend, "--size", size)
    assert heard.code == 2
    assert re.search(rf"{size} pixels.* 16 to 8192 ", heard.err)


@pytest.mark.parametrize("frames", [["--frames", "-10--5"], ["--frames=-10--5"]], ids=["two words", "one word"])
@pytest.mark.usefixtures("host")
def test_frames_below_zero_are_understood(frames: list[str], cli: Cli, film: Any) -> None:
    shots = (replace(film.info.shots[0], cut=FrameRange(-20, -1)),)
    film.info = replace(film.info, shots=shots, frames=FrameRange(-20, -1))
    heard = cli("condition", film.blend, *frames, "--dry-run", "--json")
    assert heard.code == 0, heard.err
    assert [r["frames"] for r in heard.records] == [6]


@pytest.mark.parametrize("frames", ["-5--10", "-5"])
def test_odd_frames_below_zero_are_said(frames: str, cli: Cli, film: Any) -> None:
    heard = cli("condition", film.blend, "--frames", frames)
    assert heard.code == 2
    assert f"'{frames}'" in heard.err or f"range {frames} is empty" in heard.err


@pytest.mark.parametrize("command", ["shots", "condition", "generate", "timeline", "comp", "takes", "run"])
@pytest.mark.usefixtures("host")
def test_markers_outside_the_scene_are_said_with_its_frames(command: str, cli: Cli, film: Any) -> None:
    film.info = replace(film.info, shots=())
    before = film.files()
    heard = cli(command, film.blend)
    assert heard.code == 1
    assert "All camera markers lie outside the scene's frames 1001 to 1020." in heard.err
    assert film.files() == before


# Options that mean what they say.


@pytest.mark.parametrize("command", ["condition", "takes", "jobs", "demo", "run", "doctor"])
def test_an_unknown_option_names_the_help_of_its_command(command: str, cli: Cli, film: Any) -> None:
    heard = cli(command, *([film.blend] if command in {"condition", "takes", "run"} else []), "--nonsense")
    assert heard.code == 2
    assert "--nonsense" in heard.err
    assert f"See 'second-unit {command} --help'." in heard.err


def test_the_runner_is_not_for_people_but_works(cli: Cli, film: Any) -> None:
    for heard in (cli("jobs", "--help"), cli("jobs", "explode")):
        assert "resume" in heard.out + heard.err
        assert not re.search(r"\brun\b", heard.out + heard.err)
    film.project.jobs.mkdir(parents=True)
    assert cli("jobs", "run", "--project", film.project.root).code == 0


def test_what_needs_no_project_takes_none(cli: Cli, tmp_path: Path) -> None:
    heard = cli("rehearse", "--project", tmp_path)
    assert heard.code == 2
    assert "--project" in heard.err


def test_a_context_without_a_scene_says_so_when_asked_for_it(tmp_path: Path) -> None:
    alone = context.Context(None, None, None, Project(tmp_path), Settings(), None)
    with pytest.raises(UsageError, match="No scene was given"):
        _ = alone.blend


def test_a_command_on_a_project_has_no_scene(cli: Cli, film: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    film.project.jobs.mkdir(parents=True)
    seen: list[context.Context] = []
    monkeypatch.setattr(actions.jobs, "list_jobs", seen.append)
    assert cli("jobs", "--project", film.project.root).code == 0
    assert [c.scene_file for c in seen] == [None]


def test_a_circle_can_be_taken_away(cli: Cli, film: Any) -> None:
    film.take("SH010")
    film.take("SH010", 2)
    cli("takes", film.blend, "circle", "t001", "--shot", "SH010")
    before = film.files()
    assert cli("takes", film.blend, "circle", "none", "--shot", "SH010", "--dry-run").code == 0
    assert film.files() == before
    heard = cli("takes", film.blend, "circle", "none", "--shot", "SH010")
    assert (heard.code, heard.err) == (0, "SH010: no take is circled.\n")
    assert [r["circled"] for r in cli("takes", film.blend, "--json", "--shot", "SH010").records] == [False, False]
    assert "none" in cli("takes", "--help").out


# Interrupted.

_SLOW_IMPORT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us without
class Slow:
    def find_spec(self, name, *_):
        if name == {name!r}:
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
from second_unit.addon.cli import main
sys.argv[1:] = ["doctor"]
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal are sent in another way there")
@pytest.mark.parametrize("name", ["second_unit.addon.commands.actions", "numpy", "second_unit.addon.commands.doctor"])
def test_an_interruption_while_modules_load_is_a_sentence(name: str, tmp_path: Path) -> None:
    """The import hangs until the signal comes: nothing depends on how fast this machine is."""
    program = [sys.executable, "-P", "-c", _SLOW_IMPORT.format(name=name)]
    with subprocess.Popen(
        program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "importing\n"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (
        130,
        "second-unit: Interrupted. Run the same command again to go on from here.\n",
    )


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal are sent in another way there")
def test_the_command_line_itself_imports_next_to_nothing(tmp_path: Path) -> None:
    """What is loaded before `main` runs cannot be interrupted with a sentence."""
    code = (
        "import sys; before = set(sys.modules); import second_unit.addon.cli;"
        "print(*(n for n in set(sys.modules) - before if not n.startswith('second_unit') and n != '__future__'))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"typing"} | _parts_of_typing()


def _parts_of_typing() -> set[str]:
    code = "import sys; before = set(sys.modules); import typing; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
