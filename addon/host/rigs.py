# SPDX-License-Identifier: GPL-3.0-or-later
"""People from the artist's own rigs: who they are, and where their joints are in every frame. Needs bpy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..conditioning.drawing.frame import MOST_PEOPLE
from ..conditioning.rigs.bones import JOINT_NAMES, Finding, PersonMap
from ..conditioning.rigs.by_hand import read_by_hand
from ..conditioning.rigs.find import find_person
from ..shot.geometry import NOBODY, Person
from ..shot.people import FACE, FEET, JOINTS, LEFT_HAND, RIGHT_HAND
from .carriers import carriers, is_deformed_by, switch
from .face_mesh import FaceMesh
from .posing import Figure, read_skeleton
from .stands import find_stands, is_animated, layers_behind, rendered_in_layer, way_to
from .tags import Tags
from .templates import is_part_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from .stands import Stand

JOINTS_PROPERTY = "second_unit_joints"
"""Text on an armature object, or else on its data: where joints are, by hand; see `conditioning.rigs.by_hand`."""
PERSON_PROPERTY = "second_unit_person"
"""On an armature object, or else on its data: false, 0, "no" or "off" when it is no person, whatever it looks like."""
NOT_A_PERSON = f"It is marked as no person ({PERSON_PROPERTY} is off)."
UNCLEAR_MARK = f"The property {PERSON_PROPERTY} says neither yes nor no: it is not used."
_HERE: tuple[str, tuple[int, ...]] = ("", ())
"""The stand of what is in the scene itself."""


class Rigs:
    """Finds the people of a scene once and reads their joints in every frame.

    A rig that moves meshes is a person when one of them is rendered in ``layer`` at some time (without a layer: might
    ever be, as in a viewport); a bare rig is one when it is visible in it (or else in the scene's first one), so that a
    hidden leftover metarig is nobody. Where empties instance a collection with a rig and its meshes, each of them shows
    a person of its own, called by the instancers and the rig. Ids follow the cast, then the names: who belongs to it
    comes first, by its names in alphabetical order. Objects of background sets count like those of the scene.
    """

    def __init__(self, scene: Any, layer: Any = None) -> None:
        behind = layers_behind(scene, layer or scene.view_layers[0])
        layers = [one for _, one in behind]
        things = {thing.name_full: thing for home, _ in behind for thing in home.objects}
        shown = frozenset(name for one in layers for name in rendered_in_layer(one)) if layer else frozenset(things)
        self._findings: dict[str, Finding] = {}
        self._notes: dict[str, None] = {}
        tags = Tags()
        stands = find_stands(thing for name, thing in things.items() if name in shown)
        here = list(self._in_scene(things, layers, shown, tags))
        found = [*self._without_templates(here), *self._in_stands(stands, tags)]
        self._people = sorted(found, key=lambda one: (not one.cast, one.cast, one.key))
        self._index = {(*one.place, one.rig): i for i, one in enumerate(self._people)}
        peopled = {one.place[0] for one in self._people} - {_HERE[0]}
        self._stands = {stand.key: stand for stand in stands if stand.key[0] in peopled}
        self._owned: dict[str, int] = {}
        self._standing: dict[tuple[str, str, tuple[int, ...]], int] = {}

    @property
    def names(self) -> list[str]:
        """What the people are called, in id order: a rig's full name, behind those of the empties that instance it."""
        return [one.key for one in self._people]

    @property
    def notes(self) -> list[str]:
        """In a sentence each: mappings and marks not understood, people without a pose, too many people."""
        mapped = {one.rig: one.figure.mapping.notes for one in self._people}
        others = {name: found.notes for name, found in self._findings.items() if found.person is None}
        said = [f"Rig '{name}': {note}" for name, notes in sorted((mapped | others).items()) for note in notes]
        if len(self._people) > MOST_PEOPLE:
            said.append(
                f"The scene has {len(self._people)} people, and {MOST_PEOPLE} can be told apart: the others are drawn "
                "as part of the set."
            )
        return [*said, *self._notes]

    def people_report(self) -> list[dict[str, Any]]:
        """Per person in id order, ready for JSON.

        ``key`` is what the person is called, ``rig`` and ``family`` are names, ``cast`` is the cast member or "",
        ``confidence`` is 0..1, ``missing`` lists joints of body, feet and hands that no bone gives, ``sources`` says
        for the others of body and feet which bone end does and how it was found, ``hands`` how those were found or
        None, ``face`` how many of its 68 points bones give; ``notes`` are sentences.
        """
        return [{"key": one.key, "cast": one.cast, **_report(one.rig, one.figure.mapping)} for one in self._people]

    def others_report(self) -> list[dict[str, Any]]:
        """Per armature that is no person: rig, the reason in a sentence, and notes on a mapping by hand."""
        return [
            {"rig": name, "reason": finding.reason, "notes": list(finding.notes)}
            for name, finding in sorted(self._findings.items())
            if finding.person is None
        ]

    def people(self, depsgraph: Any, seen: AbstractSet[int] | None = None) -> tuple[Person, ...]:
        """All people of the evaluated frame, in id order.

        Those whose index is not in ``seen`` (the people of the frame's visible instances; None: everybody is there)
        have no joints, unless their rigs own no mesh at all.
        """
        stands: dict[object, Any] = {_HERE: None}
        return tuple(
            one.person(depsgraph, stands)
            if seen is None or i in seen or (one.is_bare and one.is_shown(depsgraph))
            else Person(one.key, np.full((JOINTS, 3), np.nan), 0.0)
            for i, one in enumerate(self._people)
        )

    def standing(self, depsgraph: Any) -> set[int]:
        """Indices of the people whom empties show in the evaluated frame, for those who read no instances."""
        return {i for i, one in enumerate(self._people) if one.stand is not None and one.stand.is_shown(depsgraph)}

    def cast_of(self, person: int) -> str:
        """The cast member a person is, or "" for none and for `NOBODY`."""
        return self._people[person].cast if person != NOBODY else ""

    def person_of(self, thing: Any) -> int:
        """Index of the person an object of the scene belongs to, or `NOBODY`.

        It is theirs when it is skinned to the rig, deformed by one of their meshes, grows on one, or is parented or
        constrained to any of these at any remove, unless it carries the custom property ``second_unit_set``: a prop
        held in a hand. Looked up once: what counts of parents, constraints and modifiers is the same in all frames.
        """
        name: str = thing.name_full
        if name not in self._owned:
            self._owned[name] = self._carried(thing, _HERE)
        return self._owned[name]

    def person_at(self, found: Any) -> int:
        """Index of the person an entry of ``depsgraph.object_instances`` belongs to, or `NOBODY`."""
        if not found.is_instance:
            return self.person_of(found.object)
        top: str = found.parent.name_full
        way = tuple(way_to(found)) if (top, ()) in self._stands else ()
        key = top, found.object.name_full, way
        if key not in self._standing:
            self._standing[key] = self._look_at(found, way)
        return self._standing[key]

    def _look_at(self, found: Any, way: tuple[int, ...]) -> int:
        """An instance is its own stand's, else that of the person its instancer hangs on."""
        place, thing = (found.parent.name_full, ()), None
        for number in way:
            things = self._stands[place].things
            thing = things[number] if number < len(things) else None
            if (place[0], (*place[1], number)) not in self._stands:
                break
            place = place[0], (*place[1], number)
        person = NOBODY if thing is None else self._carried(thing, place)
        if person == NOBODY:
            person = self.person_of(found.parent)
        if person == NOBODY:
            self._mention(found)
        return person

    def _carried(self, thing: Any, place: tuple[str, tuple[int, ...]]) -> int:
        """The person of the first rig that moves ``thing`` and is one there."""
        keys = ((*place, one.name_full) for one in carriers(thing) if one.type == "ARMATURE")
        return next((self._index[key] for key in keys if key in self._index), NOBODY)

    def _mention(self, found: Any) -> None:
        """Say so when this is somebody's body all the same."""
        rig = self._owner(found.object.original)
        if rig is not None and is_deformed_by(found.object.original, rig.name_full):
            self._notes[
                f"'{found.parent.name_full}' shows copies of the person '{rig.name_full}', which get no pose: only "
                "empties that instance a collection show people."
            ] = None

    def _in_scene(
        self, things: Mapping[str, Any], layers: Sequence[Any], shown: AbstractSet[str], tags: Tags
    ) -> Generator[_Someone]:
        """The people that are objects of the scene or of its sets themselves."""
        rigs = [thing for _, thing in sorted(things.items()) if thing.type == "ARMATURE"]
        for rig in rigs:
            self._find(rig)
        owned = self._owned_by(thing for thing in things.values() if thing.type == "MESH")
        for rig in rigs:
            person, meshes = self._find(rig).person, owned.get(rig.name_full, [])
            is_there = any(mesh.name_full in shown for mesh in meshes) or (not meshes and _is_visible(rig, layers))
            if person is not None and is_there:
                skin = [mesh for mesh in meshes if is_deformed_by(mesh, rig.name_full)]
                figure = Figure(rig, person, FaceMesh(rig, person, meshes))
                yield _Someone(rig.name_full, figure, tags.cast_of(rig, (), skin), is_bare=not meshes)

    def _without_templates(self, people: list[_Someone]) -> Generator[_Someone]:
        """All but bare rigs that belong to another's, such as Rigify's metarig, unless they are marked."""
        bodies = [one.figure for one in people if not one.is_bare]
        bare = [one.figure for one in people if one.is_bare]
        for one in people:
            of = self._part_of(one.figure, bodies, bare) if one.is_bare else None
            if of is None:
                yield one

    def _part_of(self, figure: Figure, bodies: list[Figure], bare: list[Figure]) -> Figure | None:
        """The figure whose template, or whose controls, a bare one is; a note says so."""
        if switch(_property(figure.thing, PERSON_PROPERTY)):
            return None
        others = [*((one, True) for one in bodies), *((one, False) for one in bare if one is not figure)]
        of = next((one for one, has_body in others if is_part_of(figure, one, has_body=has_body)), None)
        if of is not None:
            self._notes[
                f"'{figure.thing.name_full}' has no body and rests as '{of.thing.name_full}' does: it is taken for its "
                f"template or its controls, not for a person. If it is one, set {PERSON_PROPERTY} on it."
            ] = None
        return of

    def _in_stands(self, stands: list[Stand], tags: Tags) -> Generator[_Someone]:
        """The people that empties show."""
        known: dict[str, list[tuple[Figure, list[Any]]]] = {}
        for stand in stands:
            if stand.collection not in known:
                known[stand.collection] = list(self._in_collection(stand))
            for figure, skin in known[stand.collection]:
                cast = tags.cast_of(figure.thing, tuple(reversed(stand.instancers)), skin)
                key = f"{stand.name}/{figure.thing.name_full}"
                yield _Someone(key, figure, cast, is_bare=not skin, stand=stand)

    def _in_collection(self, stand: Stand) -> Generator[tuple[Figure, list[Any]]]:
        """Every person in the stand's collection, with the meshes that are skinned to the rig or hang on it.

        A hat alone is nobody: either the rig is in the collection as well or it bends one of the meshes. Bare rigs
        count where nobody has a mesh.
        """
        owned = self._owned_by(thing for thing in stand.things if thing.type == "MESH")
        inside = {thing.name_full: thing for thing in stand.things if thing.type == "ARMATURE"}
        found = False
        for name, meshes in sorted(owned.items()):
            seen = [mesh for mesh in meshes if mesh.name_full in stand.rendered]
            skin = [mesh for mesh in seen if is_deformed_by(mesh, name)]
            rig = inside.get(name) or (self._owner(skin[0]) if skin else None)
            if rig is not None and seen and (person := self._find(rig).person) is not None:
                found = True
                yield Figure(rig, person, FaceMesh(rig, person, skin or seen)), skin or seen
        if found:
            return
        rigs = [(rig, self._find(rig).person) for name, rig in sorted(inside.items()) if name in stand.rendered]
        bare = [Figure(rig, person) for rig, person in rigs if person is not None and rig.name_full not in owned]
        yield from ((one, []) for one in bare if self._part_of(one, [], bare) is None)

    def _owned_by(self, meshes: Iterable[Any]) -> dict[str, list[Any]]:
        """Meshes by the full name of the rig whose person they belong to, in the order of their names."""
        found: dict[str, list[Any]] = {}
        for mesh in sorted(meshes, key=lambda one: one.name_full):
            rig = self._owner(mesh)
            if rig is not None:
                found.setdefault(rig.name_full, []).append(mesh)
        return found

    def _owner(self, thing: Any) -> Any:
        """The first armature object that moves ``thing`` and is a person, or None."""
        rigs = (one for one in carriers(thing) if one.type == "ARMATURE")
        return next((rig for rig in rigs if self._find(rig).person is not None), None)

    def _find(self, rig: Any) -> Finding:
        name: str = rig.name_full
        if name not in self._findings:
            self._findings[name] = find_on(rig)
        return self._findings[name]


@dataclass(frozen=True, slots=True)
class _Someone:
    """A person of the scene: what it is called, its rig, and where an instanced one stands."""

    key: str
    figure: Figure
    cast: str
    is_bare: bool
    stand: Stand | None = None

    @property
    def rig(self) -> str:
        return self.figure.thing.name_full

    @property
    def place(self) -> tuple[str, tuple[int, ...]]:
        return _HERE if self.stand is None else self.stand.key

    def is_shown(self, depsgraph: Any) -> bool:
        is_hidden: bool = self.figure.thing.evaluated_get(depsgraph).hide_render
        return not is_hidden and (self.stand is None or self.stand.is_shown(depsgraph))

    def person(self, depsgraph: Any, stands: dict[object, Any]) -> Person:
        """The person in the evaluated frame. ``stands`` holds the matrices known so far."""
        if self.stand is not None and self.place not in stands:
            stands[self.place] = self.stand.matrix(depsgraph)
        return self.figure.person(self.key, depsgraph, stands[self.place])


def find_on(rig: Any) -> Finding:
    """What an armature object is, by its properties, its names and its rest pose."""
    if rig.pose is None:
        return Finding(None, "It has no pose.")
    marked = _property(rig, PERSON_PROPERTY)
    if switch(marked) is False:
        return Finding(None, NOT_A_PERSON)
    skeleton = read_skeleton(rig)
    found = find_person(skeleton, read_by_hand(_property(rig, JOINTS_PROPERTY), set(skeleton.names)))
    if marked is None or marked == "" or switch(marked) is not None:
        return found
    person = found.person and replace(found.person, notes=(*found.person.notes, UNCLEAR_MARK))
    return replace(found, person=person, notes=(*found.notes, UNCLEAR_MARK))


def _property(rig: Any, name: str) -> object:
    """A custom property of the object, or else of its data."""
    own = rig.get(name)
    return rig.data.get(name) if own is None else own


def _report(name: str, mapping: PersonMap) -> dict[str, Any]:
    joints = sorted((joint, end) for joint, end in mapping.joints.items() if joint < FEET.stop)
    return {
        "rig": name,
        "family": mapping.family,
        "confidence": mapping.confidence,
        "missing": mapping.missing,
        "sources": {JOINT_NAMES[joint]: f"{end.text} ({mapping.sources[joint]})" for joint, end in joints},
        "hands": {
            "left": mapping.sources.get(LEFT_HAND.start + 1),
            "right": mapping.sources.get(RIGHT_HAND.start + 1),
        },
        "face": sum(joint >= FACE.start for joint in mapping.joints),
        "notes": list(mapping.notes),
    }


def _is_visible(rig: Any, layers: Sequence[Any]) -> bool:
    """Whether bones alone are somebody. At some time is enough: ids are the same in all frames."""
    hidden = (path for path in ("hide_render", "hide_viewport") if is_animated(rig, path))
    return any(hidden) or (not rig.hide_render and any(rig.visible_get(view_layer=layer) for layer in layers))
