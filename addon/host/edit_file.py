# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's ``edit.blend``: opened or made, changed, saved aside and renamed. Needs bpy.

It holds the artist's layout scene as it was in their file, the edit and the comps. When the layout changed, the
new layout is taken and the edit and comps are carried over, so that an editor's own work is never lost.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import SecondUnitError, storage_error
from ..shot.documents import digest_file
from .scene_reader import open_blend

if TYPE_CHECKING:
    from collections.abc import Generator

OWNED = "second_unit_owned"
_LAYOUT = "second_unit_layout"


@contextmanager
def edit_file(edit: Path, layout: Path | None) -> Generator[None]:
    """Inside, ``edit`` is the open file and ``//`` is its folder; afterwards it is saved. On an error nothing changes.

    ``layout`` is the artist's .blend; None keeps the layout that is in the edit.
    """
    aside = edit.with_name(f".{edit.stem}.part.blend")
    layout_hash = digest_file(layout) if layout else ""
    _open(edit, layout, layout_hash)
    try:
        edit.parent.mkdir(parents=True, exist_ok=True)
        _save(aside)
        yield
        if layout_hash:
            for scene in owned_scenes():
                scene[_LAYOUT] = layout_hash
        _save(aside)
        aside.replace(edit)
    except OSError as error:
        raise storage_error(error, edit) from error
    finally:
        aside.unlink(missing_ok=True)


def owned_scenes() -> list[Any]:
    """The scenes Second Unit made in this file: the edit and the comps."""
    return [scene for scene in bpy.data.scenes if OWNED in scene]


def owned_scene(name: str) -> Any:
    """The scene of that name that we made, or a new one. A namesake of the artist's is left alone."""
    found = next((s for s in owned_scenes() if s.name.split(".")[0] == name), None)
    if found is None:
        found = bpy.data.scenes.new(name)
        found[OWNED] = True
    return found


def _open(edit: Path, layout: Path | None, layout_hash: str) -> None:
    if layout is None:
        open_blend(edit, with_ui=True)
        return
    if not edit.is_file():
        open_blend(layout)
        return
    open_blend(edit, with_ui=True)
    if any(scene.get(_LAYOUT) == layout_hash for scene in owned_scenes()):
        return
    names = [scene.name for scene in owned_scenes()]
    open_blend(layout)
    library: Any = bpy.data.libraries.load(str(edit), link=False)
    with library as (_, wanted):
        wanted.scenes = names


def _save(path: Path) -> None:
    preferences: Any = bpy.context.preferences
    preferences.filepaths.save_version = 0
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=True, compress=True)
    except RuntimeError as error:
        raise SecondUnitError(
            f"'{path.parent}' could not be written: {str(error).strip()}",
            "Check that the disk has space and that you may write there.",
        ) from error
