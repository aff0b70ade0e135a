# SPDX-License-Identifier: GPL-3.0-or-later
"""``condition``: every shot into a control package, or the package it already has."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..conditioning.cache import FrameCache
from ..conditioning.files.aside import sweep
from ..conditioning.heap import keep_freed_memory
from ..conditioning.package import DepthChoice, Encode, PackageOrder, find_package, make_package, view_notes
from ..conditioning.passes import PASSES, USUAL, bytes_per_pixel, check_passes
from ..conditioning.pictures.depth import DepthRange, checked_range
from ..errors import StorageError, UsageError
from ..host.codec import BlenderCodec, MovieOrder
from ..shot.camera import Crop, Delivery, crop_for
from ..shot.package import load_current, load_manifest, save_current
from ..shot.plan import best_size, check_frame, plan_shot, said_model, sentences
from ..shot.ports import part_of
from ..shot.profile import Kind, Profile, Quality, load_profile
from ..shot.timing import FrameRange, as_is
from .about import extension_version
from .context import BlockedShot, blocked_shots, record_shots
from .drawing import Crew, FrameOrder, draw_frames, settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..shot.package import Manifest
    from ..shot.plan import ShotPlan
    from ..shot.ports import Progress
    from ..shot.shot import SceneInfo
    from ..shot.timing import FrameMap
    from .context import Context
    from .drawing import Drawn


@dataclass(frozen=True, slots=True)
class ConditionOptions:
    """What the command line may change. ``frames`` narrows every shot, ``size`` overrides the profile's."""

    frames: FrameRange | None = None
    passes: tuple[str, ...] | None = None
    profile: str | None = None
    quality: str | None = None
    size: tuple[int, int] | None = None
    jobs: int = 1
    renderer: str = "auto"
    depth: tuple[float, float] | None = None
    lock_depth: str | None = None


@dataclass(frozen=True, slots=True)
class Conditioned:
    """A shot and its current package. ``made`` is False when it existed already."""

    blocked: BlockedShot
    package: Path
    frame_map: FrameMap
    made: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """One package to be. ``depth`` is a fixed near and far, ``lock`` the shot whose range this one has."""

    blocked: BlockedShot
    cut: FrameRange
    handles: tuple[int, int]
    frame_map: FrameMap
    profile: Profile
    quality: Quality
    size: tuple[int, int]
    passes: tuple[str, ...]
    renderer: str = "auto"
    is_whole: bool = True
    depth: tuple[float, float] | None = None
    lock: str = ""


_Depth = tuple[tuple[float, float] | None, str]
_How = tuple[Profile, Quality, tuple[int, int], tuple[str, ...], _Depth]


def condition(context: Context, info: SceneInfo, options: ConditionOptions) -> list[Conditioned]:
    """Make or find the package of every shot asked for, ``options.jobs`` at a time."""
    plans = _plans(context, info, options)
    _say_lock(context, plans, options)
    if context.dry_run:
        for plan in plans:
            _announce(context, info, plan)
        return []
    cache, folders = context.project.cache, [context.project.shot(s.folder).packages for s in context.project.shots()]
    sweep([cache, *cache.glob("[0-9a-f]*"), *folders, *(folder.parent for folder in folders)])
    _check_space(context, plans)
    keep_freed_memory()
    for plan in plans:
        _say_stills(context, info, plan)
    record_shots(context, [plan.blocked for plan in plans])
    bar = context.console.step("Conditioning")
    # who lends the range of a depth goes first
    groups = [[plan for plan in plans if bool(plan.lock) == is_locked] for is_locked in (False, True)]
    tracks = {id(plan): bar.part(i, len(plans), plan.blocked.shot.name) for i, plan in enumerate(plans)}
    done = {
        id(plan): item
        for group in groups
        for plan, item in zip(group, _in_parallel(context, info, group, tracks, options.jobs), strict=True)
    }
    made = [done[id(plan)] for plan in plans]
    new = sum(item.made for item in made)
    bar.finish(f"{len(made)} packages, {new} new")
    for item in made:
        context.console.record("package", _record(item))
    return made


def _in_parallel(
    context: Context, info: SceneInfo, plans: Sequence[_Plan], tracks: Mapping[int, Progress], jobs: int
) -> list[Conditioned]:  # fmt: skip
    """``jobs`` children at a time, for several shots or parts of one.

    When one fails, or somebody interrupts, the others stop at their next frame.
    """
    parts = -(-jobs // max(len(plans), 1))
    with ThreadPoolExecutor(max_workers=jobs) as children, ThreadPoolExecutor(max_workers=jobs) as shots:
        crew = Crew(context.blender(), children)
        one = partial(_one, context, info, crew, parts)
        return settled([shots.submit(one, plan, crew.watched(tracks[id(plan)])) for plan in plans], crew.stop)


def _plans(context: Context, info: SceneInfo, options: ConditionOptions) -> list[_Plan]:
    profile = load_profile(options.profile or context.settings.profile, context.project.profiles)
    quality = profile.quality(options.quality or context.settings.quality)
    size = options.size or best_size(profile, quality, _delivery(info))[0]
    profile.check_size(size)
    check_frame(_delivery(info), size)
    more = check_passes(context.settings.passes)
    usual = tuple(name for name in PASSES if name in (*USUAL, *profile.controls, *more))
    passes = usual if options.passes is None else check_passes(options.passes)
    # a look at some frames or passes does not replace the shot's package
    whole = options.frames is None and passes == usual
    how = (profile, quality, size, passes, _depth(context, options))
    plans = [_plan(blocked, options, how, is_whole=whole) for blocked in blocked_shots(context, info)]
    kept = [plan for plan in plans if plan is not None]
    if not kept:
        raise UsageError(
            "No shot has frames in that range.", f"The scene runs from {info.frames.first} to {info.frames.last}."
        )
    for lock in {plan.lock for plan in kept if plan.lock}:
        if not any(plan.is_whole for plan in kept if plan.blocked.shot.name == lock):
            _check_lender(context, info, lock)
    return kept


def _plan(blocked: BlockedShot, options: ConditionOptions, how: _How, *, is_whole: bool) -> _Plan | None:
    profile, quality, size, passes, depth = how
    cut, handles = blocked.blocking.cut, blocked.blocking.handles or quality.handles
    if options.frames is not None:
        first, last = max(cut.first, options.frames.first), min(cut.last, options.frames.last)
        if first > last:
            return None
        cut, handles = FrameRange(first, last), (0, 0)
    frame_map = as_is(cut, handles, profile.rule)
    fixed, lock = depth
    return _Plan(
        blocked, cut, handles, frame_map, profile, quality, size, passes, options.renderer, is_whole, fixed,
        lock if lock != blocked.shot.name else "",
    )  # fmt: skip


def _depth(context: Context, options: ConditionOptions) -> _Depth:
    """What was asked for: a fixed near and far, or the shot whose range all have. The command line comes first."""
    if options.depth is not None and options.lock_depth:
        raise UsageError("Depth can be fixed or shared, not both.", "Give one of the two.")
    said = options if options.depth is not None or options.lock_depth else context.settings
    if said.depth is not None and said.lock_depth:
        raise UsageError("[depth] in project.toml fixes a range and shares one as well.", "Keep one of the two there.")
    if said.depth is not None:
        return checked_range(*said.depth), ""
    return None, said.lock_depth or ""


def _check_lender(context: Context, info: SceneInfo, lock: str) -> None:
    """Raise `UsageError` when no shot of that name can lend the range of its depth."""
    names = sorted(shot.name for shot in info.shots)
    if lock not in names and lock not in [shot.name for shot in context.project.shots()]:
        raise UsageError(
            f"There is no shot '{lock}' whose depth could be shared.", f"The scene has: {', '.join(names)}."
        )
    _lent(context, lock)


def _say_lock(context: Context, plans: Sequence[_Plan], options: ConditionOptions) -> None:
    """What was asked for on the command line and changes nothing is said."""
    if options.lock_depth and not any(plan.lock for plan in plans):
        name = options.lock_depth
        _note(context, name, f"no other shot is conditioned here to share its depth: {name} keeps a range of its own.")


def _say_stills(context: Context, info: SceneInfo, plan: _Plan) -> None:
    """A model of stills gets one for each frame: more than most want of a shot."""
    if plan.profile.kind is Kind.STILL and len(plan.frame_map.plates) > 1:
        _note(context, plan.blocked.shot.name, said_model(_shot_plan(info, plan)))
        _say_single(context, plan)


def _say_single(context: Context, plan: _Plan) -> None:
    if plan.profile.kind is Kind.STILL and len(plan.frame_map.plates) > 1:
        context.console.say(f"  For a single still give --frames {plan.cut.first}-{plan.cut.first}.")


def _note(context: Context, shot: str, text: str) -> None:
    context.console.say(f"  {shot}: {text}")
    context.console.record("note", {"shot": shot, "text": text})


def _lent(context: Context, lock: str) -> Manifest:
    """The package of the shot that lends the range of its depth. Raises `UsageError` when there is none."""
    for shot in context.project.shots():
        paths = context.project.shot(shot.folder)
        current = load_current(paths.current) if shot.name == lock else None
        if current and (paths.packages / current).is_dir():
            return load_manifest(paths.packages / current)
    raise UsageError(f"The shot '{lock}' has no package whose depth could be shared.", f"Condition '{lock}' first.")


def _choice(context: Context, plan: _Plan) -> DepthChoice:
    if not plan.lock:
        return DepthChoice(plan.depth)
    found = _lent(context, plan.lock).depth
    # the 8-bit pictures of another encoding have a range of another kind
    is_alike = found.grey is not None and found.grey.encoding == plan.profile.depth_encoding
    grey = found.grey if found.grey is not None and is_alike else found
    return DepthChoice(locked=DepthRange(found.near, found.far), grey=DepthRange(grey.near, grey.far))


def _announce(context: Context, info: SceneInfo, plan: _Plan) -> None:
    """What this shot becomes and needs, before anything is drawn."""
    found = _shot_plan(info, plan)
    said = sentences(found)
    context.console.say("\n  ".join(said))
    _say_single(context, plan)
    context.console.record("plan", {**found.to_json(), "sentences": list(said)})


def _shot_plan(info: SceneInfo, plan: _Plan) -> ShotPlan:
    return plan_shot(
        plan.blocked.shot.name, plan.profile, plan.cut, plan.handles, plan.frame_map,
        fps=info.fps, picture=(plan.size, crop_for(_delivery(info).frame, plan.size)), disk=_need(plan),
    )  # fmt: skip


def _delivery(info: SceneInfo) -> Delivery:
    return Delivery(*info.size, info.pixel_aspect)


def _need(plan: _Plan) -> int:
    return int(len(plan.frame_map.times) * plan.size[0] * plan.size[1] * bytes_per_pixel(plan.passes))


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


def _one(
    context: Context, info: SceneInfo, crew: Crew, parts: int, plan: _Plan, progress: Progress
) -> Conditioned:  # fmt: skip
    cache = FrameCache(context.project.cache)
    drawing, packing = part_of(progress, 0.0, 0.8), part_of(progress, 0.8, 0.2)
    drawn = draw_frames(crew, _frames(context, plan), parts, drawing)
    order = _order(context, info, plan, drawn)
    for note in (*order.notes, *view_notes(order, cache)):
        _note(context, plan.blocked.shot.name, note)
    paths = context.project.shot(plan.blocked.shot.folder)
    known = find_package(paths.packages, order)
    package = known or make_package(paths.packages, order, cache, _encoder(context), packing)
    if plan.is_whole and load_current(paths.current) != package.name:
        save_current(paths.current, package.name)
    return Conditioned(plan.blocked, package, plan.frame_map, made=known is None)


def _encoder(context: Context) -> Encode:
    codec = BlenderCodec(context.blender())
    return lambda movies: codec.encode_all([MovieOrder(*movie) for movie in movies])


def _order(context: Context, info: SceneInfo, plan: _Plan, drawn: Drawn) -> PackageOrder:
    """What the package is made from, once the frames are drawn."""
    shot, facts = plan.blocked.shot, drawn.facts
    return PackageOrder(
        shot_uuid=shot.uuid, shot_name=shot.name, fps=info.fps, frame_map=plan.frame_map,
        source={"blend": context.blend.name, "blender": info.blender, "second_unit": extension_version()},
        hashes=drawn.hashes, following=drawn.following, size=plan.size, crop=Crop(*facts["crop"]),
        profile=plan.profile, quality=plan.quality.name, people=tuple(facts["people"]), passes=plan.passes,
        metres_per_unit=float(facts.get("metres_per_unit", 1.0)), renderer=facts.get("renderer") or {},
        people_told=tuple(facts.get("people_told") or ()), depth=_choice(context, plan),
        notes=tuple(sorted(drawn.notes)),
    )  # fmt: skip


def _frames(context: Context, plan: _Plan) -> FrameOrder:
    return FrameOrder(
        context.blend, context.scene, plan.blocked.blocking.camera, plan.frame_map.times,
        plan.blocked.blocking.cut.first, plan.size, plan.passes, plan.renderer, context.project.cache,
    )  # fmt: skip


def _record(item: Conditioned) -> dict[str, object]:
    return {"shot": item.blocked.shot.name, "package": str(item.package), "new": item.made}
