# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes for the judges: rendered by Cycles at one sample, and read by our extractor at this frame and the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import judged_scenes
import numpy as np
from in_render import look_in_render

from second_unit.addon.host.extract import Extractor, read_camera
from second_unit.addon.host.rigs import Rigs
from second_unit.addon.shot.geometry import FrameGeometry

FRAME = 5


def run(args: dict[str, Any]) -> Any:
    """For every scene ``<folder>/<name>.exr``, ``<name>.vector.exr`` and ``<name>.<frame>.npz``; the notes of each."""
    notes: dict[str, list[str]] = {}
    for name in args["scenes"]:
        scene = judged_scenes.build(name)
        file = Path(args["folder"]) / name
        cycles(scene, file.with_suffix(".exr"))
        # apart: with motion, Cycles takes matrices to pieces, and mirrored sheared ones come back as others
        scene.view_layers[0].use_pass_vector = True
        cycles(scene, file.with_suffix(".vector.exr"))
        notes[name] = read(scene, [FRAME, FRAME + 1], lambda geometry, file=file: keep(geometry, file))
    return notes


def cycles(scene: Any, file: Path) -> None:
    """Depth and world normal at pixel centres, and motion if the layer has it switched on."""
    render, layer = scene.render, scene.view_layers[0]
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.max_bounces = 1, 0
    # the wider the filter, the further its first sample lies off the centre: at the default width edges differ
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 0.01
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    layer.use_pass_z = layer.use_pass_normal = True
    layer.material_override = glow()
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.exr_codec = "OPEN_EXR_MULTILAYER", "ZIP"
    if hasattr(settings, "use_exr_interleave"):
        settings.use_exr_interleave = True
    render.use_compositing = render.use_sequencer = render.use_motion_blur = False
    render.filepath, render.use_file_extension = str(file), False
    scene.frame_set(FRAME)
    bpy.ops.render.render(write_still=True)


def glow() -> Any:
    """A material whose normal pass is the shading normal: reflections would mix in normals that were bent for them."""
    material = bpy.data.materials.new("Glow")
    material.use_nodes = True
    material.cycles.emission_sampling = "NONE"
    tree = material.node_tree
    tree.nodes.clear()
    emission, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    return material


def read(scene: Any, frames: list[int], take: Callable[[FrameGeometry], None]) -> list[str]:
    """Hand the geometry of each frame to ``take``, from the depsgraph of a render; the extractor's notes."""
    render = scene.render
    size = tuple(int(n * render.resolution_percentage / 100) for n in (render.resolution_x, render.resolution_y))
    extractor = Extractor(Rigs(scene), size, size)

    def look(depsgraph: Any) -> None:
        evaluated = depsgraph.scene_eval
        geometry, _ = extractor.frame(depsgraph, Fraction(evaluated.frame_current))
        camera = read_camera(evaluated.camera.evaluated_get(depsgraph), size, evaluated)
        take(replace(geometry, camera=camera))

    render.use_persistent_data = True
    look_in_render(scene, frames, size, look)
    return extractor.notes


def keep(geometry: FrameGeometry, file: Path) -> None:
    """A frame as arrays."""
    arrays: dict[str, Any] = {"world_to_camera": geometry.camera.world_to_camera}
    for i, mesh in enumerate(geometry.meshes):
        for name in ("positions", "triangles", "normals", "normal_index"):
            if getattr(mesh, name) is not None:
                arrays[f"{name}{i}"] = getattr(mesh, name)
    names = ("width", "height", "fx", "fy", "cx", "cy", "near", "far", "orthographic")
    arrays["matrices"] = np.stack([np.eye(4), *(one.matrix for one in geometry.instances)])[1:]
    about = {
        "camera": {name: getattr(geometry.camera, name) for name in names},
        "meshes": len(geometry.meshes),
        "instances": [{"key": i.key, "mesh": i.mesh, "holdout": i.holdout} for i in geometry.instances],
    }
    np.savez(f"{file}.{geometry.time}.npz", about=json.dumps(about), **arrays)
