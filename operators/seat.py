# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators and panels share: the desk they work at, and what the open file says about itself. Needs bpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from ..addon.commands.cures import for_panels
from ..addon.commands.desk import Desk  # Blender evaluates the annotations of what it registers
from ..addon.commands.planning import Planner
from ..addon.errors import SceneError, StorageError
from ..addon.host.marks import LAYOUT, ours

if TYPE_CHECKING:
    from ..addon.errors import SecondUnitError
    from ..addon.generation.services.address import Address
    from ..addon.shot.project import Project

REHEARSAL = "rehearsal"
"""As `shot.project` has it; what a panel needs must not load the rooms when Blender starts."""
PACKAGE = __name__.rsplit(".", 2)[0]
"""``bl_ext.<repository>.second_unit`` inside Blender."""


# the types of bpy know more than Blender promises (sets of enum items, read-only layouts), and less (our operators)
Operator: Any = bpy.types.Operator
Panel: Any = bpy.types.Panel
AddonPreferences: Any = bpy.types.AddonPreferences
ops: Any = bpy.ops


class Seat:
    """Mixin of every operator and panel.

    `registration` sets the desk when it enables them, and takes it away again; the ticker does so with its planner.
    """

    desk: ClassVar[Desk]
    planner: ClassVar[Planner]

    def refuse(self, error: SecondUnitError) -> set[str]:
        """Say an error in the panels and as the operator's own; what its ``execute`` returns then."""
        self.desk.say(error.what, error.fix, is_error=True)
        operator: Any = self
        operator.report({"ERROR"}, for_panels(str(error)))
        return {"CANCELLED"}


def layout_scene() -> Any:
    """The scene that is blocked: the one shown, or the one whose edit is shown. Raises `SceneError`."""
    scene: Any = bpy.context.scene
    if scene is None:
        raise SceneError("No scene is open.", "Open one.")
    scenes: Any = bpy.data.scenes
    owned = ours(scenes)
    if scene not in owned:
        return scene
    found = scenes.get(str(scene.get(LAYOUT, "")))
    others = [other for other in scenes if other not in owned]
    if found is None and len(others) == 1:
        return others[0]
    if found is None:
        raise SceneError("The scene this edit was made from is gone.", "Go to the scene you block in.")
    return found


def open_file() -> Path | None:
    """The .blend that is open, None when it was never saved."""
    name = str(bpy.data.filepath)
    return Path(name) if name else None


def open_project() -> Project | None:
    """The project of the open file; None when that was never saved. Raises `StorageError` for links in a circle."""
    from ..addon.commands.context import project_for

    blend = open_file()
    try:
        return None if blend is None else project_for(blend, None)
    except (RuntimeError, OSError) as error:  # the first is what Python before 3.13 says of a circle
        raise StorageError(
            f"The project's folder beside '{blend}' cannot be found: its links lead in a circle.",
            "Remove the link 'second_unit' there.",
        ) from error


def service() -> str:
    """The service of the preferences; where those say ``rehearsal``, what the project says. Raises `DocumentError`."""
    from ..addon.shot.project import load_settings

    project = open_project()
    if (named := _preferred()) != REHEARSAL or project is None:
        return named
    return load_settings(project).service


def refuse_offline(address: Address) -> None:
    """Blender's own switch counts for us too: while it is off only this machine is reached. Raises `SceneError`."""
    app: Any = bpy.app
    if not address.is_loopback and not app.online_access:
        raise SceneError(
            f"Blender does not allow online access, and {address.host} is another machine.",
            "Allow it in Preferences, System, or use the rehearsal service.",
        )


def _preferred() -> str:
    preferences: Any = bpy.context.preferences
    known = preferences.addons.get(PACKAGE)
    return str(known.preferences.service).strip() or REHEARSAL if known and known.preferences else REHEARSAL
