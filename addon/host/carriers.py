# SPDX-License-Identifier: GPL-3.0-or-later
"""What a thing hangs on, and what its switches say. Reads bpy objects, imports none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .stands import is_animated, rendered_modifiers

if TYPE_CHECKING:
    from collections.abc import Generator

SET_PROPERTY = "second_unit_set"
"""A mesh object with this custom property set belongs to the set, whatever it hangs on, with all that hangs on it."""
_OFF, _ON = frozenset({"false", "no", "off", "0"}), frozenset({"true", "yes", "on", "1"})


def switch(value: object) -> bool | None:
    """What a custom property used as a switch says: a bool, a number, or one of the usual words in any case.

    None when it says nothing that can be understood.
    """
    if isinstance(value, bool | int | float):
        return bool(value)
    word = value.strip().casefold() if isinstance(value, str) else ""
    return False if word in _OFF else True if word in _ON else None


def is_set(thing: Any) -> bool:
    """Whether it was said to belong to the set; text that says nothing clear counts as said."""
    value = thing.get(SET_PROPERTY)
    said = switch(value)
    return bool(value) if said is None else said


def carriers(thing: Any) -> Generator[Any]:
    """Every object that moves ``thing``, the nearest first: what deforms it, what it grows on, what it is tied to.

    That is by a constraint or as its child. And so on from each of these. Nothing comes out for what belongs to the
    set, and nothing through it.
    """
    level, seen = [thing], {thing.name_full}
    while level:
        above: list[Any] = []
        for one in level:
            for other in _directly(one) if not is_set(one) else ():
                if other.name_full not in seen:
                    seen.add(other.name_full)
                    above.append(other)
                    yield other
        level = above


def is_deformed_by(thing: Any, rig: str) -> bool:
    """Whether the bones of the rig with this full name bend the thing itself."""
    return any(
        m.type == "ARMATURE" and m.object is not None and m.object.name_full == rig for m in rendered_modifiers(thing)
    )


def _directly(thing: Any) -> Generator[Any]:
    modifiers = rendered_modifiers(thing)
    yield from (m.object for m in modifiers if m.type == "ARMATURE" and m.object is not None)
    yield from (m.object for m in modifiers if m.type == "MESH_DEFORM" and m.object is not None)
    yield from (m.target for m in modifiers if m.type == "SURFACE_DEFORM" and m.target is not None)
    # hair curves know the mesh they grow on
    surface = getattr(thing.data, "surface", None) if thing.type == "CURVES" else None
    if surface is not None:
        yield surface
    # they have the last word on where it is, after its parent
    for constraint in thing.constraints:
        yield from _tied_to(thing, constraint)
    if thing.parent is not None:
        yield thing.parent


def _tied_to(thing: Any, constraint: Any) -> list[Any]:
    """What a constraint makes it follow. One that comes and goes ties it to nobody: such a prop is handed over."""
    if constraint.type not in {"CHILD_OF", "COPY_TRANSFORMS", "ARMATURE"} or constraint.mute:
        return []
    if any(is_animated(thing, constraint.path_from_id(name)) for name in ("influence", "mute", "enabled")):
        return []
    if not constraint.influence > 0:
        return []
    if constraint.type == "ARMATURE":
        return [one.target for one in constraint.targets if one.target is not None and one.weight > 0]
    return [] if constraint.target is None else [constraint.target]
