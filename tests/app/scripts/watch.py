# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a test what Blender is like: regions, scenes, strips, the view of the panels. Changes nothing."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import bpy

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


def dump_when_asked() -> None:
    """Everything RNA says about the layout, when the test has asked for it."""
    asked, told = STATE.with_name("dump.asked"), STATE.with_name("dump.json")
    if asked.exists():
        asked.unlink()
        aside = told.with_suffix(".part")
        aside.write_text(json.dumps(dump_scene(bpy.data.scenes["Layout"])), encoding="utf-8")
        aside.replace(told)


def tell() -> float:
    dump_when_asked()
    window = bpy.context.window_manager.windows[0]
    state = {
        "regions": regions(), "strips": strips(), "view": view(), "file": bpy.data.filepath,
        "scene": window.scene.name, "workspace": window.workspace.name, "scenes": [s.name for s in bpy.data.scenes],
    }  # fmt: skip
    aside = STATE.with_suffix(".part")
    aside.write_text(json.dumps(state), encoding="utf-8")
    aside.replace(STATE)
    return 0.5


bpy.app.timers.register(tell, persistent=True)
