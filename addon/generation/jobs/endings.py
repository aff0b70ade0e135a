# SPDX-License-Identifier: GPL-3.0-or-later
"""How jobs end other than with a take, and what a resumed one can go on with."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import FULL_DISK, ConsentNeeded, SecondUnitError, ServiceError, ServiceFault, StorageError
from ...shot.job import JobState, SubmissionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from .patience import Patience
    from .store import Job, JobStore

_LOG = logging.getLogger(__name__)
_ANEW = frozenset(
    {ServiceFault.INVALID_INPUT, ServiceFault.MISSING_MODEL, ServiceFault.MODERATION, ServiceFault.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the work on a job needs around it. ``guard`` raises if this process may no longer write.

    ``clock`` counts seconds from anywhere.
    """

    store: JobStore
    guard: Callable[[], None]
    sleep: Callable[[float], None]
    patience: Patience
    clock: Callable[[], float]


def end(
    desk: Desk,
    job: Job,
    state: JobState,
    what: str,
    fix: str,
    submissions: tuple[SubmissionState, ...] | None = None,
) -> None:
    """Write how a job ended."""
    desk.guard()
    subs = job.state.submissions if submissions is None else submissions
    desk.store.save_state(job, replace(job.state, state=state, what=what, fix=fix, submissions=subs))
    # The sentence itself may quote the service, and the service the prompt: it stays with the job.
    _LOG.info("job %s: %s", job.uuid[:8], state.value)


def end_by(desk: Desk, job: Job, error: SecondUnitError) -> None:
    """Write down an error that ended a job. Auth, quota and consent wait for a person."""
    job = desk.store.load(job.uuid)
    fault = error.fault if isinstance(error, ServiceError) else None
    if isinstance(error, ConsentNeeded) or fault in {ServiceFault.AUTH, ServiceFault.QUOTA}:
        state = JobState.NEEDS_ATTENTION
    else:
        state = JobState.LOST if fault is ServiceFault.LOST else JobState.FAILED
    _LOG.info("job %s: %s %s", job.uuid[:8], type(error).__name__, fault.value if fault else "")
    end(desk, job, state, error.what, error.fix, tuple(_after(sub, fault) for sub in job.state.submissions))


def _after(sub: SubmissionState, fault: ServiceFault | None) -> SubmissionState:
    """Whether the submission can go on where it is (asked first) or has to be made anew."""
    is_bad_result = fault is ServiceFault.PROTOCOL and sub.state is JobState.DOWNLOADING
    is_current = sub.state is not JobState.DONE
    return replace(sub, state=JobState.FAILED) if is_current and (fault in _ANEW or is_bad_result) else sub


def is_full_disk(error: StorageError) -> bool:
    """Whether the disk was full: the one storage error after which a job simply waits."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL_DISK
