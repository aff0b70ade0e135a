# SPDX-License-Identifier: GPL-3.0-or-later
"""What things are called in the artist's scene: names, collections, and the class and cast they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..shot.geometry import Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

LABEL_PROPERTY, CAST_PROPERTY = "second_unit_class", "second_unit_cast"
"""Custom properties of an object or a collection: its ADE20K class, the cast member it belongs to."""


class Tags:
    """Tags of the open file's objects, looked up once: names and collections do not change over a shot.

    What an object says of itself counts before what the instancer says that shows it, then comes the innermost of its
    collections, and of the instancer's.
    """

    def __init__(self) -> None:
        self._parents: dict[str, list[Any]] = {}
        self._homes: dict[str, list[Any]] = {}
        self._known: dict[tuple[str, str], Tag] = {}
        for collection in sorted(bpy.data.collections, key=lambda c: c.name_full):
            for child in collection.children:
                self._parents.setdefault(child.name_full, []).append(collection)
            for thing in collection.objects:
                self._homes.setdefault(thing.name_full, []).append(collection)

    def of(self, found: Any) -> Tag:
        """The tag of an entry of ``depsgraph.object_instances``."""
        thing = found.object
        owner = found.parent if found.is_instance else None
        key = thing.name_full, owner.name_full if owner else ""
        if key not in self._known:
            self._known[key] = self._make(thing.original, owner.original if owner else None)
        return self._known[key]

    def _make(self, thing: Any, owner: Any | None) -> Tag:
        # what a curve or text object shows is an instance of itself
        things = [thing] if owner is None or owner.name_full == thing.name_full else [thing, owner]
        paths = [self._path(one) for one in things]
        sources = [*things, *(collection for path in paths for collection in reversed(path))]
        names = dict.fromkeys(collection.name for path in reversed(paths) for collection in path)
        return Tag(thing.name_full, tuple(names), _first(sources, LABEL_PROPERTY), _first(sources, CAST_PROPERTY))

    def _path(self, thing: Any) -> list[Any]:
        """All collections a thing is in, at any remove, from the outermost on."""
        found: dict[str, Any] = {}
        level = self._homes.get(thing.name_full, [])
        while level:
            # one that is reached again lies further out than it seemed
            found = {**{c.name_full: c for c in level}, **{k: v for k, v in found.items() if k not in _names(level)}}
            level = [parent for c in level for parent in self._parents.get(c.name_full, [])]
        return list(found.values())


def _names(collections: Iterable[Any]) -> set[str]:
    return {collection.name_full for collection in collections}


def _first(sources: Iterable[Any], name: str) -> str:
    """The first non-empty text under a custom property."""
    for source in sources:
        value = source.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""
