# SPDX-License-Identifier: GPL-3.0-or-later
"""Stumps of pictures, an edit whose files are gone, and comps on a disk that fills up, in each supported Blender."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from second_unit.addon.errors import DocumentError
from second_unit.addon.host.blender import Blender, run_task
from second_unit.addon.host.codec import is_whole_exr, is_whole_png

from .conftest import EXAMPLE, Script

KINDS = {
    "ZIPS": OpenEXR.ZIPS_COMPRESSION,
    "ZIP": OpenEXR.ZIP_COMPRESSION,
    "PIZ": OpenEXR.PIZ_COMPRESSION,
    "none": OpenEXR.NO_COMPRESSION,
    "DWAB": OpenEXR.DWAB_COMPRESSION,
}


@pytest.fixture(params=KINDS)
def exr(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A picture of 37 lines, which is no multiple of any chunk."""
    pixels = np.random.default_rng(1).random((37, 23, 4)).astype(np.float16)
    file = tmp_path / "a.exr"
    OpenEXR.File({"compression": KINDS[request.param], "type": OpenEXR.scanlineimage}, {"RGBA": pixels}).write(
        str(file)
    )
    return file


def test_a_whole_exr_is_whole_and_no_part_of_it_is(exr: Path) -> None:
    """Every length but the last."""
    data = exr.read_bytes()
    assert is_whole_exr(exr)
    steps = sorted({*range(0, len(data), max(1, len(data) // 97)), 1, 4, 8, len(data) - 1})
    for length in steps:
        exr.write_bytes(data[:length])
        assert not is_whole_exr(exr), length


def test_an_exr_whose_table_was_never_written_is_a_stump(exr: Path) -> None:
    """The table of chunks is written last of all: where the disk was full then, it is zeros."""
    data = exr.read_bytes()
    table = data.index(b"float\0", data.index(b"screenWindowWidth")) + len(b"float\0") + 4 + 4 + 1
    exr.write_bytes(data[:table] + bytes(8) + data[table + 8 :])
    assert not is_whole_exr(exr)


@pytest.mark.parametrize("data", [b"", b"\x76\x2f\x31\x01", b"\x76\x2f\x31\x01\x02\0\0\0" + b"a" * 90, b"PNG" * 40])
def test_anything_else_is_no_whole_exr(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    assert not is_whole_exr(tmp_path / "x")
    assert not is_whole_png(tmp_path / "x")
    assert not is_whole_exr(tmp_path / "gone")
    assert not is_whole_png(tmp_path / "gone")


def test_a_png_is_whole_to_its_last_chunk(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    assert is_whole_png(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(data[:-1])
    assert not is_whole_png(tmp_path / "a.png")


# In Blender.


def edit_of(script: Script, folder: Path, **how: object) -> Path:
    """An edit with a strip of three images, another in a meta and a movie."""
    for name in ("a", "b"):
        (folder / name).mkdir()
        for i in range(3):
            Image.new("RGB", (64, 36), (80 * i, 0, 0)).save(folder / name / f"f.{i}.png")
    script("strips", blend=str(folder / "edit.blend"), **how)
    return folder / "edit.blend"


def render(blender: Blender, edit: Path) -> None:
    """The cut, as the command line orders it."""
    args = {"blend": str(edit), "scene": "Second Unit Edit", "movie": str(edit.with_name("cut.mp4"))}
    run_task(blender, "render", args)


LOST = ["a/f.1.png", "b/f.2.png", "m.mp4"]


@pytest.mark.host
@pytest.mark.parametrize("name", LOST)
def test_a_cut_without_its_files_is_a_sentence(blender: Blender, script: Script, tmp_path: Path, name: str) -> None:
    """A strip of images without its file would end Blender; in a meta as well."""
    edit = edit_of(script, tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DocumentError, match="which is missing") as caught:
        render(blender, edit)
    assert str(tmp_path / name) in caught.value.what
    assert not (tmp_path / "cut.mp4").exists()


@pytest.mark.host
def test_what_is_muted_may_be_gone(blender: Blender, script: Script, tmp_path: Path) -> None:
    edit = edit_of(script, tmp_path, mute=True)
    for name in LOST[1:]:
        (tmp_path / name).unlink()
    render(blender, edit)
    assert (tmp_path / "cut.mp4").stat().st_size


# The disk fills up.

FULL = """
import os, sys
from pathlib import Path
import numpy as np
from PIL import Image
from second_unit.addon.errors import StorageError
from second_unit.addon.host.blender import Blender, no_space_left, run_task
from second_unit.addon.timeline.comp_recipe import Atmosphere, CompRecipe
from second_unit.addon.timeline.edit_plan import CHANNELS

disk, python, example, left = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
blender, edit, aside = Blender((python,), is_app=False), disk / "edit.blend", disk / ".v001.part"
plan = {"scene": "Second Unit Edit", "channels": list(CHANNELS), "fps": [24, 1], "size": [832, 480],
        "frames": [1001, 1004], "strips": []}
run_task(blender, "edit", {"layout": example, "scene": "Layout", "edit": str(edit), "plan": plan})
aside.mkdir()
noise = np.random.default_rng(1).integers(0, 256, (480, 832, 3), np.uint8)
for frame in range(1001, 1005):
    Image.fromarray(noise).save(disk / f"p.{frame}.png")
    Image.fromarray(noise[..., 0].astype(np.uint16) * 200).save(disk / f"d.{frame}.png")
span = {"first": 1001, "count": 4}
order = {
    "shot": "SH010", "uuid": "u", "key": "k", "render": True, "fps": [24, 1], "frames": [1001, 1004],
    "size": [832, 480], "recipe": CompRecipe(Atmosphere(2.0, 9.0, 0.5, (0.1, 0.2, 0.3))).to_json(),
    "folder": str(aside), "stem": "S", "movie": str(aside / "S.mp4"), "thumbnails": {"0": "t.png"},
    "plate": {"pattern": "//p.{frame}.png", **span},
    "depth": {"pattern": "//d.{frame}.png", "near": 1.0, "far": 10.0, **span},
}
free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
with (disk / "ballast").open("wb") as file:
    os.posix_fallocate(file.fileno(), 0, free - left)
try:
    with no_space_left(disk):
        run_task(blender, "comp", {"edit": str(edit), "comps": [order]})
except StorageError as error:
    print(error.what)
"""


def can_mount() -> bool:
    """Whether this machine lets us make a small disk of our own."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.host
@pytest.mark.skipif(not can_mount(), reason="no user namespaces here: a small disk cannot be mounted")
@pytest.mark.parametrize("kilobytes", [300, 3000, 6000, 12000])
def test_a_disk_that_fills_up_under_blender_is_full(host_python: str, tmp_path: Path, kilobytes: int) -> None:
    """While the edit is opened, while a frame, the movie or a thumbnail is written: one sentence, whatever happened."""
    disk = tmp_path / "disk"
    disk.mkdir()
    inner = 'mount -t tmpfs -o size=64m tmpfs "$0" && exec "$@"'
    run = [sys.executable, "-c", FULL, str(disk), host_python, str(EXAMPLE), str(kilobytes * 1024)]
    command = ["unshare", "-rm", "bash", "-c", inner, str(disk), *run]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "disk is full" in done.stdout
