# SPDX-License-Identifier: GPL-3.0-or-later
"""People with hair, and cut-outs that stand behind each other, for Cycles to draw."""

from __future__ import annotations

import random
from typing import Any

import bpy
import cutouts
import people
from placing import put, square

from second_unit.addon.host.cycles_who import number_objects


def run(args: dict[str, Any]) -> Any:
    """Build the scene ``kind`` and save it as ``blend``."""
    scene = people.build()
    for name in ("Hat", "Bag", "Strap", "Box"):
        bpy.data.objects.remove(bpy.data.objects[name])
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    hero = bpy.data.collections.new("HERO")
    scene.collection.children.link(hero)
    hero["second_unit_cast"] = "mara"
    for name in ("Ada", "Body"):
        _move(bpy.data.objects[name], hero)
    square(scene, "Wall", 8, 20)
    answer = _KINDS[args["kind"]](scene, hero)
    scene.frame_start, scene.frame_end = 1, 2
    bpy.ops.wm.save_as_mainfile(filepath=args["blend"])
    return answer


def _move(thing: Any, home: Any) -> None:
    for collection in list(thing.users_collection):
        collection.objects.unlink(thing)
    home.objects.link(thing)


def _hair(name: str, home: Any, middle: tuple[float, float, float]) -> Any:
    """A ball of thick straws around a place."""
    curves: Any = bpy.data.hair_curves.new(name)
    curves.add_curves([2] * 200)
    chance = random.Random(2)
    places: list[float] = []
    for _ in range(200):
        away = [chance.uniform(-0.4, 0.4) for _ in range(3)]
        places += [*middle, *(a + b for a, b in zip(middle, away, strict=True))]
    curves.position_data.foreach_set("vector", places)
    radius = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    radius.data.foreach_set("value", [0.02] * 400)
    thing: Any = bpy.data.objects.new(name, curves)
    home.objects.link(thing)
    return thing


def _by_parent(scene: Any, hero: Any) -> None:
    """The hair is a child of the rig, has a class, and lies in the collection of the cast; a tuft is nobody's."""
    hair = _hair("Hair", hero, (0, 0, 1.9))
    hair.parent = bpy.data.objects["Ada"]
    hair["second_unit_class"] = "person"
    _hair("Grass", scene.collection, (1.5, 0, 0.5))


def _renamed(scene: Any, hero: Any) -> None:
    """The same pixels, but the hair is said to be something else."""
    _by_parent(scene, hero)
    bpy.data.objects["Hair"]["second_unit_class"] = "plant"


def _by_surface(scene: Any, hero: Any) -> None:
    """The hair grows on the body, parented to nothing, in no collection; a wig that is a prop does so too.

    Time is stretched.
    """
    del hero
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 200
    for name, side in (("Hair", 0.0), ("Prop", 1.5)):
        hair = _hair(name, scene.collection, (side, 0, 1.9))
        hair.data.surface = bpy.data.objects["Body"]
    bpy.data.objects["Prop"]["second_unit_set"] = True


def _particles(scene: Any, hero: Any) -> None:
    """Particle hair on the body, which is not shown itself; a hat keeps its person in the picture."""
    del scene
    body = bpy.data.objects["Body"]
    body.modifiers.new("Fur", "PARTICLE_SYSTEM")
    settings = body.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 300, 0.5
    body.show_instancer_for_render = False
    hat = people.mesh("Hat")
    _move(hat, hero)
    hat.parent, hat.scale = bpy.data.objects["Ada"], (0.2, 0.2, 0.2)


def _crowd(scene: Any, hero: Any) -> None:
    """Two instances of a person with hair, left and right; the original is not in the picture."""
    hair = _hair("Hair", hero, (0, 0, 1.9))
    hair.parent = bpy.data.objects["Body"]
    scene.collection.children.unlink(hero)
    for name, x in (("Left", -1.0), ("Right", 1.0)):
        empty = put(scene, name, None, (x, 0, 0))
        empty.instance_type, empty.instance_collection = "COLLECTION", hero


def _cards(scene: Any, hero: Any) -> None:
    """Three instances of a card behind each other, of which the left halves are not there, each of another cast."""
    scene.collection.children.unlink(hero)
    cards = bpy.data.collections.new("Cards")
    card = square(scene, "Card", 0, 0.8)
    _move(card, cards)
    material: Any = bpy.data.materials.new("Half")
    material.use_nodes = True
    card.data.materials.append(material)
    cutouts.cut_left(material.node_tree)
    for number in range(3):
        empty = put(scene, f"Card{number}", None, (0.3 - 0.3 * number, number, 1))
        empty.instance_type, empty.instance_collection = "COLLECTION", cards
        empty["second_unit_cast"] = f"cast {number}"


def _panorama(scene: Any, hero: Any) -> None:
    """The same, all around."""
    _cards(scene, hero)
    scene.camera.data.type = "PANO"
    owner = scene.camera.data if hasattr(scene.camera.data, "panorama_type") else scene.camera.data.cycles
    owner.panorama_type = "EQUIRECTANGULAR"


def _held_out(scene: Any, hero: Any) -> None:
    """A square that holds out stands before the legs of the person, who has hair."""
    _by_parent(scene, hero)
    hole = square(scene, "Hole", -1, 0.5)
    hole.location.z, hole.is_holdout = 0.3, True


def _numbered(scene: Any, hero: Any) -> dict[str, Any]:
    """More objects than numbers: those of the scene come first."""
    del hero
    bpy.data.objects.new("Aaa", None)
    numbered = number_objects(scene, 3)
    objects: Any = bpy.data.objects
    return {"numbered": [thing.name for thing in numbered.values()], "of": {o.name: o.pass_index for o in objects}}


_KINDS = {
    "by parent": _by_parent,
    "renamed": _renamed,
    "by surface": _by_surface,
    "particles": _particles,
    "crowd": _crowd,
    "cards": _cards,
    "panorama": _panorama,
    "held out": _held_out,
    "numbered": _numbered,
}
