# SPDX-License-Identifier: GPL-3.0-or-later
"""``condition``: every shot into a control package, or the package it already has."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conditioning.aside import sweep
from ..conditioning.cache import FrameCache
from ..conditioning.package import PASSES, Encode, PackageOrder, check_passes, find_package, make_package
from ..errors import CancelledByUser, StorageError, UsageError
from ..host.blender import run_task
from ..host.codec import BlenderCodec, MovieOrder
from ..shot.camera import Crop
from ..shot.package import load_current, save_current
from ..shot.ports import part_of
from ..shot.profile import Profile, Quality, load_profile
from ..shot.timing import FrameRange, as_is
from .about import extension_version
from .context import BlockedShot, blocked_shots, record_shots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..shot.ports import Progress
    from ..shot.shot import SceneInfo
    from ..shot.timing import FrameMap
    from .console import Bar
    from .context import Context

# raw depth 4, and as PNG playblast, depth, depth16, pose, guide: 10 at worst, 5 on the example
_BYTES_PER_PIXEL = 14


@dataclass(frozen=True, slots=True)
class ConditionOptions:
    """What the command line may change. ``frames`` narrows every shot, ``size`` overrides the profile's."""

    frames: FrameRange | None = None
    passes: tuple[str, ...] = PASSES
    profile: str | None = None
    quality: str | None = None
    size: tuple[int, int] | None = None
    jobs: int = 1
    renderer: str = "auto"


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A shot and its current package. ``made`` is False when it existed already."""

    blocked: BlockedShot
    package: Path
    frame_map: FrameMap
    made: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    blocked: BlockedShot
    frame_map: FrameMap
    profile: Profile
    quality: Quality
    size: tuple[int, int]
    passes: tuple[str, ...]
    renderer: str = "auto"
    is_narrowed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether this becomes the shot's current package: a look at some frames or passes does not replace it."""
        return not self.is_narrowed and set(self.passes) == set(PASSES)


def condition(context: Context, info: SceneInfo, options: ConditionOptions) -> list[Conditioned]:
    """Make or find the package of every shot asked for, ``options.jobs`` at a time."""
    plans = _plans(context, info, options)
    if context.dry_run:
        for plan in plans:
            _announce(context, plan)
        return []
    sweep([context.project.cache, *(context.project.shot(shot.folder).packages for shot in context.project.shots())])
    _check_space(context, plans)
    record_shots(context, [plan.blocked for plan in plans])
    bar = context.console.step("Conditioning")
    made = _in_parallel(context, info, plans, bar, options.jobs)
    new = sum(item.made for item in made)
    bar.finish(f"{len(made)} packages, {new} new")
    for item in made:
        context.console.record("package", _record(item))
    return made


def _in_parallel(
    context: Context, info: SceneInfo, plans: Sequence[_Plan], bar: Bar, jobs: int
) -> list[Conditioned]:  # fmt: skip
    """``jobs`` shots at a time. When one fails, or somebody interrupts, the others stop at their next frame."""
    stop = threading.Event()
    tracks = [_stoppable(bar.part(i, len(plans), plan.blocked.shot.name), stop) for i, plan in enumerate(plans)]
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        try:
            return list(pool.map(partial(_one, context, info), plans, tracks))
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _stoppable(progress: Progress, stop: threading.Event) -> Progress:
    def checked(done: float, total: float, note: str = "", /) -> None:
        if stop.is_set():
            raise CancelledByUser("Conditioning was stopped.", "Run the same command again to go on from here.")
        progress(done, total, note)

    return checked


def _plans(context: Context, info: SceneInfo, options: ConditionOptions) -> list[_Plan]:
    profile = load_profile(options.profile or context.settings.profile)
    quality = profile.quality(options.quality or context.settings.quality)
    size = options.size or quality.size
    profile.check_size(size)
    passes = check_passes(options.passes)
    plans = [_plan(b, options, (profile, quality, size, passes)) for b in blocked_shots(context, info)]
    kept = [plan for plan in plans if plan is not None]
    if not kept:
        raise UsageError(
            "No shot has frames in that range.", f"The scene runs from {info.frames.first} to {info.frames.last}."
        )
    return kept


def _plan(
    blocked: BlockedShot, options: ConditionOptions, how: tuple[Profile, Quality, tuple[int, int], tuple[str, ...]]
) -> _Plan | None:
    profile, quality, size, passes = how
    cut, handles = blocked.blocking.cut, blocked.blocking.handles or quality.handles
    if options.frames is not None:
        first, last = max(cut.first, options.frames.first), min(cut.last, options.frames.last)
        if first > last:
            return None
        cut, handles = FrameRange(first, last), (0, 0)
    is_narrowed = options.frames is not None
    frame_map = as_is(cut, handles, profile.rule)
    return _Plan(blocked, frame_map, profile, quality, size, passes, options.renderer, is_narrowed)


def _announce(context: Context, plan: _Plan) -> None:
    frames, chunks = len(plan.frame_map.plates), plan.frame_map.chunks
    context.console.say(
        f"{plan.blocked.shot.name}: {frames} frames at {plan.size[0]}x{plan.size[1]} in {len(chunks)} "
        f"submission(s) of {', '.join(str(len(c)) for c in chunks)} model frames, about {_need(plan) / 1e6:.0f} MB"
    )
    context.console.record(
        "plan", {"shot": plan.blocked.shot.name, "frames": frames, "chunks": [len(c) for c in chunks]}
    )


def _need(plan: _Plan) -> int:
    return len(plan.frame_map.times) * plan.size[0] * plan.size[1] * _BYTES_PER_PIXEL


def _check_space(context: Context, plans: Sequence[_Plan]) -> None:
    """Refuse before the first frame what cannot end well."""
    parent = next(p for p in (context.project.root, *context.project.root.parents) if p.is_dir())
    # a shot with a package is most likely in the cache as well: what is there already needs no space
    new = [plan for plan in plans if not context.project.shot(plan.blocked.shot.folder).current.is_file()]
    need, free = sum(_need(plan) for plan in new), shutil.disk_usage(parent).free
    if need > free:
        raise StorageError(
            f"The shots need about {need / 1e6:.0f} MB and '{parent}' has {free / 1e6:.0f} MB left.",
            "Free some space, choose another folder with --project, or fewer shots with --shot.",
        )


def _one(context: Context, info: SceneInfo, plan: _Plan, progress: Progress) -> Conditioned:
    cache = FrameCache(context.project.cache)
    drawing, packing = part_of(progress, 0.0, 0.8), part_of(progress, 0.8, 0.2)
    found = run_task(context.blender(), "condition", _task(context, plan, cache), drawing)
    for note in found.get("notes", []):
        context.console.say(f"  {plan.blocked.shot.name}: {note}")
    order = _order(context, info, plan, found)
    paths = context.project.shot(plan.blocked.shot.folder)
    known = find_package(paths.packages, order)
    package = known or make_package(paths.packages, order, cache, _encoder(context), packing)
    if plan.is_whole and load_current(paths.current) != package.name:
        save_current(paths.current, package.name)
    return Conditioned(plan.blocked, package, plan.frame_map, made=known is None)


def _encoder(context: Context) -> Encode:
    codec = BlenderCodec(context.blender())
    return lambda movies: codec.encode_all([MovieOrder(*movie) for movie in movies])


def _order(context: Context, info: SceneInfo, plan: _Plan, found: Mapping[str, Any]) -> PackageOrder:
    """What the package is made from, once the frames are drawn."""
    shot = plan.blocked.shot
    return PackageOrder(
        shot_uuid=shot.uuid, shot_name=shot.name, fps=info.fps, frame_map=plan.frame_map,
        source={"blend": context.blend.name, "blender": info.blender, "second_unit": extension_version()},
        hashes=dict(zip(plan.frame_map.times, found["hashes"], strict=True)), size=plan.size,
        crop=Crop(*found["crop"]), profile=plan.profile, quality=plan.quality.name, people=tuple(found["people"]),
        passes=plan.passes, metres_per_unit=float(found.get("metres_per_unit", 1.0)), renderer=plan.renderer,
    )  # fmt: skip


def _task(context: Context, plan: _Plan, cache: FrameCache) -> dict[str, object]:
    return {
        "blend": str(context.blend), "scene": context.scene, "camera": plan.blocked.blocking.camera,
        "times": [str(t) for t in plan.frame_map.times], "meter": plan.blocked.blocking.cut.first,
        "size": list(plan.size), "cache": str(cache.root),
    }  # fmt: skip


def _record(item: Conditioned) -> dict[str, object]:
    return {"shot": item.blocked.shot.name, "package": str(item.package), "new": item.made}
