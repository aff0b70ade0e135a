# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders in the making: named after the process that makes them, so that those of killed ones can be told apart."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

from ...shot.alive import host_mark, is_left

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# ".<name>.<host>-<pid>.<random>.part"; the first ones were without host and process number
_ASIDE = re.compile(r"\..+?(?:\.(?P<host>[0-9a-f]{8})-(?P<pid>\d{1,10}))?\.[0-9a-f]{8}\.part")


def aside(target: Path) -> Path:
    """A hidden folder beside ``target`` (not made yet) in which this process prepares it."""
    return target.with_name(f".{target.name[:24]}.{host_mark()}-{os.getpid()}.{uuid4().hex[:8]}.part")


def sweep(folders: Iterable[Path]) -> None:
    """Remove what processes that were killed left half made in ``folders``.

    On this host a process that still runs keeps its own. Where that cannot be told (another host, Windows) whatever
    nobody touched for a day goes.
    """
    for folder in folders:
        for path in sorted(folder.glob(".*.part")):
            found = _ASIDE.fullmatch(path.name)
            if found and path.is_dir() and not path.is_symlink() and _is_left(path, found["host"], found["pid"]):
                shutil.rmtree(path, ignore_errors=True)


def _is_left(path: Path, host: str | None, pid: str | None) -> bool:
    try:
        return is_left([int(pid)] if pid else [], host, lambda: max(p.stat().st_mtime for p in (path, *path.iterdir())))
    except OSError:  # gone meanwhile, or not for us to look at
        return False
