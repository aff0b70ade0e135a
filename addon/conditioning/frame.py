# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything conditioning draws of one frame, in one call and with shared intermediate work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .depth import DepthStats
from .normal import normals
from .pose import PosedPerson, keypoints
from .raster import Hits, instance_ids, rasterize
from .shade import playblast
from .soup import triangle_soup

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..shot.geometry import FrameGeometry
    from .exposure import Exposure

    I32: TypeAlias = npt.NDArray[np.int32]

MOST_PEOPLE = 255
"""Person ids are bytes with 0 for nobody; people beyond count as part of the set in the masks."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFrame:
    """Raw passes of one frame; row 0 is the top of the picture.

    ``depth`` (H, W) float32 planar, +inf for no hit; ``instance`` (H, W) int32 into `FrameGeometry.instances`, -1 for
    nothing; ``person`` (H, W) uint8, 0 nobody, i + 1 for ``people[i]``; ``normal`` (H, W, 3) float32 camera space,
    towards the viewer; ``playblast`` (H, W, 3) uint8 sRGB; ``people`` in the order of `FrameGeometry.people`.
    """

    depth: npt.NDArray[np.float32]
    instance: I32
    person: npt.NDArray[np.uint8]
    normal: npt.NDArray[np.float32]
    playblast: npt.NDArray[np.uint8]
    people: list[PosedPerson]
    stats: DepthStats


def draw(geometry: FrameGeometry, exposure: Exposure) -> DrawnFrame:
    """Draw one evaluated frame with the shot's ``exposure`` (see `exposure.exposure_for`).

    A holdout hides what is behind it, people's joints included, and then becomes background itself.
    """
    camera = geometry.camera
    soup = triangle_soup(geometry)
    hits = rasterize(soup, camera)
    ids = instance_ids(hits, soup)
    person = _people(geometry, ids)
    posed = keypoints(geometry.people, camera, hits.depth, person)
    held = np.array([*(instance.holdout for instance in geometry.instances), False], bool)
    if held.any():
        hits, ids, person = _blank(held[ids], hits, ids, person)
    normal = normals(hits, soup, camera)
    picture = playblast(hits, ids, normal, geometry, exposure)
    return DrawnFrame(hits.depth, ids, person, normal, picture, posed, DepthStats.of(hits.depth))


def _people(geometry: FrameGeometry, ids: I32) -> npt.NDArray[np.uint8]:
    """Person per pixel (H, W) uint8: 0 nobody, otherwise index + 1."""
    numbers = [one.person + 1 if 0 <= one.person < MOST_PEOPLE else 0 for one in geometry.instances]
    return np.array([*numbers, 0], np.uint8)[ids]


def _blank(
    held: npt.NDArray[np.bool_], hits: Hits, ids: I32, person: npt.NDArray[np.uint8]
) -> tuple[Hits, I32, npt.NDArray[np.uint8]]:
    """Turn the pixels that a holdout won into background."""
    bare = Hits(np.where(held, np.float32(np.inf), hits.depth), np.where(held, np.int32(-1), hits.triangle))
    return bare, np.where(held, np.int32(-1), ids), np.where(held, np.uint8(0), person)
