# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a frame with passes into every kind of EXR this Blender writes, and read one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np


def run(args: dict[str, Any]) -> Any:
    folder = Path(args["folder"])
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.render.resolution_x, scene.render.resolution_y = 37, 21
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_vector = layer.use_pass_object_index = True
    bpy.ops.render.render()
    settings = scene.render.image_settings
    written: list[str] = []
    for kind in ("OPEN_EXR", "OPEN_EXR_MULTILAYER"):
        if hasattr(settings, "media_type"):
            settings.media_type = "MULTI_LAYER_IMAGE" if kind.endswith("LAYER") else "IMAGE"
        settings.file_format = kind
        for codec in ("ZIP", "ZIPS", "NONE"):
            for depth in ("16", "32"):
                for interleaved in (False, True) if hasattr(settings, "use_exr_interleave") else (None,):
                    settings.exr_codec, settings.color_depth = codec, depth
                    if interleaved is not None:
                        settings.use_exr_interleave = interleaved
                    file = folder / f"{kind}-{codec}-{depth}-{interleaved}.exr"
                    bpy.data.images["Render Result"].save_render(str(file))
                    written.append(str(file))
    image = bpy.data.images.load(args["ours"])
    image.colorspace_settings.name = "Non-Color"
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return {"written": written, "size": list(image.size), "pixels": pixels.tolist()}
