# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame keys of a small scene, as it is and after one change each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import bpy
from placing import put

from second_unit.addon.host import condition
from second_unit.addon.host.extract import Extractor
from second_unit.addon.shot.documents import Fields
from second_unit.addon.shot.geometry import FrameGeometry

CORNERS = [(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0), (0, 0, 1.5)]
FACES = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


class Spy(Extractor):
    """Keeps what was read last."""

    seen: ClassVar[list[FrameGeometry]] = []

    def frame(self, depsgraph: Any, time: Fraction) -> tuple[FrameGeometry, str]:
        found = super().frame(depsgraph, time)
        Spy.seen.append(found[0])
        return found


def build() -> Any:
    """Two pyramids, two lamps, two cameras."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    for name, x in (("Left", -1.5), ("Right", 1.5)):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(CORNERS, [], FACES)
        put(scene, name, mesh, (x, 0, 0))
    for name, kind, where in (("Key", "POINT", (2, -3, 4)), ("Sun", "SUN", (0, 0, 5))):
        light = bpy.data.lights.new(name, kind)
        light.energy = 500 if kind == "POINT" else 3
        put(scene, name, light, where)
    for name, y in (("A", -8.0), ("B", -12.0)):
        put(scene, name, bpy.data.cameras.new(name), (0, y, 1)).rotation_euler = (1.5707963, 0, 0)
    scene.camera = bpy.data.objects["A"]
    scene.render.resolution_x, scene.render.resolution_y = 1998, 1080
    return scene


def conditioned(scene: Any, cache: str, camera: str = "A") -> dict[str, Any]:
    """Key and geometry of frame 7 and everything else the task says."""
    args = {"camera": camera, "times": ["7"], "meter": 1, "size": [64, 32], "cache": cache}
    found = condition.condition_scene(scene, Fields(args, "args"), lambda *_: None)
    last = Spy.seen[-1]
    camera_from = (-last.camera.world_to_camera[:3, :3].T @ last.camera.world_to_camera[:3, 3]).tolist()
    return {**found, "key": found["hashes"][0], "instances": [i.key for i in last.instances], "eye": camera_from}


def relink(scene: Any) -> None:
    """The same objects in another order."""
    for thing in reversed(list(scene.collection.objects)):
        scene.collection.objects.unlink(thing)
        scene.collection.objects.link(thing)


def cut_to_b(scene: Any) -> None:
    """Camera B from frame 5 on."""
    for frame, name in ((1, "A"), (5, "B")):
        scene.timeline_markers.new(name, frame=frame).camera = bpy.data.objects[name]
    scene.frame_start, scene.frame_end = 3, 99


def double(scene: Any) -> None:
    """The same proportion at twice the size."""
    scene.render.resolution_x, scene.render.resolution_y = 3996, 2160


def put_vertex(_: Any) -> None:
    """A mesh edited in place."""
    bpy.data.meshes["Left"].vertices[4].co.z = 2.0


def second_layer(scene: Any) -> None:
    """Another view layer that is rendered, without any objects."""
    scene.view_layers.new("Extra").layer_collection.exclude = False
    scene.view_layers.new("Unused").use = False


def lost_library(_: Any) -> None:
    """A linked file that went away."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "props.blend")
        bpy.data.libraries.write(file, {bpy.data.meshes["Left"]})
        library: Any = bpy.data.libraries.load(file, link=True)
        with library as (_, wanted):
            wanted.meshes = ["Left"]
    bpy.data.objects["Left"]["keep"] = bpy.data.meshes["Left", file]


def set_attribute(path: str, value: Any) -> Callable[[Any], None]:
    """``object.attribute`` or ``.attribute.attribute`` of the scene, set to a value."""
    name, _, attribute = path.partition(".")

    def change(scene: Any) -> None:
        owner = bpy.data.objects[name] if name else scene
        *inner, last = attribute.split(".")
        for step in inner:
            owner = getattr(owner, step)
        setattr(owner, last, value)

    return change


CHANGES: dict[str, Callable[[Any], None]] = {
    "nothing": lambda _: None,
    "lamp moved": set_attribute("Key.location", (2, -3, 3)),
    "lamp dimmed": set_attribute("Key.data.energy", 400),
    "mesh moved": set_attribute("Left.location", (-1.6, 0, 0)),
    "mesh edited": put_vertex,
    "camera moved": set_attribute("A.location", (0.1, -8, 1)),
    "lens changed": set_attribute("A.data.lens", 35),
    "proportion changed": set_attribute(".render.resolution_x", 1440),
    "invisible to the camera": set_attribute("Left.visible_camera", value=False),
    "not rendered": set_attribute("Left.hide_render", value=True),
    "holdout": set_attribute("Left.is_holdout", value=True),
    "other camera moved": set_attribute("B.location", (5, -12, 1)),
    "hidden in the viewport's eye only": lambda _: bpy.data.objects["Left"].hide_set(state=True),
    "percentage": set_attribute(".render.resolution_percentage", 37),
    "twice the pixels": double,
    "other order": relink,
    "markers and range": cut_to_b,
    "second layer": second_layer,
    "lost library": lost_library,
    "half a metre": set_attribute(".unit_settings.scale_length", 0.5),
}


def run(args: dict[str, Any]) -> Any:
    """What `conditioned` finds after each of `CHANGES`."""
    condition.Extractor = Spy
    found: dict[str, Any] = {}
    for name, change in CHANGES.items():
        scene = build()
        change(scene)
        found[name] = conditioned(scene, args["cache"])
    return found
