# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the open scene cannot be the same in a child Blender, in sentences for the artist. Pure reading.

Needs bpy inside functions only. See `session` for what is taken over and `hidden_copy` for the file.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .hidden_copy import point_caches
from .session import is_trusted, python_drivers

if TYPE_CHECKING:
    from collections.abc import Iterator


def concerns() -> list[str]:
    """One sentence for each thing that will be missing or different; empty when the child sees what is seen here."""
    found = (_folder(), _images(), _libraries(), _caches(), _fluids(), _simulations(), _scripts())
    return [sentence for part in found for sentence in dict.fromkeys(part)]


def _folder() -> Iterator[str]:
    import bpy

    if not bpy.data.filepath:
        yield "The scene has never been saved: save it first."
    elif not os.access(Path(bpy.data.filepath).parent, os.W_OK):
        yield f"The folder '{Path(bpy.data.filepath).parent}' cannot be written: no copy can lie beside the scene."


def _images() -> Iterator[str]:
    """A .blend holds the pixels of packed images only."""
    import bpy

    for image in bpy.data.images:
        if image.is_dirty and image.source not in {"VIEWER", "MOVIE"}:
            yield f"The image '{image.name}' has unsaved changes: save or pack it, or its last saved state is used."


def _libraries() -> Iterator[str]:
    import bpy

    resolve: Any = bpy.path
    for library in bpy.data.libraries:
        if library.packed_file or getattr(library, "is_archive", False):
            continue
        file = Path(resolve.abspath(library.filepath))
        if not file.is_file():
            yield f"The linked file '{file}' is missing, and with it what the scene takes from there."


def _caches() -> Iterator[str]:
    for name, cache in point_caches():
        if not (cache.is_baked or cache.use_external):
            yield f"The simulation '{name}' is not baked: it may move differently than here; bake it to keep it."


def _fluids() -> Iterator[str]:
    import bpy

    for thing in bpy.data.objects:
        for modifier in cast("Any", thing.modifiers):
            domain = modifier.domain_settings if modifier.type == "FLUID" else None
            if domain is not None and not (domain.cache_type != "REPLAY" and domain.has_cache_baked_data):
                yield f"The fluid '{thing.name}' is not baked: it will be missing or different; bake it to keep it."


def _simulations() -> Iterator[str]:
    """Blender does not tell whether a simulation is packed into the file, so that is left to the artist."""
    import bpy

    for thing in bpy.data.objects:
        for modifier in cast("Any", thing.modifiers):
            group = modifier.node_group if modifier.type == "NODES" else None
            if group is not None and _has_simulation(group, set()) and not _has_bake(modifier):
                yield (
                    f"The simulation nodes of '{thing.name}: {modifier.name}' have no bake on disk: "
                    "unless it is packed, they start anew; bake it to keep it."
                )


def _has_simulation(group: Any, seen: set[str]) -> bool:
    if group.name_full in seen:
        return False
    seen.add(group.name_full)
    return any(
        node.bl_idname == "GeometryNodeSimulationOutput"
        or (getattr(node, "node_tree", None) is not None and _has_simulation(node.node_tree, seen))
        for node in group.nodes
    )


def _has_bake(modifier: Any) -> bool:
    """Whether frames lie where the modifier, or its bake for a node, keeps them: ``<bake id>/meta/*.json``."""
    import bpy

    resolve: Any = bpy.path
    own = modifier.bake_directory
    folders = [bake.directory if getattr(bake, "use_custom_path", False) else own for bake in modifier.bakes]
    named = {Path(resolve.abspath(folder)) for folder in [*folders, own] if folder}
    return any(next(folder.rglob("*.json"), None) is not None for folder in named if folder.is_dir())


def _scripts() -> Iterator[str]:
    """Functions of drivers that no child can have, and scripts that Blender does not run in this file."""
    import bpy

    drivers = list(python_drivers())
    if not is_trusted() and (drivers or bpy.app.autoexec_fail):
        what = bpy.app.autoexec_fail_message or "Python drivers"
        yield f"Blender does not run the scripts of this file ({what}): allow them, or what they do is missing."
    for name in sorted({name for _, driver in drivers for name in _names(driver.expression)}):
        function = bpy.app.driver_namespace.get(name)
        if function is not None and not _comes_again(function):
            yield (
                f"The function '{name}' that a driver uses was typed in or run by hand: put it into a text with "
                "Register on, or into an add-on, or the driver does nothing."
            )


def _names(expression: str) -> set[str]:
    """Every name an expression uses; none of one that cannot be read."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _comes_again(function: Any) -> bool:
    """Whether a new Blender gets this function: its code lies in a file, or in a text that is run on loading."""
    import bpy

    code = getattr(function, "__code__", None)
    if code is None:  # built in, a class, a number
        return True
    source = Path(code.co_filename)
    text: Any = bpy.data.texts.get(source.name)
    return source.is_file() if text is None else bool(text.use_module) or source.is_file()
