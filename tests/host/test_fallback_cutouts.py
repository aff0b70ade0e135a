# SPDX-License-Identifier: GPL-3.0-or-later
"""Half a surface is none, or a whole one: what Cycles draws is decided by the material and never by chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.host.blender import Blender, run_task

from .conftest import Script

pytestmark = pytest.mark.host
SIZE = [160, 96]
MIDDLE = 0.513
"""The gradient of the scene in the middle of its square, see `scripts/cutouts.py`."""


@pytest.fixture
def draw(script: Script, blender: Blender, tmp_path: Path) -> Any:
    def drawn(kind: str, **options: object) -> tuple[dict[str, Any], list[RawFrame], dict[str, Any]]:
        blend, cache = tmp_path / "scene.blend", tmp_path / "cache"
        told = script("cutouts", kind=kind, blend=str(blend), **options)
        done = run_task(blender, "condition", {
            "blend": str(blend), "scene": None, "camera": "Camera", "times": ["1", "2", "3", "4"], "meter": 1,
            "size": SIZE, "layers": ["tag"], "renderer": "auto", "cache": str(cache),
        })  # fmt: skip
        return done, [FrameCache(cache).load(key) for key in done["hashes"]], told

    return drawn


def across(frame: RawFrame) -> npt.NDArray[np.float64]:
    """Where on the square a ray through the middle of each column arrives: -1 to 1 from its left to its right."""
    camera = frame.camera
    return (np.arange(frame.depth.shape[1]) + 0.5 - float(camera["cx"])) / float(camera["fx"]) * 4


def is_solid(frame: RawFrame) -> npt.NDArray[np.bool_]:
    """Where the square is; where it is not, the wall has to be."""
    solid = frame.depth < 6
    assert np.allclose(frame.depth[solid], 4, rtol=1e-5)
    assert np.allclose(frame.depth[~solid], 8, rtol=1e-5)
    return solid


GRADIENTS = {
    "alpha": lambda share: share >= 0.5,
    "mixed": lambda share: share >= 0.5,
    "mixed twice": lambda share: 0.8 * share >= 0.5,
    "added": lambda share: share <= 0.5,
    "grouped": lambda share: 0.9 * share >= 0.5,
    "muted": lambda share: share >= 0.5,
}


@pytest.mark.parametrize("kind", GRADIENTS)
def test_a_gradient_is_cut_where_it_passes_one_half(draw: Any, kind: str) -> None:
    told, frames, _ = draw(kind)
    assert told["renderer"]["name"] == "cycles"
    assert len(set(told["hashes"])) == 1
    check_gradient(frames[0], kind)


def check_gradient(frame: RawFrame, kind: str) -> None:
    """Exactly what the middle of each pixel says is there."""
    x = across(frame)
    expected = (np.abs(x) <= 1) & GRADIENTS[kind](np.clip(MIDDLE + x / 2, 0, 1))
    solid = is_solid(frame)
    rows = solid.any(axis=1)
    assert 30 < rows.sum() < 90
    assert np.array_equal(solid[rows], np.broadcast_to(expected, solid[rows].shape))


@pytest.mark.parametrize(("kind", "there"), [("0.6", True), ("0.4", False)])
def test_an_even_alpha_is_all_there_or_not_at_all(draw: Any, kind: str, there: bool) -> None:
    told, frames, _ = draw(kind)
    assert len(set(told["hashes"])) == 1
    solid, x = is_solid(frames[0]), across(frames[0])
    assert solid.any() == there
    if there:
        rows = solid.any(axis=1)
        assert np.array_equal(solid[rows], np.broadcast_to(np.abs(x) <= 1, solid[rows].shape))


@pytest.mark.parametrize("kind", ["fading", "fading strip", "fading group", "driven"])
def test_what_fades_is_there_until_it_is_half_gone(draw: Any, kind: str) -> None:
    """All of it is there at the frame the file was saved at: Cycles is needed all the same."""
    done, frames, told = draw(kind)
    assert told["reasons"] == ["the material 'Leaf' is see-through"]
    assert [bool(is_solid(frame).any()) for frame in frames] == [True, True, False, False]
    assert len(set(done["hashes"])) == 2


def test_a_strip_that_leaves_the_alpha_alone_takes_nothing_away(draw: Any) -> None:
    done, frames, told = draw("polished")
    assert told["reasons"] == []
    assert done["renderer"]["name"] == "zbuffer"
    assert is_solid(frames[0]).any()


@pytest.mark.parametrize("kind", ["alpha", "grouped"])
def test_a_linked_material_is_cut_as_well(draw: Any, kind: str) -> None:
    _, frames, _ = draw(kind, linked=True)
    check_gradient(frames[0], kind)


def test_a_linked_material_fades_as_well(draw: Any) -> None:
    _, frames, _ = draw("fading", linked=True)
    assert [bool(is_solid(frame).any()) for frame in frames] == [True, True, False, False]


@pytest.mark.parametrize(("kind", "there"), [("switched", [True, True, False, False]), ("rendered", [False] * 4)])
def test_what_geometry_nodes_show_later_or_in_renders_alone_is_cut(
    draw: Any, kind: str, there: list[bool]
) -> None:  # fmt: skip
    done, frames, told = draw(kind)
    assert told["reasons"] == ["the material 'Cut' is see-through"]
    assert done["renderer"]["name"] == "cycles"
    assert [bool(is_solid(frame).any()) for frame in frames] == there


def test_what_is_in_a_background_set_is_cut(draw: Any) -> None:
    done, frames, told = draw("fading", behind=True)
    assert told["reasons"] == ["the material 'Leaf' is see-through"]
    assert done["renderer"]["name"] == "cycles"
    assert [bool(is_solid(frame).any()) for frame in frames] == [True, True, False, False]


def test_what_geometry_nodes_may_show_counts_and_nothing_else(script: Script) -> None:
    found: dict[str, list[str]] = script("grown")
    cut = {name for name, reasons in found.items() if reasons == ["the material 'Cut' is see-through"]}
    assert cut == {
        "set", "in a group", "given to a group", "object", "object within", "collection", "empty", "of the modifier",
        "object of the modifier", "collection of the modifier", "material node", "new", "late",
        "passed by a muted link",
    }  # fmt: skip
    assert {name for name, reasons in found.items() if not reasons} == {
        "opaque", "old", "compared", "place of an object", "muted", "muted group", "replaced by a link", "switched off",
        "stale", "no tree",
    }  # fmt: skip
    assert len(found) == 24


def test_fog_is_left_out_and_leaves_no_noise(draw: Any) -> None:
    done, frames, told = draw("smoke")
    assert told["reasons"] == ["the material 'Leaf' is a volume, which is left out"]
    assert not is_solid(frames[0]).any()
    assert len(set(done["hashes"])) == 1


def test_glass_is_solid_and_a_sentence_says_so(script: Script, tmp_path: Path) -> None:
    def said(kind: str) -> Any:
        return script("cutouts", kind=kind, blend=str(tmp_path / "scene.blend"))["glass"]

    rest = "is drawn as a solid surface; hide it from the camera if the model should see through."
    assert said("0.6") == []
    assert said("window") == [f"The glass of 'Front' {rest}"]
    assert said("windows") == [f"The glass of 'Bottle', 'Front', 'Lens' and 1 more {rest}"]
