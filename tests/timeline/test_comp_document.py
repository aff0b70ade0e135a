# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``comp.json`` tells of the files of a comp."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from second_unit.addon.errors import DocumentError
from second_unit.addon.timeline.comp_recipe import (
    COMP,
    Atmosphere,
    Comp,
    CompRecipe,
    expected_files,
    find_comp,
    load_comp,
    sample_positions,
    save_comp,
)

BARE = Comp("shot", "take", CompRecipe(Atmosphere(1.0, 9.0, 0.5, (0.1, 0.2, 0.3))), (999, 1000, 1001, 1002))
STEM = "SH010.comp.t001.v001"
WHOLE = replace(BARE, stem=STEM, files=(f"{STEM}.0999.exr", "thumbnail.0.png"), movie=f"{STEM}.mp4")


def test_names_come_back_and_do_not_change_the_key(tmp_path: Path) -> None:
    save_comp(tmp_path, WHOLE)
    assert load_comp(tmp_path) == WHOLE
    assert WHOLE.key == BARE.key


def test_unknown_keys_survive(tmp_path: Path) -> None:
    save_comp(tmp_path, WHOLE)
    friendlier = {**json.loads((tmp_path / COMP).read_text("utf-8")), "flavour": {"deep": [1, None]}}
    (tmp_path / COMP).write_text(json.dumps(friendlier), "utf-8")
    save_comp(tmp_path, load_comp(tmp_path))
    assert json.loads((tmp_path / COMP).read_text("utf-8")) == friendlier


def test_a_comp_is_whole_when_every_file_has_something_in_it(tmp_path: Path) -> None:
    assert not WHOLE.is_whole(tmp_path)
    for name in WHOLE.files:
        (tmp_path / name).write_bytes(b"x")
    assert WHOLE.is_whole(tmp_path)
    (tmp_path / WHOLE.files[1]).write_bytes(b"")
    assert not WHOLE.is_whole(tmp_path)


def test_a_comp_that_names_nothing_is_not_whole(tmp_path: Path) -> None:
    assert not BARE.is_whole(tmp_path)


def test_the_files_of_a_comp_without_a_list_are_expected_under_the_name_that_is_there(tmp_path: Path) -> None:
    """Written under the shot's old name; half of the frames are gone."""
    save_comp(tmp_path, BARE)
    assert find_comp(tmp_path).files == ()
    (tmp_path / "OLD.comp.t001.v001.1001.exr").write_bytes(b"x")
    (tmp_path / "notes.exr").write_bytes(b"x")
    found = find_comp(tmp_path)
    assert (found.stem, found.movie) == ("OLD.comp.t001.v001", "OLD.comp.t001.v001.mp4")
    assert found.files == expected_files("OLD.comp.t001.v001", BARE.frames)
    assert found.key == BARE.key


def test_four_digits_three_thumbnails() -> None:
    assert sample_positions(4) == (0, 2, 3)
    assert expected_files("S", (999, 12345)) == ("S.0999.exr", "S.12345.exr", "thumbnail.0.png", "thumbnail.1.png")


@pytest.mark.parametrize("key", ["stem", "movie"])
@pytest.mark.parametrize("value", ["../x", "a/b", "", 7])
def test_names_are_plain(tmp_path: Path, key: str, value: object) -> None:
    save_comp(tmp_path, WHOLE)
    document = json.loads((tmp_path / COMP).read_text("utf-8"))
    for changed in ({**document, key: value}, {**document, "files": [value]}):
        (tmp_path / COMP).write_text(json.dumps(changed), "utf-8")
        with pytest.raises(DocumentError, match="damaged"):
            load_comp(tmp_path)
