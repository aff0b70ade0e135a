# SPDX-License-Identifier: GPL-3.0-or-later
"""The one button, its counterpart, and the edit alone. Needs bpy."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import bpy

from ..addon.commands.desk import Order
from ..addon.commands.loop_folder import make_loop_folder, remove_loop_folder
from ..addon.errors import SceneError, SecondUnitError, storage_error
from .seat import REHEARSAL, Operator, Seat, layout_scene, open_file, open_project, refuse_offline, service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..addon.commands.desk import Desk


class SECONDUNIT_OT_run_loop(Seat, Operator):
    """Guides, takes, edit and comps of every shot. Your scene is not touched; the work is done by other processes"""

    bl_idname = "second_unit.run_loop"
    bl_label = "Shoot All Shots"
    bl_options = {"REGISTER"}

    allow_host: bpy.props.BoolProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Send to this host",
        description="Agree that guides and texts of this project go to the service's host",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One loop at a time."""
        del context
        return cls.desk.loop is None

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask before the first send to another machine."""
        del event
        if not _asks_consent():
            return self.execute(context)
        self.allow_host = True
        return context.window_manager.invoke_props_dialog(
            self, title="Send to another machine?", confirm_text="Send", width=380
        )

    def draw(self, context: Any) -> None:
        """What leaves, and for where."""
        from ..addon.generation.services.address import parse_address

        del context
        column = self.layout.column()
        column.label(text=f"Guides and texts of every shot go to {parse_address(service()).host}.")
        column.label(text="Names, paths and the .blend stay here. The yes is kept in project.toml.")

    def execute(self, context: Any) -> set[str]:
        """Start it; returns at once."""
        del context
        return _start(self, "run", ["--allow-host"] if getattr(self, "allow_host", False) else [])


class SECONDUNIT_OT_update_edit(Seat, Operator):
    """Lay the takes there are into the scene "Second Unit Edit" of this file"""

    bl_idname = "second_unit.update_edit"
    bl_label = "Update the Edit"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One loop at a time."""
        del context
        return cls.desk.loop is None

    def execute(self, context: Any) -> set[str]:
        """Start it; returns at once."""
        del context
        return _start(self, "timeline", [])


class SECONDUNIT_OT_cancel(Seat, Operator):
    """Stop the loop. Guides that are made and takes that are finished are kept"""

    bl_idname = "second_unit.cancel"
    bl_label = "Cancel"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Something has to be at work."""
        del context
        return cls.desk.loop is not None

    def execute(self, context: Any) -> set[str]:
        """Stop the loop's process, and let the runner stop what it ordered at the service."""
        from ..addon.generation.jobs.store import JobStore

        del context
        loop = self.desk.loop
        if loop is not None:
            store = JobStore(loop.order.project)
            for uuid in loop.told.jobs:
                with suppress(SecondUnitError):  # ended meanwhile: there is nothing to cancel
                    store.request_cancel(uuid)
            self.desk.cancel()
        return {"FINISHED"}


def _start(operator: Any, command: str, words: Sequence[str]) -> set[str]:
    """Start a command on a hidden copy of the open file. What a child cannot have is said before."""
    from ..addon.host.concerns import concerns

    try:
        if command == "run":
            words = [f"--service={_reachable_service()}", *words]
        worries = concerns()
        for worry in worries:
            operator.report({"WARNING"}, worry)
        _begin(operator.desk, command, words, tuple(worries))
    except SecondUnitError as error:
        return operator.refuse(error)
    except OSError as error:
        return operator.refuse(storage_error(error, error.filename or "the folder for temporary files"))
    return {"FINISHED"}


def _begin(desk: Desk, command: str, words: Sequence[str], worries: tuple[str, ...]) -> None:
    """Hand copy, session and words over to a process. What was made is removed again when that does not start."""
    from ..addon.host.blender import own_process
    from ..addon.host.hidden_copy import hide_copy, remove_copy, session_file
    from ..addon.host.session import SESSION, gather, save_session

    scene, original, project = str(layout_scene().name), open_file(), open_project()
    if original is None or project is None:
        raise SceneError("This file was never saved.", "Save it; its project goes beside it.")
    with ExitStack() as undo:
        folder = make_loop_folder()
        undo.callback(remove_loop_folder, folder)
        copy = hide_copy()
        undo.callback(remove_copy, copy)
        session = session_file(copy)
        save_session(session, gather())
        argv, env = own_process([
            command, str(copy), f"--original={original}", f"--scene={scene}",
            f"--json-file={folder / 'events.jsonl'}", *words,
        ])  # fmt: skip
        desk.begin(Order(argv, {**env, SESSION: str(session)}, folder, project, original, copy, scene), worries)
        undo.pop_all()


def _reachable_service() -> str:
    """The service to be used. Raises `SceneError` for another machine while Blender is offline."""
    from ..addon.generation.services.address import parse_address

    named = service()
    if "://" in named:
        refuse_offline(parse_address(named))
    return named


def _asks_consent() -> bool:
    from ..addon.generation.services.address import parse_address
    from ..addon.shot.project import load_settings

    try:
        project = open_project()
        if project is None:
            return False
        named = service()
        address = None if named == REHEARSAL else parse_address(named)
        allowed = load_settings(project).allowed_hosts
    except SecondUnitError:  # execute says it
        return False
    return address is not None and not address.is_loopback and address.host not in allowed
