# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact shadows from the depth picture: how open to its surroundings a pixel is.

A few neighbours at fixed pixel distances are asked whether they rise above a pixel's own surface. Distances are
pixels, not metres: the picture looks alike in scenes of any scale, and nothing depends on other frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.camera import Camera

    F32: TypeAlias = npt.NDArray[np.float32]

COARSE = 2
"""Openness is computed for every second row and column."""

RADII = (0.005, 0.014, 0.034, 0.075)
"""Distances of the neighbours, as shares of the picture's width."""

BIAS = 0.06
"""Sine above a surface that still counts as flat: facets must not shadow each other."""

STRENGTH = 2.6
"""Contrast; chosen by eye so that things stand on the ground."""

LEAST = 0.2
"""Corners keep this much light."""

FAR_AWAY = np.float32(1e9)


def openness(
    place: tuple[F32, F32, F32], normal: F32, seen: npt.NDArray[np.bool_], camera: Camera
) -> F32:  # fmt: skip
    """Share of open surroundings (H, W) float32, 1 open to `LEAST` in corners.

    ``place`` are camera-space x, y, z (H, W); ``normal`` is (3, H, W).
    """
    step = slice(None, None, COARSE)
    inside = seen[step, step]
    x, y, z = (np.where(inside, axis[step, step], FAR_AWAY) for axis in place)
    coarse = np.ascontiguousarray(normal[:, step, step])
    blocked, asked = np.zeros(z.shape, np.float32), 0
    # A pixel spans this many scene units at the surface; the blocker's pull fades beyond the sampling distance.
    pixel = np.full(z.shape, 1 / camera.fx, np.float32) if camera.orthographic else z / np.float32(camera.fx)
    for ring, share in enumerate(RADII):
        radius = max(share * camera.width / COARSE, 1.0)
        limit = (pixel * np.float32(radius * COARSE)) ** 2
        for turn in range(6):
            angle = (turn + ring / len(RADII)) * np.pi / 3
            _block(blocked, (x, y, z), coarse, limit, _shift(radius, float(angle)))
            asked += 1
    open_ = np.clip(1 - blocked * np.float32(STRENGTH / asked), LEAST, 1)
    return _enlarged(_blurred(np.where(inside, open_, np.float32(1))), seen.shape)


def _shift(radius: float, angle: float) -> tuple[int, int]:
    """Whole rows and columns to the neighbour."""
    return round(radius * float(np.sin(angle))), round(radius * float(np.cos(angle)))


def _block(blocked: F32, place: tuple[F32, F32, F32], normal: F32, limit: F32, shift: tuple[int, int]) -> None:
    """Add to ``blocked`` how far the neighbours at ``shift`` (rows, columns) rise above each pixel's surface."""
    here, there = _windows(blocked.shape, shift)
    x, y, z = (axis[there] - axis[here] for axis in place)
    square = x * x + y * y + z * z + np.float32(1e-20)
    rise = (normal[0][here] * x + normal[1][here] * y + normal[2][here] * z) / np.sqrt(square) - np.float32(BIAS)
    near = limit[here] / (limit[here] + np.float32(0.25) * square)
    blocked[here] += np.maximum(rise, 0) * near


def _windows(shape: tuple[int, ...], shift: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the pixels that have a neighbour at ``shift``, and of those neighbours."""
    pairs = [
        (slice(max(-by, 0), size - max(by, 0)), slice(max(by, 0), size - max(-by, 0)))
        for by, size in zip(shift, shape, strict=True)
    ]
    return (pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1])


def _blurred(values: F32) -> F32:
    """Mean over 3 x 3 pixels: hides the pattern of the few neighbours."""
    for _ in range(2):
        padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
        values = ((padded[:-2] + padded[1:-1] + padded[2:]) * np.float32(1 / 3)).T
    return values


def _enlarged(values: F32, shape: tuple[int, ...]) -> F32:
    return np.repeat(np.repeat(values, COARSE, axis=0), COARSE, axis=1)[: shape[0], : shape[1]]
