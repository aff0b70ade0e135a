# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences of the extension: which service. Needs bpy."""

from __future__ import annotations

from typing import Any

import bpy

from ..operators.seat import PACKAGE, REHEARSAL, AddonPreferences, Seat


class SECONDUNIT_AP_preferences(Seat, AddonPreferences):
    """What holds for all files of this user. With the rehearsal service, a project's ``project.toml`` decides."""

    bl_idname = PACKAGE
    service: bpy.props.StringProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Service",
        description="'rehearsal' to shade without a model on this machine, or the address of a ComfyUI",
        default=REHEARSAL,
    )

    def draw(self, context: Any) -> None:
        """The address, a test, what came of it, and whether Blender allows going online."""
        layout, view = self.layout, self.desk.view
        row = layout.row(align=True)
        row.prop(self, "service")
        row.operator("second_unit.test_service")
        if view.message:
            layout.label(text=f"{view.message} {view.fix}", icon="ERROR" if view.is_error else "INFO")
        if not getattr(bpy.app, "online_access", True):
            layout.label(text="Blender is offline: only services on this machine can be used.", icon="INTERNET_OFFLINE")
        layout.operator("second_unit.open_example", icon="FILE_BLEND")
        del context
