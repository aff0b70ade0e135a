# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes no artist meant: a sentence that names the thing, or a package without it; never an opaque end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import HostError, SceneError
from second_unit.addon.host.blender import Blender, run_task

from .conftest import Script

pytestmark = pytest.mark.host
NO_PICTURE = (
    "location nan", "location inf", "rotation nan", "scale nan", "scale zero", "scale flat", "parent scale zero",
    "ortho zero", "shift nan",
)  # fmt: skip
DRAWN = ("camera small", "clip endless", "mesh nan", "object nan", "lamp nan", "nothing there")


def condition(blender: Blender, blend: Path) -> dict[str, Any]:
    return run_task(blender, "condition", {
        "blend": str(blend), "scene": None, "camera": "A", "times": ["1", "2"], "meter": 1, "size": [64, 32],
        "cache": str(blend.parent / "cache"),
    })  # fmt: skip


def test_a_camera_without_a_picture_is_named_and_the_rest_is_drawn(
    blender: Blender, script: Script, tmp_path: Path
) -> None:
    """One child per scene, as the product does it."""
    script("odd", folder=str(tmp_path))
    said = dict.fromkeys(NO_PICTURE, "nothing")
    for name in NO_PICTURE:
        try:
            condition(blender, tmp_path / f"{name}.blend")
        except SceneError as error:
            said[name] = str(error)
    assert {n: s for n, s in said.items() if "The camera 'A' cannot take a picture at frame 1: " not in s} == {}
    assert {n: s for n, s in said.items() if "Correct its transform" not in s} == {}
    for name in DRAWN:
        assert len(condition(blender, tmp_path / f"{name}.blend")["hashes"]) == 2, name


def test_what_nobody_foresaw_is_named_and_its_report_is_kept(blender: Blender, tmp_path: Path) -> None:
    """A task whose arguments are no arguments stands for any mistake of ours."""
    with pytest.raises(HostError, match=r"Blender could not finish this: KeyError: 'no such task'\.") as found:
        run_task(blender, "no such task", {"blend": str(tmp_path)})
    kept = re.search(r"'([^']+\.txt)'", found.value.fix)
    assert kept is not None
    report = Path(kept[1])
    assert "Traceback" in report.read_text("utf-8")
    report.unlink()
