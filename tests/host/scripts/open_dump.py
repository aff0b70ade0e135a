# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything RNA says about the file that is open, saved or not, and about Blender around it."""

from __future__ import annotations

import importlib
from typing import Any

import bpy

# 5.2 packs attributes of one value when it saves; their values stay
_HOW_STORED = ".storage_type"
# what the dumper of single scenes cannot walk, and what no artist ever sees
_NOT_WALKED = {"window_managers", "screens", "workspaces", "brushes", "palettes", "paint_curves"}


def dump_open() -> dict[str, str]:
    """One flat dictionary of every datablock and of the state of Blender."""
    walk = importlib.import_module("dump")._dump
    data: Any = bpy.data
    found: dict[str, str] = {
        "filepath": data.filepath, "is_dirty": str(data.is_dirty), "is_saved": str(data.is_saved),
        "recent": str(bpy.context.preferences.filepaths.recent_files), "mode": bpy.context.mode,
        "compressed": open_bytes(data.filepath),
    }  # fmt: skip
    for prop in data.bl_rna.properties:
        if prop.type == "COLLECTION" and prop.identifier not in _NOT_WALKED:
            for block in getattr(data, prop.identifier):
                walk(block, f"{prop.identifier}[{block.name_full}]", found, 2)
    walk(bpy.context.preferences.filepaths, "filepaths", found, 1)
    return {path: value for path, value in found.items() if not path.endswith(_HOW_STORED)}


def open_bytes(path: str) -> str:
    """The first bytes of a file: they tell whether it is compressed."""
    with open(path, "rb") as file:  # noqa: PTH123 bpy hands out text
        return file.read(7).hex()
