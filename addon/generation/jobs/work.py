# SPDX-License-Identifier: GPL-3.0-or-later
"""One job, step by step. Before each step the disk says how far it is; after each step the disk is told.

A process that is killed anywhere leaves a job that another one takes up at the same place.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ...errors import (
    CancelledByUser,
    DocumentError,
    JobError,
    ServiceError,
    ServiceFault,
    storage_error,
)
from ...shot.documents import digest_file
from ...shot.job import JobState, SubmissionState
from ...shot.package import Manifest, load_manifest
from ...shot.project import REHEARSAL
from ..services.port import Answer, NoAnswer, Service, ServiceUnreachable, Status
from .endings import Desk, end
from .frames import check_count, largest_frame, verify_frames
from .patience import retry, say_goodbye
from .store import FRAMES, Job
from .takes import (
    assemble,
    chunk_folder,
    describe_take,
    discard_take,
    finished_take,
    missing_chunks,
    reserve_take,
    settle_take,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ...shot.job import Parcel, Submission
    from ...shot.take import Take
    from ..services.port import Output

OUTPUTS = "outputs"
RESTARTS = 3
T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_ENDS = {Status.FAILED: JobState.FAILED, Status.CANCELLED: JobState.CANCELLED, Status.LOST: JobState.LOST}


class _Ended(Exception):
    """The service said how a submission ended."""

    def __init__(self, chunk: int, answer: Answer) -> None:
        super().__init__(chunk, answer)
        self.chunk = chunk
        self.answer = answer


class Work:
    """Brings one job to its end. `run` returns the job as it then lies on disk."""

    def __init__(self, desk: Desk, job: Job, service: Service) -> None:
        self._desk = desk
        self._job = job
        self._service = service
        self._root = desk.store.project.root
        self._takes = desk.store.project.shot(job.request.shot_folder).takes
        self._frames = job.folder / FRAMES
        self._heard = desk.clock()

    def run(self) -> Job:
        """Work until the job ends. Raises `StorageError` on a full disk, which leaves the job as it is."""
        try:
            self._run()
        except CancelledByUser:
            self._cancel()
        except _Ended as end:
            self._service_ended(end)
        return self._job

    def _run(self) -> None:
        if finished_take(self._takes, self._job.state.take, self._job.uuid) is None:
            manifest = load_manifest(self._root / self._job.request.package)
            submission = self._desk.store.submission(self._job)
            self._check(manifest, submission)
            self._fetch_missing_again(manifest)
            for chunk in range(len(self._job.request.chunks)):
                while self._sub(chunk).state is not JobState.DONE:
                    self._stop_if_cancelled()
                    self._step_or_restart(chunk, submission.parcels[chunk], manifest)
            self._assemble(manifest)
        settle_take(self._takes / (self._job.state.take or ""))
        self._save(JobState.DONE, progress=1.0)
        shutil.rmtree(self._frames, ignore_errors=True)

    def _check(self, manifest: Manifest, submission: Submission) -> None:
        request = self._job.request
        lengths = [chunk.length for chunk in request.chunks]
        mapped = [len(frames) for frames in manifest.frame_map.chunks]
        counts = {len(lengths), len(submission.parcels), len(self._job.state.submissions)}
        if lengths != mapped or len(counts) != 1 or manifest.input_hash != request.input_hash:
            raise DocumentError(
                "The job and its control package do not fit together.", "Cancel the job and generate again."
            )

    def _fetch_missing_again(self, manifest: Manifest) -> None:
        """What the state calls done must be on disk."""
        name = self._job.state.take
        take = describe_take(self._job.request, manifest, name) if name else None
        missing = missing_chunks(manifest, self._frames, self._takes / name if name else None, take)
        for chunk in missing:
            if self._sub(chunk).state is JobState.DONE:
                self._save_sub(chunk, JobState.DOWNLOADING)

    def _step_or_restart(self, chunk: int, parcel: Parcel, manifest: Manifest) -> None:
        """The rehearsal service ends with the runner and costs nothing: what it lost is asked of the next one."""
        try:
            self._step(chunk, parcel, manifest)
        except _Ended as ended:
            is_free = self._job.request.service == REHEARSAL and self._sub(chunk).attempts < RESTARTS
            if ended.answer.status is not Status.LOST or not is_free:
                raise
            self._save_sub(chunk, JobState.PREPARED, ticket=None)

    def _step(self, chunk: int, parcel: Parcel, manifest: Manifest) -> None:
        sub = self._sub(chunk)
        if sub.state is JobState.PREPARED:
            self._preflight(parcel)
            # Frames of an earlier submission must not be taken for the beginning of the new ones.
            _remove(chunk_folder(self._frames, chunk))
            self._save_sub(chunk, JobState.UPLOADING)
        elif sub.state is JobState.UPLOADING and sub.ticket is None:
            self._upload(chunk, parcel)
        elif sub.state is JobState.UPLOADING:
            ticket = dict(sub.ticket or {})
            self._retry(lambda: self._service.submit(ticket, parcel))
            self._save_sub(chunk, JobState.SUBMITTED, attempts=sub.attempts + 1)
        elif sub.state is JobState.DOWNLOADING:
            self._download(chunk, manifest)
        else:
            self._await(chunk)

    def _preflight(self, parcel: Parcel) -> None:
        """Nobody at the address is said at once: the user may have forgotten to start the service."""

        def ask() -> ServiceUnreachable | None:
            try:
                self._service.preflight(parcel)
            except ServiceUnreachable as error:
                return error
            return None

        if error := self._retry(ask):
            raise error

    def _upload(self, chunk: int, parcel: Parcel) -> None:
        files = {file.role: self._sent_file(file.path, file.sha256) for file in parcel.files}
        names = self._retry(lambda: self._service.upload(parcel, files))
        self._save_sub(chunk, JobState.UPLOADING, ticket=self._service.ticket(parcel, names))

    def _sent_file(self, relative: str, sha256: str) -> Path:
        path = (self._root / relative).resolve()
        if not path.is_relative_to(self._root.resolve()) or digest_file(path) != sha256:
            raise JobError(
                f"'{path.name}' is not the file this job was to send.",
                "Make the control package and the job again.",
            )
        return path

    def _await(self, chunk: int) -> None:
        ticket = dict(self._sub(chunk).ticket or {})
        for wait in self._desk.patience.polls():
            answer = self._retry(lambda: self._service.poll(ticket))
            if answer.status is Status.SUCCEEDED:
                done = {**ticket, OUTPUTS: [dict(output) for output in answer.outputs]}
                self._save_sub(chunk, JobState.DOWNLOADING, ticket=done)
                return
            if answer.status in _ENDS:
                raise _Ended(chunk, answer)
            if answer.status is Status.RUNNING:
                self._running(chunk, answer.progress or 0.0)
            self._pause(wait)

    def _running(self, chunk: int, part: float) -> None:
        progress = self._progress(chunk, part)
        if self._sub(chunk).state is not JobState.RUNNING or progress - self._job.state.progress >= 0.01:
            self._save_sub(chunk, JobState.RUNNING, progress=progress)

    def _progress(self, chunk: int, part: float) -> float:
        return round((chunk + min(max(part, 0.0), 1.0)) / len(self._job.request.chunks), 4)

    def _download(self, chunk: int, manifest: Manifest) -> None:
        folder = chunk_folder(self._frames, chunk)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error
        check_count(len(self._outputs(chunk)), self._job.request.chunks[chunk].length)
        files = self._retry(lambda: self._fetch_and_verify(chunk, folder, manifest.size))
        for file in files:
            _rename(file, file.with_suffix(".png"))
        self._save_sub(chunk, JobState.DONE, progress=self._progress(chunk, 1.0))

    def _outputs(self, chunk: int) -> list[Output]:
        return cast("list[Output]", list((self._sub(chunk).ticket or {}).get(OUTPUTS, [])))

    def _fetch_and_verify(self, chunk: int, folder: Path, size: tuple[int, int]) -> list[Path]:
        ticket = dict(self._sub(chunk).ticket or {})
        try:
            files = self._service.fetch(ticket, self._outputs(chunk), folder, self._arrived, largest_frame(size))
        except ServiceError as error:
            if error.fault is ServiceFault.EXPIRED:
                self._ask_outputs_again(chunk, ticket)
            raise
        verify_frames(files, size)
        return files

    def _arrived(self, count: int) -> None:
        del count
        self._hear()
        self._stop_if_cancelled()

    def _ask_outputs_again(self, chunk: int, ticket: dict[str, Any]) -> None:
        answer = self._service.poll(ticket)
        if answer.status in _ENDS:
            raise _Ended(chunk, answer)
        if answer.status is Status.SUCCEEDED and len(answer.outputs) == len(self._outputs(chunk)):
            fresh = {**ticket, OUTPUTS: [dict(output) for output in answer.outputs]}
            self._save_sub(chunk, JobState.DOWNLOADING, ticket=fresh)

    def _assemble(self, manifest: Manifest) -> Take:
        self._stop_if_cancelled()
        self._save(JobState.ASSEMBLING)
        name = reserve_take(self._takes, self._job.uuid)
        self._save(JobState.ASSEMBLING, take=name)
        take = describe_take(self._job.request, manifest, name)
        return assemble(take, manifest, self._frames, self._takes / name)

    # -- state ------------------------------------------------------------------------------------------------

    def _sub(self, chunk: int) -> SubmissionState:
        return self._job.state.submissions[chunk]

    def _save_sub(
        self,
        chunk: int,
        state: JobState,
        *,
        ticket: object = ...,
        attempts: int | None = None,
        progress: float | None = None,
    ) -> None:
        old = self._sub(chunk)
        new = SubmissionState(
            chunk,
            state,
            old.ticket if ticket is ... else cast("dict[str, Any] | None", ticket),
            old.attempts if attempts is None else attempts,
        )
        subs = tuple(new if i == chunk else sub for i, sub in enumerate(self._job.state.submissions))
        shown = JobState.DOWNLOADING if state is JobState.DONE else state
        self._save(shown, submissions=subs, **({} if progress is None else {"progress": progress}))

    def _save(self, state: JobState, **changes: Any) -> None:
        self._desk.guard()
        new = replace(self._job.state, state=state, what="", fix="", **changes)
        self._job = self._desk.store.save_state(self._job, new)
        _LOG.info("job %s: %s", self._job.uuid[:8], state.value)

    # -- waiting and stopping ---------------------------------------------------------------------------------

    def _retry(self, call: Callable[[], T]) -> T:
        self._hear()
        done = retry(call, self._desk.patience, self._wait)
        self._say("")
        return done

    def _hear(self) -> None:
        """The service has just shown that it is there."""
        self._heard = self._desk.clock()

    def _wait(self, seconds: float, error: ServiceError) -> None:
        """Say what is waited for, and wait. Raises `NoAnswer` after too long a silence."""
        if not isinstance(error, NoAnswer):
            self._hear()
            self._say(f"{error.what} Trying again.")
        else:
            silence = self._desk.clock() - self._heard
            if silence >= self._desk.patience.silence_s:
                raise NoAnswer(
                    f"{self._there} has not answered for {silence / 60:.0f} minutes.",
                    "Check whether it still runs, then resume the job with 'second-unit jobs resume'.",
                ) from error
            self._say(f"{self._there} has not answered for {silence:.0f} s, trying again.")
        self._pause(seconds)

    @property
    def _there(self) -> str:
        request = self._job.request
        return "The rehearsal service" if request.service == REHEARSAL else f"The service at {request.url}"

    def _say(self, what: str) -> None:
        """Let the state tell what the job waits for; it is the same state otherwise."""
        if what != self._job.state.what:
            self._desk.guard()
            self._job = self._desk.store.save_state(self._job, replace(self._job.state, what=what, fix=""))

    def _pause(self, seconds: float) -> None:
        """Sleep in short pieces: a wish to cancel is heard soon."""
        longest = self._desk.patience.poll_longest_s
        while seconds > 0:
            self._stop_if_cancelled()
            self._desk.guard()
            self._desk.sleep(min(seconds, longest))
            seconds -= longest
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self._desk.store.is_cancel_requested(self._job):
            raise CancelledByUser("The job was cancelled.", "Generate again to take it up.")

    def _cancel(self) -> None:
        trouble = ""
        for sub in self._job.state.submissions:
            if sub.ticket is not None and sub.state in {
                JobState.UPLOADING,
                JobState.SUBMITTED,
                JobState.RUNNING,
            }:
                trouble = self._cancel_there(dict(sub.ticket)) or trouble
        discard_take(self._takes, self._job.uuid)
        shutil.rmtree(self._frames, ignore_errors=True)
        subs = tuple(replace(sub, state=JobState.CANCELLED) for sub in self._job.state.submissions)
        end(self._desk, self._job, JobState.CANCELLED, f"Cancelled. {trouble}".strip(), "", subs)
        self._job = self._desk.store.load(self._job.uuid)

    def _cancel_there(self, ticket: dict[str, Any]) -> str:
        try:
            say_goodbye(lambda: self._service.cancel(ticket), self._desk.patience, self._desk.sleep)
        except ServiceError as error:
            return f"The service could not be told: {error.what}"
        return ""

    def _service_ended(self, ended: _Ended) -> None:
        state = _ENDS[ended.answer.status]
        subs = tuple(
            replace(sub, state=state) if sub.chunk == ended.chunk else sub for sub in self._job.state.submissions
        )
        what = {
            JobState.FAILED: f"The service failed: {ended.answer.message or 'it does not say why'}.",
            JobState.CANCELLED: "The job was cancelled at the service.",
            JobState.LOST: ended.answer.message or "The service does not know the job any more.",
        }[state]
        end(self._desk, self._job, state, what, "Run 'second-unit jobs resume' to send it again.", subs)
        self._job = self._desk.store.load(self._job.uuid)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, folder) from error


def _rename(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except OSError as error:
        raise storage_error(error, target) from error
