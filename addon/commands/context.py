# SPDX-License-Identifier: GPL-3.0-or-later
"""What every command works with: the scene, the project, the Blender, the shots."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SceneError, UsageError
from ..host.blender import Blender, StandIn, find_blender, loaded_blend, run_task
from ..shot.documents import write_atomic
from ..shot.project import Project, Settings, load_settings
from ..shot.shot import Blocking, Home, SceneInfo, Shot, load_shot, match_shots, save_shot
from ..shot.timing import FrameRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .console import Console

PROJECT_TEMPLATE = Path(__file__).parent.parent / "data" / "project.toml"


@dataclass(frozen=True, slots=True)
class Context:
    """One command's surroundings. ``scene_file`` is the artist's .blend, None for commands on a project alone.

    ``copy`` is the temporary copy that is opened in its place: it holds what the artist has not saved yet.
    """

    console: Console
    scene_file: Path | None
    scene: str | None
    project: Project
    settings: Settings
    blender_option: str | None
    only: tuple[str, ...] = ()
    dry_run: bool = False
    copy: Path | None = None

    @property
    def blend(self) -> Path:
        """The artist's file, read and never written. Raises `UsageError` in a command on a project alone."""
        if self.scene_file is None:
            raise UsageError("No scene was given.", "Name a .blend file after the command.")
        return self.scene_file

    def blender(self) -> Blender:
        """The Blender that runs tasks; raises when there is none."""
        found = find_blender(self.blender_option)
        return replace(found, stand_in=StandIn(self.blend, self.copy)) if self.copy else found

    def read_scene(self) -> SceneInfo:
        """Open the .blend in a child and read its shots. Says what of the artist's session is missing there."""
        found = run_task(self.blender(), "read", {"blend": str(self.blend), "scene": self.scene})
        for note in found.get("notes", []):
            self.console.say(f"  {note}")
            self.console.record("note", {"text": note})
        return _scene_info(found)


@dataclass(frozen=True, slots=True)
class BlockedShot:
    """A shot as the scene has it now, with its record in the project; handles the scene lost come from the record."""

    blocking: Blocking
    shot: Shot


def startable_blender(option: str | None) -> Blender:
    """As `find_blender`, and the program is really there. Raises `UsageError` when it is not."""
    found = find_blender(option)
    if shutil.which(found.command[0]) is None:
        raise UsageError(f"There is no Blender at '{found.command[0]}'.", "Correct --blender or $BLENDER.")
    return found


def project_for(blend: Path, option: Path | None) -> Project:
    """``--project``, else ``second_unit/<blend name>`` beside the .blend."""
    return Project((option or blend.parent / "second_unit" / blend.stem).resolve())


def _opened(file: Path) -> Path:
    """Absolute, but not through a link to the file itself: ``//`` and the project are where it was opened."""
    return file.parent.resolve() / file.name


def open_context(
    console: Console, *, scene_file: str | None, scene: str | None, project: Path | None, blender: str | None,
    shots: tuple[str, ...] = (), dry_run: bool = False, original: Path | None = None,
) -> Context:  # fmt: skip
    """Gather what a command needs. Touches nothing on disk.

    With ``original``, ``scene_file`` is a temporary copy of it (`host.hidden_copy`): everything is named after the
    original, the copy is what children open.
    """
    named = Path(scene_file).expanduser() if scene_file else loaded_blend()
    if named is None:
        raise UsageError("No scene was given.", "Name a .blend file after the command.")
    for file in (named, original or named):
        if not file.is_file():
            raise SceneError(f"There is no file '{file}'.", "Check the path of the .blend.")
    blend, copy = _opened(original or named), named.resolve() if original else None
    home = project_for(blend, project)
    return Context(console, blend, scene, home, load_settings(home), blender, shots, dry_run, copy)


def blocked_shots(context: Context, info: SceneInfo) -> list[BlockedShot]:
    """The shots asked for, each with its record; a renamed one keeps its uuid. Writes nothing (see `record_shots`).

    Raises `SceneError` when the scene has none: there is one as soon as a camera and a frame are.
    """
    if not info.shots:
        raise SceneError(
            f"All camera markers lie outside the scene's frames {info.frames.first} to {info.frames.last}.",
            "Move the markers into that range, or set the scene's start and end around them.",
        )
    records = match_shots(info.shots, context.project.shots())
    taken = [shot.folder for shot in context.project.shots()]
    pairs: list[BlockedShot] = []
    for blocking, record in zip(info.shots, records, strict=True):
        shot = record or Shot.born(blocking, context.settings.brief_for(blocking.name), taken)
        taken.append(shot.folder)
        known = shot.blocked(blocking)
        pairs.append(BlockedShot(replace(blocking, handles=known.handles), known))
    return _chosen(context, pairs)


def record_shots(context: Context, shots: Sequence[BlockedShot]) -> None:
    """Write the records of new and renamed shots, and ``project.toml`` when there is none."""
    if not context.project.config.is_file():
        write_atomic(context.project.config, PROJECT_TEMPLATE.read_bytes())
    for blocked in shots:
        path = context.project.shot(blocked.shot.folder).record
        if not path.is_file() or load_shot(path) != blocked.shot:
            save_shot(path, blocked.shot)


def _chosen(context: Context, pairs: list[BlockedShot]) -> list[BlockedShot]:
    known = {pair.blocking.name for pair in pairs}
    for name in context.only:
        if name not in known:
            raise UsageError(f"There is no shot '{name}'.", f"The scene has: {', '.join(sorted(known))}.")
    return [pair for pair in pairs if not context.only or pair.blocking.name in context.only]


def _scene_info(data: dict[str, Any]) -> SceneInfo:
    home = Home(data["name"], tuple(data.get("others", ())))
    shots = tuple(
        Blocking(s["name"], s["camera"], FrameRange(*s["cut"]), tuple(s["handles"]) if s["handles"] else None, home)
        for s in data["shots"]
    )
    return SceneInfo(
        data["name"], Fraction(*data["fps"]), tuple(data["size"]), FrameRange(*data["frames"]), shots, data["blender"],
        tuple(data.get("pixel_aspect", (1.0, 1.0))),
    )  # fmt: skip
