# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a scene is rendered at some time, and where collections stand in it as instances. Reads bpy objects only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .versions import action_curves

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import numpy.typing as npt

_DEEPEST = 8
"""Blender follows instances no further."""
_FILLER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Stand:
    """One appearance of a collection: the empties that bring it there, the outermost first.

    ``steps`` are the places of the inner ones among all objects of the collection they are in. ``things`` are all
    objects of the collection, which Blender numbers in this order, ``rendered`` the full names of those to be seen.
    """

    instancers: tuple[Any, ...]
    steps: tuple[int, ...]
    things: tuple[Any, ...]
    rendered: frozenset[str]

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """Different for every stand of a scene and the same in every frame."""
        return self.instancers[0].name_full, self.steps

    @property
    def name(self) -> str:
        """Full names of the instancers, the outermost first."""
        return "/".join(one.name_full for one in self.instancers)

    @property
    def collection(self) -> str:
        """Full name of the collection."""
        return self.instancers[-1].instance_collection.name_full

    def matrix(self, depsgraph: Any) -> npt.NDArray[np.float64]:
        """(4, 4) from where the collection's objects are to where they are shown, in the evaluated frame."""
        found = np.eye(4)
        for one in self.instancers:
            found = found @ np.array(one.evaluated_get(depsgraph).matrix_world, dtype=np.float64)
            offset = np.eye(4)
            offset[:3, 3] = -np.array(one.instance_collection.instance_offset, dtype=np.float64)
            found = found @ offset
        return found

    def is_shown(self, depsgraph: Any) -> bool:
        """Whether every instancer is rendered in the evaluated frame."""
        return not any(one.evaluated_get(depsgraph).hide_render for one in self.instancers)


def layers_behind(scene: Any, layer: Any) -> list[tuple[Any, Any]]:
    """The scene with its view layer, and every background set behind it with the one that Blender renders of it."""
    found = [(scene, layer)]
    while (behind := found[-1][0].background_set) is not None and all(behind != one for one, _ in found):
        layers = list(behind.view_layers)
        found.append((behind, next((one for one in layers if one.use), layers[0])))
    return found


def rendered_in_layer(layer: Any) -> frozenset[str]:
    """Full names of the objects of a view layer that are rendered at some time."""
    return frozenset(thing.name_full for thing in _of_layer(layer.layer_collection) if may_show(thing))


def _of_layer(home: Any) -> Generator[Any]:
    if home.collection.hide_render:
        return
    if not home.exclude:
        yield from home.collection.objects
    for child in home.children:
        yield from _of_layer(child)


def may_show(thing: Any) -> bool:
    """Whether it is ever rendered and seen by a camera. What is animated may be."""
    return all(
        is_now or is_animated(thing, path)
        for is_now, path in ((not thing.hide_render, "hide_render"), (thing.visible_camera, "visible_camera"))
    )


def is_animated(thing: Any, path: str) -> bool:
    """Whether a driver or an action, also one in a strip, sets a property of an object."""
    return any(curve.data_path == path for curve in animated_curves(thing))


def animated_curves(block: Any) -> Generator[Any]:
    """Every driver and F-curve that sets a property of a data-block, those in its strips as well."""
    data = block.animation_data
    if data is None:
        return
    yield from data.drivers
    yield from action_curves(data)
    for track in data.nla_tracks:
        yield from _in_strips(track.strips)


def _in_strips(strips: Iterable[Any]) -> Generator[Any]:
    """A meta strip has no action, but strips."""
    for strip in strips:
        yield from action_curves(strip)
        yield from _in_strips(strip.strips)


def rendered_modifiers(thing: Any) -> list[Any]:
    """Those that shape it in a render at some time: what is animated, by name or by number, may be rendered."""
    return [
        m
        for number, m in enumerate(thing.modifiers)
        if m.show_render
        or is_animated(thing, m.path_from_id("show_render"))
        or is_animated(thing, f"modifiers[{number}].show_render")
    ]


def instanced(thing: Any) -> Generator[Any]:
    """What an object shows many times or elsewhere: the collection it stands for, and what its particles are."""
    if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
        yield from thing.instance_collection.all_objects
    for system in getattr(thing, "particle_systems", ()):
        settings = system.settings
        if settings.instance_object is not None:
            yield settings.instance_object
        if settings.instance_collection is not None:
            yield from settings.instance_collection.all_objects


def find_stands(things: Iterable[Any]) -> list[Stand]:
    """Every stand of the collections that ``things`` instance, at any remove, in the order of their names."""
    known: dict[str, tuple[tuple[Any, ...], frozenset[str]]] = {}
    first = sorted((thing for thing in things if _instances(thing)), key=lambda thing: thing.name_full)
    return [stand for thing in first for stand in _below((thing,), (), known)]


def _below(
    instancers: tuple[Any, ...], steps: tuple[int, ...], known: dict[str, tuple[tuple[Any, ...], frozenset[str]]]
) -> Generator[Stand]:
    collection = instancers[-1].instance_collection
    if collection.name_full not in known:
        known[collection.name_full] = tuple(collection.all_objects), frozenset(_of_collection(collection))
    things, rendered = known[collection.name_full]
    yield Stand(instancers, steps, things, rendered)
    if len(instancers) == _DEEPEST:
        return
    for place, thing in enumerate(things):
        if thing.name_full in rendered and _instances(thing):
            yield from _below((*instancers, thing), (*steps, place), known)


def _of_collection(collection: Any) -> Generator[str]:
    if collection.hide_render:
        return
    yield from (thing.name_full for thing in collection.objects if may_show(thing))
    for child in collection.children:
        yield from _of_collection(child)


def _instances(thing: Any) -> bool:
    return thing.type == "EMPTY" and thing.instance_type == "COLLECTION" and thing.instance_collection is not None


def instance_key(found: Any) -> str:
    """What an entry of ``depsgraph.object_instances`` is called in every frame and session.

    Object, instancer and place among the instances; names with their library: two libraries may hold the same name.
    """
    parent = found.parent.name_full if found.parent else ""
    place = "/".join([str(i) for i in found.persistent_id if i != _FILLER]) if found.is_instance else ""
    return f"{parent}|{found.object.name_full}|{place}"


def way_to(found: Any) -> list[int]:
    """The numbers that lead to an instance of ``depsgraph.object_instances``, the outermost first."""
    return [number for number in reversed(found.persistent_id) if number != _FILLER]
