# SPDX-License-Identifier: GPL-3.0-or-later
"""A square whose geometry nodes may show a faint material at some time, by every way there is, or cannot."""

from __future__ import annotations

from typing import Any

import bpy
from cutouts import faint, set_material, tree_on
from placing import square, wall_and_front

from second_unit.addon.host.limits import beyond_zbuffer


def run(args: dict[str, Any]) -> dict[str, list[str]]:
    """Why each scene needs Cycles."""
    del args
    return {name: _reasons(make) for name, make in _KINDS.items()}


def _reasons(make: Any) -> list[str]:
    """Nothing reaches the result, so that no evaluated frame says what the tree may show."""
    scene, front = wall_and_front()
    front.data.materials.append(faint("Leaf", 1.0))
    nodes, given, told = tree_on(front)
    nodes.links.new(given, told)
    card = square(scene, "Card", 5, 0.2)
    card.data.materials.append(faint("Cut"))
    card.hide_render = True
    make(nodes, given, card)
    scene.view_layers[0].update()
    return beyond_zbuffer(scene, scene.view_layers[0])


def _cut() -> Any:
    return bpy.data.materials["Cut"]


def _front() -> Any:
    return bpy.data.objects["Front"]


def _set(nodes: Any, given: Any, card: Any) -> Any:
    del card
    return set_material(nodes, given, _cut()).node


def _muted(nodes: Any, given: Any, card: Any) -> None:
    _set(nodes, given, card).mute = True


def _opaque(nodes: Any, given: Any, card: Any) -> None:
    card.data.materials[0] = faint("Solid", 1.0)
    set_material(nodes, given, bpy.data.materials["Solid"])
    _object(nodes, given, card)


def _group(nodes: Any, _given: Any, card: Any) -> Any:
    """It sets the material itself."""
    inner: Any = bpy.data.node_groups.new("Inner", "GeometryNodeTree")
    outer: Any = bpy.data.node_groups.new("Outer", "GeometryNodeTree")
    _set(inner, inner.nodes.new("GeometryNodeMeshCube").outputs[0], card)
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    node = nodes.nodes.new("GeometryNodeGroup")
    node.node_tree = outer
    return node


def _muted_group(nodes: Any, given: Any, card: Any) -> None:
    _group(nodes, given, card).mute = True


def _given(nodes: Any, _given: Any, _card: Any) -> None:
    """Its user says which."""
    inner: Any = bpy.data.node_groups.new("Inner", "GeometryNodeTree")
    inner.interface.new_socket("Material", in_out="INPUT", socket_type="NodeSocketMaterial")
    node = nodes.nodes.new("GeometryNodeGroup")
    node.node_tree = inner
    node.inputs[0].default_value = _cut()


def _object(nodes: Any, _given: Any, card: Any) -> Any:
    info = nodes.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = card
    nodes.links.new(info.outputs["Geometry"], nodes.nodes.new("GeometryNodeJoinGeometry").inputs[0])
    return info


def _place(nodes: Any, _given: Any, card: Any) -> None:
    info = nodes.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = card
    nodes.links.new(info.outputs["Location"], nodes.nodes.new("GeometryNodeSetPosition").inputs["Offset"])


def _within(nodes: Any, given: Any, card: Any) -> None:
    """Only the nodes of the object that is brought in set it."""
    card.data.materials.clear()
    inner, geometry, _ = tree_on(card)
    set_material(inner, geometry, _cut())
    _object(nodes, given, card)


def _home(card: Any) -> Any:
    home = bpy.data.collections.new("Home")
    child = bpy.data.collections.new("Child")
    home.children.link(child)
    child.objects.link(card)
    return home


def _collection(nodes: Any, _given: Any, card: Any) -> None:
    nodes.nodes.new("GeometryNodeCollectionInfo").inputs["Collection"].default_value = _home(card)


def _empty(nodes: Any, given: Any, card: Any) -> None:
    """It stands for the collection."""
    empty = bpy.data.objects.new("Empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", _home(card)
    _object(nodes, given, empty)


def _of_modifier(kind: str, value: Any) -> Any:
    def made(nodes: Any, _given: Any, card: Any) -> None:
        name = nodes.interface.new_socket("Given", in_out="INPUT", socket_type=f"NodeSocket{kind}").identifier
        modifier: Any = _front().modifiers[0]
        if hasattr(modifier, "properties"):
            getattr(modifier.properties.inputs, name).value = value(card)
        else:
            modifier[name] = value(card)

    return made


def _material_node(nodes: Any, _given: Any, _card: Any) -> Any:
    node = nodes.nodes.new("GeometryNodeInputMaterial")
    node.material = _cut()
    return node


def _replace(entry: str) -> Any:
    def made(nodes: Any, _given: Any, _card: Any) -> None:
        nodes.nodes.new("GeometryNodeReplaceMaterial").inputs[entry].default_value = _cut()

    return made


def _compared(nodes: Any, _given: Any, _card: Any) -> None:
    nodes.nodes.new("GeometryNodeMaterialSelection").inputs[0].default_value = _cut()


def _linked(is_muted: bool) -> Any:
    """A link brings another material, or is mute and does not."""

    def made(nodes: Any, given: Any, card: Any) -> None:
        source = nodes.nodes.new("GeometryNodeInputMaterial")
        source.material = bpy.data.materials["Leaf"]
        nodes.links.new(source.outputs[0], _set(nodes, given, card).inputs["Material"]).is_muted = is_muted

    return made


def _off(nodes: Any, given: Any, card: Any) -> None:
    _set(nodes, given, card)
    _front().modifiers[0].show_render = False


def _late(nodes: Any, given: Any, card: Any) -> None:
    """The modifier is on for render from frame 2 on."""
    _set(nodes, given, card)
    modifier = _front().modifiers[0]
    for frame, is_on in ((1, False), (2, True)):
        modifier.show_render = is_on
        modifier.keyframe_insert("show_render", frame=frame)
    bpy.context.scene.frame_set(1)


def _stale(nodes: Any, _given: Any, _card: Any) -> None:
    """A switch that once chose materials and now chooses numbers."""
    switch = nodes.nodes.new("GeometryNodeSwitch")
    switch.input_type = "MATERIAL"
    next(one for one in switch.inputs if one.type == "MATERIAL" and one.enabled).default_value = _cut()
    switch.input_type = "FLOAT"


def _no_tree(_nodes: Any, _given: Any, _card: Any) -> None:
    _front().modifiers[0].node_group = None


_KINDS = {
    "set": _set,
    "muted": _muted,
    "opaque": _opaque,
    "in a group": _group,
    "muted group": _muted_group,
    "given to a group": _given,
    "object": _object,
    "place of an object": _place,
    "object within": _within,
    "collection": _collection,
    "empty": _empty,
    "of the modifier": _of_modifier("Material", lambda _: _cut()),
    "object of the modifier": _of_modifier("Object", lambda card: card),
    "collection of the modifier": _of_modifier("Collection", _home),
    "material node": _material_node,
    "new": _replace("New"),
    "old": _replace("Old"),
    "compared": _compared,
    "replaced by a link": _linked(is_muted=False),
    "passed by a muted link": _linked(is_muted=True),
    "switched off": _off,
    "late": _late,
    "stale": _stale,
    "no tree": _no_tree,
}
