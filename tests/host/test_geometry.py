# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn of a scene, judged by Cycles and Embree; what is read of it, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.shot.geometry import FrameGeometry

from .conftest import Script
from .judge import Cycles, Ours, Verdict, judge, load_cycles, load_frame, ours

pytestmark = pytest.mark.host

FIXED = ["instances", "skinned", "curves", "shifted", "ortho", "near"]
SEEDS = [f"seed{number}" for number in range(1, 21)]


def pictures(folder: Path, name: str) -> tuple[FrameGeometry, FrameGeometry, Cycles]:
    """Frame 5 and 6 as we read them, and frame 5 as Cycles drew it."""
    return load_frame(folder / f"{name}.5.npz"), load_frame(folder / f"{name}.6.npz"), load_cycles(folder, name)


def verdicts(script: Script, folder: Path, names: list[str]) -> dict[str, Verdict]:
    script("geometry", folder=str(folder), scenes=names)
    found: dict[str, Verdict] = {}
    for name in names:
        now, then, cycles = pictures(folder, name)
        found[name] = judge(ours(now, then), cycles)
    return found


def accept(found: dict[str, Verdict]) -> None:
    """The figures of the acceptance test, for every scene; differing pixels are added up."""
    assert {name: one.hit for name, one in found.items() if one.hit < 3000} == {}
    assert {name: one for name, one in found.items() if one.cycles_wrong or one.embree_wrong} == {}
    assert sum(one.cycles + one.embree for one in found.values()) <= 5
    assert {name: one.depth for name, one in found.items() if max(one.depth, one.depth_embree) > 1e-4} == {}
    assert {name: one.angle for name, one in found.items() if one.angle > 1} == {}
    assert {name: one.motion for name, one in found.items() if one.motion > 0.01} == {}
    assert {name: one.longest for name, one in found.items() if one.longest < 3} == {}
    assert {one.background for one in found.values()} == {0.0}


def test_cycles_and_embree_see_the_same(script: Script, tmp_path: Path) -> None:
    accept(verdicts(script, tmp_path, [*FIXED, *SEEDS[:3]]))


@pytest.mark.slow
def test_cycles_and_embree_see_the_same_in_random_scenes(script: Script, tmp_path: Path) -> None:
    accept(verdicts(script, tmp_path, SEEDS))


def test_the_judge_rejects_wrong_answers(script: Script, tmp_path: Path) -> None:
    """Each is what a usual mistake would give."""
    script("geometry", folder=str(tmp_path), scenes=["skinned", "instances"])
    now, then, cycles = pictures(tmp_path, "skinned")
    right = ours(now, then)
    accept({"right": judge(right, cycles)})
    moved = replace(now, camera=replace(now.camera, cx=now.camera.cx + 0.05))
    flat = replace(now, meshes=tuple(replace(mesh, normals=None, normal_index=None) for mesh in now.meshes))
    frozen = replace(then, meshes=now.meshes)
    wrong: dict[str, Ours] = {
        "a twentieth of a pixel": ours(moved, then),
        "flat": ours(flat, then),
        "the camera's motion only": ours(now, replace(now, camera=then.camera)),
        "matrices only": ours(now, frozen),
        "backwards": replace(right, flow=-right.flow),
        "y up": replace(right, flow=right.flow * (1, -1)),
    }
    for name, answer in wrong.items():
        with pytest.raises(AssertionError):
            accept({name: judge(answer, cycles)})
    now, then, cycles = pictures(tmp_path, "instances")
    shown = replace(now, instances=tuple(replace(one, holdout=False) for one in now.instances))
    with pytest.raises(AssertionError):
        accept({"no holdouts": judge(ours(shown, then), cycles)})


def test_only_what_renders_counts(script: Script, tmp_path: Path) -> None:
    """Instances by what shows them; hidden ones, bone shapes and instancers that are not rendered are not there."""
    notes = script("geometry", folder=str(tmp_path), scenes=["instances", "skinned", "curves"])
    assert set(map(tuple, notes.values())) == {()}
    frames = {name: load_frame(tmp_path / f"{name}.5.npz") for name in notes}
    keys = [one.key for one in frames["instances"].instances]
    shown = {key.split("|")[0] for key in keys if key.split("|")[1] in {"Ball", "Box"}}
    assert shown == {f"Empty{i}" for i in (0, 1, 2, 3, 4, 6, 8)}
    assert sum(key.startswith("Wheel|Pearl|") for key in keys) == 9
    assert sum(key.startswith("Lawn|Pebble|") for key in keys) == 12
    assert not [key for key in keys if key.startswith(("|Wheel|", "|Unseen|", "|Ball|"))]
    held = {one.key.split("|")[0] or one.key for one in frames["instances"].instances if one.holdout}
    assert held == {"Empty4", "|Held|"}
    assert sorted(one.key for one in frames["skinned"].instances) == ["|Balloon|", "|Ground|", "|Tube|"]
    tube = next(one for one in frames["skinned"].instances if one.key == "|Tube|")
    assert len(frames["skinned"].meshes[tube.mesh].triangles) > 3000
    assert len(frames["curves"].instances) == 15


def test_shading_tags_and_broken_things_are_read(script: Script) -> None:
    found: dict[str, Any] = script("reading")
    assert found["domains"] == {"FACE": [0, 0], "POINT": [8, 8], "CORNER": [24, 24]}
    assert len(set(found["hashes"].values())) == len(found["hashes"]) > 5
    assert found["again"] == found["hashes"]["plain"]
    assert found["notes"] == [
        "The mesh 'Torn' has corners without a place; those faces are left out.",
        "The object 'Nowhere' has no place or size that is a number; it is left out.",
    ]
    tags = found["tags"]
    assert tags["|Chair|"] == ["Chair", ["House", "Room", "Wood"], "chair", "Bob"]
    assert tags["|Table|"] == ["Table", ["House", "Room"], "furniture", ""]
    assert tags["|Ground|"] == ["Ground", [], "", ""]
    assert tags["Stand-in|Guy|0"] == ["Guy", ["Stage", "Actors"], "person", "Anna"]
    assert tags["Double|Guy|0"] == ["Guy", ["Stage", "Actors"], "person", "Extra"]


def test_motion_of_an_orthographic_camera_is_that_of_projected_points(script: Script, tmp_path: Path) -> None:
    """Cycles' Vector takes a moving orthographic camera for a perspective one, so `Camera.project` judges."""
    script("geometry", folder=str(tmp_path), scenes=["ortho"])
    now, then, _ = pictures(tmp_path, "ortho")
    step = np.eye(4)
    step[:3, 3] = 0.11, -0.07, 0.3
    then = replace(now, camera=replace(then.camera, world_to_camera=step @ then.camera.world_to_camera, fx=46.0))
    mine = ours(now, then)
    rows, columns = np.nonzero(np.isfinite(mine.depth))
    u, v, z = columns + 0.5, rows + 0.5, mine.depth[rows, columns]
    camera = now.camera
    place = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, z, np.ones_like(z)])
    world = (np.linalg.inv(camera.world_to_camera) @ place)[:3].T
    there = then.camera.project(world)
    assert np.abs(mine.flow[rows, columns] - (there[:, :2] - np.stack([u, v], 1))).max() < 1e-3
    assert mine.known.all()
