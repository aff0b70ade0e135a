# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's ``edit.blend``: opened or made, changed, saved aside and renamed. Needs bpy.

It holds the artist's layout scene as it was in their file, the edit and the comps. When the layout changed, the
new layout is taken and the edit and comps are carried over, so that an editor's own work is never lost.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import FULL_DISK, DocumentError, SceneError, StorageError, storage_error
from ..shot.documents import digest_file
from .marks import GIVEN, LAID_AS, OWNED, ours
from .scene_reader import open_blend

if TYPE_CHECKING:
    from collections.abc import Generator

_LAYOUT = "second_unit_layout"
_THEIRS = "second_unit_layout_names"
_NUMBERED = re.compile(r"\.\d{3,}$")
_CUT = 55
"""Blender cuts names to 62 (strips) or 63 bytes, less where it adds a number: so much of a name is sure to be there."""
_FULL_BELOW = 1 << 20
"""With fewer bytes free than this no edit can be written: Blender does not always say why a save failed."""


class OpenEdit:
    """The edit file while it is open. Nothing is saved when `is_unchanged` was set and no scene got a new name."""

    def __init__(self) -> None:
        self.is_unchanged = False


@contextmanager
def edit_file(edit: Path, layout: Path | None) -> Generator[OpenEdit]:
    """Inside, ``edit`` is the open file and ``//`` is its folder; afterwards it is saved. On an error nothing changes.

    ``layout`` is the artist's .blend; None keeps the layout that is in the edit.
    """
    aside = edit.with_name(f".{edit.stem}.{os.getpid()}.part.blend")
    done = aside.with_suffix(".done.blend")
    layout_hash = digest_file(layout) if layout else ""
    theirs = _open(edit, layout, layout_hash)
    try:
        edit.parent.mkdir(parents=True, exist_ok=True)
        _save(aside)
        opened, names = OpenEdit(), _owned_names()
        yield opened
        if theirs is not None:
            for scene in owned_scenes():
                scene[_LAYOUT], scene[_THEIRS] = layout_hash, theirs
        if not opened.is_unchanged or _owned_names() != names:
            _save(done, is_copy=True)
            _check_written(done)
            done.replace(edit)
    except OSError as error:
        raise storage_error(error, edit) from error
    finally:
        for left in (aside, done):
            left.unlink(missing_ok=True)


def owned_scenes() -> list[Any]:
    """The scenes Second Unit made in this file: the edit and the comps. Their copies are somebody else's."""
    return ours(bpy.data.scenes)


def owned_scene(identity: str, name: str) -> Any:
    """Our scene of that identity, or a new one called ``name``. A namesake of the artist's is left alone.

    A scene that still has the name it was given gets the new one; another of ours that is in the way makes room.
    """
    found = next((s for s in owned_scenes() if s[OWNED] == identity), None)
    if found is None or _has_given_name(found, name):
        _make_room(identity, name)
    if found is None:
        found = bpy.data.scenes.new(name)
        found[OWNED] = identity
    follow_name(found, name)
    _own(found)
    return found


def _own(scene: Any) -> None:
    """Write down that this is the one: its copies lose the mark they brought along."""
    scene[LAID_AS] = scene.name
    for other in bpy.data.scenes:
        if other != scene and other.get(OWNED) == scene[OWNED]:
            _disown(other)


def _disown(scene: Any) -> None:
    for mark in (OWNED, LAID_AS):
        scene.pop(mark, None)


def _make_room(identity: str, name: str) -> None:
    """Move another scene of ours off ``name``, which its own shot has no more; it keeps what we know it by."""
    for other in owned_scenes():
        if other.name == name and other[OWNED] != identity:
            other.name = f"{name}.001"
            other[LAID_AS] = other.name


def _has_given_name(thing: Any, wanted: str) -> bool:
    """Whether a scene or strip is still called what we called it, the number that Blender may add aside."""
    given, now = (_NUMBERED.sub("", str(name)) for name in (thing.get(GIVEN, wanted), thing.name))
    return now == given or (len(now.encode()) >= _CUT and given.startswith(now))


def is_renamed(thing: Any, wanted: str) -> bool:
    """Whether a scene or strip of ours was given another name than ``wanted``."""
    return thing.get(GIVEN, wanted) != wanted


def follow_name(thing: Any, wanted: str) -> None:
    """Give a scene or strip the name its shot has now, unless people have given it one of their own."""
    if _has_given_name(thing, wanted):
        if is_renamed(thing, wanted):
            thing.name = wanted
        thing[GIVEN] = wanted


def _owned_names() -> dict[str, str]:
    return {scene[OWNED]: scene.name for scene in owned_scenes()}


def _open(edit: Path, layout: Path | None, layout_hash: str) -> str | None:
    """Load what is to be changed. Returns the names of the layout's scenes and texts when a layout was newly loaded.

    When the layout changed, everything in the edit that did not come from a layout is carried over into the new one:
    our scenes, and those and the texts an editor made.
    """
    if layout is None:
        _open_edit(edit)
        return None
    if not edit.is_file():
        open_blend(layout)
        _drop_owned()
        return _names()
    _open_edit(edit)
    owned = owned_scenes()
    if any(scene.get(_LAYOUT) == layout_hash for scene in owned):
        return None
    names = {scene.name for scene in owned}
    old = {name for scene in owned for name in str(scene.get(_THEIRS, "")).split("\n")}
    scenes = [s.name for s in bpy.data.scenes if f"scene {s.name}" not in old]
    texts = [t.name for t in bpy.data.texts if f"text {t.name}" not in old]
    open_blend(layout)
    _drop_owned()
    theirs = _names()
    library: Any = bpy.data.libraries.load(str(edit), link=False)
    with library as (_, wanted):
        # Blender puts what it loaded into these very lists
        wanted.scenes, wanted.texts = list(scenes), list(texts)
    for name, scene in zip(scenes, wanted.scenes, strict=True):
        (_own if name in names else _disown)(scene)
    carried: list[Any] = list(wanted.texts)
    for text in carried:
        # nothing uses a text, and what nobody uses is not saved
        text.use_fake_user = True
    return theirs


def _drop_owned() -> None:
    """Without the edit that the artist's file holds when it was laid there: this file has its own.

    A copy of that edit, or a layout made with its settings, stays, and is not taken for ours.
    """
    for scene in owned_scenes():
        bpy.data.scenes.remove(scene)
    for scene in bpy.data.scenes:
        _disown(scene)


def _open_edit(edit: Path) -> None:
    try:
        open_blend(edit, with_ui=True)
    except SceneError as error:
        raise DocumentError(
            f"The edit cannot be opened. {error.what}",
            f"Restore '{edit.name}' from a backup, or move it away: then the next run makes a new one.",
        ) from error


def _names() -> str:
    lines = [f"scene {scene.name}" for scene in bpy.data.scenes] + [f"text {text.name}" for text in bpy.data.texts]
    return "\n".join(lines)


def _save(path: Path, *, is_copy: bool = False) -> None:
    """Raises `OSError` when the disk is full, `StorageError` when the file could not be written otherwise."""
    preferences: Any = bpy.context.preferences
    preferences.filepaths.save_version = 0
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=True, compress=True, copy=is_copy)
    except RuntimeError as error:
        why = str(error).removeprefix("Error:").strip().rstrip(".")
        _refuse_full(path.parent, why)
        raise StorageError(
            f"'{path.parent}' could not be written: {why}.", "Check that you may write there."
        ) from error


def _check_written(path: Path) -> None:
    """Read the file back: Blender's compressed save says nothing when the disk is full."""
    try:
        library: Any = bpy.data.libraries.load(str(path), link=False)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        with library as (there, _):
            found = set(there.scenes)
    except (OSError, RuntimeError) as error:
        raise _torn(path) from error
    if found != {scene.name for scene in bpy.data.scenes}:
        raise _torn(path)


def _refuse_full(folder: Path, why: str = "") -> None:
    """Raise what the system says for a full disk when that is why a file could not be written below ``folder``."""
    opened = Path(bpy.data.filepath)
    needed = max(_FULL_BELOW, opened.stat().st_size if opened.is_file() else 0)
    if any(os.strerror(code) in why for code in FULL_DISK) or shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _torn(path: Path) -> StorageError:
    """The error for a file that is not whole. Raises `OSError` when that is because the disk is full."""
    _refuse_full(path.parent)
    return StorageError(
        f"The edit could not be written completely below '{path.parent}'; the one from before is still there.",
        "Check the disk and run again.",
    )
