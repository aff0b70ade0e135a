# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped example's package is the same bytes however it comes about, with every pass there is.

Its movies too: the encoder gets the same pictures, runs in as many threads as the machine has cores, and is
deterministic for a given number of them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from second_unit.addon.conditioning.passes import PASSES
from second_unit.addon.shot.package import load_manifest

from .conftest import EXAMPLE

pytestmark = pytest.mark.host
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}
# 32 frames are four parts for --jobs 4
RANGE = ("--shot", "SH010", "--frames", "1001-1032", "--passes", "all", "--size", "96x64")


# whoever runs the tests in the background may have had interrupts ignored, and children inherit that
PROGRAM = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("second_unit.addon.cli", run_name="__main__")
"""


def start(project: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, "condition", str(EXAMPLE), "--project", str(project)]
    return subprocess.Popen(
        [*command, *RANGE, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=WITHOUT_APP,
        start_new_session=True,
    )  # fmt: skip


def wait_for_group(leader: int, patience_s: float = 60.0) -> None:
    """Until nothing of a process group is left: what was killed still has to end."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
    pytest.fail(f"something of the process group {leader} still runs")


def made(project: Path, *more: str) -> dict[str, str]:
    """Condition, and the digest of every file of the one package there is then."""
    process = start(project, *more)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    (package,) = (project / "SH010" / "packages").iterdir()
    assert load_manifest(package).volatile == {}
    files = sorted(path for path in package.rglob("*") if path.is_file())
    return {p.relative_to(package).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A project, and its package made in one piece."""
    project = tmp_path_factory.mktemp("same") / "p"
    return project, made(project)


@pytest.fixture
def again(whole: tuple[Path, dict[str, str]]) -> tuple[Path, dict[str, str]]:
    """The same project, its shot with its uuid, without package and frames."""
    project, files = whole
    for folder in (project / "SH010" / "packages", project / "cache"):
        shutil.rmtree(folder, ignore_errors=True)
    return project, files


def frames_in(project: Path) -> int:
    return len(list((project / "cache").glob("[0-9a-f]*")))


def assert_is_clean(project: Path) -> None:
    assert [path.name for path in project.rglob("*") if path.name.endswith(".part")] == []


def test_four_parts_give_the_bytes_of_the_whole(again: tuple[Path, dict[str, str]]) -> None:
    project, files = again
    assert {name.split("/")[0] for name in files} == {*PASSES, "camera", "video", "manifest.json"}
    assert len(files) > 32 * len(PASSES)
    assert made(project, "--jobs", "4") == files
    assert_is_clean(project)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals to a group")
@pytest.mark.parametrize("jobs", ["1", "4"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("everybody", [True, False], ids=["all of it", "the command alone"])
def test_interrupted_half_way_and_resumed_gives_the_bytes_of_the_whole(
    again: tuple[Path, dict[str, str]], how: signal.Signals, jobs: str, *, everybody: bool
) -> None:
    """Twice. Of a command that is killed alone, the children may go on for a while beside the next one."""
    project, files = again
    leaders: list[int] = []
    for _ in range(2):
        process, before = start(project, "--jobs", jobs), frames_in(project)
        while process.poll() is None and frames_in(project) < before + 6:
            pass
        leaders.append(process.pid)
        (os.killpg if everybody else os.kill)(process.pid, how)
        _, said = process.communicate(timeout=60)
        assert process.returncode == (130 if how is signal.SIGINT else -9), said
        assert "Traceback" not in said
        assert list((project / "SH010").glob("packages/[!.]*")) == []
    for leader in leaders:
        wait_for_group(leader)
    assert made(project) == files
    assert_is_clean(project)


@pytest.mark.slow
def test_a_cache_that_is_partly_gone_or_damaged_gives_the_bytes_of_the_whole(
    again: tuple[Path, dict[str, str]],
) -> None:
    project, files = again
    made(project)
    shutil.rmtree(project / "SH010" / "packages")
    for number, file in enumerate(sorted(path for path in (project / "cache").rglob("*") if path.is_file())):
        data = file.read_bytes()
        middle = len(data) // 2
        if number % 5 == 0:
            file.write_bytes(data[:middle])
        elif number % 5 == 1:
            file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        elif number % 5 == 2:
            file.unlink()
    for folder in sorted((project / "cache").iterdir())[::7]:
        shutil.rmtree(folder)
    assert made(project) == files


@pytest.mark.slow
def test_cycles_gives_the_same_bytes_in_parts(again: tuple[Path, dict[str, str]]) -> None:
    project, _ = again
    whole = made(project, "--renderer", "cycles", "--frames", "1001-1016")
    for folder in (project / "SH010" / "packages", project / "cache"):
        shutil.rmtree(folder)
    assert made(project, "--renderer", "cycles", "--frames", "1001-1016", "--jobs", "2") == whole


@pytest.mark.slow
def test_more_passes_later_are_the_bytes_of_all_at_once(again: tuple[Path, dict[str, str]]) -> None:
    """Frame by frame nothing that was there is written again."""
    project, files = again
    few = made(project, "--passes", "depth,pose")
    assert {name.split("/")[0] for name in few} == {"depth", "pose", "camera", "video", "manifest.json"}
    kept = {path: path.stat().st_mtime_ns for path in (project / "cache").rglob("*") if path.is_file()}
    assert {path.name for path in kept} == {"depth.npy", "person.npz", "frame.json"}
    shutil.rmtree(project / "SH010" / "packages")
    assert made(project) == files
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
