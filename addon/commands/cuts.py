# SPDX-License-Identifier: GPL-3.0-or-later
"""Which take of which shot goes on: the circled one, else the newest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..shot.package import load_manifest
from ..shot.take import Take, list_takes
from ..timeline.edit_plan import CutShot
from .context import blocked_shots

if TYPE_CHECKING:
    from pathlib import Path

    from ..shot.package import Manifest
    from ..shot.shot import SceneInfo, Shot
    from .context import BlockedShot, Context


def shown_take(context: Context, shot: Shot) -> Take | None:
    """The circled take, else the newest, else None."""
    takes = list_takes(context.project.shot(shot.folder).takes)
    circled = [take for take in takes if take.name == shot.circle]
    return (circled or takes or [None])[-1]


def package_of(context: Context, shot: Shot, take: Take) -> tuple[Path, Manifest]:
    """The package a take was made from: its own, not the shot's current one."""
    folder = context.project.shot(shot.folder).packages / take.package
    return folder, load_manifest(folder)


def cut_shots(context: Context, info: SceneInfo) -> list[CutShot]:
    """All shots that have a take, whichever were asked for: an edit is whole. Raises `UsageError` when none has."""
    found = [_cut(context, blocked) for blocked in blocked_shots(replace(context, only=()), info)]
    ready = [cut for cut in found if cut is not None]
    if not ready:
        raise UsageError(
            "No shot has a take yet.", "Run 'second-unit generate' first, or 'second-unit run' for the whole loop."
        )
    return ready


def _cut(context: Context, blocked: BlockedShot) -> CutShot | None:
    take = shown_take(context, blocked.shot)
    if take is None:
        context.console.say(f"  {blocked.shot.name} has no take yet and is left out.")
        return None
    _, manifest = package_of(context, blocked.shot, take)
    folder = context.project.shot(blocked.shot.folder).takes / take.name
    return CutShot(blocked.shot, blocked.blocking, take, folder, manifest.frame_map, manifest.crop)
