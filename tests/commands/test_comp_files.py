# SPDX-License-Identifier: GPL-3.0-or-later
"""A comp is there when all its files and its movie are; what got lost is made again in its place."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from second_unit.addon.commands import comp as comp_module
from second_unit.addon.commands.comp import comp, finished_comps
from second_unit.addon.commands.context import blocked_shots, record_shots
from second_unit.addon.commands.editing import editing
from second_unit.addon.errors import HostError, StorageError, UsageError
from second_unit.addon.host import blender as blender_module
from second_unit.addon.shot.shot import Blocking
from second_unit.addon.shot.timing import FrameRange
from second_unit.addon.timeline.comp_recipe import COMP

from .conftest import small_exr, small_png

Open = Callable[..., Any]
NAME = "SH010.comp.t001.v001"


class Usage(NamedTuple):
    """A disk."""

    total: int
    used: int
    free: int


@pytest.fixture
def edited(film: Any) -> Any:
    """A film whose first shot has a take and whose edit exists."""
    film.take("SH010")
    film.project.edit.write_bytes(b"BLENDER")
    return film


@pytest.fixture
def made(edited: Any, host: Any, open_film: Open) -> Any:
    """That film with its comp."""
    host._comp = render
    comp(open_film(), edited.info)
    host.tasks.clear()
    return edited


def render(args: dict[str, Any]) -> dict[str, Any]:
    """Every file a Blender would make, of what is to be rendered."""
    for order in args["comps"]:
        if order["render"]:
            folder, (first, last) = Path(order["folder"]), order["frames"]
            frames = [f"{order['stem']}.{frame:04d}.exr" for frame in range(first, last + 1)]
            for name in frames:
                (folder / name).write_bytes(small_exr(name.encode()))
            for name in order["thumbnails"].values():
                (folder / name).write_bytes(small_png(name.encode()))
            Path(order["movie"]).write_bytes(b"movie")
    return {}


def version(film: Any, number: int = 1) -> Path:
    return film.project.shot("SH010").comp / "t001" / f"v{number:03d}"


def forget(film: Any, *keys: str) -> None:
    """As an older Second Unit wrote it."""
    document = json.loads((version(film) / COMP).read_text("utf-8"))
    for key in keys:
        del document[key]
    (version(film) / COMP).write_text(json.dumps(document), "utf-8")


# What there is.


def test_the_document_names_every_file(made: Any) -> None:
    document = json.loads((version(made) / COMP).read_text("utf-8"))
    there = {p.name for p in version(made).iterdir()} - {COMP}
    assert set(document["files"]) == there
    assert len(there) == 7 + 3
    assert (document["stem"], document["movie"]) == (NAME, f"{NAME}.mp4")
    assert [p.name for p in made.project.review.iterdir()] == [f"{NAME}.mp4"]


LOST = [f"{NAME}.1004.exr", "thumbnail.3.png", "movie"]


@pytest.mark.parametrize("old", [False, True], ids=["listed", "from before the list"])
@pytest.mark.parametrize("name", LOST)
def test_what_got_lost_is_made_again_as_the_same_version(
    made: Any, host: Any, open_film: Open, name: str, old: bool
) -> None:
    before = made.files()
    if old:
        forget(made, "files", "stem", "movie")
    file = made.project.review / f"{NAME}.mp4" if name == "movie" else version(made) / name
    file.unlink()
    (work,) = comp(open_film(), made.info)
    assert work.is_done
    assert host.count("comp") == 1
    assert made.files() == before
    comp(open_film(), made.info)
    assert host.count("comp") == 1


@pytest.mark.parametrize("name", [f"{NAME}.1003.exr", "thumbnail.3.png"])
def test_a_stump_is_made_again(made: Any, host: Any, open_film: Open, name: str) -> None:
    file = version(made) / name
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 3])
    comp(open_film(), made.info)
    assert (host.count("comp"), file.read_bytes()) == (1, whole)


def test_an_empty_movie_is_a_lost_one(made: Any, host: Any, open_film: Open) -> None:
    movie = made.project.review / f"{NAME}.mp4"
    movie.write_bytes(b"")
    comp(open_film(), made.info)
    assert (host.count("comp"), movie.read_bytes()) == (1, b"movie")


def test_an_empty_file_is_a_lost_one(made: Any, host: Any, open_film: Open) -> None:
    (version(made) / f"{NAME}.1004.exr").write_bytes(b"")
    comp(open_film(), made.info)
    assert host.count("comp") == 1
    assert (version(made) / f"{NAME}.1004.exr").stat().st_size


def test_a_comp_from_before_the_list_is_left_alone_when_it_is_whole(made: Any, host: Any, open_film: Open) -> None:
    forget(made, "files", "stem", "movie")
    before = made.files()
    (work,) = comp(open_film(), made.info)
    assert work.is_done
    assert host.tasks == []
    assert made.files() == before


def test_unknown_keys_and_other_peoples_files_stay_when_a_comp_is_mended(made: Any, open_film: Open) -> None:
    document = json.loads((version(made) / COMP).read_text("utf-8"))
    (version(made) / COMP).write_text(json.dumps({**document, "flavour": {"deep": [1]}}), "utf-8")
    (version(made) / "notes.txt").write_text("mine", "utf-8")
    (version(made) / f"{NAME}.1001.exr").unlink()
    comp(open_film(), made.info)
    mended = json.loads((version(made) / COMP).read_text("utf-8"))
    assert mended["flavour"] == {"deep": [1]}
    assert mended["files"] == document["files"]
    assert (version(made) / "notes.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["../../../shot.json", "/etc/passwd", "a/b", "..", ""])
def test_a_file_elsewhere_is_no_file_of_a_comp(made: Any, open_film: Open, name: str) -> None:
    document = json.loads((version(made) / COMP).read_text("utf-8"))
    for key, value in (("files", [name]), ("movie", name), ("stem", name)):
        (version(made) / COMP).write_text(json.dumps({**document, key: value}), "utf-8")
        with pytest.raises(Exception, match=r"comp\.json' is damaged"):
            comp(open_film(), made.info)


def test_the_sheet_shows_a_comp_whose_movie_is_lost_but_none_without_pictures(made: Any, open_film: Open) -> None:
    (made.project.review / f"{NAME}.mp4").unlink()
    assert len(finished_comps(open_film(), made.info)) == 1
    (version(made) / "thumbnail.0.png").unlink()
    assert finished_comps(open_film(), made.info) == []


# Cut off in between.


def test_a_movie_that_was_not_brought_out_is_brought_out(made: Any, host: Any, open_film: Open) -> None:
    """Killed between the two renames: nothing is rendered again."""
    movie = made.project.review / f"{NAME}.mp4"
    before = made.files()
    shutil.move(movie, version(made) / movie.name)
    (work,) = comp(open_film(), made.info)
    assert work.is_done
    assert host.tasks == []
    assert made.files() == before


@pytest.mark.parametrize("step", range(14))
def test_wherever_putting_it_in_place_is_cut_off_the_next_run_mends_it(
    made: Any, open_film: Open, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """A version of which a frame was lost: each of its files, the document and the movie are renamed in turn."""
    before = made.files()
    (version(made) / f"{NAME}.1002.exr").unlink()
    steps, rename = iter(range(100)), Path.replace

    def broken(path: Path, target: Path) -> Path:
        if version(made).parent in path.parents and next(steps) == step:
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", broken)
        with pytest.raises(StorageError):
            comp(open_film(), made.info)
    comp(open_film(), made.info)
    assert made.files() == before


def test_half_made_comps_of_a_killed_run_are_removed(edited: Any, host: Any, open_film: Open) -> None:
    """Also of a take that is not shown any more."""
    left = [edited.project.shot(shot).comp / "t009" / ".v003.part" for shot in ("SH010", "SH020")]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "S.1001.exr").write_bytes(b"half")
    host._comp = render
    comp(open_film(), edited.info)
    assert edited.leftovers() == []


def test_no_movie_is_shown_of_a_comp_that_failed(edited: Any, host: Any, open_film: Open) -> None:
    """The host had finished the movie already."""

    def late(args: dict[str, Any]) -> dict[str, Any]:
        render(args)
        raise HostError("Blender was ended by signal 11 without an answer.", "Try again.")

    before = edited.files()
    host._comp = late
    with pytest.raises(HostError, match="signal 11"):
        comp(open_film(), edited.info)
    assert edited.files() == before
    assert not edited.project.review.exists()


def test_what_a_killed_blender_left_of_the_edit_is_removed(edited: Any, host: Any, open_film: Open) -> None:
    left = [edited.project.root / f".edit.77.part{end}" for end in (".blend", ".done.blend")]

    def die(name: str, _: dict[str, Any]) -> None:
        for file in left:
            file.write_bytes(name.encode())
        raise HostError("Blender was ended by signal 9 without an answer.", "Try again.")

    before, host.before = edited.files(), die
    with pytest.raises(HostError):
        comp(open_film(), edited.info)
    assert edited.files() == before


def test_while_another_command_comps_nothing_of_it_is_touched(edited: Any, host: Any, open_film: Open) -> None:
    aside = version(edited).with_name(".v001.part")
    with editing(edited.project):
        aside.mkdir(parents=True)
        (aside / "theirs.exr").write_bytes(b"theirs")
        with pytest.raises(UsageError, match="Another Second Unit command"):
            comp(open_film(), edited.info)
        assert (aside / "theirs.exr").is_file()
    assert host.tasks == []


# Space.


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let every disk have so many bytes left."""

    def leave(size: int) -> None:
        for module in (comp_module, blender_module):
            monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - size, size))

    return leave


def test_too_little_space_is_said_before_anything_is_rendered(
    edited: Any, host: Any, open_film: Open, free: Callable[[int], None]
) -> None:
    """Seven frames of 832 by 468 half-float RGBA are 22 MB."""
    before = edited.files()
    free(21_000_000)
    with pytest.raises(StorageError, match=r"need about \d+ MB and .* has 21 MB left") as caught:
        comp(open_film(), edited.info)
    assert "Free some space" in caught.value.fix
    assert host.tasks == []
    assert edited.files() == before
    free(60_000_000)
    assert len(comp(open_film(), edited.info)) == 1
    free(0)
    assert len(comp(open_film(), edited.info)) == 1


TROUBLES = [
    HostError("Blender was ended by signal 11 without an answer.", "Try again."),
    HostError("Blender could not render 'review': Could not initialize streams.", "Check the disk."),
    StorageError("The movie 'm.mp4' was not written completely.", "Check that the disk has space."),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=["signal", "codec", "torn"])
def test_whatever_blender_says_on_a_full_disk_the_disk_is_full(
    edited: Any, host: Any, open_film: Open, free: Callable[[int], None], trouble: Exception
) -> None:
    def fill(_: str, __: dict[str, Any]) -> None:
        free(300_000)
        raise trouble

    before, host.before = edited.files(), fill
    with pytest.raises(StorageError, match="disk is full"):
        comp(open_film(), edited.info)
    assert edited.files() == before


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("trouble", TROUBLES, ids=["signal", "codec", "torn"])
def test_with_space_left_blender_is_quoted(edited: Any, host: Any, open_film: Open, trouble: Exception) -> None:
    def fail(_: str, __: dict[str, Any]) -> None:
        raise trouble

    host.before = fail
    with pytest.raises(type(trouble)) as caught:
        comp(open_film(), edited.info)
    assert caught.value is trouble


def test_space_where_nothing_is_yet_is_that_of_the_nearest_folder(tmp_path: Path, free: Callable[[int], None]) -> None:
    free(5)
    with (
        pytest.raises(StorageError, match="disk is full"),
        blender_module.no_space_left(tmp_path / "not" / "yet"),
    ):
        raise TROUBLES[0]


@pytest.mark.parametrize("trouble", [UsageError("a.", "b."), ValueError("c")])
def test_other_troubles_are_no_full_disk(tmp_path: Path, free: Callable[[int], None], trouble: Exception) -> None:
    free(0)
    with pytest.raises(type(trouble)) as caught, blender_module.no_space_left(tmp_path):
        raise trouble
    assert caught.value is trouble


# Names.


@pytest.mark.parametrize("old", [False, True], ids=["listed", "from before the list"])
def test_a_renamed_shot_keeps_comp_and_movie(made: Any, host: Any, open_film: Open, old: bool) -> None:
    if old:
        forget(made, "files", "stem", "movie")
    record_shots(open_film(), blocked_shots(open_film(), made.info))
    before = made.files()
    made.rename("SH010", "SH015")
    (work,) = comp(open_film(), made.info)
    assert host.tasks == []
    assert work.stem == NAME
    assert work.movie == made.project.review / f"{NAME}.mp4"
    assert made.files() == before


def test_two_shots_never_share_a_movie(made: Any, host: Any, open_film: Open) -> None:
    """SH010 becomes SH015 and keeps its movie; a new SH010 comes, in a folder of its own."""
    record_shots(open_film(), blocked_shots(open_film(), made.info))
    made.rename("SH010", "SH015")
    record_shots(open_film(), blocked_shots(open_film(), made.info))
    new = Blocking("SH010", "Cam New", FrameRange(1021, 1030))
    made.info = replace(made.info, shots=(*made.info.shots, new))
    context = open_film()
    record_shots(context, blocked_shots(context, made.info))
    (folder,) = {b.shot.folder for b in blocked_shots(context, made.info) if b.shot.name == "SH010"}
    root = made.project.root
    for part in ("takes", "packages"):
        shutil.copytree(root / "SH010" / part, root / folder / part)
    take = root / folder / "takes" / "t001" / "take.json"
    take.write_text(take.read_text("utf-8").replace('"take-SH010-1"', '"another"'), "utf-8")
    first, second = comp(context, made.info)
    assert {w.shot.name for w in (first, second)} == {"SH015", "SH010"}
    assert first.movie != second.movie
    assert all(w.is_done for w in (first, second))
    assert host.count("comp") == 1
