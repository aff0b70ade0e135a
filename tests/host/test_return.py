# SPDX-License-Identifier: GPL-3.0-or-later
"""The return in each supported Blender: the edit lies where the plan says, the comp computes what the recipe says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from second_unit.addon.host.blender import Blender, run_task
from second_unit.addon.shot.timing import FrameRange
from second_unit.addon.timeline.cdl import Cdl
from second_unit.addon.timeline.comp_recipe import Atmosphere, CompRecipe
from second_unit.addon.timeline.edit_plan import EditPlan, StripPlan

from .conftest import Script

pytestmark = pytest.mark.host
SIZE = (64, 36)


def plates(project: Path, count: int, seed: int) -> list[str]:
    """Noise plates of one take below a project, as paths relative to it."""
    folder = project / f"S{seed}" / "frames"
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for i in range(count):
        noise = random.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
        Image.fromarray(noise).save(folder / f"p.{1001 + i}.png")
    return [f"S{seed}/frames/p.{1001 + i}.png" for i in range(count)]


def plan_of(project: Path, takes: tuple[str, str] = ("ta", "tb")) -> EditPlan:
    """Two shots: one with two frames of handles at each side, one without."""
    first = StripPlan("uuid-a", "SH010", takes[0], tuple(plates(project, 12, 1)), 1001, FrameRange(1003, 1010), 1.0)
    second = StripPlan("uuid-b", "SH020", takes[1], tuple(plates(project, 6, 2)), 1011, FrameRange(1011, 1016), 1.0)
    return EditPlan(Fraction(24), SIZE, FrameRange(1001, 1240), (first, second))


def build(blender: Blender, example: Path, project: Path, plan: EditPlan) -> dict[str, Any]:
    """The edit task, as the command line runs it."""
    args = {"layout": str(example), "scene": "Layout", "edit": str(project / "edit.blend"), "plan": plan.to_json()}
    return run_task(blender, "edit", args)


def test_the_edit_is_the_plan(blender: Blender, script: Script, example: Path, tmp_path: Path) -> None:
    """Strips at their frames with handles inside, named channels, sound, an honest view; twice changes nothing."""
    plan = plan_of(tmp_path)
    report = build(blender, example, tmp_path, plan)
    assert report["made"] == ["SH010", "SH020"]
    found = script("edit", blend=str(tmp_path / "edit.blend"))
    images = {s["name"]: s for s in found["strips"] if s["type"] == "IMAGE"}
    assert {n: (s["left"], s["right"], s["start"]) for n, s in images.items()} == {
        "SH010": (1003, 1011, 1001),
        "SH020": (1011, 1017, 1011),
    }
    assert images["SH010"]["files"] == [f"p.{1001 + i}.png" for i in range(12)]
    assert images["SH010"]["directory"].startswith("//S1")
    assert found["channels"] == ["Sound", "Playblast", "Takes", "Alternates", "Grade"]
    assert (found["view"], found["fps"], found["size"], found["frames"]) == ("Standard", 24.0, list(SIZE), [1001, 1240])
    sounds = [s for s in found["strips"] if s["type"] == "SOUND"]
    assert len(sounds) == (0 if "without sound" in report["sound"] else 1)
    assert all(s["left"] == 1001 and s["directory"].startswith("//sound/handover_temp.") for s in sounds)
    assert all((tmp_path / s["directory"].removeprefix("//")).stat().st_size == 320044 for s in sounds)
    again = build(blender, example, tmp_path, plan)
    assert (again["made"], again["changed"], again["kept"]) == ([], [], ["SH010", "SH020"])


def test_the_layout_scene_is_untouched(blender: Blender, script: Script, example: Path, tmp_path: Path) -> None:
    """Every property of the layout scene, its objects and their data is what it is in the artist's file."""
    before = script("dump", blend=str(example), scene="Layout")
    build(blender, example, tmp_path, plan_of(tmp_path))
    after = script("dump", blend=str(tmp_path / "edit.blend"), scene="Layout")
    assert len(before) > 5000
    assert {
        k: (before.get(k), after.get(k)) for k in before.keys() | after.keys() if before.get(k) != after.get(k)
    } == {}


def test_a_new_take_changes_its_strip_only(blender: Blender, script: Script, example: Path, tmp_path: Path) -> None:
    """Also when the layout file itself has changed and the edit is carried over into a copy of the new one."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    moved = tmp_path / "moved.blend"
    script("change", blend=str(example), to=str(moved), move={"CAM_SH020": [0.5, 0, 0]})
    first, second = plan.strips
    newer = EditPlan(plan.fps, plan.size, plan.frames, (first, StripPlan(**{**_fields(second), "take_uuid": "tc"})))
    report = build(blender, moved, tmp_path, newer)
    assert (report["made"], report["changed"], report["kept"]) == ([], ["SH020"], ["SH010"])
    found = script("edit", blend=str(tmp_path / "edit.blend"))
    assert sorted(found["scenes"]) == ["Layout", "Second Unit Edit"]
    assert len([s for s in found["strips"] if s["type"] == "IMAGE"]) == 2


def test_another_take_keeps_what_the_editor_did(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """A trimmed strip stays trimmed and its transition stays; the picture is the new take's, in both halves."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    script("cut", blend=str(tmp_path / "edit.blend"))
    first, second = plan.strips
    files = tuple(plates(tmp_path, 12, 3))
    newer = StripPlan(**{**_fields(first), "take_uuid": "tn", "files": files})
    report = build(blender, example, tmp_path, EditPlan(plan.fps, plan.size, plan.frames, (newer, second)))
    assert (report["changed"], report["kept"]) == (["SH010"], ["SH020"])
    found = script("edit", blend=str(tmp_path / "edit.blend"))
    halves = sorted((s["left"], s["right"], s["directory"]) for s in found["strips"] if s["name"].startswith("SH010"))
    assert [(left, right) for left, right, _ in halves] == [(1004, 1007), (1007, 1011)]
    assert all(directory.startswith("//S3/") for *_, directory in halves)
    assert "Editor's title" in {s["name"] for s in found["strips"]}


def _fields(strip: StripPlan) -> dict[str, Any]:
    return {name: getattr(strip, name) for name in StripPlan.__slots__}


RECIPES = {
    "neutral": Cdl(),
    "warm": Cdl((1.2, 1.0, 0.8), (0.02, 0.0, 0.05), (1.1, 1.0, 0.9), 0.7),
    "negative offset": Cdl((1.0, 1.0, 1.0), (-0.05, 0.0, 0.03), (1.0, 1.2, 1.0), 1.0),
}


def comp_order(tmp_path: Path, recipe: CompRecipe, key: str, *, render: bool = True) -> dict[str, Any]:
    """One comp of the first two plates, as the command line orders it."""
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "depth").mkdir(exist_ok=True)
    for frame in (1001, 1002):
        Image.fromarray(RAMP).save(tmp_path / "depth" / f"{frame}.png")
    span = {"first": 1001, "count": 2}
    return {
        "shot": "SH010", "uuid": "u", "key": key, "render": render, "fps": [24, 1], "frames": [1001, 1002],
        "size": list(SIZE), "recipe": recipe.to_json(), "folder": str(tmp_path / "out"), "stem": "SH010.comp",
        "movie": str(tmp_path / "r.mp4"), "thumbnails": {"0": "t.png"},
        "plate": {"pattern": "//S1/frames/p.{frame}.png", **span},
        "depth": {"pattern": "//depth/{frame:04d}.png", "near": 1.0, "far": 10.0, **span},
    }  # fmt: skip


AIR = Atmosphere(2.0, 9.0, 0.5, (0.1, 0.2, 0.3))
RAMP = np.tile(np.linspace(0, 65535, SIZE[0]).astype(np.uint16), (SIZE[1], 1))


@pytest.mark.parametrize("grade", RECIPES)
def test_the_comp_is_the_recipe(blender: Blender, example: Path, tmp_path: Path, grade: str) -> None:
    """EXR values against the recipe computed in numpy from the same plate and depth, to half-float precision."""
    build(blender, example, tmp_path, plan_of(tmp_path))
    recipe = CompRecipe(AIR, RECIPES[grade])
    run_task(blender, "comp", {"edit": str(tmp_path / "edit.blend"), "comps": [comp_order(tmp_path, recipe, grade)]})
    folder = tmp_path / "out"
    for frame in (1001, 1002):
        found = read_exr(folder / f"SH010.comp.{frame}.exr")
        wanted = expected(tmp_path / "S1" / "frames" / f"p.{frame}.png", RAMP / 65535, recipe)
        assert np.allclose(found, wanted, rtol=2e-3, atol=2e-3), np.abs(found - wanted).max()
    with Image.open(folder / "t.png") as thumbnail:
        assert thumbnail.convert("L").getextrema()[1] > 50
    assert (tmp_path / "r.mp4").stat().st_size > 1000


def test_what_people_made_in_the_edit_file_stays(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """A node between ours, a scene and a text of one's own: after another recipe, and after the layout changed."""
    edit = tmp_path / "edit.blend"
    build(blender, example, tmp_path, plan_of(tmp_path))
    neutral, warm = (CompRecipe(AIR, RECIPES[name]) for name in ("neutral", "warm"))
    order = comp_order(tmp_path, neutral, "k1", render=False)
    assert run_task(blender, "comp", {"edit": str(edit), "comps": [order]})["built"] == ["SH010"]
    assert run_task(blender, "comp", {"edit": str(edit), "comps": [order]})["built"] == []
    script("artist", blend=str(edit), add=True)
    changed = comp_order(tmp_path, warm, "k2", render=False)
    assert run_task(blender, "comp", {"edit": str(edit), "comps": [changed]})["built"] == ["SH010"]
    moved = tmp_path / "moved.blend"
    script("change", blend=str(example), to=str(moved), move={"CAM_SH020": [0.5, 0, 0]})
    build(blender, moved, tmp_path, EditPlan(Fraction(24), SIZE, FrameRange(1001, 1240), ()))
    found = script("artist", blend=str(edit))
    assert found["scenes"] == ["Layout", "SU Comp SH010", "Second Unit Edit", "Titles"]
    assert found["texts"] == ["Notes of the editor"]
    assert "Artist's blur" in found["mix"]
    assert "SU plate" not in found["mix"]


def read_exr(path: Path) -> np.ndarray:
    """RGB of a single-part EXR, top row first."""
    channels = OpenEXR.File(str(path)).channels()
    pixels = channels["RGBA"].pixels if "RGBA" in channels else np.stack([channels[c].pixels for c in "RGB"], axis=-1)
    return np.asarray(pixels, np.float64)[..., :3]


def expected(plate: Path, disparity: np.ndarray, recipe: CompRecipe) -> np.ndarray:
    """sRGB to linear, mixed with air by metric depth, graded."""
    encoded = np.asarray(Image.open(plate), np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    metres = 1 / (disparity * (1 / 1.0 - 1 / 10.0) + 1 / 10.0)
    air = recipe.atmosphere
    amount = np.clip((metres - air.start) / (air.end - air.start), 0, 1)[..., None] * air.amount
    return recipe.cdl.apply(linear * (1 - amount) + np.array(air.color) * amount)
