# SPDX-License-Identifier: GPL-3.0-or-later
"""The playblast is readable in any light, and steady over the shot."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.drawing.exposure import Exposure, exposure_for
from second_unit.addon.conditioning.drawing.frame import DrawnFrame, draw
from second_unit.addon.shot.geometry import FrameGeometry

SIZE = (208, 120)


def lit(frame: FrameGeometry) -> DrawnFrame:
    return draw(frame, exposure_for(frame), ("playblast",))


def grey(picture: DrawnFrame, where: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
    inside = picture.instance >= 0 if where is None else where
    return picture.pictures["playblast"][inside].mean(axis=1)


def lights(scenes: Any, kind: str) -> tuple[Any, ...]:
    return {
        "none": (),
        "night": (scenes.lamp("AREA", (-3, -3, 4), (0, 0, 1), 1000.0),),
        "sun": (scenes.lamp("SUN", (-3, -4, 6), (0, 0, 0), 4.0),),
        "candle": (scenes.lamp("POINT", (0.3, -1, 1.5), (0, 0, 0), 0.5),),
        "floodlight": (scenes.lamp("POINT", (0, -4, 5), (0, 0, 0), 1e7),),
        "spot": (scenes.lamp("SPOT", (-2, -4, 4), (0, 0.5, 1), 800.0),),
        "behind": (scenes.lamp("AREA", (0, -40, 1), (0, -80, 1), 500.0),),
        "off": (scenes.lamp("AREA", (-3, -3, 4), (0, 0, 1), 0.0),),
    }[kind]


@pytest.mark.parametrize("kind", ["none", "night", "sun", "candle", "floodlight", "spot", "behind", "off"])
def test_every_light_gives_a_readable_picture(scenes: Any, kind: str) -> None:
    frame = replace(scenes.street(SIZE), lights=lights(scenes, kind))
    picture = lit(frame)
    values = grey(picture)
    assert 50 < np.median(values) < 200
    assert (values > 250).mean() < 0.05
    assert (values < 16).mean() < 0.05
    people = grey(picture, picture.person > 0)
    assert 60 < np.median(people) < 235
    assert people.std() > 8, "figures have form"


def test_the_wall_keeps_its_brightness_when_somebody_walks_in(scenes: Any) -> None:
    empty = scenes.frame(
        scenes.camera(size=SIZE), (scenes.plane(40, 40), scenes.placed()),
        (scenes.box(), scenes.placed((0, 3, 2), (12, 0.2, 4))), lights=lights(scenes, "night"),
    )  # fmt: skip
    exposure = exposure_for(empty)
    before = draw(empty, exposure, ("playblast",))
    after = draw(scenes.with_person(empty, (0.6, -2.6, 0)), exposure, ("playblast",))
    assert (after.person > 0).mean() > 0.03
    far_off = np.zeros(before.instance.shape, bool)
    far_off[:, :80] = True
    far_off &= before.instance >= 0
    np.testing.assert_array_equal(before.pictures["playblast"][far_off], after.pictures["playblast"][far_off])


def test_the_exposure_belongs_to_the_shot_not_to_the_frame(scenes: Any) -> None:
    frame = replace(scenes.street(SIZE), lights=lights(scenes, "night"))
    dimmed = replace(frame, time=Fraction(2), lights=(replace(frame.lights[0], power=frame.lights[0].power / 4),))
    exposure = exposure_for(frame)
    assert grey(draw(dimmed, exposure, ("playblast",))).mean() < grey(draw(frame, exposure, ("playblast",))).mean() - 15
    assert exposure_for(frame, dimmed) == exposure_for(dimmed, frame)


def test_a_lamp_and_the_same_lamp_a_thousand_times_stronger_expose_alike(scenes: Any) -> None:
    frame = replace(scenes.street(SIZE), lights=lights(scenes, "night"))
    stronger = replace(frame, lights=(replace(frame.lights[0], power=1e6),))
    np.testing.assert_allclose(
        lit(frame).pictures["playblast"].astype(int), lit(stronger).pictures["playblast"].astype(int), atol=1
    )


def test_light_comes_from_where_the_lamp_is(scenes: Any) -> None:
    camera = scenes.camera((0, -5, 0.1), (0, 0, 0), SIZE)
    for side in (-1, 1):
        lamp = scenes.lamp("POINT", (side * 4.0, -2, 0), (0, 0, 0), 300.0)
        picture = lit(scenes.frame(camera, (scenes.sphere(), scenes.placed()), lights=(lamp,)))
        left, right = picture.pictures["playblast"][:, :104].mean(), picture.pictures["playblast"][:, 104:].mean()
        assert (right - left) * side > 10


def test_spots_end_at_their_cone_and_area_lamps_shine_forward_only(scenes: Any) -> None:
    wall = scenes.box(), scenes.placed((0, 0, 0), (40, 0.1, 40))
    camera = scenes.camera((0, -10, 0), (0, 0, 0), SIZE)
    spot = scenes.lamp("SPOT", (0, -4, 0), (0, 0, 0), 500.0)
    exposure = Exposure(0.3, 0.0)
    picture = draw(scenes.frame(camera, wall, lights=(spot,)), exposure, ("playblast",)).pictures["playblast"]
    dark = draw(scenes.frame(camera, wall), exposure, ("playblast",)).pictures["playblast"]
    middle, radius = (60, 104), 208 / 9.95 * 4 * np.tan(np.radians(22.5))
    rows, columns = np.indices(picture.shape[:2])
    distance = np.hypot(rows - middle[0], columns - middle[1])
    outside = distance > radius + 2
    np.testing.assert_array_equal(picture[outside], dark[outside])
    assert (picture[distance < radius * 0.5].mean(1) > dark[distance < radius * 0.5].mean(1) + 30).all()
    turned = scenes.lamp("AREA", (0, -4, 0), (0, -9, 0), 500.0)
    np.testing.assert_array_equal(
        draw(scenes.frame(camera, wall, lights=(turned,)), exposure, ("playblast",)).pictures["playblast"], dark
    )


def test_people_are_warmer_than_the_set(scenes: Any) -> None:
    picture = lit(replace(scenes.street(SIZE), lights=()))
    people = picture.pictures["playblast"][picture.person > 0].astype(float).mean(0)
    things = picture.pictures["playblast"][(picture.person == 0) & (picture.instance >= 0)].astype(float).mean(0)
    assert people[0] - people[2] > things[0] - things[2] + 15


def test_the_background_is_dark_and_holdouts_show_it(scenes: Any) -> None:
    camera = scenes.straight((64, 64))
    things = [(scenes.plane(1, 1), scenes.placed((0, 0, 3))), (scenes.plane(3, 3), scenes.placed((0, 0, 6)))]
    frame = scenes.frame(camera, *things, holdouts=(0,))
    picture = lit(frame)
    assert picture.instance[32, 32] == -1
    assert np.isinf(picture.depth[32, 32])
    assert picture.pictures["playblast"][32, 32].max() < 40
    assert picture.instance[32, 19] == 1
    assert picture.stats.nearest == 6.0


def test_an_orthographic_view_is_lit_too(scenes: Any) -> None:
    frame = replace(scenes.street(SIZE), lights=lights(scenes, "night"))
    frame = replace(frame, camera=replace(frame.camera, orthographic=True, fx=28.0, fy=28.0))
    assert 50 < np.median(grey(lit(frame))) < 200
