# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of shots, takes and frames. A name is a label; identity is the uuid."""

from __future__ import annotations

import re

from ..errors import SceneError

_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_TAKE = re.compile(r"t(\d{3,})")
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "jobs", "cache", *(f"{p}{i}" for p in ("com", "lpt") for i in range(10))}
)


def folder_name(shot_name: str) -> str:
    """A shot's name as a folder on any file system: ``SH 010/a`` becomes ``SH_010_a``."""
    safe = _SAFE.sub("_", shot_name).strip("._-")
    if not safe:
        raise SceneError(
            f"The shot name '{shot_name}' has no letter or digit.", "Rename its marker, for example to SH010."
        )
    return f"{safe}_" if safe.lower() in _RESERVED else safe[:64]


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
