# SPDX-License-Identifier: GPL-3.0-or-later
"""``comp``: the shown takes through the compositor: EXR, a review movie per shot.

A comp is made aside with its movie, then renamed, then the movie is brought out: wherever that is cut off, the next run
finds what is missing and makes just that.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StorageError, UsageError, storage_error
from ..host.blender import no_space_left, run_task
from ..host.codec import is_whole_exr, is_whole_png
from ..shot.documents import digest, digest_file, pair, stable_json
from ..shot.naming import folder_name
from ..shot.take import list_takes
from ..timeline.comp_recipe import (
    COMP,
    Atmosphere,
    Comp,
    CompRecipe,
    find_comp,
    sample_positions,
    save_comp,
    thumbnail_name,
)
from .console import Console
from .context import blocked_shots
from .cuts import check_depth, check_take, package_of, shown_take
from .editing import editing, is_built, is_there, mark_built

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shot.package import Manifest
    from ..shot.project import Project
    from ..shot.shot import SceneInfo, Shot
    from ..shot.take import Take
    from .console import Bar
    from .context import Context

# four half floats, at worst not compressed at all, and the review movie
_BYTES_PER_PIXEL = 9


@dataclass(frozen=True, slots=True)
class CompWork:
    """A comp of one take: where it lies (``folder``), where it is made (``aside``) and its review ``movie``."""

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
    def new_movie(self) -> Path:
        """Where the movie lies until it is brought out."""
        return self.folder / self.movie.name

    @property
    def stem(self) -> str:
        """``SH010.comp.t001.v001``."""
        return self.comp.stem

    @property
    def has_pictures(self) -> bool:
        """Whether the document and all its files are there, each to its end."""
        if not (self.folder / COMP).is_file() or not self.comp.is_whole(self.folder):
            return False
        files = [self.folder / name for name in self.comp.files]
        return all(is_whole_png(f) if f.suffix == ".png" else is_whole_exr(f) for f in files)

    @property
    def is_done(self) -> bool:
        """Whether nothing is missing, the review movie included, and that movie was brought out."""
        return self.has_pictures and is_there(self.movie) and not self.new_movie.is_file()


def comp(context: Context, info: SceneInfo, take: str | None = None) -> list[CompWork]:
    """Comp every shot asked for; a take that was comped the same way before is left alone, unless files got lost.

    Raises `DocumentError` when a frame or depth of a comp that is to be rendered is missing or damaged.
    """
    ready = _works(context, info, take)
    if not ready:
        raise UsageError(
            "No shot has a take yet.", "Run 'second-unit generate' first, or 'second-unit run' for the whole loop."
        )
    if not context.project.edit.is_file():
        raise UsageError("There is no edit yet, and the comps live in its file.", "Run 'second-unit timeline' first.")
    new = [work for work in ready if not work.is_done]
    bar = context.console.step("Comp")
    if not context.dry_run:
        ready = _make(context, ready, new, bar)
    bar.finish(f"{len(ready)} comps, {len(new)} new")
    for work in ready:
        context.console.record("comp", {"shot": work.shot.name, "folder": str(work.folder), "movie": str(work.movie)})
    return ready


def _make(context: Context, ready: list[CompWork], new: list[CompWork], bar: Bar) -> list[CompWork]:
    """Bring the comp scenes up to date and render what is new. An edit nobody touched since is not even opened.

    Returns the works as they are afterwards.
    """
    note, edit = context.project.root / "comps.json", context.project.edit
    keys = sorted(work.comp.key for work in ready)
    if not new and is_built(note, _state(edit, keys), edit):
        return ready
    with editing(context.project):
        missing = [work for work in new if not _is_mended(work)]
        if missing or not is_built(note, _state(edit, keys), edit):
            _check(context, missing)
            _render(context, ready, missing, bar)
            mark_built(note, _state(edit, keys))
    return [replace(work, comp=find_comp(work.folder)) for work in ready]


def _state(edit: Path, keys: list[str]) -> str:
    return digest(stable_json([digest_file(edit), *keys]).encode())


def _is_mended(work: CompWork) -> bool:
    """Whether bringing out a movie that a run before was cut off from was all there was to do."""
    if work.has_pictures and work.new_movie.is_file():
        _bring_out(work)
    return work.is_done


def _check(context: Context, works: Sequence[CompWork]) -> None:
    """Refuse before the first frame what would come out wrong, or not fit."""
    for work in works:
        check_take(context, work.shot, work.take)
        check_depth(work.package, work.manifest, work.take.plates)
    root = context.project.root
    need, free = sum(_need(work) for work in works), shutil.disk_usage(root).free
    if need > free:
        raise StorageError(
            f"The comps need about {need / 1e6:.0f} MB and '{root}' has {free / 1e6:.0f} MB left.",
            "Free some space, or comp fewer shots at a time with --shot.",
        )


def _need(work: CompWork) -> int:
    crop, plates = work.manifest.crop, work.take.plates
    return (plates[-1] - plates[0] + 1) * crop.width * crop.height * _BYTES_PER_PIXEL


def _render(context: Context, ready: list[CompWork], new: list[CompWork], bar: Bar) -> None:
    _tidy(context.project)
    try:
        orders = [_order(context, work, is_new=work in new) for work in ready]
        with no_space_left(context.project.root):
            run_task(context.blender(), "comp", {"edit": str(context.project.edit), "comps": orders}, bar)
        for work in new:
            _finish(work)
    finally:
        _tidy(context.project)


def _tidy(project: Project) -> None:
    """Remove half-made comps, those of a killed run among them. Only who holds the edit may do so."""
    for left in project.root.glob("*/comp/*/.v[0-9][0-9][0-9].part"):
        shutil.rmtree(left, ignore_errors=True)


def finished_comps(context: Context, info: SceneInfo) -> list[CompWork]:
    """The comps there are, of all shots: what a sheet shows."""
    everything = replace(context, only=(), console=Console(quiet=True))
    return [work for work in _works(everything, info, None) if work.has_pictures]


def _works(context: Context, info: SceneInfo, wanted: str | None) -> list[CompWork]:
    movies = _movies(context.project)
    works: list[CompWork] = []
    for blocked in blocked_shots(context, info):
        work = _work(context, blocked.shot, wanted, movies)
        if work is not None:
            movies.add(work.movie.name.casefold())
            works.append(work)
    return works


def _movies(project: Project) -> set[str]:
    """The movies of all comps there are, in lower case: some file systems do not tell ``a`` from ``A``."""
    found = project.root.glob(f"*/comp/*/v[0-9][0-9][0-9]/{COMP}")
    return {find_comp(document.parent).movie.casefold() for document in found}


def _work(context: Context, shot: Shot, wanted: str | None, movies: set[str]) -> CompWork | None:
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
    folder, made = _version(
        context.project.shot(shot.folder).comp / take.name, Comp(shot.uuid, take.uuid, recipe, take.plates)
    )
    if not made.stem:
        made = made.named(_free_stem(shot, f"{take.name}.{folder.name}", movies))
    return CompWork(shot, take, manifest, package, made, folder, context.project.review / made.movie)


def _named(context: Context, shot: Shot, name: str) -> Take:
    takes = {take.name: take for take in list_takes(context.project.shot(shot.folder).takes)}
    if name not in takes:
        raise UsageError(f"{shot.name} has no take '{name}'.", f"It has: {', '.join(takes) or 'none yet'}.")
    return takes[name]


def _version(folder: Path, wanted: Comp) -> tuple[Path, Comp]:
    """The version that holds equal work and what is known of it, else the next free number."""
    versions = sorted(p for p in folder.glob("v[0-9][0-9][0-9]") if p.is_dir())
    for version in versions:
        if (version / COMP).is_file() and (made := find_comp(version)).key == wanted.key:
            return version, made
    return folder / f"v{max((int(p.name[1:]) for p in versions), default=0) + 1:03d}", wanted


def _free_stem(shot: Shot, tail: str, movies: set[str]) -> str:
    """``SH010.comp.t001.v001``; where a renamed shot's movie or a namesake's is called so, after the shot's folder."""
    unique = f"{shot.folder}_{digest(shot.uuid.encode())[:8]}"
    stems = [f"{name}.comp.{tail}" for name in (folder_name(shot.name), shot.folder, unique)]
    return next((stem for stem in stems if f"{stem}.mp4".casefold() not in movies), stems[-1])


def _order(context: Context, work: CompWork, *, is_new: bool) -> dict[str, object]:
    first, last = work.take.plates[0], work.take.plates[-1]
    crop, depth = work.manifest.crop, work.manifest.depth
    frames = context.project.shot(work.shot.folder).takes / work.take.name / "frames"
    span = {"first": first, "count": last - first + 1}
    if is_new:
        _make_folder(work.aside)
    return {
        "shot": work.shot.name, "uuid": work.shot.uuid, "key": work.comp.key, "render": is_new,
        "fps": pair(work.manifest.fps), "frames": [first, last],
        "size": [crop.width, crop.height], "recipe": work.comp.recipe.to_json(), "folder": str(work.aside),
        "stem": work.stem, "movie": str(work.aside / work.movie.name),
        "plate": {"pattern": _blend_relative(context, frames / work.take.frame_pattern), **span},
        "depth": {
            "pattern": _blend_relative(context, work.package / work.manifest.passes["depth16"].pattern),
            "near": depth.near, "far": depth.far, **span,
        },
        "thumbnails": {str(i): thumbnail_name(i) for i in sample_positions(len(work.take.plates))},
    }  # fmt: skip


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def _blend_relative(context: Context, path: Path) -> str:
    return f"//{path.relative_to(context.project.root).as_posix()}"


def _finish(work: CompWork) -> None:
    """Into its place; where the same version lies already and is not whole, file by file, the document last."""
    try:
        made = sorted(file.name for file in work.aside.iterdir() if file.name != work.movie.name)
        save_comp(work.aside, replace(work.comp, files=tuple(made)))
        if work.folder.is_dir():
            for name in (*made, work.movie.name, COMP):
                (work.aside / name).replace(work.folder / name)
        else:
            work.aside.replace(work.folder)
    except OSError as error:
        raise storage_error(error, work.folder) from error
    _bring_out(work)


def _bring_out(work: CompWork) -> None:
    """The movie out of the comp's folder, to the others."""
    try:
        work.movie.parent.mkdir(parents=True, exist_ok=True)
        work.new_movie.replace(work.movie)
    except OSError as error:
        raise storage_error(error, work.movie) from error
