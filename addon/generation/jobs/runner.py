# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner: one per project, doing the network work of all its jobs, one after the other."""

from __future__ import annotations

import logging
import time
import traceback
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...errors import JobError, SecondUnitError, StorageError, storage_error
from ...shot.project import load_settings
from .consent import check, is_local
from .endings import Desk, end_by, is_full_disk
from .lease import BEAT_S, Heartbeat, Lease, LeaseHeld
from .patience import Patience
from .store import Job, JobStore
from .work import Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ...shot.job import Request
    from ...shot.project import Project
    from ..services.port import Service

LEASE = "runner.lease"
_LOG = logging.getLogger(__name__)
_UNFORESEEN = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
"""What code that reads foreign answers may raise where nobody thought of it. It ends a job, never the runner."""


@dataclass(slots=True)
class Report:
    """What a run did: jobs as they ended, and errors that left a job where it was."""

    ended: list[Job] = field(default_factory=list[Job])
    waiting: list[tuple[Job, SecondUnitError]] = field(default_factory=list[tuple[Job, SecondUnitError]])


def lease_path(project: Project) -> Path:
    """The lease of a project's runner."""
    return project.jobs / LEASE


class Runner:
    """Works on the open jobs of a project.

    ``services`` makes the adapter for a request; the runner closes it. ``sleep`` takes seconds, ``clock`` gives them.
    ``local_only`` leaves jobs of other machines where they are.
    """

    def __init__(
        self,
        project: Project,
        services: Callable[[Request], Service],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        patience: Patience | None = None,
        beat_s: float = BEAT_S,
        local_only: bool = False,
    ) -> None:
        self._store = JobStore(project)
        self._services = services
        self._lease = Lease(lease_path(project))
        self._desk = Desk(self._store, self._lease.check, sleep, patience or Patience(), clock)
        self._beat_s = beat_s
        self._local_only = local_only
        self._report = Report()

    def run_until_idle(self) -> Report:
        """Work until no job is open. Raises `LeaseHeld` if another runner is at work already."""
        self._hold()
        # A job may have come between the last look and giving back the lease: whoever wrote it saw a live runner.
        while self._next() is not None:
            try:
                self._hold()
            except LeaseHeld:
                break
        return self._report

    def _hold(self) -> None:
        self._lease.acquire()
        try:
            with Heartbeat(self._lease, self._beat_s):
                while (job := self._next()) is not None:
                    self._work(job)
        finally:
            self._lease.release()

    def _next(self) -> Job | None:
        """The oldest open job; those somebody wants to stop come first."""
        aside = {job.uuid for job, _ in self._report.waiting}
        jobs = [job for job in self._store.list() if job.is_open and job.uuid not in aside and self._may_reach(job)]
        return min(jobs, key=lambda job: not self._store.is_cancel_requested(job), default=None)

    def _may_reach(self, job: Job) -> bool:
        return not self._local_only or is_local(job.request.url)

    def _work(self, job: Job) -> None:
        try:
            self._report.ended.append(self._run(job))
        except StorageError as error:
            self._refused_by_disk(job, error)
        except SecondUnitError as error:
            self._lease.check()
            self._end(job, error)
        except OSError as error:
            _log_place(job, error)
            trouble = storage_error(error, job.folder)
            trouble.__cause__ = error
            self._refused_by_disk(job, trouble)
        except _UNFORESEEN as error:
            self._lease.check()
            _log_place(job, error)
            self._end(job, _unforeseen(error))

    def _refused_by_disk(self, job: Job, error: StorageError) -> None:
        """A full disk lets a job wait, any other trouble with it ends the job."""
        if not is_full_disk(error):
            self._end(job, error)
            return
        _LOG.error("job %s waits: %s", job.uuid[:8], error)
        self._report.waiting.append((self._say(self._store.load(job.uuid), error), error))

    def _say(self, job: Job, error: StorageError) -> Job:
        """Write why a job waits, if there is room for that."""
        try:
            return self._store.save_state(job, replace(job.state, what=error.what, fix=error.fix))
        except StorageError as trouble:
            _LOG.error("job %s: %s", job.uuid[:8], trouble)
            return job

    def _run(self, job: Job) -> Job:
        allowed = load_settings(self._store.project).allowed_hosts
        check(job.request.url, allowed, [self._store.submission(job)])
        with closing(self._services(job.request)) as service:
            return Work(self._desk, job, service).run()

    def _end(self, job: Job, error: SecondUnitError) -> None:
        try:
            end_by(self._desk, job, error)
        except StorageError as trouble:
            _LOG.error("job %s waits: %s", job.uuid[:8], trouble)
            self._report.waiting.append((job, trouble))
            return
        self._report.ended.append(self._store.load(job.uuid))


def _unforeseen(error: Exception) -> JobError:
    return JobError(
        f"The service's answer could not be handled ({type(error).__name__}).",
        "Run 'second-unit jobs resume' to try again, or report it.",
    )


def _log_place(job: Job, error: Exception) -> None:
    """Where it happened, without the error's own words: they may quote a header, a prompt or an answer."""
    where = "".join(traceback.format_tb(error.__traceback__, limit=-20))
    _LOG.error("job %s: %s\n%s", job.uuid[:8], type(error).__name__, where.rstrip())
