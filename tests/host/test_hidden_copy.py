# SPDX-License-Identifier: GPL-3.0-or-later
"""A hidden copy is made without a change to the artist's Blender, and nothing but hidden copies is ever removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from second_unit.addon.errors import UsageError
from second_unit.addon.host import hidden_copy
from second_unit.addon.host.hidden_copy import original_of, remove_copy, session_file, sweep_copies

from .conftest import Script


@pytest.mark.host
def test_copies_of_all_kinds_of_files(script: Script, tmp_path: Path) -> None:
    (tmp_path / "shoot").mkdir()
    found = script("hiding", folder=str(tmp_path / "shoot"))
    assert found["never saved"].startswith("UsageError: The scene has never been saved. Save the scene first")
    assert found["compressed"] == [True] * 4
    assert found["not baked"] == [False, True, True, True]
    assert found["read-only"].startswith("StorageError: No copy of the scene can be written to")
    assert found["swept"] == []


@pytest.mark.host
def test_what_a_child_cannot_have_is_said_before(script: Script, tmp_path: Path) -> None:
    found = script("worries", folder=str(tmp_path))
    assert found["nothing"] == []
    expected = {
        "never saved": "has never been saved", "locked": "cannot be written", "painted": "'Painted' has unsaved",
        "library": "gone.blend' is missing", "cloth": "The simulation 'Flag: Cloth' is not baked",
        "particles": "is not baked", "rigid body": "Rigid Body World' is not baked", "fluid": "The fluid 'Tank' is not",
        "nodes": "The simulation nodes of 'Grown: Nodes' have no bake on disk", "typed": "The function 'typed'",
        "run by hand": "The function 'mine'",
    }  # fmt: skip
    assert {name: len(found[name]) for name in expected} == dict.fromkeys(expected, 1), found
    assert [name for name, words in expected.items() if words not in found[name][0]] == []
    assert found["packed"] == found["registered"] == found["nodes on disk"] == []


HOST = hidden_copy.host_mark()


def copy_in(folder: Path, pid: int, host: str = HOST, owner: int | None = None) -> Path:
    stem = f".film.second_unit-{pid}-{host}01234567"
    copy = folder / f"{stem}.blend"
    copy.write_bytes(b"x")
    (folder / f"blendcache_{stem}" / "deep").mkdir(parents=True)
    session_file(copy).touch()
    if owner is not None:
        copy.with_suffix(f".{owner}.owner").touch()
    return copy


def ended() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


@pytest.mark.parametrize(
    ("maker", "owner", "stays"),
    [(True, None, True), (False, None, False), (False, True, True), (True, False, False), (False, False, False)],
)
def test_the_owner_decides_and_before_there_is_one_the_maker(
    tmp_path: Path, maker: bool, owner: bool | None, stays: bool
) -> None:
    """A command goes on when its Blender was killed, and when the command was killed Blender does not keep it."""
    numbers = {True: os.getpid(), False: ended(), None: None}
    copy = copy_in(tmp_path, numbers[maker], owner=numbers[owner])
    sweep_copies(tmp_path)
    assert copy.is_file() is stays
    assert bool(list(tmp_path.iterdir())) is stays


def test_another_hosts_copy_stays_for_a_day(tmp_path: Path) -> None:
    copy = copy_in(tmp_path, ended(), "0" * 8)
    sweep_copies(tmp_path)
    assert copy.is_file()
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    sweep_copies(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_hidden_copies_are_removed(tmp_path: Path) -> None:
    names = ("film.blend", ".film.blend", "film.second_unit-1-2.blend", ".film.second_unit-1.blend", "blendcache_film")
    for name in names:
        (tmp_path / name).touch()
        with pytest.raises(UsageError, match="is no hidden copy"):
            remove_copy(tmp_path / name)
    sweep_copies(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    sweep_copies(tmp_path / "not there")


def test_links_in_a_cache_are_cut_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "kept").touch()
    copy = copy_in(tmp_path, os.getpid())
    (tmp_path / f"blendcache_{copy.stem}" / "link").symlink_to(tmp_path / "theirs")
    remove_copy(copy)
    remove_copy(copy)
    assert [p.name for p in tmp_path.rglob("*")] == ["theirs", "kept"]


@pytest.mark.parametrize("name", ["film", "a.second_unit-1-x", "with space.v002", ".dot", "Ünïcode 映画"])
def test_the_original_is_known_by_the_name(tmp_path: Path, name: str) -> None:
    copy = tmp_path / f".{name}.second_unit-12-{'a' * 16}.blend"
    assert original_of(copy) == tmp_path / f"{name}.blend"
    assert original_of(tmp_path / f"{name}.blend") is None
