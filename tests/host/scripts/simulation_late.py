# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulations that begin at another frame than the one the artist left the file at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import simulation


def run(args: dict[str, Any]) -> Any:
    """What the condition task answers to each of ``orders``.

    ``start`` is the first frame of the simulation, ``saved_at`` the one the file is left at.
    """
    scene = simulation.build()
    scene.frame_start = args["start"]
    scene.frame_set(args["start"])
    simulation.CASES[args["case"]](scene)
    _begin(scene, args["start"])
    scene.frame_current = args["saved_at"]
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(args["folder"]) / "sheet.blend"))
    return [simulation._drawn(args["folder"], order) for order in args["orders"]]


def _begin(scene: Any, start: int) -> None:
    caches = [m.point_cache for o in scene.objects for m in o.modifiers if m.type in {"CLOTH", "SOFT_BODY"}]
    if scene.rigidbody_world is not None:
        caches.append(scene.rigidbody_world.point_cache)
    for cache in caches:
        cache.frame_start = start
