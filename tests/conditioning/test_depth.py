# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth of a shot: steady, inverse, near white, and merged in any order."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.drawing.raster import rasterize
from second_unit.addon.conditioning.drawing.soup import triangle_soup
from second_unit.addon.conditioning.pictures.depth import (
    DepthRange,
    DepthStats,
    Encoding,
    disparity,
    encoded,
    linear,
    range_for,
    shot_range,
    to_grey8,
    to_grey16,
    zoe_range,
)  # fmt: skip
from second_unit.addon.errors import DocumentError, UsageError

SKY = np.float32(np.inf)


def stats(*values: float) -> DepthStats:
    return DepthStats.of(np.array(values, np.float32))


depths = st.lists(
    st.one_of(st.just(float("inf")), st.floats(2.0**-10, 2.0**20, width=32)), min_size=0, max_size=30
)  # fmt: skip


@given(st.lists(depths, min_size=1, max_size=6), st.randoms())
def test_chunks_in_any_order_and_grouping_give_the_same_range(frames: list[list[float]], random: Any) -> None:
    whole = stats(*(value for frame in frames for value in frame))
    shuffled = random.sample(frames, len(frames))
    cut = random.randint(0, len(shuffled))
    halves = [sum((stats(*frame) for frame in part), DepthStats()) for part in (shuffled[:cut], shuffled[cut:])]
    merged = halves[1] + halves[0]
    assert merged == whole
    assert shot_range(merged) == shot_range(whole)


@given(depths)
def test_statistics_survive_their_file(values: list[float]) -> None:
    before = stats(*values)
    assert DepthStats.from_json(json.loads(json.dumps(before.to_json()))) == before


@pytest.mark.parametrize("document", [None, [], {}, {"bins": [1], "counts": ["x"]}, {"bins": [10**9], "counts": [1]}])
def test_a_damaged_file_is_told_apart(document: object) -> None:
    with pytest.raises(DocumentError):
        DepthStats.from_json(document)


@given(st.lists(st.floats(2.0**-10, 2.0**20, width=32), min_size=1, max_size=400))
def test_at_most_half_a_percent_is_nearer_than_near(values: list[float]) -> None:
    range_ = shot_range(stats(*values))
    nearer = float((np.array(values, np.float32) < np.float32(range_.near)).mean())
    assert nearer <= 0.005
    assert range_.clipped == pytest.approx(nearer, abs=1e-9)
    assert range_.near < range_.far
    assert range_.far >= max(values)


def test_a_fly_before_the_lens_does_not_take_the_contrast() -> None:
    fly = np.concatenate([np.full(40, 0.05), np.linspace(3, 30, 9960)]).astype(np.float32)
    range_ = shot_range(DepthStats.of(fly))
    assert range_.near == pytest.approx(3, rel=0.02)
    assert 0.004 <= range_.clipped <= 0.005


def test_a_static_wall_keeps_its_grey_while_somebody_walks_up(scenes: Any) -> None:
    camera = scenes.straight()
    pictures = []
    for step in range(6):
        wall = scenes.plane(100, 100), scenes.placed((0, 0, 9))
        walker = scenes.box(), scenes.placed((0, 0, 7.5 - step), (0.6, 1.8, 0.4))
        frame = scenes.frame(camera, wall, walker)
        pictures.append(rasterize(triangle_soup(frame), camera).depth)
    whole = shot_range(sum((DepthStats.of(picture) for picture in pictures), DepthStats()))
    greys = {int(to_grey8(disparity(picture, whole))[2, 2]) for picture in pictures}
    assert len(greys) == 1
    alone = [to_grey8(disparity(p, shot_range(DepthStats.of(p))))[48, 80] for p in pictures]
    steady = [to_grey8(disparity(p, whole))[48, 80] for p in pictures]
    assert all(later > earlier for earlier, later in pairwise(steady))
    assert len(set(alone)) == 1, "a range per frame would show every walker white: the shot's range does not"


def test_near_is_white_far_is_black_and_sky_exactly_zero() -> None:
    picture = disparity(np.array([[0.5, 2.0, 8.0, SKY]], np.float32), DepthRange(2.0, 8.0))
    assert picture.tolist() == [[1.0, 1.0, 0.0, 0.0]]
    assert to_grey8(picture).tolist() == [[255, 255, 0, 0]]


def test_disparity_is_inverse_and_not_linear_inverted_or_curved() -> None:
    range_ = DepthRange(2.0, 20.0)
    z = np.array([2.0, 3.0, 5.0, 9.0, 20.0], np.float32)
    ours = disparity(z, range_)
    expected = (1 / z - 1 / 20) / (1 / 2 - 1 / 20)

    def accepted(values: npt.NDArray[Any]) -> bool:
        return bool(np.allclose(values, expected, atol=1e-6))

    assert accepted(ours)
    linear = 1 - (z - 2) / 18
    wrong = {"linear": linear, "inverted": 1 - ours, "gamma": ours ** (1 / 2.2), "far white": (z - 2) / 18}
    assert not [name for name, values in wrong.items() if accepted(values)]


def test_a_flat_shot_is_white_and_an_empty_one_black() -> None:
    flat = np.full((4, 4), 7, np.float32)
    assert (disparity(flat, shot_range(DepthStats.of(flat))) == 1).all()
    empty = np.full((4, 4), SKY)
    range_ = shot_range(DepthStats.of(empty))
    assert 0 < range_.near < range_.far
    assert (disparity(empty, range_) == 0).all()


def zoe_of_the_annotator(z: npt.NDArray[Any], pool: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """ZoeDepth's picture as controlnet_aux makes it, with the percentiles of ``pool``."""
    p2, p85 = np.percentile(pool, 2), np.percentile(pool, 85)
    return np.clip(1 - (z - p2) / (p85 - p2), 0, 1)


@given(st.integers(0, 1000), st.floats(0.5, 50))
def test_zoe_is_the_annotators_picture_with_percentiles_of_the_whole_shot(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    frames = [(scale * rng.gamma(2, 2, 2000) + 0.1).astype(np.float32) for _ in range(3)]
    frames[1] *= 3
    range_ = zoe_range(sum((DepthStats.of(f) for f in frames), DepthStats()))
    whole = [zoe_of_the_annotator(f, np.concatenate(frames)) for f in frames]
    for frame, expected in zip(frames, whole, strict=True):
        np.testing.assert_allclose(encoded(frame, range_, Encoding.ZOE), expected, atol=0.02)
    alone = zoe_of_the_annotator(frames[1], frames[1])
    assert np.abs(alone - whole[1]).max() > 0.1, "percentiles of each frame would be told apart"
    assert range_.clipped == pytest.approx(0.02, abs=0.005)


def test_linear_is_in_metres_and_not_inverse_inverted_or_curved() -> None:
    range_ = DepthRange(2.0, 20.0)
    z = np.array([2.0, 3.0, 5.0, 9.0, 20.0], np.float32)
    expected = np.array([18, 17, 15, 11, 0]) / 18

    def accepted(values: npt.NDArray[Any]) -> bool:
        return bool(np.allclose(values, expected, atol=1e-6))

    ours = encoded(z, range_, Encoding.LINEAR)
    assert accepted(ours)
    wrong = {"inverse": disparity(z, range_), "inverted": 1 - ours, "gamma": ours ** (1 / 2.2), "gamma back": ours**2.2}
    assert not [name for name, values in wrong.items() if accepted(values)]


@pytest.mark.parametrize("encoding", Encoding)
@given(depths)
def test_every_encoding_is_within_0_and_1_and_the_sky_exactly_0(encoding: Encoding, values: list[float]) -> None:
    z = np.array([*values, np.inf], np.float32)
    picture = encoded(z, range_for(DepthStats.of(z), encoding), encoding)
    assert ((picture >= 0) & (picture <= 1)).all()
    assert (picture[np.isinf(z)] == 0).all()
    assert (to_grey8(picture)[np.isinf(z)] == 0).all()
    assert (to_grey16(picture)[np.isinf(z)] == 0).all()
    order = np.argsort(z)
    assert (np.diff(picture[order]) <= 0).all(), "nearer is never darker"


def test_greys_are_rounded_to_the_nearest_without_gamma() -> None:
    values = np.linspace(0, 1, 1001).astype(np.float32)
    np.testing.assert_allclose(to_grey8(values), values * 255, atol=0.5 + 1e-4)
    np.testing.assert_allclose(to_grey16(values), values * 65535, atol=0.5 + 1e-2)
    assert [to_grey8(values)[-1], to_grey16(values)[-1]] == [255, 65535]


@pytest.mark.parametrize("encoding", Encoding)
def test_near_and_far_by_hand_go_before_another_shots_range_and_clipping_is_counted_here(encoding: Encoding) -> None:
    seen = stats(*np.linspace(1, 11, 10001))
    other = DepthRange(2.0, 30.0, 0.3)
    by_hand = range_for(seen, encoding, (6.0, 9.0), other)
    assert (by_hand.near, by_hand.far) == (6.0, 9.0)
    assert by_hand.clipped == pytest.approx(0.5, abs=0.005)
    locked = range_for(seen, encoding, locked=other)
    assert (locked.near, locked.far) == (2.0, 30.0)
    assert locked.clipped == pytest.approx(0.1, abs=0.005)
    free = range_for(seen, encoding)
    assert free == (zoe_range(seen) if encoding is Encoding.ZOE else shot_range(seen))


@pytest.mark.parametrize(
    ("near", "far"),
    [
        (0, 5),
        (-1, 5),
        (5, 5),
        (6, 5),
        (float("nan"), 5),
        (1, float("nan")),
        (1, float("inf")),
        (5, 5 + 1e-9),
        (1, 1e39),
    ],
)
def test_what_is_no_range_is_refused(near: float, far: float) -> None:
    with pytest.raises(UsageError, match="is not possible"):
        range_for(stats(1, 2), Encoding.DISPARITY, (near, far))


@given(st.floats(1e-3, 1e5), st.floats(1.001, 1e4))
def test_a_range_by_hand_ends_exactly_at_white_and_black(near: float, factor: float) -> None:
    range_ = range_for(DepthStats(), Encoding.LINEAR, (near, near * factor))
    z = np.array([near / 2, near, near * factor, near * factor * 2], np.float32)
    for values in (linear(z, range_), disparity(z, range_)):
        np.testing.assert_allclose(values, [1, 1, 0, 0], atol=2e-4)
