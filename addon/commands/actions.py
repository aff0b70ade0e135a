# SPDX-License-Identifier: GPL-3.0-or-later
"""From parsed arguments to commands: the only module that knows both."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, UsageError
from ..host.blender import SESSION
from ..host.hidden_copy import owned_copy
from ..shot.profile import load_profile
from ..shot.project import Project, load_settings
from ..shot.timing import FrameRange
from . import demo, doctor, jobs, takes
from .comp import comp, finished_comps
from .condition import ConditionOptions, condition
from .context import Context, blocked_shots, open_context
from .generate import GenerateOptions, generate
from .rehearse import rehearse
from .review import review_sheet
from .timeline import review_cut, timeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from .console import Console

_FRAMES = re.compile(r"(-?\d{1,7})-(-?\d{1,7})")
_SIZE = re.compile(r"(\d{1,9})x(\d{1,9})")
# what movies and memory can bear; each model says more narrowly what it takes
_SIDES = range(16, 8193)


def run(args: argparse.Namespace, console: Console) -> int:
    """Perform the parsed command; returns the exit code. The hidden copy it was given is gone afterwards."""
    original: Path | None = getattr(args, "original", None)
    if original is None:
        return _ACTIONS[args.command](args, console)
    with owned_copy(args.file, original, os.environ.get(SESSION)):
        return _ACTIONS[args.command](args, console)


def _scene(args: argparse.Namespace, console: Console) -> Context:
    return open_context(
        console, scene_file=args.file, scene=args.scene, project=args.project, blender=args.blender,
        shots=tuple(args.shot), dry_run=args.dry_run, original=args.original,
    )  # fmt: skip


def _project(args: argparse.Namespace, console: Console) -> Context:
    project = Project((args.project or Path.cwd()).resolve())
    if not project.jobs.is_dir() and not project.config.is_file():
        raise UsageError(f"'{project.root}' is not a Second Unit project.", "Give its folder with --project DIR.")
    return Context(console, None, None, project, load_settings(project), args.blender)


def _condition_options(args: argparse.Namespace) -> ConditionOptions:
    passes = tuple(name.strip() for name in args.passes.split(",")) if args.passes is not None else None
    return ConditionOptions(
        _frames(args.frames), passes, args.profile, args.quality, _size(args.size), args.jobs, args.renderer,
        args.depth, args.lock_depth,
    )  # fmt: skip


def _frames(text: str | None) -> FrameRange | None:
    if text is None:
        return None
    found = _FRAMES.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is no frame range.", "Write it as first-last, such as 1001-1048.")
    if int(found[2]) < int(found[1]):
        raise UsageError(f"The frame range {text} is empty.", "Put the smaller number first, such as 1001-1048.")
    return FrameRange(int(found[1]), int(found[2]))


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is no size.", "Write it as width x height, such as 832x480.")
    size = int(found[1]), int(found[2])
    if not all(side in _SIDES for side in size):
        raise UsageError(
            f"A picture of {text} pixels cannot be made: each side must be {_SIDES[0]} to {_SIDES[-1]} pixels long.",
            "Write width x height, such as 832x480.",
        )
    return size


def _generate_options(args: argparse.Namespace, *, wait: bool) -> GenerateOptions:
    return GenerateOptions(args.service, args.allow_host, args.prompt, args.seed, args.takes, wait)


def _demo(args: argparse.Namespace, console: Console) -> int:
    out = _demo_folder(args.out, args.project)
    result = demo.demo(console, out, args.blender, args.jobs)
    if result is not None:
        demo.announce(console, result)
    return EXIT_DONE


def _demo_folder(out: Path | None, project: Path | None) -> Path:
    if out is not None and project is not None and out.resolve() != project.resolve():
        raise UsageError("--out and --project name two folders.", "Give one of them: both mean the demo's project.")
    return (out or project or Path("second-unit-demo")).resolve()


def _run(args: argparse.Namespace, console: Console) -> int:
    options, how = _condition_options(args), _generate_options(args, wait=True)
    result = demo.run(_scene(args, console), options, how)
    if result is not None:
        demo.announce(console, result)
    return EXIT_DONE


def _shots(args: argparse.Namespace, console: Console) -> int:
    context = _scene(args, console)
    info = context.read_scene()
    shots = blocked_shots(context, info)
    width, height = info.size
    console.say(
        f"{info.name}: {len(info.shots)} shots, {float(info.fps):g} fps, {width}x{height}, "
        f"frames {info.frames.first}-{info.frames.last}"
    )
    recorded = {shot.uuid for shot in context.project.shots()}
    settings = context.settings
    usual = load_profile(settings.profile, context.project.profiles).quality(settings.quality).handles
    for blocking, shot in ((blocked.blocking, blocked.shot) for blocked in shots):
        # what the scene does not say, the model's quality decides
        head, tail = blocking.handles or usual
        console.say(
            f"  {blocking.name:<8} {blocking.cut.first}-{blocking.cut.last}  {len(blocking.cut):>4} frames  "
            f"handles {head}+{tail}  {blocking.camera}"
        )
        console.record("shot", {
            "name": blocking.name, "uuid": shot.uuid if shot.uuid in recorded else None, "camera": blocking.camera,
            "first": blocking.cut.first, "last": blocking.cut.last, "handles": [head, tail],
        })  # fmt: skip
    return EXIT_DONE


def _condition(args: argparse.Namespace, console: Console) -> int:
    options, context = _condition_options(args), _scene(args, console)
    condition(context, context.read_scene(), options)
    return EXIT_DONE


def _generate(args: argparse.Namespace, console: Console) -> int:
    context = _scene(args, console)
    generate(context, context.read_scene(), _generate_options(args, wait=args.wait))
    return EXIT_DONE


def _timeline(args: argparse.Namespace, console: Console) -> int:
    context = _scene(args, console)
    timeline(context, context.read_scene())
    if not context.dry_run:
        review_cut(context)
    return EXIT_DONE


def _comp(args: argparse.Namespace, console: Console) -> int:
    context = _scene(args, console)
    info = context.read_scene()
    comp(context, info, args.take)
    if not context.dry_run:
        review_sheet(context, finished_comps(context, info))
    return EXIT_DONE


def _jobs(args: argparse.Namespace, console: Console) -> int:
    context = _project(args, console)
    if args.action == "run":
        jobs.run_jobs(context, args.job)
    elif args.action == "list":
        jobs.list_jobs(context)
    else:
        jobs.act_on_jobs(context, args.action, args.job)
    return EXIT_DONE


def _takes(args: argparse.Namespace, console: Console) -> int:
    context = _scene(args, console)
    if args.action == "circle":
        takes.circle_take(context, context.read_scene(), args.take)
    else:
        takes.print_takes(context, context.read_scene())
    return EXIT_DONE


def _rehearse(args: argparse.Namespace, console: Console) -> int:
    rehearse(console, args.port, args.blender)
    return EXIT_DONE


def _doctor(args: argparse.Namespace, console: Console) -> int:
    return doctor.doctor(console, args.blender, args.project or Path.cwd())


_ACTIONS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "demo": _demo, "run": _run, "shots": _shots, "condition": _condition, "generate": _generate, "timeline": _timeline,
    "comp": _comp, "jobs": _jobs, "takes": _takes, "rehearse": _rehearse, "doctor": _doctor,
}  # fmt: skip
