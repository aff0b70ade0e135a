# SPDX-License-Identifier: GPL-3.0-or-later
"""Which take of which shot goes on: the circled one, else the newest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import DocumentError, UsageError
from ..shot.package import MANIFEST, load_current, load_manifest
from ..shot.take import Take, is_as_made, list_takes
from ..timeline.edit_plan import CutShot
from .context import blocked_shots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..shot.package import Manifest
    from ..shot.shot import SceneInfo, Shot
    from .context import BlockedShot, Context


def shown_take(context: Context, shot: Shot) -> Take | None:
    """The circled take, else the newest of the shot's current package, else the newest, else None.

    Says so when that take is not what the scene looks like now, or when the circled one is gone.
    """
    paths = context.project.shot(shot.folder)
    takes, current = list_takes(paths.takes), load_current(paths.current)
    circled = [take for take in takes if take.name == shot.circle]
    if shot.circle and not circled:
        context.console.say(f"  {shot.name}: the circled take {shot.circle} is not there any more.")
    fresh = [take for take in takes if take.package == current]
    shown = (circled or fresh or takes or [None])[-1]
    if shown is not None and current is not None and shown.package != current:
        context.console.say(f"  {shot.name}: {shown.name} was made before the shot last changed.")
    return shown


def package_of(context: Context, shot: Shot, take: Take) -> tuple[Path, Manifest] | None:
    """The package a take was made from: its own, not the shot's current one. None, with a word, when it is gone."""
    folder = context.project.shot(shot.folder).packages / take.package
    if not (folder / MANIFEST).is_file():
        context.console.say(
            f"  {shot.name}: the package '{take.package}' of {take.name} is gone; the shot is left out."
        )
        return None
    return folder, load_manifest(folder)


def check_take(context: Context, shot: Shot, take: Take) -> None:
    """Raise `DocumentError` unless every frame of the take is as it was made: a damaged one would come out black."""
    take.check_frames(context.project.shot(shot.folder).takes / take.name)


def check_depth(package: Path, manifest: Manifest, plates: Sequence[int]) -> None:
    """Raise `DocumentError` unless the depth of every plate is as it was made."""
    depth = manifest.passes["depth16"]
    for mapped, sha256 in zip(manifest.frame_map.plates, depth.sha256, strict=False):
        plate = mapped.plate
        if plate is not None and plate in plates and not is_as_made(package / depth.file(plate), sha256):
            raise DocumentError(
                f"The depth of frame {plate} in {manifest.shot_name}'s package is missing or damaged.",
                f"Restore it, or remove '{package}' and run 'second-unit condition' again.",
            )


def cut_shots(context: Context, info: SceneInfo) -> list[CutShot]:
    """All shots that have a take, whichever were asked for: an edit is whole.

    Raises `UsageError` when none has, `DocumentError` when a frame of one is missing or damaged.
    """
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
    package = package_of(context, blocked.shot, take)
    if package is None:
        return None
    check_take(context, blocked.shot, take)
    _, manifest = package
    folder = context.project.shot(blocked.shot.folder).takes / take.name
    return CutShot(blocked.shot, blocked.blocking, take, folder, manifest.frame_map, manifest.crop)
