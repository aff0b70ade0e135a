# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Blenders: one whose session is gathered, and one that joins it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.host import session


def run(args: dict[str, Any]) -> Any:
    """``gather``: enable an add-on, set a preference and save the session; ``join``: join it and tell what there is."""
    addon_utils: Any = importlib.import_module("addon_utils")
    preferences: Any = bpy.context.preferences
    if args["what"] == "gather":
        addon_utils.enable("marking", default_set=True)
        preferences.addons.remove(preferences.addons["io_anim_bvh"])
        preferences.edit.keyframe_new_interpolation_type = "LINEAR"
        preferences.filepaths.temporary_directory = args["temp"]
        preferences.system.use_online_access = True
        preferences.edit.key_insert_channels = {"LOCATION", "SCALE"}
        now = session.gather()
        more = (*now.addons, "no_such_add_on", "broken", "bl_ext.user_default.second_unit")
        session.save_session(Path(args["file"]), session.Session(more, now.trusted, now.online, now.preferences))
        return {"addons": now.addons, "online": now.online, "preferences": dict(now.preferences or {})}
    notes = session.join()
    return {
        "notes": notes, "loaded": addon_utils.check("marking")[1], "online": bpy.app.online_access,
        "bvh": addon_utils.check("io_anim_bvh")[1], "marked": "mark" in bpy.app.driver_namespace,
        "interpolation": preferences.edit.keyframe_new_interpolation_type,
        "temp": preferences.filepaths.temporary_directory, "kept": preferences.use_preferences_save,
        "channels": sorted(preferences.edit.key_insert_channels), "saved": [a.module for a in preferences.addons],
    }  # fmt: skip
