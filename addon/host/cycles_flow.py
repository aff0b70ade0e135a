# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of what Cycles saw, up to the next frame of the shot.

Cycles' own vectors are of one frame of the scene, whatever the shot's next one is, and it has none for particles that
are born or die beside the frame. Both is made up for from what was read of the scene.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..conditioning.drawing.flow import flow
from ..conditioning.drawing.raster import Hits, instance_ids, rasterize
from ..conditioning.drawing.soup import triangle_soup
from ..shot.geometry import Mesh

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from ..conditioning.drawing.frame import Surfaces
    from ..shot.geometry import FrameGeometry, Instance

    F32: TypeAlias = npt.NDArray[np.float32]
    I32: TypeAlias = npt.NDArray[np.int32]
    Bools: TypeAlias = npt.NDArray[np.bool_]

MOST_TRIANGLES = 4_000_000
"""What our own z-buffer draws beside Cycles; more would take long, and memory."""
SAME_DEPTH = 1e-4
"""Relative difference of depth up to which both see the same."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Cycles' motion (H, W, 2), x right and y down, over one frame of the scene, and where (H, W) it has any."""

    motion: F32
    told: Bools


def motion_of(
    frame: FrameGeometry, read: FrameGeometry, following: FrameGeometry, surfaces: Surfaces, vectors: Vectors
) -> F32:
    """Motion (H, W, 2) float32 in pixels to the ``following`` frame; 0 for the background and where it is not known.

    ``surfaces`` are of ``frame``: that is ``read`` and then what only Cycles draws. Over more or less than a frame,
    what our own z-buffer sees too moves as there, and what it does not goes on as it does in Cycles. What Cycles has no
    vector for moves as in our z-buffer too, or else with its instance, or with the camera when nobody reads it.
    """
    step = float(following.time - read.time)
    # Cycles' own are off by hundreds of pixels where an orthographic camera moves
    usable = not read.camera.orthographic
    sure = vectors.told & (usable and step == 1.0)
    if (sure | (surfaces.ids < 0)).all():
        return vectors.motion
    # nobody reads the next place of what only Cycles draws
    rests = frame.instances[len(read.instances) :]
    known_then = replace(following, instances=(*following.instances, *rests))
    stiff, known = _stiff(frame, known_then, surfaces.hits.depth, surfaces.ids)
    stiff[~known] = 0
    found = stiff
    if usable:
        camera, _ = _stiff(frame, replace(following, instances=()), surfaces.hits.depth, surfaces.ids)
        found = np.where(vectors.told[..., None], camera + np.float32(step) * (vectors.motion - camera), stiff)
    ours, seen = _drawn(read, following, surfaces)
    found = np.where(seen[..., None], ours, found)
    return np.where(sure[..., None] | (surfaces.ids < 0)[..., None], vectors.motion, found)


def panoramic_motion(read: FrameGeometry, following: FrameGeometry, vectors: Vectors) -> F32:
    """As `motion_of`, for a camera that is no pinhole: nothing but Cycles knows where a panorama has things."""
    return vectors.motion * np.float32(following.time - read.time)


def _stiff(frame: FrameGeometry, following: FrameGeometry, depth: F32, ids: I32) -> tuple[F32, Bools]:
    """As `flow`, of pixels that move with their instance, whatever its mesh does."""
    # a triangle stands for every mesh: only matrices count
    places: list[int] = np.unique(ids[ids >= 0]).tolist()
    instances = [frame.instances[place] for place in places]
    keys = {one.key for one in instances}
    now = _of_triangles(frame, instances)
    then = _of_triangles(following, [one for one in following.instances if one.key in keys])
    soup = triangle_soup(now)
    first = np.full(len(frame.instances) + 1, -1, np.int32)
    first[places] = soup.first_triangle
    triangle = first[ids]
    motion, known = flow(Hits(depth, triangle), soup, now, then)
    return motion, known & (triangle >= 0)


_TRIANGLE = Mesh(np.eye(3, dtype=np.float32), np.array([(0, 1, 2)], np.int32))


def _of_triangles(frame: FrameGeometry, instances: Iterable[Instance]) -> FrameGeometry:
    return replace(frame, meshes=(_TRIANGLE,), instances=tuple(replace(one, mesh=0) for one in instances))


def _drawn(read: FrameGeometry, following: FrameGeometry, surfaces: Surfaces) -> tuple[F32, Bools]:
    """As `flow`, of our own z-buffer, and known only where that sees the same."""
    ids, depth = surfaces.ids, surfaces.hits.depth
    places: list[int] = [place for place in np.unique(ids).tolist() if 0 <= place < len(read.instances)]
    some = replace(read, instances=tuple(read.instances[place] for place in places))
    if sum(len(read.meshes[one.mesh].triangles) for one in some.instances) > MOST_TRIANGLES:
        return np.zeros((*ids.shape, 2), np.float32), np.zeros(ids.shape, bool)
    soup = triangle_soup(some)
    hits = rasterize(soup, some.camera)
    drawn = np.array([*places, -1], np.int32)[instance_ids(hits, soup)]
    motion, known = flow(hits, soup, some, following)
    with np.errstate(invalid="ignore"):
        near = np.abs(hits.depth - depth) <= SAME_DEPTH * depth
    return motion, known & near & (drawn == ids) & (drawn >= 0)
