# SPDX-License-Identifier: GPL-3.0-or-later
"""The playblast: clay in the scene's own light, as a picture people can read a shot from."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...shot.geometry import NOBODY
from .light import irradiance, positions
from .normal import normals
from .occlusion import openness

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.camera import Camera
    from ...shot.geometry import FrameGeometry, Instance
    from .exposure import Exposure
    from .raster import Hits

    F32: TypeAlias = npt.NDArray[np.float32]
    I32: TypeAlias = npt.NDArray[np.int32]

__all__ = ["normals", "playblast"]

SET_CLAY = (0.50, 0.495, 0.48)
PEOPLE_CLAY = (0.74, 0.60, 0.50)
"""Linear albedo of sets and of people, who are lighter and warmer so that figures read."""

VARIETY = 0.16
"""Sets differ by up to this share in brightness from piece to piece, so that neighbours part."""

SKY, GROUND = (0.115, 0.122, 0.135), (0.058, 0.055, 0.052)
"""Ambient light from above and below; added after exposure, so that shadows stay readable in any scene."""

CAMERA_LAMP = (-0.40, -0.55, 0.73)
CAMERA_LAMP_POWER = 0.75
"""Direction it comes from (camera space, z forward means from the camera) and strength of the lamp on the camera."""

LINE = 0.62
"""Brightness kept on the lines between things."""

CREASE = 0.80
"""Normals whose cosine is less than this meet in a crease (about 37 degrees)."""

BACKDROP = ((30, 31, 34), (15, 15, 17))
"""sRGB of the empty background, top and bottom of the picture."""

CURVE_STEPS, CURVE_TOP = 4096, 16.0


def playblast(hits: Hits, ids: I32, normal: F32, geometry: FrameGeometry, exposure: Exposure) -> npt.NDArray[np.uint8]:
    """The shot in clay, (H, W, 3) uint8 sRGB.

    ``ids`` are instances (H, W) int32 with -1 for nothing, ``normal`` (H, W, 3) float32 of `normals`. Brightness
    depends on the lamps and the shot's ``exposure`` only, never on the other pixels of the frame.
    """
    camera = geometry.camera
    seen = ids >= 0
    planes = np.moveaxis(normal, -1, 0)
    place = positions(np.where(seen, hits.depth, np.float32(1)), camera)
    light = irradiance(place, planes, geometry.lights, camera) * np.float32(exposure.gain)
    open_ = openness(place, planes, seen, camera)
    light *= np.float32(0.45) + np.float32(0.55) * open_
    light += _ambient(planes, camera, exposure.fill) * open_
    light *= _clay(geometry.instances)[:, ids]
    light *= _lines(ids, hits.triangle, planes)
    return np.where(seen[:, :, None], np.moveaxis(_film(light), 0, -1), _backdrop(camera))


def _ambient(normal: F32, camera: Camera, fill: float) -> F32:
    """Light from the sky, the ground and the lamp on the camera, (3, H, W)."""
    up = camera.world_to_camera[:3, 2].astype(np.float32)
    lamp = np.array(CAMERA_LAMP, np.float32)
    lamp /= np.linalg.norm(lamp) * np.array([1, 1, -1], np.float32)
    above = np.float32(0.5) + np.float32(0.5) * (normal[0] * up[0] + normal[1] * up[1] + normal[2] * up[2])
    light = np.empty_like(normal)
    for channel, (sky, ground) in enumerate(zip(SKY, GROUND, strict=True)):
        np.multiply(above, np.float32(sky - ground), out=light[channel])
        light[channel] += np.float32(ground)
    if fill > 0:
        facing = normal[0] * lamp[0] + normal[1] * lamp[1] + normal[2] * lamp[2]
        light += np.maximum(facing + np.float32(0.2), 0) * np.float32(fill * CAMERA_LAMP_POWER / 1.2)
    return light


def _clay(instances: tuple[Instance, ...]) -> F32:
    """Albedo (3, instances + 1); the last one, index -1, is the background."""
    rows = [_albedo(instance) for instance in instances]
    return np.array([*rows, (0.0, 0.0, 0.0)], np.float32).T


def _albedo(instance: Instance) -> tuple[float, ...]:
    """Clay of one instance. Its brightness comes from its key and is the same in every frame."""
    if instance.person != NOBODY:
        return PEOPLE_CLAY
    share = (zlib.crc32(instance.key.encode()) & 0xFFFF) / 0xFFFF - 0.5
    return tuple(channel * (1 + VARIETY * share) for channel in SET_CLAY)


def _lines(ids: I32, triangle: I32, normal: F32) -> F32:
    """Brightness (H, W) that darkens borders between instances, and creases; evaluated where triangles change."""
    shade = np.ones(ids.shape, np.float32)
    for axis in (0, 1):
        here, there = (slice(1, None), slice(None)), (slice(None, -1), slice(None))
        if axis:
            here, there = here[::-1], there[::-1]
        row, column = np.nonzero(triangle[here] != triangle[there])
        first, second = (row + 1 - axis, column + axis), (row, column)
        edge = ids[first] != ids[second]
        edge |= sum((axis_[first] * axis_[second] for axis_ in normal), np.float32(0)) < CREASE
        shade[first[0][edge], first[1][edge]] = LINE
    return shade


def _film(linear: F32) -> npt.NDArray[np.uint8]:
    """Scene-linear to sRGB 0..255 through a film-like curve; by table, on a square-root scale."""
    scale = np.float32((CURVE_STEPS - 1) / np.sqrt(CURVE_TOP))
    index = np.sqrt(np.minimum(linear, np.float32(CURVE_TOP))) * scale
    return _curve()[index.astype(np.int32)]


def _curve() -> npt.NDArray[np.uint8]:
    """Narkowicz' fit of the ACES curve (2015), then the sRGB transfer function (IEC 61966-2-1)."""
    x = (np.arange(CURVE_STEPS) / (CURVE_STEPS - 1)) ** 2 * CURVE_TOP
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    srgb = np.where(film <= 0.0031308, 12.92 * film, 1.055 * film ** (1 / 2.4) - 0.055)
    return np.rint(srgb * 255).astype(np.uint8)


def _backdrop(camera: Camera) -> npt.NDArray[np.uint8]:
    """Dark vertical gradient (H, 1, 3)."""
    top, bottom = np.array(BACKDROP, np.float64)
    share = (np.arange(camera.height) + 0.5)[:, None] / camera.height
    return np.rint(top + (bottom - top) * share).astype(np.uint8)[:, None, :]
