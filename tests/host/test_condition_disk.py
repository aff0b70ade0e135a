# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditioning on a disk that is really full: one sentence, nothing half made, and the next run goes on from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import EXAMPLE

pytestmark = pytest.mark.host
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}

DRIVER = """
import io, json, os, shutil, sys
from pathlib import Path
from second_unit.addon.commands import condition, console
condition.bytes_per_pixel = lambda passes: 0  # the look beforehand is another test's
from second_unit.addon.cli import main

disk, moment, room, *words = sys.argv[1:]
disk, room = Path(disk), int(room)
filler, report = disk / "filler", []


def fill():
    os.sync()
    with filler.open("wb") as file:
        try:
            file.write(bytes(max(0, shutil.disk_usage(disk).free - room)))
        except OSError:
            pass


def state():
    files = [p.relative_to(disk).as_posix() for p in disk.rglob("*") if p.is_file()]
    return {"frames": sum(name.endswith("frame.json") for name in files), "files": files}


def run():
    said, sys.stderr = sys.stderr, io.StringIO()
    try:
        code = main(words)
    finally:
        text, sys.stderr = sys.stderr.getvalue(), said
    report.append({"code": code, "text": text, **state()})


encode = condition.BlenderCodec.encode_all


def encode_on_a_full_disk(codec, orders, **more):
    if moment == "movies" and not report:
        fill()
    encode(codec, orders, **more)


condition.BlenderCodec.encode_all = encode_on_a_full_disk
if moment == "frames":
    fill()
run()
filler.unlink()
run()
run()
print(json.dumps(report))
"""


def can_mount() -> bool:
    """Whether this machine lets us make a small disk of our own."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    )


def runs(folder: Path, moment: str, room: int) -> list[dict[str, Any]]:
    """Three runs: when the disk fills up at ``moment`` to ``room`` bytes, with space again, and once more."""
    disk = folder / "disk"
    disk.mkdir()
    words = ["condition", str(EXAMPLE), "--project", str(disk / "p"), "--shot", "SH010", "--frames", "1001-1004"]
    words += ["--size", "512x288", "--passes", "all"]
    inner = 'mount -t tmpfs -o size=48m tmpfs "$0" && exec "$@"'
    command = ["unshare", "-rm", "bash", "-c", inner, str(disk), sys.executable, "-c", DRIVER]
    done = subprocess.run(
        [*command, str(disk), moment, str(room), *words], capture_output=True, text=True, check=False,
        env={**WITHOUT_APP, "TMPDIR": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.skipif(not can_mount(), reason="no user namespaces here: a small disk cannot be mounted")
@pytest.mark.parametrize(
    ("moment", "room", "kept"),
    [
        ("frames", 0, range(1)), ("frames", 300_000, range(1)), ("frames", 8_000_000, range(1, 4)),
        ("movies", 0, range(4, 5)), ("movies", 20_000, range(4, 5)),
    ],
)  # fmt: skip
def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on_from_there(
    moment: str, room: int, kept: range, tmp_path: Path
) -> None:
    """``kept`` is how many whole frames are in the cache by then; one of them is 2.8 MB at most."""
    full, again, last = runs(tmp_path, moment, room)
    assert full["code"] == 1
    assert full["text"].count("The disk is full: ") == 1
    assert "Traceback" not in full["text"]
    assert full["frames"] in kept
    for run in (full, again, last):
        assert [name for name in run["files"] if ".part" in name] == []
    assert [name for name in full["files"] if "/packages/" in name] == []
    assert (again["code"], again["frames"]) == (0, 4), again["text"]
    assert "1 packages, 1 new" in again["text"]
    assert "1 packages, 0 new" in last["text"]
