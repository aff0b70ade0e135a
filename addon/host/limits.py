# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a shot a z-buffer cannot draw: then Cycles has to look at it. Needs bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .grown import grown_materials
from .saying import names_of
from .stands import animated_curves, instanced, is_animated, layers_behind, may_show, rendered_modifiers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

_VOLUME = "a volume, which is left out"
_HAIR = {"CURVES": "hair", "POINTCLOUD": "a point cloud", "VOLUME": _VOLUME}
_SEE_THROUGH = {"BSDF_TRANSPARENT", "HOLDOUT"}
_GLASS = {"BSDF_GLASS", "BSDF_REFRACTION"}
_CLEAR = 0.5
"""Transmission from which a surface is glass."""


def beyond_zbuffer(scene: Any, layer: Any) -> list[str]:
    """Why the shot of ``scene.camera`` needs Cycles, each reason a few words; empty when our z-buffer can draw it.

    Looks at whatever is rendered at some time, also through instances and in background sets; what geometry nodes show
    is what they show in the viewport, and whatever material they may set or bring in. Values are those of the current
    frame; what is animated or comes out of a texture counts as see-through.
    """
    reasons = ["the camera is panoramic"] if scene.camera.data.type == "PANO" else []
    things = list(_rendered(scene, layer))
    for thing in things:
        reasons += _of_object(thing)
    materials = dict.fromkeys(material for thing in things for material in _materials(thing))
    if any(_has_nodes(thing) for thing in things):
        materials |= dict.fromkeys([*_made_by_nodes(layer, reasons), *grown_materials(things)])
    for material in materials:
        reasons += _of_material(material)
    return sorted(dict.fromkeys(reasons))


def solid_glass(scene: Any, layer: Any) -> list[str]:
    """At most one sentence, on the glass that the camera may meet: both engines draw it as a surface.

    Glass is what a Glass or Refraction BSDF or a Principled BSDF of much transmission feeds, at the current frame.
    """
    is_glass: dict[Any, bool] = {}
    names: list[str] = []
    for thing in _rendered(scene, layer):
        materials = _materials(thing) if thing.visible_camera else ()
        for material in materials:
            if material not in is_glass:
                is_glass[material] = _is_glass(material)
        if any(is_glass[material] for material in materials):
            names.append(thing.name)
    if not names:
        return []
    said = f"The glass of {names_of(sorted(names))} is drawn as a solid surface"
    return [f"{said}; hide it from the camera if the model should see through."]


def _rendered(scene: Any, layer: Any) -> Iterator[Any]:
    """Objects of the view layer and of background sets that are rendered, and what they instance."""
    shown: list[Any] = []
    for home, one in layers_behind(scene, layer):
        here = set(one.objects)
        shown += [thing for thing in home.objects if thing in here and _may_render(thing)]
    seen: set[Any] = set()
    while shown:
        thing = shown.pop()
        if thing in seen:
            continue
        seen.add(thing)
        yield thing
        shown += [other for other in instanced(thing) if _may_render(other)]


def _may_render(thing: Any) -> bool:
    """Whether it is ever seen; who shows a collection need not be seen itself."""
    if thing.instance_collection:
        return not thing.hide_render or is_animated(thing, "hide_render")
    return may_show(thing)


def _of_object(thing: Any) -> Iterator[str]:
    if thing.type in _HAIR:
        yield f"'{thing.name}' is {_HAIR[thing.type]}"
    for modifier in rendered_modifiers(thing):
        if modifier.type == "PARTICLE_SYSTEM" and _is_hair(modifier.particle_system.settings):
            yield f"'{thing.name}' has hair"
        if modifier.type == "FLUID" and _is_smoke(modifier):
            yield f"'{thing.name}' is {_VOLUME}"


def _has_nodes(thing: Any) -> bool:
    return any(modifier.type == "NODES" for modifier in rendered_modifiers(thing))


def _made_by_nodes(layer: Any, reasons: list[str]) -> Iterator[Any]:
    """Materials of what is evaluated, instances too; adds to ``reasons`` what is hair or a volume there."""
    layer.update()
    seen: set[int] = set()
    for found in layer.depsgraph.object_instances:
        thing = found.object
        if not (found.is_instance or _has_nodes(thing.original)) or not thing.visible_camera or thing.data is None:
            continue
        if thing.type in _HAIR:
            reasons.append(f"'{thing.name}' is {_HAIR[thing.type]}")
        if thing.data.session_uid not in seen:
            seen.add(thing.data.session_uid)
            yield from (one.original for one in getattr(thing.data, "materials", ()) if one is not None)


def _is_hair(settings: Any) -> bool:
    return settings.type == "HAIR" and settings.render_type == "PATH"


def _is_smoke(modifier: Any) -> bool:
    domain = modifier.domain_settings if modifier.fluid_type == "DOMAIN" else None
    return domain is not None and domain.domain_type == "GAS"


def _materials(thing: Any) -> Iterable[Any]:
    return dict.fromkeys(slot.material for slot in thing.material_slots if slot.material is not None)


def _of_material(material: Any) -> Iterator[str]:
    output = _output(material)
    if output is None:
        return
    if any(_is_see_through(node) for node in _feeding(output, "Surface")):
        yield f"the material '{material.name}' is see-through"
    if any(True for _ in _feeding(output, "Volume")):
        yield f"the material '{material.name}' is {_VOLUME}"
    moves = getattr(material, "displacement_method", "BUMP") in {"DISPLACEMENT", "BOTH"}
    if moves and any(True for _ in _feeding(output, "Displacement")):
        yield f"the material '{material.name}' moves the surface"


def _is_glass(material: Any) -> bool:
    output = _output(material)
    if output is None:
        return False
    return any(node.type in _GLASS or _transmits(node) for node in _feeding(output, "Surface"))


def _transmits(node: Any) -> bool:
    if node.type != "BSDF_PRINCIPLED":
        return False
    much = node.inputs["Transmission Weight"]
    return any(not link.is_muted for link in much.links) or much.default_value >= _CLEAR


def _output(material: Any) -> Any | None:
    """The output node that Cycles uses."""
    tree = material.node_tree if getattr(material, "use_nodes", True) else None
    return None if tree is None else tree.get_output_node("CYCLES")


def _is_see_through(node: Any) -> bool:
    if node.type in _SEE_THROUGH:
        return True
    alpha = node.inputs.get("Alpha") if node.type == "BSDF_PRINCIPLED" else None
    if alpha is None:
        return False
    return alpha.is_linked or alpha.default_value < 1.0 or _is_moved(node.id_data, alpha.path_from_id())


def _is_moved(tree: Any, path: str) -> bool:
    """Whether a value of a node tree may change over time."""
    return any(curve.data_path.startswith(path) for curve in animated_curves(tree))


def _feeding(output: Any, socket: str) -> Generator[Any]:
    """Every node whose result arrives at a socket, groups opened; what passes through a muted node arrives."""
    waiting = _sources([output.inputs[socket]])
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.mute:
            waiting += _sources(link.from_socket for link in node.internal_links)
            continue
        yield node
        if node.type == "GROUP" and node.node_tree is not None:
            waiting += [inner for inner in node.node_tree.nodes if inner.type == "GROUP_OUTPUT"]
        waiting += _sources(node.inputs)


def _sources(entries: Iterable[Any]) -> list[Any]:
    return [link.from_node for entry in entries for link in entry.links if not link.is_muted]
