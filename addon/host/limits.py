# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a shot a z-buffer cannot draw: then Cycles has to look at it. Needs bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

_HAIR = {"CURVES": "hair", "POINTCLOUD": "a point cloud", "VOLUME": "a volume"}
_SEE_THROUGH = {"BSDF_TRANSPARENT", "HOLDOUT"}


def beyond_zbuffer(scene: Any, layer: Any) -> list[str]:
    """Why the shot of ``scene.camera`` needs Cycles, each reason a few words; empty when our z-buffer can draw it.

    Looks at whatever is rendered at some time, also through instances. Values are those of the current frame; what is
    animated or comes out of a texture counts as see-through.
    """
    reasons = ["the camera is panoramic"] if scene.camera.data.type == "PANO" else []
    for thing in _rendered(scene, layer):
        reasons += _of_object(thing)
    return sorted(dict.fromkeys(reasons))


def _rendered(scene: Any, layer: Any) -> Iterator[Any]:
    """Objects of the view layer that are rendered, and what they instance."""
    shown = [thing for thing in scene.objects if _may_render(thing) and thing.name in layer.objects]
    seen: set[Any] = set()
    while shown:
        thing = shown.pop()
        if thing in seen:
            continue
        seen.add(thing)
        yield thing
        shown += [other for other in _instanced(thing) if _may_render(other)]


def _may_render(thing: Any) -> bool:
    if not thing.visible_camera and not thing.instance_collection:
        return False
    return not thing.hide_render or _is_animated(thing, "hide_render")


def _is_animated(owner: Any, path: str) -> bool:
    data = owner.animation_data
    if data is None:
        return False
    return any(curve.data_path == path for curve in data.drivers) or data.action is not None


def _instanced(thing: Any) -> Iterator[Any]:
    if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
        yield from thing.instance_collection.all_objects
    for system in getattr(thing, "particle_systems", ()):
        settings = system.settings
        if settings.instance_object is not None:
            yield settings.instance_object
        if settings.instance_collection is not None:
            yield from settings.instance_collection.all_objects


def _of_object(thing: Any) -> Iterator[str]:
    if thing.type in _HAIR:
        yield f"'{thing.name}' is {_HAIR[thing.type]}"
    for modifier in thing.modifiers:
        if modifier.type == "PARTICLE_SYSTEM" and modifier.show_render and _is_hair(modifier.particle_system.settings):
            yield f"'{thing.name}' has hair"
        if modifier.type == "FLUID" and modifier.show_render and _is_smoke(modifier):
            yield f"'{thing.name}' is a volume"
    for material in _materials(thing):
        yield from _of_material(material)


def _is_hair(settings: Any) -> bool:
    return settings.type == "HAIR" and settings.render_type == "PATH"


def _is_smoke(modifier: Any) -> bool:
    domain = modifier.domain_settings if modifier.fluid_type == "DOMAIN" else None
    return domain is not None and domain.domain_type == "GAS"


def _materials(thing: Any) -> Iterable[Any]:
    return dict.fromkeys(slot.material for slot in thing.material_slots if slot.material is not None)


def _of_material(material: Any) -> Iterator[str]:
    tree = material.node_tree if getattr(material, "use_nodes", True) else None
    output = tree.get_output_node("CYCLES") if tree is not None else None
    if output is None:
        return
    if any(_is_see_through(node) for node in _feeding(output, "Surface")):
        yield f"the material '{material.name}' is see-through"
    if any(True for _ in _feeding(output, "Volume")):
        yield f"the material '{material.name}' is a volume"
    moves = getattr(material, "displacement_method", "BUMP") in {"DISPLACEMENT", "BOTH"}
    if moves and any(True for _ in _feeding(output, "Displacement")):
        yield f"the material '{material.name}' moves the surface"


def _is_see_through(node: Any) -> bool:
    if node.type in _SEE_THROUGH:
        return True
    alpha = node.inputs.get("Alpha") if node.type == "BSDF_PRINCIPLED" else None
    return alpha is not None and (alpha.is_linked or alpha.default_value < 1.0)


def _feeding(output: Any, socket: str) -> Generator[Any]:
    """Every node whose result arrives at a socket, groups opened."""
    waiting = [link.from_node for link in output.inputs[socket].links if not link.is_muted]
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node in seen or node.mute:
            continue
        seen.add(node)
        yield node
        if node.type == "GROUP" and node.node_tree is not None:
            waiting += [inner for inner in node.node_tree.nodes if inner.type == "GROUP_OUTPUT"]
        waiting += [link.from_node for entry in node.inputs for link in entry.links if not link.is_muted]
