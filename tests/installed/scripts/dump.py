# SPDX-License-Identifier: GPL-3.0-or-later
"""What an extension can leave behind in a Blender: everything it could have registered, started or added, listed.

What Blender offers no list of (message bus subscriptions) is not here. The commands of the command line and the draw
handlers of editors have no list either: `watch_commands` and `watch_drawing` keep one from then on.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import subprocess
import sys
import threading
import time
import types
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import bpy

PATIENCE_S = 10.0
Dump = dict[str, Counter[str]]


def watch_commands() -> dict[int, str]:
    """Return {handle: name} of the commands registered and not unregistered, kept up to date from now on."""
    standing: dict[int, str] = {}
    register, unregister = bpy.utils.register_cli_command, bpy.utils.unregister_cli_command

    def watched_register(name: str, run: object) -> object:
        handle = register(name, run)
        standing[id(handle)] = name
        return handle

    def watched_unregister(handle: object) -> None:
        unregister(handle)
        standing.pop(id(handle), None)

    bpy.utils.register_cli_command = watched_register
    bpy.utils.unregister_cli_command = watched_unregister
    return standing


def watch_drawing() -> dict[int, str]:
    """Return {handle: what draws} of the draw handlers added and not removed, kept up to date from now on."""
    standing: dict[int, str] = {}
    kept: list[object] = []
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        if name.startswith("Space") and name != "Space" and hasattr(kind, "draw_handler_add"):
            watch_drawing_of(kind, standing, kept)
    return standing


def watch_drawing_of(kind: Any, standing: dict[int, str], kept: list[object]) -> None:
    add, remove = kind.draw_handler_add, kind.draw_handler_remove

    def watched_add(run: Any, args: tuple[object, ...], region: str, when: str) -> object:
        handle = add(run, args, region, when)
        kept.append(handle)  # so that no other gets its number
        standing[id(handle)] = f"{kind.__name__} {region} {when}: {run.__module__}.{run.__qualname__}"
        return handle

    def watched_remove(handle: object, region: str) -> None:
        remove(handle, region)
        standing.pop(id(handle), None)

    kind.draw_handler_add, kind.draw_handler_remove = watched_add, watched_remove


def handlers() -> Iterator[str]:
    for name in dir(bpy.app.handlers):
        known = getattr(bpy.app.handlers, name)
        if isinstance(known, list):
            yield from (f"{name}: {run.__module__}.{run.__qualname__}" for run in known)


def timers() -> Iterator[str]:
    """Everything callable that Blender would call: it holds on to those objects, so Python knows them."""
    kinds = (types.FunctionType, types.MethodType, functools.partial)
    for candidate in gc.get_objects():
        if isinstance(candidate, kinds) and bpy.app.timers.is_registered(candidate):
            yield repr(getattr(candidate, "__qualname__", candidate))


def structs() -> Iterator[tuple[str, type]]:
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        if hasattr(kind, "bl_rna"):
            yield name, kind


def properties() -> Iterator[str]:
    for name, kind in structs():
        yield from (f"{name}.{prop.identifier}: {prop.type}" for prop in kind.bl_rna.properties)
        yield from (f"{name}.{function.identifier}()" for function in kind.bl_rna.functions)


def attributes() -> Iterator[str]:
    """What was put on Blender's own classes from Python; Blender adds `bl_rna` when a class is first looked at."""
    for name, kind in structs():
        yield from (f"{name}.{attribute}" for attribute in vars(kind) if attribute not in ("bl_rna", "rna_type"))


def draws() -> Iterator[str]:
    """Functions appended to menus, headers and panels. An appended class keeps its list, maybe with its own alone."""
    for name, kind in structs():
        for run in getattr(getattr(kind, "draw", None), "_draw_funcs", ()):
            if run.__module__ != kind.__module__:
                yield f"{name}: {run.__module__}.{run.__qualname__}"


def operators() -> Iterator[str]:
    for group in dir(bpy.ops):
        yield from (f"{group}.{name}" for name in dir(getattr(bpy.ops, group)))


def keymaps() -> Iterator[str]:
    config = bpy.context.window_manager.keyconfigs.addon
    for keymap in config.keymaps if config else ():
        yield f"{keymap.name} ({keymap.space_type})"
        yield from (f"{keymap.name}: {item.idname} {item.to_string()}" for item in keymap.keymap_items)


def data() -> Iterator[str]:
    """Data-blocks of the open file and the custom properties of those that add-ons like to write to."""
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION":
            blocks = getattr(bpy.data, prop.identifier)
            yield from (f"{prop.identifier}: {block.name}" for block in blocks)
    for block in (*bpy.data.scenes, *bpy.data.window_managers, *bpy.data.screens, *bpy.data.workspaces):
        yield from (f"{block.name}[{key}]" for key in list(block.keys()))


def children() -> Iterator[str]:
    """Child processes, where the system tells: those that have ended and were not asked about are gone by now."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if int(parent) == os.getpid():
                yield f"{name} ({state})"


def take(commands: dict[int, str], drawing: dict[int, str]) -> Dump:
    """List everything now."""
    gc.collect()
    found = {
        "handlers": handlers(),
        "timers": timers(),
        "types": (name for name, _ in structs()),
        "properties": properties(),
        "attributes": attributes(),
        "draws": draws(),
        "operators": operators(),
        "keymaps": keymaps(),
        "commands": iter(commands.values()),
        "draw handlers": iter(drawing.values()),
        "add-ons": iter(bpy.context.preferences.addons.keys()),
        "data": data(),
        "threads": (thread.name for thread in threading.enumerate()),
        "children": children(),
        "top-level modules": (name for name in sys.modules if name in ("second_unit", "addon", "operators", "ui")),
    }
    return {section: Counter(lines) for section, lines in found.items()}


def difference(before: Dump, after: Dump) -> dict[str, list[str]]:
    """Return the lines that came (+) and went (-), by section; sections without any are left out."""
    both = {name: (after[name] - before[name], before[name] - after[name]) for name in before}
    lines = {name: [f"+ {x}" for x in came] + [f"- {x}" for x in went] for name, (came, went) in both.items()}
    return {name: found for name, found in lines.items() if found}


def settled(commands: dict[int, str], drawing: dict[int, str], before: Dump) -> dict[str, list[str]]:
    """Return what differs from ``before``, after waiting for threads and processes that are ending."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = difference(before, take(commands, drawing))
        if not found.keys() & {"threads", "children"} or time.monotonic() > end:
            return found


class Planted(bpy.types.Operator):
    bl_idname = "wm.second_unit_planted"
    bl_label = "Planted"


def planted_draw(_menu: object, _context: object) -> None:
    """Appended to a menu."""


def planted_call(*_: object) -> None:
    """A handler and a timer."""


@contextlib.contextmanager
def one_of_each() -> Generator[None]:
    """Leave one thing of every kind lying about, to show that the dump sees it."""
    with contextlib.ExitStack() as undo:
        bpy.utils.register_class(Planted)
        undo.callback(bpy.utils.unregister_class, Planted)
        bpy.types.Scene.second_unit_planted = bpy.props.IntProperty()
        undo.callback(delattr, bpy.types.Scene, "second_unit_planted")
        bpy.types.Object.second_unit_attribute = property(planted_call)
        undo.callback(delattr, bpy.types.Object, "second_unit_attribute")
        bpy.types.TOPBAR_MT_file.append(planted_draw)
        undo.callback(bpy.types.TOPBAR_MT_file.remove, planted_draw)
        bpy.app.handlers.load_post.append(planted_call)
        undo.callback(bpy.app.handlers.load_post.remove, planted_call)
        bpy.app.timers.register(planted_call, first_interval=1e6)
        undo.callback(bpy.app.timers.unregister, planted_call)
        handle = bpy.utils.register_cli_command("second_unit_planted", planted_call)
        undo.callback(bpy.utils.unregister_cli_command, handle)
        view = bpy.types.SpaceView3D
        drawn = view.draw_handler_add(planted_call, (), "WINDOW", "POST_VIEW")
        undo.callback(view.draw_handler_remove, drawn, "WINDOW")
        scene = bpy.data.scenes[0]
        scene["second_unit_planted"] = 1
        undo.callback(scene.pop, "second_unit_planted")
        addon = bpy.context.preferences.addons.new()
        addon.module = "second_unit_planted"
        undo.callback(bpy.context.preferences.addons.remove, addon)
        sys.modules["second_unit"] = types.ModuleType("second_unit")
        undo.callback(sys.modules.pop, "second_unit")
        event = threading.Event()
        thread = threading.Thread(target=event.wait, name="planted")
        thread.start()
        undo.callback(thread.join)
        undo.callback(event.set)
        child = undo.enter_context(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        undo.callback(child.kill)
        plant_key(undo)
        yield


def plant_key(undo: contextlib.ExitStack) -> None:
    keymaps_of_addons = bpy.context.window_manager.keyconfigs.addon.keymaps
    keymap = keymaps_of_addons.new(name="second_unit_planted")
    keymap.keymap_items.new(Planted.bl_idname, "F19", "PRESS")
    undo.callback(keymaps_of_addons.remove, keymap)
