# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of shots while markers come, go and change their names; and comps that find the plates of their takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands.comp import comp
from second_unit.addon.commands.context import blocked_shots, project_for, record_shots
from second_unit.addon.commands.cuts import cut_shots, shown_take
from second_unit.addon.commands.shelf import read_shelf
from second_unit.addon.errors import DocumentError, StorageError, UsageError
from second_unit.addon.shot.shot import Blocking, Home, save_shot
from second_unit.addon.shot.timing import FrameRange

Open = Callable[..., Any]


def record(film: Any, open_film: Open) -> dict[str, tuple[str, str]]:
    """Record the scene's shots as a command does: name to (uuid, folder)."""
    context = open_film()
    shots = blocked_shots(context, film.info)
    record_shots(context, shots)
    return {b.shot.name: (b.shot.uuid, b.shot.folder) for b in shots}


def test_shots_keep_their_uuid_from_one_command_to_the_next(film: Any, open_film: Open) -> None:
    first = record(film, open_film)
    files = film.files()
    assert record(film, open_film) == first
    assert film.files() == files
    assert film.project.config.is_file()


def test_a_renamed_shot_keeps_uuid_and_folder(film: Any, open_film: Open) -> None:
    before = record(film, open_film)
    film.rename("SH020", "SH030")
    assert record(film, open_film)["SH030"] == before["SH020"]
    assert [s.name for s in film.project.shots()] == ["SH010", "SH030"]


def test_a_new_shot_does_not_overwrite_the_record_of_a_renamed_one(film: Any, open_film: Open) -> None:
    """SH020 becomes SH030 and stays in its folder; then somebody makes a new SH020."""
    before = record(film, open_film)
    film.rename("SH020", "SH030")
    record(film, open_film)
    new = Blocking("SH020", "Cam New", FrameRange(1021, 1030))
    film.info = replace(film.info, shots=(*film.info.shots, new))
    after = record(film, open_film)
    assert after["SH030"] == before["SH020"]
    assert len({folder for _, folder in after.values()}) == 3
    assert {s.uuid for s in film.project.shots()} == {uuid for uuid, _ in after.values()}
    assert record(film, open_film) == after


def test_a_deleted_marker_leaves_the_record_on_disk(film: Any, open_film: Open) -> None:
    before = record(film, open_film)
    kept = film.info
    film.info = replace(kept, shots=kept.shots[:1])
    record(film, open_film)
    film.info = kept
    assert record(film, open_film) == before


def test_the_record_of_a_shot_keeps_brief_circle_and_notes_when_it_moves(film: Any, open_film: Open) -> None:
    film.shoot("SH010")
    (old,) = film.project.shots()
    save_shot(film.project.shot("SH010").record, replace(old, circle="t001", notes="slower", ratings={"t001": 3}))
    first = film.info.shots[0]
    film.info = replace(film.info, shots=(replace(first, cut=FrameRange(1002, 1007)), film.info.shots[1]))
    record(film, open_film)
    new = next(s for s in film.project.shots() if s.name == "SH010")
    assert (new.brief, new.circle, new.notes, new.ratings) == (old.brief, "t001", "slower", {"t001": 3})
    assert new.marker.frame == 1002


@pytest.mark.parametrize("prefix", ["SH", "BE"])
def test_two_scenes_of_one_file_have_records_of_their_own(film: Any, open_film: Open, prefix: str) -> None:
    """A linked copy of the scene, shot in turn with it: the same cameras, and perhaps the same names."""

    def block(scene: str, other: str, prefix: str) -> dict[str, tuple[str, str]]:
        home = Home(scene, (other,))
        shots = [replace(s, name=f"{prefix}{s.name[2:]}", home=home) for s in film.info.shots]
        film.info = replace(film.info, name=scene, shots=tuple(shots))
        return record(film, open_film)

    layout, beach = block("Layout", "Beach", "SH"), block("Beach", "Layout", prefix)
    assert len({folder for _, folder in (*layout.values(), *beach.values())}) == 4
    files = film.files()
    assert block("Layout", "Beach", "SH") == layout
    assert block("Beach", "Layout", prefix) == beach
    assert film.files() == files


def test_the_list_shows_the_takes_of_the_scene_only(film: Any, open_film: Open) -> None:
    film.take("SH010")
    film.info = replace(film.info, shots=tuple(replace(s, home=Home("Layout", ("Beach",))) for s in film.info.shots))
    record(film, open_film)
    beach = [replace(s, home=Home("Beach", ("Layout",))) for s in film.info.shots]
    shelf = read_shelf(film.project)
    assert [mark for _, mark in shelf.states_of(film.info.shots)] == ["take", "empty"]
    assert [mark for _, mark in shelf.states_of(beach)] == ["empty", "empty"]


def test_a_damaged_record_stops_before_anything_is_written(film: Any, open_film: Open) -> None:
    film.shoot("SH010")
    film.project.shot("SH010").record.write_text("{", "utf-8")
    before = film.files()
    with pytest.raises(DocumentError, match=r"shot\.json"):
        record(film, open_film)
    assert film.files() == before


def test_an_unknown_shot_is_named_with_those_there_are(film: Any, open_film: Open) -> None:
    with pytest.raises(UsageError, match="no shot 'SH999'") as caught:
        blocked_shots(open_film("SH010", "SH999"), film.info)
    assert "SH010, SH020" in caught.value.fix


def test_a_project_lies_beside_its_blend_unless_told_otherwise(tmp_path: Path) -> None:
    assert project_for(tmp_path / "a" / "film.v2.blend", None).root == tmp_path / "a" / "second_unit" / "film.v2"
    assert project_for(tmp_path / "film.blend", tmp_path / "other").root == tmp_path / "other"


# Takes and comps.


def test_the_circled_take_is_shown_else_the_newest(film: Any, open_film: Open) -> None:
    for number in (1, 2, 10):
        film.take("SH010", number)
    context = open_film("SH010")
    (blocked,) = blocked_shots(context, film.info)
    assert [shown_take(context, shot).name for shot in (blocked.shot, blocked.shot.circled("t002"))] == ["t010", "t002"]


def test_shots_without_a_take_are_left_out_of_the_cut(film: Any, open_film: Open) -> None:
    film.take("SH020")
    assert [c.shot.name for c in cut_shots(open_film(), film.info)] == ["SH020"]


@pytest.fixture
def edited(film: Any) -> Any:
    """A film whose first shot has a take and whose edit exists."""
    film.take("SH010")
    film.project.edit.write_bytes(b"BLENDER")
    return film


def test_a_comp_is_made_once(edited: Any, host: Any, open_film: Open) -> None:
    (first,) = comp(open_film(), edited.info)
    assert first.is_done
    assert first.folder.name == "v001"
    assert len(list(first.folder.glob("SH010.comp.t001.v001.*.exr"))) == 7
    files = edited.files()
    comp(open_film(), edited.info)
    assert host.count("comp") == 1
    assert edited.files() == files


def test_a_comp_finds_its_plates_after_the_shot_was_renamed(edited: Any, host: Any, open_film: Open) -> None:
    edited.rename("SH010", "SH015 (new)")
    comp(open_film(), edited.info)
    (order,) = next(args for name, args in host.tasks if name == "comp")["comps"]
    pattern = edited.project.root / order["plate"]["pattern"].removeprefix("//")
    first, last = order["frames"]
    assert all(Path(str(pattern).format(frame=frame)).is_file() for frame in range(first, last + 1))
    assert "/" not in order["stem"]


def test_a_failed_comp_leaves_nothing_half(edited: Any, host: Any, open_film: Open) -> None:
    def fail(name: str, _: dict[str, Any]) -> None:
        raise StorageError(f"No space for {name}.", "Free some.")

    before, host.before = edited.files(), fail
    with pytest.raises(StorageError):
        comp(open_film(), edited.info)
    assert edited.files() == before
    assert edited.leftovers() == []


@pytest.mark.usefixtures("host")
def test_a_new_version_takes_a_free_number(edited: Any, open_film: Open) -> None:
    """v001 was thrown away by hand, v002 is of another recipe: the next one must not fall on it."""
    other = edited.project.shot("SH010").comp / "t001" / "v002"
    other.mkdir(parents=True)
    (other / "notes.txt").write_text("mine")
    (work,) = comp(open_film(), edited.info)
    assert work.folder != other
    assert work.is_done
    assert (other / "notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("host")
def test_comp_says_what_comes_first(film: Any, open_film: Open) -> None:
    with pytest.raises(UsageError, match="No shot has a take yet"):
        comp(open_film(), film.info)
    film.take("SH010")
    with pytest.raises(UsageError, match="no edit yet"):
        comp(open_film(), film.info)
    with pytest.raises(UsageError, match="no take 't009'"):
        comp(open_film("SH010"), film.info, "t009")
