# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on disk: one folder each, and that folder is the truth.

Writers are kept apart by file: ``request.json`` and ``submission.json`` are written once, before the folder gets its
name; ``state.json`` belongs to the runner while the job is open; a wish to cancel is a file of its own.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from ...errors import DocumentError, JobError, SecondUnitError, UsageError, storage_error
from ...shot.documents import digest, stable_json
from ...shot.job import (
    JobState,
    Request,
    State,
    Submission,
    SubmissionState,
    load_request,
    load_state,
    load_submission,
    save_request,
    save_state,
    save_submission,
)
from ...shot.project import REHEARSAL
from ...shot.take import TAKE
from ..services.address import parse_address
from .lease import Heartbeat, Lease, LeaseHeld

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from ...shot.project import Project

CANCEL = "cancel"
FRAMES = "frames"
KEY = "key"
ORDER_STALE_S = 20.0
"""An order takes milliseconds and beats every five seconds: whoever shows no life for so long is gone."""
_LOOK_S = 0.05
_LOOKS = 600


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it lies on disk."""

    folder: Path
    request: Request
    state: State

    @property
    def uuid(self) -> str:
        """Identity, and the folder's name."""
        return self.folder.name

    @property
    def is_open(self) -> bool:
        """Whether the runner still has something to do."""
        return not self.state.state.is_end


@dataclass(frozen=True, slots=True)
class Listing:
    """Every readable job, oldest first, and what is wrong with the others."""

    jobs: tuple[Job, ...]
    problems: tuple[SecondUnitError, ...]


def job_key(request: Request, take_index: int) -> str:
    """What work this is: two requests with one key would make the same take.

    The rehearsal service has a new port each time; everywhere else the address belongs to the work.
    """
    where = REHEARSAL if request.service == REHEARSAL else parse_address(request.url).url
    work = {
        "shot": request.shot_uuid, "input_hash": request.input_hash, "brief": request.brief.to_json(),
        "service": request.service, "where": where, "profile": request.profile, "quality": request.quality,
        "graph": request.graph, "graph_sha256": request.extra.get("graph_sha256"), "take": take_index,
    }  # fmt: skip
    return hashlib.sha256(stable_json(work).encode()).hexdigest()


def timestamp() -> str:
    """Now, in UTC, as text that sorts by time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class JobStore:
    """The ``jobs`` folder of a project."""

    def __init__(self, project: Project, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self.project = project
        self.root = project.jobs

    def prepare(self, request: Request, submission: Submission) -> Path:
        """Write a new job: complete under its uuid, or not there. Raises `StorageError`."""
        folder = self.root / str(UUID(request.job))
        aside = self.root / f".{request.job}.part"
        first = State(JobState.PREPARED, tuple(SubmissionState(c.index) for c in request.chunks), updated=timestamp())
        try:
            aside.mkdir(parents=True)
            save_request(aside, request)
            save_submission(aside, submission)
            save_state(aside, first)
            aside.rename(folder)
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise storage_error(error, folder) from error
        except SecondUnitError:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        return folder

    def ensure(self, request: Request, submission: Submission) -> tuple[Job, bool]:
        """Return the job that does this work, and whether it is new: the same work is never ordered twice.

        A job that failed, was cancelled or got lost is taken up again. Of several commands that order the same work at
        the same moment one makes the job. Raises `JobError` if another one neither ends nor dies, `DocumentError` if a
        job that cannot be read may be this work: it may have been paid for.
        """
        key = str(request.extra[KEY])
        if (found := self.find(key)) is not None and not _needs_order(found):
            return found, False
        with self._ordering(key):
            found = self.find(key)
            if found is None:
                self._refuse_damaged(key)
                return self.load(self.prepare(request, submission).name), True
            return (self.revive(found.uuid) if _needs_order(found) else found), False

    @contextmanager
    def _ordering(self, key: str) -> Generator[None]:
        """Hold the order of the work ``key`` alone."""
        lease = Lease(self.root / f".{digest(key.encode())[:32]}.order", stale_s=ORDER_STALE_S)
        self._wait_for(lease)
        try:
            with Heartbeat(lease):
                yield
        finally:
            lease.release()

    def _wait_for(self, lease: Lease) -> None:
        for _ in range(_LOOKS):
            try:
                lease.acquire()
            except LeaseHeld:
                self._sleep(_LOOK_S)
            else:
                return
        raise JobError(
            "Another command has been ordering the same take for a while.", "Wait for it, then run the command again."
        )

    def find(self, key: str) -> Job | None:
        """The job that does the work ``key``: a finished one whose take is there, else an open one, else the latest."""
        same = [job for job in self.list() if job.request.extra.get(KEY) == key and not self._is_forgotten(job)]
        same.sort(key=lambda job: (job.state.state is JobState.DONE, job.is_open))
        return same[-1] if same else None

    def _refuse_damaged(self, key: str) -> None:
        for folder in self._folders():
            try:
                _read(folder)
            except SecondUnitError as error:
                if _may_be(folder, key):
                    raise DocumentError(
                        f"A job that may be this very work cannot be read: {error.what}",
                        f"Restore the file; or look at the service whether the work is there, and move '{folder}' away "
                        "to have it made again.",
                    ) from error

    def _folders(self) -> list[Path]:
        return [path for path in self.root.glob("*-*") if _is_uuid(path.name)] if self.root.is_dir() else []

    def _is_forgotten(self, job: Job) -> bool:
        """A finished job whose take was removed does not count."""
        take = self.project.shot(job.request.shot_folder).takes / (job.state.take or "-") / TAKE
        return job.state.state is JobState.DONE and not take.is_file()

    def scan(self) -> Listing:
        """Read every job. One damaged job does not hide the others."""
        jobs: list[Job] = []
        problems: list[SecondUnitError] = []
        for folder in self._folders():
            try:
                jobs.append(_read(folder))
            except SecondUnitError as error:
                problems.append(error)
        jobs.sort(key=lambda job: (str(job.request.volatile.get("created", "")), job.uuid))
        return Listing(tuple(jobs), tuple(problems))

    def list(self) -> list[Job]:
        """Every readable job, oldest first."""
        return list(self.scan().jobs)

    def load(self, word: str) -> Job:
        """The job whose uuid begins with ``word``. Raises `UsageError` if there is none or more than one."""
        found = [name for name in (folder.name for folder in self._folders()) if word and name.startswith(word.lower())]
        if not found:
            raise UsageError(f"There is no job '{word}'.", "List them with 'second-unit jobs list'.")
        if len(found) > 1:
            raise UsageError(f"'{word}' could be {len(found)} jobs.", "Give more of its letters.")
        return _read(self.root / found[0])

    def submission(self, job: Job) -> Submission:
        """Everything that leaves for a job."""
        return load_submission(job.folder)

    def save_state(self, job: Job, state: State) -> Job:
        """Replace ``state.json``. For the runner, or on a job that has ended."""
        state = replace(state, updated=timestamp())
        save_state(job.folder, state)
        return replace(job, state=state)

    def request_cancel(self, uuid: str) -> None:
        """Ask the runner to stop a job. Ends by themselves stay what they are."""
        path = self.load(uuid).folder / CANCEL
        try:
            path.touch()
        except OSError as error:
            raise storage_error(error, path) from error

    def is_cancel_requested(self, job: Job) -> bool:
        """Whether somebody asked to stop it."""
        return (job.folder / CANCEL).exists()

    def revive(self, uuid: str) -> Job:
        """Take up a job that ended without a take. A ticket that may still be good is asked first, not replaced."""
        job = self.load(uuid)
        if job.is_open:
            return job
        if job.state.state is JobState.DONE:
            raise JobError(
                f"The job {job.uuid[:8]} is done: it made the take {job.state.take}.",
                "Generate another take instead.",
            )
        try:
            (job.folder / CANCEL).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, job.folder) from error
        subs = tuple(_again(sub) for sub in job.state.submissions)
        return self.save_state(job, State(JobState.PREPARED, subs, take=job.state.take, extra=job.state.extra))


def _needs_order(job: Job) -> bool:
    """Whether a job ended without a take."""
    return not job.is_open and job.state.state is not JobState.DONE


def _again(sub: SubmissionState) -> SubmissionState:
    """A submission the service gave up on starts anew; one it may still know is asked about."""
    if sub.state.is_end and sub.state is not JobState.DONE:
        return SubmissionState(sub.chunk)
    return sub


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _read(folder: Path) -> Job:
    request = load_request(folder)
    if request.job != folder.name:
        raise DocumentError(f"The job folder '{folder}' holds another job.", "Move it away.")
    _check_relative(request, folder)
    return Job(folder, request, load_state(folder))


def _may_be(folder: Path, key: str) -> bool:
    """Whether a damaged job can be the work ``key``: it says so, or does not say what it is."""
    try:
        return load_request(folder).extra.get(KEY, key) == key
    except SecondUnitError:
        return True


def _check_relative(request: Request, folder: Path) -> None:
    """Names from a file are no paths: the shot's folder is one plain name, the package lies in the project."""
    parts = request.package.replace("\\", "/").split("/")
    plain = request.shot_folder
    is_plain = plain not in {"", ".", ".."} and not set(plain) & set("/\\:")
    if not is_plain or ".." in parts or request.package.startswith(("/", "\\")) or ":" in request.package:
        raise DocumentError(f"The job in '{folder}' points outside its project.", "Move it away.")
