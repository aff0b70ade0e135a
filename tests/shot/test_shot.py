# SPDX-License-Identifier: GPL-3.0-or-later
"""From markers to shots, and from shots to their records."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import DocumentError, SceneError
from second_unit.addon.shot.shot import (
    Blocking,
    Brief,
    Home,
    Marker,
    Shot,
    block_shots,
    load_shot,
    match_shots,
    save_shot,
)
from second_unit.addon.shot.timing import FrameRange

SCENE = FrameRange(1001, 1240)
THREE = (Marker("SH010", 1001, "Cam A"), Marker("SH020", 1073, "Cam B"), Marker("SH030", 1145, "Cam C"))


def blocked(*markers: Marker, frames: FrameRange = SCENE) -> list[tuple[str, str, int, int]]:
    return [(b.name, b.camera, b.cut.first, b.cut.last) for b in block_shots(markers, frames, None)]


def test_each_shot_runs_to_the_next_marker_and_the_last_to_the_end() -> None:
    assert blocked(*THREE) == [
        ("SH010", "Cam A", 1001, 1072), ("SH020", "Cam B", 1073, 1144), ("SH030", "Cam C", 1145, 1240),
    ]  # fmt: skip


def test_the_order_of_markers_in_the_file_does_not_matter() -> None:
    assert blocked(*reversed(THREE)) == blocked(*THREE)


@given(
    st.lists(st.integers(-100, 400), unique=True, min_size=1, max_size=12), st.integers(-50, 200), st.integers(0, 250)
)
def test_shots_fill_the_scene_without_gap_or_overlap(frames: list[int], first: int, more: int) -> None:
    scene = FrameRange(first, first + more)
    cuts = [b.cut for b in block_shots([Marker(f"S{f}", f, "Cam") for f in frames], scene, None)]
    covered = [frame for cut in cuts for frame in range(cut.first, cut.last + 1)]
    assert covered == [frame for frame in range(scene.first, scene.last + 1) if frame >= min(frames)]


def test_markers_outside_the_scene_are_cut_to_it_or_left_out() -> None:
    early, late = Marker("EARLY", 900, "Cam A"), Marker("LATE", 1300, "Cam D")
    gone = Marker("GONE", 800, "Cam Z")
    assert blocked(gone, early, THREE[1], late) == [("EARLY", "Cam A", 1001, 1072), ("SH020", "Cam B", 1073, 1240)]


def test_without_markers_the_whole_scene_is_one_shot_of_its_camera() -> None:
    assert block_shots((), SCENE, "Camera") == (Blocking("SH010", "Camera", SCENE),)


def test_markers_count_more_than_the_active_camera() -> None:
    assert [b.camera for b in block_shots(THREE, SCENE, "Camera")] == ["Cam A", "Cam B", "Cam C"]


def test_no_camera_at_all_is_a_sentence() -> None:
    with pytest.raises(SceneError, match="no camera") as caught:
        block_shots((), SCENE, None)
    assert "Add a camera" in caught.value.fix


@pytest.mark.parametrize("twin", ["SH010", "sh010", "SH010 ", "/SH010"])
def test_two_markers_that_would_share_a_folder_are_refused(twin: str) -> None:
    with pytest.raises(SceneError, match="'SH010' and") as caught:
        block_shots((THREE[0], Marker(twin, 1100, "Cam B")), SCENE, None)
    assert "name of its own" in caught.value.fix


def test_one_camera_may_serve_several_shots() -> None:
    assert [b.camera for b in block_shots([replace(m, camera="Cam") for m in THREE], SCENE, None)] == ["Cam"] * 3


# Records.


def records(*markers: Marker) -> list[Shot]:
    return [Shot.born(b, Brief(b.name)) for b in block_shots(markers, SCENE, None)]


def matched(known: list[Shot], *markers: Marker) -> list[str | None]:
    """For each shot of the scene the name under which its record was born."""
    found = match_shots(block_shots(markers, SCENE, None), known)
    return [shot.folder if shot else None for shot in found]


def test_a_new_shot_gets_a_uuid_of_its_own() -> None:
    assert len({shot.uuid for shot in records(*THREE)}) == 3


def test_every_shot_finds_its_record_whatever_the_order() -> None:
    assert matched(list(reversed(records(*THREE))), *THREE) == ["SH010", "SH020", "SH030"]


def test_a_scene_nobody_knows_has_no_records() -> None:
    assert matched([], *THREE) == [None, None, None]


def test_a_moved_marker_keeps_its_record_and_so_does_a_new_camera() -> None:
    assert matched(records(*THREE), THREE[0], Marker("SH020", 1090, "Cam X"), THREE[2]) == ["SH010", "SH020", "SH030"]


def test_a_renamed_marker_keeps_its_record() -> None:
    assert matched(records(*THREE), THREE[0], replace(THREE[1], name="SH025"), THREE[2]) == ["SH010", "SH020", "SH030"]


def test_an_inserted_shot_is_new_and_the_others_stay() -> None:
    inserted = Marker("SH015", 1040, "Cam N")
    assert matched(records(*THREE), THREE[0], inserted, *THREE[1:]) == ["SH010", None, "SH020", "SH030"]


def test_an_inserted_shot_of_a_camera_in_use_takes_nobodys_record() -> None:
    inserted = Marker("SH015", 1040, "Cam A")
    assert matched(records(*THREE), THREE[0], inserted, *THREE[1:]) == ["SH010", None, "SH020", "SH030"]


def test_a_deleted_shot_leaves_its_record_to_nobody() -> None:
    assert matched(records(*THREE), THREE[0], THREE[2]) == ["SH010", "SH030"]


def test_swapped_names_swap_the_records() -> None:
    """The name decides first: whoever swaps two names wants the other one's takes."""
    one, two = replace(THREE[0], name="SH020"), replace(THREE[1], name="SH010")
    assert matched(records(*THREE), one, two, THREE[2]) == ["SH020", "SH010", "SH030"]


def test_two_renamed_shots_of_one_camera_keep_their_order() -> None:
    same = [replace(m, camera="Cam") for m in THREE]
    renamed = [replace(m, name=f"X{m.name}") for m in same]
    assert matched(records(*same), *renamed) == ["SH010", "SH020", "SH030"]


@given(st.permutations(THREE), st.sets(st.sampled_from([m.name for m in THREE])))
def test_no_record_is_given_twice(order: list[Marker], renamed: set[str]) -> None:
    markers = [replace(m, name=f"{m.name}X") if m.name in renamed else m for m in order]
    found = matched(records(*order), *markers)
    assert sorted(found, key=str) == ["SH010", "SH020", "SH030"]


# Several scenes in one file.

BEACH = Home("Beach", ("Layout",))
LAYOUT = Home("Layout", ("Beach",))


def claimed(scene: str, *markers: Marker) -> list[Shot]:
    return [replace(shot, scene=scene) for shot in records(*markers)]


def found_in(home: Home, known: list[Shot], *markers: Marker) -> list[str | None]:
    blockings = [replace(b, home=home) for b in block_shots(markers, SCENE, None)]
    return [shot.folder if shot else None for shot in match_shots(blockings, known)]


def as_beach(*markers: Marker) -> list[Marker]:
    return [replace(m, name=m.name.replace("SH", "BE")) for m in markers]


@pytest.mark.parametrize("markers", [THREE, tuple(as_beach(*THREE))])
def test_nobody_takes_over_the_records_of_another_scene(markers: tuple[Marker, ...]) -> None:
    """A linked copy has the same cameras at the same frames; its markers may have the same names as well."""
    known = claimed("Layout", *THREE)
    assert found_in(BEACH, known, *markers) == [None, None, None]
    assert found_in(LAYOUT, known, *THREE) == ["SH010", "SH020", "SH030"]


def test_a_renamed_marker_is_found_within_its_scene() -> None:
    known = [*claimed("Beach", *as_beach(*THREE)), *claimed("Layout", *THREE)]
    renamed = (THREE[0], replace(THREE[1], name="SH025"), THREE[2])
    assert found_in(LAYOUT, known, *renamed) == ["SH010", "SH020", "SH030"]


def test_a_record_from_before_scenes_belongs_to_whoever_claims_it() -> None:
    """By its name; by its camera only where nobody else blocks."""
    known = records(*THREE)
    assert found_in(BEACH, known, *as_beach(*THREE)) == [None, None, None]
    assert found_in(BEACH, known, *THREE) == ["SH010", "SH020", "SH030"]
    assert found_in(Home("Layout"), known, *as_beach(*THREE)) == ["SH010", "SH020", "SH030"]
    kept = [
        shot.blocked(replace(b, home=BEACH)) for shot, b in zip(known, block_shots(THREE, SCENE, None), strict=True)
    ]
    assert found_in(LAYOUT, kept, *THREE) == [None, None, None]


def test_a_renamed_scene_keeps_its_records() -> None:
    """Also when only one of its shots was recorded since, and when its markers were renamed with it."""
    known = claimed("Layout", *THREE)
    for home in (Home("Street"), Home("Street", ("Beach",))):
        assert found_in(home, known, *THREE) == ["SH010", "SH020", "SH030"]
    assert found_in(Home("Street"), known, *as_beach(*THREE)) == ["SH010", "SH020", "SH030"]
    some = [replace(known[0], scene="Street"), *known[1:]]
    assert found_in(Home("Street", ("Beach",)), some, *THREE) == ["SH010", "SH020", "SH030"]


def test_the_record_on_disk_knows_its_scene(tmp_path: Path) -> None:
    for name, shot in zip(("a", "b"), (records(*THREE)[0], claimed("Beach", *THREE)[0]), strict=True):
        path = tmp_path / name / "shot.json"
        save_shot(path, replace(shot, folder=name))
        assert load_shot(path) == replace(shot, folder=name)


def test_circling_changes_the_circle_only() -> None:
    shot = records(*THREE)[0]
    assert replace(shot.circled("t002"), circle=None) == shot


# Handles.


def said(name: str, handles: tuple[int, int] | None) -> Blocking:
    return Blocking(name, "Cam", FrameRange(1001, 1010), handles)


def told(*blockings: Blocking) -> Shot:
    """The record after the scene said each of these in turn."""
    shot = Shot.born(blockings[0], Brief())
    for blocking in blockings:
        shot = shot.blocked(blocking)
    return shot


def test_a_record_knows_the_handles_the_scene_says() -> None:
    assert told(said("SH010", (8, 4))).handles == (8, 4)
    assert told(said("SH010", None)).handles is None


def test_a_renamed_shot_keeps_its_handles_also_the_next_time() -> None:
    renamed = told(said("SH010", (8, 4)), said("SH015", None))
    assert (renamed.name, renamed.handles) == ("SH015", (8, 4))
    assert told(said("SH010", (8, 4)), said("SH015", None), said("SH015", None), said("SH020", None)).handles == (8, 4)


def test_what_the_scene_says_under_the_new_name_counts_more() -> None:
    assert told(said("SH010", (8, 4)), said("SH015", (0, 0))).handles == (0, 0)
    assert told(said("SH010", (8, 4)), said("SH015", (2, 2)), said("SH015", (3, 3))).handles == (3, 3)


def test_an_entry_that_was_taken_back_is_forgotten() -> None:
    """Without a new name, an entry that is gone was deleted: the quality decides again."""
    assert told(said("SH010", (8, 4)), said("SH010", None)).handles is None
    assert told(said("SH010", (8, 4)), said("SH015", (1, 1)), said("SH015", None)).handles is None


@pytest.mark.parametrize("handles", [(8, 4), (0, 0), None])
def test_the_record_on_disk_keeps_handles_and_what_nobody_knows(
    tmp_path: Path, handles: tuple[int, int] | None
) -> None:
    path = tmp_path / "SH010" / "shot.json"
    shot = replace(told(said("SH010", handles)), extra={"mood": "wet"})
    save_shot(path, shot)
    assert load_shot(path) == shot
    assert ("handles" in json.loads(path.read_text("utf-8"))) == (handles is not None)


@pytest.mark.parametrize("handles", [[8, -4], [8], "x", {"frames": [1, 2]}, {"frames": [1, -2], "name": "SH010"}])
def test_odd_handles_on_disk_are_said(tmp_path: Path, handles: object) -> None:
    path = tmp_path / "SH010" / "shot.json"
    save_shot(path, Shot.born(said("SH010", None), Brief()))
    body = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**body, "handles": handles}), "utf-8")
    with pytest.raises(DocumentError, match="handles"):
        load_shot(path)
