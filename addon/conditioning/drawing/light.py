# SPDX-License-Identifier: GPL-3.0-or-later
"""How much light of the scene's own lamps falls on what the camera sees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...shot.geometry import Light, LightKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.camera import Camera

    F32: TypeAlias = npt.NDArray[np.float32]

WRAP = 0.15
"""Lambert reaches this far (cosine) past the terminator: no shadows are cast, so a soft edge looks truer."""

SPOT_BLEND = 0.15
"""Share of the cosine range over which a spot fades at its rim (Blender's default spot blend)."""

NEAREST_LIGHT = 0.05
"""Closest distance to a lamp, as a share of the surface's distance from the camera: no burnt-out dots."""

MOST_LIGHTS = 24
"""Lamps beyond the strongest ones are left out: each costs time in every frame."""


def positions(depth: F32, camera: Camera) -> tuple[F32, F32, F32]:
    """Camera-space x, y, z (H, W) float32 of the pixel centres' hits. ``depth`` must be finite."""
    u = ((np.arange(camera.width) + 0.5 - camera.cx) / camera.fx).astype(np.float32)
    v = ((np.arange(camera.height) + 0.5 - camera.cy) / camera.fy).astype(np.float32)
    if camera.orthographic:
        return np.broadcast_to(u, depth.shape), np.broadcast_to(v[:, None], depth.shape), depth
    return depth * u, depth * v[:, None], depth


def irradiance(place: tuple[F32, F32, F32], normal: F32, lights: tuple[Light, ...], camera: Camera) -> F32:
    """Light of ``lights`` on surfaces, (3, ...) float32 linear RGB in W/m².

    ``place`` are camera-space coordinates (...), ``normal`` (3, ...) unit vectors. Point and spot radiate power / 4π
    per steradian, an area lamp power / π along its normal with the cosine of its angle and nothing backwards; all
    fall off with the square of the distance. Nothing casts a shadow.
    """
    total = np.zeros((3, *np.shape(place[2])), np.float32)
    strongest = sorted((light for light in lights if light.power > 0), key=lambda light: -_reach(light))
    for light in strongest[:MOST_LIGHTS]:
        amount = _one_light(place, normal, light, camera.world_to_camera)
        for channel, colour in enumerate(light.color):
            if colour:
                total[channel] += np.float32(colour) * amount
    return total


def _reach(light: Light) -> float:
    """Order of strength among lamps; a sun beats everything."""
    return light.power * max(light.color) * (1e6 if light.kind is LightKind.SUN else 1.0)


def _one_light(place: tuple[F32, F32, F32], normal: F32, light: Light, view: npt.NDArray[np.float64]) -> F32:
    """Irradiance (...) of one white lamp."""
    along = (view[:3, :3] @ np.array(light.direction)).astype(np.float32)
    if light.kind is LightKind.SUN:
        facing = -(normal[0] * along[0] + normal[1] * along[1] + normal[2] * along[2])
        return _wrapped(facing) * np.float32(light.power)
    centre = (view[:3, :3] @ np.array(light.position) + view[:3, 3]).astype(np.float32)
    x, y, z = centre[0] - place[0], centre[1] - place[1], centre[2] - place[2]
    square = x * x + y * y + z * z
    closeness = 1 / np.sqrt(square + np.float32(1e-12))
    facing = (normal[0] * x + normal[1] * y + normal[2] * z) * closeness
    amount = _wrapped(facing)
    amount *= np.float32(_intensity(light)) / np.maximum(square, (NEAREST_LIGHT * place[2]) ** 2)
    if light.kind is not LightKind.POINT:
        amount *= _cone(-(along[0] * x + along[1] * y + along[2] * z) * closeness, light)
    return amount


def _intensity(light: Light) -> float:
    """Radiant intensity along the axis, W/sr."""
    return light.power / (math.pi if light.kind is LightKind.AREA else 4 * math.pi)


def _wrapped(facing: F32) -> F32:
    return np.maximum((facing + np.float32(WRAP)) * np.float32(1 / (1 + WRAP)), np.float32(0))


def _cone(cosine: F32, light: Light) -> F32:
    """How much of a lamp goes into directions at ``cosine`` to its axis."""
    if light.kind is LightKind.AREA:
        return np.maximum(cosine, np.float32(0))
    rim = math.cos(light.spot_angle / 2)
    soft = max((1 - rim) * SPOT_BLEND, 1e-4)
    t = np.clip((cosine - np.float32(rim)) * np.float32(1 / soft), 0, 1)
    return t * t * (3 - 2 * t)
