# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a scene is simulated without a baked cache: its shape hangs on every frame before. Needs bpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .saying import names_of
from .stands import find_stands
from .versions import abspath

if TYPE_CHECKING:
    from collections.abc import Generator


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


def unbaked(scene: Any, layer: Any) -> Simulated:
    """What of a layer, and of the collections it shows, is simulated in renders and not baked.

    Hidden objects count: they may move others. So does what was baked into the file itself, which cannot be told.
    """
    here = list(layer.objects)
    things = {thing.name_full: thing for stand in find_stands(here) for thing in stand.things}
    things |= {thing.name_full: thing for thing in here}
    found = {name: [*_by_modifiers(thing), *_by_particles(thing)] for name, thing in things.items()}
    cached = {name: min(frames) for name, frames in found.items() if frames} | dict(_bodies(scene))
    starts = {name: scene.frame_start for name, thing in things.items() if _by_nodes(thing)} | cached
    return Simulated(tuple(sorted(starts)), min(starts.values(), default=0), tuple(sorted(cached)))


def _by_modifiers(thing: Any) -> Generator[int]:
    """The first frame of everything that is not baked."""
    for modifier in thing.modifiers:
        if not modifier.show_render:
            continue
        if modifier.type in {"CLOTH", "SOFT_BODY"}:
            yield from _unless_kept(modifier.point_cache)
        elif modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
            for surface in modifier.canvas_settings.canvas_surfaces:
                yield from _unless_kept(surface.point_cache) if surface.is_active else ()
        elif modifier.type == "FLUID" and modifier.domain_settings is not None:
            fluid = modifier.domain_settings
            # smoke is a volume, and those are left out
            is_kept = fluid.has_cache_baked_data or fluid.domain_type == "GAS"
            yield from () if is_kept else (fluid.cache_frame_start,)


def _by_nodes(thing: Any) -> bool:
    """Whether geometry nodes simulate something that is not baked."""
    return any(
        _simulates(modifier.node_group, set()) and not any(map(_is_on_disk, _bakes(modifier)))
        for modifier in thing.modifiers
        if modifier.show_render and modifier.type == "NODES" and modifier.node_group is not None
    )


def _by_particles(thing: Any) -> Generator[int]:
    for modifier in thing.modifiers:
        if modifier.type == "PARTICLE_SYSTEM" and modifier.show_render:
            system = modifier.particle_system
            is_hair = system.settings.type == "HAIR"
            if system.use_hair_dynamics if is_hair else system.settings.physics_type != "NO":
                yield from _unless_kept(system.point_cache)


def _bodies(scene: Any) -> Generator[tuple[str, int]]:
    world = scene.rigidbody_world
    if world is None or not world.enabled or world.collection is None:
        return
    for thing in world.collection.all_objects:
        body = thing.rigid_body
        if body is not None and body.enabled and body.type == "ACTIVE" and not body.kinematic:
            yield from ((thing.name_full, frame) for frame in _unless_kept(world.point_cache))


def _unless_kept(cache: Any) -> Generator[int]:
    if not cache.is_baked and not cache.use_external:
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
