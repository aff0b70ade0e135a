# SPDX-License-Identifier: GPL-3.0-or-later
"""``jobs``: look after them; ``jobs run`` is the runner process itself."""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..generation.jobs.lease import LeaseHeld
from ..generation.jobs.process import LOCAL
from ..generation.jobs.runner import Runner
from ..generation.jobs.store import JobStore
from ..generation.rehearsal.server import RehearsalServer
from ..generation.services.comfyui.client import ComfyService
from ..generation.services.comfyui.graph import load_template
from ..host.blender import find_blender
from ..host.codec import BlenderCodec
from ..shot.project import REHEARSAL
from .generate import follow, keep_runner

if TYPE_CHECKING:
    from ..generation.jobs.store import Job
    from ..generation.services.port import Service
    from ..shot.job import Request
    from .console import Console
    from .context import Context

_OURS = __name__.removesuffix(".commands.jobs")


@dataclass(slots=True)
class ServiceDesk:
    """Makes the adapter for a request, and starts the embedded rehearsal service when the first request needs it."""

    blender: str | None
    stack: ExitStack = field(default_factory=ExitStack)
    url: str | None = None

    def __call__(self, request: Request) -> Service:
        """See `jobs.runner.Runner`."""
        rehearsing = request.service == REHEARSAL
        url = self._rehearsal() if rehearsing else request.url
        return ComfyService(url, load_template(request.graph), any_model=rehearsing)

    def _rehearsal(self) -> str:
        if self.url is None:
            folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="second_unit_rehearsal_")))
            self.url = self.stack.enter_context(RehearsalServer(BlenderCodec(find_blender(self.blender)), folder)).url
        return self.url


def run_jobs(context: Context, word: str | None = None) -> None:
    """The runner: works on all open jobs of the project and ends. Another one at work already is no error.

    With the ``word`` `LOCAL` it leaves jobs of other machines alone.
    """
    _keep_log()
    desk = ServiceDesk(context.blender_option)
    with desk.stack:
        try:
            report = Runner(context.project, desk, local_only=word == LOCAL).run_until_idle()
        except LeaseHeld:
            context.console.say("Another runner is at work in this project.")
            return
    if report.waiting:
        _, error = report.waiting[0]
        raise error


def _keep_log() -> None:
    """What our own loggers say goes to stderr, which is ``runner.log``: libraries would write addresses there."""
    handler = logging.StreamHandler()
    handler.addFilter(logging.Filter(_OURS))
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", handlers=[handler])
    logging.getLogger(_OURS).setLevel(logging.INFO)


def list_jobs(context: Context) -> None:
    """One line per job, oldest first."""
    listing = JobStore(context.project).scan()
    for job in listing.jobs:
        _line(context.console, job)
    for problem in listing.problems:
        context.console.complain(str(problem))
        context.console.record("problem", {"what": problem.what, "fix": problem.fix})
    if not listing.jobs and not listing.problems:
        context.console.say("No jobs yet.")


def _line(console: Console, job: Job) -> None:
    state, request = job.state, job.request
    console.say(
        f"{job.uuid[:8]}  {request.shot_name:<8} {state.state.value:<15} {state.progress:>4.0%}  "
        f"{request.service:<10} {state.take or ''}  {state.what}"
    )
    console.record("job", {
        "job": job.uuid, "shot": request.shot_name, "state": state.state.value, "progress": state.progress,
        "service": request.service, "take": state.take, "what": state.what, "fix": state.fix,
    })  # fmt: skip


def act_on_jobs(context: Context, action: str, word: str | None) -> None:
    """``show``, ``resume``, ``cancel``, ``wait``."""
    store = JobStore(context.project)
    if action == "wait":
        follow(context, store, [store.load(word).uuid] if word else [job.uuid for job in store.list() if job.is_open])
        return
    if word is None:
        raise UsageError(f"'jobs {action}' needs a job.", "List them with 'second-unit jobs list'.")
    job = store.load(word)
    if action == "resume":
        store.revive(job.uuid)
        keep_runner(context)
    elif action == "cancel" and not job.is_open:
        raise UsageError(f"The job is over already: {job.state.state.value}.", "There is nothing to cancel.")
    elif action == "cancel":
        store.request_cancel(job.uuid)
        keep_runner(context)
    _line(context.console, store.load(job.uuid))
    if action == "show" and job.state.fix:
        context.console.say(f"          {job.state.fix}")
