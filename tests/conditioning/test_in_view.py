# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that sees nothing, or nothing but one thing, is told; everything else is not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.conditioning.in_view import InView, find_in_view, notes_in_view
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Tag

SIZE = (64, 48)
NOTHING, SOMETHING = InView(anything=False), InView(anything=True)


def view(frame: FrameGeometry, crop: Crop | None = None) -> InView:
    return draw(frame, Exposure(), (), None, crop).view


def named(frame: FrameGeometry, *names: str) -> FrameGeometry:
    instances = zip(frame.instances, names, strict=True)
    return replace(frame, instances=tuple(replace(one, tag=Tag(name)) for one, name in instances))


def wall(scenes: Any, at: tuple[float, float, float] = (0, 0, 5), size: float = 20) -> Any:
    """A box in front of a camera that looks along z."""
    return scenes.box(), scenes.placed(at, size)


def test_an_empty_scene_shows_nothing(scenes: Any) -> None:
    assert view(scenes.frame(scenes.straight(SIZE))) == NOTHING
    assert view(scenes.frame(scenes.straight(SIZE), wall(scenes, (0, 0, -40)))) == NOTHING


def test_a_holdout_is_nothing_whatever_is_behind_it(scenes: Any) -> None:
    camera = scenes.straight(SIZE)
    assert view(scenes.frame(camera, wall(scenes), wall(scenes, (0, 0, 90), 100), holdouts=(0,))) == NOTHING
    # half a holdout leaves the other half to the wall, which fills no more than that
    half = scenes.frame(camera, wall(scenes, (-13, 0, 14)), wall(scenes, (0, 0, 190), 300), holdouts=(0,))
    assert view(half) == SOMETHING


@pytest.mark.parametrize("eye", [5.0, 11.0, 60.0], ids=["inside", "right in front of it", "farther off"])
def test_what_fills_the_picture_is_named(eye: float, scenes: Any) -> None:
    frame = named(scenes.frame(scenes.straight(SIZE), wall(scenes, (0, 0, eye))), "Head")
    assert view(frame) == (InView(anything=True, filled_by="Head") if eye < 60 else SOMETHING)


def test_things_of_one_object_fill_it_together_and_others_do_not(scenes: Any) -> None:
    sides = [wall(scenes, (x, 0, 14)) for x in (-10, 10)]
    frame = scenes.frame(scenes.straight(SIZE), *sides)
    assert view(named(frame, "Wall", "Wall")).filled_by == "Wall"
    assert view(named(frame, "Left", "Right")) == SOMETHING


def test_a_thousandth_of_something_else_is_not_counted(scenes: Any) -> None:
    """One pixel of 64 x 48 is a third of a thousandth, nine are three of them."""
    for size, filled_by in ((0.012, "Wall"), (0.04, "")):
        speck = (scenes.box(), scenes.placed((0.5 / 64, 0.5 / 64, 1), (size, size, 0.001)))
        frame = named(scenes.frame(scenes.straight(SIZE), wall(scenes, (0, 0, 15)), speck), "Wall", "Speck")
        assert view(frame).filled_by == filled_by


def test_only_the_delivered_picture_counts(scenes: Any) -> None:
    """A box that is all of the middle, and none of the top."""
    frame = named(scenes.frame(scenes.straight(SIZE), wall(scenes, (0, 0, 20), 6)), "Box")
    assert view(frame) == SOMETHING
    assert view(frame, Crop(26, 20, 12, 8)) == InView(anything=True, filled_by="Box")
    assert view(frame, Crop(0, 0, 64, 8)) == NOTHING


def test_a_figure_without_a_body_is_something(scenes: Any) -> None:
    camera = scenes.camera((0, -5, 1.6), size=SIZE)
    frame = scenes.with_person(scenes.frame(camera), (0, 0, 0))
    bare = replace(frame, instances=())
    assert view(bare) == SOMETHING
    assert view(replace(bare, camera=scenes.camera((0, -5, 1.6), (0, -9, 1.6), SIZE))) == NOTHING
    assert view(bare, Crop(0, 0, 6, 6)) == NOTHING


def test_a_view_comes_back_from_json() -> None:
    for one in (NOTHING, SOMETHING, InView(anything=True, filled_by='Kopf "1"')):
        assert InView.from_json(one.to_json()) == one


def frames(*views: InView | None, first: Fraction = Fraction(1)) -> list[tuple[Fraction, InView | None]]:
    return [(first + i, one) for i, one in enumerate(views)]


def test_runs_of_frames_are_told_in_a_sentence_each() -> None:
    head, hat = (InView(anything=True, filled_by=name) for name in ("Head", "Hat"))
    assert notes_in_view(frames(*[SOMETHING] * 3, None)) == ()
    assert notes_in_view(frames(*[NOTHING] * 24, first=Fraction(1001))) == (
        "Nothing is in view in frames 1001 to 1024: look through the shot's camera.",
    )
    assert notes_in_view(frames(SOMETHING, head, hat, hat, SOMETHING, NOTHING)) == (
        "'Head' fills the whole picture in frame 2: the camera is inside it or right in front of it.",
        "'Hat' fills the whole picture in frames 3 to 4: the camera is inside it or right in front of it.",
        "Nothing is in view in frame 6: look through the shot's camera.",
    )


def test_three_sentences_are_enough() -> None:
    flicker = frames(*[NOTHING, SOMETHING] * 5)
    *said, more = notes_in_view(flicker)
    assert [sentence.split(":")[0] for sentence in said] == [f"Nothing is in view in frame {n}" for n in (1, 3, 5)]
    assert more == "And 2 more like these."
    assert len(notes_in_view(flicker[:6])) == 3


def test_times_between_frames_are_told_as_such() -> None:
    (said,) = notes_in_view(frames(NOTHING, NOTHING, first=Fraction(3, 2)))
    assert "frames 1.50 to 2.50" in said


def test_ids_of_a_large_frame_are_read_as_they_are() -> None:
    """Whatever number an instance has."""
    instances = tuple(Instance(f"i{n}", 0, np.eye(4)) for n in range(70_000))
    geometry: Any = type("Geometry", (), {"instances": instances})
    assert find_in_view(geometry, np.full((4, 4), 69_999, np.int32), []).filled_by == "i69999"
