# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a .blend in each supported Blender: what is in it, and what is said when it cannot be used."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from second_unit.addon.errors import SceneError
from second_unit.addon.host.blender import Blender, run_task

from .conftest import Script

pytestmark = pytest.mark.host


def test_the_example_has_its_three_shots(blender: Blender, example: Path) -> None:
    """Names, cameras, ranges and handles as the scene was blocked; the rate is a rational."""
    info = run_task(blender, "read", {"blend": str(example), "scene": None})
    shots = [(s["name"], s["camera"], s["cut"], s["handles"]) for s in info["shots"]]
    assert shots == [
        ("SH010", "CAM_SH010", [1001, 1048], None),
        ("SH020", "CAM_SH020", [1049, 1096], None),
        ("SH030", "CAM_SH030", [1097, 1240], [8, 8]),
    ]
    assert info["fps"] == [24, 1]
    assert info["size"] == [1920, 1080]


def test_joints_are_where_blender_projects_the_bones(script: Script, example: Path) -> None:
    """Ours against `calc_matrix_camera`, in three shots."""
    rows = script("joints", blend=str(example), frames=[1001, 1072, 1160])
    assert len(rows) == 6
    for row in rows:
        for index, theirs in row["theirs"].items():
            assert np.allclose(row["ours"][int(index)], theirs, atol=0.1), (row["frame"], row["person"], index)
        assert len(row["theirs"]) >= 14
        assert np.isfinite(np.array(row["ours"])).all()


@pytest.mark.parametrize("junk", [b"", b"not a blend at all", b"BLENDER-v402" + b"\0" * 200, bytes(range(256)) * 40])
def test_junk_is_no_blend(blender: Blender, tmp_path: Path, junk: bytes) -> None:
    """One sentence, whatever the bytes are."""
    file = tmp_path / "junk.blend"
    file.write_bytes(junk)
    with pytest.raises(SceneError, match=r"not a \.blend file"):
        run_task(blender, "read", {"blend": str(file), "scene": None})


def test_a_file_of_a_newer_blender_is_refused(blender: Blender, script: Script, tmp_path: Path) -> None:
    """The file's own header is made to say 9.9; both kinds of header exist among the four Blenders."""
    file = tmp_path / "newer.blend"
    script("change", blend=None, to=str(file))
    data = file.read_bytes()
    newer = re.sub(
        rb"^(BLENDER\d\d-\d\dv)\d{4}", rb"\g<1>0909", re.sub(rb"^(BLENDER[-_][vV])\d{3}", rb"\g<1>909", data)
    )
    assert newer != data
    file.write_bytes(newer)
    with pytest.raises(SceneError, match=r"saved by Blender 9\.9?") as found:
        run_task(blender, "read", {"blend": str(file), "scene": None})
    assert "--blender" in found.value.fix


def test_a_frame_step_is_said_and_the_smallest_frame_is_a_pixel(
    blender: Blender, script: Script, tmp_path: Path, example: Path
) -> None:
    """One percent of a small picture would be nothing."""
    read = {"blend": str(example), "scene": None}
    assert run_task(blender, "read", read)["notes"] == []
    file = tmp_path / "stepped.blend"
    render = {"resolution_x": 64, "resolution_y": 36, "resolution_percentage": 1}
    script("change", blend=str(example), to=str(file), frame_step=2, render=render)
    info = run_task(blender, "read", {**read, "blend": str(file)})
    assert info["notes"] == ["The scene's frame step of 2 is not used: every frame is drawn."]
    assert info["size"] == [1, 1]


def test_no_camera_is_said(blender: Blender, script: Script, tmp_path: Path, example: Path) -> None:
    """The example without its cameras."""
    file = tmp_path / "blind.blend"
    script("change", blend=str(example), to=str(file), remove_cameras=True)
    with pytest.raises(SceneError, match="no camera"):
        run_task(blender, "read", {"blend": str(file), "scene": None})


def test_an_unknown_scene_is_said(blender: Blender, example: Path) -> None:
    """With the names there are."""
    with pytest.raises(SceneError, match="'Layout'"):
        run_task(blender, "read", {"blend": str(example), "scene": "Lay out"})


@pytest.mark.parametrize(
    "value",
    ["x", {"shots": [1]}, {"shots": {"SH010": {"handles": ["a", "b"]}}}, {"shots": {"SH010": {"handles": [-5, 8]}}}],
)
def test_an_odd_property_is_said(
    blender: Blender, script: Script, tmp_path: Path, example: Path, value: object
) -> None:
    """Artists set handles by hand for now."""
    file = tmp_path / "odd.blend"
    script("change", blend=str(example), to=str(file), property=value)
    with pytest.raises(SceneError, match="does not hold handles") as found:
        run_task(blender, "read", {"blend": str(file), "scene": None})
    assert "[8, 8]" in found.value.fix
