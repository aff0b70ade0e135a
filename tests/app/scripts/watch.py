# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a test what Blender is like: regions, scenes, strips, the view of the panels. Changes nothing."""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
from bpy_extras import view3d_utils  # pyright: ignore[reportMissingModuleSource]
from mathutils import Vector  # pyright: ignore[reportMissingModuleSource]

sys.path.append(str(Path(__file__).parents[2] / "host" / "scripts"))
from dump import dump_scene  # pyright: ignore[reportMissingImports]

STATE = Path(os.environ["SECOND_UNIT_TEST_STATE"])


def regions() -> list[dict[str, object]]:
    found = []
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            found += [
                {
                    "space": area.type, "kind": region.type, "x": region.x, "y": region.y, "width": region.width,
                    "height": region.height, "tab": getattr(region, "active_panel_category", ""),
                }
                for region in area.regions
                if region.width > 1
            ]  # fmt: skip
    return found


def strips() -> list[dict[str, Any]]:
    scene = bpy.data.scenes.get("Second Unit Edit")
    if scene is None or scene.sequence_editor is None:
        return []
    found: Any = scene.sequence_editor.strips
    return [
        {"name": s.name, "type": s.type, "channel": s.channel, "left": s.left_handle, "right": s.right_handle}
        for s in found
    ]


def view() -> dict[str, Any]:
    seat = next((m for name, m in sys.modules.items() if name.endswith(".second_unit.operators.seat")), None)
    if seat is None:
        return {}
    shown = seat.Seat.desk.view
    return {name: getattr(shown, name) for name in shown.__slots__ if name != "rows"} | {
        "rows": [{n: getattr(row, n) for n in row.__slots__} for row in shown.rows]
    }


def plan() -> list[list[str]]:
    """The sentences of every shot."""
    seat = next((m for name, m in sys.modules.items() if name.endswith(".second_unit.operators.seat")), None)
    return [list(shot.lines) for shot in seat.Seat.planner.shown.shots] if seat else []


def dump_when_asked() -> None:
    """Everything RNA says about the layout, when the test has asked for it."""
    asked, told = STATE.with_name("dump.asked"), STATE.with_name("dump.json")
    if asked.exists():
        asked.unlink()
        aside = told.with_suffix(".part")
        aside.write_text(json.dumps(dump_scene(bpy.data.scenes["Layout"])), encoding="utf-8")
        aside.replace(told)


def viewport() -> tuple[Any, Any, Any]:
    """The 3D viewport: its editor, its main region, and how that looks at the scene."""
    areas = (area for window in bpy.context.window_manager.windows for area in window.screen.areas)
    area = next(area for area in areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    return area, region, area.spaces.active.region_3d


def has_viewport() -> bool:
    return any(area.type == "VIEW_3D" for area in bpy.context.window_manager.windows[0].screen.areas)


def preview() -> dict[str, str]:
    seat = next((m for name, m in sys.modules.items() if name.endswith(".second_unit.operators.preview")), None)
    shown = seat.Previewed.previewing.shown if seat else None
    return {"guide": shown.guide, "trouble": shown.trouble} if shown else {}


TOOK: list[tuple[bool, float]] = []
"""Of every draw of the preview: whether something was worked out anew, and milliseconds."""


def time_previews() -> None:
    """From the first one on."""
    name = next((name for name in sys.modules if name.endswith(".second_unit.operators")), None)
    if name is None or time_previews in WATCHED:
        return
    WATCHED.append(time_previews)
    kind = importlib.import_module(name.removesuffix(".operators") + ".addon.host.preview").Preview
    draw = kind._draw

    def timed(self: Any) -> None:
        known, begin = list(self._panes.values()), time.perf_counter()
        draw(self)
        took = (time.perf_counter() - begin) * 1e3
        is_new = [id(pane) for pane in self._panes.values()] != [id(pane) for pane in known]
        TOOK.append((is_new, round(took, 2)))

    kind._draw = timed


WATCHED: list[object] = []
BONES = {
    2: "upper_arm.R", 3: "forearm.R", 4: "hand.R", 5: "upper_arm.L", 6: "forearm.L", 7: "hand.L", 8: "thigh.R",
    9: "shin.R", 10: "foot.R", 11: "thigh.L", 12: "shin.L", 13: "foot.L",
}  # fmt: skip
"""Joints of the body and the bones of the example's rigs that begin there."""
STEP = 14


def look_when_asked() -> None:
    """Where the viewport shows the rigs' bones and how far away its scene is, by Blender's own means."""
    asked, told = STATE.with_name("look.asked"), STATE.with_name("look.json")
    if not asked.exists():
        return
    asked.unlink()
    _, region, view = viewport()
    scene: Any = bpy.context.window_manager.windows[0].scene
    frame = [view3d_utils.location_3d_to_region_2d(region, view, scene.camera.matrix_world @ corner)
             for corner in scene.camera.data.view_frame(scene=scene)]  # fmt: skip
    edges = [min(p.x for p in frame), min(p.y for p in frame), max(p.x for p in frame), max(p.y for p in frame)]
    aside = told.with_suffix(".part")
    found = {"frame": edges, "joints": joints(region, view), "depth": depths(scene, region, view, edges), "took": TOOK}
    aside.write_text(json.dumps(found), encoding="utf-8")
    aside.replace(told)


def joints(region: Any, view: Any) -> list[tuple[int, float, float]]:
    found = []
    for rig in (thing for thing in bpy.data.objects if thing.type == "ARMATURE"):
        for joint, bone in BONES.items():
            place = rig.matrix_world @ rig.pose.bones["DEF-" + bone].head
            at = view3d_utils.location_3d_to_region_2d(region, view, place)
            if at is not None:
                found.append((joint, at.x, at.y))
    return found


def depths(scene: Any, region: Any, view: Any, edges: list[float]) -> list[tuple[int, int, float | None]]:
    """Of a grid of places in the frame."""
    graph, forward = bpy.context.view_layer.depsgraph, -view.view_matrix.inverted().col[2].to_3d()
    found = []
    for x in range(int(edges[0]) + STEP, int(edges[2]), STEP):
        for y in range(int(edges[1]) + STEP, int(edges[3]), STEP):
            at = Vector((x + 0.5, y + 0.5))
            begin = view3d_utils.region_2d_to_origin_3d(region, view, at)
            ray = view3d_utils.region_2d_to_vector_3d(region, view, at)
            is_hit, place, *_ = scene.ray_cast(graph, begin, ray)
            found.append((x, y, (place - scene.camera.matrix_world.translation).dot(forward) if is_hit else None))
    return found


def tell() -> float:
    dump_when_asked()
    look_when_asked()
    time_previews()
    window = bpy.context.window_manager.windows[0]
    state = {
        "regions": regions(), "strips": strips(), "view": view(), "plan": plan(), "file": bpy.data.filepath,
        "preview": preview(), "perspective": viewport()[2].view_perspective if has_viewport() else "",
        "window": [window.width, window.height], "frame": window.scene.frame_current, "scene": window.scene.name,
        "workspace": window.workspace.name, "scenes": [s.name for s in bpy.data.scenes],
    }  # fmt: skip
    aside = STATE.with_suffix(".part")
    aside.write_text(json.dumps(state), encoding="utf-8")
    aside.replace(STATE)
    return 0.5


bpy.app.timers.register(tell, persistent=True)
