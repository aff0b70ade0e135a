# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root inside Blender: what is registered, and undone in reverse order. Needs bpy."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = "second_unit"


def _command(argv: Sequence[str]) -> int:
    """``blender --command second_unit …``; the command line loads when it is used, not when Blender starts."""
    from .cli import main

    return main(list(argv))


class _Registered:
    """Undo steps of what is registered now. One lives as long as the extension is enabled."""

    def __init__(self) -> None:
        self._undo = ExitStack()

    def begin(self) -> None:
        """Register everything; when a step fails, those before it are undone and the error is raised."""
        with ExitStack() as undo:
            utils: Any = bpy.utils
            undo.callback(utils.unregister_cli_command, utils.register_cli_command(COMMAND, _command))
            self._undo = undo.pop_all()

    def end(self) -> None:
        """Undo everything."""
        self._undo.close()


_registered = _Registered()
register = _registered.begin
unregister = _registered.end
