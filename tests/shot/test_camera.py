# SPDX-License-Identifier: GPL-3.0-or-later
"""The lens: Blender's settings to pixels by hand, and a canvas that never makes it lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.shot.camera import Camera, Crop, Delivery, crop_for, fit_into, intrinsics

HD, TALL, SQUARE = (1920, 1080), (1080, 1920), (1000, 1000)
SENSOR = (36.0, 24.0)


def lens(
    size: tuple[int, int], fit: str, *, aspect: tuple[float, float] = (1, 1), shift: tuple[float, float] = (0, 0),
    focal: float = 50.0, ortho: bool = False,
) -> tuple[float, float, float, float]:  # fmt: skip
    return intrinsics(size=size, aspect=aspect, fit=fit, focal=focal, sensor=SENSOR, shift=shift, orthographic=ortho)


@pytest.mark.parametrize(
    ("size", "fit", "f"),
    [
        (HD, "HORIZONTAL", 1920 * 50 / 36),   # the sensor's width spans the picture's width
        (HD, "VERTICAL", 1080 * 50 / 24),     # its height spans the height
        (HD, "AUTO", 1920 * 50 / 36),         # its width spans the longer side
        (TALL, "HORIZONTAL", 1080 * 50 / 36),
        (TALL, "VERTICAL", 1920 * 50 / 24),
        (TALL, "AUTO", 1920 * 50 / 36),       # also when that is the height
        (SQUARE, "AUTO", 1000 * 50 / 36),
    ],
)  # fmt: skip
def test_the_focal_length_follows_the_sensor_fit(size: tuple[int, int], fit: str, f: float) -> None:
    assert lens(size, fit) == pytest.approx((f, f, size[0] / 2, size[1] / 2))


@pytest.mark.parametrize("fit", ["HORIZONTAL", "AUTO"])
def test_a_50_mm_lens_on_36_mm_sees_39_6_degrees(fit: str) -> None:
    fx, _, cx, _ = lens(HD, fit)
    assert math.degrees(2 * math.atan(cx / fx)) == pytest.approx(39.5978, abs=1e-4)


@pytest.mark.parametrize(
    ("size", "fit", "aspect", "fx", "fy"),
    [
        # anamorphic: 960 pixels of double width show what 1920 square ones do
        ((960, 1080), "HORIZONTAL", (2, 1), 960 * 50 / 36, 1920 * 50 / 36),
        ((960, 1080), "AUTO", (2, 1), 960 * 50 / 36, 1920 * 50 / 36),
        ((960, 1080), "VERTICAL", (2, 1), 1080 * 50 / 24 / 2, 1080 * 50 / 24),
        # pixels of double height: AUTO sees a picture taller than wide
        ((1920, 1080), "AUTO", (1, 2), 2160 * 50 / 36, 1080 * 50 / 36),
        ((1920, 1080), "VERTICAL", (1, 2), 2160 * 50 / 24, 1080 * 50 / 24),
    ],
)
def test_pixel_aspect_stretches_one_axis(
    size: tuple[int, int], fit: str, aspect: tuple[float, float], fx: float, fy: float
) -> None:
    assert lens(size, fit, aspect=aspect)[:2] == pytest.approx((fx, fy))


@pytest.mark.parametrize(
    ("size", "fit", "aspect", "cx", "cy"),
    [
        (HD, "HORIZONTAL", (1, 1), 960 - 0.1 * 1920, 540 + 0.2 * 1920),
        (HD, "VERTICAL", (1, 1), 960 - 0.1 * 1080, 540 + 0.2 * 1080),
        (HD, "AUTO", (1, 1), 960 - 0.1 * 1920, 540 + 0.2 * 1920),
        (TALL, "AUTO", (1, 1), 540 - 0.1 * 1920, 960 + 0.2 * 1920),
        ((960, 1080), "HORIZONTAL", (2, 1), 480 - 0.1 * 960, 540 + 0.2 * 1920),
    ],
)
def test_shift_counts_in_parts_of_the_fitted_side(
    size: tuple[int, int], fit: str, aspect: tuple[float, float], cx: float, cy: float
) -> None:
    """Shifting right moves what was in the middle to the left; shifting up moves it down."""
    assert lens(size, fit, aspect=aspect, shift=(0.1, 0.2))[2:] == pytest.approx((cx, cy))


@pytest.mark.parametrize(("size", "fit", "scale"), [(HD, "AUTO", 1920), (TALL, "AUTO", 1920), (HD, "VERTICAL", 1080)])
def test_an_orthographic_scale_spans_the_fitted_side(size: tuple[int, int], fit: str, scale: int) -> None:
    assert lens(size, fit, focal=8.0, ortho=True)[:2] == pytest.approx((scale / 8, scale / 8))


def camera(size: tuple[int, int], **changes: object) -> Camera:
    width, height = size
    values = {"fx": width * 1.4, "fy": width * 1.4, "cx": width / 2, "cy": height / 2, "world_to_camera": np.eye(4)}
    return Camera(width, height, near=0.1, far=100.0, **{**values, **changes})


@pytest.mark.parametrize(
    ("delivery", "canvas", "crop"),
    [
        ((1920, 1080), (832, 480), Crop(0, 6, 832, 468)),
        ((1280, 720), (832, 480), Crop(0, 6, 832, 468)),
        ((1920, 1080), (1280, 720), Crop(0, 0, 1280, 720)),
        ((1280, 536), (1280, 544), Crop(0, 4, 1280, 536)),
        ((2048, 858), (1280, 544), Crop(0, 4, 1280, 536)),
        ((1080, 1920), (480, 832), Crop(6, 0, 468, 832)),
        ((1080, 1920), (832, 480), Crop(281, 0, 270, 480)),
        ((1000, 1000), (832, 480), Crop(176, 0, 480, 480)),
    ],
)
def test_the_delivery_frame_lies_in_the_middle_of_the_canvas(
    delivery: tuple[int, int], canvas: tuple[int, int], crop: Crop
) -> None:
    fitted, found = fit_into(camera(delivery), canvas)
    assert found == crop
    assert (fitted.width, fitted.height) == canvas


def test_a_camera_that_fits_stays_as_it_is() -> None:
    fitted, crop = fit_into(camera(HD), HD)
    assert crop == Crop(0, 0, *HD)
    assert (fitted.fx, fitted.fy, fitted.cx, fitted.cy) == (2688, 2688, 960, 540)


SIDES = st.integers(128, 4096)
CANVASES = st.tuples(st.integers(4, 160), st.integers(4, 160)).map(lambda s: (s[0] * 16, s[1] * 16))
COORDINATE = st.floats(-30, 30)


@given(st.tuples(SIDES, SIDES), CANVASES)
def test_nothing_is_cut_and_the_crop_is_even_and_centred(delivery: tuple[int, int], canvas: tuple[int, int]) -> None:
    _, crop = fit_into(camera(delivery), canvas)
    assert crop.width % 2 == crop.height % 2 == 0
    assert crop.width > 0 < crop.height
    assert crop.x >= 0 <= crop.y
    assert crop.x * 2 + crop.width == canvas[0]
    assert crop.y * 2 + crop.height == canvas[1]
    assert crop.width == canvas[0] or crop.height == canvas[1]
    assert abs(crop.width - delivery[0] * crop.height / delivery[1]) <= 1 + delivery[0] / delivery[1]


PIXEL_ASPECTS = st.sampled_from([(1.0, 1.0), (2.0, 1.0), (1.0, 2.0), (1.4222, 1.0), (1.0, 1.0667)])


@given(st.tuples(SIDES, SIDES), PIXEL_ASPECTS, CANVASES, st.sampled_from(["AUTO", "HORIZONTAL", "VERTICAL"]))
def test_an_anamorphic_frame_is_sent_unsqueezed(
    delivery: tuple[int, int], aspect: tuple[float, float], canvas: tuple[int, int], fit: str
) -> None:
    """The crop has the shape the frame is looked at in, foreseen without a camera, and its pixels are square."""
    fx, fy, cx, cy = lens(delivery, fit, aspect=aspect)
    fitted, crop = fit_into(camera(delivery, fx=fx, fy=fy, cx=cx, cy=cy), canvas)
    assert crop == crop_for(Delivery(*delivery, aspect).frame, canvas)
    ratio = delivery[0] * aspect[0] / (delivery[1] * aspect[1])
    assert min(abs(crop.height - crop.width / ratio), abs(crop.width - crop.height * ratio)) <= 1 + 1e-5
    # each side was rounded by a pixel at most
    assert fitted.fx / fitted.fy == pytest.approx(1, abs=1.01 / crop.width + 1.01 / crop.height)


def test_twice_as_wide_pixels_make_a_picture_twice_as_wide() -> None:
    assert Delivery(960, 1080, (2.0, 1.0)).frame == (1920, 1080)
    assert Delivery(1920, 1080, (1.0, 2.0)).frame == (960, 1080)
    fx, fy, cx, cy = lens((960, 1080), "AUTO", aspect=(2, 1))
    fitted, crop = fit_into(camera((960, 1080), fx=fx, fy=fy, cx=cx, cy=cy), (1280, 720))
    assert crop == Crop(0, 0, 1280, 720)
    assert (fitted.fx, fitted.fy) == pytest.approx((1280 * 50 / 36,) * 2)


@pytest.mark.parametrize(("frame", "crop"), [((40000, 10), Crop(0, 239, 832, 2)), ((10, 40000), Crop(415, 0, 2, 480))])
def test_a_frame_thin_as_a_hair_keeps_two_lines(frame: tuple[int, int], crop: Crop) -> None:
    assert crop_for(frame, (832, 480)) == crop


@given(
    st.tuples(SIDES, SIDES), CANVASES, st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)), st.floats(0.3, 4),
    st.booleans(), st.lists(st.tuples(COORDINATE, COORDINATE, st.floats(0.2, 60)), min_size=1, max_size=5),
)  # fmt: skip
def test_the_lens_does_not_lie(
    delivery: tuple[int, int], canvas: tuple[int, int], shift: tuple[float, float], squeeze: float, ortho: bool,
    points: list[tuple[float, float, float]],
) -> None:  # fmt: skip
    """A point's place in the crop, in parts of it, is its place in the delivery frame."""
    width, height = delivery
    original = camera(
        delivery,
        cx=width * (0.5 - shift[0]),
        cy=height * (0.5 + shift[1]),
        fy=width * 1.4 * squeeze,
        orthographic=ortho,
    )
    fitted, crop = fit_into(original, canvas)
    world = np.array(points)
    wanted, found = original.project(world), fitted.project(world)
    relative = (found[:, :2] - (crop.x, crop.y)) / (crop.width, crop.height)
    assert relative == pytest.approx(wanted[:, :2] / delivery, rel=1e-6, abs=1e-6)
    assert np.array_equal(found[:, 2], wanted[:, 2])


def test_projection_by_hand() -> None:
    """3 m ahead, 1 m right, 0.5 m up (which is -y) through f = 300 around (160, 120)."""
    pinhole = camera((320, 240), fx=300.0, fy=300.0)
    assert pinhole.project(np.array([[1.0, -0.5, 3.0]])) == pytest.approx(np.array([[260.0, 70.0, 3.0]]))
    flat = camera((320, 240), fx=10.0, fy=10.0, orthographic=True)
    assert flat.project(np.array([[1.0, -0.5, 3.0]])) == pytest.approx(np.array([[170.0, 115.0, 3.0]]))


def test_the_place_and_turn_of_the_camera_count() -> None:
    """A camera at (0, -5, 0) in Blender's world (z up) that looks along +y."""
    matrix = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 5], [0, 0, 0, 1.0]])
    pinhole = camera((320, 240), fx=300.0, fy=300.0, world_to_camera=matrix)
    assert pinhole.project(np.array([[1.0, 1.0, 1.0]])) == pytest.approx(np.array([[210.0, 70.0, 6.0]]))


def test_a_point_in_the_camera_plane_is_no_crash() -> None:
    assert np.isfinite(camera((320, 240)).project(np.array([[1.0, 1.0, 0.0]]))).all()
