# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels are told while a loop is at work: from a real process that says what the command line says."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands.desk import Desk, Loop, Order, Row
from second_unit.addon.commands.events import Told, follow_events
from second_unit.addon.errors import HostError, SceneError
from second_unit.addon.shot.project import Project
from second_unit.addon.shot.shot import Blocking
from second_unit.addon.shot.timing import FrameRange

SHOTS = (Blocking("SH010", "Cam A", FrameRange(1001, 1007)), Blocking("SH020", "Cam B", FrameRange(1008, 1020)))
# says what its arguments are, then waits for a file, or for ever
SAYS = """
import json, os, signal, sys, time
signal.signal(signal.SIGTERM, signal.default_int_handler)
events, wait, code, *lines = sys.argv[1:]
with open(events, "a") as file:
    for line in lines:
        file.write(line + "\\n")
try:
    while wait and not os.path.exists(wait):
        time.sleep(0.01)
except KeyboardInterrupt:
    code = 130
sys.exit(int(code))
"""


@pytest.fixture
def ended() -> list[tuple[Loop, int]]:
    return []


@pytest.fixture
def desk(ended: list[tuple[Loop, int]]) -> Iterator[Desk]:
    made = Desk(on_loop_end=lambda loop, code: ended.append((loop, code)))
    yield made
    made.close()


def order(folder: Path, *events: dict[str, Any], code: int = 0, wait: str = "") -> Order:
    argv = [sys.executable, "-c", SAYS, str(folder / "events.jsonl"), wait, str(code), *map(json.dumps, events)]
    return Order(
        argv, dict(os.environ), folder, Project(folder / "p"), folder / "film.blend", folder / "copy.blend", "Layout"
    )


def until(desk: Desk, is_so: Callable[[], bool]) -> None:
    for _ in range(2000):
        desk.tick(SHOTS, None)
        if is_so():
            return
        threading.Event().wait(0.01)
    pytest.fail(f"in vain; the view is {desk.view}")


def test_progress_of_the_steps_adds_up_to_the_whole(desk: Desk, tmp_path: Path) -> None:
    go = tmp_path / "go"
    desk.begin(order(
        tmp_path, {"kind": "progress", "step": "Conditioning", "done": 1, "total": 2, "note": "SH010"}, wait=str(go)
    ))  # fmt: skip
    until(desk, lambda: desk.view.step == "Conditioning")
    assert desk.view.is_running
    assert (desk.view.factor, desk.view.note) == (pytest.approx(0.225), "SH010")
    go.touch()
    until(desk, lambda: not desk.view.is_running)


def test_a_loop_that_ends_well_says_what_it_made_and_hands_over_its_plan(
    desk: Desk, tmp_path: Path, ended: list[tuple[Loop, int]]
) -> None:
    plan = {"strips": []}
    desk.begin(order(
        tmp_path, {"kind": "take", "shot": "SH010", "take": "t001"}, {"kind": "edit", "plan": plan},
        {"kind": "take", "shot": "SH020", "take": None},
    ))  # fmt: skip
    until(desk, lambda: bool(ended))
    assert desk.view.message == "1 take: SH010 t001."
    assert not desk.view.is_error
    assert (ended[0][1], ended[0][0].told.plan) == (0, plan)


def test_an_error_is_shown_with_what_to_do(desk: Desk, tmp_path: Path) -> None:
    desk.begin(order(tmp_path, {"kind": "error", "what": "No service.", "fix": "Start it."}, code=1))
    until(desk, lambda: not desk.view.is_running)
    assert (desk.view.message, desk.view.fix, desk.view.is_error) == ("No service.", "Start it.", True)


def test_a_cure_is_one_for_panels(desk: Desk, tmp_path: Path) -> None:
    desk.begin(order(tmp_path, {"kind": "error", "what": "Gone.", "fix": "Run 'second-unit condition' again."}, code=1))
    until(desk, lambda: not desk.view.is_running)
    assert desk.view.fix == "Press Shoot All Shots again."


def test_an_end_without_a_word_names_the_log(desk: Desk, tmp_path: Path) -> None:
    desk.begin(order(tmp_path, code=9))
    until(desk, lambda: not desk.view.is_running)
    assert "code 9" in desk.view.message
    assert "loop.log" in desk.view.fix


def test_cancelling_is_answered_at_once_and_is_no_error(desk: Desk, tmp_path: Path, ended: list[Any]) -> None:
    desk.begin(order(tmp_path, {"kind": "progress", "step": "Edit", "done": 0, "total": 1}, wait="/nowhere"))
    until(desk, lambda: desk.view.step == "Edit")
    desk.cancel()
    assert desk.view.step == "Stopping"
    until(desk, lambda: bool(ended))
    assert ended[0][1] == 130
    assert desk.view.message.startswith("Stopped.")
    assert not desk.view.is_error


def test_there_is_one_loop_at_a_time(desk: Desk, tmp_path: Path) -> None:
    desk.begin(order(tmp_path, wait="/nowhere"))
    with pytest.raises(HostError):
        desk.begin(order(tmp_path))


def test_closing_leaves_no_process_and_no_thread(tmp_path: Path) -> None:
    threads = threading.active_count()
    desk = Desk()
    desk.begin(order(tmp_path, {"kind": "step"}, wait="/nowhere"))
    loop = desk.loop
    assert loop is not None
    desk.tick(SHOTS, Project(tmp_path / "p"))
    desk.close()
    assert loop.process.poll() is not None
    assert threading.active_count() == threads


def test_a_program_that_is_not_there_is_a_sentence(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="could not be read or written"):
        desk.begin(Order(["/no/such/program"], {}, tmp_path, Project(tmp_path), tmp_path, tmp_path, "Layout"))
    assert desk.loop is None


def test_the_list_shows_shots_and_what_lies_in_the_project(desk: Desk, film: Any) -> None:
    film.take("SH010")
    film.shoot("SH020")
    for _ in range(500):
        desk.tick(film.info.shots, film.project)
        if desk.view.rows[0].state:
            break
        threading.Event().wait(0.01)
    assert desk.view.rows == (
        Row("SH010", "Cam SH010", 1001, 1007, "t001", "take"),
        Row("SH020", "Cam SH020", 1008, 1020, "guides ready", "guides"),
    )


def test_a_scene_without_shots_says_why(desk: Desk) -> None:
    assert desk.tick(SceneError("No camera.", "Add one."), None)
    assert (desk.view.rows, desk.view.problem) == ((), "No camera. Add one.")
    assert not desk.view.is_saved


def test_damaged_files_are_told_and_do_not_end_the_list(desk: Desk, film: Any) -> None:
    film.shoot("SH010")
    film.project.shot("SH010").record.write_text("x")
    for _ in range(500):
        desk.tick(film.info.shots, film.project)
        if desk.view.problem:
            break
        threading.Event().wait(0.01)
    assert "damaged" in desk.view.problem
    assert [row.name for row in desk.view.rows] == ["SH010", "SH020"]


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    file, told = tmp_path / "events.jsonl", Told()
    line = json.dumps({"kind": "take", "shot": "SH010", "take": "t001"}) + "\n"
    assert follow_events(file, 0, told) == 0
    file.write_text(line[:10])
    assert follow_events(file, 0, told) == 0
    file.write_text(line + "Info: Blender says something\n" + line[:5])
    at = follow_events(file, 0, told)
    assert (told.takes, at) == (["SH010 t001"], len(line) + len("Info: Blender says something\n"))


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_project_with_open_jobs_is_told(film: Any, monkeypatch: pytest.MonkeyPatch, is_elsewhere: bool) -> None:
    """The next Blender goes on with what the last one left, unless that goes to another machine: that needs a press."""
    from second_unit.addon.commands import shelf

    found = shelf.Shelf(is_work_left=True, is_elsewhere=is_elsewhere)
    monkeypatch.setattr(shelf, "read_shelf", lambda _: found)
    told: list[Project] = []
    desk = Desk(revive=told.append)
    desk.tick(film.info.shots, film.project)
    desk.close()
    assert told == ([] if is_elsewhere else [film.project])


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    """As a full disk leaves it."""
    file, told = tmp_path / "events.jsonl", Told()
    file.write_text('{"kind": "ta\n{"kind": "take", "shot": "SH010", "take": "t001"}\n[1]\n')
    assert follow_events(file, 0, told) == file.stat().st_size
    assert told.takes == ["SH010 t001"]


def test_a_second_question_does_not_wait_for_the_first(desk: Desk) -> None:
    """Whoever presses Test twice must not freeze Blender."""
    go = threading.Event()
    desk.ask(lambda: (str(go.wait(20)), "", False), go.set)
    desk.ask(lambda: ("second", "", False), go.set)
    until(desk, lambda: desk.view.message == "second")
    go.set()
    until(desk, lambda: desk.view.message == "True")


@pytest.mark.parametrize(("url", "is_elsewhere"), [("http://127.0.0.1:8188", False), ("http://gpu.example.org", True)])
def test_the_shelf_knows_where_open_jobs_go(
    cli: Any, film: Any, runners: list[Any], url: str, is_elsewhere: bool
) -> None:
    from second_unit.addon.commands.shelf import read_shelf

    film.shoot("SH010")
    assert cli("generate", film.blend, "--shot", "SH010", "--service", url, "--allow-host").code == 0
    assert runners == [film.project]
    shelf = read_shelf(film.project)
    assert (shelf.is_work_left, shelf.is_elsewhere, shelf.states_of(film.info.shots)[0][1]) == (
        True,
        is_elsewhere,
        "running",
    )
