# SPDX-License-Identifier: GPL-3.0-or-later
"""What things are called in the artist's scene: names, collections, and class and cast. Needs bpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy

from ..conditioning.pictures.segmentation import check_class, class_name
from ..errors import UsageError
from ..shot.geometry import Tag
from .carriers import carriers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LABEL_PROPERTY, CAST_PROPERTY = "second_unit_class", "second_unit_cast"
"""Custom properties of an object or a collection: its ADE20K class (a name, or its number there, from 0), the cast
member it belongs to."""


class Tags:
    """Tags of the open file's objects, looked up once: names and collections do not change over a shot.

    What an object says of itself counts before what the rig says that moves it and what the instancer says that shows
    it, then comes the innermost of its collections, of the instancer's, and of the rig's.
    """

    def __init__(self) -> None:
        self._parents: dict[str, list[Any]] = {}
        self._homes: dict[str, list[Any]] = {}
        self._known: dict[tuple[str, str], Tag] = {}
        self._notes: dict[str, None] = {}
        for collection in sorted(bpy.data.collections, key=lambda c: c.name_full):
            for child in collection.children:
                self._parents.setdefault(child.name_full, []).append(collection)
            for thing in collection.objects:
                self._homes.setdefault(thing.name_full, []).append(collection)

    @property
    def notes(self) -> list[str]:
        """What of the tags looked up so far was not understood, one sentence each."""
        return list(self._notes)

    def of(self, found: Any, cast: str = "") -> Tag:
        """The tag of an entry of ``depsgraph.object_instances``; ``cast`` where nothing says to which it belongs."""
        thing = found.object
        owner = found.parent if found.is_instance else None
        key = thing.name_full, owner.name_full if owner else ""
        if key not in self._known:
            self._known[key] = self._make(thing.original, owner.original if owner else None)
        tag = self._known[key]
        return replace(tag, cast=cast) if cast and not tag.cast else tag

    def cast_of(self, rig: Any, instancers: Sequence[Any] = (), skin: Sequence[Any] = ()) -> str:
        """The cast member a rig is, or "".

        It says so itself or on its data, else the ``instancers`` that show it (the nearest first) or the meshes of its
        ``skin`` do, else the collections of these.
        """
        things = [rig, *instancers, *skin]
        return self._first([rig, rig.data, *things[1:], *self._collections(things)], CAST_PROPERTY, _text)

    def _make(self, thing: Any, owner: Any | None) -> Tag:
        # what a curve or text object shows is an instance of itself
        things = [thing] if owner is None or owner.name_full == thing.name_full else [thing, owner]
        names = dict.fromkeys(c.name for one in reversed(things) for c in self._path(one))
        rigs = [one for one in carriers(thing) if one.type == "ARMATURE"][:1]
        own = [thing, *(said for rig in rigs for said in (rig, rig.data)), *things[1:]]
        sources = [*own, *self._collections([*things, *rigs])]
        label = self._first(sources, LABEL_PROPERTY, self._label)
        return Tag(thing.name_full, tuple(names), label, self._first(sources, CAST_PROPERTY, _text))

    def _collections(self, things: Iterable[Any]) -> list[Any]:
        """The collections of every thing, from the innermost on."""
        return [collection for one in things for collection in reversed(self._path(one))]

    def _path(self, thing: Any) -> list[Any]:
        """All collections a thing is in, at any remove, from the outermost on."""
        found: dict[str, Any] = {}
        level = self._homes.get(thing.name_full, [])
        while level:
            # one that is reached again lies further out than it seemed
            found = {**{c.name_full: c for c in level}, **{k: v for k, v in found.items() if k not in _names(level)}}
            level = [parent for c in level for parent in self._parents.get(c.name_full, [])]
        return list(found.values())

    def _first(self, sources: Iterable[Any], name: str, read: Callable[[str, object], str | None]) -> str:
        """The first thing said under a custom property that is not empty."""
        for source in sources:
            value = source.get(name)
            text = read(source.name_full, value) if value is not None else ""
            if text is None:
                self._note(f"'{source.name_full}' has something else than text under {name}: it is not used.")
            elif text:
                return text
        return ""

    def _label(self, owner: str, value: object) -> str | None:
        if not isinstance(value, str | int | float):
            return None
        name = class_name(value)
        try:
            check_class(name)
        except UsageError as error:
            self._note(f"'{owner}': {error.what} {error.fix}")
        return name

    def _note(self, sentence: str) -> None:
        self._notes[sentence] = None


def _text(_: str, value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _names(collections: Iterable[Any]) -> set[str]:
    return {collection.name_full for collection in collections}
