# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an open file, and of Blender, when a hidden copy of it is made."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import bpy

from second_unit.addon.errors import SecondUnitError
from second_unit.addon.host import hidden_copy


def run(args: dict[str, Any]) -> Any:
    """Each case by its name."""
    folder = Path(args["folder"])
    return {
        "never saved": _refused(), "compressed": _compressed(folder),
        "not baked": _not_baked(folder), "read-only": _read_only(folder), "swept": _swept(folder),
    }  # fmt: skip


def _fresh(file: Path, *, compress: bool = False) -> Path:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(file), compress=compress)
    return file


def _refused() -> str:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        hidden_copy.hide_copy()
    except SecondUnitError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _compressed(folder: Path) -> list[bool]:
    """Whether the copy and then the original, saved again, are as the original was; against the preference."""
    found: list[bool] = []
    head = importlib.import_module("open_dump").open_bytes
    for compress in (False, True):
        bpy.context.preferences.filepaths.use_file_compression = not compress
        file = _fresh(folder / f"compressed{compress}.blend", compress=compress)
        bpy.ops.wm.open_mainfile(filepath=str(file))  # from here on Blender saves it as it was
        wanted = head(str(file))[:8]
        copy = hidden_copy.hide_copy()
        found.append(head(str(copy))[:8] == wanted)
        bpy.ops.wm.save_mainfile()
        found.append(head(str(file))[:8] == wanted)
        hidden_copy.remove_copy(copy)
    return found


def _not_baked(folder: Path) -> list[Any]:
    """A cache that Blender is still writing is copied: a child must not write into the artist's."""
    file = _fresh(folder / "loose.blend")
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=3, y_subdivisions=3)
    cache: Any = bpy.context.object.modifiers.new("Cloth", "CLOTH").point_cache
    cache.use_disk_cache = True
    for frame in (1, 2, 3):
        bpy.context.scene.frame_set(frame)
    copy = hidden_copy.hide_copy()
    theirs, own = (sorted((folder / f"blendcache_{path.stem}").iterdir()) for path in (file, copy))
    links = [path.stat().st_nlink for path in (*theirs, *own)]
    return [cache.is_baked, [p.name for p in theirs] == [p.name for p in own], len(own) > 0, set(links) == {1}]


def _read_only(folder: Path) -> str:
    """Root may write anywhere, so the system's answer is made up."""
    _fresh(folder / "locked.blend")
    answer = os.access
    os.access = lambda *_: False
    said = _refused_here()
    os.access = answer
    return said


def _refused_here() -> str:
    try:
        hidden_copy.hide_copy()
    except SecondUnitError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _swept(folder: Path) -> list[str]:
    """What lies about after the next copy was made: of an ended process, nothing."""
    file = _fresh(folder / "swept.blend")
    dead = file.with_name(f".swept.second_unit-{2**22 + 7}-{hidden_copy.host_mark()}01234567.blend")
    dead.write_bytes(b"left")
    (folder / f"blendcache_{dead.stem}").mkdir()
    hidden_copy.session_file(dead).touch()
    dead.with_name(f"{dead.name}@").touch()
    hidden_copy.hide_copy()
    return [path.name for path in folder.iterdir() if "01234567" in path.name]
