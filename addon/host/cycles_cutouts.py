# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that are there or not there, nothing between: half a surface is noise when a ray is cast once. Needs bpy.

How much of a material is see-through is worked out by nodes beside its own, along the same paths: Mix and Add Shader,
groups in and out, Principled's alpha, Transparent BSDFs. Where that is more than one half nothing is left of it;
elsewhere it is plain clay, so that normals are those of the geometry, as our own z-buffer draws them. Nothing here can
be taken back.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import bpy

Share: TypeAlias = Any
"""How much is see-through: a number, or the output socket that says it."""

GONE = 0.5
"""What is see-through by more than this is not there."""
_THIRD = 1 / 3


def harden_materials() -> None:
    """Make every material of the file solid, or absent, at every point of it; volumes are taken out."""
    groups, holds = _Groups(), _hold_out()
    worlds: Any = bpy.data.worlds
    materials: Any = bpy.data.materials
    for owner in (*materials, *worlds):
        tree = owner.node_tree if getattr(owner, "use_nodes", True) else None
        output = tree.get_output_node("CYCLES") if tree is not None else None
        if output is None:
            continue
        _take_out_volume(tree, output)
        if output.type == "OUTPUT_MATERIAL":
            _harden(_Tree(tree, groups), output, clay=not holds)


def _hold_out() -> bool:
    """Whether any material punches holes: that lives in its shaders."""
    things: Any = (*bpy.data.materials, *bpy.data.node_groups)
    trees = (getattr(thing, "node_tree", thing) for thing in things)
    return any(node.type == "HOLDOUT" for tree in trees if tree is not None for node in getattr(tree, "nodes", ()))


def _take_out_volume(tree: Any, output: Any) -> None:
    """A ray ends in a volume by chance. What is nothing but volume becomes invisible."""
    link = _link(output.inputs["Volume"])
    if link is None:
        return
    tree.links.remove(link)
    if output.type == "OUTPUT_MATERIAL" and _link(output.inputs["Surface"]) is None:
        tree.links.new(_clear(tree), output.inputs["Surface"])


def _harden(tree: _Tree, output: Any, *, clay: bool) -> None:
    surface = output.inputs["Surface"]
    link = _link(surface)
    if link is None:
        return
    share = tree.of_input(surface)
    nodes, links = tree.tree.nodes, tree.tree.links
    solid = nodes.new("ShaderNodeBsdfDiffuse").outputs[0] if clay else link.from_socket
    if isinstance(share, float):
        links.new(_clear(tree.tree) if share > GONE else solid, surface)
        return
    mix = nodes.new("ShaderNodeMixShader")
    links.new(tree.math("GREATER_THAN", share, GONE), mix.inputs[0])
    links.new(solid, mix.inputs[1])
    links.new(_clear(tree.tree), mix.inputs[2])
    links.new(mix.outputs[0], surface)


def _clear(tree: Any) -> Any:
    """The output of a Transparent BSDF."""
    node = tree.nodes.new("ShaderNodeBsdfTransparent")
    node.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    return node.outputs[0]


def _link(entry: Any) -> Any | None:
    """What arrives at an input socket, unless it is cut off."""
    return next((link for link in entry.links if not link.is_muted), None)


class _Groups:
    """The node groups of the file, each followed once."""

    def __init__(self) -> None:
        self._trees: dict[str, _Tree] = {}

    def of(self, tree: Any) -> _Tree:
        """The walker of a group's own tree."""
        return self._trees.setdefault(tree.name_full, _Tree(tree, self))


class _Tree:
    """One node tree, and how much of its shaders is see-through."""

    def __init__(self, tree: Any, groups: _Groups) -> None:
        self.tree, self._groups = tree, groups
        self._known: dict[tuple[str, str], Share] = {}
        self._given: dict[str, str] = {}
        self._told: dict[str, Share] = {}

    def of_input(self, entry: Any) -> Share:
        """Of the shader that arrives at a socket of this tree."""
        link = _link(entry)
        return 0.0 if link is None else self._of_output(link.from_socket)

    def math(self, operation: str, *values: Share) -> Any:
        """The output of a new Math node, its result between 0 and 1."""
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation, node.use_clamp = operation, True
        for entry, value in zip(node.inputs, values, strict=False):
            self._feed(entry, value)
        return node.outputs[0]

    def _feed(self, entry: Any, value: Share) -> None:
        if isinstance(value, float):
            entry.default_value = value
        else:
            self.tree.links.new(value, entry)

    def _of_output(self, socket: Any) -> Share:
        key = socket.node.name, socket.identifier
        if key not in self._known:
            self._known[key] = 0.0  # a ring of links ends here
            self._known[key] = self._work_out(socket.node, socket)
        return self._known[key]

    def _work_out(self, node: Any, socket: Any) -> Share:
        if node.mute:
            through = next((link.from_socket for link in node.internal_links if link.to_socket == socket), None)
            return 0.0 if through is None else self.of_input(through)
        if node.type == "REROUTE":
            return self.of_input(node.inputs[0])
        if node.type == "GROUP" and node.node_tree is not None:
            return self._of_group(node, socket)
        if node.type == "GROUP_INPUT":
            return self._of_given(node, socket)
        return self._of_shader(node)

    def _of_shader(self, node: Any) -> Share:
        if node.type == "BSDF_TRANSPARENT":
            return self._mean(node.inputs["Color"])
        if node.type == "BSDF_PRINCIPLED":
            return self._rest(self._value(node.inputs["Alpha"]))
        if node.type == "ADD_SHADER":
            return self._sum(self.of_input(node.inputs[0]), self.of_input(node.inputs[1]))
        if node.type == "MIX_SHADER":
            first, second = self.of_input(node.inputs[1]), self.of_input(node.inputs[2])
            if isinstance(first, float) and first == second:
                return first
            factor = self._value(node.inputs[0])
            return self._sum(self._product(first, self._rest(factor)), self._product(second, factor))
        return 0.0

    def _of_group(self, node: Any, socket: Any) -> Share:
        """The group tells it by a new output, and is told of what comes in by new inputs."""
        inner = self._groups.of(node.node_tree)
        told = inner.tell(socket.identifier)
        for shader, number in inner.given.items():
            entry = _named(node.inputs, number)
            if _link(entry) is None:
                self._feed(entry, self.of_input(_named(node.inputs, shader)))
        return told if isinstance(told, float) else _named(node.outputs, told.identifier)

    @property
    def given(self) -> dict[str, str]:
        """By each shader that this group is given, the input that says how much of it is see-through."""
        return self._given

    def tell(self, shader: str) -> Share:
        """How much of a shader output of this group is see-through: a number, or the item of the interface."""
        if shader not in self._told:
            self._told[shader] = 0.0
            ends = [n for n in self.tree.nodes if n.type == "GROUP_OUTPUT" and n.is_active_output]
            share = self.of_input(_named(ends[0].inputs, shader)) if ends else 0.0
            if not isinstance(share, float):
                item = self._new_item("OUTPUT")
                self.tree.links.new(share, _named(ends[0].inputs, item.identifier))
                share = item
            self._told[shader] = share
        return self._told[shader]

    def _of_given(self, node: Any, socket: Any) -> Share:
        if socket.identifier not in self._given:
            self._given[socket.identifier] = self._new_item("INPUT").identifier
        return _named(node.outputs, self._given[socket.identifier])

    def _new_item(self, side: str) -> Any:
        return self.tree.interface.new_socket("See-through", in_out=side, socket_type="NodeSocketFloat")

    def _value(self, entry: Any) -> Share:
        """A factor: its number, or what gives it. What may be animated is followed by a driver."""
        link = _link(entry)
        if link is not None:
            return link.from_socket
        if self.tree.animation_data is None:
            return min(max(float(entry.default_value), 0.0), 1.0)
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation, node.use_clamp, node.inputs[1].default_value = "ADD", True, 0.0
        self._let_follow(node.inputs[0], f"{entry.path_from_id()}.default_value")
        return node.outputs[0]

    def _let_follow(self, entry: Any, path: str) -> None:
        """Drive an input by another value of this tree. One that is driven itself has its driver copied."""
        drivers = self.tree.animation_data.drivers
        driven = next((curve for curve in drivers if curve.data_path == path), None)
        if driven is not None:
            drivers.from_existing(src_driver=driven).data_path = f"{entry.path_from_id()}.default_value"
            return
        driver = entry.driver_add("default_value").driver
        driver.type = "SUM"
        target = driver.variables.new().targets[0]
        target.id_type, target.id, target.data_path = "NODETREE", self.tree, path

    def _mean(self, entry: Any) -> Share:
        """Of the three parts of a colour."""
        link = _link(entry)
        if link is None:
            return min(max(sum(list(entry.default_value)[:3]) * _THIRD, 0.0), 1.0)
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation, node.inputs[1].default_value = "DOT_PRODUCT", (_THIRD,) * 3
        self.tree.links.new(link.from_socket, node.inputs[0])
        return node.outputs["Value"]

    def _rest(self, share: Share) -> Share:
        return 1.0 - share if isinstance(share, float) else self.math("SUBTRACT", 1.0, share)

    def _sum(self, a: Share, b: Share) -> Share:
        if isinstance(a, float) and isinstance(b, float):
            return min(a + b, 1.0)
        if 0.0 in (a, b):
            return b if a == 0.0 else a
        return self.math("ADD", a, b)

    def _product(self, a: Share, b: Share) -> Share:
        if isinstance(a, float) and isinstance(b, float):
            return a * b
        if 0.0 in (a, b):
            return 0.0
        return self.math("MULTIPLY", a, b)


def _named(sockets: Any, identifier: str) -> Any:
    """Names of sockets repeat, identifiers do not."""
    return next(socket for socket in sockets if socket.identifier == identifier)
