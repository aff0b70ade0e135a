# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's Blender: a scene with all that a child could lose, an unsaved change, a hidden copy, a session."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.host import condition, hidden_copy, session
from second_unit.addon.host.concerns import concerns
from second_unit.addon.shot.documents import Fields

TWIST = "import bpy\n\n\ndef twist(f):\n    return f * 0.125\n\n\nbpy.app.driver_namespace['twist'] = twist\n"
CORNERS = [(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0), (0, 0, 1.5)]
FACES = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def put(name: str, data: Any, where: tuple[float, float, float]) -> Any:
    """A new object in the scene."""
    thing = bpy.data.objects.new(name, data)
    thing.location = where
    bpy.context.scene.collection.objects.link(thing)
    return thing


def pyramid(name: str) -> Any:
    """A mesh with five corners."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(CORNERS, [], FACES)
    return mesh


def link_library(folder: Path) -> None:
    """An object that lives in another file, named relative to this one."""
    thing = bpy.data.objects.new("Prop", pyramid("Prop"))
    (folder / "props").mkdir()
    file = folder / "props" / "props.blend"
    bpy.data.libraries.write(str(file), {thing})
    bpy.data.objects.remove(thing)
    library: Any = bpy.data.libraries.load("//props/props.blend", link=True, relative=True)
    with library as (_, wanted):
        wanted.objects = ["Prop"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])


def hang_cloth() -> Any:
    """A cloth that falls; its cache is kept on disk."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=4, y_subdivisions=4, size=2, location=(3, 0, 2))
    thing = bpy.context.object
    thing.name = "Cloth"
    modifier = thing.modifiers.new("Cloth", "CLOTH")
    cache = modifier.point_cache
    cache.use_disk_cache = True
    cache.frame_start, cache.frame_end = 1, 8
    return thing


def bake(thing: Any) -> None:
    """Bake the cache of a cloth."""
    cache = thing.modifiers["Cloth"].point_cache
    with bpy.context.temp_override(scene=bpy.context.scene, object=thing, active_object=thing, point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)


def add_nodes(thing: Any) -> None:
    """Geometry nodes that push the mesh aside in the viewport only, and smoother rendered than shown."""
    group = bpy.data.node_groups.new("Viewport aside", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    names = ("NodeGroupInput", "GeometryNodeIsViewport", "ShaderNodeCombineXYZ", "GeometryNodeSetPosition")
    first, asked, offset, moved = (group.nodes.new(name) for name in names)
    last = group.nodes.new("NodeGroupOutput")
    group.links.new(asked.outputs[0], offset.inputs[0])
    group.links.new(offset.outputs[0], moved.inputs["Offset"])
    group.links.new(first.outputs[0], moved.inputs["Geometry"])
    group.links.new(moved.outputs[0], last.inputs[0])
    thing.modifiers.new("Nodes", "NODES").node_group = group
    smooth = thing.modifiers.new("Subdivision", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 1


def drive(thing: Any) -> None:
    """A height that a registered text decides."""
    text = bpy.data.texts.new("twist.py")
    text.write(TWIST)
    text.use_module = True
    driver = thing.driver_add("location", 2).driver
    driver.type, driver.expression = "SCRIPTED", "twist(frame)"


def build(folder: Path) -> Path:
    """The scene, saved; the cloth's cache is baked beside it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 8
    blend = folder / "film.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=False)
    link_library(folder)
    cloth = hang_cloth()
    add_nodes(put("Smooth", pyramid("Smooth"), (-3, 0, 0)))
    drive(put("Driven", pyramid("Driven"), (0, 3, 0)))
    put("Moved", pyramid("Moved"), (0, -2, 0))
    camera = put("A", bpy.data.cameras.new("A"), (0, -14, 2))
    camera.rotation_euler = (1.5707963, 0, 0)
    scene.camera = camera
    put("Sun", bpy.data.lights.new("Sun", "SUN"), (0, 0, 5))
    bake(cloth)
    bpy.ops.wm.save_mainfile()
    return blend


def change() -> None:
    """What is not saved."""
    bpy.data.objects["Moved"].location.x = 0.75
    bpy.data.objects["Smooth"].modifiers["Subdivision"].render_levels = 2
    bpy.context.view_layer.update()


def run(args: dict[str, Any]) -> Any:
    """Build, open (``trusted`` or not), change, hide a copy; what the artist's own Blender renders is told last."""
    blend = build(Path(args["folder"]))
    bpy.app.driver_namespace.pop("twist", None)
    bpy.ops.wm.open_mainfile(filepath=str(blend), use_scripts=args["trusted"])
    bpy.context.scene.frame_set(3)
    change()
    dump_open = importlib.import_module("open_dump").dump_open
    before, bytes_before, worries = dump_open(), blend.read_bytes(), concerns()
    now = session.gather()
    copy = hidden_copy.hide_copy()
    session.save_session(hidden_copy.session_file(copy), now)
    after = dump_open()
    bpy.ops.ed.undo_push(message="still works")
    scene: Any = bpy.context.scene
    order = Fields({**args["order"], "cache": str(Path(args["folder"]) / "parent cache")}, "order")
    rendered = condition.condition_scene(scene, order, lambda *_: None)
    return {
        "blend": str(blend), "copy": str(copy), "session": str(hidden_copy.session_file(copy)),
        "hashes": rendered["hashes"], "concerns": worries, "trusted": now.trusted, "dumped": len(before),
        "changed": [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)],
        "same bytes": blend.read_bytes() == bytes_before,
    }  # fmt: skip
