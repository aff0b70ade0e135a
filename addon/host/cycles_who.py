# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instance Cycles saw at every pixel: it tells objects apart, not their appearances. Needs bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import bpy
import numpy as np

from ..conditioning.drawing.raster import instance_ids, rasterize
from ..conditioning.drawing.soup import triangle_soup
from ..shot.geometry import Instance, Mesh
from .cycles_flow import MOST_TRIANGLES, SAME_DEPTH
from .cycles_nearest import Nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from ..shot.geometry import FrameGeometry

    F32: TypeAlias = npt.NDArray[np.float32]
    I32: TypeAlias = npt.NDArray[np.int32]
    I64: TypeAlias = npt.NDArray[np.int64]

_MOST_OBJECTS = 32767
"""Largest pass index."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What Cycles wrote, (H, W): ``index`` of the object, 0 for none, ``depth``, +inf where nothing is.

    ``position`` (H, W, 3) in the world.
    """

    index: I32
    depth: F32
    position: F32


def number_objects(scene: Any, most: int = _MOST_OBJECTS) -> dict[int, Any]:
    """Give every object of the file its own pass index: the object by it. Those beyond ``most`` share 0."""
    objects: Any = bpy.data.objects
    mine = {thing.name_full for thing in scene.objects}
    numbered: dict[int, Any] = {}
    for number, thing in enumerate(sorted(objects, key=lambda o: (o.name_full not in mine, o.name_full)), start=1):
        thing.pass_index = number if number <= most else 0
        if number <= most:
            numbered[number] = thing
    return numbered


class Who:
    """Finds out, frame after frame. ``numbered`` as of `number_objects`; ``alone`` makes an instance of an object."""

    def __init__(self, numbered: Mapping[int, Any], alone: Callable[[Any], Instance]) -> None:
        self._numbered, self._alone = numbered, alone
        self._numbers = {thing.name_full: number for number, thing in numbered.items()}
        self._nearest = Nearest()

    def identify(
        self, geometry: FrameGeometry, beside: Sequence[tuple[Instance, Mesh]], seen: Seen, *, panoramic: bool
    ) -> tuple[FrameGeometry, I32]:
        """``geometry`` with all else that was seen, and the instance of every pixel, -1 for nothing."""
        hit = np.isfinite(seen.depth)
        numbers: list[int] = np.unique(seen.index[hit]).tolist()
        frame = self._with_everything(geometry, beside, numbers)
        candidates = self._candidates(frame)
        first = np.full(max(self._numbered, default=0) + 1, -1, np.int32)
        for number, those in candidates.items():
            first[number] = those[0]
        ids = np.where(hit, first[seen.index], np.int32(-1))
        several = [number for number in numbers if len(candidates.get(number, ())) > 1]
        if several:
            self._tell_apart(frame, seen, ids, {n: candidates[n] for n in several}, panoramic=panoramic)
        self._nearest.forget()
        return frame, ids

    def _with_everything(
        self, geometry: FrameGeometry, beside: Sequence[tuple[Instance, Mesh]], numbers: Sequence[int]
    ) -> FrameGeometry:
        """With an instance of everything that was seen: what has no faces, such as hair, is where its points are."""
        wanted = set(numbers)
        added = [(one, mesh) for one, mesh in beside if self._numbers.get(one.tag.object, 0) in wanted]
        there = {one.tag.object for one in (*geometry.instances, *(one for one, _ in added))}
        missing = (self._numbered[n] for n in numbers if n in self._numbered)
        added += [(self._alone(thing), _NOTHING) for thing in missing if thing.name_full not in there]
        start = len(geometry.meshes)
        return replace(
            geometry,
            meshes=(*geometry.meshes, *(mesh for _, mesh in added)),
            instances=(*geometry.instances, *(replace(one, mesh=start + i) for i, (one, _) in enumerate(added))),
        )

    def _candidates(self, frame: FrameGeometry) -> dict[int, list[int]]:
        """The instances behind every pass index; behind 0 those without, or else all of them."""
        candidates: dict[int, list[int]] = {}
        for place, one in enumerate(frame.instances):
            candidates.setdefault(self._numbers.get(one.tag.object, 0), []).append(place)
        if 0 not in candidates and frame.instances:
            candidates[0] = list(range(len(frame.instances)))
        return candidates

    def _tell_apart(
        self, frame: FrameGeometry, seen: Seen, ids: I32, several: Mapping[int, list[int]], *, panoramic: bool
    ) -> None:
        """Set ``ids`` where an object has several instances: by our own z-buffer, or else by what is nearest."""
        unsure = np.isin(seen.index, list(several)) & (ids >= 0)
        if not panoramic:
            unsure &= ~_as_drawn(frame, seen, ids, several)
        rows = np.flatnonzero(unsure)
        if not len(rows):
            return
        index = seen.index.reshape(-1)[rows]
        order = np.argsort(index, kind="stable")
        rows, index = rows[order], index[order]
        found, starts = np.unique(index, return_index=True)
        places, flat = seen.position.reshape(-1, 3), ids.reshape(-1)
        for number, part in zip(found.tolist(), np.split(rows, starts[1:]), strict=True):
            those = np.array(several[number], np.int32)
            instances = [frame.instances[i] for i in several[number]]
            flat[part] = those[self._nearest.of(places[part].astype(np.float64), instances, frame.meshes)]


def _as_drawn(
    frame: FrameGeometry, seen: Seen, ids: I32, several: Mapping[int, list[int]]
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Where our own z-buffer sees the same object as far away: there ``ids`` are set to its instance."""
    index_of = {place: number for number, places in several.items() for place in places}
    places = list(index_of)
    some = replace(frame, instances=tuple(frame.instances[place] for place in places))
    if sum(len(frame.meshes[one.mesh].triangles) for one in some.instances) > MOST_TRIANGLES:
        return np.zeros(ids.shape, bool)
    soup = triangle_soup(some)
    hits = rasterize(soup, frame.camera)
    drawn = instance_ids(hits, soup)
    numbers = np.array([*index_of.values(), -1], np.int32)
    with np.errstate(invalid="ignore"):
        near = np.abs(hits.depth - seen.depth) <= SAME_DEPTH * seen.depth
    same = near & (numbers[drawn] == seen.index) & (drawn >= 0)
    ids[same] = np.array(places, np.int32)[drawn[same]]
    return same


_NOTHING = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
