# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles that the artist wrote into the scene stay with the shot when its marker gets another name."""

from __future__ import annotations

from pathlib import Path

import pytest

from second_unit.addon.commands.console import Console
from second_unit.addon.commands.context import blocked_shots, open_context, record_shots
from second_unit.addon.shot.project import Project

from .conftest import Script

pytestmark = pytest.mark.host


def test_a_renamed_marker_keeps_the_handles_of_its_shot(
    host_python: str, script: Script, example: Path, tmp_path: Path
) -> None:
    """From the .blend to shot.json and back, twice under the new name."""
    project = tmp_path / "film"
    artists, renamed = tmp_path / "artists.blend", tmp_path / "renamed.blend"
    script("change", blend=str(example), to=str(artists), property={"shots": {"SH020": {"handles": [5, 3]}}})
    steps = [{"do": "marker", "old": "SH020", "new": "SH025"}]
    script("edit_by_hand", blend=str(artists), scene="Layout", steps=steps, to=str(renamed))

    def handles(blend: Path) -> dict[str, tuple[int, int] | None]:
        context = open_context(
            Console(quiet=True), scene_file=str(blend), scene="Layout", project=project, blender=host_python
        )
        shots = blocked_shots(context, context.read_scene())
        record_shots(context, shots)
        return {b.blocking.name: b.blocking.handles for b in shots}

    assert handles(artists)["SH020"] == (5, 3)
    uuid = next(s.uuid for s in Project(project).shots() if s.name == "SH020")
    for _ in range(2):
        assert handles(renamed)["SH025"] == (5, 3)
    assert next(s.uuid for s in Project(project).shots() if s.name == "SH025") == uuid
