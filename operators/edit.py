# SPDX-License-Identifier: GPL-3.0-or-later
"""The edit in the open file. Needs bpy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..addon.errors import SecondUnitError
from ..addon.host.marks import EDIT, OWNED, ours
from .seat import Operator, Seat, layout_scene, open_project, ops

if TYPE_CHECKING:
    from ..addon.shot.project import Project

_WORKSPACE = "Video Editing"
_MOMENT_S = 0.3


class SECONDUNIT_OT_lay_edit(Seat, Operator):
    """Lay the shots of the last loop into the scene "Second Unit Edit"; strips and trims of your own stay"""

    bl_idname = "second_unit.lay_edit"
    bl_label = "Lay the Edit"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """There has to be a plan."""
        del context
        return cls.desk.plan is not None

    def execute(self, context: Any) -> set[str]:
        """Lay it."""
        from ..addon.host.edit_scene import lay_edit
        from ..addon.shot.documents import Fields

        del context
        plan, self.desk.plan = self.desk.plan, None
        try:
            project = open_project()
            if project is None or plan is None:
                return {"CANCELLED"}
            report = lay_edit(_layout(plan.scene), Fields(plan.edit, "the edit plan"), _root(project))
        except SecondUnitError as error:
            return self.refuse(error)
        for note in report["notes"]:
            self.report({"WARNING"}, note)
        return {"FINISHED"}


class SECONDUNIT_OT_show_edit(Seat, Operator):
    """Go to the edit, in the workspace for video editing"""

    bl_idname = "second_unit.show_edit"
    bl_label = "Show the Edit"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """There has to be an edit in this file."""
        del context
        return _edit() is not None

    def execute(self, context: Any) -> set[str]:
        """Change workspace and scene of this window."""
        from ..addon.host.versions import show_in_sequencer

        scene = _edit()
        if scene is None or context.window is None:
            return {"CANCELLED"}
        workspace = _workspace()
        # the window follows in a moment, so the workspace is told now, not through the window
        context.window.workspace = workspace
        context.window.scene = scene
        show_in_sequencer(scene, workspace)
        bpy.app.timers.register(_show_all, first_interval=_MOMENT_S)
        return {"FINISHED"}


def _layout(name: str) -> Any:
    """The scene the plan was made from, wherever the artist went meanwhile; renamed, it is the one shown."""
    return bpy.data.scenes.get(name) or layout_scene()


def _edit() -> Any:
    return next((scene for scene in ours(bpy.data.scenes) if scene[OWNED] == EDIT), None)


def _workspace() -> Any:
    """The file's own workspace for video editing, else Blender's, brought into the file."""
    workspaces: Any = bpy.data.workspaces
    if not any(w.name.startswith(_WORKSPACE) for w in workspaces):
        utils: Any = bpy.utils
        templates = Path(utils.system_resource("SCRIPTS")) / "startup" / "bl_app_templates_system"
        ops.workspace.append_activate(idname=_WORKSPACE, filepath=str(templates / "Video_Editing" / "startup.blend"))
    return next((w for w in workspaces if w.name.startswith(_WORKSPACE)), bpy.context.workspace)


def _show_all() -> None:
    """All strips in every sequencer that is shown."""
    context: Any = bpy.context
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            regions = [region for region in area.regions if region.type == "WINDOW"]
            if area.type == "SEQUENCE_EDITOR" and regions:
                with context.temp_override(window=window, area=area, region=regions[0]):
                    if ops.sequencer.view_all.poll():
                        ops.sequencer.view_all()


def _root(project: Project) -> str:
    """The project's folder as strips name it: below the open file, so that both may be moved together."""
    folder = Path(str(bpy.data.filepath)).parent
    try:
        return f"//{project.root.relative_to(folder.resolve()).as_posix()}/"
    except ValueError:
        return f"{project.root.as_posix()}{os.sep if os.name == 'nt' else '/'}"
