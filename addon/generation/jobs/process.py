# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the runner as a process of its own and watches jobs on disk. It outlives whoever started it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from ...errors import HostError, JobError, SecondUnitError, storage_error
from .lease import is_live
from .runner import lease_path
from .store import Job, JobStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ...shot.job import State
    from ...shot.project import Project

LOG = "runner.log"
LOCAL = "local"
"""The word that tells a runner to reach nothing but this machine."""
LARGEST_LOG = 1 << 20
LOOK_S = 0.25
LARGEST_WORD = 1 << 16
PATIENT_STARTS = 3
PROBE = 1 << 14
"""Bytes that a runner needs at the very least: its lease, the state of a job, a line in the log."""
_DETACHED = 0x00000008 | 0x00000200  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP of Windows


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start. ``env`` is its whole environment, None for ours."""

    argv: Sequence[str]
    env: Mapping[str, str] | None = None


def runner_words(project: Project, *, local_only: bool = False) -> list[str]:
    """What the runner is called with. ``--json``: whoever waits reads its last word, should it fail, from the log.

    ``local_only``: it leaves jobs of other machines alone.
    """
    return ["jobs", "run", *([LOCAL] if local_only else []), "--json", "--project", str(project.root)]


def runner_argv(project: Project) -> list[str]:
    """The command line of the runner for a Python in which this package can be imported under its present name.

    ``-P``: a module that lies in the current folder or in a project somebody sent must never be imported.
    """
    package = __name__.removesuffix(".generation.jobs.process")
    return [sys.executable, "-P", "-m", f"{package}.cli", *runner_words(project)]


def is_running(project: Project) -> bool:
    """Whether a live runner holds the project's lease."""
    return is_live(lease_path(project))


def start_runner(
    project: Project, argv: Command | Sequence[str] | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes] | None:  # fmt: skip
    """Start the runner detached; None if one is at work already.

    ``argv`` and ``env`` are the program and its whole environment where it is not this Python.

    Its output goes to ``jobs/runner.log``. A second one that starts at the same moment finds the lease held and ends.
    Keep the returned process while your own lives. Raises `HostError` if the program cannot be started.
    """
    if is_running(project):
        return None
    log = project.jobs / LOG
    command = argv if isinstance(argv, Command) else Command(argv or runner_argv(project), env)
    try:
        project.jobs.mkdir(parents=True, exist_ok=True)
        is_long = log.is_file() and log.stat().st_size > LARGEST_LOG
        file = log.open("wb" if is_long else "ab")
    except OSError as error:
        raise storage_error(error, log) from error
    with file:
        return _spawn(command, file.fileno())


def _spawn(command: Command, log: int) -> subprocess.Popen[bytes]:
    is_windows = sys.platform == "win32"
    try:
        return subprocess.Popen(
            list(command.argv),
            env=command.env,
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

    ``keep_running`` is `start_runner`: it is called whenever the runner it started last has ended. Raises what that
    runner said about its end, `StorageError` when the disk takes nothing more, and `JobError` when runners end again
    and again without a word and without getting on (broken installation).
    """
    seen: dict[str, State] = {}
    crew = _Crew(store, keep_running)
    while True:
        jobs = [store.load(uuid) for uuid in uuids]
        changed = [job for job in jobs if _shown(seen.get(job.uuid)) != _shown(job.state)]
        crew.got_on(is_on=any(_place(seen.get(job.uuid)) != _place(job.state) for job in changed))
        for job in changed:
            seen[job.uuid] = job.state
            report(job)
        waiting = next((job for job in jobs if job.is_open), None)
        if waiting is None:
            return jobs
        crew.keep(waiting)
        sleep(LOOK_S)


@dataclass(slots=True)
class _Crew:
    """The runners a waiting command has started, one after the other."""

    store: JobStore
    start: Callable[[], subprocess.Popen[bytes] | None]
    runner: subprocess.Popen[bytes] | None = None
    starts: int = 0
    mark: int = 0
    """Where in the log the present runner began."""

    def got_on(self, *, is_on: bool) -> None:
        """Hear whether any job has."""
        self.starts = 0 if is_on else self.starts

    def keep(self, waiting: Job) -> None:
        """See that a runner is at work on ``waiting``. Raises what is known about one that cannot be."""
        if self.runner is not None:
            code = self.runner.poll()
            if code is None:
                return
            log = self.store.root / LOG
            said = _read_from(log, self.mark)
            # A runner that was pushed aside by another one is no reason to stop waiting.
            is_alone = not is_running(self.store.project)
            if code and is_alone and (error := _last_word(said) or _refusal(self.store.root)):
                raise error
            if self.starts >= PATIENT_STARTS:
                raise _stuck(waiting, log, said)
        self.mark = _size(self.store.root / LOG)
        self.runner = self.start()
        self.starts += self.runner is not None


def _shown(state: State | None) -> object:
    return _place(state), state and state.what


def _place(state: State | None) -> object:
    """How far a job is, whatever is said about it."""
    return state and (state.state, state.submissions, state.progress, state.take)


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _read_from(log: Path, mark: int) -> list[str]:
    """The last lines written to the log since it had ``mark`` bytes."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            # A log that had grown too long was begun anew.
            file.seek(max(mark if mark <= size else 0, size - LARGEST_WORD))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _last_word(said: Sequence[str]) -> SecondUnitError | None:
    """What the runner itself said about its end: the last record of an error."""
    for line in reversed(said):
        try:
            data: object = json.loads(line)
        except (ValueError, RecursionError):
            continue
        record = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
        if record.get("kind") == "error":
            return JobError(str(record.get("what", "")), str(record.get("fix", "")))
    return None


def _refusal(folder: Path) -> SecondUnitError | None:
    """What the disk says to a few bytes: where it takes nothing, a runner cannot even write why it ended."""
    probe = folder / f".room.{uuid4().hex}"
    try:
        probe.write_bytes(bytes(PROBE))
    except OSError as error:
        trouble = storage_error(error, folder)
        trouble.__cause__ = error
        return trouble
    finally:
        probe.unlink(missing_ok=True)
    return None


def _stuck(job: Job, log: Path, said: Sequence[str]) -> JobError:
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    return JobError(
        job.state.what or f"The runner ended before the job {job.uuid[:8]} did{f' ({last[:300]})' if last else ''}.",
        job.state.fix or f"Read '{log}', then run the command again.",
    )
