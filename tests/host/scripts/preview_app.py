# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender application: the preview drawn over the viewport's scene without a window, and our own passes.

The viewport shows the model's picture pixel for pixel, so the two can be compared.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import gpu  # pyright: ignore[reportMissingModuleSource]
import numpy as np
from mathutils import Matrix  # pyright: ignore[reportMissingModuleSource]

SIZE = (416, 240)
EXTRA = 40
"""Pixels of viewport around the picture, on every side."""


def run(args: dict[str, Any]) -> Any:
    """Draws every guide, and writes what was drawn and what the package would have into ``args["file"]``."""
    from second_unit.addon.conditioning.drawing.exposure import Exposure
    from second_unit.addon.conditioning.drawing.frame import draw
    from second_unit.addon.conditioning.people.dialects import dialect
    from second_unit.addon.conditioning.people.figures import draw_pose
    from second_unit.addon.conditioning.pictures.depth import DepthRange, Encoding, encoded, to_grey8
    from second_unit.addon.conditioning.preview import Guide, Locked, Plan
    from second_unit.addon.host.extract import Extractor
    from second_unit.addon.host.preview import Preview, Sight
    from second_unit.addon.host.rigs import Rigs
    from second_unit.addon.host.versions import can_draw

    assert can_draw()
    scene = opened(args)
    layer = scene.view_layers[0]
    depsgraph = layer.depsgraph
    delivery = (scene.render.resolution_x, scene.render.resolution_y)
    geometry, _ = Extractor(Rigs(scene), delivery, SIZE).frame(depsgraph, Fraction(args["frame"]))
    drawn = draw(geometry, Exposure())
    range_, look = DepthRange(2.0, 30.0), dialect("vace").with_parts(("body", "face"))
    depth = to_grey8(encoded(drawn.depth, range_, Encoding.DISPARITY))
    told: dict[str, Any] = {"depth truth": depth, "pose truth": draw_pose(drawn.people, SIZE, look)}
    camera, region = geometry.camera, (SIZE[0] + 2 * EXTRA, SIZE[1] + 2 * EXTRA)
    view, window = camera_view(scene.camera), projection(camera, region)
    types: Any = gpu.types
    offscreen = types.GPUOffScreen(*region)
    ms: dict[str, Any] = {}
    for guide in Guide:
        preview = Preview(guide, lambda *_: None)
        plan = Plan(SIZE, look, Encoding.DISPARITY, Locked(range_, Encoding.DISPARITY))
        sight = Sight(scene, scene.camera, depsgraph, np.array(window, np.float64), region, guide, plan)
        scene_into(offscreen, scene, layer, view, window)
        told["scene"] = picture(offscreen, region)
        with offscreen.bind():
            ms[guide.value] = [timed(preview, sight)]
            preview.touch()
            ms[guide.value] += [timed(preview, sight), timed(preview, sight)]
            told[guide.value] = picture(offscreen, region)
        preview.end()
    np.savez(args["file"], **told)
    return ms


def opened(args: dict[str, Any]) -> Any:
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    scene: Any = bpy.context.scene
    if args["orthographic"]:
        scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 7.0
    scene.frame_set(args["frame"])
    return scene


def timed(preview: Any, sight: Any) -> float:
    begin = time.perf_counter()
    preview.show(1, sight)
    return (time.perf_counter() - begin) * 1e3


def camera_view(camera: Any) -> Any:
    return camera.matrix_world.normalized().inverted()


def projection(camera: Any, region: tuple[int, int]) -> Any:
    """Of a viewport that shows a pixel for every pixel of the picture of ``camera``, and a border."""
    width, height = region
    cx, cy, n, f = camera.cx + EXTRA, camera.cy + EXTRA, camera.near, camera.far
    if camera.orthographic:
        return Matrix(
            (
                (2 * camera.fx / width, 0, 0, 2 * cx / width - 1), (0, 2 * camera.fy / height, 0, 1 - 2 * cy / height),
                (0, 0, -2 / (f - n), -(f + n) / (f - n)), (0, 0, 0, 1),
            )
        )  # fmt: skip
    return Matrix(
        (
            (2 * camera.fx / width, 0, 1 - 2 * cx / width, 0), (0, 2 * camera.fy / height, 2 * cy / height - 1, 0),
            (0, 0, -(f + n) / (f - n), -2 * f * n / (f - n)), (0, 0, -1, 0),
        )
    )  # fmt: skip


def scene_into(offscreen: Any, scene: Any, layer: Any, view: Any, window: Any) -> None:
    """As a viewport in Solid shading has it, without overlays."""
    screen: Any = bpy.context.window_manager.windows[0].screen
    area = next(area for area in screen.areas if area.type == "VIEW_3D")
    space = area.spaces.active
    space.shading.type, space.overlay.show_overlays = "SOLID", False
    region = next(region for region in area.regions if region.type == "WINDOW")
    offscreen.draw_view3d(scene, layer, space, region, view, window, do_color_management=False)


def picture(offscreen: Any, region: tuple[int, int]) -> Any:
    """(height, width, 3) uint8, row 0 on top."""
    width, height = region
    buffer = offscreen.texture_color.read()
    buffer.dimensions = width * height * 4
    return np.array(buffer).reshape(height, width, 4)[::-1, :, :3]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from main import answer

    answer(sys.argv[-1], run)
