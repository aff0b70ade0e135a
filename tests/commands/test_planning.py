# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels say of shots before they are rendered: the dry run's words, and never those of another file."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from second_unit.addon.commands import dry_run
from second_unit.addon.commands.dry_run import read_plans
from second_unit.addon.commands.planning import Planner, Plans, Scene
from second_unit.addon.shot.profile import profile_names
from second_unit.addon.shot.project import Project
from second_unit.addon.shot.shot import Blocking, SceneInfo
from second_unit.addon.shot.timing import FrameRange

SHOTS = (Blocking("SH010", "A", FrameRange(1, 48)), Blocking("SH020", "B", FrameRange(49, 60)))
INFO = SceneInfo("Layout", Fraction(24), (1920, 1080), FrameRange(1, 60), SHOTS, "5.0.1")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "film.blend", Project(tmp_path / "film"), INFO)


def settle(planner: Planner, scene: Scene | None) -> Plans:
    """Tick until nothing is at work and its answer was picked up."""
    end = time.monotonic() + 60
    planner.tick(scene)
    while planner.is_busy:
        assert time.monotonic() < end
    planner.tick(scene)
    return planner.shown


def configure(scene: Scene, text: str) -> None:
    scene.project.root.mkdir(exist_ok=True)
    scene.project.config.write_text(f'schema = "second_unit.project/1"\n[defaults]\n{text}\n', encoding="utf-8")


def test_every_shot_has_its_plan(scene: Scene) -> None:
    plans = read_plans(scene)
    assert [(shot.name, shot.cut) for shot in plans.shots] == [(shot.name, shot.cut) for shot in SHOTS]
    assert [shot.lines[0] for shot in plans.shots] == [
        "SH010: 48 scene frames, 1 to 48; 2.00 s at 24 fps.", "SH020: 12 scene frames, 49 to 60; 0.50 s at 24 fps."
    ]  # fmt: skip
    assert list(scene.project.root.parent.iterdir()) == []


@pytest.mark.parametrize(("frame", "name"), [(1, "SH010"), (48, "SH010"), (49, "SH020"), (60, "SH020"), (61, "SH010")])
def test_the_shot_at_hand_is_the_one_of_the_frame(scene: Scene, frame: int, name: str) -> None:
    found = read_plans(scene).at(frame)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("profile", profile_names())
def test_no_plan_names_the_command_line(scene: Scene, profile: str) -> None:
    """Four sentences of every shot, of videos and of stills."""
    configure(scene, f'profile = "{profile}"')
    plans = read_plans(scene)
    said = " ".join([plans.trouble, *(line for shot in plans.shots for line in shot.lines)])
    assert [len(shot.lines) for shot in plans.shots] == [4, 4]
    assert not re.search(r"second-unit |(?<!\w)--[a-z]", said)


def test_what_cannot_be_planned_is_told(scene: Scene) -> None:
    configure(scene, 'quality = "best"')
    assert read_plans(scene).trouble.startswith("The model 'wan-vace-14b' has no quality 'best'.")
    scene.project.config.unlink()
    scene.project.config.mkdir()
    assert read_plans(scene).shots


def test_a_change_is_planned_anew(scene: Scene) -> None:
    planner = Planner()
    before = settle(planner, scene)
    longer = replace(scene, info=replace(INFO, fps=Fraction(25)))
    assert settle(planner, longer) == read_plans(longer) != before
    planner.stop()


def test_files_of_the_project_are_looked_at_now_and_then(scene: Scene) -> None:
    planner = Planner()
    settle(planner, scene)
    configure(scene, 'quality = "final"')
    for _ in range(16):
        settle(planner, scene)
    assert planner.shown == read_plans(scene)
    assert "1280x720" in " ".join(planner.shown.shots[0].lines)
    planner.stop()


def test_what_nobody_foresaw_is_shown_instead_of_the_old_plan(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    planner = Planner()
    before = settle(planner, scene)

    def fail(scene: Scene) -> Plans:
        raise ValueError(f"{scene.info.name} cannot be weighed.\nNor measured.")

    with monkeypatch.context() as patch:
        patch.setattr(dry_run, "read_plans", fail)
        for _ in range(16):
            settle(planner, scene)
        said = "Something unforeseen happened: ValueError: Layout cannot be weighed. Blender's console has a report."
        assert planner.shown == Plans(trouble=said)
    for _ in range(16):
        settle(planner, scene)
    assert planner.shown == before
    planner.stop()


def test_another_file_shows_nothing_of_the_last_one(scene: Scene) -> None:
    planner = Planner()
    settle(planner, scene)
    other = replace(scene, blend=scene.blend.with_name("other.blend"))
    assert planner.tick(other)
    assert planner.shown == Plans()
    assert settle(planner, None) == Plans()
    planner.stop()
    assert not planner.is_busy


def test_an_answer_that_comes_too_late_is_not_shown(scene: Scene) -> None:
    planner = Planner()
    planner.tick(scene)
    assert settle(planner, None) == Plans()
    planner.stop()
