# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's file as it is now, unsaved changes included, as a hidden copy beside the original.

Beside it, so that relative paths mean the same. Physics caches in ``blendcache_<name>`` belong to a name, so the copy
gets its own. Needs bpy inside `hide_copy` only; the command that works on a copy owns and removes it.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import SceneError, StorageError, UsageError, storage_error
from ..shot.alive import host_mark, is_left

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# the stem of a copy, and what follows it in the names of its companions; a cache has a word before it
_STEM = r"\.(?P<name>.+)\.second_unit-(?P<pid>\d{1,10})-(?P<host>[0-9a-f]{8})[0-9a-f]{8}"
_COPY = re.compile(_STEM)
_ENTRY = re.compile(rf"(?:blendcache_)?(?P<stem>{_STEM})(?:\..*)?")
_OWNER = re.compile(r".*\.(\d{1,10})\.owner")


def hide_copy() -> Path:
    """Write the open file as ``.<stem>.second_unit-<pid>-<hex>.blend`` beside itself.

    File name, changes, undo and recent files of this Blender stay as they are. Raises `UsageError` for a scene that
    was never saved and `StorageError` when its folder takes no copy. Copies of ended processes are swept first.
    """
    import bpy

    if not bpy.data.filepath:
        raise UsageError("The scene has never been saved.", "Save the scene first, then run it again.")
    original = Path(bpy.data.filepath)
    if not os.access(original.parent, os.W_OK):
        raise _no_room(original.parent, "it is read-only")
    sweep_copies(original.parent)
    copy = original.with_name(f".{original.stem}.second_unit-{os.getpid()}-{host_mark()}{uuid4().hex[:8]}.blend")
    try:
        _write(copy)
        _give_caches(original, copy)
    except OSError as error:
        _remove(copy)
        raise storage_error(error, copy.parent) from error
    except BaseException:
        _remove(copy)
        raise
    return copy


def session_file(copy: Path) -> Path:
    """Where the session (`session.save_session`) of the command that works on ``copy`` lies; it goes with the copy."""
    return copy.with_suffix(".session.json")


def original_of(path: Path) -> Path | None:
    """The file that ``path`` is a hidden copy of, by its name; None for any other file."""
    found = _COPY.fullmatch(path.stem) if path.suffix == ".blend" else None
    return path.with_name(f"{found['name']}.blend") if found else None


def remove_copy(path: Path) -> None:
    """Remove a hidden copy with its caches, session and owners; nothing else. What is gone already is no error."""
    if original_of(path) is None:
        raise UsageError(f"'{path}' is no hidden copy.", "Leave out --original.")
    _remove(path)


@contextmanager
def owned_copy(scene: str | None, original: Path, session: str | None) -> Generator[None]:
    """Inside, this process owns the copy ``scene`` of ``original``, whoever made it; afterwards it is gone.

    So is ``session``, the document it was handed over with, wherever that lies.

    Raises `UsageError` when it is not such a copy: the file of an artist is never removed.
    """
    copy = Path(scene or "").resolve()
    if not _fits(copy, original.parent.resolve() / original.name):
        raise UsageError(f"'{scene}' is no hidden copy of '{original}'.", "Leave out --original.")
    if not copy.is_file():
        raise SceneError(f"There is no file '{scene}'.", "Run it again from Blender.")
    owner = copy.with_suffix(f".{os.getpid()}.owner")
    try:
        owner.touch()
        yield
    finally:
        _remove(copy)
        if session:
            with suppress(OSError):  # as above
                Path(session).unlink(missing_ok=True)


def sweep_copies(folder: Path) -> None:
    """Remove the copies in ``folder`` whose command has ended, or whose Blender has when no command took them over.

    Where that cannot be told (another host, Windows) whatever nobody touched for a day goes.
    """
    for stem, entries in _entries(folder).items():
        if _is_left(stem, entries):
            _remove(folder / f"{stem}.blend")


def _fits(copy: Path, original: Path) -> bool:
    found = original_of(copy)
    return found is not None and (found.parent, found.stem) == (original.parent, original.stem)


def _entries(folder: Path) -> dict[str, list[Path]]:
    """Everything that belongs to copies in ``folder``, by their stem."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry := _ENTRY.fullmatch(path.name):
            found.setdefault(entry["stem"], []).append(path)
    return found


def _is_left(stem: str, entries: list[Path]) -> bool:
    named = _COPY.fullmatch(stem)
    if named is None:
        return False
    owners = [int(found[1]) for path in entries if (found := _OWNER.fullmatch(path.name))]
    return is_left(owners or [int(named["pid"])], named["host"], lambda: _touched(entries))


def _touched(entries: list[Path]) -> float:
    newest = 0.0
    for path in entries:
        with suppress(OSError):  # somebody else was quicker
            newest = max(newest, path.stat().st_mtime)
    return newest


def _remove(copy: Path) -> None:
    for path in _entries(copy.parent).get(copy.stem, []):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # a program that reads it on Windows; the next sweep takes it
                path.unlink(missing_ok=True)


def _write(copy: Path) -> None:
    """Always saved, never copied from the disk: what a timer or handler of an add-on changed leaves no mark.

    By name without any option: a given one, such as compression, would be this Blender's for its next save.
    """
    import bpy

    data: Any = bpy.data
    packs = data.use_autopack
    try:
        # or the save would pack the artist's images, in memory as well
        data.use_autopack = False
        bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, relative_remap=False)
    except RuntimeError as error:
        why = str(error).removeprefix("Error:").strip().rstrip(".")
        raise _no_room(copy.parent, why) from error
    finally:
        data.use_autopack = packs
    if not copy.is_file():
        raise _no_room(copy.parent, "Blender wrote nothing")


def _no_room(folder: Path, why: str) -> StorageError:
    return StorageError(
        f"No copy of the scene can be written to '{folder}': {why}.",
        "Free some space there, or save the scene in a folder you may write to.",
    )


def _give_caches(original: Path, copy: Path) -> None:
    """The copy's own ``blendcache_…``: hard links, or copies where none can be made or Blender may write into them."""
    source, target = (path.with_name(f"blendcache_{path.stem}") for path in (original, copy))
    may_write = not _are_baked()
    for file in sorted(source.rglob("*")) if source.is_dir() else ():
        if file.is_file():
            there = target / file.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            _link(file.resolve(), there, is_copied=may_write)


def _link(file: Path, there: Path, *, is_copied: bool) -> None:
    if not is_copied:
        with suppress(OSError):  # another disk, or one that knows no links
            os.link(file, there)
            return
    shutil.copyfile(file, there)


def _are_baked() -> bool:
    """Whether every cache on disk is baked: Blender goes on writing the others, through a link into the original."""
    return all(cache.is_baked for _, cache in point_caches() if cache.use_disk_cache)


def point_caches() -> Iterator[tuple[str, Any]]:
    """Name and point cache of everything in the open file that has one: cloth, soft body, particles, rigid bodies."""
    import bpy

    data: Any = bpy.data
    for thing in data.objects:
        for modifier in thing.modifiers:
            cache = getattr(modifier, "point_cache", None)
            if modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings is not None:
                for surface in modifier.canvas_settings.canvas_surfaces:
                    yield f"{thing.name}: {surface.name}", surface.point_cache
            elif cache is not None:
                yield f"{thing.name}: {modifier.name}", cache
        for system in thing.particle_systems:
            yield f"{thing.name}: {system.name}", system.point_cache
    for scene in data.scenes:
        if scene.rigidbody_world is not None:
            yield f"{scene.name}: Rigid Body World", scene.rigidbody_world.point_cache
