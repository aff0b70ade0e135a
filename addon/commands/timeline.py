# SPDX-License-Identifier: GPL-3.0-or-later
"""``timeline``: the takes into the scene ``Second Unit Edit``, and the cut as a movie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..host.blender import no_space_left, run_task
from ..shot.documents import digest, digest_file, stable_json
from ..timeline.edit_plan import EDIT_SCENE, plan_edit
from .context import blocked_shots
from .cuts import cut_shots
from .editing import editing, is_built, mark_built

if TYPE_CHECKING:
    from pathlib import Path

    from ..shot.shot import SceneInfo
    from .context import Context


def timeline(context: Context, info: SceneInfo) -> Path:
    """Build the edit or bring it up to date; an edit that is up to date is not touched. Returns ``edit.blend``."""
    blocked_shots(context, info)  # refuses a shot that is not there; the edit itself is always whole
    plan = plan_edit(cut_shots(context, info), info.fps, info.frames, context.project.root)
    note = context.project.root / "edit.json"
    key = digest(stable_json([plan.to_json(), digest_file(context.blend), info.name]).encode())
    bar, report = context.console.step("Edit"), dict[str, Any]()
    if is_built(note, key, context.project.edit):
        bar.finish("up to date")
    elif context.dry_run:
        bar.finish(f"would lay {len(plan.strips)} strips")
    else:
        with editing(context.project), no_space_left(context.project.root):
            report = run_task(context.blender(), "edit", {
                "layout": str(context.blend), "scene": info.name, "edit": str(context.project.edit),
                "plan": plan.to_json(),
            }, bar)  # fmt: skip
        mark_built(note, key, report.get("sound_files", []))
        bar.finish(
            ", ".join(f"{len(report[k])} {k}" for k in ("made", "changed", "kept", "removed") if report[k]) or "built"
        )
        context.console.say(f"    sound: {report['sound']}")
        for remark in report.get("notes", []):
            context.console.say(f"    {remark}")
    context.console.record("edit", {"file": str(context.project.edit), "plan": plan.to_json(), **report})
    return context.project.edit


def review_cut(context: Context) -> Path:
    """The edit as a movie with its sound, made again only when the edit changed."""
    movie, note = context.project.review / "cut.mp4", context.project.review / "cut.json"
    key = digest_file(context.project.edit)
    bar = context.console.step("Cut movie")
    if is_built(note, key, movie):
        bar.finish("up to date")
        return movie
    movie.parent.mkdir(parents=True, exist_ok=True)
    aside = movie.with_name(f".{movie.name}.part")
    try:
        with editing(context.project), no_space_left(context.project.root):
            run_task(context.blender(), "render", {
                "blend": str(context.project.edit), "scene": EDIT_SCENE, "movie": str(aside),
            }, bar)  # fmt: skip
        aside.replace(movie)
    finally:
        aside.unlink(missing_ok=True)
    mark_built(note, key)
    bar.finish(movie.name)
    context.console.record("review", {"file": str(movie)})
    return movie
