# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extractor reads of small scenes: normals by domain, hashes, tags, notes."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import bpy

from second_unit.addon.host.extract import Extractor, read_mesh
from second_unit.addon.host.rigs import Rigs

CORNERS = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def run(args: dict[str, Any]) -> Any:  # noqa: ARG001 every script is called with them
    """Everything, by name."""
    domains = {}
    for domain in ("FACE", "POINT", "CORNER"):
        mesh = read_mesh(cube(domain))
        domains[domain] = [] if mesh.normals is None else [len(mesh.normals), int(mesh.normal_index.max()) + 1]
        domains[domain] = domains[domain] or [0, 0]
    hashes = {}
    for name, change in {"plain": plain, **CHANGES}.items():
        build()
        change()
        hashes[name] = read()[1]
    build()
    again = read()[1]
    build()
    broken()
    _, _, notes = read()
    build()
    house()
    geometry, _, _ = read()
    tags = {i.key: [i.tag.object, list(i.tag.collections), i.tag.label, i.tag.cast] for i in geometry.instances}
    return {"domains": domains, "hashes": hashes, "again": again, "notes": notes, "tags": tags}


def cube(domain: str = "FACE") -> Any:
    """A cube whose normals are stored where ``domain`` says."""
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata(CORNERS, [], FACES)
    for polygon in mesh.polygons:
        polygon.use_smooth = domain != "FACE"
    mesh.edges[0].use_edge_sharp = mesh.edges[2].use_edge_sharp = domain == "CORNER"
    if domain == "CORNER":
        mesh.polygons[0].use_smooth = False
    return mesh


def build() -> None:
    """A cube and a camera."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    camera = put("Camera", bpy.data.cameras.new("Camera"))
    camera.location = (0, 0, 9)
    bpy.context.scene.camera = camera
    put("Ground", cube())


def put(name: str, data: Any, home: Any = None) -> Any:
    """A new object."""
    thing = bpy.data.objects.new(name, data)
    (home or bpy.context.scene.collection).objects.link(thing)
    return thing


def read() -> tuple[Any, str, list[str]]:
    """Geometry, hash and notes."""
    scene = bpy.context.scene
    extractor = Extractor(Rigs(scene), (64, 64), (64, 64))
    geometry, digest = extractor.frame(bpy.context.evaluated_depsgraph_get(), Fraction(1))
    extractor.frame(bpy.context.evaluated_depsgraph_get(), Fraction(1))
    return geometry, digest, extractor.notes


def plain() -> None:
    """No change."""


def smooth() -> None:
    """The same shape, shaded smooth."""
    for polygon in bpy.data.objects["Ground"].data.polygons:
        polygon.use_smooth = True


def sharp() -> None:
    """Smooth but for one face."""
    smooth()
    bpy.data.objects["Ground"].data.polygons[0].use_smooth = False


def label() -> None:
    """Its class."""
    bpy.data.objects["Ground"]["second_unit_class"] = "floor"


def cast() -> None:
    """Whose it is."""
    bpy.data.objects["Ground"]["second_unit_cast"] = "Anna"


def collection() -> None:
    """Where it belongs."""
    home = bpy.data.collections.new("Home")
    bpy.context.scene.collection.children.link(home)
    home.objects.link(bpy.data.objects["Ground"])


def held() -> None:
    """A holdout by its collection."""
    collection()
    bpy.context.view_layer.layer_collection.children["Home"].holdout = True


CHANGES: dict[str, Callable[[], None]] = {
    "smooth": smooth, "sharp": sharp, "label": label, "cast": cast, "collection": collection, "held": held,
}  # fmt: skip


def broken() -> None:
    """A mesh with holes, an object that is nowhere."""
    torn = bpy.data.meshes.new("Torn")
    torn.from_pydata([(math.nan, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2), (1, 2, 3)])
    put("Torn", torn)
    put("Nowhere", cube()).location = (math.nan, 0, 0)
    put("Nothing", bpy.data.meshes.new("Nothing"))
    put("Zero", cube()).scale = (0, 0, 0)


def house() -> None:
    """Collections in collections, one thing in two of them, instances of a collection."""
    scene = bpy.context.scene
    rooms = {name: bpy.data.collections.new(name) for name in ("Wood", "Room", "House", "Stage", "Actors")}
    scene.collection.children.link(rooms["House"])
    scene.collection.children.link(rooms["Stage"])
    rooms["House"].children.link(rooms["Room"])
    rooms["House"].children.link(rooms["Wood"])
    rooms["Room"]["second_unit_class"] = "furniture"
    rooms["Actors"]["second_unit_class"], rooms["Actors"]["second_unit_cast"] = "person", "Extra"
    rooms["House"]["second_unit_cast"] = 7
    chair = put("Chair", cube(), rooms["Room"])
    rooms["Wood"].objects.link(chair)
    chair["second_unit_class"], chair["second_unit_cast"] = "chair", "Bob"
    put("Table", cube(), rooms["Room"])
    put("Guy", cube(), rooms["Actors"])
    for name in ("Stand-in", "Double"):
        empty = put(name, None, rooms["Stage"])
        empty.instance_type, empty.instance_collection = "COLLECTION", rooms["Actors"]
    bpy.data.objects["Stand-in"]["second_unit_cast"] = "Anna"
