# SPDX-License-Identifier: GPL-3.0-or-later
"""The edit on a disk that is really full: one sentence, and everything as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from second_unit.addon.errors import DocumentError, StorageError, storage_error
from second_unit.addon.host.blender import Blender

from .test_return import build, plan_of

pytestmark = pytest.mark.host


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of 16 MiB in memory."""
    where = tmp_path / "disk"
    where.mkdir()
    command = shutil.which("mount")
    if command is None:
        pytest.skip("there is no mount command here, so no small disk can be made")
    done = subprocess.run(
        [command, "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(where)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {done.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


def leave(disk: Path, size: int) -> None:
    """Fill ``disk`` until ``size`` bytes are left, in whole blocks."""
    with (disk / "filler").open("wb") as file:
        file.write(b"\0" * max(0, shutil.disk_usage(disk).free - size))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "filler"
    }


@pytest.mark.parametrize("share", [0.0, 0.5, 1.5], ids=["nothing fits", "half fits", "one copy fits"])
def test_a_full_disk_is_one_sentence_and_the_old_edit_stays(
    blender: Blender, example: Path, small_disk: Path, share: float
) -> None:
    project = small_disk / "project"
    plan = plan_of(project)
    build(blender, example, project, plan)
    before = contents(project)
    first, second = plan.strips
    newer = replace(plan, strips=(first, replace(second, take_uuid="tc")))
    leave(small_disk, int(share * len(before["edit.blend"])))
    with pytest.raises(StorageError) as caught:
        build(blender, example, project, newer)
    wanted = storage_error(OSError(28, os.strerror(28)), project / "edit.blend")
    assert str(caught.value) == str(wanted)
    assert contents(project) == before
    (small_disk / "filler").unlink()
    assert build(blender, example, project, newer)["changed"] == ["SH020"]


@pytest.mark.parametrize("size", [0, 20_000], ids=["nothing fits", "a part fits"])
def test_a_first_edit_on_a_full_disk_leaves_nothing(
    blender: Blender, example: Path, small_disk: Path, size: int
) -> None:
    project = small_disk / "project"
    plan = plan_of(project)
    before = contents(project)
    leave(small_disk, size)
    with pytest.raises(StorageError, match="The disk is full"):
        build(blender, example, project, plan)
    assert contents(project) == before


def test_an_edit_that_is_none_says_how_to_get_a_new_one(blender: Blender, example: Path, tmp_path: Path) -> None:
    """It is our file: saving the artist's scene again would not help."""
    plan = plan_of(tmp_path)
    (tmp_path / "edit.blend").write_bytes(b"x")
    with pytest.raises(DocumentError) as caught:
        build(blender, example, tmp_path, plan)
    assert "move it away" in caught.value.fix
    (tmp_path / "edit.blend").unlink()
    assert build(blender, example, tmp_path, plan)["made"]
