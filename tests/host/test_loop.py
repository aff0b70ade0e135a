# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole loop as its user starts it: a process, an exit code, files. Small pictures, few frames."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from second_unit.addon.host.codec import png_size
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.take import list_takes

from .conftest import EXAMPLE, SCRIPTS

pytestmark = pytest.mark.host
# these tests are about this environment's bpy, whatever application $BLENDER names
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}
RANGE = ("--frames", "1046-1051", "--size", "256x144")


def second_unit(*words: str | Path, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line."""
    command = [*prefix, sys.executable, "-m", "second_unit.addon.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=WITHOUT_APP)


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def move_second_camera(blend: Path) -> None:
    """What an artist does between two runs."""
    answer = blend.with_suffix(".answer.json")
    order = {
        "root": str(SCRIPTS.parents[2]),
        "answer": str(answer),
        "blend": str(blend),
        "to": str(blend),
        "move": {"CAM_SH020": [0.3, 0, 0.1]},
    }
    subprocess.run(
        [sys.executable, str(SCRIPTS / "main.py"), "change", json.dumps(order)], check=True, capture_output=True
    )
    answer.unlink()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after one run of the loop over the join of the first two shots."""
    home = tmp_path_factory.mktemp("loop")
    shutil.copy(EXAMPLE, home / "handover.blend")
    done = second_unit("run", home / "handover.blend", "--project", home / "p", *RANGE)
    assert done.returncode == 0, done.stderr
    return home


def test_the_loop_leaves_what_it_promises(project: Path) -> None:
    """Packages, takes that name them, an edit, comps, movies, a sheet; nothing half-made."""
    home = project / "p"
    for shot, count in (("SH010", 3), ("SH020", 3)):
        (take,) = list_takes(home / shot / "takes")
        manifest = load_manifest(home / shot / "packages" / take.package)
        assert take.input_hash == manifest.input_hash
        assert [f.plate for f in manifest.frame_map.plates] == list(take.plates) == list(range(1001, 1001 + count))
        assert manifest.crop.width / manifest.crop.height == pytest.approx(16 / 9, rel=0.02)
        for plate in take.plates:
            assert png_size(take.frame_file(home / shot / "takes" / "t001", plate)) == (256, 144)
            assert all(
                (home / shot / "packages" / take.package / p.file(plate)).is_file() for p in manifest.passes.values()
            )
        assert len(list((home / shot / "comp" / "t001" / "v001").glob("*.exr"))) == count
        assert (home / "review" / f"{shot}.comp.t001.v001.mp4").is_file()
    assert (home / "edit.blend").is_file()
    assert (home / "review" / "cut.mp4").is_file()
    assert png_size(home / "contact_sheet.png")[1] > 300
    assert [name for name in tree(home) if ".part" in name] == []


def test_again_changes_nothing_and_a_moved_camera_changes_its_shot(project: Path) -> None:
    """No new package, take, comp or strip the second time; one of each after the second camera moved."""
    home = project / "p"
    before = tree(project)
    assert second_unit("run", project / "handover.blend", "--project", home, *RANGE).returncode == 0
    assert tree(project) == before
    move_second_camera(project / "handover.blend")
    done = second_unit("run", project / "handover.blend", "--project", home, *RANGE)
    assert done.returncode == 0, done.stderr
    after = tree(home)
    old = {name: digest for name, digest in tree(home).items() if f"p/{name}" in before}
    kept = ("packages/", "takes/", "comp/")
    assert {n for n, d in old.items() if any(k in n for k in kept) and before[f"p/{n}"] != d} == set()
    new = {name for name in after if f"p/{name}" not in before}
    assert {name.split("/")[0] for name in new if any(k in name for k in kept)} == {"SH020"}
    assert len(list((home / "SH020" / "packages").glob("wan-*"))) == 2
    assert [take.name for take in list_takes(home / "SH020" / "takes")] == ["t001", "t002"]


def test_nobody_at_the_address_is_one_sentence(project: Path) -> None:
    """A service on a loopback port where nothing listens. A look at some frames is no package to send by itself."""
    where = (project / "handover.blend", "--project", project / "p", "--shot", "SH010")
    early = second_unit("generate", *where)
    assert (early.returncode, "no control package yet" in early.stderr) == (2, True)
    assert second_unit("condition", *where, "--size", "208x112").returncode == 0
    args = ("--project", project / "p", "--shot", "SH010", "--service", "http://127.0.0.1:9", "--wait")
    done = second_unit("generate", project / "handover.blend", *args)
    assert done.returncode == 1
    assert "No service answers at http://127.0.0.1:9." in done.stderr
    assert "Traceback" not in done.stderr
    assert [take.name for take in list_takes(project / "p" / "SH010" / "takes")] == ["t001"]


FULL = """
import sys
from second_unit.addon.commands import condition
condition.bytes_per_pixel = lambda passes: 0
from second_unit.addon.cli import main
sys.exit(main(sys.argv[1:]))
"""


def can_mount() -> bool:
    """Whether this machine lets us make a small disk of our own."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="no user namespaces here: a small disk cannot be mounted")
@pytest.mark.parametrize("megabytes", [1, 2, 3])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_made(tmp_path: Path, megabytes: int) -> None:
    """The disk fills up while frames are drawn, or while the package is written."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    inner = f'mount -t tmpfs -o size={megabytes}m tmpfs "$0" && "$@"; code=$?; cp -r "$0" "{kept}"; exit $code'
    args = [
        "condition",
        str(EXAMPLE),
        "--project",
        str(disk / "p"),
        "--shot",
        "SH010",
        "--frames",
        "1001-1004",
        "--size",
        "512x288",
    ]
    command = ["unshare", "-rm", "bash", "-c", inner, str(disk), sys.executable, "-c", FULL, *args]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**WITHOUT_APP, "TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 1, done.stderr
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(kept.rglob("manifest.json")) == []
    assert [p for p in kept.rglob("*") if ".part" in p.name] == []


def test_a_dry_run_says_the_need_and_writes_nothing(project: Path) -> None:
    """Frames, submissions and megabytes before anything is made."""
    plan = second_unit("condition", EXAMPLE, "--project", project / "q", "--dry-run")
    assert plan.returncode == 0
    shown = plan.stderr[plan.stderr.index("SH030:") :]
    assert "SH030: 144 scene frames" in shown
    assert "832x480" in shown
    assert "MB" in plan.stderr
    assert not (project / "q").exists()
