# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything conditioning draws of one frame, in one call and with shared intermediate work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..in_view import InView, find_in_view
from ..people.pose import PosedPerson, keypoints
from ..pictures.depth import DepthStats
from .flow import flow
from .lineart import hard, soft
from .normal import normals
from .raster import Hits, instance_ids, rasterize
from .shade import playblast
from .soup import triangle_soup
from .visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import numpy.typing as npt

    from ...shot.camera import Crop
    from ...shot.geometry import FrameGeometry, Tag
    from .exposure import Exposure
    from .soup import Soup
    from .visible import Visible

    F32: TypeAlias = npt.NDArray[np.float32]
    I32: TypeAlias = npt.NDArray[np.int32]

MOST_PEOPLE = 255
"""Person ids are bytes with 0 for nobody; people beyond count as part of the set in the masks."""

MOST_TAGS = 0xFFFF
"""Tags are two bytes with 0 for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """What the camera sees at every pixel, whoever found it: our own z-buffer or a renderer.

    ``hits`` as `raster.Hits` (a renderer gives any number that differs from face to face as ``triangle``), ``ids``
    (H, W) int32 into `FrameGeometry.instances`, -1 for nothing, ``normal`` (H, W, 3) float32 camera space, turned
    towards the viewer, 0 for nothing. Holdouts are still in. ``soup`` is what our own z-buffer drew, ``seen`` what is
    visible of it.
    """

    hits: Hits
    ids: I32
    normal: npt.NDArray[np.float32]
    soup: Soup | None = None
    seen: Visible | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFrame:
    """Raw passes of one frame; row 0 is the top of the picture.

    ``depth`` (H, W) float32 planar, +inf for no hit; ``instance`` (H, W) int32 into `FrameGeometry.instances`, -1 for
    nothing; ``person`` (H, W) uint8, 0 nobody, i + 1 for ``people[i]``; ``normal`` (H, W, 3) float32 camera space,
    towards the viewer; ``people`` in the order of `FrameGeometry.people`; ``view`` tells what of all that is in the
    delivered picture. ``extras`` names the layers that were asked for beside these; of them ``tags`` are `tagged`, and
    ``pictures`` are (H, W) or (H, W, 3) uint8 by their name.
    """

    depth: npt.NDArray[np.float32]
    instance: I32
    person: npt.NDArray[np.uint8]
    normal: npt.NDArray[np.float32]
    people: list[PosedPerson]
    stats: DepthStats
    view: InView
    extras: tuple[str, ...] = ()
    tags: tuple[npt.NDArray[np.uint16], list[Tag]] | None = None
    pictures: Mapping[str, npt.NDArray[np.uint8]] = field(default_factory=dict[str, Any])


def find_surfaces(geometry: FrameGeometry) -> Surfaces:
    """What the camera of ``geometry`` sees, by the z-buffer."""
    soup = triangle_soup(geometry)
    hits = rasterize(soup, geometry.camera)
    seen = visible(hits, soup)
    return Surfaces(hits, instance_ids(hits, soup), normals(hits, soup, geometry.camera, seen), soup, seen)


def draw(
    geometry: FrameGeometry,
    exposure: Exposure,
    extras: Collection[str] = (),
    surfaces: Surfaces | None = None,
    crop: Crop | None = None,
) -> DrawnFrame:
    """Draw one evaluated frame with the shot's ``exposure`` (see `exposure.exposure_for`).

    ``surfaces`` are those of `find_surfaces` unless somebody else found them; ``crop`` is where the delivered picture
    lies, all of it when not given. A holdout hides what is behind it, people's joints included, and then becomes
    background itself.
    """
    found = surfaces or find_surfaces(geometry)
    person = _people(geometry, found.ids)
    posed = keypoints(geometry.people, geometry.camera, found.hits.depth, person)
    held = held_out(geometry, found.ids)
    if held.any():
        found, person = _blank(held, found, person)
    return DrawnFrame(
        found.hits.depth, found.ids, person, found.normal, posed, DepthStats.of(found.hits.depth),
        find_in_view(geometry, found.ids, posed, crop),
        extras=tuple(extras),
        tags=tagged(geometry, found.ids) if "tag" in extras else None,
        pictures=_pictures(found, geometry, exposure, extras),
    )  # fmt: skip


def draw_flow(geometry: FrameGeometry, following: FrameGeometry, surfaces: Surfaces | None = None) -> F32:
    """Motion (H, W, 2) float32 in pixels to the next frame; 0 for the background and where it is not known.

    ``surfaces`` are those of `find_surfaces`, if they are still there.
    """
    found = surfaces if surfaces is not None and surfaces.soup is not None else find_surfaces(geometry)
    if found.soup is None:
        return np.zeros((*found.ids.shape, 2), np.float32)
    motion, known = flow(found.hits, found.soup, geometry, following, found.seen)
    motion[held_out(geometry, found.ids) | ~known] = 0
    return motion


def held_out(geometry: FrameGeometry, ids: I32) -> npt.NDArray[np.bool_]:
    """Where (H, W) the nearest thing is a holdout; ``ids`` are of instances, -1 for nothing."""
    holdouts = [*(instance.holdout for instance in geometry.instances), False]
    return np.array(holdouts, bool)[ids] if any(holdouts) else np.zeros(ids.shape, bool)


def tagged(geometry: FrameGeometry, ids: I32) -> tuple[npt.NDArray[np.uint16], list[Tag]]:
    """The tag of every pixel as (H, W) uint16, index + 1 into the returned tags or 0; only tags that are seen.

    Of more than 65,535 the last ones count as nothing.
    """
    seen = np.zeros(len(geometry.instances) + 1, bool)
    seen[ids] = True
    table: dict[Tag, int] = {}
    numbers = np.zeros(len(geometry.instances) + 1, np.uint16)
    indices: list[int] = np.flatnonzero(seen[:-1]).tolist()
    for index in indices:
        tag = geometry.instances[index].tag
        number = table.setdefault(tag, len(table) + 1)
        numbers[index] = number if number <= MOST_TAGS else 0
    return numbers[ids], list(table)[:MOST_TAGS]


def _pictures(
    found: Surfaces, geometry: FrameGeometry, exposure: Exposure, extras: Collection[str]
) -> dict[str, npt.NDArray[np.uint8]]:
    known: dict[str, Callable[[], npt.NDArray[np.uint8]]] = {
        "playblast": lambda: playblast(found.hits, found.ids, found.normal, geometry, exposure),
        "lineart": lambda: hard(found, geometry.camera),
        "softedge": lambda: soft(found, geometry.camera),
    }
    return {name: known[name]() for name in extras if name in known}


def _people(geometry: FrameGeometry, ids: I32) -> npt.NDArray[np.uint8]:
    """Person per pixel (H, W) uint8: 0 nobody, otherwise index + 1."""
    numbers = [one.person + 1 if 0 <= one.person < MOST_PEOPLE else 0 for one in geometry.instances]
    return np.array([*numbers, 0], np.uint8)[ids]


def _blank(
    held: npt.NDArray[np.bool_], found: Surfaces, person: npt.NDArray[np.uint8]
) -> tuple[Surfaces, npt.NDArray[np.uint8]]:
    """Turn the pixels that a holdout won into background."""
    hits = Hits(np.where(held, np.float32(np.inf), found.hits.depth), np.where(held, np.int32(-1), found.hits.triangle))
    normal = np.where(held[:, :, None], np.float32(0), found.normal)
    ids = np.where(held, np.int32(-1), found.ids)
    return Surfaces(hits, ids, normal, found.soup), np.where(held, np.uint8(0), person)
