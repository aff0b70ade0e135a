# SPDX-License-Identifier: GPL-3.0-or-later
"""The temporary folder in which a loop says how far it is. What ended processes left of them is swept."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from ..shot.alive import host_mark, is_left

_FOLDER = re.compile(r"second_unit_loop_(?P<pid>\d{1,10})-(?P<host>[0-9a-f]{8})_.+")
_OWNER = re.compile(r"(\d{1,10})\.owner")


def make_loop_folder() -> Path:
    """A new one, of this process until a loop owns it; those whose loop has ended are removed first."""
    sweep_loop_folders(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"second_unit_loop_{os.getpid()}-{host_mark()}_"))


def own_loop_folder(folder: Path, pid: int) -> None:
    """From now on the folder is that of the loop ``pid``, which may outlive the Blender that started it."""
    with suppress(OSError):  # a full disk: it is Blender's then
        (folder / f"{pid}.owner").touch()


def remove_loop_folder(folder: Path) -> None:
    """Remove it as far as it goes; what a program holds on Windows goes with the next sweep."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep_loop_folders(parent: Path) -> None:
    """Remove the folders in ``parent`` that ended processes left; where that cannot be told, those older than a day."""
    for folder in parent.glob("second_unit_loop_*"):
        named = _FOLDER.fullmatch(folder.name)
        if named and _is_left(folder, int(named["pid"]), named["host"]):
            remove_loop_folder(folder)


def _is_left(folder: Path, starter: int, host: str) -> bool:
    try:
        owners = [int(found[1]) for file in folder.iterdir() if (found := _OWNER.fullmatch(file.name))]
        return is_left(owners or [starter], host, lambda: folder.stat().st_mtime)
    except OSError:  # somebody else's, or gone meanwhile
        return False
