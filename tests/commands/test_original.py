# SPDX-License-Identifier: GPL-3.0-or-later
"""A command on a hidden copy: everything is named after the original, and the copy is gone when the command is."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands import context as context_module
from second_unit.addon.commands.console import Console
from second_unit.addon.errors import SceneError, SecondUnitError
from second_unit.addon.host import hidden_copy
from second_unit.addon.host.blender import Blender, StandIn, own_process
from second_unit.addon.host.hidden_copy import owned_copy
from second_unit.addon.shot.package import load_current, load_manifest

Cli = Callable[..., Any]


def copy_of(blend: Path, pid: int | None = None) -> Path:
    """What `hide_copy` leaves: the file, its caches, its session."""
    name = f".{blend.stem}.second_unit-{pid or os.getpid()}-{hidden_copy.host_mark()}0123abcd"
    copy = blend.with_name(f"{name}.blend")
    copy.write_bytes(blend.read_bytes())
    (blend.parent / f"blendcache_{name}").mkdir()
    (blend.parent / f"blendcache_{name}" / "a.bphys").touch()
    hidden_copy.session_file(copy).write_text("{}", "utf-8")
    return copy


def traces(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".second_unit-" in path.name]


def test_everything_is_named_after_the_original(cli: Cli, film: Any, host: Any) -> None:
    copy = copy_of(film.blend)
    heard = cli(
        "condition", copy, "--original", film.blend, "--shot", "SH010", "--size", "64x48", "--frames", "1001-1002"
    )
    assert heard.code == 0, heard.err
    (package,) = film.project.shot("SH010").packages.glob("wan-*")
    assert load_manifest(package).source["blend"] == "film.blend"
    assert load_current(film.project.shot("SH010").current) is None
    assert {args["blend"] for name, args in host.tasks if name == "condition"} == {str(film.blend)}
    assert sorted(path.name for path in film.blend.parent.iterdir()) == ["film.blend", "second_unit"]


def test_the_context_opens_the_copy_and_speaks_of_the_original(
    film: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    copy = copy_of(film.blend)
    monkeypatch.setattr(context_module, "find_blender", lambda _: Blender(("blender",), is_app=True))
    made = context_module.open_context(
        Console(quiet=True), scene_file=str(copy), scene=None, project=None, blender=None, original=film.blend
    )
    assert (made.blend, made.copy, made.project.root) == (film.blend, copy, film.project.root)
    stand_in = made.blender().stand_in
    assert stand_in == StandIn(film.blend, copy)
    assert stand_in.swap({"layout": str(film.blend), "edit": "e", "n": 1}) == {"layout": str(copy), "edit": "e", "n": 1}
    error = SceneError(f"'{copy}' is odd.", f"Save '{copy}' again.")
    stand_in.rename(error)
    assert str(error) == f"'{film.blend}' is odd. Save '{film.blend}' again."


def test_what_a_child_could_not_take_over_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film.blend").touch()
    scene = {"name": "L", "fps": [24, 1], "size": [64, 48], "frames": [1, 2], "shots": [], "blender": "5.0.1"}
    notes = ["The add-on 'rig' could not be enabled."]
    monkeypatch.setattr(context_module, "find_blender", lambda _: Blender(("blender",), is_app=True))
    monkeypatch.setattr(context_module, "run_task", lambda *_: {**scene, "notes": notes})
    out, err = io.StringIO(), io.StringIO()
    made = context_module.open_context(
        Console(json=True, out=out, err=err), scene_file=str(tmp_path / "film.blend"), scene=None, project=None,
        blender=None,
    )  # fmt: skip
    assert made.read_scene().name == "L"
    assert (json.loads(out.getvalue()), err.getvalue()) == ({"kind": "note", "text": notes[0]}, f"  {notes[0]}\n")


@pytest.mark.parametrize("command", ["shots", "takes", "comp"])
def test_the_copy_goes_however_the_command_ends(cli: Cli, film: Any, command: str) -> None:
    """Done, done with nothing to do, and failed: there is no take to comp."""
    copy = copy_of(film.blend)
    heard = cli(command, copy, "--original", film.blend)
    assert (heard.code == 0) is (command != "comp"), heard.err
    assert traces(film.blend.parent) == []
    assert film.blend.is_file()


def test_the_copy_goes_when_something_breaks(film: Any) -> None:
    copy = copy_of(film.blend)
    session = film.blend.parent / "elsewhere.json"
    session.touch()
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        _interrupted(copy, film.blend, session, seen)
    assert any(name.endswith(".owner") for name in seen)
    assert traces(film.blend.parent) == []
    assert not session.exists()


def _interrupted(copy: Path, original: Path, session: Path, seen: list[str]) -> None:
    with owned_copy(str(copy), original, str(session)):
        seen += traces(original.parent)
        raise KeyboardInterrupt


@pytest.mark.parametrize("wrong", ["plain", "another", "elsewhere", "none"])
def test_what_is_no_copy_of_the_original_is_refused_and_stays(cli: Cli, film: Any, tmp_path: Path, wrong: str) -> None:
    other = film.blend.with_name("other.blend")
    other.write_bytes(b"BLENDER-v402")
    (tmp_path / "far").mkdir()
    far = tmp_path / "far" / "film.blend"
    far.write_bytes(b"BLENDER-v402")
    words = {"plain": [other], "another": [copy_of(other)], "elsewhere": [copy_of(far)], "none": []}[wrong]
    before = film.files()
    heard = cli("shots", *words, "--original", film.blend)
    assert (heard.code, "is no hidden copy of" in heard.err) == (2, True)
    assert film.files() == before
    assert all(path.is_file() for path in words)


def test_a_copy_that_is_gone_is_one_sentence(cli: Cli, film: Any) -> None:
    copy = copy_of(film.blend)
    hidden_copy.remove_copy(copy)
    heard = cli("shots", copy, "--original", film.blend)
    assert (heard.code, "There is no file" in heard.err) == (1, True)


def test_people_do_not_meet_the_option(cli: Cli) -> None:
    assert "--original" not in cli("run", "--help").out


WAITING = """
import sys, time
from pathlib import Path
from second_unit.addon.commands import actions
def wait(args, console):
    print("here", flush=True)
    time.sleep(60)
actions._ACTIONS["shots"] = wait
from second_unit.addon.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a program without asking it")
@pytest.mark.parametrize(("sent", "left"), [(signal.SIGTERM, 0), (signal.SIGKILL, 4)])
def test_a_command_that_is_told_to_end_tidies_up_and_a_killed_one_is_swept(film: Any, sent: int, left: int) -> None:
    folder = film.blend.parent
    command = [sys.executable, "-c", WAITING, "shots", str(copy_of(film.blend)), "--original", str(film.blend)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        hidden_copy.sweep_copies(folder)
        assert len(traces(folder)) == 4, "swept while it is in use"
        process.send_signal(sent)
        assert process.wait(30) == (130 if sent == signal.SIGTERM else -sent)
    assert len(traces(folder)) == left
    hidden_copy.sweep_copies(folder)
    assert traces(folder) == []


# Our own processes.


def test_an_own_process_runs_from_any_folder_under_any_name(tmp_path: Path) -> None:
    """As in an extension: the folder has another name, and nothing is installed for the Python that is started."""
    root = Path(hidden_copy.__file__).parents[2]
    place = tmp_path / "bl_ext" / "some name"
    shutil.copytree(root / "addon", place / "addon", ignore=shutil.ignore_patterns("__pycache__", "data"))
    for name in ("__init__.py", "blender_manifest.toml"):
        shutil.copy(root / name, place)
    (tmp_path / "json.py").write_text("raise SystemExit('taken from the current folder')", "utf-8")
    argv, env = own_process(["doctor", "--json", "--project", str(tmp_path)])
    main = Path(argv[3])
    argv[3] = str(place / main.relative_to(root))
    env.pop("PYTHONPATH", None)
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert '"name": "Python"' in done.stdout, done.stderr


def test_a_bare_python_gets_what_this_one_has(tmp_path: Path) -> None:
    """``-S``: no site-packages, like a bundled Python without the extension's wheels."""
    argv, env = own_process(["takes", str(tmp_path / "gone.blend")])
    env.pop("PYTHONPATH", None)
    bare = [argv[0], "-S", *argv[1:]]
    done = subprocess.run(bare, env=env, capture_output=True, text=True, check=False)
    assert "There is no file" in done.stderr, done.stderr
    del env["SECOND_UNIT_SITE"]
    assert "ModuleNotFoundError" in subprocess.run(bare, env=env, capture_output=True, text=True, check=False).stderr


class _App:
    """The part of bpy that tells an application."""

    def __init__(self, path: str) -> None:
        self.app = self
        self.binary_path = path


def test_the_application_we_run_in_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bpy", _App("/opt/my blender/blender"))
    argv, _ = own_process(["jobs", "run"])
    assert argv[-4:] == ["jobs", "run", "--blender", "/opt/my blender/blender"]
    argv, _ = own_process(["jobs", "run", "--blender=other"])
    assert argv[-1] == "--blender=other"
    monkeypatch.setattr(sys, "executable", "/opt/my blender/blender")
    argv, _ = own_process(["jobs", "run"])
    assert argv[:3] == ["/opt/my blender/blender", "-b", "--factory-startup"]
    assert argv[-6:] == ["--", "--cli", "jobs", "run", "--blender", "/opt/my blender/blender"]


def test_without_any_python_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bpy", raising=False)
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(SecondUnitError, match="no Python to start"):
        own_process(["jobs", "run"])


def test_an_application_with_a_space_in_its_path_is_found(tmp_path: Path) -> None:
    program = tmp_path / "my blender"
    program.touch()
    found = context_module.find_blender(str(program))
    assert found.command == (str(program),)
    task = tmp_path / "t.json"
    assert found.argv(task)[1:3] == ["-b", "--factory-startup"]
    assert "--factory-startup" not in found.argv(task, in_session=True)
