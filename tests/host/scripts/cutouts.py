# SPDX-License-Identifier: GPL-3.0-or-later
"""A square four units from the camera whose material is see-through in every way there is; a wall at eight units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from placing import into_strip, square, wall_and_front

from second_unit.addon.host.limits import beyond_zbuffer, solid_glass

SLOPE = 0.513
"""What the gradient is in the middle of the square; it rises by one half to either side of it."""


def run(args: dict[str, Any]) -> Any:
    """Build the scene ``kind``, save it as ``blend``; returns why it needs Cycles, and what is said of glass."""
    scene, front = wall_and_front()
    front.scale.z = 0.5
    material: Any = bpy.data.materials.new("Leaf")
    material.use_nodes = True
    front.data.materials.append(material)
    _KINDS[args["kind"]](material.node_tree, front)
    if args.get("linked"):
        _bring_from_library(front, Path(args["blend"]).with_name("library.blend"))
    if args.get("behind"):
        scene = _put_behind(scene)
    scene.frame_start, scene.frame_end = 1, 4
    bpy.ops.wm.save_as_mainfile(filepath=args["blend"])
    layer = scene.view_layers[0]
    return {"reasons": beyond_zbuffer(scene, layer), "glass": solid_glass(scene, layer)}


def _put_behind(scene: Any) -> Any:
    """All but the camera comes from the set of a set of the new scene, which is in that place itself."""
    middle: Any = bpy.data.scenes.new("Middle")
    main: Any = bpy.data.scenes.new("Main")
    main.background_set, middle.background_set = middle, scene
    main.collection.objects.link(scene.camera)
    scene.collection.objects.unlink(scene.camera)
    main.camera = scene.camera
    bpy.context.window.scene = main
    return main


def _bring_from_library(front: Any, library: Path) -> None:
    """The material, its groups and all, comes from another file."""
    material = front.data.materials[0]
    bpy.data.libraries.write(str(library), {material})
    front.data.materials.clear()
    bpy.data.materials.remove(material)
    for group in list(bpy.data.node_groups):
        bpy.data.node_groups.remove(group)
    libraries: Any = bpy.data.libraries
    with libraries.load(str(library), link=True) as (there, here):
        here.materials = list(there.materials)
    front.data.materials.append(here.materials[0])


def _principled(tree: Any) -> Any:
    return next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")


def _show(tree: Any, socket: Any) -> None:
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    tree.links.new(socket, output.inputs["Surface"])


def _gradient(tree: Any) -> Any:
    """From left to right, `SLOPE` in the middle."""
    place, split = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeSeparateXYZ")
    rise = tree.nodes.new("ShaderNodeMath")
    rise.operation, rise.inputs[1].default_value, rise.inputs[2].default_value = "MULTIPLY_ADD", 0.5, SLOPE
    tree.links.new(place.outputs["Object"], split.inputs[0])
    tree.links.new(split.outputs[0], rise.inputs[0])
    return rise.outputs[0]


def _mix(tree: Any, factor: Any, first: Any, second: Any) -> Any:
    mix = tree.nodes.new("ShaderNodeMixShader")
    for entry, value in zip(mix.inputs, (factor, first, second), strict=True):
        if isinstance(value, float):
            entry.default_value = value
        else:
            tree.links.new(value, entry)
    return mix.outputs[0]


def _clear(tree: Any) -> Any:
    return tree.nodes.new("ShaderNodeBsdfTransparent").outputs[0]


def _constant(alpha: float) -> Any:
    def made(tree: Any, front: Any) -> None:
        del front
        _principled(tree).inputs["Alpha"].default_value = alpha

    return made


def _alpha(tree: Any, front: Any) -> None:
    del front
    cut_left(tree)


def cut_left(tree: Any) -> None:
    """Nothing is left of the left half."""
    tree.links.new(_gradient(tree), _principled(tree).inputs["Alpha"])


def _mixed(tree: Any, front: Any) -> None:
    """Solid to the right, where the second shader is."""
    del front
    _show(tree, _mix(tree, _gradient(tree), _clear(tree), _principled(tree).outputs[0]))


def _mixed_twice(tree: Any, front: Any) -> None:
    """Neither the mix nor the alpha alone takes the surface away, but both together do."""
    del front
    _principled(tree).inputs["Alpha"].default_value = 0.8
    _show(tree, _mix(tree, _gradient(tree), _clear(tree), _principled(tree).outputs[0]))


def _added(tree: Any, front: Any) -> None:
    """A transparent colour that rises from left to right, and light over it."""
    del front
    clear, both = tree.nodes.new("ShaderNodeBsdfTransparent"), tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(_gradient(tree), clear.inputs["Color"])
    tree.links.new(clear.outputs[0], both.inputs[0])
    tree.links.new(tree.nodes.new("ShaderNodeEmission").outputs[0], both.inputs[1])
    _show(tree, both.outputs[0])


def _grouped(tree: Any, front: Any) -> None:
    """A group in a group mixes the shader that it is given; the same group is used again for nothing."""
    del front
    inner: Any = bpy.data.node_groups.new("Inner", "ShaderNodeTree")
    outer: Any = bpy.data.node_groups.new("Outer", "ShaderNodeTree")
    for group in (inner, outer):
        group.interface.new_socket("Shader", in_out="INPUT", socket_type="NodeSocketShader")
        group.interface.new_socket("Factor", in_out="INPUT", socket_type="NodeSocketFloat")
        group.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    for group in (inner, outer):
        given, told = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
        if group is inner:
            made = _mix(group, given.outputs[1], _clear(group), given.outputs[0])
        else:
            made = _use(group, inner, given.outputs[0], given.outputs[1])
        group.links.new(made, told.inputs[0])
    first = _use(tree, outer, _principled(tree).outputs[0], _gradient(tree))
    _show(tree, _use(tree, outer, first, 0.9))


def _use(tree: Any, group: Any, shader: Any, factor: Any) -> Any:
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    tree.links.new(shader, node.inputs[0])
    if isinstance(factor, float):
        node.inputs[1].default_value = factor
    else:
        tree.links.new(factor, node.inputs[1])
    return node.outputs[0]


def _muted(tree: Any, front: Any) -> None:
    """A mute mix lets its first shader through, whose alpha counts."""
    _alpha(tree, front)
    mixed = _mix(tree, 0.0, _principled(tree).outputs[0], _clear(tree))
    mixed.node.mute = True
    _show(tree, mixed)


def _fading(tree: Any, front: Any) -> None:
    """All there in the first frame, gone in the fourth."""
    del front
    alpha = _principled(tree).inputs["Alpha"]
    for frame, value in ((1, 1.0), (2, 0.7), (3, 0.3), (4, 0.0)):
        alpha.default_value = value
        alpha.keyframe_insert("default_value", frame=frame)
    bpy.context.scene.frame_set(1)


def _fading_strip(tree: Any, front: Any) -> None:
    """The same in a strip."""
    _fading(tree, front)
    into_strip(tree.animation_data)


def _polished(tree: Any, front: Any) -> None:
    """A strip that changes something else."""
    del front
    _principled(tree).inputs["Roughness"].keyframe_insert("default_value", frame=1)
    into_strip(tree.animation_data)


def _fading_group(tree: Any, front: Any) -> None:
    """The same within a group."""
    del front
    group: Any = bpy.data.node_groups.new("Fade", "ShaderNodeTree")
    group.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    told, inner = group.nodes.new("NodeGroupOutput"), group.nodes.new("ShaderNodeBsdfPrincipled")
    inner.name = inner.label = "Within"
    group.links.new(inner.outputs[0], told.inputs[0])
    _fading(group, None)
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    _show(tree, node.outputs[0])


def _driven(tree: Any, front: Any) -> None:
    """The same by a driver."""
    del front
    curve = _principled(tree).inputs["Alpha"].driver_add("default_value")
    curve.driver.type, curve.driver.expression = "SCRIPTED", "1.3 - 0.3 * frame"


def _smoke(tree: Any, front: Any) -> None:
    """A box of fog, and nothing on its surface."""
    tree.nodes.remove(_principled(tree))
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    tree.links.new(tree.nodes.new("ShaderNodeVolumePrincipled").outputs[0], output.inputs["Volume"])
    solid = front.modifiers.new("Solid", "SOLIDIFY")
    solid.thickness = 1.0


def _switched(tree: Any, front: Any) -> None:
    """Geometry nodes give another material from frame 3 on, and the file is saved in frame 1."""
    del tree
    nodes, given, told = tree_on(front)
    switch, late = nodes.nodes.new("GeometryNodeSwitch"), nodes.nodes.new("FunctionNodeCompare")
    switch.input_type, late.inputs[1].default_value = "GEOMETRY", 2.5
    nodes.links.new(nodes.nodes.new("GeometryNodeInputSceneTime").outputs["Frame"], late.inputs[0])
    nodes.links.new(late.outputs[0], switch.inputs["Switch"])
    nodes.links.new(given, switch.inputs["False"])
    nodes.links.new(set_material(nodes, given, faint("Cut")), switch.inputs["True"])
    nodes.links.new(switch.outputs["Output"], told)
    bpy.context.scene.frame_set(1)


def _rendered(tree: Any, front: Any) -> None:
    """Geometry nodes give another material in renders alone."""
    del tree
    nodes, given, told = tree_on(front)
    nodes.links.new(set_material(nodes, given, faint("Cut")), told)
    front.modifiers[0].show_viewport = False


def tree_on(thing: Any) -> tuple[Any, Any, Any]:
    """A new tree of geometry nodes on an object: the tree, the geometry it is given and where the result goes."""
    nodes: Any = bpy.data.node_groups.new("Nodes", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        nodes.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    given, told = nodes.nodes.new("NodeGroupInput"), nodes.nodes.new("NodeGroupOutput")
    thing.modifiers.new("Nodes", "NODES").node_group = nodes
    return nodes, given.outputs[0], told.inputs[0]


def set_material(nodes: Any, geometry: Any, material: Any) -> Any:
    """The geometry with one material."""
    node = nodes.nodes.new("GeometryNodeSetMaterial")
    node.inputs["Material"].default_value = material
    nodes.links.new(geometry, node.inputs[0])
    return node.outputs[0]


def faint(name: str, alpha: float = 0.2) -> Any:
    """A new material of an even alpha."""
    material: Any = bpy.data.materials.new(name)
    material.use_nodes = True
    _principled(material.node_tree).inputs["Alpha"].default_value = alpha
    return material


def _windows(tree: Any, front: Any) -> None:
    """Five panes of glass by every recipe, one of them hidden from the camera; a ball of wax that is none."""
    scene = bpy.context.scene
    _principled(tree).inputs["Transmission Weight"].default_value = 1.0
    for name, kind in (("Bottle", "Glass"), ("Lens", "Refraction")):
        _pane(scene, name, _one_shader(f"ShaderNodeBsdf{kind}"))
    _pane(scene, "Other", front.data.materials[0])
    _pane(scene, "Hidden", front.data.materials[0]).visible_camera = False
    wax: Any = bpy.data.materials.new("Wax")
    wax.use_nodes = True
    _principled(wax.node_tree).inputs["Transmission Weight"].default_value = 0.2
    _pane(scene, "Wax", wax)


def _window(tree: Any, front: Any) -> None:
    """One pane."""
    del front
    _principled(tree).inputs["Transmission Weight"].default_value = 1.0


def _pane(scene: Any, name: str, material: Any) -> Any:
    pane = square(scene, name, 5, 0.2)
    pane.data.materials.append(material)
    return pane


def _one_shader(kind: str) -> Any:
    material: Any = bpy.data.materials.new(kind)
    material.use_nodes = True
    _show(material.node_tree, material.node_tree.nodes.new(kind).outputs[0])
    return material


_KINDS = {
    "window": _window,
    "windows": _windows,
    "0.6": _constant(0.6),
    "0.4": _constant(0.4),
    "alpha": _alpha,
    "mixed": _mixed,
    "mixed twice": _mixed_twice,
    "added": _added,
    "grouped": _grouped,
    "muted": _muted,
    "fading": _fading,
    "fading strip": _fading_strip,
    "polished": _polished,
    "fading group": _fading_group,
    "driven": _driven,
    "smoke": _smoke,
    "switched": _switched,
    "rendered": _rendered,
}
