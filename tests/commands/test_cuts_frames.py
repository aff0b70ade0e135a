# SPDX-License-Identifier: GPL-3.0-or-later
"""A take whose frames are not what the service sent is refused before anything is made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.commands.comp import comp
from second_unit.addon.commands.cuts import cut_shots
from second_unit.addon.commands.timeline import timeline
from second_unit.addon.errors import EXIT_FAILED, DocumentError
from second_unit.addon.shot.documents import digest
from second_unit.addon.shot.package import MANIFEST
from second_unit.addon.shot.take import TAKE, Take, load_take

Open = Callable[..., Any]


def sealed(film: Any, shot: str, number: int = 1) -> tuple[Path, Take]:
    """A take whose document holds the digests of its frames."""
    take = film.take(shot, number)
    folder = film.project.shot(shot).takes / take.name
    for plate in take.plates:
        take.frame_file(folder, plate).write_bytes(f"{shot} {plate}".encode())
    document = json.loads((folder / TAKE).read_text("utf-8"))
    document["sha256"] = [digest(f"{shot} {plate}".encode()) for plate in take.plates]
    (folder / TAKE).write_text(json.dumps(document), "utf-8")
    return folder, load_take(folder)


def spoil(file: Path, how: str) -> None:
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] if how == "shorter" else b"X" + file.read_bytes()[1:])


@pytest.mark.parametrize(("how", "word"), [("missing", "missing"), ("shorter", "damaged"), ("other", "damaged")])
def test_a_frame_that_is_not_as_it_was_made_is_named(film: Any, how: str, word: str) -> None:
    folder, take = sealed(film, "SH010")
    take.check_frames(folder)
    spoil(take.frame_file(folder, 1003), how)
    with pytest.raises(DocumentError, match=rf"Frame 1003 of SH010's take t001 is {word}") as caught:
        take.check_frames(folder)
    assert "circle" in caught.value.fix
    assert "--seed" in caught.value.fix
    assert caught.value.exit_code == EXIT_FAILED


def test_the_pattern_of_a_take_names_each_of_its_frames(film: Any) -> None:
    take = film.take("SH010")
    for plate in (999, 1001, 12345):
        assert take.frame_pattern.format(frame=plate) == take.frame_file(Path("x"), plate).name


def test_the_cut_is_refused_as_a_whole(film: Any, host: Any, open_film: Open) -> None:
    """The second shot is damaged: the first is not laid either, asked for or not."""
    sealed(film, "SH010")
    folder, take = sealed(film, "SH020")
    assert [c.shot.name for c in cut_shots(open_film(), film.info)] == ["SH010", "SH020"]
    spoil(take.frame_file(folder, 1005), "other")
    before = film.files()
    for context in (open_film(), open_film("SH010")):
        with pytest.raises(DocumentError, match="Frame 1005 of SH020's take t001 is damaged"):
            timeline(context, film.info)
    assert host.tasks == []
    assert film.files() == before


def test_a_damaged_take_that_is_not_shown_harms_nobody(film: Any, open_film: Open) -> None:
    folder, take = sealed(film, "SH010", 1)
    spoil(take.frame_file(folder, 1001), "missing")
    sealed(film, "SH010", 2)
    assert [c.take.name for c in cut_shots(open_film(), film.info)] == ["t002"]


@pytest.fixture
def two(film: Any) -> Any:
    """Two shots with whole takes, and an edit."""
    for shot in ("SH010", "SH020"):
        sealed(film, shot)
    film.project.edit.write_bytes(b"BLENDER")
    return film


@pytest.mark.parametrize("how", ["missing", "shorter"])
def test_no_comp_is_made_of_a_damaged_take(two: Any, host: Any, open_film: Open, how: str) -> None:
    folder = two.project.shot("SH020").takes / "t001"
    spoil(load_take(folder).frame_file(folder, 1013), how)
    before = two.files()
    with pytest.raises(DocumentError, match="Frame 1013 of SH020's take t001"):
        comp(open_film(), two.info)
    assert host.tasks == []
    assert two.files() == before


@pytest.mark.parametrize("how", ["missing", "shorter"])
def test_no_comp_is_made_with_damaged_depth(two: Any, host: Any, open_film: Open, how: str) -> None:
    take = load_take(two.project.shot("SH010").takes / "t001")
    package = two.project.shot("SH010").packages / take.package
    document = json.loads((package / MANIFEST).read_text("utf-8"))
    document["passes"]["depth16"]["sha256"] = [digest(f"{plate}".encode()) for plate in take.plates]
    (package / MANIFEST).write_text(json.dumps(document), "utf-8")
    (package / "depth16").mkdir()
    for plate in take.plates:
        (package / "depth16" / f"{plate}.png").write_bytes(f"{plate}".encode())
    spoil(package / "depth16" / "1002.png", how)
    with pytest.raises(DocumentError, match="depth of frame 1002 in SH010's package") as caught:
        comp(open_film(), two.info)
    assert host.tasks == []
    assert "condition" in caught.value.fix
    (package / "depth16" / "1002.png").write_bytes(b"1002")
    assert len(comp(open_film(), two.info)) == 2
