# SPDX-License-Identifier: GPL-3.0-or-later
"""The exposure of a shot's playblast.

It is metered once per shot on a reference frame and then stays: a picture whose exposure follows its own pixels
would pump whenever somebody walks in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...shot.geometry import NOBODY, FrameGeometry
from .light import irradiance, positions
from .normal import normals
from .raster import Hits, rasterize
from .soup import triangle_soup

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.camera import Camera

    F32: TypeAlias = npt.NDArray[np.float32]

METER_WIDTH = 160
"""Width in pixels of the picture that is metered."""

MIDDLE = 0.32
"""Scene-linear value that the lit part of the reference frame averages, before the film curve."""

HIGHLIGHT = 2.4
"""Scene-linear value that the brightest two per cent may reach; the film curve still shows form there."""

PEOPLE_WEIGHT = 4.0
"""A pixel of a person counts this often: like a photographer, the meter looks at faces."""

DARK_SHARE = 0.05
"""Lit less than this share of the bright parts counts as unlit."""

ENOUGH_LIT = 0.30
"""When less of the picture is lit than this, a lamp on the camera fills in."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of a whole shot: ``gain`` multiplies the lamps' irradiance, ``fill`` 0..1 is the lamp on the camera.

    The default suits a scene without lamps.
    """

    gain: float = 0.0
    fill: float = 1.0


def exposure_for(*frames: FrameGeometry) -> Exposure:
    """Meter a shot on one or more reference frames: always the same ones, whoever draws which part of the shot.

    The lit parts average to `MIDDLE`, unless that burns out the brightest ones. Without lamps, or with lamps that
    reach almost nothing the camera sees, a lamp on the camera takes over.
    """
    readings = [_read(frame) for frame in frames]
    light = np.concatenate([reading[0] for reading in readings]) if readings else np.zeros(0, np.float32)
    weight = np.concatenate([reading[1] for reading in readings]) if readings else np.zeros(0, np.float32)
    if not len(light) or not light.max() > 0:
        return Exposure()
    bright = float(np.quantile(light, 0.98)) or float(light.max())
    lit = light > DARK_SHARE * bright
    average = math.exp(float(np.average(np.log(light[lit]), weights=weight[lit])))
    share = float(weight[lit].sum() / weight.sum())
    return Exposure(min(MIDDLE / average, HIGHLIGHT / bright), min(max(1 - share / ENOUGH_LIT, 0.0), 1.0))


def _read(frame: FrameGeometry) -> tuple[F32, F32]:
    """Brightest-channel irradiance and weight of every hit of a small picture of ``frame``."""
    small = replace(frame, camera=_smaller(frame.camera))
    soup = triangle_soup(small)
    hits = rasterize(soup, small.camera)
    normal = np.moveaxis(normals(hits, soup, small.camera), -1, 0)
    seen = hits.triangle >= 0
    place = positions(np.where(seen, hits.depth, np.float32(1)), small.camera)
    light = irradiance(place, normal, small.lights, small.camera).max(axis=0)
    return light[seen], _weights(hits, soup.instance, small)[seen]


def _weights(hits: Hits, owner: npt.NDArray[np.int32], frame: FrameGeometry) -> F32:
    weight = [1.0 if one.person == NOBODY else PEOPLE_WEIGHT for one in frame.instances]
    ids = np.append(owner, np.int32(-1))[hits.triangle]
    return np.array([*weight, 0.0], np.float32)[ids]


def _smaller(camera: Camera) -> Camera:
    """The same view on `METER_WIDTH` columns."""
    scale = min(METER_WIDTH / camera.width, 1.0)
    width, height = max(round(camera.width * scale), 1), max(round(camera.height * scale), 1)
    sx, sy = width / camera.width, height / camera.height
    return replace(
        camera, width=width, height=height, fx=camera.fx * sx, fy=camera.fy * sy, cx=camera.cx * sx, cy=camera.cy * sy
    )
