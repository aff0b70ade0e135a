# SPDX-License-Identifier: GPL-3.0-or-later
"""``run`` and ``demo``: the whole loop, step after step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..conditioning.passes import USUAL
from ..errors import UsageError
from ..generation.jobs.consent import is_allowed
from ..shot.documents import write_atomic
from ..shot.project import REHEARSAL
from .comp import comp, finished_comps
from .condition import ConditionOptions, condition
from .context import open_context, startable_blender
from .example import BLEND, EXAMPLE
from .generate import GenerateOptions, ask_first, generate
from .review import review_sheet
from .timeline import review_cut, timeline

if TYPE_CHECKING:
    from .comp import CompWork
    from .console import Console
    from .context import Context


@dataclass(frozen=True, slots=True)
class LoopResult:
    """Where everything of one run of the loop is."""

    edit: Path
    cut: Path
    sheet: Path
    comps: tuple[CompWork, ...]


def run(context: Context, options: ConditionOptions, how: GenerateOptions) -> LoopResult | None:
    """Condition, generate, wait, timeline, comp, review. None after a dry run."""
    info = context.read_scene()
    if options.passes is not None and not set(USUAL) <= set(options.passes):
        raise UsageError(
            f"The whole loop needs the control passes {', '.join(USUAL)}.",
            "Leave out --passes, or use 'second-unit condition'.",
        )
    ask_first(context, how)
    made = condition(context, info, options)
    if context.dry_run:
        _announce_rest(context, how)
        return None
    context = replace(context, only=tuple(item.blocked.shot.name for item in made))
    generate(context, info, replace(how, wait=True), {item.blocked.shot.uuid: item.package for item in made})
    edit = timeline(context, info)
    comps = comp(context, info)
    cut = review_cut(context)
    return LoopResult(edit, cut, review_sheet(context, finished_comps(context, info)), tuple(comps))


def _announce_rest(context: Context, how: GenerateOptions) -> None:
    """What follows the packages. What leaves, file by file, is known once they are made."""
    service = how.service or context.settings.service
    needs_yes = service != REHEARSAL and not how.allow_host and not is_allowed(service, context.settings.allowed_hosts)
    context.console.say(
        f"Then {how.takes} take(s) of each shot would be ordered from '{service}': one guide movie per submission, "
        f"prompt and negative prompt would go there{', and only with --allow-host' if needs_yes else ''}."
    )
    context.console.say(
        "Then the edit, the comps, their review movies and the contact sheet would be made. Nothing was done."
    )
    context.console.record("plan", {"takes": how.takes, "service": service, "needs_allow_host": needs_yes})


def demo(console: Console, out: Path, blender: str | None, jobs: int) -> LoopResult | None:
    """The loop on the shipped example with the rehearsal service. ``out`` becomes the project.

    The example is copied there once: whoever moves a camera in that copy and runs the demo again sees just that shot
    made anew. Without a Blender nothing is written.
    """
    startable_blender(blender)
    blend = out / BLEND
    if not blend.is_file():
        write_atomic(blend, (EXAMPLE / BLEND).read_bytes())
    config = out / "project.toml"
    if not config.is_file():
        write_atomic(config, (EXAMPLE / "project.toml").read_bytes())
    context = open_context(console, scene_file=str(blend), scene=None, project=out, blender=blender)
    console.say(f"Second Unit demo: three shots of '{blend.name}' through the whole loop, with no network and no GPU.")
    return run(context, ConditionOptions(jobs=jobs), GenerateOptions())


def announce(console: Console, result: LoopResult) -> None:
    """Say where everything is."""
    console.say("")
    console.say(f"  contact sheet   {result.sheet}")
    console.say(f"  edit and comps  {result.edit}   (open it in Blender)")
    console.say(f"  the cut         {result.cut}")
    for work in result.comps:
        console.say(f"  {work.shot.name:<15} {work.movie}")
        console.say(f"  {'':<15} {work.folder}{'/'}{work.stem}.####.exr")
