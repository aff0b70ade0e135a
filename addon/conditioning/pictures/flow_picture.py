# SPDX-License-Identifier: GPL-3.0-or-later
"""Optical flow as colour (the Middlebury wheel that RAFT and VACE paint with) and as ``.flo`` files.

Flow is in pixels, x to the right and y down, from a frame to the next one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    F32 = npt.NDArray[np.float32]

WHEEL = (
    ((255, 0, 0), 15), ((255, 255, 0), 6), ((0, 255, 0), 4), ((0, 255, 255), 11), ((0, 0, 255), 13), ((255, 0, 255), 6),
)  # fmt: skip
"""Colour at which each segment begins and the number of its steps (Baker et al., "A Database and Evaluation
Methodology for Optical Flow", 2007: red, yellow, green, cyan, blue, magenta, 55 in all)."""

WHEEL_STEPS = sum(steps for _, steps in WHEEL)
FINE = 256
"""Places the wheel is looked up at between two of its steps: a colour is at most an eighth of a grey off."""

BEYOND = 0.75
"""Brightness of flow that is longer than the largest radius."""

TINY = 1e-5
"""Added to the largest radius, so that a still frame is white and not a division by zero."""

UNKNOWN = 1e10
"""Value of unknown flow in a ``.flo`` file; readers take all above 1e9 for it."""


def largest_radius(flow: F32) -> float:
    """Longest vector of flow (H, W, 2) in pixels; the largest of these is a shot's. Unknown flow does not count."""
    square = np.square(flow[..., 0]) + np.square(flow[..., 1])
    return float(np.sqrt(np.max(square, initial=0, where=np.isfinite(square))))


def flow_picture(flow: F32, largest: float | None) -> npt.NDArray[np.uint8]:
    """Flow (H, W, 2) float32 as (H, W, 3) uint8 RGB: direction is hue, length is saturation, no motion is white.

    ``largest`` is the `largest_radius` of the whole shot, so that equal motion has equal colour in every frame; None
    takes that of this frame, as VACE does. Unknown flow (not finite) is black.
    """
    scale = np.float32(1.0 / ((largest_radius(flow) if largest is None else largest) + TINY))
    u, v = flow[..., 0] * scale, flow[..., 1] * scale
    known = np.isfinite(u) & np.isfinite(v)
    u[~known] = v[~known] = 0
    radius = np.sqrt(u * u + v * v)
    # the wheel begins (red) at the right and runs clockwise on the screen, because y is down
    place = np.arctan2(-v, -u)
    place *= np.float32(FINE * (WHEEL_STEPS - 1) / 2 / np.pi)
    place += np.float32(FINE * (WHEEL_STEPS - 1) / 2 + 0.5)
    index = place.astype(np.int32)
    inside = radius <= 1
    picture = np.empty((*flow.shape[:2], 3), np.uint8)
    for channel, colours in enumerate(_wheel()):
        colour = colours[index]
        colour = np.where(inside, 255 - radius * (255 - colour), colour * np.float32(BEYOND))
        picture[..., channel] = colour.astype(np.uint8)
    picture[~known] = 0
    return picture


def _wheel() -> F32:
    """Red, green and blue (3, n) 0..255 around the wheel, `FINE` places from step to step.

    The colours of the steps are rounded down to whole numbers, as published; between them they are mixed.
    """
    starts = np.array([colour for colour, _ in WHEEL], np.float64)
    ends = np.roll(starts, -1, axis=0)
    rows = [
        start + np.sign(end - start) * np.floor(255 * np.arange(steps) / steps)[:, None]
        for start, end, (_, steps) in zip(starts, ends, WHEEL, strict=True)
    ]
    wheel = np.concatenate(rows)
    fine = np.arange(FINE * (WHEEL_STEPS - 1) + 1) / FINE
    step = fine.astype(np.int64)
    following = np.minimum(step + 1, WHEEL_STEPS - 1)
    mixed = wheel[step] + (fine - step)[:, None] * (wheel[following] - wheel[step])
    return np.ascontiguousarray(mixed.T, np.float32)


def flo_bytes(flow: F32) -> bytes:
    """Flow (H, W, 2) float32 as a Middlebury ``.flo`` file."""
    height, width = flow.shape[:2]
    values = flow.astype("<f4")
    values[~(np.isfinite(flow[..., 0]) & np.isfinite(flow[..., 1]))] = UNKNOWN
    return b"PIEH" + struct.pack("<ii", width, height) + values.tobytes()
