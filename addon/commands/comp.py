# SPDX-License-Identifier: GPL-3.0-or-later
"""``comp``: the shown takes through the compositor: EXR, a review movie per shot."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError, storage_error
from ..host.blender import run_task
from ..shot.documents import pair
from ..shot.naming import folder_name
from ..shot.take import list_takes
from ..timeline.comp_recipe import COMP, Atmosphere, Comp, CompRecipe, load_comp, save_comp
from .context import blocked_shots
from .cuts import package_of, shown_take

if TYPE_CHECKING:
    from ..shot.package import Manifest
    from ..shot.shot import SceneInfo, Shot
    from ..shot.take import Take
    from .context import Context


@dataclass(frozen=True, slots=True)
class CompWork:
    """A comp of one take: where it lies (``folder``), where it is made (``aside``) and its review movie."""

    shot: Shot
    take: Take
    manifest: Manifest
    package: Path
    comp: Comp
    folder: Path
    movie: Path

    @property
    def aside(self) -> Path:
        """Beside the final folder, renamed when all frames are there."""
        return self.folder.with_name(f".{self.folder.name}.part")

    @property
    def stem(self) -> str:
        """``SH010.comp.t001.v001``."""
        return f"{folder_name(self.shot.name)}.comp.{self.take.name}.{self.folder.name}"

    @property
    def is_done(self) -> bool:
        """A comp exists once its document does."""
        return (self.folder / COMP).is_file()


def comp(context: Context, info: SceneInfo, take: str | None = None) -> list[CompWork]:
    """Comp every shot asked for; a take that was comped the same way before is left alone."""
    works = [_work(context, blocked.shot, take) for blocked in blocked_shots(context, info)]
    ready = [work for work in works if work is not None]
    if not ready:
        raise UsageError(
            "No shot has a take yet.", "Run 'second-unit generate' first, or 'second-unit run' for the whole loop."
        )
    if not context.project.edit.is_file():
        raise UsageError("There is no edit yet, and the comps live in its file.", "Run 'second-unit timeline' first.")
    new = [work for work in ready if not work.is_done]
    bar = context.console.step("Comp")
    if new and not context.dry_run:
        try:
            run_task(context.blender(), "comp", {
                "edit": str(context.project.edit), "comps": [_order(context, work) for work in new],
            }, bar)  # fmt: skip
            for work in new:
                _finish(work)
        finally:
            for work in new:
                shutil.rmtree(work.aside, ignore_errors=True)
    bar.finish(f"{len(ready)} comps, {len(new)} new")
    for work in ready:
        context.console.record("comp", {"shot": work.shot.name, "folder": str(work.folder), "movie": str(work.movie)})
    return ready


def _work(context: Context, shot: Shot, wanted: str | None) -> CompWork | None:
    take = shown_take(context, shot) if wanted is None else _named(context, shot, wanted)
    if take is None:
        context.console.say(f"  {shot.name} has no take yet and is left out.")
        return None
    package, manifest = package_of(context, shot, take)
    recipe = CompRecipe(Atmosphere.for_depth(manifest.depth.near, manifest.depth.far))
    made = Comp(shot.uuid, take.uuid, recipe, take.plates)
    folder = _version(context.project.shot(shot.folder).comp / take.name, made)
    movie = context.project.review / f"{folder_name(shot.name)}.comp.{take.name}.{folder.name}.mp4"
    return CompWork(shot, take, manifest, package, made, folder, movie)


def _named(context: Context, shot: Shot, name: str) -> Take:
    takes = {take.name: take for take in list_takes(context.project.shot(shot.folder).takes)}
    if name not in takes:
        raise UsageError(f"{shot.name} has no take '{name}'.", f"It has: {', '.join(takes) or 'none yet'}.")
    return takes[name]


def _version(folder: Path, made: Comp) -> Path:
    """The version that holds equal work, else the next free number."""
    versions = sorted(p for p in folder.glob("v[0-9][0-9][0-9]") if p.is_dir())
    same = next((p for p in versions if (p / COMP).is_file() and load_comp(p).key == made.key), None)
    return same or folder / f"v{max((int(p.name[1:]) for p in versions), default=0) + 1:03d}"


def _order(context: Context, work: CompWork) -> dict[str, object]:
    first, last = work.take.plates[0], work.take.plates[-1]
    crop, depth = work.manifest.crop, work.manifest.depth
    frames = context.project.shot(work.shot.folder).takes / work.take.name / "frames"
    span = {"first": first, "count": last - first + 1}
    shutil.rmtree(work.aside, ignore_errors=True)
    work.aside.mkdir(parents=True)
    return {
        "shot": work.shot.name, "fps": pair(work.manifest.fps), "frames": [first, last],
        "size": [crop.width, crop.height], "recipe": work.comp.recipe.to_json(), "folder": str(work.aside),
        "stem": work.stem, "movie": str(work.movie),
        "plate": {"pattern": _blend_relative(context, frames / _plate_pattern(work.take)), **span},
        "depth": {
            "pattern": _blend_relative(context, work.package / work.manifest.passes["depth16"].pattern),
            "near": depth.near, "far": depth.far, **span,
        },
        "thumbnails": {str(i): f"thumbnail.{i}.png" for i in sample_positions(len(work.take.plates))},
    }  # fmt: skip


def _plate_pattern(take: Take) -> str:
    return f"{folder_name(take.shot_name)}.{take.name}.{{frame:04d}}.png"


def sample_positions(count: int) -> tuple[int, int, int]:
    """First, middle and last of ``count`` frames: what sheets show."""
    return 0, count // 2, count - 1


def _blend_relative(context: Context, path: Path) -> str:
    return f"//{path.relative_to(context.project.root).as_posix()}"


def _finish(work: CompWork) -> None:
    try:
        save_comp(work.aside, work.comp)
        work.aside.replace(work.folder)
    except OSError as error:
        raise storage_error(error, work.folder) from error
