# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py where the disk refuses: a sentence and 1, never a traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def build(checkout: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "build.py", *map(str, words)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of one as `zip` and `link` need."""
    folder = tmp_path / "checkout"
    (folder / "addon").mkdir(parents=True)
    shutil.copyfile(ROOT / "build.py", folder / "build.py")
    (folder / "blender_manifest.toml").write_text('id = "second_unit"\nversion = "1.2.3"\n')
    (folder / "addon" / "__init__.py").write_text('"""Docstring."""\n')
    return folder


@pytest.mark.parametrize(("command", "place"), [("zip", "dist"), ("link", "build")])
def test_a_checkout_that_cannot_be_written_is_a_sentence(checkout: Path, command: str, place: str) -> None:
    """A file in the way refuses everybody, also the superuser whom permissions do not stop."""
    (checkout / place).write_text("in the way")
    done = build(checkout, command)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{place}" in done.stderr.splitlines()[0]
    assert "could not be used" in done.stderr.splitlines()[0]
    assert "writable" in done.stderr.splitlines()[1]


def test_the_zip_goes_where_it_is_told_and_is_the_same(checkout: Path, tmp_path: Path) -> None:
    assert build(checkout, "zip").returncode == 0
    (checkout / "dist").rename(tmp_path / "before")
    done = build(checkout, "zip", tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    made = tmp_path / "elsewhere" / "second_unit-1.2.3.zip"
    assert done.stdout.strip() == str(made)
    assert made.read_bytes() == (tmp_path / "before" / made.name).read_bytes()
    assert not (checkout / "dist").exists()


@pytest.mark.parametrize("words", [["zip", "--out"], ["zip", "a", "b"], ["link", "x"]])
def test_what_is_not_understood_makes_nothing(checkout: Path, words: list[str]) -> None:
    done = build(checkout, *words)
    assert done.returncode == 2
    assert "usage" in done.stderr
    assert not (checkout / "dist").exists()
