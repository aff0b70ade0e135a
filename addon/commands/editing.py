# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing things that exist once per project: one command at a time, and only when what they are made from changed."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import DocumentError, UsageError
from ..generation.jobs.lease import Heartbeat, Lease, LeaseHeld
from ..shot.documents import Schema, read_document, write_document

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from ..shot.project import Project

BUILT_SCHEMA = Schema("second_unit.built", 1)


@contextmanager
def editing(project: Project) -> Generator[None]:
    """Hold the project's edit. Raises `UsageError` while another command changes it."""
    lease = Lease(project.root / "edit.lease")
    try:
        lease.acquire()
    except LeaseHeld as error:
        raise UsageError(
            "Another Second Unit command is changing the edit of this project.",
            "Wait until it has finished, then run this again.",
        ) from error
    try:
        with Heartbeat(lease):
            _tidy(project)
            yield
    finally:
        _tidy(project)
        lease.release()


def _tidy(project: Project) -> None:
    """Remove what a Blender that was killed left of an edit it was saving. Only who holds the edit may do so."""
    for left in project.root.glob(f".{project.edit.stem}.*.part*.blend"):
        # a file that cannot be removed is in nobody's way
        with suppress(OSError):
            left.unlink(missing_ok=True)


def is_built(note: Path, key: str, result: Path) -> bool:
    """Whether ``result`` and the files it needs exist, and it was made from ``key``. A damaged note is none."""
    if not note.is_file() or not is_there(result):
        return False
    try:
        fields = read_document(note, BUILT_SCHEMA)
        return fields.text("key") == key and all(is_there(note.parent / name) for name in fields.texts("needs", []))
    except DocumentError:
        return False


def is_there(file: Path) -> bool:
    """Whether a file is there and has something in it: an empty one is what a full disk leaves."""
    return file.is_file() and file.stat().st_size > 0


def mark_built(note: Path, key: str, needs: Sequence[str] = ()) -> None:
    """Remember what a result was made from, and the files beside the note without which it is not whole."""
    write_document(note, BUILT_SCHEMA, {"key": key, **({"needs": list(needs)} if needs else {})})
