# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of shots, takes and frames. A name is a label; identity is the uuid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from ..errors import SceneError

if TYPE_CHECKING:
    from collections.abc import Collection

_SAFE = re.compile(r"[^\w.-]+")
# letters of four bytes each, with take, version and frame added, stay below the 255 bytes of a file name
_LONGEST = 48
_TAKE = re.compile(r"t(\d{3,})")
# names that Windows keeps for devices, with any suffix, and those of our own things in a project
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))})
_OURS = frozenset(
    {"jobs", "cache", "review", "sound", "profiles", "edit.blend", "edit.json", "project.toml", "contact_sheet.png"}
)


def folder_name(shot_name: str) -> str:
    """A shot's name as a folder on any file system: ``SH 010/a`` becomes ``SH_010_a``."""
    safe = _SAFE.sub("_", normalize("NFC", shot_name))[:_LONGEST].strip("._-")
    if not safe:
        raise SceneError(
            f"The shot name '{shot_name}' has no letter or digit.", "Rename its marker, for example to SH010."
        )
    stem, dot, rest = safe.partition(".")
    is_reserved = stem.lower() in _DEVICES or safe.lower() in _OURS
    return f"{stem}_{dot}{rest}"[:_LONGEST] if is_reserved else safe


def free_folder(shot_name: str, taken: Collection[str]) -> str:
    """The folder for a new shot: its name, or ``SH020_2`` when ``SH020`` belongs to a shot that was renamed."""
    folder, used = folder_name(shot_name), {name.casefold() for name in taken}
    candidates = (folder, *(f"{folder}_{i}" for i in range(2, len(used) + 3)))
    return next(name for name in candidates if name.casefold() not in used)


def shot_name(position: int) -> str:
    """``SH010`` for the first shot (position 0), then steps of ten so that ``SH015`` can be put between."""
    return f"SH{(position + 1) * 10:03d}"


def take_name(number: int) -> str:
    """``t001`` for 1."""
    return f"t{number:03d}"


def take_number(name: str) -> int | None:
    """1 for ``t001``, None for anything else."""
    found = _TAKE.fullmatch(name)
    return int(found[1]) if found else None


def frame_name(shot: str, take: str, plate: int, suffix: str = "png") -> str:
    """``SH010.t001.1001.png``."""
    return f"{shot}.{take}.{plate:04d}.{suffix}"
