# SPDX-License-Identifier: GPL-3.0-or-later
"""Flow as colour against the published wheel, written down again here pixel by pixel, and ``.flo`` files."""

from __future__ import annotations

import math
import struct

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.pictures.flow_picture import flo_bytes, flow_picture, largest_radius

F32 = npt.NDArray[np.float32]


def published_wheel() -> list[tuple[int, int, int]]:
    """The 55 colours of Baker et al.: 15 red to yellow, 6 to green, 4 to cyan, 11 to blue, 13 to magenta, 6 to red."""
    wheel = [(255, 255 * i // 15, 0) for i in range(15)]
    wheel += [(255 - 255 * i // 6, 255, 0) for i in range(6)]
    wheel += [(0, 255, 255 * i // 4) for i in range(4)]
    wheel += [(0, 255 - 255 * i // 11, 255) for i in range(11)]
    wheel += [(255 * i // 13, 0, 255) for i in range(13)]
    return wheel + [(255, 0, 255 - 255 * i // 6) for i in range(6)]


def published(u: float, v: float) -> tuple[float, ...]:
    """Colour of flow whose longest vector is 1, before it is cut to bytes."""
    wheel = published_wheel()
    place = (math.atan2(-v, -u) / math.pi + 1) / 2 * (len(wheel) - 1)
    first = math.floor(place)
    radius = math.hypot(u, v)
    colour = []
    for a, b in zip(wheel[first], wheel[(first + 1) % len(wheel)], strict=True):
        mixed = ((1 - place + first) * a + (place - first) * b) / 255
        colour.append(255 * (1 - radius * (1 - mixed) if radius <= 1 else 0.75 * mixed))
    return tuple(colour)


def one(u: float, v: float, largest: float | None = 1.0) -> list[int]:
    return flow_picture(np.array([[[u, v]]], np.float32), largest)[0, 0].tolist()


@given(st.floats(-2, 2, width=32), st.floats(-2, 2, width=32))
def test_every_vector_has_the_colour_of_the_published_wheel(u: float, v: float) -> None:
    u, v = u + 1e-4, v + 1e-4  # off the seam of the wheel, where the sign of a zero decides
    if abs(math.hypot(u, v) - 1) > 1e-3:
        np.testing.assert_allclose(one(u, v), published(u, v), atol=1.2)


def test_known_directions() -> None:
    assert one(1, 0)[0] > 250
    assert max(one(1, 0)[1:]) < 20, "right is red"
    down, up = one(0, 1), one(0, -1)
    assert (down[0] > 240, down[1] > 200, down[2] < 20) == (True, True, True), "down is yellow"
    assert (up[0] < 130, up[1] < 60, up[2] > 240) == (True, True, True), "up is blue to violet"
    assert one(-1, 0)[1] > 150
    assert one(-1, 0)[2] > 240, "left is cyan"
    assert one(0, 0) == [255, 255, 255]


def test_wrong_signs_axes_and_channels_are_rejected() -> None:
    rng = np.random.default_rng(2)
    flow = rng.uniform(-1, 1, (8, 8, 2)).astype(np.float32) * np.float32(0.7)
    expected = np.array([[published(*map(float, vector)) for vector in row] for row in flow])

    def accepted(picture: npt.NDArray[np.uint8]) -> bool:
        return bool(np.abs(picture - expected).max() < 1.5)

    assert accepted(flow_picture(flow, 1.0))
    wrong = {
        "backward": flow_picture(-flow, 1.0),
        "y up": flow_picture(flow * np.array([1, -1], np.float32), 1.0),
        "x flipped": flow_picture(flow * np.array([-1, 1], np.float32), 1.0),
        "y, x": flow_picture(flow[..., ::-1], 1.0),
        "BGR": flow_picture(flow, 1.0)[..., ::-1],
        "another radius": flow_picture(flow, 2.0),
    }
    assert not [name for name, picture in wrong.items() if accepted(picture)]


def test_equal_motion_has_equal_colour_over_a_shot_but_not_with_a_radius_per_frame() -> None:
    calm, wild = np.zeros((2, 4, 6, 2), np.float32)
    calm[:, :3] = wild[:, :3] = (2, 1)
    wild[:, 3:] = (-8, 3)
    largest = max(largest_radius(calm), largest_radius(wild))
    assert largest == pytest.approx(math.hypot(8, 3))
    np.testing.assert_array_equal(flow_picture(calm, largest)[:, :3], flow_picture(wild, largest)[:, :3])
    assert (flow_picture(calm, None)[:, :3] != flow_picture(wild, None)[:, :3]).any()
    np.testing.assert_array_equal(flow_picture(calm, None), flow_picture(calm, largest_radius(calm)))


def test_unknown_flow_is_black_counts_for_no_radius_and_is_unknown_to_readers() -> None:
    flow = np.array([[[np.nan, 0], [3, 4], [np.inf, 1]]], np.float32)
    assert largest_radius(flow) == 5
    picture = flow_picture(flow, 5)
    assert picture[0, 0].tolist() == picture[0, 2].tolist() == [0, 0, 0]
    values = np.frombuffer(flo_bytes(flow)[12:], "<f4").reshape(1, 3, 2)
    assert (values[0, [0, 2]] > 1e9).any(axis=-1).all()
    assert values[0, 1].tolist() == [3, 4]


def test_a_still_frame_is_white() -> None:
    for largest in (None, 0.0, 5.0):
        assert (flow_picture(np.zeros((3, 4, 2), np.float32), largest) == 255).all()


def test_opencv_reads_our_flo_files(tmp_path: object) -> None:
    flow = np.random.default_rng(1).normal(size=(5, 7, 2)).astype(np.float32)
    file = tmp_path / "a.flo"
    file.write_bytes(flo_bytes(flow))
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(file)), flow)
    assert struct.unpack_from("<4sii", file.read_bytes()) == (b"PIEH", 7, 5)
