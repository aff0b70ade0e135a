# SPDX-License-Identifier: GPL-3.0-or-later
"""``takes``: list them, circle one, take the circle away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..shot.shot import save_shot
from ..shot.take import list_takes
from .context import blocked_shots

if TYPE_CHECKING:
    from ..shot.project import ShotPaths
    from ..shot.shot import SceneInfo, Shot
    from .context import Context


NONE = "none"


def print_takes(context: Context, info: SceneInfo) -> None:
    """All takes of the shots asked for; the circled one is marked."""
    for blocked in blocked_shots(context, info):
        shot = blocked.shot
        takes = list_takes(context.project.shot(shot.folder).takes)
        for take in takes:
            mark = "(o)" if take.name == shot.circle else "   "
            context.console.say(
                f"{shot.name:<8} {mark} {take.name}  seed {take.brief.seed}  {take.service}  {take.package}"
            )
            context.console.record("take", {
                "shot": shot.name, "take": take.name, "circled": take.name == shot.circle, "package": take.package,
                "seed": take.brief.seed, "service": take.service,
            })  # fmt: skip
        if not takes:
            context.console.say(f"{shot.name:<8}     no take yet")


def circle_take(context: Context, info: SceneInfo, take: str | None) -> None:
    """Choose a take of exactly one shot; ``none`` leaves the choice open again: then the newest is shown."""
    shots = blocked_shots(context, info)
    if len(shots) != 1 or take is None:
        raise UsageError(
            "Circling needs one shot and one take.", "Write: second-unit takes SCENE circle t002 --shot SH010"
        )
    shot = shots[0].shot
    paths = context.project.shot(shot.folder)
    if take != NONE:
        _check_take(shot, paths, take)
    if not context.dry_run:
        save_shot(paths.record, replace(shot, circle=None) if take == NONE else shot.circled(take))
    context.console.say(f"{shot.name}: {'no take' if take == NONE else take} is circled.")


def _check_take(shot: Shot, paths: ShotPaths, take: str) -> None:
    names = [t.name for t in list_takes(paths.takes)]
    if take not in names:
        raise UsageError(f"{shot.name} has no take '{take}'.", f"It has: {', '.join(names) or 'none yet'}.")
