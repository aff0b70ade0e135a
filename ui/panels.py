# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab "Second Unit" of the 3D viewport and the sequencer. Draws what the desk knows. Needs bpy."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from ..operators.preview import GUIDES, Previewed
from ..operators.seat import PACKAGE, Panel, Seat

if TYPE_CHECKING:
    from ..addon.commands.desk import View
    from ..addon.commands.planning import Plans
    from ..operators.preview import Shown

_ICONS = {
    "empty": "RADIOBUT_OFF", "guides": "SHADERFX", "running": "TIME", "take": "FILE_MOVIE", "circled": "RADIOBUT_ON",
}  # fmt: skip
_NARROWEST = 12
_PIXELS_PER_LETTER = 6.0
_PLAIN, _BOXED = 64.0, 88.0
"""Pixels of a sidebar's width, at Blender's own size of things, that no letter gets: tabs, edges, and a box's icon."""


class _Tab(Seat):
    """What the panels of the tab have in common."""

    bl_label = "Second Unit"
    bl_category = "Second Unit"
    bl_region_type = "UI"
    layout: Any

    def draw(self, context: Any) -> None:
        """The button first, then how it goes, the shots, and last, for it grows, what a shot will become."""
        view, layout = self.desk.view, self.layout
        width = _letters(context, _BOXED)
        _draw_button(layout, view)
        _draw_message(layout, view, width)
        _draw_shots(layout, view, width)
        row = layout.row(align=True)
        row.operator("second_unit.update_edit", icon="FILE_REFRESH")
        row.operator("second_unit.show_edit", icon="SEQ_SEQUENCER")
        self.draw_more(context, width)
        settings = layout.operator("preferences.addon_show", text="Service and Preferences", icon="PREFERENCES")
        settings.module = PACKAGE
        plans, plain = self.planner.shown, _letters(context, _PLAIN)
        _draw_plan(layout, plans, context.scene.frame_current, plain, said=view.problem)

    def draw_more(self, context: Any, width: int) -> None:
        """What only some editors have."""


class SECONDUNIT_PT_view3d(_Tab, Previewed, Panel):
    """The tab in the 3D viewport."""

    bl_space_type = "VIEW_3D"

    def draw_more(self, context: Any, width: int) -> None:
        """The live preview."""
        _draw_preview(self.layout, self.previewing.shown, width)
        if self.previewing.shown.guide and context.space_data.region_3d.view_perspective != "CAMERA":
            self.layout.label(text="Look through the camera to see it.", icon="INFO")


class SECONDUNIT_PT_sequencer(_Tab, Panel):
    """The tab in the sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"


def _letters(context: Any, lost: float) -> int:
    """How many letters fit into a line of the sidebar."""
    width = context.region.width / context.preferences.system.ui_scale
    return max(_NARROWEST, int((width - lost) / _PIXELS_PER_LETTER))


def _draw_button(layout: Any, view: View) -> None:
    if view.is_running:
        layout.progress(factor=view.factor, text=f"{view.step} {view.factor:.0%}", type="BAR")
        row = layout.row()
        row.label(text=view.note or "Blender stays free.")
        row.operator("second_unit.cancel", icon="X")
        return
    column = layout.column()
    column.scale_y = 1.6
    column.operator("second_unit.run_loop", icon="RENDER_ANIMATION")


def _draw_plan(layout: Any, plans: Plans, frame: int, width: int, *, said: str) -> None:
    """Of the shot at hand, the one of the current frame; in the edit the frames are the same."""
    shot = plans.at(frame)
    lines = shot.lines if shot else (plans.trouble,)
    if lines in {("",), (said,)}:
        return
    head, body = layout.panel("second_unit_plan")
    head.label(text="Before Rendering")
    if body is None:
        return
    for line in lines:
        column = body.column(align=True)
        # names of models and files have hyphens
        for part in textwrap.wrap(line, width, break_on_hyphens=False):
            column.label(text=part)


def _draw_preview(layout: Any, shown: Shown, width: int) -> None:
    row = layout.row(align=True)
    row.label(text="Preview")
    for name, label, _ in GUIDES:
        row.operator("second_unit.preview", text=label, depress=shown.guide == name).guide = name
    for number, line in enumerate(textwrap.wrap(shown.trouble, width)):
        layout.label(text=line, icon="ERROR" if number == 0 else "BLANK1")


def _draw_message(layout: Any, view: View, width: int) -> None:
    for worry in view.worries:
        box = layout.box().column(align=True)
        for number, line in enumerate(textwrap.wrap(worry, width)):
            box.label(text=line, icon="ERROR" if number == 0 else "BLANK1")
    if not view.message:
        return
    box = layout.box().column(align=True)
    for number, line in enumerate(textwrap.wrap(f"{view.message} {view.fix}", width)):
        icon = ("ERROR" if view.is_error else "INFO") if number == 0 else "BLANK1"
        box.label(text=line, icon=icon)


def _draw_shots(layout: Any, view: View, width: int) -> None:
    column = layout.column(align=True)
    if view.problem:
        for line in textwrap.wrap(view.problem, width):
            column.label(text=line)
    if view.problem or not view.is_saved:
        column.operator("second_unit.open_example", icon="FILE_BLEND")
    for shot in view.rows:
        row = column.row()
        row.label(text=f"{shot.name}  {shot.first}-{shot.last}", icon=_ICONS[shot.mark])
        side = row.row()
        side.alignment = "RIGHT"
        side.label(text=shot.state)
