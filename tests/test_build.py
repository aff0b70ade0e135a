# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py from outside: what the zips hold, the same bytes each time, and a sentence where something refuses.

The wheels are made here and "fetched" by the real pip from a folder, so nothing touches the network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from .conftest import load_build

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = 'id = "second_unit"\nversion = "1.2.3"\n\n[permissions]\nfiles = "Write"\n'
TAGS = {
    "linux-x64": "manylinux_2_28_x86_64",
    "windows-x64": "win_amd64",
    "macos-x64": "macosx_10_10_x86_64",
    "macos-arm64": "macosx_11_0_arm64",
}
PYTHONS = ("cp311", "cp313", "cp314")


def make_wheel(folder: Path, name: str, tag: str) -> Path:
    """Write as much of a wheel as pip looks at."""
    path = folder / f"{name}-{tag}.whl"
    info = f"{name}.dist-info"
    distribution, version = name.split("-")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def pin(name: str, wheels: list[Path]) -> str:
    sums = (hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels)
    return f"{name.replace('-', '==')} \\\n" + " \\\n".join(f"    --hash=sha256:{each}" for each in sums) + "\n"


class Checkout:
    """As much of one as `zip` and `link` need, and the shelf of wheels its pip fetches from."""

    def __init__(self, folder: Path, shelf: Path) -> None:
        self.folder, self.shelf = folder, shelf
        self.wheels = folder / "build" / "wheels"
        for each in (folder / "addon", folder / "requirements", shelf):
            each.mkdir(parents=True)
        shutil.copyfile(ROOT / "build.py", folder / "build.py")
        (folder / "blender_manifest.toml").write_text(MANIFEST)
        (folder / "addon" / "__init__.py").write_text('"""Docstring."""\n')
        tags = [f"{python}-{python}-{tag}" for python in PYTHONS for tag in TAGS.values()]
        lens = [make_wheel(shelf, "lens-1.0", tag) for tag in tags]
        pure = [make_wheel(shelf, "pure-2.0", "py3-none-any")]
        (folder / "requirements" / "extension.txt").write_text(pin("lens-1.0", lens) + pin("pure-2.0", pure))

    def build(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "build.py", *map(str, words)]
        env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.shelf), "PIP_CONFIG_FILE": os.devnull}
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def fill(self) -> None:
        """Put every wheel where a first build would have fetched it to."""
        for platform, tag in TAGS.items():
            for python in PYTHONS:
                place = self.wheels / f"{platform}-{python[2]}.{python[3:]}"
                place.mkdir(parents=True)
                for name in (f"lens-1.0-{python}-{python}-{tag}.whl", "pure-2.0-py3-none-any.whl"):
                    shutil.copyfile(self.shelf / name, place / name)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout", tmp_path / "shelf")


@pytest.mark.parametrize(("command", "place"), [("zip", "dist"), ("link", "build")])
def test_a_checkout_that_cannot_be_written_is_a_sentence(checkout: Checkout, command: str, place: str) -> None:
    """A file in the way refuses everybody, also the superuser whom permissions do not stop."""
    if command == "zip":
        checkout.fill()
    (checkout.folder / place).write_text("in the way")
    done = checkout.build(command)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{place}" in done.stderr.splitlines()[0]
    assert "could not be used" in done.stderr.splitlines()[0]
    assert "writable" in done.stderr.splitlines()[1]


def test_there_is_one_zip_per_platform_with_its_wheels_and_a_manifest_that_names_them(checkout: Checkout) -> None:
    checkout.fill()
    done = checkout.build("zip")
    assert done.returncode == 0, done.stderr
    made = [Path(line) for line in done.stdout.splitlines()]
    assert [path.name for path in made] == [f"second_unit-1.2.3-{platform}.zip" for platform in TAGS]
    for path, (platform, tag) in zip(made, TAGS.items(), strict=True):
        expected = sorted(
            [*(f"lens-1.0-{python}-{python}-{tag}.whl" for python in PYTHONS), "pure-2.0-py3-none-any.whl"]
        )
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            text = archive.read("blender_manifest.toml").decode()
            assert [name for name in names if name.startswith("wheels/")] == [f"wheels/{name}" for name in expected]
            for name in expected:
                assert archive.read(f"wheels/{name}") == (checkout.shelf / name).read_bytes()
        lists = {"platforms": [platform], "wheels": [f"./wheels/{name}" for name in expected]}
        assert tomllib.loads(text) == {**tomllib.loads(MANIFEST), **lists}


def test_one_platform_is_fetched_once_and_needs_no_other(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.build("zip", "--platform", "macos-x64")
    assert first.returncode == 0, first.stderr
    assert len(first.stdout.splitlines()) == 1
    assert first.stderr.count("fetching") == len(PYTHONS)
    assert {path.name.rpartition("-")[0] for path in checkout.wheels.iterdir()} == {"macos-x64"}
    before = Path(first.stdout.strip()).read_bytes()
    shutil.rmtree(checkout.shelf)
    again = checkout.build("zip", tmp_path / "elsewhere", "--platform", "macos-x64")
    assert (again.returncode, again.stderr) == (0, "")
    assert Path(again.stdout.strip()) == tmp_path / "elsewhere" / "second_unit-1.2.3-macos-x64.zip"
    assert Path(again.stdout.strip()).read_bytes() == before


def test_a_fetched_wheel_that_changed_is_fetched_anew(checkout: Checkout) -> None:
    checkout.fill()
    good = checkout.build("zip", "--platform", "linux-x64")
    zipped = Path(good.stdout.strip())
    before = zipped.read_bytes()
    damaged = next((checkout.wheels / "linux-x64-3.13").glob("lens-*.whl"))
    damaged.write_bytes(damaged.read_bytes() + b"!")
    done = checkout.build("zip", "--platform", "linux-x64")
    assert done.stderr.count("fetching") == 1
    assert zipped.read_bytes() == before


@pytest.mark.parametrize("trouble", ["gone", "changed"])
def test_a_wheel_that_cannot_be_had_as_pinned_is_a_sentence_and_no_zip(checkout: Checkout, trouble: str) -> None:
    wheel = checkout.shelf / f"lens-1.0-cp311-cp311-{TAGS['linux-x64']}.whl"
    if trouble == "gone":
        wheel.unlink()
    else:
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("lens/other.py", "")
    done = checkout.build("zip", "--platform", "linux-x64")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "This stage failed: fetching wheels for linux-x64, Python 3.11" in done.stderr
    assert "://" not in done.stderr
    assert not (checkout.folder / "dist").exists()


def test_the_zip_goes_where_it_is_told_and_is_the_same(checkout: Checkout, tmp_path: Path) -> None:
    checkout.fill()
    assert checkout.build("zip").returncode == 0
    (checkout.folder / "dist").rename(tmp_path / "before")
    done = checkout.build("zip", tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    before = {path.name: path.read_bytes() for path in (tmp_path / "before").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "elsewhere").iterdir()} == before
    assert len(before) == len(TAGS)
    assert not (checkout.folder / "dist").exists()


def test_the_zip_does_not_depend_on_times_modes_or_stray_files(checkout: Checkout, tmp_path: Path) -> None:
    checkout.fill()
    other = tmp_path / "other"
    shutil.copytree(checkout.folder, other, copy_function=shutil.copyfile)
    (other / "addon" / "__init__.py").chmod(0o755)
    os.utime(other / "addon" / "__init__.py", (10**9, 10**9))
    (other / "addon" / "__pycache__").mkdir()
    (other / "addon" / "__pycache__" / "x.pyc").write_bytes(b"cache")
    (other / "addon" / "data").mkdir()
    for stray in (".secret", "keys.txt", "data/private.blend", "data/notes~", "Copy of x.py"):
        (other / "addon" / stray).write_text("stray")
    (other / "notes.txt").write_text("stray")
    (other / "build" / "wheels" / "linux-x64-3.11" / "lens-0.9-py3-none-any.whl").write_bytes(b"of another pin")
    zips: list[bytes] = []
    for folder in (checkout.folder, other):
        subprocess.run([sys.executable, "build.py", "zip"], cwd=folder, check=True, capture_output=True)
        zips.append((folder / "dist" / "second_unit-1.2.3-linux-x64.zip").read_bytes())
    assert zips[0] == zips[1]


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="this is no git checkout")
def test_everything_git_knows_of_the_rooms_is_in_the_zip() -> None:
    """The allow-list forgets nothing: a graph without its roles is no graph."""
    listed = subprocess.run(
        ["git", "ls-files", "addon", "operators", "ui"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert set(listed) - {path.as_posix() for path in load_build().shipped()} == set()


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_what_git_does_not_know_is_not_in_the_zip(checkout: Checkout) -> None:
    checkout.fill()
    for words in (["init", "-q"], ["add", "build.py", "addon", "blender_manifest.toml"]):
        subprocess.run(["git", *words], cwd=checkout.folder, check=True, capture_output=True)
    (checkout.folder / "addon" / "scratch.py").write_text("KEY = 1\n")
    assert checkout.build("zip", "--platform", "linux-x64").returncode == 0
    with zipfile.ZipFile(checkout.folder / "dist" / "second_unit-1.2.3-linux-x64.zip") as archive:
        names = set(archive.namelist())
    assert "addon/__init__.py" in names
    assert "addon/scratch.py" not in names


@pytest.mark.parametrize(
    "words", [["zip", "--out"], ["zip", "a", "b"], ["zip", "--platform", "amiga"], ["link", "x"], ["env", "extension"]]
)
def test_what_is_not_understood_makes_nothing(checkout: Checkout, words: list[str]) -> None:
    done = checkout.build(*words)
    assert done.returncode == 2
    assert "usage" in done.stderr
    assert not (checkout.folder / "dist").exists()


def application(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([checkout / ".ci" / "application", *words], capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name == "nt", reason="the scripts of .ci are for a shell")
@pytest.mark.parametrize("is_able", [True, False])
def test_the_checks_use_the_application_named_else_the_tool_else_say_why_not(tmp_path: Path, is_able: bool) -> None:
    (tmp_path / "clone" / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "application", tmp_path / "clone" / ".ci")
    named = application(tmp_path / "clone", "my blender")
    assert (named.returncode, named.stdout) == (0, "my blender\n")
    without = application(tmp_path / "clone")
    assert (without.returncode, without.stdout) == (1, "")
    assert "$BLENDER is not set" in without.stderr
    tool = tmp_path / "shared" / "tools" / "blender-app"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!/bin/sh\necho Blender 9.9\n{'true' if is_able else 'false'}\n")
    tool.chmod(0o755)
    found = application(tmp_path / "clone")
    if is_able:
        assert (found.returncode, found.stdout) == (0, f"{tool} blender\n")
    else:
        assert (found.returncode, found.stdout) == (1, "")
        assert "could not install" in found.stderr
