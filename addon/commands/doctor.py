# SPDX-License-Identifier: GPL-3.0-or-later
"""``doctor``: what is needed, whether it is there, and what to do when it is not."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, EXIT_FAILED, SecondUnitError
from ..host.blender import find_blender

if TYPE_CHECKING:
    from .console import Console

_ENOUGH = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``fix`` is empty when all is well."""

    name: str
    found: str
    fix: str = ""


def doctor(console: Console, blender: str | None) -> int:
    """Print every check; 0 when nothing is missing."""
    findings = [_python(), _blender(blender), _disk()]
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
        return Finding("Blender", " ".join(find_blender(option).command))
    except SecondUnitError as error:
        return Finding("Blender", error.what, error.fix)


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    fix = "" if free > _ENOUGH else "Free some space: a shot needs about 5 MB per frame while it is made."
    return Finding("Disk", f"{free / 1e9:.1f} GB free", fix)
