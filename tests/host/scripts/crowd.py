# SPDX-License-Identifier: GPL-3.0-or-later
"""Casts of people: instanced by empties, held out, hidden, named. Every answer is what the extractor reads."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from in_render import look_in_render
from people import CUBE, empty_set, mesh, metarig

from second_unit.addon.host import condition
from second_unit.addon.host.extract import Extractor
from second_unit.addon.host.rigs import Rigs
from second_unit.addon.shot.documents import Fields

Cases = dict[str, Callable[[], None]]


def run(args: dict[str, Any]) -> Any:
    """Every case of a group."""
    folder = Path(args["folder"])
    return {name: _look(name, build, folder) for name, build in GROUPS[args["group"]].items()}


def _look(name: str, build: Callable[[], None], folder: Path) -> dict[str, Any]:
    empty_set(9)
    build()
    # what a fresh session knows, as a child Blender does
    file = folder / f"{name}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.open_mainfile(filepath=str(file))
    found = read(bpy.context.scene)
    order = {"camera": "Camera", "times": ["1"], "meter": 1, "size": [32, 32], "cache": str(folder / "cache")}
    told = condition.condition_scene(bpy.context.scene, Fields(order, "order"), lambda *_: None)
    return {**found, "told": {name: told[name] for name in ("people", "people_told", "notes")}}


def read(scene: Any) -> dict[str, Any]:
    """The people of frames 1 and 2, in the depsgraph of a render."""
    rigs = Rigs(scene, scene.view_layers[0])
    extractor = Extractor(rigs, (64, 64), (64, 64))
    frames: list[dict[str, Any]] = []
    scene.render.resolution_x, scene.render.resolution_y = 4, 4
    look_in_render(scene, (1, 2), (4, 4), lambda depsgraph: frames.append(_frame(extractor, rigs, depsgraph)))
    casts = [told["cast"] for told in rigs.people_report()]
    told = {"names": rigs.names, "rigs": [one["rig"] for one in rigs.people_report()], "casts": casts}
    return {**told, "frames": frames, "notes": [*extractor.notes, *rigs.notes]}


def _frame(extractor: Extractor, rigs: Rigs, depsgraph: Any) -> dict[str, Any]:
    geometry, digest = extractor.frame(depsgraph, Fraction(1))
    things: dict[str, Any] = {}
    hands: dict[str, Any] = {}
    for one in geometry.instances:
        name = geometry.people[one.person].key if one.person >= 0 else ""
        things.setdefault(name, []).append([one.tag.object, one.tag.cast, one.tag.label])
        corners = geometry.meshes[one.mesh].positions @ one.matrix[:3, :3].T + one.matrix[:3, 3]
        if len(corners) > len(CUBE):
            hands[name] = corners[len(CUBE) :].tolist()
    curves = [found.object for found in depsgraph.object_instances if found.object.type == "CURVES"]
    return {
        "hash": digest,
        "joints": {p.key: [None if np.isnan(row).any() else row.tolist() for row in p.joints] for p in geometry.people},
        "things": things,
        "standing": sorted(rigs.names[i] for i in rigs.standing(depsgraph)),
        "hands": hands,
        "curves": {one.name: rigs.person_of(one) for one in curves},
    }


def person(name: str, home: Any = None) -> Any:
    """A rig at the origin with a skinned ``<name>Body``, whose last two corners are in its wrists, in a collection."""
    rig = metarig(name)
    skin = mesh(f"{name}Body")
    skin.data.vertices.add(2)
    for corner, bone in zip((8, 9), ("hand.R", "hand.L"), strict=True):
        skin.data.vertices[corner].co = rig.data.bones[bone].head_local
        skin.vertex_groups.new(name=bone).add([corner], 1.0, "REPLACE")
    skin.modifiers.new("Armature", "ARMATURE").object = rig
    skin.parent = rig
    if home is not None:
        move(rig, home)
        move(skin, home)
    return rig


def move(thing: Any, home: Any) -> None:
    """Into that collection only."""
    for old in list(thing.users_collection):
        old.objects.unlink(thing)
    home.objects.link(thing)


def collection(name: str, parent: Any = None) -> Any:
    """A new one, in no scene unless under ``parent``."""
    made = bpy.data.collections.new(name)
    if parent is not None:
        parent.children.link(made)
    return made


def show(name: str, what: Any, where: tuple[float, float, float], home: Any = None) -> Any:
    """An empty that instances a collection."""
    empty = bpy.data.objects.new(name, None)
    empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", what, where
    (home or bpy.context.scene.collection).objects.link(empty)
    return empty


def key_x(thing: Any, first: float, second: float) -> None:
    """Move from frame 1 to 2."""
    for frame, x in ((1, first), (2, second)):
        thing.location.x = x
        thing.keyframe_insert("location", frame=frame)


def two() -> None:
    """The reproducer: two empties, one of them moving and turned; the rig is posed and off its origin."""
    home = collection("Char")
    rig = person("Guy", home)
    rig.location = (0.5, 0, 0)
    rig.pose.bones["upper_arm.R"].rotation_quaternion = (0.8, 0.6, 0, 0)
    home.instance_offset = (0.5, 0, 0)
    key_x(show("Left", home, (-2, 0, 0)), -2, -1.5)
    show("Right", home, (2, 1, 0)).rotation_euler = (0, 0, 1.5)


def with_original() -> None:
    """The original stands in the scene as well."""
    home = collection("Char", bpy.context.scene.collection)
    person("Guy", home)
    show("Again", home, (2, 0, 0))


def excluded_original() -> None:
    """The original is only in an excluded collection."""
    home = collection("Char", bpy.context.scene.collection)
    person("Guy", home)
    bpy.context.view_layer.layer_collection.children["Char"].exclude = True
    show("Again", home, (2, 0, 0))


def nested() -> None:
    """A couple of empties in a collection that is shown twice: four people."""
    home, crowd = collection("Char"), collection("Crowd")
    person("Guy", home)
    home.instance_offset = (0, 0, 0.5)
    for name, x in (("A", -0.5), ("B", 0.5)):
        show(name, home, (x, 0, 0), crowd)
    show("Front", crowd, (0, -2, 0))
    show("Back", crowd, (0, 2, 0)).scale = (2, 2, -2)


def many() -> None:
    """Ten of two characters with three parts each."""
    home = collection("Pair")
    for name, x in (("Ann", -0.4), ("Bob", 0.4)):
        rig = person(name, home)
        rig.location.x = x
        hat = mesh(f"{name}Hat")
        move(hat, home)
        hat.parent, hat.parent_type, hat.parent_bone = rig, "BONE", "spine.006"
    for i in range(5):
        show(f"Pair{i}", home, (3.0 * i, 0, 0))


def linked() -> None:
    """The collection comes from another file."""
    home = collection("Char")
    person("Guy", home)
    library = Path(bpy.app.tempdir) / "library.blend"
    bpy.data.libraries.write(str(library), {home})
    name = bpy.context.scene.camera.name
    for thing in list(home.objects):
        bpy.data.objects.remove(thing)
    bpy.data.collections.remove(home)
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    opened: Any = bpy.data.libraries.load(str(library), link=True)
    with opened as (_, into):
        into.collections = ["Char"]
    assert bpy.context.scene.camera.name == name
    show("Left", bpy.data.collections["Char"], (-2, 0, 0))
    show("Right", bpy.data.collections["Char"], (2, 0, 0))


def hidden_instancer() -> None:
    """One is never rendered, one only in the second frame, one is in a hidden collection."""
    home = collection("Char")
    person("Guy", home)
    show("Never", home, (0, 0, 0)).hide_render = True
    late = show("Late", home, (1, 0, 0))
    for frame, hidden in ((1, True), (2, False)):
        late.hide_render = hidden
        late.keyframe_insert("hide_render", frame=frame)
    off = collection("Off", bpy.context.scene.collection)
    off.hide_render = True
    show("Off", home, (2, 0, 0), off)


def hat_rack() -> None:
    """Ada stands there with her hat; the collection shown beside her holds the hat alone."""
    rig = person("Ada")
    hat = mesh("Hat")
    hat.parent, hat.parent_type, hat.parent_bone = rig, "BONE", "spine.006"
    rack = collection("Rack")
    rack.objects.link(hat)
    show("Rack", rack, (2, 0, 0))


def scattered() -> None:
    """Copies by the faces of a plane: nobody can number them beforehand."""
    person("Ada")
    ground = mesh("Ground")
    ground.instance_type = "FACES"
    bpy.data.objects["AdaBody"].parent = ground


def bare_in_collection() -> None:
    """Blocked with bones alone, and a leftover metarig beside somebody with a mesh."""
    bare, full = collection("Bare"), collection("Full")
    move(metarig("Bones"), bare)
    person("Guy", full)
    move(metarig("metarig"), full)
    show("A", bare, (-2, 0, 0))
    show("B", full, (2, 0, 0))


INSTANCED: Cases = {
    case.__name__: case
    for case in (
        two, with_original, excluded_original, nested, many, linked, hidden_instancer, hat_rack, scattered,
        bare_in_collection,
    )
}  # fmt: skip


def holdout_all() -> None:
    """All of Ada is held out, of Bob only the hat."""
    person("Ada")
    bpy.data.objects["AdaBody"].is_holdout = True
    bob = person("Bob")
    hat = mesh("Hat")
    hat.parent, hat.is_holdout = bob, True


def never_shown() -> None:
    """Hidden, excluded, in hidden collections, out of the camera's sight; only one shows up in the end."""
    layer = bpy.context.view_layer.layer_collection
    person("Hidden")
    bpy.data.objects["HiddenBody"].hide_render = True
    top = bpy.context.scene.collection
    person("Excluded", collection("Excluded", top))
    layer.children["Excluded"].exclude = True
    off = collection("Off", top)
    off.hide_render = True
    person("Off", collection("Deep", off))
    person("Unseen")
    bpy.data.objects["UnseenBody"].visible_camera = False
    person("Late")
    body = bpy.data.objects["LateBody"]
    for frame, hidden in ((1, True), (2, False)):
        body.hide_render = hidden
        body.keyframe_insert("hide_render", frame=frame)
    # an action that has nothing to do with it
    key_x(bpy.data.objects["HiddenBody"], 0, 1)
    bones = metarig("Bones")
    for frame, hidden in ((1, True), (2, False)):
        bones.hide_render = hidden
        bones.keyframe_insert("hide_render", frame=frame)
    # the usual way to hide the bones of somebody
    person("Usual").hide_render = True


def marked() -> None:
    """Words for no, and some that are none."""
    words = ("False", " NO ", "0", "off", 0.0, "yes", "True", "perhaps", "")
    for name, word in zip("ABCDEFGHI", words, strict=True):
        person(name)["second_unit_person"] = word


def by_hand() -> None:
    """Mistakes in mappings, of a person and of a rig that is none."""
    person("Ada")["second_unit_joints"] = "{not json"
    data = bpy.data.armatures.new("Prop")
    prop = bpy.data.objects.new("Prop", data)
    prop["second_unit_joints"] = '{"RWrist": "nope"}'
    bpy.context.scene.collection.objects.link(prop)


def hair() -> None:
    """Hair parented to the body, grown on it, and of nobody; a shirt that follows the body's surface; a prop."""
    person("Ada")
    body = bpy.data.objects["AdaBody"]
    for name in ("Parented", "Grown", "Nobodys"):
        data = bpy.data.hair_curves.new(name)
        data.add_curves([2])
        thing = bpy.data.objects.new(name, data)
        bpy.context.scene.collection.objects.link(thing)
        if name == "Parented":
            thing.parent = body
        if name == "Grown":
            data.surface = body
    shirt = mesh("Shirt")
    shirt.modifiers.new("Follow", "SURFACE_DEFORM").target = body
    sword, gem = mesh("Sword"), mesh("Gem")
    sword.parent, gem.parent = body, sword
    sword["second_unit_set"] = 1
    loose = mesh("Loose")
    loose.parent = body
    loose["second_unit_set"] = "False"


WHO: Cases = {case.__name__: case for case in (holdout_all, never_shown, marked, by_hand, hair)}


def by_rig() -> None:
    """On the rig's object, its data, its collection; the order is the cast's. A mesh may say otherwise."""
    person("Ann")["second_unit_cast"] = "zoe"
    person("Bob").data["second_unit_cast"] = "mara"
    home = collection("HERO", bpy.context.scene.collection)
    home["second_unit_cast"] = "anton"
    person("Cid", home)
    person("Aaa")
    person("Dan")
    bpy.data.objects["DanBody"]["second_unit_cast"] = "mara"
    hat = mesh("Hat")
    hat.parent = bpy.data.objects["Ann"]
    hat["second_unit_cast"] = "hat"
    mesh("Box")
    extras = collection("EXTRAS", bpy.context.scene.collection)
    extras["second_unit_cast"] = "extras"
    person("Eve", extras)["second_unit_cast"] = "eve"


def by_instancer() -> None:
    """Two of one character; each empty says who it is. A third says nothing, and the rig's collection does."""
    home = collection("Char")
    home["second_unit_cast"] = "somebody"
    person("Guy", home)
    show("Left", home, (-2, 0, 0))["second_unit_cast"] = "tim"
    show("Mid", home, (0, 0, 0))
    show("Right", home, (2, 0, 0))["second_unit_cast"] = "jan"


def classes() -> None:
    """Numbers, names, and what is neither."""
    said = {"Num": 12, "Whole": 19.0, "Text": "Swivel_Chair", "Typo": "chiar", "Far": 150, "Below": -1, "Yes": True}
    for name, value in said.items():
        mesh(name)["second_unit_class"] = value
    mesh("Array")["second_unit_class"] = [1, 2]
    home = collection("Lot", bpy.context.scene.collection)
    home["second_unit_class"] = "caar"
    for name in ("One", "Two"):
        move(mesh(name), home)


CAST: Cases = {case.__name__: case for case in (by_rig, by_instancer, classes)}
GROUPS = {"instanced": INSTANCED, "who": WHO, "cast": CAST}
