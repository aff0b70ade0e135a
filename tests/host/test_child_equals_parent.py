# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child renders is what the artist's Blender would: libraries, caches, scripts, nodes, unsaved changes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.host.blender import SESSION, Blender, run_task
from second_unit.addon.host.hidden_copy import original_of, remove_copy

from .conftest import Script

pytestmark = pytest.mark.host
TIMES = ("2", "5", "8")
ORDER: dict[str, Any] = {"camera": "A", "times": TIMES, "meter": 1, "size": [64, 32]}


def render(blender: Blender, blend: Path) -> list[str]:
    """The hash of what the RENDER depsgraph holds at each time, from a child."""
    order = {**ORDER, "blend": str(blend), "scene": None, "cache": str(blend.parent / "child cache")}
    return run_task(blender, "condition", order)["hashes"]


@pytest.fixture
def trusted(script: Script, tmp_path: Path) -> dict[str, Any]:
    """What the parent found; its copy is there."""
    return script("parent", folder=str(tmp_path), trusted=True, order=ORDER)


def test_the_child_renders_what_the_parent_would(
    trusted: dict[str, Any], blender: Blender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes cover every evaluated vertex, place, lamp and the camera."""
    copy = Path(trusted["copy"])
    assert trusted["concerns"] == []
    monkeypatch.setenv(SESSION, trusted["session"])
    assert render(blender, copy) == trusted["hashes"]
    assert len(set(trusted["hashes"])) == len(TIMES)
    note = run_task(blender, "read", {"blend": str(copy), "scene": None})["notes"]
    assert note == []
    # each of these would have been lost, and would have been seen
    assert _differ(render(blender, Path(trusted["blend"])), trusted["hashes"]), "the unsaved change"
    monkeypatch.delenv(SESSION)
    assert _differ(render(blender, copy), trusted["hashes"]), "the driver's function"
    monkeypatch.setenv(SESSION, trusted["session"])
    shutil.rmtree(copy.with_name(f"blendcache_{copy.stem}"))
    without_cloth = render(blender, copy)
    assert _differ(without_cloth, trusted["hashes"]), "the cloth's cache"
    shutil.rmtree(copy.with_name("props"))
    assert _differ(render(blender, copy), without_cloth), "the library"


def _differ(found: list[str], wanted: list[str]) -> bool:
    return all(a != b for a, b in zip(found, wanted, strict=True))


def test_the_artists_blender_and_file_stay_as_they_were(trusted: dict[str, Any], tmp_path: Path) -> None:
    """Every RNA property of the open file, its name, its bytes; the copy goes without a trace."""
    assert trusted["dumped"] > 1000
    assert trusted["changed"] == []
    assert trusted["same bytes"]
    copy = Path(trusted["copy"])
    assert original_of(copy) == Path(trusted["blend"])
    cache, own = tmp_path / "blendcache_film", tmp_path / f"blendcache_{copy.stem}"
    baked = {path.name: path.stat() for path in cache.iterdir()}
    assert len(baked) >= 8
    assert {path.name: path.stat().st_ino for path in own.iterdir()} == {n: s.st_ino for n, s in baked.items()}
    assert Path(trusted["session"]).stat().st_mode & 0o777 == 0o600
    remove_copy(copy)
    assert sorted(p.name for p in tmp_path.iterdir() if "second_unit" in p.name) == []
    assert {path.name: path.stat().st_nlink for path in cache.iterdir()} == dict.fromkeys(baked, 1)


def test_without_trust_the_child_blocks_what_the_parent_blocks_and_says_so(
    script: Script, blender: Blender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = script("parent", folder=str(tmp_path), trusted=False, order=ORDER)
    assert not found["trusted"]
    (worry,) = found["concerns"]
    assert "does not run the scripts of this file" in worry
    monkeypatch.setenv(SESSION, found["session"])
    assert render(blender, Path(found["copy"])) == found["hashes"]
    (note,) = run_task(blender, "read", {"blend": found["copy"], "scene": None})["notes"]
    assert "Scripts of the file were not run" in note


def test_a_child_leaves_nothing_in_the_folder_for_temporary_files(
    blender: Blender, example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves the short way, without Blender's own tidying up."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    run_task(blender, "read", {"blend": str(example), "scene": None})
    assert list(tmp_path.iterdir()) == []
