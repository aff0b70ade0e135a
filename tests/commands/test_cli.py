# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as people and programs meet it. No Blender, no network."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon import cli as cli_module
from second_unit.addon.commands import actions, context

COMMANDS = (
    "demo", "run", "shots", "condition", "generate", "timeline", "comp", "jobs", "takes", "rehearse", "doctor",
)  # fmt: skip
SAYS = {
    "demo": "loop", "run": "condition, generate", "shots": "list", "condition": "control packages",
    "generate": "service",
    "timeline": "edit", "comp": "compositor", "jobs": "jobs", "takes": "takes", "rehearse": "rehearsal",
    "doctor": "check",
}  # fmt: skip
BLEND = "BLEND"
Cli = Callable[..., Any]


def assert_is_one_sentence_and_one_fix(err: str) -> None:
    """``second-unit: What happened.`` and, on a line of its own, ``What to do.``"""
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert re.fullmatch(r"second-unit: ['A-Z0-9].*\.", lines[0]), err
    assert re.fullmatch(r" +\S.*", lines[1]), err
    assert "Traceback" not in err


# Help.


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does_and_fits_100_columns(
    command: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    heard = cli(command, "--help")
    assert (heard.code, heard.err) == (0, "")
    assert heard.out.startswith(f"usage: second-unit {command} ")
    assert SAYS[command] in heard.out.split("options:")[0].lower()
    assert max(map(len, heard.out.splitlines())) <= 100
    assert "==SUPPRESS==" not in heard.out


def test_the_first_help_shows_every_command_and_fits_100_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    heard = cli("--help")
    assert heard.code == 0
    assert all(re.search(rf"^ +{command}\b", heard.out, re.MULTILINE) for command in COMMANDS)
    assert "second-unit demo" in heard.out
    assert [line for line in heard.out.splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("command", ["shots", "condition", "generate", "timeline", "comp", "takes", "run"])
def test_what_works_on_a_scene_has_the_common_options(command: str, cli: Cli) -> None:
    text = cli(command, "--help").out
    options = ("--project", "--scene", "--blender", "--shot", "--dry-run", "--quiet", "--json", "--json-file")
    assert [option for option in options if option not in text] == []


def test_version(cli: Cli) -> None:
    heard = cli("--version")
    assert heard.code == 0
    assert re.fullmatch(r"second-unit \d+\.\d+\.\d+\n", heard.out)


# Not understood.


@pytest.mark.parametrize(
    "argv",
    [
        [], ["frobnicate"], ["shots"], ["shots", BLEND, "--nonsense"], ["shots", BLEND, "--shot"],
        ["condition", BLEND, "--jobs", "0"], ["condition", BLEND, "--jobs", "65"], ["demo", "--jobs", "many"],
        ["condition", BLEND, "--frames", "1001"], ["condition", BLEND, "--frames", "a-b"],
        ["condition", BLEND, "--frames", "1010-1001"], ["condition", BLEND, "--frames", "2001-2010"],
        ["condition", BLEND, "--size", "big"], ["condition", BLEND, "--size", "100x100"],
        ["condition", BLEND, "--size", "0x0"], ["condition", BLEND, "--profile", "../x"],
        ["condition", BLEND, "--quality", "ultra"], ["condition", BLEND, "--passes", "depth,smell"],
        ["condition", BLEND, "--passes", ","], ["condition", BLEND, "--shot", "SH999"],
        ["condition", BLEND, "--renderer", "eevee"], ["generate", BLEND, "--seed", "x"],
        ["generate", BLEND, "--takes", "0"], ["generate", BLEND, "--shot", "SH999"], ["takes", BLEND, "circle"],
        ["takes", BLEND, "circle", "t009", "--shot", "SH010"], ["takes", BLEND, "rate"], ["jobs", "list",
        "--project", "."],
        ["jobs", "explode"], ["timeline", BLEND], ["comp", BLEND], ["rehearse", "--port", "x"],
        ["rehearse", "--port", "80", "--blender", "/nowhere/blender"],
    ],
    ids=lambda argv: " ".join(argv) or "nothing",
)  # fmt: skip
@pytest.mark.usefixtures("host")
def test_what_is_not_understood_exits_2_with_a_sentence_and_a_fix(
    argv: list[str], cli: Cli, film: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = film.files()
    heard = cli(*(film.blend if word == BLEND else word for word in argv))
    err = "\n".join(line for line in heard.err.splitlines() if "is left out" not in line)
    assert heard.code == 2
    assert_is_one_sentence_and_one_fix(err)
    assert heard.out == ""
    assert film.files() == before


@pytest.mark.parametrize(
    "url",
    [
        "gpu",
        "ftp://host",
        "http://",
        "http://user:pw@host:1",
        "http://127.0.0.1@evil.example.org",
        "http://a b",
        "file:///etc",
    ],
)
def test_a_service_that_is_none_exits_2_and_repeats_no_password(url: str, cli: Cli, film: Any) -> None:
    film.shoot("SH010")
    heard = cli("generate", film.blend, "--shot", "SH010", "--service", url)
    assert heard.code == 2
    assert_is_one_sentence_and_one_fix(heard.err)
    assert "pw" not in heard.err


# Failed.


@pytest.mark.parametrize("command", ["shots", "condition", "generate", "timeline", "comp", "takes", "run"])
def test_a_missing_file_exits_1_and_is_named(command: str, cli: Cli, tmp_path: Path) -> None:
    heard = cli(command, tmp_path / "gone.blend")
    assert heard.code == 1
    assert_is_one_sentence_and_one_fix(heard.err)
    assert "gone.blend" in heard.err
    assert list(tmp_path.iterdir()) == []


def test_a_shot_without_a_package_says_which_command_comes_first(cli: Cli, film: Any) -> None:
    heard = cli("generate", film.blend)
    assert heard.code == 2
    assert "SH010 has no control package" in heard.err
    assert "second-unit condition" in heard.err


@pytest.mark.parametrize("command", ["generate", "condition", "timeline", "comp"])
@pytest.mark.usefixtures("host")
def test_a_scene_without_any_shot_is_a_sentence(command: str, cli: Cli, film: Any) -> None:
    """All markers lie behind the last frame."""
    from dataclasses import replace

    film.info = replace(film.info, shots=())
    heard = cli(command, film.blend)
    assert heard.code in {1, 2}
    assert_is_one_sentence_and_one_fix(heard.err)


def test_a_broken_project_file_is_named(cli: Cli, film: Any) -> None:
    film.project.root.mkdir(parents=True)
    film.project.config.write_text("[service", "utf-8")
    heard = cli("shots", film.blend)
    assert heard.code == 1
    assert_is_one_sentence_and_one_fix(heard.err)
    assert "project.toml" in heard.err


def test_no_blender_at_all_is_a_sentence(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blend = tmp_path / "film.blend"
    blend.write_bytes(b"BLENDER")
    monkeypatch.delenv("BLENDER", raising=False)
    monkeypatch.delitem(sys.modules, "bpy", raising=False)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "bpy" else found(name, *more))
    heard = cli("shots", blend)
    assert heard.code == 1
    assert_is_one_sentence_and_one_fix(heard.err)
    assert "No Blender was found." in heard.err
    assert "--blender" in heard.err
    assert cli("doctor").code == 1


def test_a_blender_that_is_not_there_is_a_sentence(cli: Cli, tmp_path: Path) -> None:
    blend = tmp_path / "film.blend"
    blend.write_bytes(b"BLENDER")
    heard = cli("shots", blend, "--blender", tmp_path / "gone" / "blender")
    assert heard.code == 2
    assert_is_one_sentence_and_one_fix(heard.err)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130), (OSError(28, "No space left on device", "film.png"), 1),
        (PermissionError(13, "Permission denied", "film.png"), 1), (OSError("no number at all"), 1),
    ],
    ids=["interrupt", "full disk", "no permission", "something"],
)  # fmt: skip
def test_whatever_ends_a_command_is_a_sentence(
    error: BaseException, code: int, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> int:
        raise error

    monkeypatch.setattr(actions, "run", end)
    heard = cli("doctor")
    assert heard.code == code
    assert heard.err.startswith("second-unit: ")
    assert "Traceback" not in heard.err
    assert "None" not in heard.err


# For programs.


def test_errors_are_records_on_standard_output(cli: Cli, tmp_path: Path) -> None:
    heard = cli("shots", tmp_path / "gone.blend", "--json")
    (record,) = heard.records
    assert record["kind"] == "error"
    assert "gone.blend" in record["what"]
    assert record["fix"]
    assert heard.err != ""


def test_a_full_disk_is_a_record_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object) -> int:
        raise OSError(28, "No space left on device", "film.png")

    monkeypatch.setattr(actions, "run", end)
    (record,) = cli("doctor", "--json").records
    assert (record["kind"], "full" in record["what"]) == ("error", True)


def test_shots_are_records_and_people_read_elsewhere(cli: Cli, film: Any) -> None:
    film.shoot("SH010")
    heard = cli("shots", film.blend, "--json")
    assert [(r["kind"], r["name"], r["first"], r["last"], r["uuid"]) for r in heard.records] == [
        ("shot", "SH010", 1001, 1007, "uuid-of-SH010"), ("shot", "SH020", 1008, 1020, None),
    ]  # fmt: skip
    assert "SH010" in heard.err
    assert cli("shots", film.blend).out == ""


def test_shots_tell_the_handles_that_will_be_drawn(cli: Cli, film: Any) -> None:
    film.project.root.mkdir(parents=True)
    film.project.config.write_text('schema = "second_unit.project/1"\n[defaults]\nquality = "final"\n', "utf-8")
    film.info = replace(film.info, shots=(replace(film.info.shots[0], handles=(0, 2)), film.info.shots[1]))
    heard = cli("shots", film.blend, "--json")
    assert [record["handles"] for record in heard.records] == [[0, 2], [8, 8]]


def test_a_record_file_holds_the_same_lines(cli: Cli, film: Any, tmp_path: Path) -> None:
    heard = cli("shots", film.blend, "--json", "--json-file", tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").read_text("utf-8") == heard.out


def test_a_record_file_that_cannot_be_written_is_a_sentence(cli: Cli, film: Any, tmp_path: Path) -> None:
    heard = cli("shots", film.blend, "--json-file", tmp_path / "gone" / "log.jsonl")
    assert heard.code == 1
    assert "Traceback" not in heard.err
    assert "log.jsonl" in heard.err


def test_quiet_leaves_errors_only(cli: Cli, film: Any, tmp_path: Path) -> None:
    assert cli("shots", film.blend, "--quiet").err == ""
    assert cli("shots", tmp_path / "gone.blend", "--quiet").err != ""


def test_a_command_speaks_to_the_streams_of_its_moment(film: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A host that redirects standard output after our import still hears us."""
    assert cli_module.main(["shots", str(film.blend), "--json"]) == 0
    heard = capsys.readouterr()
    assert '"kind": "shot"' in heard.out
    assert "SH010" in heard.err


def test_listing_shots_and_takes_writes_nothing(cli: Cli, film: Any) -> None:
    film.take("SH010")
    before = film.files()
    assert cli("shots", film.blend).code == 0
    heard = cli("takes", film.blend, "--json")
    assert [(r["shot"], r["take"], r["circled"]) for r in heard.records] == [("SH010", "t001", False)]
    assert film.files() == before


def test_circling_a_take_is_remembered(cli: Cli, film: Any) -> None:
    film.take("SH010")
    film.take("SH010", 2)
    assert cli("takes", film.blend, "circle", "t001", "--shot", "SH010").code == 0
    records = cli("takes", film.blend, "--json").records
    assert [(r["take"], r["circled"]) for r in records] == [("t001", True), ("t002", False)]


# In a process of its own.


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [(["--version"], 0, "second-unit"), (["shots", "gone.blend"], 1, "gone.blend"), (["frobnicate"], 2, "--help")],
    ids=["version", "missing file", "usage"],
)  # fmt: skip
def test_the_program_ends_with_these_codes(argv: list[str], code: int, words: str, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "second_unit.addon", *argv]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


# Consent: what leaves, and where it goes.

FOREIGN = "http://gpu.example.org:8188"


def test_nothing_goes_to_a_foreign_host_unasked(cli: Cli, film: Any, runners: list[Any]) -> None:
    film.shoot("SH010")
    before = film.files()
    heard = cli("generate", film.blend, "--shot", "SH010", "--service", FOREIGN)
    assert heard.code == 1
    *listed, sentence, fix = heard.err.splitlines()
    assert_is_one_sentence_and_one_fix(f"{sentence}\n{fix}")
    assert all(word in sentence for word in ("gpu.example.org", "1 file", "2 texts"))
    assert "--allow-host" in fix
    assert any("guide.0.mp4" in line for line in listed)
    assert [line.strip() for line in listed if "prompt" in line or "negative" in line] == [
        "prompt: 'a red fox runs'", "negative: 'blurry, grey'",
    ]  # fmt: skip
    assert film.files() == before
    assert runners == []


@pytest.mark.parametrize("service", ["rehearsal", "http://127.0.0.1:8188", "http://localhost:8188"])
def test_loopback_needs_no_word(service: str, cli: Cli, film: Any, runners: list[Any]) -> None:
    film.shoot("SH010")
    heard = cli("generate", film.blend, "--shot", "SH010", "--service", service, "--json")
    assert heard.code == 0, heard.err
    assert [r["new"] for r in heard.records] == [True]
    assert runners == [film.project]


def test_a_yes_is_kept_and_asked_for_once(cli: Cli, film: Any, runners: list[Any]) -> None:
    film.shoot("SH010")
    assert cli("generate", film.blend, "--shot", "SH010", "--service", FOREIGN, "--allow-host").code == 0
    assert context.load_settings(film.project).allowed_hosts == ("gpu.example.org",)
    assert cli("generate", film.blend, "--shot", "SH010", "--service", FOREIGN, "--seed", "8").code == 0
    assert cli("generate", film.blend, "--shot", "SH010", "--service", "http://other.example.org").code == 1
    assert len(runners) == 2
    assert len(list(film.project.jobs.glob("*/submission.json"))) == 2


def test_what_leaves_is_on_disk_first_and_names_nothing_of_ours(cli: Cli, film: Any, runners: list[Any]) -> None:
    film.shoot("SH010")
    cli("generate", film.blend, "--shot", "SH010", "--service", FOREIGN, "--allow-host")
    (file,) = film.project.jobs.glob("*/submission.json")
    document = json.loads(file.read_text("utf-8"))
    assert document["host"] == "gpu.example.org"
    assert {t["text"] for p in document["parcels"] for t in p["texts"]} == {"a red fox runs", "blurry, grey"}
    sent = json.dumps([{**f, "path": ""} for p in document["parcels"] for f in p["files"]])
    assert not re.search("SH010|film|Cam", sent)
    assert len(runners) == 1


def test_a_dry_run_lists_every_file_and_text_and_writes_nothing(cli: Cli, film: Any, runners: list[Any]) -> None:
    film.shoot("SH010")
    film.shoot("SH020")
    before = film.files()
    heard = cli("generate", film.blend, "--service", FOREIGN, "--allow-host", "--dry-run")
    assert heard.code == 0
    assert heard.err.count("guide.0.mp4") == 2
    assert heard.err.count("a red fox runs") == heard.err.count("blurry, grey") == 2
    assert "gpu.example.org" in heard.err
    assert film.files() == before
    assert runners == []


def test_the_same_work_is_ordered_once(cli: Cli, film: Any, runners: list[Any]) -> None:
    film.shoot("SH010")
    first, again, other = (
        cli("generate", film.blend, "--shot", "SH010", "--json", "--prompt", prompt).records
        for prompt in ("a fox", "a fox", "a hare")
    )
    assert [r["new"] for r in (*first, *again, *other)] == [True, False, True]
    assert first[0]["job"] == again[0]["job"]
    assert runners
