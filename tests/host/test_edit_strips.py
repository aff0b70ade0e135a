# SPDX-License-Identifier: GPL-3.0-or-later
"""Shots that grow, shrink, move, leave and change their names, beside what the editor did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import DocumentError
from second_unit.addon.host.blender import Blender, run_task
from second_unit.addon.shot.timing import FrameRange
from second_unit.addon.timeline.comp_recipe import CompRecipe
from second_unit.addon.timeline.edit_plan import EDIT_SCENE, StripPlan

from .conftest import Script
from .test_return import AIR, RECIPES, build, comp_order, plan_of, plates

pytestmark = pytest.mark.host
TAKES, ALTERNATES = 3, 4


def images(script: Script, project: Path) -> dict[str, dict[str, Any]]:
    found = script("edit", blend=str(project / "edit.blend"))
    return {s["name"]: s for s in found["strips"] if s["type"] == "IMAGE"}


def places(script: Script, project: Path) -> dict[str, tuple[int, int, int]]:
    return {n: (s["channel"], s["left"], s["right"]) for n, s in images(script, project).items()}


def by_hand(script: Script, project: Path, *steps: dict[str, Any]) -> None:
    script("edit_by_hand", blend=str(project / "edit.blend"), scene=EDIT_SCENE, steps=list(steps))


def moved(strip: StripPlan, start: int, cut: FrameRange, files: tuple[str, ...] | None = None) -> StripPlan:
    return replace(strip, take_uuid="tn", start=start, cut=cut, files=files or strip.files)


def test_shots_with_handles_lie_side_by_side_on_the_channel_of_the_takes(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """SH010's handles reach into SH020: only what is shown counts."""
    build(blender, example, tmp_path, plan_of(tmp_path))
    assert places(script, tmp_path) == {"SH010": (TAKES, 1003, 1011), "SH020": (TAKES, 1011, 1017)}


def test_a_shot_that_grows_over_where_the_next_one_was_stays_on_its_channel(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """SH010 grows, SH020 shrinks by as much; then the cut moves back the other way, further than before."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    first, second = plan.strips
    longer = moved(first, 1001, FrameRange(1003, 1012))
    shorter = moved(second, 1013, FrameRange(1013, 1016), second.files[:4])
    report = build(blender, example, tmp_path, replace(plan, strips=(longer, shorter)))
    assert report["changed"] == ["SH010", "SH020"]
    assert places(script, tmp_path) == {"SH010": (TAKES, 1003, 1013), "SH020": (TAKES, 1013, 1017)}
    back = (moved(first, 1001, FrameRange(1003, 1006)), moved(second, 1007, FrameRange(1007, 1012)))
    build(blender, example, tmp_path, replace(plan, strips=back))
    assert places(script, tmp_path) == {"SH010": (TAKES, 1003, 1007), "SH020": (TAKES, 1007, 1013)}


def test_a_shot_grows_into_the_place_of_one_that_left(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    files = tuple(plates(tmp_path, 16, 5))
    longer = moved(plan.strips[0], 1001, FrameRange(1003, 1016), files)
    report = build(blender, example, tmp_path, replace(plan, strips=(longer,)))
    assert (report["changed"], report["removed"], report["notes"]) == (["SH010"], ["SH020"], [])
    assert places(script, tmp_path) == {"SH010": (TAKES, 1003, 1017)}


def test_shots_that_change_places_do_so_on_the_channel_of_the_takes(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    first, second = plan.strips
    swapped = (moved(first, 1007, FrameRange(1009, 1016)), moved(second, 1003, FrameRange(1003, 1008)))
    build(blender, example, tmp_path, replace(plan, strips=swapped))
    assert places(script, tmp_path) == {"SH010": (TAKES, 1009, 1017), "SH020": (TAKES, 1003, 1009)}


def test_a_strip_of_the_editors_keeps_its_place(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """SH020 grows to where the editor has laid a picture: theirs stays, ours goes above, and the report says so."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    own = {"do": "image", "name": "Editor's card", "file": str(tmp_path / "S1" / "frames" / "p.1001.png")}
    by_hand(script, tmp_path, {**own, "channel": TAKES, "left": 1017, "right": 1020})
    files = tuple(plates(tmp_path, 10, 5))
    longer = moved(plan.strips[1], 1011, FrameRange(1011, 1020), files)
    report = build(blender, example, tmp_path, replace(plan, strips=(plan.strips[0], longer)))
    assert places(script, tmp_path) == {
        "SH010": (TAKES, 1003, 1011), "SH020": (ALTERNATES, 1011, 1021), "Editor's card": (TAKES, 1017, 1020),
    }  # fmt: skip
    (note,) = report["notes"]
    assert all(word in note for word in ("SH020", "Editor's card", "channel 4"))


def test_an_effect_stays_with_a_new_take_and_is_reported_when_it_could_not(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """Blender removes an effect with the strip it works on."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    by_hand(script, tmp_path, {"do": "blur", "name": "My blur", "strip": "SH010", "channel": 7, "start": 1003})
    first, second = plan.strips
    report = build(blender, example, tmp_path, replace(plan, strips=(replace(first, take_uuid="tn"), second)))
    assert (report["changed"], report["notes"]) == (["SH010"], [])
    shorter = moved(first, 1001, FrameRange(1003, 1008))
    (note,) = build(blender, example, tmp_path, replace(plan, strips=(shorter, second)))["notes"]
    assert "My blur" in note


def test_strips_follow_a_new_name_and_those_the_editor_named_keep_theirs(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """Both halves of a strip the editor cut in two follow; a name of the editor's own stays."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    by_hand(
        script, tmp_path,
        {"do": "split", "strip": "SH010", "frame": 1006}, {"do": "set", "strip": "SH020", "values": {"name": "Hero"}},
    )  # fmt: skip
    before = places(script, tmp_path)
    names = (("SH010", "aside"), ("SH010.001", "SH010"), ("aside", "SH010.001"))
    by_hand(script, tmp_path, *({"do": "set", "strip": one, "values": {"name": other}} for one, other in names))
    swapped = places(script, tmp_path)
    assert swapped["SH010"] == before["SH010.001"]
    build(blender, example, tmp_path, plan)
    assert places(script, tmp_path) == swapped
    first, second = plan.strips
    renamed = (replace(first, name="SH015"), replace(second, name="SH025"))
    report = build(blender, example, tmp_path, replace(plan, strips=renamed))
    assert (report["kept"], report["changed"]) == (["SH015", "SH025"], [])
    assert sorted(images(script, tmp_path)) == ["Hero", "SH015", "SH015.001"]
    newer = (replace(renamed[0], take_uuid="tx", name="SH016"), replace(renamed[1], take_uuid="ty", name="SH026"))
    build(blender, example, tmp_path, replace(plan, strips=newer))
    assert sorted(images(script, tmp_path)) == ["Hero", "SH016", "SH016.001"]


def test_a_name_taken_over_from_another_shot_is_free_by_then(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """Every shot takes the name of the next one: nobody ends as SH020.001."""
    plan = plan_of(tmp_path)
    build(blender, example, tmp_path, plan)
    first, second = plan.strips
    swapped = (replace(first, name="SH020"), replace(second, name="SH010"))
    build(blender, example, tmp_path, replace(plan, strips=swapped))
    assert places(script, tmp_path) == {"SH020": (TAKES, 1003, 1011), "SH010": (TAKES, 1011, 1017)}


def test_comp_scenes_follow_a_new_name_unless_people_gave_them_one(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    build(blender, example, tmp_path, plan_of(tmp_path))
    edit = tmp_path / "edit.blend"
    order = comp_order(tmp_path, CompRecipe(AIR, RECIPES["neutral"]), "k", render=False)

    def comp(shot: str) -> list[str]:
        run_task(blender, "comp", {"edit": str(edit), "comps": [{**order, "shot": shot}]})
        return sorted(set(script("edit", blend=str(edit))["scenes"]) - {"Layout", EDIT_SCENE})

    assert comp("SH010") == ["SU Comp SH010"]
    assert comp("SH015") == ["SU Comp SH015"]
    by_hand(script, tmp_path, {"do": "scene", "old": "SU Comp SH015", "new": "Fog, mine"})
    assert comp("SH020") == ["Fog, mine"]


def test_comp_scenes_whose_shots_swapped_names_do_so_too(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    build(blender, example, tmp_path, plan_of(tmp_path))
    edit = tmp_path / "edit.blend"
    order = comp_order(tmp_path, CompRecipe(AIR, RECIPES["neutral"]), "k", render=False)
    for one, two in (("SH010", "SH020"), ("SH020", "SH010")):
        orders = [{**order, "shot": one, "uuid": "one"}, {**order, "shot": two, "uuid": "two"}]
        run_task(blender, "comp", {"edit": str(edit), "comps": orders})
        found = script("edit", blend=str(edit))["owned"]
        assert found == {"edit": EDIT_SCENE, "comp:one": f"SU Comp {one}", "comp:two": f"SU Comp {two}"}


def test_two_layouts_of_one_file_leave_each_other_their_strips(
    blender: Blender, script: Script, example: Path, tmp_path: Path
) -> None:
    """A linked copy of the scene at the same frames, then a shot less in each; the sound of both is heard once."""
    blend = tmp_path / "two.blend"
    script("second_layout", blend=str(example), to=str(blend), copy="Beach")
    plan = plan_of(tmp_path)
    beach = tuple(replace(s, shot_uuid=f"{s.shot_uuid}-b", name=s.name.replace("SH", "BE")) for s in plan.strips)
    args = {"layout": str(blend), "edit": str(tmp_path / "edit.blend")}

    def lay(scene: str, strips: tuple[StripPlan, ...]) -> dict[str, Any]:
        frames = FrameRange(1001, 1008) if scene == "Beach" else plan.frames
        part = replace(plan, strips=strips, frames=frames)
        return run_task(blender, "edit", {**args, "scene": scene, "plan": part.to_json()})

    lay("Layout", plan.strips)
    sounds = len([s for s in script("edit", blend=args["edit"])["strips"] if s["type"] == "SOUND"])
    report = lay("Beach", beach)
    assert (report["made"], report["removed"]) == (["BE010", "BE020"], [])
    assert all("is in its place" in note for note in report["notes"])
    found = script("edit", blend=args["edit"])
    assert found["frames"] == [1001, 1016]
    assert len([s for s in found["strips"] if s["type"] == "SOUND"]) == sounds
    both = {
        "SH010": (TAKES, 1003, 1011), "SH020": (TAKES, 1011, 1017),
        "BE010": (ALTERNATES, 1003, 1011), "BE020": (ALTERNATES, 1011, 1017),
    }  # fmt: skip
    assert places(script, tmp_path) == both
    assert lay("Layout", plan.strips)["kept"] == ["SH010", "SH020"]
    assert places(script, tmp_path) == both
    assert lay("Beach", beach[:1])["removed"] == ["BE020"]
    assert lay("Layout", plan.strips[1:])["removed"] == ["SH010"]
    assert sorted(places(script, tmp_path)) == ["BE010", "SH020"]


@pytest.mark.parametrize("whose", ["ours", "the editor's"])
def test_a_missing_frame_is_a_sentence_and_no_crash(
    blender: Blender, script: Script, example: Path, tmp_path: Path, whose: str
) -> None:
    build(blender, example, tmp_path, plan_of(tmp_path))
    lost = tmp_path / "S2" / "frames" / "p.1003.png"
    if whose != "ours":
        own = lost.with_name("card.png")
        own.write_bytes(lost.read_bytes())
        steps = {"do": "image", "name": "Card", "file": str(own), "channel": 6, "left": 1003, "right": 1009}
        by_hand(script, tmp_path, steps)
        lost = own
    lost.unlink()
    order = {"blend": str(tmp_path / "edit.blend"), "scene": EDIT_SCENE, "movie": str(tmp_path / "cut.mp4")}
    with pytest.raises(DocumentError, match="is missing") as caught:
        run_task(blender, "render", order)
    assert lost.name in caught.value.what
