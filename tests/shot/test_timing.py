# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame map: every chunk is one the model takes, every frame of the cut comes back exactly once."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import SceneError
from second_unit.addon.shot.documents import Fields
from second_unit.addon.shot.timing import (
    FIRST_PLATE,
    FrameMap,
    FrameRange,
    FrameRule,
    MappedFrame,
    Role,
    as_is,
    resample,
)

VACE = FrameRule(4, 1, 81, 8)
FILM = Fraction(24000, 1001)


@st.composite
def rules(draw: st.DrawFn) -> FrameRule:
    """Rules whose longest chunk obeys the rule itself and is longer than the overlap."""
    step, offset = draw(st.integers(1, 17)), draw(st.integers(0, 9))
    longest = step * draw(st.integers(1, 40)) + offset
    return FrameRule(step, offset, longest, draw(st.integers(0, min(24, longest - 1))))


@st.composite
def cuts(draw: st.DrawFn) -> FrameRange:
    first = draw(st.integers(-500, 2000))
    return FrameRange(first, first + draw(st.integers(0, 399)))


HANDLES = st.tuples(st.integers(0, 24), st.integers(0, 24))
RATES = st.sampled_from(
    [Fraction(24), FILM, Fraction(25), Fraction(30000, 1001), Fraction(16), Fraction(12), Fraction(60)]
)


def own(chunk: tuple[MappedFrame, ...]) -> list[MappedFrame]:
    """A chunk without what only fills it up."""
    return [f for f in chunk if f.role is not Role.PAD]


def assert_chunks_are_sound(frame_map: FrameMap, rule: FrameRule) -> None:
    for number, chunk in enumerate(frame_map.chunks):
        assert (len(chunk) - rule.offset) % rule.step == 0
        assert 0 < len(chunk) <= rule.longest
        assert {f.chunk for f in chunk} == {number}
        roles = [f.role for f in chunk]
        overlap = rule.overlap if number else 0
        assert roles[:overlap] == [Role.OVERLAP] * overlap
        assert Role.OVERLAP not in roles[overlap:]
        pads = roles.count(Role.PAD)
        assert pads < rule.step or len(chunk) <= rule.offset
        assert roles[len(roles) - pads :] == [Role.PAD] * pads
        assert {f.scene for f in chunk[len(chunk) - pads :]} <= {own(chunk)[-1].scene}
    for before, after in pairwise(frame_map.chunks):
        shared = [f.scene for f in after if f.role is Role.OVERLAP]
        assert shared == [f.scene for f in own(before)][len(own(before)) - rule.overlap :]


def assert_plates_are_sound(frame_map: FrameMap) -> None:
    plates = frame_map.plates
    assert [f.plate for f in plates] == list(range(FIRST_PLATE, FIRST_PLATE + len(plates)))
    assert all(a.scene < b.scene for a, b in pairwise(plates))
    assert {f.role for f in plates} <= {Role.CUT, Role.HANDLE}
    assert all(f.role in {Role.PAD, Role.OVERLAP} for f in frame_map.frames if f.plate is None)
    assert frame_map.times == tuple(f.scene for f in plates)


@given(cuts(), HANDLES, rules())
def test_as_is_sends_chunks_the_model_takes(cut: FrameRange, handles: tuple[int, int], rule: FrameRule) -> None:
    assert_chunks_are_sound(as_is(cut, handles, rule), rule)


@given(cuts(), HANDLES, rules())
def test_as_is_returns_every_scene_frame_as_itself_and_once(
    cut: FrameRange, handles: tuple[int, int], rule: FrameRule
) -> None:
    frame_map = as_is(cut, handles, rule)
    assert_plates_are_sound(frame_map)
    wide = range(cut.first - handles[0], cut.last + handles[1] + 1)
    assert [f.scene for f in frame_map.plates] == list(wide)
    assert [f.scene for f in frame_map.plates if f.role is Role.CUT] == list(range(cut.first, cut.last + 1))
    assert not frame_map.resampled
    assert frame_map.interpolated(cut) == ()


@given(cuts(), HANDLES, rules())
def test_no_more_chunks_are_sent_than_needed(cut: FrameRange, handles: tuple[int, int], rule: FrameRule) -> None:
    """n chunks that share ``overlap`` hold ``overlap + n · (longest − overlap)`` frames at most."""
    chunks = len(as_is(cut, handles, rule).chunks)
    frames = len(cut) + sum(handles)
    assert chunks == 1 or frames > rule.overlap + (chunks - 1) * (rule.longest - rule.overlap)


@given(cuts(), HANDLES, rules(), st.none() | RATES)
def test_a_frame_map_survives_json(
    cut: FrameRange, handles: tuple[int, int], rule: FrameRule, model_fps: Fraction | None
) -> None:
    made = as_is(cut, handles, rule) if model_fps is None else resample(cut, handles, rule, FILM, model_fps)
    assert FrameMap.from_json(Fields(json.loads(json.dumps(made.to_json())), "manifest.json")) == made


@given(cuts(), HANDLES, rules(), RATES, RATES)
def test_resampling_is_exact_and_covers_the_shot(
    cut: FrameRange, handles: tuple[int, int], rule: FrameRule, scene_fps: Fraction, model_fps: Fraction
) -> None:
    frame_map = resample(cut, handles, rule, scene_fps, model_fps)
    assert_chunks_are_sound(frame_map, rule)
    assert_plates_are_sound(frame_map)
    step, first = scene_fps / model_fps, cut.first - handles[0]
    assert [f.scene for f in frame_map.plates] == [first + k * step for k in range(len(frame_map.plates))]
    assert frame_map.plates[-1].scene >= cut.last + handles[1] > frame_map.plates[-1].scene - step
    assert all((f.scene in cut) is (f.role is Role.CUT) for f in frame_map.plates)
    assert frame_map.resampled


@given(cuts(), HANDLES, rules(), RATES, RATES)
def test_interpolated_frames_are_those_no_model_frame_shows(
    cut: FrameRange, handles: tuple[int, int], rule: FrameRule, scene_fps: Fraction, model_fps: Fraction
) -> None:
    frame_map = resample(cut, handles, rule, scene_fps, model_fps)
    step, first = scene_fps / model_fps, cut.first - handles[0]
    missing = [f for f in range(cut.first, cut.last + 1) if ((f - first) / step).denominator != 1]
    assert list(frame_map.interpolated(cut)) == missing


@given(cuts(), HANDLES, rules(), RATES, RATES)
def test_neighbours_bring_a_scene_frame_back(
    cut: FrameRange, handles: tuple[int, int], rule: FrameRule, scene_fps: Fraction, model_fps: Fraction
) -> None:
    frame_map = resample(cut, handles, rule, scene_fps, model_fps)
    missing = set(frame_map.interpolated(cut))
    for frame in {cut.first, (cut.first + cut.last) // 2, cut.last}:
        before, after, weight = frame_map.neighbours(frame)
        assert 0 <= weight < 1
        assert (1 - weight) * before.scene + weight * after.scene == frame
        assert (weight == 0 and before.scene == frame) is (frame not in missing)
        assert after.plate is not None
        assert before.plate is not None
        assert after.plate - before.plate == (frame in missing)


def test_film_rate_to_16_is_rational_to_the_last_frame() -> None:
    """24000/1001 to 16: each model frame is 1500/1001 scene frames later, however long the shot."""
    frame_map = resample(FrameRange(1001, 1240), (0, 0), VACE, FILM, Fraction(16))
    assert frame_map.plates[1].scene - frame_map.plates[0].scene == Fraction(1500, 1001)
    assert frame_map.plates[160].scene == 1001 + 160 * Fraction(1500, 1001)
    assert frame_map.frames[1].to_json()["scene"] == "1003501/1001"


def test_half_rate_hits_every_second_frame() -> None:
    cut = FrameRange(10, 15)
    frame_map = resample(cut, (0, 0), VACE, Fraction(24), Fraction(12))
    assert [f.scene for f in frame_map.plates] == [10, 12, 14, 16]
    assert frame_map.interpolated(cut) == (11, 13, 15)
    before, after, weight = frame_map.neighbours(13)
    assert (before.scene, after.scene, weight) == (12, 14, Fraction(1, 2))


@pytest.mark.parametrize(
    ("frames", "chunks"),
    [
        (1, [1]), (5, [5]), (6, [9]), (80, [81]), (81, [81]),
        (82, [45, 45]),        # 82 + 8 shared = 90
        (144, [77, 77]),       # 144 + 8 = 152: 76 each, of which the rule makes 77, and 75 are left
        (160, [61, 61, 57]),   # 160 + 16 = 176: 59 each, of which the rule makes 61, 61, and 54 are left
    ],
)  # fmt: skip
def test_wan_vace_chunks_by_hand(frames: int, chunks: list[int]) -> None:
    assert [len(c) for c in as_is(FrameRange(1, frames), (0, 0), VACE).chunks] == chunks


def test_handles_are_seen_before_and_after_and_named() -> None:
    frame_map = as_is(FrameRange(1001, 1004), (2, 3), VACE)
    assert [f.role.value[0] for f in frame_map.frames] == [*"hhcccchhh"]
    assert [f.scene for f in frame_map.plates][:3] == [999, 1000, 1001]
    assert frame_map.plates[2].plate == 1003


@given(st.integers(0, 500), rules())
def test_padding_is_the_smallest_count_that_fits(count: int, rule: FrameRule) -> None:
    padded = rule.padded(count)
    assert padded >= count
    assert (padded - rule.offset) % rule.step == 0
    assert padded - rule.step < max(count, rule.offset)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(SceneError, match="10-9 is empty"):
        FrameRange(10, 9)


@given(cuts(), HANDLES)
def test_a_range_knows_its_frames(cut: FrameRange, handles: tuple[int, int]) -> None:
    wide = cut.widened(handles)
    assert len(wide) == len(cut) + sum(handles)
    assert cut.first in wide
    assert cut.last in wide
    assert wide.first - 1 not in wide
    assert cut.last + Fraction(1, 2) not in cut
