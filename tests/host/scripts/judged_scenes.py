# SPDX-License-Identifier: GPL-3.0-or-later
"""Six fixed scenes and any number of random ones, each moving between frames 4 and 6."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import bpy
from mathutils import Vector  # pyright: ignore[reportMissingModuleSource]

Place = tuple[float, float, float]
NOWHERE: Place = (0.0, 0.0, 0.0)


def build(name: str) -> Any:
    """The scene of that name; ``seed<number>`` is a random one."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    scene.world = bpy.data.worlds.new("Night")
    camera = put("Camera", bpy.data.cameras.new("Camera"))
    scene.camera = camera
    aim(camera, (0.5, -9, 2.5), (0, 0, 0.8))
    if name.startswith("seed"):
        heap(scene, camera, random.Random(int(name[4:])))
    else:
        FIXED[name](scene, camera)
    return scene


def put(name: str, data: Any, where: Place = NOWHERE, home: Any = None) -> Any:
    """A new object, in the scene's own collection unless another is named."""
    thing = bpy.data.objects.new(name, data)
    thing.location = where
    (home or bpy.context.scene.collection).objects.link(thing)
    return thing


def aim(thing: Any, where: Place, at: Place) -> None:
    """Stand somewhere and look at something."""
    thing.location = where
    thing.rotation_euler = (Vector(at) - Vector(where)).to_track_quat("-Z", "Y").to_euler()


def move(thing: Any, path: str, by: Place) -> None:
    """From half of it before to half of it after frame 5."""
    here = Vector(getattr(thing, path))
    for frame, share in ((4, -0.5), (5, 0.0), (6, 0.7)):
        setattr(thing, path, here + share * Vector(by))
        thing.keyframe_insert(path, frame=frame)


def primitive(kind: str, **options: Any) -> Any:
    """The mesh of one of Blender's own primitives."""
    getattr(bpy.ops.mesh, f"primitive_{kind}_add")(**options)
    thing = bpy.context.object
    mesh = thing.data
    bpy.data.objects.remove(thing)
    return mesh


def smooth(mesh: Any, sharp: int = 0) -> Any:
    """All faces smooth; every ``sharp``-th edge is sharp."""
    for polygon in mesh.polygons:
        polygon.use_smooth = True
    if sharp:
        for edge in mesh.edges:
            edge.use_edge_sharp = edge.index % sharp == 0
    return mesh


def ground() -> Any:
    """A large floor."""
    return put("Ground", primitive("plane", size=60))


def instances(scene: Any, camera: Any) -> None:
    """Collection, particle and vertex instances; mirrored, sheared; holdouts, and all the ways to be hidden."""
    ground()
    props = bpy.data.collections.new("Props")
    put("Ball", smooth(primitive("uv_sphere", segments=16, ring_count=9)), home=props).scale = (1, 0.6, 1.3)
    put("Box", primitive("cube", size=1), (0, 0, 1.4), home=props).rotation_euler = (0.3, 0.2, 0.5)
    for i in range(9):
        empty = put(f"Empty{i}", None, (i % 3 * 3 - 3, i // 3 * 3 - 2, 0.8))
        empty.instance_type, empty.instance_collection = "COLLECTION", props
        empty.scale = ((1, 1, 1), (-1, 1.3, 0.7), (0.6, 0.6, -1.2))[i % 3]
        empty.rotation_euler = (0.1 * i, 0, 0.7 * i)
        empty.visible_camera = i != 5
        empty.is_holdout = i == 4
        empty.hide_render = i == 7
        move(empty, "location", (0.1 * i, 0.05, 0.02))
    scattered(props)
    held, unseen = (bpy.data.collections.new(n) for n in ("Held", "Unseen"))
    for collection, place in ((held, (2.2, -4, 0.5)), (unseen, (-1, -5, 1))):
        scene.collection.children.link(collection)
        put(collection.name, smooth(primitive("ico_sphere", subdivisions=3, radius=0.4)), place, home=collection)
    layers = scene.view_layers[0].layer_collection.children
    layers["Held"].holdout = layers["Unseen"].indirect_only = True
    move(camera, "location", (0.1, 0.1, 0.02))


def scattered(props: Any) -> None:
    """One small thing on each face by instancing, and one on each point by hair particles."""
    pebble = put("Pebble", smooth(primitive("ico_sphere", subdivisions=2, radius=0.12)), home=props)
    wheel = put("Wheel", primitive("circle", vertices=9, radius=2.4, fill_type="NGON"), (0, 1, 3.4))
    wheel.instance_type, wheel.show_instancer_for_render = "VERTS", False
    child = put("Pearl", pebble.data)
    child.parent = wheel
    move(wheel, "rotation_euler", (0, 0, 0.1))
    lawn = put("Lawn", primitive("grid", x_subdivisions=3, y_subdivisions=3, size=3), (-3, -4, 0.05))
    lawn.modifiers.new("Scatter", "PARTICLE_SYSTEM")
    settings = lawn.particle_systems[0].settings
    settings.type, settings.count, settings.render_type = "HAIR", 12, "OBJECT"
    settings.instance_object, settings.particle_size, settings.hair_length = pebble, 1.0, 1.0


def skinned(_: Any, camera: Any) -> None:
    """A tube bent by two bones, with a bone shape, under a render-level subdivision; a shape key."""
    ground()
    rig = put("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for i, name in enumerate(("Lower", "Upper")):
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail = (0, 0, 1.2 * i), (0, 0, 1.2 * i + 1.2)
        if i:
            bone.parent = rig.data.edit_bones["Lower"]
    bpy.ops.object.mode_set(mode="OBJECT")
    tube = put("Tube", smooth(primitive("cylinder", vertices=14, radius=0.5, depth=2.4, location=NOWHERE)))
    body(tube, rig)
    shape = put("BoneShape", primitive("cube", size=5), (0, 0, -50))
    shape.hide_render = True
    rig.pose.bones["Upper"].custom_shape = shape
    bend = rig.pose.bones["Upper"]
    bend.rotation_mode = "XYZ"
    bend.rotation_euler = (0.5, 0.2, 0.3)
    move(bend, "rotation_euler", (0.15, 0.1, 0.2))
    move(rig, "location", (0.1, 0.05, 0))
    breathing()
    move(camera, "location", (-0.08, 0.1, 0.03))


def body(tube: Any, rig: Any) -> None:
    """Weights by height, and more geometry in the render than in the viewport."""
    for vertex in tube.data.vertices:
        vertex.co.z += 1.2
    for name in ("Lower", "Upper"):
        group = tube.vertex_groups.new(name=name)
        for vertex in tube.data.vertices:
            share = min(max((vertex.co.z - 0.6) / 1.2, 0), 1)
            group.add([vertex.index], share if name == "Upper" else 1 - share, "REPLACE")
    cuts = tube.modifiers.new("Cuts", "SUBSURF")
    cuts.levels, cuts.render_levels, cuts.subdivision_type = 0, 3, "SIMPLE"
    tube.modifiers.new("Skin", "ARMATURE").object = rig
    round_ = tube.modifiers.new("Round", "SUBSURF")
    round_.show_viewport, round_.render_levels = False, 1


def breathing() -> None:
    """A ball whose shape key swells unevenly."""
    ball = put("Balloon", smooth(primitive("uv_sphere", segments=20, ring_count=11)), (2.4, 1, 1), None)
    ball.shape_key_add(name="Basis")
    key = ball.shape_key_add(name="Swollen")
    for i, point in enumerate(key.data):
        point.co = Vector(point.co) * (1.2 + 0.3 * math.sin(i))
    for frame, value in ((4, 0.1), (5, 0.3), (6, 0.5)):
        key.value = value
        key.keyframe_insert("value", frame=frame)


def curves(_: Any, camera: Any) -> None:
    """What becomes a mesh on the way: curves, text, surfaces, metaballs, geometry nodes."""
    ground()
    curve = bpy.data.curves.new("Pipe", "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution = "3D", 0.15, 3
    spline = curve.splines.new("BEZIER")
    spline.bezier_points.add(3)
    for i, point in enumerate(spline.bezier_points):
        point.co = (i - 3, math.sin(2 * i), 0.5 + 0.5 * i)
        point.handle_left_type = point.handle_right_type = "AUTO"
    move(put("Pipe", curve), "location", (0.1, 0, 0.05))
    text = bpy.data.curves.new("Text", "FONT")
    text.body, text.extrude, text.bevel_depth = "Rg8", 0.1, 0.02
    sign = put("Sign", text, (-0.5, -3, 0.5))
    sign.rotation_euler = (1.4, 0.1, 0.3)
    move(sign, "rotation_euler", (0.05, 0, 0.1))
    bpy.ops.surface.primitive_nurbs_surface_torus_add(radius=1.0, location=(2.5, 1, 1))
    for x in (-2.6, -3.3):
        ball = bpy.data.metaballs.new("Drop")
        ball.elements.new().radius = 1.2
        put("Drop", ball, (x, -1.5, 0.8))
    nodes()
    move(camera, "rotation_euler", (0.01, 0.0, 0.02))


def nodes() -> None:
    """A grid of cones and the surface they stand on, from one object."""
    tree = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    grid, cone, scatter, join = (
        tree.nodes.new(f"GeometryNode{kind}") for kind in ("MeshGrid", "MeshCone", "InstanceOnPoints", "JoinGeometry")
    )
    grid.inputs["Size X"].default_value = grid.inputs["Size Y"].default_value = 1.5
    cone.inputs["Radius Bottom"].default_value, cone.inputs["Depth"].default_value = 0.2, 0.5
    tree.links.new(grid.outputs["Mesh"], scatter.inputs["Points"])
    tree.links.new(cone.outputs["Mesh"], scatter.inputs["Instance"])
    tree.links.new(scatter.outputs["Instances"], join.inputs["Geometry"])
    tree.links.new(grid.outputs["Mesh"], join.inputs["Geometry"])
    tree.links.new(join.outputs["Geometry"], tree.nodes.new("NodeGroupOutput").inputs[0])
    bed = put("Bed", primitive("cube"), (0.9, -2.5, 1.2))
    bed.rotation_euler = (0.4, 0.1, 0.2)
    bed.modifiers.new("Scatter", "NODES").node_group = tree
    move(bed, "location", (0.1, -0.1, 0))


def shifted(scene: Any, camera: Any) -> None:
    """A size that is truncated, pixels that are no squares, a shifted lens."""
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = 487, 271, 67
    render.pixel_aspect_x, render.pixel_aspect_y = 1.0, 1.37
    camera.data.shift_x, camera.data.shift_y, camera.data.sensor_fit = 0.21, -0.13, "VERTICAL"
    camera.data.lens, camera.scale = 28, (0.3, 2, 1)
    ground()
    things(random.Random(4), 14)
    move(camera, "location", (0.2, 0.1, 0.05))


def ortho(_: Any, camera: Any) -> None:
    """No vanishing point, cut off by both clip planes. The camera rests: Cycles' Vector takes it for perspective."""
    camera.data.type, camera.data.ortho_scale = "ORTHO", 7.5
    camera.data.shift_y, camera.data.clip_start, camera.data.clip_end = 0.05, 4.0, 14.0
    ground()
    things(random.Random(5), 14)


def near(_: Any, camera: Any) -> None:
    """The floor and a smooth hill pass through the near plane; the camera stands inside a ball."""
    camera.data.clip_start, camera.data.clip_end, camera.data.lens = 0.12, 100, 18
    aim(camera, (0, -2, 0.1), (0.1, 0, 0.05))
    move(ground(), "rotation_euler", (0.002, 0.003, 0))
    hill = put("Hill", smooth(primitive("grid", x_subdivisions=12, y_subdivisions=12, size=8)), (0, 0, -0.02))
    for vertex in hill.data.vertices:
        vertex.co.z = 0.08 * math.sin(vertex.co.x * 1.7) * math.cos(vertex.co.y * 2.3)
    put("Dome", smooth(primitive("uv_sphere", segments=24, ring_count=12, radius=9)))
    things(random.Random(6), 5)
    move(camera, "location", (0.01, 0.02, 0.002))


FIXED: dict[str, Callable[[Any, Any], None]] = {
    "instances": instances, "skinned": skinned, "curves": curves, "shifted": shifted, "ortho": ortho, "near": near,
}  # fmt: skip

KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cube", {"size": 1}), ("uv_sphere", {"segments": 18, "ring_count": 10, "radius": 0.7}),
    ("ico_sphere", {"subdivisions": 3, "radius": 0.6}), ("torus", {"major_radius": 0.6, "minor_radius": 0.2}),
    ("cone", {"vertices": 12, "radius1": 0.6, "depth": 1.2}), ("cylinder", {"vertices": 16, "radius": 0.4}),
    ("monkey", {"size": 1.2}), ("plane", {"size": 1.5}),
)  # fmt: skip


def things(chance: random.Random, count: int) -> None:
    """Primitives in any shape, shading, size and motion."""
    meshes = [primitive(kind, **options) for kind, options in KINDS]
    meshes += [smooth(primitive(kind, **options), sharp) for kind, options in KINDS[:7] for sharp in (0, 5)]
    for i in range(count):
        where = chance.uniform(-4, 4), chance.uniform(-3, 6), chance.uniform(0, 3)
        thing = put(f"Thing{i}", chance.choice(meshes), where)
        size = chance.uniform(0.4, 1.6)
        thing.scale = [size * chance.uniform(0.5, 1.5) * chance.choice((1, 1, -1)) for _ in range(3)]
        thing.rotation_euler = [chance.uniform(-3, 3) for _ in range(3)]
        modify(thing, chance)
        if chance.random() < 0.6:
            move(thing, "location", (chance.uniform(-0.3, 0.3), chance.uniform(-0.3, 0.3), chance.uniform(-0.2, 0.2)))
            move(thing, "rotation_euler", (chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2), 0.1))


def modify(thing: Any, chance: random.Random) -> None:
    """Sometimes a modifier; one of them moves. None lays faces upon each other: who is in front there is chance."""
    kind = chance.choice(("", "", "SUBSURF", "SOLIDIFY", "BEVEL", "SIMPLE_DEFORM", "ARRAY"))
    if not kind:
        return
    modifier = thing.modifiers.new(kind, kind)
    if kind == "SUBSURF":
        modifier.levels, modifier.render_levels = 0, 1
    elif kind == "SIMPLE_DEFORM":
        for frame, angle in ((4, 0.4), (5, 0.5), (6, 0.6)):
            modifier.angle = angle
            modifier.keyframe_insert("angle", frame=frame)
    elif kind == "ARRAY":
        modifier.relative_offset_displace = (0.83, 0.31, 0.17)
    elif kind == "SOLIDIFY":
        modifier.thickness = 0.07


def heap(scene: Any, camera: Any, chance: random.Random) -> None:
    """Anything, seen by any camera. An orthographic one rests, see `ortho`."""
    if chance.random() < 0.7:
        ground()
    things(chance, chance.randint(6, 22))
    data = camera.data
    data.sensor_fit = chance.choice(("AUTO", "HORIZONTAL", "VERTICAL"))
    data.lens, data.shift_x, data.shift_y = chance.uniform(16, 70), chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2)
    if chance.random() < 0.25:
        data.type, data.ortho_scale = "ORTHO", chance.uniform(4, 12)
    data.clip_start = chance.choice((0.1, 0.01, 4.0))
    scene.render.pixel_aspect_y = chance.choice((1.0, 1.0, 1.2))
    eye = chance.uniform(-5, 5), chance.uniform(-11, -4), chance.uniform(0.2, 5)
    aim(camera, eye, (chance.uniform(-1, 1), 1, chance.uniform(0, 1.5)))
    if data.type != "ORTHO":
        move(camera, "location", (chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2), chance.uniform(-0.1, 0.1)))
