# SPDX-License-Identifier: GPL-3.0-or-later
"""``comp``: the shown takes through the compositor: EXR, a review movie per shot."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError, storage_error
from ..host.blender import run_task
from ..shot.documents import digest, digest_file, pair, stable_json
from ..shot.naming import folder_name
from ..shot.take import list_takes
from ..timeline.comp_recipe import COMP, Atmosphere, Comp, CompRecipe, load_comp, save_comp
from .console import Console
from .context import blocked_shots
from .cuts import package_of, shown_take
from .editing import editing, is_built, mark_built

if TYPE_CHECKING:
    from ..shot.package import Manifest
    from ..shot.shot import SceneInfo, Shot
    from ..shot.take import Take
    from .console import Bar
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
    if not context.dry_run:
        _make(context, ready, new, bar)
    bar.finish(f"{len(ready)} comps, {len(new)} new")
    for work in ready:
        context.console.record("comp", {"shot": work.shot.name, "folder": str(work.folder), "movie": str(work.movie)})
    return ready


def _make(context: Context, ready: list[CompWork], new: list[CompWork], bar: Bar) -> None:
    """Bring the comp scenes up to date and render what is new. An edit nobody touched since is not even opened."""
    note, edit = context.project.root / "comps.json", context.project.edit
    keys = sorted(work.comp.key for work in ready)
    if not new and is_built(note, _state(edit, keys), edit):
        return
    orders = [_order(context, work) for work in ready]
    try:
        with editing(context.project):
            run_task(context.blender(), "comp", {"edit": str(edit), "comps": orders}, bar)
        for work in new:
            _finish(work)
    finally:
        for work in new:
            shutil.rmtree(work.aside, ignore_errors=True)
    mark_built(note, _state(edit, keys))


def _state(edit: Path, keys: list[str]) -> str:
    return digest(stable_json([digest_file(edit), *keys]).encode())


def finished_comps(context: Context, info: SceneInfo) -> list[CompWork]:
    """The comps there are, of all shots: what a sheet shows."""
    everything = replace(context, only=(), console=Console(quiet=True))
    works = [_work(everything, blocked.shot, None) for blocked in blocked_shots(everything, info)]
    return [work for work in works if work is not None and work.is_done]


def _work(context: Context, shot: Shot, wanted: str | None) -> CompWork | None:
    take = shown_take(context, shot) if wanted is None else _named(context, shot, wanted)
    if take is None:
        context.console.say(f"  {shot.name} has no take yet and is left out.")
        return None
    found = package_of(context, shot, take)
    if found is None:
        return None
    package, manifest = found
    if "depth16" not in manifest.passes:
        raise UsageError(
            f"The package of {shot.name}'s {take.name} has no depth16 pass, which comps need.",
            "Run 'second-unit condition' without --passes and generate again.",
        )
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
    if not work.is_done:
        shutil.rmtree(work.aside, ignore_errors=True)
        work.aside.mkdir(parents=True)
    return {
        "shot": work.shot.name, "uuid": work.shot.uuid, "key": work.comp.key, "render": not work.is_done,
        "fps": pair(work.manifest.fps), "frames": [first, last],
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
