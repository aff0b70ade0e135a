# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame map: every chunk is one the model takes, every frame of the cut comes back exactly once."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import SceneError, UsageError
from second_unit.addon.shot.documents import Fields
from second_unit.addon.shot.profile import Kind, Profile, load_profile, profile_names
from second_unit.addon.shot.timing import (
    FIRST_PLATE,
    FrameMap,
    FrameRange,
    FrameRule,
    MappedFrame,
    Role,
    as_is,
    resample,
    stills,
)

VACE = FrameRule(4, 1, 81, 8)
FILM = Fraction(24000, 1001)


@st.composite
def rules(draw: st.DrawFn) -> FrameRule:
    """Rules whose longest allowed chunk is longer than the overlap; more than that may be stated."""
    step, offset = draw(st.integers(1, 17)), draw(st.integers(0, 9))
    limit = step * draw(st.integers(1, 40)) + offset
    return FrameRule(step, offset, limit + draw(st.integers(0, step - 1)), draw(st.integers(0, min(24, limit - 1))))


@st.composite
def cuts(draw: st.DrawFn) -> FrameRange:
    first = draw(st.integers(-500, 2000))
    return FrameRange(first, first + draw(st.integers(0, 399)))


HANDLES = st.tuples(st.integers(0, 24), st.integers(0, 24))
RATES = st.sampled_from(
    [
        Fraction(24),
        FILM,
        Fraction(60000, 1001),
        Fraction(25),
        Fraction(30000, 1001),
        Fraction(16),
        Fraction(12),
        Fraction(60),
    ]
)


def own(chunk: tuple[MappedFrame, ...]) -> list[MappedFrame]:
    """A chunk without what only fills it up."""
    return [f for f in chunk if f.role is not Role.PAD]


def assert_chunks_are_sound(frame_map: FrameMap, rule: FrameRule) -> None:
    for number, chunk in enumerate(frame_map.chunks):
        assert (len(chunk) - rule.offset) % rule.step == 0
        assert 0 < len(chunk) <= rule.longest
        assert rule.allows(len(chunk))
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
    assert chunks == 1 or frames > rule.overlap + (chunks - 1) * (rule.limit - rule.overlap)


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


PROFILES = [load_profile(name) for name in profile_names()]
VIDEO = [profile for profile in PROFILES if profile.kind is Kind.VIDEO]
STILL = [profile for profile in PROFILES if profile.kind is Kind.STILL]


@pytest.mark.parametrize("profile", VIDEO, ids=lambda p: p.name)
def test_every_length_of_shot_obeys_the_rule_of_every_model(profile: Profile) -> None:
    """1 to 400 frames, with the handles of every quality: counts, overlaps, pads, and each scene frame once."""
    for length, handles in product(range(1, 401), {quality.handles for quality in profile.qualities}):
        cut = FrameRange(1001, 1000 + length)
        frame_map = as_is(cut, handles, profile.rule)
        assert_chunks_are_sound(frame_map, profile.rule)
        assert_plates_are_sound(frame_map)
        assert [f.scene for f in frame_map.plates if f.role is Role.CUT] == list(range(cut.first, cut.last + 1))
        assert len(frame_map.plates) == length + sum(handles)


@pytest.mark.parametrize("profile", STILL, ids=lambda p: p.name)
def test_stills_are_made_one_by_one(profile: Profile) -> None:
    frame_map = as_is(FrameRange(7, 406), (0, 0), profile.rule)
    assert [len(chunk) for chunk in frame_map.chunks] == [1] * 400
    assert [f.scene for f in frame_map.frames] == list(range(7, 407))
    assert_plates_are_sound(frame_map)


@given(st.sampled_from(VIDEO), cuts(), HANDLES, RATES, st.booleans())
def test_a_map_can_be_followed_there_and_back(
    profile: Profile, cut: FrameRange, handles: tuple[int, int], fps: Fraction, resampled: bool
) -> None:
    """Model frame to scene time to plate and back to the model frame, for the profile's own rate as well."""
    rule = profile.rule
    made = resample(cut, handles, rule, fps, profile.fps) if resampled else as_is(cut, handles, rule)
    chunks = made.chunks
    for kept in {made.plates[0], made.plates[len(made.plates) // 2], made.plates[-1]}:
        assert kept.plate is not None
        assert made.plate_of(kept.scene) == kept.plate
        chunk, index = made.place_of(kept.plate)
        assert chunks[chunk][index] is kept
    assert made.plate_of(cut.first - handles[0] - 1) is None
    assert made.padding == len(made.frames) - sum(len(own(chunk)) for chunk in chunks)


@given(st.sampled_from(VIDEO), cuts(), HANDLES, RATES)
def test_every_scene_frame_comes_back_from_every_rate(
    profile: Profile, cut: FrameRange, handles: tuple[int, int], fps: Fraction
) -> None:
    """After resampling a scene frame is one plate, or is made from exactly the two around it."""
    made = resample(cut, handles, profile.rule, fps, profile.fps)
    assert_chunks_are_sound(made, profile.rule)
    for frame in {cut.first, cut.last}:
        before, after, weight = made.neighbours(frame)
        assert before.scene <= frame <= after.scene
        assert before.scene + weight * (after.scene - before.scene) == frame


def test_a_plate_nobody_has_is_refused() -> None:
    with pytest.raises(SceneError, match="no plate 1005"):
        as_is(FrameRange(1, 4), (0, 0), VACE).place_of(1005)


def test_chosen_stills_keep_the_plates_of_the_whole_cut() -> None:
    frame_map = stills(FrameRange(101, 148), [148, 101, 120, 120])
    assert [(f.scene, f.chunk, f.plate) for f in frame_map.frames] == [(101, 0, 1001), (120, 1, 1020), (148, 2, 1048)]
    whole = as_is(FrameRange(101, 148), (0, 0), STILL[0].rule)
    assert {f.plate for f in frame_map.frames} == {whole.plate_of(frame) for frame in (101, 120, 148)}


@pytest.mark.parametrize(("chosen", "said"), [([], "No frame"), ([100], "Frame 100"), ([110, 149], "Frame 149")])
def test_stills_are_chosen_from_the_cut(chosen: list[int], said: str) -> None:
    with pytest.raises(SceneError, match=said):
        stills(FrameRange(101, 148), chosen)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ((0, 1, 81, 8), "No frame count"), ((-4, 1, 81, 8), "No frame count"), ((4, -1, 81, 8), "No frame count"),
        ((4, 1, 0, 0), "No frame count"), ((4, 0, 3, 0), "No frame count"), ((17, 5, 4, 0), "No frame count"),
        ((4, 1, 81, 81), "share 81"), ((4, 1, 84, 81), "share 81"), ((4, 1, 81, -1), "share -1"),
        ((1, 0, 1, 1), "share 1"),
    ],
)  # fmt: skip
def test_a_rule_no_shot_could_follow_is_refused(rule: tuple[int, int, int, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        FrameRule(*rule)


@pytest.mark.parametrize("longest", [81, 82, 84])
def test_a_longest_count_between_allowed_ones_means_the_one_before(longest: int) -> None:
    rule = FrameRule(4, 1, longest, 8)
    assert rule.limit == 81
    assert [len(c) for c in as_is(FrameRange(1, 82), (0, 0), rule).chunks] == [45, 45]
    assert [n for n in range(-4, 90) if rule.allows(n)] == list(range(1, 82, 4))


@pytest.mark.parametrize("handles", [(-1, 0), (0, -1), (-3, 8)])
def test_handles_never_shorten_a_cut(handles: tuple[int, int]) -> None:
    with pytest.raises(SceneError, match="would shorten"):
        as_is(FrameRange(1, 10), handles, VACE)


@pytest.mark.parametrize(("scene", "model"), [(0, 16), (24, 0), (-24, 16)])
def test_no_rate_of_nothing_or_less(scene: int, model: int) -> None:
    with pytest.raises(SceneError, match="frames per second"):
        resample(FrameRange(1, 10), (0, 0), VACE, Fraction(scene), Fraction(model))


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
