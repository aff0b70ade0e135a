# SPDX-License-Identifier: GPL-3.0-or-later
"""Before rendering: the picture that suits the delivery frame, and what the user is told."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import UsageError
from second_unit.addon.shot.camera import Crop, Delivery, crop_for
from second_unit.addon.shot.plan import ShotPlan, best_size, check_frame, plan_shot, sentences
from second_unit.addon.shot.profile import Profile, Quality, load_profile, profile_names
from second_unit.addon.shot.timing import FrameRange, as_is, resample

VACE = load_profile("wan-vace-14b")
PROFILES = [load_profile(name) for name in profile_names()]
FILM = Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("name", "quality", "delivery", "size", "crop"),
    [
        ("wan-vace-14b", "draft", Delivery(1920, 1080), (832, 480), Crop(0, 6, 832, 468)),
        ("wan-vace-14b", "final", Delivery(1920, 1080), (1280, 720), Crop(0, 0, 1280, 720)),
        ("wan-vace-14b", "final", Delivery(2048, 858), (1280, 544), Crop(0, 4, 1280, 536)),
        ("wan-vace-14b", "final", Delivery(4096, 1716), (1280, 544), Crop(0, 4, 1280, 536)),
        ("wan-vace-14b", "draft", Delivery(2048, 858), (832, 352), Crop(0, 2, 832, 348)),
        ("wan-vace-14b", "final", Delivery(1998, 1080), (1280, 704), Crop(0, 6, 1280, 692)),
        ("wan-vace-14b", "final", Delivery(1080, 1920), (720, 1280), Crop(0, 0, 720, 1280)),
        ("wan-vace-14b", "draft", Delivery(1080, 1920), (480, 832), Crop(6, 0, 468, 832)),
        # the same number of pixels in another shape: 960² is 1280 · 720
        ("wan-vace-14b", "final", Delivery(1000, 1000), (960, 960), Crop(0, 0, 960, 960)),
        ("wan-vace-14b", "final", Delivery(1440, 1080), (1104, 832), Crop(0, 2, 1104, 828)),
        # 704 lines of 16:9 are 1252 wide
        ("wan-fun-control-5b", "final", Delivery(1920, 1080), (1280, 704), Crop(14, 0, 1252, 704)),
        ("ltx-2-ic-lora", "final", Delivery(1920, 1080), (1280, 768), Crop(0, 24, 1280, 720)),
        # the buckets of SDXL come out by themselves
        ("sdxl-union", "final", Delivery(1920, 1080), (1344, 768), Crop(0, 6, 1344, 756)),
        ("sdxl-union", "final", Delivery(1440, 1080), (1152, 896), Crop(0, 16, 1152, 864)),
        ("sdxl-union", "final", Delivery(1080, 1080), (1024, 1024), Crop(0, 0, 1024, 1024)),
        # anamorphic: 1828x1556 of double width is looked at as 2.35, where 1280 wide would be 544.8 high
        ("wan-vace-14b", "final", Delivery(1828, 1556, (2.0, 1.0)), (1280, 544), Crop(1, 0, 1278, 544)),
        # PAL widescreen: 720x576 with pixels of 64:45 is 16:9
        ("wan-vace-14b", "draft", Delivery(720, 576, (64.0, 45.0)), (832, 480), Crop(0, 6, 832, 468)),
    ],
)  # fmt: skip
def test_the_picture_suits_the_delivery_frame(
    name: str, quality: str, delivery: Delivery, size: tuple[int, int], crop: Crop
) -> None:
    profile = load_profile(name)
    assert best_size(profile, profile.quality(quality), delivery) == (size, crop)


SIDES = st.integers(200, 4096)
ASPECTS = st.sampled_from([(1.0, 1.0), (2.0, 1.0), (1.0, 1.0667), (1.4222, 1.0)])
QUALITIES = st.sampled_from([(p, q) for p in PROFILES for q in p.qualities])


@pytest.mark.parametrize(
    ("delivery", "size", "shown"),
    [(Delivery(40000, 192), (832, 16), "832x4 "), (Delivery(1, 4096), (480, 832), "2x832 ")],
)
def test_a_frame_of_which_nothing_would_be_left_is_refused_by_its_numbers(
    delivery: Delivery, size: tuple[int, int], shown: str
) -> None:
    with pytest.raises(UsageError, match=f"{shown}in a picture of {size[0]}x{size[1]}.* at least 8 pixels") as found:
        check_frame(delivery, size)
    assert f"{delivery.width}x{delivery.height}" in found.value.what


def test_large_and_small_frames_of_usual_shapes_are_fine() -> None:
    for delivery in (Delivery(40000, 22500), Delivery(16, 9), Delivery(1, 1), Delivery(2048, 200)):
        check_frame(delivery, (832, 480))


@given(QUALITIES, SIDES, SIDES, ASPECTS)
def test_any_frame_gets_a_picture_the_model_takes(
    model: tuple[Profile, Quality], width: int, height: int, aspect: tuple[float, float]
) -> None:
    profile, quality = model
    delivery = Delivery(width, height, aspect)
    ratio = delivery.frame[0] / delivery.frame[1]
    size, crop = best_size(profile, quality, delivery)
    profile.check_size(size)
    assert size[0] * size[1] <= quality.area
    assert max(size) <= quality.reach
    assert crop == crop_for(delivery.frame, size)
    # inside, centred, one side full: nothing is cut, nothing wasted on both sides
    assert (crop.x * 2 + crop.width, crop.y * 2 + crop.height) == size
    assert min(crop.x, crop.y) == 0
    # the shape is kept to a pixel along the side that is not full
    errors = [abs(crop.height - crop.width / ratio)] * (crop.x == 0) + [abs(crop.width - crop.height * ratio)] * (
        crop.y == 0
    )
    assert min(errors) <= 1 + 1e-5


@given(QUALITIES, SIDES, SIDES)
def test_no_size_shows_the_frame_larger_or_as_large_with_less_overscan(
    model: tuple[Profile, Quality], width: int, height: int
) -> None:
    """Against every size there is."""
    profile, quality = model
    size, _ = best_size(profile, quality, Delivery(width, height))
    sides = np.arange(profile.size_multiple, quality.reach + 1, profile.size_multiple)
    across, down = np.meshgrid(sides, sides)
    is_allowed = across * down <= quality.area
    scales = np.minimum(across / width, down / height)[is_allowed]
    pixels = (across * down)[is_allowed] / scales**2
    mine = min(size[0] / width, size[1] / height)
    assert mine >= 0.998 * scales.max() - 1e-8
    assert size[0] * size[1] / mine**2 <= pixels[scales >= 0.998 * scales.max() + 1e-8].min() * (1 + 1e-8)


def test_a_model_of_fixed_sizes_gets_one_of_them() -> None:
    fixed = replace(VACE, any_size=False)
    assert best_size(fixed, fixed.quality("final"), Delivery(1000, 1000))[0] in fixed.sizes
    assert best_size(fixed, fixed.quality("draft"), Delivery(1080, 1920))[0] == (480, 832)
    with pytest.raises(UsageError, match="no size of at most"):
        best_size(replace(fixed, sizes=((1280, 720),)), fixed.quality("draft"), Delivery(1920, 1080))


def plan(
    frames: int = 48, *, profile: Profile = VACE, quality: str = "draft", fps: Fraction = Fraction(24),
    delivery: tuple[int, int] = (1920, 1080), resampled: bool = False, disk: int = 12_400_000,
) -> ShotPlan:  # fmt: skip
    cut, chosen = FrameRange(1001, 1000 + frames), profile.quality(quality)
    frame_map = (
        resample(cut, chosen.handles, profile.rule, fps, profile.fps)
        if resampled
        else as_is(cut, chosen.handles, profile.rule)
    )
    picture = best_size(profile, chosen, Delivery(*delivery))
    return plan_shot("SH010", profile, cut, chosen.handles, frame_map, fps=fps, picture=picture, disk=disk)


def test_a_plan_says_what_comes_before_it_is_rendered() -> None:
    found = plan(148, quality="final", fps=FILM, delivery=(2048, 858), disk=1_234_567_890)
    # 164 frames in three chunks that share 8: 164 + 16 = 180, and 61 is the next count above 60
    assert (found.kept, found.chunks, found.padding, found.overlap) == (164, (61, 61, 61), 3, 8)
    assert found.seconds == Fraction(148 * 1001, 24000)
    assert found.overscan == (0, 4)
    assert sentences(found) == (
        "SH010: 148 scene frames, 1001 to 1148, with handles of 8 and 8; 6.17 s at 23.976 fps.",
        (
            "Wan 2.1/2.2 VACE 14B makes 183 model frames in 3 submissions of 61 each that share 8 frames; 3 frames at "
            "the end to fill up. Every scene frame comes back as itself; the model's own 16 fps is not used."
        ),
        "Pictures are 1280x544; 1280x536 of it is the delivery frame, 4 px above and below is overscan.",
        "It needs about 1.2 GB of disk.",
    )


def test_a_plan_for_programs_is_exact() -> None:
    assert plan(48, fps=FILM).to_json() == {
        "shot": "SH010", "profile": "wan-vace-14b", "cut": [1001, 1048], "handles": [0, 0], "fps": [24000, 1001],
        "seconds": [1001, 500], "frames": 48, "model_frames": 49, "chunks": [49], "overlap": 0, "padding": 1,
        "size": [832, 480], "crop": [0, 6, 832, 468], "bytes": 12_400_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (plan(1), "1 scene frame, 1001 to 1001; 0.04 s at 24 fps"),
        (plan(1), "1 model frame in one submission. Every"),
        (plan(82), "90 model frames in 2 submissions of 45 each that share 8 frames."),
        (plan(160), "3 submissions of 61, 61 and 57 that share 8 frames; 3 frames at the end to fill up."),
        (plan(48, fps=Fraction(16)), "Every scene frame comes back as itself."),
        (plan(48, resampled=True), "resampled to 16 fps"),
        (plan(48, quality="final"), "Pictures are 1280x720, all of it the delivery frame."),
        (plan(48, delivery=(1080, 1920)), "468x832 of it is the delivery frame, 6 px left and right"),
        (plan(82, profile=load_profile("wan-fun-control-14b")), "look at the joins"),
        (plan(5, profile=load_profile("sdxl-union")), "makes 5 stills, one of each frame from 1001 to 1005."),
        (plan(1, profile=load_profile("sdxl-union")), "makes 1 still, of frame 1001."),
        (plan(48), "about 12 MB of disk"),
        (plan(48, disk=10), "about 1 MB of disk"),
    ],
)  # fmt: skip
def test_people_are_told_in_sentences(found: ShotPlan, said: str) -> None:
    assert said in " ".join(sentences(found))


def test_nobody_is_warned_of_joins_there_are_not() -> None:
    fun = load_profile("wan-fun-control-14b")
    for found in (plan(48, profile=fun), plan(200)):
        assert "joins" not in " ".join(sentences(found))
