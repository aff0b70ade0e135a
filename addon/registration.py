# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root inside Blender: what is registered, and undone in reverse order. Needs bpy."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import bpy

from ..operators import edit, loop, preview, start
from ..operators.seat import Seat
from ..operators.ticking import Ticker
from ..ui import panels, preferences
from .commands.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = "second_unit"
CLASSES = (
    preferences.SECONDUNIT_AP_preferences,
    loop.SECONDUNIT_OT_run_loop,
    loop.SECONDUNIT_OT_update_edit,
    loop.SECONDUNIT_OT_cancel,
    edit.SECONDUNIT_OT_lay_edit,
    edit.SECONDUNIT_OT_show_edit,
    start.SECONDUNIT_OT_open_example,
    start.SECONDUNIT_OT_test_service,
    preview.SECONDUNIT_OT_preview,
    panels.SECONDUNIT_PT_view3d,
    panels.SECONDUNIT_PT_sequencer,
)


def _command(argv: Sequence[str]) -> int:
    """``blender --command second_unit …``; the command line loads when it is used, not when Blender starts."""
    from .cli import main

    return main(list(argv))


def _unregister(kind: Any) -> None:
    """The same extension from another repository takes the place of our classes: Blender has unregistered them then."""
    utils: Any = bpy.utils
    if kind.is_registered:
        utils.unregister_class(kind)


class _Registered:
    """Undo steps of what is registered now. One lives as long as the extension is enabled."""

    def __init__(self) -> None:
        self._undo = ExitStack()
        self.ticker: Ticker | None = None

    def begin(self) -> None:
        """Register everything; when a step fails, those before it are undone and the error is raised."""
        utils: Any = bpy.utils
        with ExitStack() as undo:
            undo.callback(utils.unregister_cli_command, utils.register_cli_command(COMMAND, _command))
            Seat.desk = Desk()
            undo.callback(delattr, Seat, "desk")
            preview.Previewed.previewing = preview.Previewing()
            undo.callback(delattr, preview.Previewed, "previewing")
            undo.callback(preview.Previewed.previewing.stop)
            for kind in CLASSES:
                utils.register_class(kind)
                undo.callback(_unregister, kind)
            self.ticker = Ticker(Seat.desk)
            undo.callback(self.ticker.stop)
            self.ticker.start()
            self._undo = undo.pop_all()

    def end(self) -> None:
        """Undo everything."""
        self._undo.close()
        self.ticker = None


_registered = _Registered()
register = _registered.begin
unregister = _registered.end
