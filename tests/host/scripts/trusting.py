# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with and without scripts, opened with and without trust, under every preference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.host import session


def build(file: Path, *, text: bool = False, driver: str = "", hidden: bool = False) -> str:
    """A file with a registered text, a driver, or a driver of an object that no scene shows."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if text:
        script = bpy.data.texts.new("run.py")
        script.write("import bpy\nbpy.app.driver_namespace['known'] = float\n")
        script.use_module = True
    if driver:
        thing = bpy.data.objects.new("Driven", None)
        thing.use_fake_user = True
        if not hidden:
            bpy.context.scene.collection.objects.link(thing)
        made = thing.driver_add("location", 0).driver
        made.type, made.expression = "SCRIPTED", driver
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    return str(file)


def asked(file: str, *, trusted: bool) -> bool:
    """What `is_trusted` says once the file is open and shown. A text that ran, or did not, is the judge."""
    bpy.app.driver_namespace.pop("known", None)
    bpy.ops.wm.open_mainfile(filepath=file, use_scripts=trusted)
    bpy.context.view_layer.update()
    found = session.is_trusted()
    assert not bpy.data.texts or found == ("known" in bpy.app.driver_namespace)
    return found


def run(args: dict[str, Any]) -> Any:
    """The answer for each kind of file and trust, as ``file/trust``."""
    folder = Path(args["folder"])
    files = {
        "plain": build(folder / "plain.blend"),
        "simple": build(folder / "simple.blend", driver="frame * 2"),
        "text": build(folder / "text.blend", text=True),
        "driver": build(folder / "driver.blend", driver="len(bpy.data.objects)"),
        "hidden": build(folder / "hidden.blend", driver="len(bpy.data.objects)", hidden=True),
    }
    found: dict[str, Any] = {
        f"{name}/{trusted}": asked(file, trusted=trusted) for name, file in files.items() for trusted in (True, False)
    }
    paths = bpy.context.preferences.filepaths
    paths.use_scripts_auto_execute = True
    found["hidden/preference"] = asked(files["hidden"], trusted=True)
    found["text/preference but blocked by hand"] = asked(files["text"], trusted=False)
    excluded = bpy.context.preferences.autoexec_paths.new()
    excluded.path = str(folder.parent)
    found["hidden/excluded"] = asked(files["hidden"], trusted=True)
    found["text/excluded"] = asked(files["text"], trusted=True)
    excluded.path, excluded.use_glob = f"{folder.parent}/*", True
    found["hidden/excluded by pattern"] = asked(files["hidden"], trusted=True)
    bpy.context.preferences.autoexec_paths.remove(excluded)
    sys.argv.append("--disable-autoexec")
    found["hidden/command line"] = asked(files["hidden"], trusted=True)
    sys.argv[-1:] = ["-y", "--", "-Y"]
    paths.use_scripts_auto_execute = False
    found["hidden/allowed on the command line"] = asked(files["hidden"], trusted=True)
    return found
