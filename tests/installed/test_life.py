# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip in a clean Blender: installed, enabled, at work, updated, disabled, gone; and no trace is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.installed

OFF = ("put there", "taken away", "disabled", "disabled after the loop", "uninstalled")
ON = ("installed", "registered anew", "enabled again", "updated", "after the loop", "enabled after the loop")
SECTIONS = {
    "handlers", "timers", "types", "properties", "attributes", "draws", "operators", "keymaps", "commands", "add-ons",
    "draw handlers", "data", "threads", "children", "top-level modules",
}  # fmt: skip


def test_the_blender_is_clean_and_its_own_folders_are_used(life: dict[str, Any], blender_name: str) -> None:
    assert Path(life["extensions"]).is_relative_to(life["resources"])
    before = life["before"]
    assert not before["listed"]
    assert not before["enabled"]
    if blender_name != "app":  # a distribution's Blender shares its system's Python
        assert before["origins"] == {"PIL": "", "tomlkit": ""}


def test_the_dump_sees_one_of_each_kind_left_behind(life: dict[str, Any]) -> None:
    """Otherwise the tests below would prove nothing."""
    assert set(life["seen"]) == SECTIONS
    assert all(any(line.startswith("+") for line in lines) for lines in life["seen"].values())
    assert life["uprooted"] == {}
    assert life["counts"]["types"] > 1000
    assert life["counts"]["properties"] > 10000


@pytest.mark.parametrize("step", OFF)
def test_no_trace_is_left(life: dict[str, Any], step: str) -> None:
    assert life["traces"][step] == {}
    assert not life["states"][step]["enabled"]


@pytest.mark.parametrize("step", ON)
def test_it_is_enabled_and_registered(life: dict[str, Any], step: str) -> None:
    state, trace = life["states"][step], life["traces"][step]
    assert state["enabled"]
    assert state["listed"]
    assert trace["commands"] == ["+ second_unit"]
    assert "- " not in "".join(line[:2] for lines in trace.values() for line in lines)
    assert "top-level modules" not in trace
    assert "threads" not in trace
    assert "children" not in trace


def test_a_preview_that_is_on_when_the_extension_goes_is_seen_before(life: dict[str, Any]) -> None:
    """It is on when the extension is disabled after the loop; then nothing of it may be left."""
    more = {name: set(lines) - set(life["traces"]["after the loop"].get(name, ())) for name, lines in
            life["previewing"].items()}  # fmt: skip
    assert len(more["draw handlers"]) == 1
    assert len(more["handlers"]) == 5
    assert len(more["timers"]) == 1


def test_enabling_again_registers_the_same_things(life: dict[str, Any]) -> None:
    assert life["traces"]["registered anew"] == life["traces"]["installed"]
    assert life["traces"]["enabled again"] == life["traces"]["installed"]
    assert life["traces"]["enabled after the loop"] == life["traces"]["updated"]


def test_enabling_loads_nothing_heavy(life: dict[str, Any]) -> None:
    """Blender itself may have loaded some of it before."""
    for step in ("installed", "updated"):
        loaded = set(life["states"][step]["heavy"]) - set(life["before"]["heavy"])
        assert loaded & {"PIL", "requests", "urllib3"} == set(), step
    print(f"Blender {life['blender']}, Python {life['python']}: import and register() took {life['register_ms']} ms")


@pytest.mark.parametrize("step", ON)
def test_pillow_and_tomlkit_come_from_the_zip(life: dict[str, Any], step: str, blender_name: str) -> None:
    unpacked = Path(life["extensions"]) / ".local"
    assert Path(life["pillow"]).is_relative_to(unpacked)
    assert {"PIL", "tomlkit"} <= set(life["states"][step]["unpacked"])
    for name, origin in life["states"][step]["origins"].items():
        if not (blender_name == "app" and "dist-packages" in origin):  # Debian's own modules come first there
            assert Path(origin).is_relative_to(unpacked), name


def test_blenders_installer_takes_one_pillow_where_the_zip_is_for_and_none_elsewhere(
    life: dict[str, Any], questions: list[Any], systems: dict[str, str]
) -> None:
    for question, answer in zip(questions, life["chosen"], strict=True):
        names = [name.removeprefix("./wheels/").split("-")[0] for name in answer]
        tags = [name.split("-")[2] for name in answer]
        if systems[question.zip_for] == question.system:
            assert names == ["pillow", "tomlkit"], question
            assert tags == ["cp{}{}".format(*question.python), "py3"], question
        else:
            assert names == ["tomlkit"], question


def test_the_update_replaces_files_and_code(life: dict[str, Any]) -> None:
    states = life["states"]
    assert (states["installed"]["version"], states["installed"]["code"]) == ("0.0.1", "old")
    assert states["updated"]["version"] not in (None, "0.0.1")
    assert states["updated"]["code"] == "new"


def test_the_loop_runs_in_the_installed_extension(life: dict[str, Any]) -> None:
    assert life["loop"]["code"] == 0, life["stderr"][-3000:] + life["loop"]["log"]
    made = set(life["loop"]["files"])
    assert {"contact_sheet.png", "edit.blend", "review/cut.mp4", "SH010/takes/t001/take.json"} <= made


def test_the_next_blender_has_the_command(life: dict[str, Any]) -> None:
    if life["other"] is None:
        pytest.skip("the bpy module has no --command")
    assert life["other"]["code"] == 0, life["other"]
    assert f"second-unit {life['states']['updated']['version']}" in life["other"]["stdout"].splitlines()


def test_uninstalling_takes_the_files_along(life: dict[str, Any], blender_name: str) -> None:
    assert life["left"] == []
    state = life["states"]["uninstalled"]
    assert not state["listed"]
    assert state["version"] is None
    assert not Path(life["extensions"], "user_default", "second_unit").exists()
    assert state["unpacked"] == []
    assert blender_name == "app" or state["origins"] == {"PIL": "", "tomlkit": ""}
