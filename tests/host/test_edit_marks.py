# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several marked scenes is ours: copies bring the mark along."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from second_unit.addon.host.blender import Blender, run_task
from second_unit.addon.host.marks import EDIT, LAID_AS, OWNED, ours
from second_unit.addon.timeline.comp_recipe import CompRecipe

from .conftest import Script
from .test_return import AIR, RECIPES, build, comp_order, plan_of

NAME = "Second Unit Edit"


class Scene(dict[str, Any]):
    """As much of a scene as tells whose it is."""

    def __init__(self, name: str, *, camera: object = None, marked_as: str = EDIT, laid_as: str | None = NAME) -> None:
        super().__init__({OWNED: marked_as} if laid_as is None else {OWNED: marked_as, LAID_AS: laid_as})
        self.name, self.camera = name, camera
        self.timeline_markers: list[Any] = []


def names(*scenes: Any) -> list[str]:
    return [scene.name for scene in ours(scenes)]


def test_a_scene_without_mark_is_not_ours() -> None:
    plain = Scene("Layout")
    plain.clear()
    assert names(plain, Scene(NAME)) == [NAME]


@pytest.mark.parametrize("copy", ["A backup", "Second Unit Edit.001", "Zzz"])
def test_a_copy_is_not_ours_while_the_original_stands(copy: str) -> None:
    assert names(Scene(copy), Scene(NAME)) == names(Scene(NAME), Scene(copy)) == [NAME]


@pytest.mark.parametrize("laid_as", [NAME, None])
def test_a_renamed_edit_is_still_ours(laid_as: str | None) -> None:
    assert names(Scene("Cut 3", laid_as=laid_as)) == ["Cut 3"]


def test_every_comp_is_told_from_its_own_copies() -> None:
    comps = [Scene(f"SU Comp {n}", marked_as=f"comp:{n}", laid_as=f"SU Comp {n}") for n in ("SH010", "SH020")]
    copy = Scene("A look", marked_as="comp:SH020", laid_as="SU Comp SH020")
    assert names(copy, *comps) == ["SU Comp SH020", "SU Comp SH010"]


def test_what_somebody_blocks_in_is_no_renamed_edit() -> None:
    """A new scene got the mark with the edit's settings; then the edit was deleted."""
    marked = Scene("Scene")
    marked.timeline_markers = [SimpleNamespace(camera=None), SimpleNamespace(camera="Camera")]
    assert names(Scene("Layout 2", camera="Camera"), marked) == []
    assert names(Scene(NAME, camera="Camera")) == [NAME]


# In Blender.


@pytest.mark.host
def test_a_copy_of_the_edit_is_a_copy(blender: Blender, script: Script, example: Path, tmp_path: Path) -> None:
    """Laid again, the edit changes and its backup does not; a renamed one is found, also beside a later copy."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    edit = str(tmp_path / "edit.blend")
    assert script("copies", blend=edit, scene=NAME, copy="A backup") == {"A backup": 2, NAME: 2}
    del (fewer := plan.to_json())["strips"][1:]
    order = {"layout": str(example), "scene": "Layout", "edit": edit}
    assert run_task(blender, "edit", {**order, "plan": fewer})["removed"] == ["SH020"]
    assert script("copies", blend=edit, scene=NAME, copy="") == {"A backup": 2, NAME: 1}
    script("copies", blend=edit, scene=NAME, rename="Cut 3", copy="")
    assert run_task(blender, "edit", {**order, "plan": plan.to_json()})["made"] == ["SH020"]
    assert script("copies", blend=edit, scene="Cut 3", copy="Another") == {"A backup": 2, "Another": 2, "Cut 3": 2}
    assert run_task(blender, "edit", {**order, "plan": fewer})["removed"] == ["SH020"]
    assert script("copies", blend=edit, scene="Cut 3", copy="") == {"A backup": 2, "Another": 2, "Cut 3": 1}


@pytest.mark.host
def test_a_copy_of_a_comp_is_a_copy(blender: Blender, script: Script, example: Path, tmp_path: Path) -> None:
    build(blender, example, tmp_path, plan_of(tmp_path))
    edit = str(tmp_path / "edit.blend")
    order = comp_order(tmp_path, CompRecipe(AIR, RECIPES["neutral"]), "k", render=False)
    assert run_task(blender, "comp", {"edit": edit, "comps": [order]})["built"] == ["SH010"]
    script("copies", blend=edit, scene="SU Comp SH010", copy="A look")
    assert run_task(blender, "comp", {"edit": edit, "comps": [{**order, "shot": "SH015"}]})["built"] == []
    assert sorted(script("edit", blend=edit)["scenes"]) == ["A look", "Layout", "SU Comp SH015", NAME]


@pytest.mark.host
def test_a_scene_made_with_the_edits_settings_is_a_layout(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """New, Copy Settings while the edit is shown: it is listed, it is shot, and `edit.blend` holds it."""
    laid = tmp_path / "laid.blend"
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    found = script("new_scene", blend=str(tmp_path / "edit.blend"), to=str(laid), edit_scene=NAME)
    assert found == {"layout": "Beach", "shots": [["BE010", 1, 24]], "others": ["Layout"]}
    (tmp_path / "edit.blend").unlink()
    args = {"layout": str(laid), "scene": "Beach", "edit": str(tmp_path / "edit.blend"), "plan": plan.to_json()}
    for made in (["SH010", "SH020"], []):
        assert run_task(blender, "edit", args)["made"] == made
        answer = script("edit", blend=str(tmp_path / "edit.blend"))
        assert sorted(answer["scenes"]) == ["Beach", "Layout", NAME]
        assert answer["owned"] == {"edit": NAME}
