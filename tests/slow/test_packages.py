# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip installs, from the checkout and from an sdist, holds all that the zip does; each of the three runs `demo`.

The zip inside a Blender is the matter of `tests/installed/`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from ..conftest import load_build

pytestmark = [pytest.mark.slow, pytest.mark.host]

ROOT = Path(__file__).parents[2]
PAPERS = {"CHANGELOG.md", "LICENSE", "README.md"}  # pip keeps those elsewhere
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program without this checkout on its path; return what it prints."""
    ours = {"PYTHONPATH", "BLENDER", "VIRTUAL_ENV"}
    env = {key: value for key, value in os.environ.items() if key not in ours}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this one: building leaves things behind."""
    folder = tmp_path_factory.mktemp("source") / "checkout"
    made = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "second_unit", "second-unit-demo")
    shutil.copytree(ROOT, folder, ignore=made)
    return folder


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    return folder / run(sys.executable, "-c", BUILD, "build_sdist", folder, cwd=checkout).splitlines()[-1]


def wheel_names(source: Path, folder: Path) -> set[str]:
    folder.mkdir()
    name = run(sys.executable, "-c", BUILD, "build_wheel", folder, cwd=source).splitlines()[-1]
    return set(zipfile.ZipFile(folder / name).namelist())


def test_the_wheel_of_checkout_and_sdist_holds_what_the_zip_does(checkout: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    shipped = {path.as_posix() for path in load_build().shipped()} - PAPERS
    first, second = wheel_names(checkout, tmp_path / "first"), wheel_names(unpacked, tmp_path / "second")
    assert {name for name in shipped if f"second_unit/{name}" not in first} == set()
    assert first == second


@pytest.fixture(scope="session")
def unpacked_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's folder as Blender unpacks it, below one that can stand on Python's path."""
    folder = tmp_path_factory.mktemp("zip")
    run(sys.executable, ROOT / "build.py", "zip", folder, "--platform", "linux-x64", cwd=folder)
    (archive,) = folder.glob("*.zip")
    shutil.unpack_archive(archive, folder / "second_unit")
    return folder


def borrowing(place: Path, *roots: str | Path) -> Path:
    """The Python of a new environment with the libraries of this one, Blender among them, but not this checkout."""
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=place)
    scripts = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = next(path for path in scripts.iterdir() if path.stem == "python")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip())
    (site / "borrowed.pth").write_text("".join(f"{root}\n" for root in (*roots, sysconfig.get_path("purelib"))))
    return python


def check_demo(project: Path) -> None:
    """Three takes, and everything the loop makes of them."""
    made = ["contact_sheet.png", "edit.blend", "review/cut.mp4"]
    made += [f"{shot}/takes/t001/take.json" for shot in ("SH010", "SH020", "SH030")]
    assert [name for name in made if not (project / name).is_file()] == []


@pytest.mark.parametrize("source", ["checkout", "sdist"])
def test_what_pip_installed_runs_the_demo(source: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    python = borrowing(tmp_path)
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed")
    source_path: Path = request.getfixturevalue(source)
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, source_path, cwd=tmp_path)

    origin = run(python, "-P", "-c", "import second_unit; print(second_unit.__file__)", cwd=tmp_path)
    assert Path(origin.strip()).is_relative_to(tmp_path)
    run(python.parent / "second-unit", "demo", "--out", "demo", cwd=tmp_path)
    check_demo(tmp_path / "demo")


def test_the_unpacked_zip_runs_the_demo(unpacked_zip: Path, tmp_path: Path) -> None:
    python = borrowing(tmp_path, unpacked_zip)
    run(python, "-P", "-m", "second_unit.addon.cli", "demo", "--out", "demo", cwd=tmp_path)
    check_demo(tmp_path / "demo")
