# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes no artist meant: a sentence that names the thing, or a package without it; never an opaque end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.conditioning.in_view import InView
from second_unit.addon.errors import HostError, SceneError
from second_unit.addon.host.blender import Blender, run_task

from .conftest import Script

pytestmark = pytest.mark.host
NO_PICTURE = (
    "location nan", "location inf", "rotation nan", "scale nan", "scale zero", "scale flat", "parent scale zero",
    "ortho zero", "shift nan",
)  # fmt: skip
DRAWN = ("camera small", "clip endless", "lamp nan")
LAYERS = ["flow", "lineart", "normal", "playblast", "softedge", "tag"]
# the pyramid as it is, what nobody sees beside it
AS_EVER = ("meshes flat", "three bones", "object nan")


def condition(blender: Blender, blend: Path, times: Sequence[str] = ("1", "2"), **more: Any) -> dict[str, Any]:
    return run_task(blender, "condition", {
        "blend": str(blend), "scene": None, "camera": "A", "times": list(times), "meter": int(times[0]),
        "size": [64, 32], "cache": str(blend.parent / "cache"), **more,
    })  # fmt: skip


def drawn(blender: Blender, blend: Path, **more: Any) -> tuple[dict[str, Any], list[RawFrame]]:
    told = condition(blender, blend, layers=LAYERS, **more)
    return told, [FrameCache(blend.parent / "cache").load(key) for key in told["hashes"]]


def views(blend: Path, told: dict[str, Any]) -> list[InView | None]:
    return [FrameCache(blend.parent / "cache").in_view(key) for key in told["hashes"]]


def columns(frame: RawFrame) -> list[int]:
    """The first and the last one in which there is something."""
    seen = np.flatnonzero(np.isfinite(frame.depth).any(axis=0))
    return [int(seen[0]), int(seen[-1])] if len(seen) else []


@pytest.fixture
def odd(script: Script, tmp_path: Path) -> Path:
    """The folder of all of them."""
    script("odd", folder=str(tmp_path))
    return tmp_path


def test_a_camera_without_a_picture_is_named_and_the_rest_is_drawn(blender: Blender, odd: Path) -> None:
    """One child per scene, as the product does it."""
    said = dict.fromkeys(NO_PICTURE, "nothing")
    for name in NO_PICTURE:
        try:
            condition(blender, odd / f"{name}.blend")
        except SceneError as error:
            said[name] = str(error)
    assert {n: s for n, s in said.items() if "The camera 'A' cannot take a picture at frame 1: " not in s} == {}
    assert {n: s for n, s in said.items() if "Correct its transform" not in s} == {}
    for name in DRAWN:
        assert len(condition(blender, odd / f"{name}.blend")["hashes"]) == 2, name


def test_odd_things_change_nothing_of_the_picture(blender: Blender, odd: Path) -> None:
    """A pyramid 2 wide, 7 to 9 units away; what is nowhere is said, what has no size needs no word."""
    plain, (frame, _) = drawn(blender, odd / "camera small.blend", after="3")
    assert columns(frame) == [21, 42]
    for name in AS_EVER:
        told, frames = drawn(blender, odd / f"{name}.blend", after="3")
        assert told["people"] == []
        assert np.array_equal(frames[0].depth, frame.depth), name
        assert np.array_equal(frames[0].normal(), frame.normal()), name
        assert {tag.object for tag in frames[0].tags()[1]} == {"Pyramid"}
        assert [note.split(" ")[2] for note in told["notes"]] == (
            ["'Nowhere'", "'Endless'"] if name == "object nan" else []
        )
    assert plain["notes"] == []


def test_an_empty_picture_is_empty(blender: Blender, odd: Path) -> None:
    """No object at all, and a mesh that loses every face; the latter is said."""
    for name in ("nothing there", "mesh nan"):
        told, frames = drawn(blender, odd / f"{name}.blend", after="3")
        for frame, following in zip(frames, told["following"], strict=True):
            assert np.isposinf(frame.depth).all()
            assert frame.tags()[1] == []
            assert not frame.normal().any()
            assert not frame.flow(following).any()
        assert views(odd / f"{name}.blend", told) == [InView(anything=False)] * 2
        assert bool(told["notes"]) == (name == "mesh nan")


def test_cycles_sees_nothing_where_nothing_is(blender: Blender, odd: Path) -> None:
    blend = odd / "nothing there.blend"
    told = condition(blender, blend, renderer="cycles")
    assert views(blend, told) == [InView(anything=False)] * 2


@pytest.mark.parametrize("name", ["inside", "in a head", "mirrored", "frame endless"])
def test_cycles_sees_odd_places_alike(name: str, blender: Blender, odd: Path) -> None:
    """A room and a head from within, a mirrored camera, a delivery frame of 40,000 pixels."""
    blend = odd / f"{name}.blend"
    told, (ours, _) = drawn(blender, blend, after="3")
    told_by_cycles, (theirs, _) = drawn(blender, blend, after="3", renderer="cycles")
    assert np.array_equal(np.isfinite(ours.depth), np.isfinite(theirs.depth))
    hit = np.isfinite(ours.depth)
    assert np.abs(ours.depth[hit] / theirs.depth[hit] - 1).max() < 1e-4
    assert np.abs(ours.normal().astype(float) - theirs.normal())[hit].max() < 1e-3
    # a camera looks along +y: x grows to the right, unless it is mirrored
    assert columns(ours) == {"mirrored": [41, 63], "frame endless": [19, 44]}.get(name, [0, 63])
    seen = InView(anything=True, filled_by="Head" if name == "in a head" else "")
    assert views(blend, told) == views(blend, told_by_cycles) == [seen, seen]
    assert told["crop"] == ([0, 0, 64, 32] if name == "frame endless" else [4, 0, 56, 32])


def test_frames_below_zero_are_frames(blender: Blender, odd: Path) -> None:
    """The pyramid moves 0.25 units a frame: 2.65 px on average at its distance, from the left to the right."""
    told, frames = drawn(blender, odd / "before zero.blend", times=("-3", "-2", "-1", "0", "1"), after="2")
    middles = [sum(columns(frame)) / 2 for frame in frames]
    assert np.allclose(np.diff(middles), 2.65, atol=1)
    for frame, following in zip(frames, told["following"], strict=True):
        assert frame.flow(following)[np.isfinite(frame.depth)][:, 0].mean() == pytest.approx(2.65, abs=0.1)


def test_one_frame_is_a_shot(blender: Blender, odd: Path) -> None:
    told, frames = drawn(blender, odd / "before zero.blend", times=("0",), after="1")
    assert len(told["hashes"]) == len(told["following"]) == len(frames) == 1


def test_what_nobody_foresaw_is_named_and_its_report_is_kept(blender: Blender, tmp_path: Path) -> None:
    """A task whose arguments are no arguments stands for any mistake of ours."""
    with pytest.raises(HostError, match=r"Blender could not finish this: KeyError: 'no such task'\.") as found:
        run_task(blender, "no such task", {"blend": str(tmp_path)})
    kept = re.search(r"'([^']+\.txt)'", found.value.fix)
    assert kept is not None
    report = Path(kept[1])
    assert "Traceback" in report.read_text("utf-8")
    report.unlink()
