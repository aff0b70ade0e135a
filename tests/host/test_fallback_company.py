# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cycles draws belongs to somebody: hair to its person, every instance to itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.cache import FrameCache, RawFrame
from second_unit.addon.conditioning.people.pose import Visibility
from second_unit.addon.host.blender import Blender, run_task

from .conftest import Script

pytestmark = pytest.mark.host
SIZE = [160, 96]


@pytest.fixture
def draw(script: Script, blender: Blender, tmp_path: Path) -> Any:
    def drawn(kind: str) -> tuple[dict[str, Any], FrameCache, RawFrame]:
        blend, cache = tmp_path / "scene.blend", tmp_path / "cache"
        script("company", kind=kind, blend=str(blend))
        done = run_task(blender, "condition", {
            "blend": str(blend), "scene": None, "camera": "Camera", "times": ["1"], "meter": 1,
            "size": SIZE, "layers": ["tag"], "renderer": "auto", "cache": str(cache),
        })  # fmt: skip
        assert done["renderer"]["name"] == "cycles"
        return done, FrameCache(cache), FrameCache(cache).load(done["hashes"][0])

    return drawn


def where(frame: RawFrame, **wanted: object) -> npt.NDArray[np.bool_]:
    """The pixels of everything whose tag says all this."""
    numbers, tags = frame.tags()
    those = [i for i, tag in enumerate(tags, start=1) if all(getattr(tag, k) == v for k, v in wanted.items())]
    return np.isin(numbers, those)


def test_hair_is_its_persons_in_every_matte(draw: Any) -> None:
    _, _, frame = draw("by parent")
    hair = where(frame, object="Hair")
    assert hair.sum() > 100
    assert np.array_equal(hair, where(frame, object="Hair", collections=("HERO",), label="person", cast="mara"))
    assert (frame.person[hair] == 1).all()
    grass = where(frame, object="Grass")
    assert grass.sum() > 100
    assert (frame.person[grass] == 0).all()
    assert np.array_equal(frame.person == 1, hair | where(frame, object="Body"))


def test_another_class_is_another_frame(draw: Any) -> None:
    """Frames are named by what was seen, and by what it is called."""
    assert where(draw("by parent")[2], object="Hair", label="person").any()
    assert where(draw("renamed")[2], object="Hair", label="plant").any()


def test_hair_is_of_whom_it_grows_on_but_a_prop_is_not(draw: Any) -> None:
    _, _, frame = draw("by surface")
    assert where(frame, object="Hair").sum() > 100
    assert (frame.person[where(frame, object="Hair")] == 1).all()
    assert where(frame, object="Prop").sum() > 100
    assert (frame.person[where(frame, object="Prop")] == 0).all()


def test_fur_counts_where_the_body_under_it_is_not_shown(draw: Any) -> None:
    _, _, frame = draw("particles")
    fur = where(frame, object="Body", cast="mara")
    assert fur.sum() > 100
    assert (frame.person[fur] == 1).all()


def test_instanced_hair_is_of_the_person_beside_it(draw: Any) -> None:
    done, _, frame = draw("crowd")
    hair = where(frame, object="Hair")
    left = np.zeros(hair.shape, bool)
    left[:, : hair.shape[1] // 2] = True
    assert len(done["people"]) == 2
    first, second = ((done["people"][i]) for i in (0, 1))
    assert ("Left" in first, "Right" in second) == (True, True)
    for side, person in ((left, 1), (~left, 2)):
        assert (hair & side).sum() > 50
        assert (frame.person[hair & side] == person).all()
        assert (frame.person[where(frame, object="Body") & side] == person).all()


@pytest.mark.parametrize("kind", ["cards", "panorama"])
def test_every_instance_is_told_from_the_others(draw: Any, kind: str) -> None:
    """Through the missing half of the first card the others are seen, which are the same object."""
    _, _, frame = draw(kind)
    card = where(frame, object="Card")
    for number, depth in enumerate((6, 7, 8)):
        mine = where(frame, cast=f"cast {number}")
        assert mine.sum() > 5
        if kind == "cards":
            assert np.array_equal(mine, card & (np.abs(frame.depth - depth) < 0.01))
        else:
            assert (frame.depth[mine] > depth - 0.01).all()
            assert (frame.depth[mine] < depth + 0.3).all()


def test_what_holds_out_hides_joints_and_shows_nothing(draw: Any) -> None:
    done, cache, frame = draw("held out")
    hole = ~np.isfinite(frame.depth)
    assert hole.sum() > 500
    assert not frame.tags()[0][hole].any()
    [person] = cache.people(done["hashes"][0])
    inside = [
        person.visibility[i] for i, (x, y) in enumerate(person.points)
        if 0 <= x < hole.shape[1] and 0 <= y < hole.shape[0] and hole[int(y), int(x)]
    ]  # fmt: skip
    assert len(inside) >= 2
    assert set(inside) == {Visibility.OCCLUDED}


def test_more_objects_than_numbers(script: Script, tmp_path: Path) -> None:
    told = script("company", kind="numbered", blend=str(tmp_path / "scene.blend"))
    assert len(told["numbered"]) == 3
    assert "Aaa" not in told["numbered"]
    assert sorted(told["of"].values()) == [0, 0, 1, 2, 3]
