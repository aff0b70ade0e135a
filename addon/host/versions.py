# SPDX-License-Identifier: GPL-3.0-or-later
"""Every difference between the supported Blenders, in one place. Needs bpy.

========================  ==================  ==================  ===================  ===================
what                      4.2                 4.5                 5.0                  5.2
========================  ==================  ==================  ===================  ===================
strips of an editor       sequences           both                strips               strips
strip handle names        frame_final_start   as 4.2              as 4.2               left_handle …
movie strip length        frame_duration      as 4.2              as 4.2               content_duration
strip fades               new_effect end      as 4.2              new_effect length    as 5.0
compositor tree           scene.node_tree     as 4.2              compositing_…group   as 5.0
compositor output         Composite node      as 4.2              group output         as 5.0
maths nodes               CompositorNode…     ShaderNode…         ShaderNode…          ShaderNode…
CDL of Color Balance      properties          both                sockets              sockets
file format switch        file_format         as 4.2              media_type first     as 5.0
which edit is shown       the scene           as 4.2              workspace            workspace
sound (Audaspace)         not in the wheel    yes                 yes                  yes
drawing in background     never               as 4.2              as 4.2               after gpu.init()
curves of an action       fcurves             slots as well       slots alone          slots alone
inputs of a modifier      by identifier       as 4.2              as 4.2               properties.inputs
========================  ==================  ==================  ===================  ===================

Names are tested (``hasattr``, RNA) rather than version numbers; the number decides only where behaviour changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_OLD_STRIP_NAMES = {
    "left_handle": "frame_final_start",
    "right_handle": "frame_final_end",
    "content_start": "frame_start",
    "left_handle_offset": "frame_offset_start",
    "right_handle_offset": "frame_offset_end",
}


def abspath(path: str) -> str:
    """A path with a leading ``//`` below the open file's folder, others as they are."""
    resolve: Any = bpy.path
    return str(resolve.abspath(path))


def blender_version() -> str:
    """Such as ``5.0.1``."""
    return ".".join(str(part) for part in bpy.app.version)


def action_curves(holder: Any) -> Generator[Any]:
    """Every F-curve of its action by which an animation data or a strip sets values.

    Before 4.4 these are all. Since then an action has a slot for each of its users: what is in the slots of others does
    not act, and nothing does without a slot.
    """
    action = holder.action
    if action is None:
        return
    if not hasattr(action, "layers"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                if bag.slot_handle == holder.action_slot_handle:
                    yield from bag.fcurves


def tree_inputs(modifier: Any) -> Generator[Any]:
    """The values that a geometry nodes modifier gives its tree."""
    if hasattr(modifier, "properties"):
        inputs = modifier.properties.inputs
        found = (getattr(inputs, name, None) for name in _input_names(modifier.node_group))
        yield from (getattr(one, "value", None) for one in found)
        return
    yield from (modifier[name] for name in _input_names(modifier.node_group) if name in modifier)


def _input_names(tree: Any) -> list[str]:
    entries = (one for one in tree.interface.items_tree if one.item_type == "SOCKET")
    return [one.identifier for one in entries if one.in_out == "INPUT"]


def strips_of(owner: Any) -> Any:
    """The strips of a sequence editor or meta strip. Never ``a or b``: an empty collection is falsy."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def ensure_editor(scene: Any) -> Any:
    """The scene's sequence editor. In 5.x the workspace has to show some edit, or strip modifiers crash (5.0.1)."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    if getattr(getattr(bpy.context, "workspace", None), "sequencer_scene", scene) is None:
        show_in_sequencer(scene)
    return editor


def show_in_sequencer(scene: Any, workspace: Any = None) -> None:
    """Let the sequencer show ``scene`` where the workspace decides that (5.x): the one given, else the one shown."""
    workspace = workspace or getattr(bpy.context, "workspace", None)
    if workspace is not None and hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene


def strip_get(strip: Any, name: str) -> Any:
    """A handle or offset of a strip by its 5.2 name."""
    return getattr(strip, name if hasattr(strip, name) else _OLD_STRIP_NAMES[name])


def strip_set(strip: Any, name: str, value: float) -> None:
    """Set a handle or offset of a strip by its 5.2 name."""
    setattr(strip, name if hasattr(strip, name) else _OLD_STRIP_NAMES[name], value)


def movie_length(strip: Any) -> int:
    """Number of frames of a movie strip's file."""
    return int(strip.frame_duration if hasattr(strip, "frame_duration") else strip.content_duration)


def has_sound() -> bool:
    """Whether this Blender can make sound strips: the 4.2 wheel is built without Audaspace."""
    return bool(bpy.app.build_options.audaspace)


def can_draw() -> bool:
    """Whether there is a GPU context: always in a window; without one only for who asks for it, and only in 5.2."""
    import gpu  # pyright: ignore[reportMissingModuleSource]

    if not bpy.app.background:
        return True
    start: Any = getattr(gpu, "init", None)
    if start is not None:
        start()
    return start is not None


def set_format(settings: Any, file_format: str, *, depth: str | None = None, color_mode: str | None = None) -> None:
    """Set a file format on image settings; 5.x wants the kind of media first."""
    if hasattr(settings, "media_type"):
        settings.media_type = {"OPEN_EXR_MULTILAYER": "MULTI_LAYER_IMAGE", "FFMPEG": "VIDEO"}.get(file_format, "IMAGE")
    settings.file_format = file_format
    if depth:
        settings.color_depth = depth
    if color_mode:
        settings.color_mode = color_mode


def comp_tree(scene: Any) -> Any:
    """The scene's own compositor tree; a new one is empty."""
    if not hasattr(scene, "compositing_node_group"):
        is_new = not scene.use_nodes
        scene.use_nodes = True
        if is_new:
            scene.node_tree.nodes.clear()
        return scene.node_tree
    tree: Any = scene.compositing_node_group
    if tree is None:
        tree = bpy.data.node_groups.new(scene.name, "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        scene.compositing_node_group = tree
    return tree


def comp_output(tree: Any) -> Any:
    """A new node whose first input is the picture of the comp."""
    has_groups = "compositing_node_group" in bpy.types.Scene.bl_rna.properties
    return tree.nodes.new("NodeGroupOutput" if has_groups else "CompositorNodeComposite")


def comp_only(scene: Any) -> None:
    """Let a render of ``scene`` run its compositor alone, on the CPU and without dither."""
    scene.render.use_compositing, scene.render.use_sequencer = True, False
    scene.render.dither_intensity = 0.0
    if hasattr(scene.render, "compositor_device"):
        scene.render.compositor_device = "CPU"


def math_node(tree: Any, operation: str) -> Any:
    """A Math node of a compositor tree."""
    kind = "ShaderNodeMath" if bpy.app.version >= (4, 5, 0) else "CompositorNodeMath"
    node = tree.nodes.new(kind)
    node.operation = operation
    return node


def mix_node(tree: Any) -> Any:
    """A colour mix, factor·B + (1 - factor)·A."""
    if bpy.app.version < (4, 5, 0):
        return tree.nodes.new("CompositorNodeMixRGB")
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = "RGBA"
    return node


def mix_sockets(node: Any) -> tuple[Any, Any, Any, Any]:
    """Factor, A and B inputs and the output of a colour mix."""
    if node.bl_idname == "CompositorNodeMixRGB":
        return node.inputs[0], node.inputs[1], node.inputs[2], node.outputs[0]
    sockets = {s.identifier: s for s in node.inputs}
    output = next(s for s in node.outputs if s.identifier == "Result_Color")
    return sockets["Factor_Float"], sockets["A_Color"], sockets["B_Color"], output


def socket(node: Any, identifier: str) -> Any:
    """An input by identifier, then by name: identifiers mostly survived the renames of 5.0, positions did not."""
    by_id = {s.identifier: s for s in node.inputs}
    return by_id[identifier] if identifier in by_id else node.inputs[identifier]


def set_cdl(node: Any, slope: Sequence[float], offset: Sequence[float], power: Sequence[float]) -> None:
    """Slope, offset, power of a Color Balance node.

    Blender silently stores 0 for a negative colour offset, so the lowest offset goes into the base.
    """
    base = min(0.0, *offset)
    above = [value - base for value in offset]
    if hasattr(node, "correction_method"):
        node.correction_method = "OFFSET_POWER_SLOPE"
        node.slope, node.power, node.offset, node.offset_basis = slope, power, above, base
        return
    node.inputs["Type"].default_value = "Offset/Power/Slope (ASC-CDL)"
    socket(node, "Base Offset").default_value = base
    for name, value in (("Color Slope", slope), ("Color Offset", above), ("Color Power", power)):
        socket(node, name).default_value = (*value, 1.0)
