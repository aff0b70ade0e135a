# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the runner as a process of its own and watches jobs on disk. It outlives whoever started it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from ...errors import HostError, JobError, storage_error
from .lease import is_live
from .runner import lease_path
from .store import Job, JobStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ...shot.job import State
    from ...shot.project import Project

LOG = "runner.log"
LARGEST_LOG = 1 << 20
LOOK_S = 0.25
PATIENT_STARTS = 3
_DETACHED = 0x00000008 | 0x00000200  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP of Windows


def runner_argv(project: Project) -> list[str]:
    """The command line of the runner for a Python in which this package can be imported under its present name.

    ``-P``: a module that lies in the current folder or in a project somebody sent must never be imported.
    """
    package = __name__.removesuffix(".generation.jobs.process")
    return [sys.executable, "-P", "-m", f"{package}.cli", "jobs", "run", "--project", str(project.root)]


def is_running(project: Project) -> bool:
    """Whether a live runner holds the project's lease."""
    return is_live(lease_path(project))


def start_runner(project: Project, argv: Sequence[str] | None = None) -> subprocess.Popen[bytes] | None:
    """Start the runner detached; None if one is at work already. ``argv`` differs inside Blender.

    Its output goes to ``jobs/runner.log``. A second one that starts at the same moment finds the lease held and ends.
    Keep the returned process while your own lives. Raises `HostError` if the program cannot be started.
    """
    if is_running(project):
        return None
    log = project.jobs / LOG
    command = list(argv) if argv is not None else runner_argv(project)
    try:
        project.jobs.mkdir(parents=True, exist_ok=True)
        is_long = log.is_file() and log.stat().st_size > LARGEST_LOG
        file = log.open("wb" if is_long else "ab")
    except OSError as error:
        raise storage_error(error, log) from error
    with file:
        return _spawn(command, file.fileno())


def _spawn(command: list[str], log: int) -> subprocess.Popen[bytes]:
    is_windows = sys.platform == "win32"
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=not is_windows,
            creationflags=_DETACHED if is_windows else 0,
        )
    except OSError as error:
        raise HostError(
            f"The runner could not be started ({error.strerror}).",
            "Check the Python installation Second Unit uses.",
        ) from error


def wait_for(
    store: JobStore,
    uuids: Sequence[str],
    keep_running: Callable[[], subprocess.Popen[bytes] | None],
    report: Callable[[Job], None],
    sleep: Callable[[float], None] = time.sleep,
) -> list[Job]:
    """Watch jobs until all have ended; ``report`` hears every change.

    ``keep_running`` is `start_runner`: it is called whenever the runner it started last has ended. Raises `JobError`
    when runners end again and again without getting on (full disk, broken installation).
    """
    seen: dict[str, State] = {}
    runner: subprocess.Popen[bytes] | None = None
    starts = 0
    while True:
        jobs = [store.load(uuid) for uuid in uuids]
        changed = [job for job in jobs if _place(seen.get(job.uuid)) != _place(job.state)]
        for job in changed:
            seen[job.uuid] = job.state
            report(job)
        waiting = next((job for job in jobs if job.is_open), None)
        if waiting is None:
            return jobs
        starts = 0 if changed else starts
        if runner is None or runner.poll() is not None:
            if starts >= PATIENT_STARTS:
                raise _stuck(waiting, store.root / LOG)
            runner = keep_running()
            starts += runner is not None
        sleep(LOOK_S)


def _place(state: State | None) -> object:
    """How far a job is, whatever is said about it."""
    return state and (state.state, state.submissions, state.progress, state.take)


def _stuck(job: Job, log: Path) -> JobError:
    return JobError(
        job.state.what or f"The runner ended before the job {job.uuid[:8]} did.",
        job.state.fix or f"Read '{log}', then run the command again.",
    )
