# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything RNA says about a scene and what it uses, as one flat dictionary."""

from __future__ import annotations

from typing import Any

import bpy

# what Blender works out when it shows the scene
_DERIVED = {"matrix_world", "matrix_local", "matrix_parent_inverse", "dimensions", "bound_box", "tag"}
# what a file records about itself rather than about the scene; the last two crash 4.2
_SKIP = {
    "rna_type", "session_uid", "is_evaluated", "original", "library_weak_reference", "users", "bl_rna", "id_data",
    "is_library_indirect", "is_missing", "is_runtime_data", "preview", "depsgraph", "name_full",
    "tool_slots", "uv_sculpt",
}  # fmt: skip


def run(args: dict[str, Any]) -> Any:
    """The dump of one scene of a file."""
    bpy.ops.wm.open_mainfile(filepath=args["blend"])
    return dump_scene(bpy.data.scenes[args["scene"]])


def dump_scene(scene: Any) -> dict[str, str]:
    """Everything RNA says about a scene of the open file, its objects, their data and all actions."""
    found: dict[str, str] = {}
    _dump(scene, f"Scene[{scene.name}]", found, depth=3)
    for thing in scene.objects:
        _dump(thing, f"Object[{thing.name}]", found, depth=2)
        if thing.data is not None:
            _dump(thing.data, f"Data[{thing.data.name}]", found, depth=1)
    for action in bpy.data.actions:
        _dump(action, f"Action[{action.name}]", found, depth=2)
    return found


def _dump(owner: Any, path: str, found: dict[str, str], depth: int) -> None:  # noqa: C901 one walk, three kinds
    for prop in owner.bl_rna.properties:
        name = prop.identifier
        if name in _SKIP | _DERIVED:
            continue
        value = getattr(owner, name, None)
        if prop.type in {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}:
            plain = (
                sorted(value) if isinstance(value, set) else list(value) if getattr(prop, "is_array", False) else value
            )
            found[f"{path}.{name}"] = repr(plain)
        elif prop.type == "POINTER" and value is not None:
            if isinstance(value, bpy.types.ID):
                found[f"{path}.{name}"] = f"{type(value).__name__} {value.name}"
            elif depth:
                _dump(value, f"{path}.{name}", found, depth - 1)
        elif prop.type == "COLLECTION" and depth and value is not None:
            found[f"{path}.{name}.len"] = str(len(value))
            for i, item in enumerate(list(value)[:64]):
                if isinstance(item, bpy.types.ID):
                    found[f"{path}.{name}[{i}]"] = item.name
                elif item is not None:
                    _dump(item, f"{path}.{name}[{i}]", found, depth - 1)
