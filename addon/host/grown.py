# SPDX-License-Identifier: GPL-3.0-or-later
"""What geometry nodes may show at some time, as their trees say and not as one frame does. Reads bpy objects only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .stands import instanced, rendered_modifiers
from .versions import tree_inputs

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

_KINDS = {"MATERIAL", "OBJECT", "COLLECTION"}
_HELD_BY = {"INPUT_MATERIAL": "material", "INPUT_OBJECT": "object", "INPUT_COLLECTION": "collection"}
"""Nodes that hold what they give in a property."""


def grown_materials(things: Iterable[Any]) -> Generator[Any]:
    """Materials that the geometry nodes of ``things`` may set in a render, and those of the objects they may bring in.

    Each comes out at least once. A tree tells nothing of when, so whatever a switch may choose counts, and an object
    brought in counts whether or not it is rendered where it stands itself.
    """
    trees: set[Any] = set()
    seen = set(things)
    waiting = [found for thing in seen for found in _brought_to(thing, trees)]
    while waiting:
        found = waiting.pop()
        if found in seen:
            continue
        seen.add(found)
        if found.id_type == "MATERIAL":
            yield found
        elif found.id_type == "COLLECTION":
            waiting += found.all_objects
        else:
            yield from (slot.material for slot in found.material_slots if slot.material is not None)
            waiting += [*instanced(found), *_brought_to(found, trees)]


def _brought_to(thing: Any, trees: set[Any]) -> Generator[Any]:
    """What the modifiers of an object hand to its trees and what these hold; opens none of ``trees``, and adds them."""
    for modifier in rendered_modifiers(thing):
        if modifier.type == "NODES" and modifier.node_group is not None:
            yield from (value for value in tree_inputs(modifier) if getattr(value, "id_type", None) in _KINDS)
            yield from _held_in(modifier.node_group, trees)


def _held_in(tree: Any, trees: set[Any]) -> Generator[Any]:
    if tree in trees:
        return
    trees.add(tree)
    for node in tree.nodes:
        if node.type in _HELD_BY and not node.mute:
            held = [getattr(node, _HELD_BY[node.type])]
        else:
            held = [entry.default_value for entry in _showing(node) if _is_own(entry)]
        yield from (one for one in held if one is not None)
        if node.type == "GROUP" and not node.mute and node.node_tree is not None:
            yield from _held_in(node.node_tree, trees)


def _showing(node: Any) -> list[Any]:
    """The inputs whose materials, objects and collections may come to be seen; of a muted node what passes through."""
    if node.mute:
        return [link.from_socket for link in node.internal_links]
    if node.type == "MATERIAL_SELECTION":
        return []
    if node.type == "REPLACE_MATERIAL":
        return [node.inputs["New"]]
    if node.type == "OBJECT_INFO" and not node.outputs["Geometry"].is_linked:
        return []
    return list(node.inputs)


def _is_own(entry: Any) -> bool:
    """Whether a socket gives its own value, of a kind that can be seen."""
    return entry.type in _KINDS and entry.enabled and all(link.is_muted for link in entry.links)
