# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is really full, and the runner as a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import StorageError
from second_unit.addon.generation.jobs.lease import Lease
from second_unit.addon.generation.jobs.process import start_runner, wait_for
from second_unit.addon.generation.jobs.runner import lease_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Two megabytes, where this user may mount them."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_the_reason_is_told_at_once_and_nothing_is_in_the_way_afterwards(small_disk: Path, new_stage: Any) -> None:
    stage = new_stage(small_disk / "film")
    job = stage.generate()
    fill(small_disk / "ballast")
    started: list[Any] = []

    def start() -> Any:
        started.append(start_runner(stage.project))
        return started[-1]

    with pytest.raises(StorageError, match="The disk is full") as error:
        wait_for(stage.store, [job.uuid], start, lambda _: None, lambda _: started[-1].wait())
    assert "Free some space" in error.value.fix
    assert len(started) == 1
    assert {path.name for path in stage.project.jobs.iterdir()} == {job.uuid, "runner.log"}
    with pytest.raises(StorageError, match="The disk is full"):
        stage.generate(take_index=1)
    with pytest.raises(StorageError, match="The disk is full"):
        Lease(lease_path(stage.project)).acquire()
    assert {path.name for path in stage.project.jobs.iterdir()} == {job.uuid, "runner.log"}
    (small_disk / "ballast").unlink()
    stage.run()
    stage.assert_one_whole_take()
