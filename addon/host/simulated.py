# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a scene is simulated without a baked cache: its shape hangs on every frame before. Needs bpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .saying import names_of
from .stands import find_stands, is_animated, layers_behind, rendered_modifiers
from .versions import abspath

if TYPE_CHECKING:
    from collections.abc import Generator
    from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Simulated:
    """Full names of the objects that are simulated and not baked, and the scene frame at which the first one begins.

    ``cached`` are those that live in a point cache, which Cycles loses when it looks at another frame.
    """

    names: tuple[str, ...]
    start: int
    cached: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """At most one sentence."""
        if not self.names:
            return []
        said = f"Every frame from {self.start} on is worked out first, in one process, which takes longer"
        return [f"Simulated without a baked cache: {names_of(self.names)}. {said}: bake the simulation."]


class Steps:
    """Which whole frames are evaluated before a time is: a simulation takes no step from a frame that it has not seen.

    ``start`` is where the first simulation begins. Nobody else changes the frame of what lives in a point cache.
    """

    def __init__(self, start: int) -> None:
        self._start, self._known = start, start - 1
        self._is_there = True

    def before(self, time: Fraction) -> range:
        """The frames to evaluate now, one after the other; ``time`` itself is evaluated after them.

        Between two frames lies what is between their states, so the one after ``time`` is among them.
        """
        is_whole = time.denominator == 1
        last = math.ceil(time)
        if last <= self._known:
            self._is_there = is_whole and last == self._known
            return range(0)
        # a step is taken from where Blender stands, not from the furthest frame that it knows
        first = max(self._start, self._known + 1 if self._is_there else self._known)
        self._known, self._is_there = last, is_whole
        return range(first, last if is_whole else last + 1)


def unbaked(scene: Any, layer: Any) -> Simulated:
    """What of a layer, of the background sets and of the collections shown is simulated in renders and not baked.

    Hidden objects count: they may move others. So does what is only simulated at times, as an animation says, and what
    was baked into the file itself, which cannot be told.
    """
    behind = layers_behind(scene, layer)
    here = [thing for _, one in behind for thing in one.objects]
    things = {thing.name_full: thing for stand in find_stands(here) for thing in stand.things}
    things |= {thing.name_full: thing for thing in here}
    found = {name: [*_by_modifiers(thing), *_by_particles(thing)] for name, thing in things.items()}
    for home, _ in behind:
        for name, frame in _bodies(home):
            found.setdefault(name, []).append(frame)
    cached = {name: min(frames) for name, frames in found.items() if frames}
    starts = {name: scene.frame_start for name, thing in things.items() if _by_nodes(thing)}
    both = {name: min(one[name] for one in (starts, cached) if name in one) for name in starts.keys() | cached.keys()}
    return Simulated(tuple(sorted(both)), min(both.values(), default=0), tuple(sorted(cached)))


def _ever(owner: Any, part: Any, name: str) -> bool:
    """Whether a property of a part of an object or scene is true now, or animated."""
    return getattr(part, name) or is_animated(owner, part.path_from_id(name))


def _by_modifiers(thing: Any) -> Generator[int]:
    """The first frame of everything that is not baked."""
    for modifier in rendered_modifiers(thing):
        if modifier.type in {"CLOTH", "SOFT_BODY"}:
            yield from _unless_kept(thing, modifier.path_from_id(), modifier.point_cache)
        elif modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
            for surface in modifier.canvas_settings.canvas_surfaces:
                if _ever(thing, surface, "is_active"):
                    yield from _unless_kept(thing, surface.path_from_id(), surface.point_cache)
        elif modifier.type == "FLUID" and modifier.domain_settings is not None:
            fluid = modifier.domain_settings
            # smoke is a volume, and those are left out
            is_kept = fluid.has_cache_baked_data or fluid.domain_type == "GAS"
            yield from () if is_kept else (fluid.cache_frame_start,)


def _by_nodes(thing: Any) -> bool:
    """Whether geometry nodes simulate something that is not baked."""
    return any(
        _simulates(modifier.node_group, set()) and not any(map(_is_on_disk, _bakes(modifier)))
        for modifier in rendered_modifiers(thing)
        if modifier.type == "NODES" and modifier.node_group is not None
    )


def _by_particles(thing: Any) -> Generator[int]:
    for modifier in rendered_modifiers(thing):
        if modifier.type == "PARTICLE_SYSTEM":
            system = modifier.particle_system
            is_hair = system.settings.type == "HAIR"
            if _ever(thing, system, "use_hair_dynamics") if is_hair else system.settings.physics_type != "NO":
                yield from _unless_kept(thing, system.path_from_id(), system.point_cache)


def _bodies(scene: Any) -> Generator[tuple[str, int]]:
    world = scene.rigidbody_world
    if world is None or world.collection is None or not _ever(scene, world, "enabled"):
        return
    for thing in world.collection.all_objects:
        body = thing.rigid_body
        if body is not None and body.type == "ACTIVE" and _ever(thing, body, "enabled") and _is_free(thing):
            frames = _unless_kept(scene, "rigidbody_world", world.point_cache)
            yield from ((thing.name_full, frame) for frame in frames)


def _is_free(thing: Any) -> bool:
    """Whether a body is ever moved by the simulation, not by its animation."""
    return not thing.rigid_body.kinematic or is_animated(thing, "rigid_body.kinematic")


def _unless_kept(owner: Any, path: str, cache: Any) -> Generator[int]:
    """``path`` leads from the owner, which is animated, to what has the cache."""
    is_external = cache.use_external and not is_animated(owner, f"{path}.point_cache.use_external")
    if not cache.is_baked and not is_external:
        yield cache.frame_start


def _simulates(tree: Any, seen: set[str]) -> bool:
    """Whether a node tree has a simulation zone, groups opened."""
    seen.add(tree.name_full)
    if any(node.bl_idname == "GeometryNodeSimulationOutput" and not node.mute for node in tree.nodes):
        return True
    inner = [node.node_tree for node in tree.nodes if node.type == "GROUP" and node.node_tree is not None]
    return any(_simulates(one, seen) for one in inner if one.name_full not in seen)


def _bakes(modifier: Any) -> Generator[str]:
    """Folders in which a bake of a zone would lie."""
    for bake in modifier.bakes:
        if bake.use_custom_path:
            yield bake.directory
        elif modifier.bake_directory:
            yield f"{modifier.bake_directory}/{bake.bake_id}"


def _is_on_disk(directory: str) -> bool:
    folder = Path(abspath(directory)) if directory else None
    return folder is not None and folder.is_dir() and any(folder.iterdir())
