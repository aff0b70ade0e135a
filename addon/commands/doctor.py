# SPDX-License-Identifier: GPL-3.0-or-later
"""``doctor``: what is needed, whether it is there, and what to do when it is not."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, EXIT_FAILED, SecondUnitError, storage_error
from ..generation.jobs.lease import Lease, LeaseHeld
from .context import startable_blender

if TYPE_CHECKING:
    from .console import Console

_ENOUGH = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``fix`` is empty when all is well."""

    name: str
    found: str
    fix: str = ""


def doctor(console: Console, blender: str | None, project: Path) -> int:
    """Print every check; 0 when nothing is missing. ``project`` need not be there yet. Nothing stays behind."""
    parent = _existing(project.resolve())
    findings = [_python(), _blender(blender), _project(project, parent), _disk(parent)]
    for item in findings:
        console.say(f"{'ok  ' if not item.fix else 'FAIL'}  {item.name:<10} {item.found}")
        if item.fix:
            console.say(f"      {'':<10} {item.fix}")
        console.record("check", {"name": item.name, "found": item.found, "fix": item.fix})
    return EXIT_FAILED if any(item.fix for item in findings) else EXIT_DONE


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", version, "" if sys.version_info >= (3, 11) else "Use Python 3.11 or newer.")


def _blender(option: str | None) -> Finding:
    try:
        return Finding("Blender", " ".join(startable_blender(option).command))
    except SecondUnitError as error:
        return Finding("Blender", error.what, error.fix)


def _existing(folder: Path) -> Path:
    """The folder itself, else the nearest one above it that is there: new folders will lie in it."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def _project(project: Path, parent: Path) -> Finding:
    if not parent.is_dir():
        return Finding("Project", f"'{parent}' is no folder.", "Choose another folder with --project.")
    try:
        with tempfile.TemporaryDirectory(prefix=".second_unit_doctor_", dir=parent) as probe:
            trouble = _trouble(Path(probe))
    except OSError as error:
        refused = storage_error(error, parent)
        return Finding("Project", refused.what, refused.fix)
    if trouble:
        return Finding("Project", f"'{parent}' {trouble}.", "Choose a folder on another drive with --project.")
    return Finding("Project", str(project) if parent == project.resolve() else f"{project} (will be made)")


def _trouble(probe: Path) -> str:
    """What a drive cannot do that everything relies on: renaming over a file, moving a folder, making a file once."""
    (old, new), (aside, moved) = (probe / "old", probe / "new"), (probe / "aside", probe / "moved")
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    new.replace(old)
    aside.mkdir()
    aside.rename(moved)
    if old.read_bytes() != b"new" or new.exists() or not moved.is_dir():
        return "does not rename files as it should"
    lease = Lease(probe / "lease")
    lease.acquire()
    try:
        Lease(probe / "lease").acquire()
    except LeaseHeld:
        lease.release()
        return ""
    return "gives one lock to two programs"


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    fix = "" if free > _ENOUGH else "Free some space: a shot needs about 5 MB per frame while it is made."
    return Finding("Disk", f"{free / 1e9:.1f} GB free", fix)
