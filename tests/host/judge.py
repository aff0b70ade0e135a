# SPDX-License-Identifier: GPL-3.0-or-later
"""Our pictures of a scene beside Cycles' and Embree's, in figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from second_unit.addon.conditioning.drawing.flow import flow
from second_unit.addon.conditioning.drawing.normal import normals
from second_unit.addon.conditioning.drawing.raster import Hits, instance_ids, rasterize
from second_unit.addon.conditioning.drawing.soup import Soup, triangle_soup
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh

F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FAR = 1e9
"""Cycles writes 1e10 where there is nothing."""

SAME = 1e-3
"""Relative difference in depth above which two answers mean different surfaces."""

NEARBY = 0.01
"""Pixels around a centre within which a ray with the other answer excuses a difference."""


@dataclass(frozen=True)
class Cycles:
    """Planar depth (H, W), +inf for nothing; world normal (H, W, 3); forward flow (H, W, 2), y down.

    ``flow_depth`` is the depth in the render that made the flow: it moves what is mirrored and sheared elsewhere.
    """

    depth: F64
    normal: F64
    flow: F64
    flow_depth: F64


@dataclass(frozen=True)
class Ours:
    """The same from our own code, and what it was made from."""

    geometry: FrameGeometry
    soup: Soup
    raw: Hits
    depth: F64
    normal: F64
    flow: F64
    known: Bools

    @property
    def camera(self) -> Camera:
        return self.geometry.camera


def load_frame(file: Path) -> FrameGeometry:
    """What `scripts/geometry.py` kept."""
    with np.load(file) as kept:
        about: dict[str, Any] = json.loads(str(kept["about"]))
        names = ("positions", "triangles", "normals", "normal_index")
        meshes = tuple(
            Mesh(**{name: kept[f"{name}{i}"] for name in names if f"{name}{i}" in kept}) for i in range(about["meshes"])
        )
        things = zip(about["instances"], kept["matrices"], strict=True)
        instances = tuple(Instance(i["key"], i["mesh"], matrix, holdout=i["holdout"]) for i, matrix in things)
        camera = Camera(**about["camera"], world_to_camera=kept["world_to_camera"])
    return FrameGeometry(Fraction(5), camera, meshes, instances, (), ())


def load_cycles(folder: Path, name: str) -> Cycles:
    """The multilayer EXRs of `scripts/geometry.py`."""
    plain, moving = _planes(folder / f"{name}.exr"), _planes(folder / f"{name}.vector.exr")
    normal = np.stack([plain[f"Normal.{axis}"] for axis in "XYZ"], -1)
    flow_ = np.stack([-moving["Vector.Z"], moving["Vector.W"]], -1)
    return Cycles(_depth(plain), normal, flow_, _depth(moving))


def _planes(file: Path) -> dict[str, F64]:
    """All channels of all parts by name, without the layer's."""
    planes: dict[str, F64] = {}
    with OpenEXR.File(str(file), separate_channels=True) as exr:
        for part in exr.parts:
            for name, channel in part.channels.items():
                planes[name.removeprefix("ViewLayer.")] = channel.pixels.astype(np.float64)
    return planes


def _depth(planes: dict[str, F64]) -> F64:
    return np.where(planes["Depth.Z"] > FAR, np.inf, planes["Depth.Z"])


def ours(geometry: FrameGeometry, following: FrameGeometry) -> Ours:
    """Draw a frame; holdouts end up as background, as in `frame.draw`."""
    soup = triangle_soup(geometry)
    raw = rasterize(soup, geometry.camera)
    held = np.array([*(one.holdout for one in geometry.instances), False])[instance_ids(raw, soup)]
    hits = Hits(np.where(held, np.float32(np.inf), raw.depth), np.where(held, np.int32(-1), raw.triangle))
    normal = normals(hits, soup, geometry.camera) @ geometry.camera.world_to_camera[:3, :3]
    motion, known = flow(hits, soup, geometry, following)
    return Ours(geometry, soup, raw, hits.depth.astype(np.float64), normal, motion.astype(np.float64), known)


class Rays:
    """Embree over a soup."""

    def __init__(self, soup: Soup, camera: Camera) -> None:
        self._scene, self._camera, self._soup = EmbreeScene(), camera, soup
        self._mesh = TriangleMesh(self._scene, soup.vertices[soup.triangles])

    def cast(self, u: F64, v: F64) -> tuple[F64, npt.NDArray[np.int64]]:
        """Planar depth, +inf for nothing, and instance, -1 for nothing, at pixels (n,)."""
        camera = self._camera
        x, y, one = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)
        if camera.orthographic:
            origin, ray = np.stack([x, y, one * camera.near], -1), np.stack([0 * x, 0 * y, one], -1)
        else:
            ray = np.stack([x, y, one], -1)
            origin = ray * camera.near
        found = self._scene.run(origin.astype(np.float32), ray.astype(np.float32), output=True, query="INTERSECT")
        depth = camera.near + found["tfar"].astype(np.float64)
        hit = (found["primID"] >= 0) & (depth <= camera.far)
        return np.where(hit, depth, np.inf), np.where(hit, self._soup.instance[found["primID"]], -1)


def pixels(camera: Camera) -> tuple[F64, F64]:
    """Pixel centres (H * W,)."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return u.reshape(-1), v.reshape(-1)


def differ(depth: F64, other: F64) -> Bools:
    """Where two answers are not the same surface."""
    nothing, nothing_there = np.isinf(depth), np.isinf(other)
    with np.errstate(invalid="ignore"):
        apart = np.abs(depth - other) > SAME * np.abs(np.minimum(depth, other))
    return np.where(nothing | nothing_there, nothing != nothing_there, apart)


def excused(rays: Rays, where: tuple[F64, F64], answers: F64, held: set[int]) -> Bools:
    """Whether a ray within `NEARBY` of each place (n,) has the answer (n,) given for it."""
    turns, radii = np.arange(24) * (2 * np.pi / 24), NEARBY * np.array([0.02, 0.1, 0.3, 0.6, 1.0])
    found = np.zeros(len(answers), bool)
    for radius in radii:
        for turn in turns:
            depth, instance = rays.cast(where[0] + radius * np.cos(turn), where[1] + radius * np.sin(turn))
            found |= ~differ(np.where(np.isin(instance, list(held)), np.inf, depth), answers)
    return found


@dataclass(frozen=True)
class Verdict:
    """Figures of one scene.

    Pixels that both hit; those where a judge sees another surface or none, and how many of them have no excuse; the
    errors in relative depth (p99.9), in degrees between normals (p99) and in pixels of flow (p99); the longest motion,
    and the longest of the background.
    """

    hit: int
    cycles: int
    cycles_wrong: int
    embree: int
    embree_wrong: int
    depth: float
    depth_embree: float
    angle: float
    motion: float
    longest: float
    background: float


def judge(mine: Ours, theirs: Cycles) -> Verdict:
    """Compare everything."""
    rays, (u, v) = Rays(mine.soup, mine.camera), pixels(mine.camera)
    held = {i for i, one in enumerate(mine.geometry.instances) if one.holdout}
    wrong = differ(mine.depth, theirs.depth).reshape(-1)
    excuse = excused(rays, (u[wrong], v[wrong]), theirs.depth.reshape(-1)[wrong], held)
    traced, instance = rays.cast(u, v)
    raw = mine.raw.depth.reshape(-1).astype(np.float64)
    apart = differ(raw, traced)
    embree_excuse = excused(rays, (u[apart], v[apart]), raw[apart], set())
    assert (instance_ids(mine.raw, mine.soup).reshape(-1) == instance)[~apart].mean() > 0.999
    both = np.isfinite(mine.depth) & np.isfinite(theirs.depth) & ~wrong.reshape(mine.depth.shape)
    cosine = np.clip((mine.normal[both] * theirs.normal[both]).sum(-1), -1, 1)
    same = both & mine.known & ~differ(mine.depth, theirs.flow_depth)
    sound = np.isfinite(raw) & ~apart
    return Verdict(
        hit=int(both.sum()), cycles=int(wrong.sum()), cycles_wrong=int((~excuse).sum()),
        embree=int(apart.sum()), embree_wrong=int((~embree_excuse).sum()),
        depth=_high(mine.depth[both] / theirs.depth[both] - 1, 0.999),
        depth_embree=_high(raw[sound] / traced[sound] - 1, 0.999),
        angle=_high(np.degrees(np.arccos(cosine)), 0.99),
        motion=_high(np.abs(mine.flow - theirs.flow).max(-1)[same], 0.99),
        longest=_high(theirs.flow[both], 1), background=_high(theirs.flow[~np.isfinite(theirs.flow_depth)], 1),
    )  # fmt: skip


def _high(errors: F64, share: float) -> float:
    """That quantile of the absolute values; 0 without any."""
    return float(np.quantile(np.abs(errors), share)) if errors.size else 0.0
