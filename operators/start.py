# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting started: the example, and whether a service answers. Needs bpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..addon.errors import SecondUnitError
from .seat import PACKAGE, REHEARSAL, Operator, Seat, refuse_offline, service

if TYPE_CHECKING:
    from ..addon.generation.services.comfyui.probe import Probe


class SECONDUNIT_OT_open_example(Seat, Operator):
    """Open a copy of the example: three blocked shots, ready to be shot"""

    bl_idname = "second_unit.open_example"
    bl_label = "Open the Example"
    bl_options = {"REGISTER"}

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask first when the open file has changes that would be lost."""
        if bpy.data.is_dirty:
            return context.window_manager.invoke_confirm(self, event)
        return self.execute(context)

    def execute(self, context: Any) -> set[str]:
        """Copy it to the user's own files, once, and open that."""
        from ..addon.commands.example import BLEND, EXAMPLE
        from ..addon.shot.documents import write_atomic

        del context
        utils: Any = bpy.utils
        folder = Path(utils.extension_path_user(PACKAGE, path="example", create=True))
        try:
            for name in (BLEND, "project.toml"):
                target = folder / name if name == BLEND else folder / "second_unit" / Path(BLEND).stem / name
                if not target.is_file():
                    write_atomic(target, (EXAMPLE / name).read_bytes())
        except SecondUnitError as error:
            return self.refuse(error)
        # with the artist's own screens: the tab this was clicked in stays where it is
        bpy.ops.wm.open_mainfile(filepath=str(folder / BLEND), load_ui=False)
        self.desk.say("This is your own copy of the example. Press the button above.")
        return {"FINISHED"}


class SECONDUNIT_OT_test_service(Seat, Operator):
    """See whether the service answers, and what it is"""

    bl_idname = "second_unit.test_service"
    bl_label = "Test"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        """Ask in a thread; the answer shows in the preferences and in the panels."""
        from ..addon.generation.services.address import parse_address
        from ..addon.generation.services.comfyui.probe import Probe

        del context
        try:
            named = service()
            if named == REHEARSAL:
                self.desk.say("The rehearsal service starts by itself when it is needed. Nothing leaves this machine.")
                return {"FINISHED"}
            address = parse_address(named)
            refuse_offline(address)
        except SecondUnitError as error:
            return self.refuse(error)
        self.desk.say(f"Asking {address.host} …")
        probe = Probe(address.url)
        self.desk.ask(lambda: _answer_of(probe), probe.stop)
        return {"FINISHED"}


def _answer_of(probe: Probe) -> tuple[str, str, bool]:
    try:
        return probe.ask(), "", False
    except SecondUnitError as error:
        return error.what, "Check the address, and that the service is running.", True
