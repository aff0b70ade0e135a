# SPDX-License-Identifier: GPL-3.0-or-later
"""What killed processes left half made goes; what living ones make stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from second_unit.addon.conditioning.files.aside import aside, sweep

DAY = 24 * 3600
ABROAD = ".k.0000abcd-{pid}.0123abcd.part"
NAMELESS = ".k.0123abcd.part"
DOCUMENT = f".package.json.{'0123abcd' * 4}.part"


def half_made(path: Path, age_s: float = 0.0) -> Path:
    path.mkdir(parents=True)
    (path / "depth.npy").write_bytes(b"half")
    for one in (path / "depth.npy", path):
        os.utime(one, (time.time() - age_s,) * 2)
    return path


def of_a_dead_process(target: Path) -> Path:
    """The name a process gave that has ended since."""
    code = (
        "import sys; from pathlib import Path; from second_unit.addon.conditioning.files.aside import aside;"
        "print(aside(Path(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, target], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def test_each_name_is_hidden_new_and_beside_its_target(tmp_path: Path) -> None:
    names = {aside(tmp_path / "wan-vace-14b-0123abcd") for _ in range(9)}
    assert len(names) == 9
    for path in names:
        assert path.parent == tmp_path
        assert path.name.startswith(".wan-vace-14b-0123abcd.")
        assert path.name.endswith(".part")
        assert len(aside(tmp_path / ("f" * 64)).name) < 70


@pytest.mark.skipif(os.name == "nt", reason="there a process number cannot be asked without a signal")
def test_the_dead_are_swept_at_once_and_the_living_never(tmp_path: Path) -> None:
    dead = half_made(of_a_dead_process(tmp_path / "k"))
    mine = [half_made(aside(tmp_path / "k"), age) for age in (0, 9 * DAY)]
    sweep([tmp_path])
    assert not dead.exists()
    assert all((path / "depth.npy").is_file() for path in mine)


@pytest.mark.skipif(os.name == "nt", reason="there a process number cannot be asked without a signal")
def test_half_a_file_goes_as_half_a_folder_does(tmp_path: Path) -> None:
    dead, mine = of_a_dead_process(tmp_path / "tag.npz"), aside(tmp_path / "tag.npz")
    for path in (dead, mine):
        path.write_bytes(b"half")
    sweep([tmp_path])
    assert (dead.exists(), mine.exists()) == (False, True)


@pytest.mark.parametrize("name", [ABROAD.format(pid=os.getpid()), ABROAD.format(pid=4_000_000_000), NAMELESS, DOCUMENT])
def test_what_cannot_be_asked_is_swept_after_a_day(tmp_path: Path, name: str) -> None:
    old, new = half_made(tmp_path / "old" / name, 2 * DAY), half_made(tmp_path / "new" / name, DAY / 2)
    sweep([tmp_path / "old", tmp_path / "new"])
    assert (old.exists(), new.exists()) == (False, True)


def test_what_is_written_to_counts_as_touched(tmp_path: Path) -> None:
    """A folder's own time says nothing about a file in it that grows."""
    path = half_made(tmp_path / NAMELESS, 2 * DAY)
    os.utime(path / "depth.npy")
    sweep([tmp_path])
    assert path.exists()


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    kept = [
        half_made(tmp_path / name, 9 * DAY)
        for name in ("frame", ".hidden", "k.0123abcd.part", ".notes.part", ".k.0123abcd.part.bak")
    ]
    (tmp_path / ".k.89abcdef.part").write_bytes(b"a file")
    elsewhere = half_made(tmp_path / "elsewhere", 9 * DAY)
    (tmp_path / ".k.76543210.part").symlink_to(elsewhere, target_is_directory=True)
    sweep([tmp_path, tmp_path / "not there"])
    assert all((path / "depth.npy").is_file() for path in (*kept, elsewhere))
    assert (tmp_path / ".k.89abcdef.part").is_file()
