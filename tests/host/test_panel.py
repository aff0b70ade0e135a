# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop from inside Blender: the artist's scene and file are the same after it, however it ends."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.generation.jobs.process import is_running
from second_unit.addon.shot.project import Project
from second_unit.addon.shot.take import list_takes

from .conftest import ROOT, SCRIPTS, Script

pytestmark = pytest.mark.host
# three frames on both sides of the first cut
FEW = {"frame_start": 1046, "frame_end": 1051}


@pytest.fixture
def film(example: Path, tmp_path: Path) -> Path:
    """The artist's file, in a folder with a space."""
    home = tmp_path / "my film"
    home.mkdir()
    return Path(shutil.copy(example, home / "film.blend"))


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def project(film: Path) -> Project:
    return Project(film.parent / "second_unit" / film.stem)


def at_panel(script: Script, film: Path, *steps: str, **more: Any) -> dict[str, Any]:
    told = script("panel", blend=str(film), scene="Layout", steps=steps, **{"frames": FEW, **more})
    assert [answer for answer in told["answers"] if answer.startswith("in vain")] == []
    return told


def assert_is_untouched(told: dict[str, Any], film: Path, before: str) -> None:
    """The layout in memory, property by property, and the file on disk; no copy is left beside it."""
    assert len(told["before"]) > 5000
    assert {k: v for k, v in told["after"].items() if told["before"].get(k) != v} == {}
    assert told["after"].keys() == told["before"].keys()
    assert (told["file"], digest(film)) == (str(film), before)
    assert [p.name for p in film.parent.iterdir() if p.name.startswith((".", "blendcache"))] == []


def test_one_button_brings_the_takes_into_the_edit(script: Script, film: Path) -> None:
    """With an unsaved change, which the guides have and the file on disk has not."""
    before = digest(film)
    told = at_panel(script, film, "press", "finish", "settle")
    assert (told["message"], told["is_error"]) == ("2 takes: SH010 t001, SH020 t001.", False)
    assert told["rows"] == [["SH010", "t001", "take"], ["SH020", "t001", "take"]]
    assert told["scenes"] == ["Layout", "Second Unit Edit"]
    assert [strip for strip in told["strips"] if strip[1] == "IMAGE"] == [["SH010", "IMAGE", 3], ["SH020", "IMAGE", 3]]
    assert_is_untouched(told, film, before)
    assert [len(take.plates) for take in list_takes(project(film).shot("SH010").takes)] == [3]


@pytest.mark.slow
def test_the_edit_is_one_step_that_can_be_undone(script: Script, film: Path) -> None:
    """And an unsaved change, so that nobody quits without being asked."""
    told = at_panel(script, film, "move", "press", "finish", "undo")
    assert told["answers"][-1] == "scenes ['Layout'], moved by 0"


@pytest.mark.slow
def test_a_layout_renamed_meanwhile_is_found(script: Script, film: Path) -> None:
    told = at_panel(script, film, "press", "until generating", "rename", "finish", "name back")
    assert not told["is_error"], told["message"]
    assert told["scenes"] == ["Layout", "Second Unit Edit"]


@pytest.mark.slow
def test_disabling_in_the_middle_leaves_nothing(script: Script, film: Path) -> None:
    told = at_panel(script, film, "press", "disable")
    assert told["answers"][-1] == "False"
    assert sorted(p.name for p in film.parent.iterdir()) == ["film.blend"]


@pytest.mark.slow
def test_the_copy_packs_nothing(script: Script, film: Path) -> None:
    told = at_panel(script, film, "autopack", "press", "cancel", "packed")
    assert told["answers"][-1] == "False True"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_a_link_to_a_file_is_shot_where_it_lies(script: Script, film: Path) -> None:
    link = film.parent / "elsewhere" / "link.blend"
    link.parent.mkdir()
    link.symlink_to(film)
    told = at_panel(script, link, "press", "finish", "settle")
    assert (told["message"], told["is_error"]) == ("2 takes: SH010 t001, SH020 t001.", False)
    assert [row[1] for row in told["rows"]] == ["t001", "t001"]


@pytest.mark.slow
@pytest.mark.parametrize("step", ["until conditioning", "until generating", "until comp"])
def test_cancelling_leaves_the_scene_as_it_was(script: Script, film: Path, step: str) -> None:
    before = digest(film)
    told = at_panel(script, film, "press", step, "cancel")
    assert told["message"].startswith("Stopped.")
    assert not told["is_error"]
    assert_is_untouched(told, film, before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "steps"),
    [
        ("cache", ("break conditioning", "press", "finish")),
        ("No service answers", ("break generating", "press", "finish")),
        ("edit", ("press", "until conditioning", "break edit", "finish")),
        ("comp", ("press", "until generating", "break comp", "finish")),
        ("review", ("break review", "press", "finish")),
        ("killed", ("press", "until conditioning", "kill loop")),
    ],
)
def test_a_failure_leaves_the_scene_as_it_was(script: Script, film: Path, trouble: str, steps: tuple[str, ...]) -> None:
    """Wherever the loop fails; a loop that is killed cannot tidy up, so the next one does."""
    before = digest(film)
    told = at_panel(script, film, *steps, nobody="http://127.0.0.1:9")
    assert told["is_error"]
    assert told["message"].endswith(".")
    assert trouble in told["message"] or trouble == "killed"
    if trouble == "killed":
        told = at_panel(script, film, "press", "until conditioning", "cancel")
    assert_is_untouched(told, film, before)


def test_the_timer_outlives_what_nobody_foresaw(script: Script, film: Path) -> None:
    """Blender never calls a timer again that raised: the panels would stand still without a word."""
    told = at_panel(script, film, "surprise", "settle")
    assert told["is_error"]
    assert "nobody foresaw this" in told["message"]
    assert [row[1:] for row in told["rows"]] == [["no guides yet", "empty"]] * 2


def test_damaged_settings_are_a_sentence_at_every_button(script: Script, film: Path) -> None:
    told = at_panel(script, film, "damage settings", "test service", "press")
    for answer in told["answers"][1:]:
        assert "project.toml" in answer
        assert "Traceback" not in answer
    assert told["is_error"]


def test_two_of_the_same_extension_are_disabled_in_any_order(script: Script, film: Path) -> None:
    assert at_panel(script, film, "twice")["answers"] == ["True True"]


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_links_in_a_circle_are_a_sentence_at_every_button(script: Script, film: Path) -> None:
    told = at_panel(script, film, "link in a circle", "test service", "press")
    assert "Traceback" not in "".join(told["answers"])
    assert "second_unit" in told["answers"][0]
    assert told["is_error"]


@pytest.mark.slow
def test_the_edit_waits_until_the_artists_hand_is_still(script: Script, film: Path) -> None:
    """It makes an undo step, which must not hold a thing half on its way. What only listens is not waited for."""
    told = at_panel(script, film, "press", "grab")
    assert told["answers"][-1] == "['Layout'] ['Layout', 'Second Unit Edit']"


def test_a_file_that_was_never_saved_is_a_sentence(script: Script, film: Path) -> None:
    film.unlink()
    told = script("unsaved_panel")
    assert "saved" in told["error"]


@pytest.mark.slow
def test_a_killed_blender_loses_nothing(script: Script, film: Path, host_python: str, tmp_path: Path) -> None:
    """The loop and the runner are processes of their own: the next Blender shows the takes."""
    told = tmp_path / "told"
    process = start(host_python, film, tmp_path, "press", "until generating", "tell", told=str(told))
    wait(told.exists, process)
    process.kill()
    process.wait()
    wait(lambda: bool(project(film).jobs.is_dir() and all_done(film)))
    after = at_panel(script, film, "settle")
    assert [row[1:] for row in after["rows"]] == [["t001", "take"], ["t001", "take"]]


@pytest.mark.slow
def test_a_killed_runner_is_started_again_by_the_next_blender(
    script: Script, film: Path, host_python: str, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    process = start(host_python, film, tmp_path, "press", "until generating", "tell", told=str(told))
    wait(told.exists, process)
    pids = [int(p.name) for p in Path("/proc").glob("[0-9]*") if is_ours(p, str(film.parent))]
    process.kill()
    for pid in pids:
        os.kill(pid, 9)
    process.wait()
    assert not is_running(project(film))
    after = at_panel(script, film, "settle")
    assert [row[1:] for row in after["rows"]] == [["t001", "take"], ["t001", "take"]]


def start(python: str, film: Path, folder: Path, *steps: str, **more: Any) -> subprocess.Popen[bytes]:
    order = {
        "root": str(ROOT), "answer": str(folder / "never.json"), "blend": str(film), "scene": "Layout",
        "frames": FEW, "save": True, "steps": steps, **more,
    }  # fmt: skip
    return subprocess.Popen(
        [python, "-u", str(SCRIPTS / "main.py"), "panel", json.dumps(order)],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(folder / "resources")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def wait(is_so: Any, process: subprocess.Popen[bytes] | None = None, patience_s: float = 240) -> None:
    end = time.monotonic() + patience_s
    while not is_so():
        assert process is None or process.poll() is None, "Blender ended early"
        assert time.monotonic() < end, "in vain"
        time.sleep(0.1)


def all_done(film: Path) -> bool:
    shots = project(film).shots()
    return len(shots) == 2 and all(list_takes(project(film).shot(shot.folder).takes) for shot in shots)


def is_ours(process: Path, folder: str) -> bool:
    """The runner and the loop of a project, by their command lines."""
    try:
        return folder in (process / "cmdline").read_text("utf-8") and "--cli" in (process / "cmdline").read_text(
            "utf-8"
        )
    except OSError:
        return False
