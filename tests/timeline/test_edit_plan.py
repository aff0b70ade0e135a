# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edit should hold, and when a strip or a comp counts as the same work."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.documents import Fields
from second_unit.addon.shot.shot import Blocking, Brief, Shot
from second_unit.addon.shot.take import Take
from second_unit.addon.shot.timing import FrameRange, FrameRule, as_is
from second_unit.addon.timeline.cdl import Cdl
from second_unit.addon.timeline.comp_recipe import Atmosphere, Comp, CompRecipe, load_comp, save_comp
from second_unit.addon.timeline.edit_plan import CutShot, EditPlan, StripPlan, plan_edit, read_strip

FILM = Path("film")
SCENE = FrameRange(1001, 1240)
RULE = FrameRule(4, 1, 81, 8)
DRAFT = Crop(0, 6, 832, 468)


def shot(
    name: str, cut: FrameRange, *, taken: FrameRange | None = None, handles: tuple[int, int] = (0, 0),
    crop: Crop = DRAFT, shot_now: str | None = None,
) -> CutShot:  # fmt: skip
    """A shot blocked at ``cut`` whose take was made of ``taken``; ``shot_now`` is its name after a renaming."""
    blocking = Blocking(shot_now or name, f"Cam {name}", cut)
    frame_map = as_is(taken or cut, handles, RULE)
    plates = tuple(f.plate or 0 for f in frame_map.plates)
    record = replace(Shot.born(blocking, Brief()), uuid=f"uuid {name}", folder=name)
    take = Take(
        f"take of {name}", "t001", record.uuid, name, "p", "h", "j", "rehearsal", "wan-vace-14b", "g", Brief(),
        (832, 480),
        plates, ("",) * len(plates),
    )  # fmt: skip
    return CutShot(record, blocking, take, FILM / name / "takes" / "t001", frame_map, crop)


def plan(*shots: CutShot) -> EditPlan:
    return plan_edit(shots, Fraction(24), SCENE, FILM)


def test_every_shot_lies_at_its_frames_in_order() -> None:
    made = plan(shot("SH010", FrameRange(1001, 1072)), shot("SH020", FrameRange(1073, 1240)))
    assert [(s.name, s.start, s.cut, len(s.files)) for s in made.strips] == [
        ("SH010", 1001, FrameRange(1001, 1072), 72), ("SH020", 1073, FrameRange(1073, 1240), 168),
    ]  # fmt: skip
    assert made.strips[0].files[0] == "SH010/takes/t001/frames/SH010.t001.1001.png"
    assert made.strips[0].files[-1] == "SH010/takes/t001/frames/SH010.t001.1072.png"
    assert (made.frames, made.fps) == (SCENE, 24)


def test_handles_are_there_and_trimmed() -> None:
    (strip,) = plan(shot("SH010", FrameRange(1073, 1100), handles=(8, 4))).strips
    assert (strip.start, len(strip.files), strip.cut) == (1065, 40, FrameRange(1073, 1100))


def test_a_retimed_shot_shows_what_its_take_has() -> None:
    (longer,) = plan(shot("SH010", FrameRange(1001, 1100), taken=FrameRange(1001, 1072))).strips
    assert longer.cut == FrameRange(1001, 1072)
    (shorter,) = plan(shot("SH010", FrameRange(1011, 1050), taken=FrameRange(1001, 1072))).strips
    assert (shorter.start, shorter.cut) == (1001, FrameRange(1011, 1050))
    (gone,) = plan(shot("SH010", FrameRange(1200, 1240), taken=FrameRange(1001, 1072))).strips
    assert gone.cut == FrameRange(1001, 1072)


def test_the_edit_has_the_size_of_the_largest_crop_and_scales_the_others_to_it() -> None:
    draft, final = (
        shot("SH010", FrameRange(1001, 1072)),
        shot("SH020", FrameRange(1073, 1240), crop=Crop(0, 0, 1280, 720)),
    )
    made = plan(draft, final)
    assert made.size == (1280, 720)
    assert [s.scale for s in made.strips] == [pytest.approx(1280 / 832), 1.0]
    assert plan(draft).size == (832, 468)


def test_a_renamed_shot_finds_the_frames_of_its_take() -> None:
    (strip,) = plan(shot("SH010", FrameRange(1001, 1072), shot_now="SH015")).strips
    assert strip.name == "SH015"
    assert strip.files[0] == "SH010/takes/t001/frames/SH010.t001.1001.png"


def test_the_plan_is_json_and_a_strip_comes_back_from_it() -> None:
    made = plan(shot("SH010", FrameRange(1001, 1072), handles=(8, 8)), shot("SH020", FrameRange(1073, 1240)))
    document = json.loads(json.dumps(made.to_json()))
    assert [read_strip(Fields(s, "plan")) for s in document["strips"]] == list(made.strips)
    assert [s["key"] for s in document["strips"]] == [s.key for s in made.strips]
    assert (document["fps"], document["size"], document["frames"]) == ([24, 1], [832, 468], [1001, 1240])


STRIP = StripPlan("uuid", "SH010", "take", ("a.png", "b.png", "c.png"), 1001, FrameRange(1001, 1002), 1.0)
CHANGES: dict[str, Callable[[StripPlan], StripPlan]] = {
    "take": lambda s: replace(s, take_uuid="other"),
    "start": lambda s: replace(s, start=1000),
    "head": lambda s: replace(s, cut=FrameRange(1002, 1002)),
    "tail": lambda s: replace(s, cut=FrameRange(1001, 1003)),
    "frames": lambda s: replace(s, files=s.files[:2]),
    "scale": lambda s: replace(s, scale=1.5),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_strip_with_other_content_has_another_key(what: str) -> None:
    assert CHANGES[what](STRIP).key != STRIP.key


def test_the_key_of_a_strip_is_the_same_on_every_day() -> None:
    assert STRIP.key == replace(STRIP).key
    assert plan(shot("SH010", SCENE)).strips[0].key == plan(shot("SH010", SCENE)).strips[0].key
    assert len(STRIP.key) == 64


# Comps.

RECIPE = CompRecipe(
    Atmosphere(2.0, 11.0, 0.45, (0.1, 0.2, 0.3)),
    Cdl((1.1, 1.0, 0.9), (0.0, 0.0, 0.01), (1.0, 1.2, 1.0), 0.7, "ACEScct"),
)
COMP = Comp("shot", "take", RECIPE, (1001, 1002, 1003))


def test_a_recipe_survives_json() -> None:
    assert CompRecipe.from_json(Fields(json.loads(json.dumps(RECIPE.to_json())), "comp.json")) == RECIPE


def test_a_comp_comes_back_with_its_key(tmp_path: Path) -> None:
    save_comp(tmp_path, COMP)
    assert load_comp(tmp_path) == COMP
    assert load_comp(tmp_path).key == COMP.key == json.loads((tmp_path / "comp.json").read_text("utf-8"))["key"]


@pytest.mark.parametrize(
    "changes",
    [
        {"take_uuid": "other"}, {"frames": (1001, 1002)},
        {"recipe": replace(RECIPE, cdl=replace(RECIPE.cdl, saturation=0.8))},
        {"recipe": replace(RECIPE, cdl=replace(RECIPE.cdl, space="Linear Rec.709"))},
        {"recipe": replace(RECIPE, atmosphere=replace(RECIPE.atmosphere, end=12.0))},
    ],
    ids=["take", "frames", "saturation", "space", "air"],
)  # fmt: skip
def test_other_work_has_another_key(changes: dict[str, Any]) -> None:
    assert replace(COMP, **changes).key != COMP.key


@pytest.mark.parametrize(("near", "far"), [(1.0, 10.0), (3.0, 3.0), (0.2, 4000.0)])
def test_the_air_begins_behind_the_nearest_figure_and_closes_at_the_back(near: float, far: float) -> None:
    air = Atmosphere.for_depth(near, far)
    assert near <= air.start < air.end
    assert air.end == pytest.approx(far, abs=0.01)
    assert 0 < air.amount < 1
