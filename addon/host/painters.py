# SPDX-License-Identifier: GPL-3.0-or-later
"""Who draws the frames of a shot into the cache: our z-buffer, or Cycles where that cannot. Needs bpy for Cycles only.

Flow leads from a frame to the one that follows, so a painter keeps one frame back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..conditioning.drawing.frame import draw, draw_flow, find_surfaces, held_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from ..conditioning.cache import FrameCache
    from ..conditioning.drawing.exposure import Exposure
    from ..conditioning.drawing.frame import Surfaces
    from ..shot.camera import Crop
    from ..shot.geometry import FrameGeometry
    from .cycles import CyclesEye, Looked

ALGORITHM = "second-unit-zbuffer/5"
"""Part of every frame hash: raise it when the same scene would be drawn differently."""
CYCLES = "second-unit-cycles/4"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn, and where it goes. ``extras`` are layers of `cache.EXTRAS`.

    ``crop`` is where the delivered picture lies, all of it when not given.
    """

    cache: FrameCache
    exposure: Exposure
    size: tuple[int, int]
    extras: tuple[str, ...]
    with_flow: bool
    crop: Crop | None = None

    def hash(self, algorithm: str, digest: str) -> str:
        """The name of a frame in the cache."""
        what = f"{algorithm}|{digest}|{self.size}|{self.crop!r}|{self.exposure!r}"
        return hashlib.sha256(what.encode()).hexdigest()


class Painter(Protocol):
    """Takes the frames of a shot in order."""

    @property
    def needs_next(self) -> bool:
        """Whether the last frame needs to know the one after it."""
        ...

    def take(self, time: Fraction, geometry: FrameGeometry, digest: str) -> None:
        """Draw a frame, unless it is known. ``digest`` is of everything that was read."""
        ...

    def follow(self, geometry: FrameGeometry, digest: str) -> None:
        """Hear of the frame after the last one."""
        ...

    def finish(self) -> tuple[list[str], list[str]]:
        """Hashes of the frames taken, and of what follows them (empty without flow)."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """A frame that waits for its next one."""

    key: str
    geometry: FrameGeometry
    surfaces: Surfaces | None


class ZbufferPainter:
    """Draws what is not in the cache yet."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._hashes: list[str] = []
        self._following: list[str] = []
        self._held: _Held | None = None

    @property
    def needs_next(self) -> bool:
        """See `Painter`."""
        return self._drawing.with_flow

    def take(self, time: Fraction, geometry: FrameGeometry, digest: str) -> None:
        """See `Painter`."""
        del time
        drawing = self._drawing
        key = drawing.hash(ALGORITHM, digest)
        self._follow(key, geometry)
        surfaces = None
        missing = drawing.cache.missing(key, drawing.extras)
        if missing is not None:
            surfaces = find_surfaces(geometry)
            drawn = draw(geometry, drawing.exposure, missing, surfaces, drawing.crop)
            drawing.cache.store(key, drawn, geometry.camera)
        self._hashes.append(key)
        self._held = _Held(key, geometry, surfaces)

    def follow(self, geometry: FrameGeometry, digest: str) -> None:
        """See `Painter`."""
        self._follow(self._drawing.hash(ALGORITHM, digest), geometry)

    def finish(self) -> tuple[list[str], list[str]]:
        """See `Painter`."""
        return self._hashes, self._following

    def _follow(self, key: str, geometry: FrameGeometry) -> None:
        held, cache = self._held, self._drawing.cache
        if held is None or not self._drawing.with_flow:
            return
        if not cache.holds(held.key, following=key):
            cache.store_flow(held.key, key, draw_flow(held.geometry, geometry, held.surfaces))
        self._following.append(key)


class CyclesPainter:
    """Renders every frame anew: what Cycles sees hangs on more than anybody can compare beforehand.

    So the hash is of what came out, and equal pictures are one frame; what a flow leads to is named by the flow itself.
    ``crop`` tells where the delivery frame lies.
    """

    def __init__(self, drawing: Drawing, eye: CyclesEye, crop: Callable[[], Crop | None]) -> None:
        self._drawing, self._eye, self._crop = drawing, eye, crop
        self._waiting: tuple[Fraction, FrameGeometry] | None = None
        self._hashes: list[str] = []
        self._following: list[str] = []

    @property
    def needs_next(self) -> bool:
        """See `Painter`."""
        return self._drawing.with_flow

    def take(self, time: Fraction, geometry: FrameGeometry, digest: str) -> None:
        """See `Painter`."""
        self.follow(geometry, digest)
        self._waiting = time, geometry
        if not self._drawing.with_flow:
            self.follow(geometry, digest)

    def follow(self, geometry: FrameGeometry, digest: str) -> None:
        """See `Painter`."""
        del digest
        crop = self._crop()
        if self._waiting is not None and crop is not None:
            time, waiting = self._waiting
            self._waiting = None
            looked = self._eye.look(waiting, time, geometry, crop)
            looked.flow[held_out(looked.geometry, looked.surfaces.ids)] = 0
            self._keep(waiting, looked)

    def finish(self) -> tuple[list[str], list[str]]:
        """See `Painter`."""
        return self._hashes, self._following

    def _keep(self, geometry: FrameGeometry, looked: Looked) -> None:
        drawing, cache = self._drawing, self._drawing.cache
        key = drawing.hash(CYCLES, _content(looked, geometry))
        missing = cache.missing(key, drawing.extras)
        if missing is not None:
            drawn = draw(looked.geometry, drawing.exposure, missing, looked.surfaces, drawing.crop)
            cache.store(key, drawn, geometry.camera)
        self._hashes.append(key)
        if drawing.with_flow:
            motion = hashlib.sha256(np.ascontiguousarray(looked.flow).tobytes()).hexdigest()
            if not cache.holds(key, following=motion):
                cache.store_flow(key, motion, looked.flow)
            self._following.append(motion)


def _content(looked: Looked, geometry: FrameGeometry) -> str:
    """Hash of what was seen and what it is called, and of the people, who are drawn over it."""
    digest = hashlib.sha256()
    for array in (looked.surfaces.hits.depth, looked.surfaces.ids, looked.surfaces.normal):
        digest.update(np.ascontiguousarray(array).tobytes())
    for one in looked.geometry.instances:
        digest.update(repr((one.key, one.person, one.holdout, one.tag)).encode())
    camera = geometry.camera
    digest.update(repr((camera.fx, camera.fy, camera.cx, camera.cy)).encode())
    digest.update(repr((camera.near, camera.far, camera.orthographic, camera.lens)).encode())
    digest.update(camera.world_to_camera.tobytes())
    for light in geometry.lights:
        digest.update(repr(light).encode())
    for person in geometry.people:
        digest.update(person.key.encode() + person.joints.tobytes() + np.float64(person.reach).tobytes())
    return digest.hexdigest()
