# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints of the example's people, read and projected by us and by Blender's own camera matrix."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from second_unit.addon.host.extract import read_camera
from second_unit.addon.host.rigs import Rigs, find_on

BODY = 18


def run(args: dict[str, Any]) -> Any:
    """Per frame and person: our (18, 2) pixels and Blender's for the joints that are bone ends."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene = bpy.context.scene
    answer: list[dict[str, Any]] = []
    for frame in args["frames"]:
        scene.frame_set(frame)
        depsgraph = bpy.context.evaluated_depsgraph_get()
        camera = scene.camera.evaluated_get(depsgraph)
        ours = read_camera(camera, (1920, 1080), scene)
        for person in Rigs(scene).people(depsgraph):
            pixels = ours.project(person.joints[:BODY])
            theirs = _by_blender(scene.objects[person.key], camera, depsgraph)
            answer.append(
                {
                    "frame": frame,
                    "person": person.key,
                    "ours": pixels[:, :2].tolist(),
                    "theirs": theirs,
                    "z": pixels[:, 2].tolist(),
                }
            )
    return answer


def _by_blender(rig: Any, camera: Any, depsgraph: Any) -> dict[str, list[float]]:
    mapping = find_on(rig).person
    assert mapping is not None
    posed = rig.evaluated_get(depsgraph)
    ends = {index: (end.bone, end.along) for index, end in mapping.joints.items() if index < BODY}
    return project(posed, camera, depsgraph, ends)


def project(posed: Any, camera: Any, depsgraph: Any, ends: dict[int, tuple[str, float]]) -> dict[str, list[float]]:
    """Pixels of places on posed bones in a picture of 1920x1080, by Blender's own camera matrix."""
    projection = camera.calc_matrix_camera(depsgraph, x=1920, y=1080, scale_x=1, scale_y=1)
    whole = np.array(projection @ camera.matrix_world.normalized().inverted())
    found: dict[str, list[float]] = {}
    for index, (name, along) in ends.items():
        bone = posed.pose.bones[name]
        point = posed.matrix_world @ bone.head.lerp(bone.tail, along)
        x, y, _, w = whole @ [*point, 1.0]
        found[str(index)] = [(x / w * 0.5 + 0.5) * 1920, (0.5 - y / w * 0.5) * 1080]
    return found
