# SPDX-License-Identifier: GPL-3.0-or-later
"""What ties a thing to a person, what is held out while nobody looks, and more people than there are numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import bpy
from in_render import look_in_render
from people import empty_set, mesh, metarig
from placing import into_strip

from second_unit.addon.host.extract import Extractor
from second_unit.addon.host.rigs import Rigs


def run(args: dict[str, Any]) -> Any:
    """The answer of one group."""
    empty_set(9)
    return {"owners": owners, "held": held, "many": many}[args["group"]]()


def owners() -> dict[str, int]:
    """Who each mesh belongs to."""
    rig, body = metarig("Guy"), mesh("Body")
    body.modifiers.new("A", "ARMATURE").object = rig
    for kind in ("CHILD_OF", "COPY_TRANSFORMS", "ARMATURE"):
        _tie(mesh(f"Hat {kind}"), kind, rig, "spine.006")
    _tie(mesh("Badge"), "CHILD_OF", body)
    _tie(mesh("Muted"), "CHILD_OF", rig).mute = True
    _tie(mesh("Weak"), "COPY_TRANSFORMS", rig).influence = 0
    _tie(mesh("Weightless"), "ARMATURE", rig).targets[0].weight = 0
    handed = _tie(mesh("Handed"), "CHILD_OF", rig)
    for frame, influence in ((1, 1.0), (2, 0.0)):
        handed.influence = influence
        handed.keyframe_insert("influence", frame=frame)
    _strips_and_slots(rig)
    prop = mesh("Prop")
    _tie(prop, "CHILD_OF", rig)
    prop["second_unit_set"] = True
    _tie(mesh("Empty"), "CHILD_OF", None)
    for name, shows in (("Wall", False), ("Coat", True)):
        modifier = mesh(name).modifiers.new("A", "ARMATURE")
        modifier.object, modifier.show_render, modifier.show_viewport = rig, shows, not shows
    late = mesh("Late").modifiers.new("A", "ARMATURE")
    late.object = rig
    for frame, shows in ((1, True), (2, False)):
        late.show_render = shows
        late.keyframe_insert("show_render", frame=frame)
    for name, shows in (("Floor", False), ("Shirt", True)):
        modifier = mesh(name).modifiers.new("S", "SURFACE_DEFORM")
        modifier.target, modifier.show_render = body, shows
    for name, shows in (("Roof", False), ("Scarf", True)):
        modifier = mesh(name).modifiers.new("M", "MESH_DEFORM")
        modifier.object, modifier.show_render = body, shows
    scene = bpy.context.scene
    rigs = Rigs(scene, scene.view_layers[0])
    return {thing.name: rigs.person_of(thing) for thing in scene.objects if thing.type == "MESH"}


def _strips_and_slots(rig: Any) -> None:
    """Hats handed over in a strip, in a strip of meta strips; hats that share the action of one that is handed over."""
    for name, depth in (("Striped", 0), ("Meta", 1), ("Metas", 2)):
        hat = mesh(name)
        _hand_over(_tie(hat, "CHILD_OF", rig))
        into_strip(hat.animation_data)
        for _ in range(depth):
            _into_meta(hat)
    giver = mesh("Giver")
    _hand_over(_tie(giver, "CHILD_OF", rig))
    action = giver.animation_data.action
    for name, strip in (("Shared", False), ("Shared strip", True), ("Slotless", False)):
        hat = mesh(name)
        _tie(hat, "CHILD_OF", rig)
        if not hasattr(action, "slots"):
            continue
        held = hat.animation_data_create()
        held.action = action
        held.action_slot = None if name == "Slotless" else action.slots.new("OBJECT", name)
        if held.action_slot is not None:
            hat.keyframe_insert("location", frame=1)
        if strip:
            into_strip(hat.animation_data)


def _hand_over(tie: Any) -> None:
    for frame, influence in ((1, 1.0), (2, 0.0)):
        tie.influence = influence
        tie.keyframe_insert("influence", frame=frame)
    bpy.context.scene.frame_set(1)


def _into_meta(thing: Any) -> None:
    """All strips of its track become one meta strip; needs an editor to say so in."""
    window = bpy.context.window_manager.windows[0]
    area: Any = window.screen.areas[0]
    area.ui_type = "NLA_EDITOR"
    for one in bpy.context.scene.objects:
        one.select_set(one is thing or one == thing)
    bpy.context.view_layer.objects.active = thing
    track = thing.animation_data.nla_tracks[0]
    track.select = True
    for strip in track.strips:
        strip.select = True
    region = next(one for one in area.regions if one.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.nla.meta_add()
    assert [strip.type for strip in track.strips] == ["META"]


def _tie(thing: Any, kind: str, target: Any, bone: str = "") -> Any:
    made = thing.constraints.new(kind)
    end = made.targets.new() if kind == "ARMATURE" else made
    end.target = target
    if bone:
        end.subtarget = bone
    return made


def held() -> list[list[str]]:
    """What is held out in frames 1 and 2 of a render; the last frame seen in the viewport is 2."""
    scene = bpy.context.scene
    cut = bpy.data.collections.new("Cut")
    scene.collection.children.link(cut)
    bpy.context.view_layer.layer_collection.children["Cut"].holdout = True
    for name in ("Seen", "Hidden", "CutHidden"):
        thing = mesh(name)
        for frame, is_held in ((1, False), (2, True)):
            thing.is_holdout = is_held
            thing.keyframe_insert("is_holdout", frame=frame)
        thing.hide_viewport = name != "Seen"
    cut.objects.link(bpy.data.objects["CutHidden"])
    inner = bpy.data.collections.new("Inner")
    shown = mesh("Shown")
    scene.collection.objects.unlink(shown)
    inner.objects.link(shown)
    empty = bpy.data.objects.new("Empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", inner
    scene.collection.objects.link(empty)
    for frame, is_held in ((1, False), (2, True)):
        empty.is_holdout = is_held
        empty.keyframe_insert("is_holdout", frame=frame)
    empty.hide_viewport = True
    extractor = Extractor(Rigs(scene, scene.view_layers[0]), (64, 64), (64, 64))
    frames: list[list[str]] = []

    def look(depsgraph: Any) -> None:
        geometry, _ = extractor.frame(depsgraph, Fraction(scene.frame_current))
        frames.append(sorted(one.tag.object for one in geometry.instances if one.holdout))

    scene.render.resolution_x, scene.render.resolution_y = 4, 4
    look_in_render(scene, (1, 2), (4, 4), look)
    return frames


def many() -> list[list[str]]:
    """What is said with 255 people, and with one more."""
    scene = bpy.context.scene
    rig, body = metarig("Guy"), mesh("Body")
    body.modifiers.new("A", "ARMATURE").object = rig
    home = bpy.data.collections.new("Guys")
    for thing in (rig, body):
        scene.collection.objects.unlink(thing)
        home.objects.link(thing)
    said: list[list[str]] = []
    for number in range(256):
        empty = bpy.data.objects.new(f"E{number}", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", home
        scene.collection.objects.link(empty)
        if number >= 254:
            said.append(Rigs(scene, scene.view_layers[0]).notes)
    return said
