# SPDX-License-Identifier: GPL-3.0-or-later
"""``generate``: consent, jobs on disk, the runner process, takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import ConsentNeeded, JobError, UsageError
from ..generation.jobs.consent import check, host_of, is_allowed, leaving
from ..generation.jobs.parcels import Order, make_submission
from ..generation.jobs.process import Command, runner_words, start_runner, wait_for
from ..generation.jobs.store import JobStore
from ..generation.services.comfyui.graph import load_template
from ..host.blender import SESSION, own_process
from ..host.session import given
from ..shot.job import JobState
from ..shot.package import load_current, load_manifest
from ..shot.profile import load_profile
from ..shot.project import REHEARSAL, allow_host
from .context import blocked_shots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from subprocess import Popen

    from ..generation.jobs.store import Job
    from ..shot.job import Request, Submission
    from ..shot.shot import Brief, SceneInfo, Shot
    from .console import Bar
    from .context import Context

# where the embedded service listens is decided when the runner starts it; what counts here is that it is loopback
_EMBEDDED = "http://127.0.0.1"


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What the command line may change. ``service`` is a name or an address."""

    service: str | None = None
    allow_host: bool = False
    prompt: str | None = None
    seed: int | None = None
    takes: int = 1
    wait: bool = False


def generate(
    context: Context, info: SceneInfo, options: GenerateOptions, packages: Mapping[str, Path] | None = None
) -> list[Job]:
    """Order the takes of every shot asked for. The same work is never ordered twice.

    ``packages`` maps shot uuids to the package to send instead of the shot's current one.
    """
    shots = [blocked.shot for blocked in blocked_shots(context, info)]
    chosen = {shot.uuid: (packages or {}).get(shot.uuid) or _current(context, shot) for shot in shots}
    orders = [_order(context, shot, chosen[shot.uuid], options, i) for shot in shots for i in range(options.takes)]
    if not orders:
        raise UsageError("The scene has no shot.", "Bind cameras to markers inside the scene's frame range.")
    work = [make_submission(order) for order in orders]
    if context.dry_run:
        _announce(context, work)
        return []
    _consent(context, orders[0].url, work, options)
    store = JobStore(context.project)
    ordered = [store.ensure(request, submission) for request, submission in work]
    uuids = [job.uuid for job, _ in ordered]
    runner = keep_runner(context) if any(job.is_open for job, _ in ordered) else None
    for job, is_new in ordered:
        context.console.record("job", {"job": job.uuid, "shot": job.request.shot_name, "new": is_new})
    if not options.wait:
        count = sum(job.is_open for job, _ in ordered)
        context.console.say(
            f"  {count} job(s) under way. Follow them with 'second-unit jobs wait --project {context.project.root}'."
        )
        return [job for job, _ in ordered]
    del runner
    return follow(context, store, uuids)


def follow(context: Context, store: JobStore, uuids: Sequence[str]) -> list[Job]:
    """Stay until the jobs have ended. Raises `JobError` when one did not make its take."""
    bar = context.console.step("Generating")
    known: dict[str, float] = dict.fromkeys(uuids, 0.0)
    jobs = wait_for(store, uuids, lambda: keep_runner(context), lambda job: _show(context, bar, known, job))
    bar.finish(
        f"{len(jobs)} takes: {', '.join(f'{j.request.shot_name} {j.state.take or j.state.state.value}' for j in jobs)}"
    )
    for job in jobs:
        context.console.record(
            "take",
            {"job": job.uuid, "shot": job.request.shot_name, "take": job.state.take, "state": job.state.state.value},
        )
    failed = next((job for job in jobs if job.state.state is not JobState.DONE), None)
    if failed is not None:
        what = failed.state.what or f"it is {failed.state.state.value}."
        raise JobError(
            f"{failed.request.shot_name}: {what}", failed.state.fix or "Run 'second-unit jobs show' for more."
        )
    return jobs


def keep_runner(context: Context) -> Popen[bytes] | None:
    """Start the project's runner process, with the Blender this command was given; None when one is at work.

    It outlives this command and opens no scene, so it has no part in the session, but for one thing: started from a
    Blender that is offline it reaches nothing but this machine.
    """
    session = given()
    words = runner_words(context.project, local_only=session is not None and not session.online)
    if context.blender_option:
        words += ["--blender", context.blender_option]
    argv, env = own_process(words)
    env.pop(SESSION, None)
    return start_runner(context.project, Command(argv, env))


def _show(context: Context, bar: Bar, known: dict[str, float], job: Job) -> None:
    state, name = job.state, job.request.shot_name
    known[job.uuid] = 1.0 if state.state.is_end else state.progress
    note = "" if state.state.is_end else state.what
    bar(sum(known.values()) * 100, len(known) * 100, f"{name} {state.state.value}{note and f': {note}'}")
    if note and not context.console.err.isatty():
        # Where no bar is drawn a line has to say it.
        context.console.say(f"  {name}: {note}")


def _current(context: Context, shot: Shot) -> Path:
    paths = context.project.shot(shot.folder)
    current = load_current(paths.current)
    if current is None:
        raise UsageError(f"{shot.name} has no control package yet.", "Run 'second-unit condition' first.")
    return paths.packages / current


def _order(context: Context, shot: Shot, package: Path, options: GenerateOptions, index: int) -> Order:
    manifest = load_manifest(package)
    profile = load_profile(manifest.profile, context.project.profiles)
    service, url = _service(context, options)
    return Order(
        project=context.project, shot=shot, package=package, manifest=manifest, profile=profile,
        quality=manifest.quality, brief=_brief(shot, options), template=load_template(profile.graph_name()),
        service=service, url=url, take_index=index,
    )  # fmt: skip


def _brief(shot: Shot, options: GenerateOptions) -> Brief:
    brief = shot.brief
    if options.prompt is not None:
        brief = replace(brief, prompt=options.prompt)
    return brief if options.seed is None else replace(brief, seed=options.seed)


def _service(context: Context, options: GenerateOptions) -> tuple[str, str]:
    named = options.service or context.settings.service
    if named == REHEARSAL:
        return REHEARSAL, _EMBEDDED
    if "://" in named:
        return "comfyui", named
    raise UsageError(
        f"There is no service '{named}'.",
        f"Use '{REHEARSAL}' or the address of a ComfyUI, such as http://127.0.0.1:8188.",
    )


def ask_first(context: Context, options: GenerateOptions) -> None:
    """Refuse before minutes are spent on guides what would be refused after: an unknown service, a host without a yes.

    Raises `UsageError` or `ConsentNeeded`.
    """
    _, url = _service(context, options)
    if not options.allow_host and not is_allowed(url, context.settings.allowed_hosts) and not context.dry_run:
        raise ConsentNeeded(
            f"Guides and texts of these shots would leave this machine for {host_of(url)}.",
            "Add --allow-host to let this project send there, or look at each file first with "
            "'second-unit condition' and 'second-unit generate --dry-run'.",
        )


def _consent(context: Context, url: str, work: Sequence[tuple[Request, Submission]], options: GenerateOptions) -> None:
    """Ask before the first byte goes to a new host, naming every file and text; the yes is kept in ``project.toml``."""
    submissions = [submission for _, submission in work]
    try:
        allowed = check(url, context.settings.allowed_hosts, submissions, allow=options.allow_host)
    except ConsentNeeded:
        _announce(context, work)
        raise
    if allowed is not None:
        _announce(context, work)
        allow_host(context.project, allowed)
        context.console.say(f"  {leaving(submissions)} go to {allowed}; the yes is kept in {context.project.config}.")


def _announce(context: Context, work: Sequence[tuple[Request, Submission]]) -> None:
    for request, submission in work:
        context.console.say(
            f"{request.shot_name}: {leaving([submission])} to {submission.host} for graph {request.graph}"
        )
        for parcel in submission.parcels:
            for file in parcel.files:
                context.console.say(f"    {file.path} ({file.size} bytes) as {file.name}")
            for text in parcel.texts:
                context.console.say(f"    {text.role}: {text.text!r}")
