# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extractor is handed in a render, for scripts that look at it there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import bpy


def look_in_render(scene: Any, frames: Iterable[int], size: tuple[int, ...], look: Callable[[Any], None]) -> None:
    """Render the frames, (width, height) pixels, and hand the depsgraph of each to ``look``; raises what it raises."""
    errors: list[BaseException] = []

    def draw(self: Any, depsgraph: Any) -> None:
        try:
            look(depsgraph)
        except Exception as error:  # noqa: BLE001 Blender would swallow it
            errors.append(error)
        self.end_result(self.begin_result(0, 0, *size))

    engine = type("Judged", (bpy.types.RenderEngine,), {"bl_idname": "JUDGED", "bl_label": "Judged", "render": draw})
    bpy.utils.register_class(engine)
    scene.render.engine = "JUDGED"
    try:
        for frame in frames:
            scene.frame_set(frame)
            bpy.ops.render.render()
    finally:
        bpy.utils.unregister_class(engine)
    if errors:
        raise errors[0]
