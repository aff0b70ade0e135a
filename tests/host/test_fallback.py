# SPDX-License-Identifier: GPL-3.0-or-later
"""What a z-buffer cannot draw is drawn by Cycles, which says so; both see the same where both can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.host.blender import Blender, run_task

from .conftest import Script

pytestmark = pytest.mark.host
SIZE = [160, 96]
LAYERS = ["normal", "tag", "playblast", "lineart", "flow"]


def draw(blender: Blender, blend: Path, renderer: str = "auto") -> tuple[dict[str, Any], list[RawFrame]]:
    cache = blend.parent / "cache"
    told = run_task(blender, "condition", {
        "blend": str(blend), "scene": None, "camera": "Camera", "times": ["1", "2", "3"], "after": "4", "meter": 1,
        "size": SIZE, "layers": LAYERS, "renderer": renderer, "cache": str(cache),
    })  # fmt: skip
    return told, [FrameCache(cache).load(key) for key in told["hashes"]]


@pytest.fixture
def build(script: Script, tmp_path: Path) -> Any:
    def made(kind: str) -> tuple[list[str], Path]:
        return script("fallback", kind=kind, blend=str(tmp_path / "scene.blend")), tmp_path / "scene.blend"

    return made


def test_a_cut_out_is_looked_through(build: Any, blender: Blender) -> None:
    reasons, blend = build("cutout")
    assert reasons == ["the material 'Leaf' is see-through"]
    told, (frame, *_) = draw(blender, blend)
    assert told["renderer"] == {"name": "cycles", "reason": reasons[0]}
    assert any("Drawn by Cycles" in note for note in told["notes"])
    near, far = frame.depth < 6, (frame.depth > 6) & np.isfinite(frame.depth)
    assert np.allclose(frame.depth[near], 4, rtol=1e-5)
    assert np.allclose(frame.depth[far], 8, rtol=1e-5)
    whole, _ = np.nonzero(draw(blender, blend, "zbuffer")[1][0].depth < 6)
    assert near.sum() == pytest.approx(len(whole) / 2, rel=0.1)


@pytest.mark.parametrize(("kind", "usual"), [("cutout", "cycles"), ("moving", "zbuffer")])
def test_what_is_said_hangs_on_the_scene_and_not_on_who_asked(
    build: Any, blender: Blender, kind: str, usual: str
) -> None:
    """Packages with the same pictures are one, and keep what was said when it was made."""
    _, blend = build(kind)
    auto, asked = (draw(blender, blend, renderer)[0] for renderer in ("auto", usual))
    assert auto["renderer"]["name"] == usual
    assert (asked["renderer"], asked["notes"]) == (auto["renderer"], auto["notes"])


def test_hair_is_seen(build: Any, blender: Blender) -> None:
    reasons, blend = build("hair")
    assert reasons == ["'Front' has hair"]
    told, (frame, *_) = draw(blender, blend)
    assert told["renderer"]["name"] == "cycles"
    assert frame.depth.min() < 3.9
    numbers, tags = frame.tags()
    assert {tag.object for tag in tags} == {"Wall", "Front"}
    assert tags[int(numbers[np.unravel_index(frame.depth.argmin(), frame.depth.shape)]) - 1].object == "Front"


def test_a_panorama_fills_its_place_and_nothing_else(build: Any, blender: Blender) -> None:
    reasons, blend = build("pano")
    assert "the camera is panoramic" in reasons
    told, (frame, *_) = draw(blender, blend)
    x, y, width, height = told["crop"]
    inside = np.zeros(frame.depth.shape, bool)
    inside[y : y + height, x : x + width] = True
    assert np.isfinite(frame.depth[inside]).any()
    assert not np.isfinite(frame.depth[~inside]).any()
    assert any("panoram" in note for note in told["notes"])


def test_what_is_never_rendered_is_no_reason(build: Any) -> None:
    reasons, _ = build("hidden")
    assert reasons == []


def test_what_nodes_show_is_a_reason(build: Any) -> None:
    reasons, _ = build("scattered")
    assert reasons == ["the material 'Leaf' is see-through"]


def test_the_focus_is_told_in_metres(build: Any, blender: Blender) -> None:
    _, blend = build("centimetres")
    told, (frame, *_) = draw(blender, blend)
    assert told["metres_per_unit"] == pytest.approx(0.01)
    assert frame.camera["lens"]["focus_m"] == pytest.approx(0.04)
    assert frame.camera["lens"]["f_stop"] == pytest.approx(2.0)


@pytest.mark.parametrize("kind", ["moving", "oblong", "flat"])
def test_cycles_and_the_z_buffer_see_the_same(build: Any, blender: Blender, kind: str) -> None:
    """Depth, normals, tags, and the flow of square and camera, on the overscanned canvas too."""
    reasons, blend = build(kind)
    assert reasons == []
    ours, mine = draw(blender, blend)
    theirs, other = draw(blender, blend, "cycles")
    assert (ours["renderer"]["name"], theirs["renderer"]["name"]) == ("zbuffer", "cycles")
    for a, b, after, then in zip(mine, other, ours["following"], theirs["following"], strict=True):
        assert a.camera == b.camera
        same = a.tags()[0] == b.tags()[0]  # on a slanted edge one ray may decide otherwise
        assert (~same).sum() <= 5
        hit = same & np.isfinite(a.depth)
        assert np.array_equal(np.isfinite(b.depth) & same, hit)
        assert np.quantile(np.abs(a.depth[hit] / b.depth[hit] - 1), 0.999) < 1e-4
        assert np.abs(a.normal().astype(float) - b.normal())[same].max() < 2e-3
        assert np.quantile(np.abs(a.flow(after) - b.flow(then))[same], 0.99) < 0.01
        assert np.abs(a.flow(after)).max() > 0.5
