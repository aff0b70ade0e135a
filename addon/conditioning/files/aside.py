# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders in the making, named after their process, so that those of killed ones can be told apart."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from ...shot.alive import host_mark, is_left

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# ".<name>.<host>-<pid>.<random>.part"; documents and the first ones are without host and process number
_ASIDE = re.compile(r"\..+?(?:\.(?P<host>[0-9a-f]{8})-(?P<pid>\d{1,10}))?\.(?:[0-9a-f]{8}|[0-9a-f]{32})\.part")


def aside(target: Path) -> Path:
    """A hidden place beside ``target`` (not made yet) in which this process prepares it."""
    return target.with_name(f".{target.name[:24]}.{host_mark()}-{os.getpid()}.{uuid4().hex[:8]}.part")


def sweep(folders: Iterable[Path]) -> None:
    """Remove the files and folders that processes that were killed left half made in ``folders``.

    On this host a process that still runs keeps its own. Where that cannot be told (another host, Windows) whatever
    nobody touched for a day goes.
    """
    for folder in folders:
        for path in sorted(folder.glob(".*.part")):
            found = _ASIDE.fullmatch(path.name)
            if found and not path.is_symlink() and _is_left(path, found["host"], found["pid"]):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):  # somebody else was quicker
        path.unlink()


def _is_left(path: Path, host: str | None, pid: str | None) -> bool:
    try:
        return is_left([int(pid)] if pid else [], host, lambda: _touched(path))
    except OSError:  # gone meanwhile, or not for us to look at
        return False


def _touched(path: Path) -> float:
    return max(one.stat().st_mtime for one in (path, *(path.iterdir() if path.is_dir() else ())))
