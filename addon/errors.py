# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception tree. Every error says what happened and what to do about it.

::

    SecondUnitError
    ├── UsageError            the command cannot be understood             (exit 2)
    ├── SceneError            the .blend, scene or shot is not usable
    ├── DocumentError         a file of ours is damaged or too new
    ├── StorageError          the disk refused (full, read-only, …)
    ├── HostError             no Blender, or Blender ended unexpectedly
    ├── JobError              a job cannot go on
    │   └── ConsentNeeded     something would leave this machine unseen
    ├── CancelledByUser       stopped on request                           (exit 130)
    └── ServiceError          a generation service refused or failed
"""

from __future__ import annotations

import errno
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class SecondUnitError(Exception):
    """Base of all errors a user can meet.

    ``what`` is one sentence saying what happened, ``fix`` one saying what to do.
    """

    exit_code = EXIT_FAILED

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}"


class UsageError(SecondUnitError):
    """The command line or a call cannot be understood."""

    exit_code = EXIT_USAGE


class SceneError(SecondUnitError):
    """The .blend, the scene, a camera or a shot is missing or not usable."""


class DocumentError(SecondUnitError):
    """A file of Second Unit is damaged, or written by a newer version."""


class StorageError(SecondUnitError):
    """The disk refused: full, read-only, or gone."""


class HostError(SecondUnitError):
    """No Blender was found, or it ended unexpectedly."""


class JobError(SecondUnitError):
    """A job cannot go on."""


class ConsentNeeded(JobError):
    """Files or text would leave this machine without the user's word."""


class CancelledByUser(SecondUnitError):
    """Stopped on request."""

    exit_code = EXIT_INTERRUPTED


class ServiceFault(Enum):
    """Closed set of reasons why a service did not deliver."""

    AUTH = "auth"
    QUOTA = "quota"
    INVALID_INPUT = "invalid_input"
    MISSING_MODEL = "missing_model"
    MODERATION = "moderation"
    RATE_LIMITED = "rate_limited"
    TRANSIENT = "transient"
    LOST = "lost"
    EXPIRED = "expired"
    PROTOCOL = "protocol"


RETRYABLE = frozenset({ServiceFault.RATE_LIMITED, ServiceFault.TRANSIENT, ServiceFault.EXPIRED})


class ServiceError(SecondUnitError):
    """A generation service refused, failed or could not be reached."""

    def __init__(
        self,
        what: str,
        fix: str,
        *,
        fault: ServiceFault = ServiceFault.PROTOCOL,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, fix)
        self.fault = fault
        self.retry_after_s = retry_after_s

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later without a change."""
        return self.fault in RETRYABLE


FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def storage_error(error: OSError, path: Path | str) -> StorageError:
    """Translate an operating-system error met at ``path`` into a sentence for people."""
    if error.errno in FULL_DISK:
        return StorageError(
            f"The disk is full: '{path}' could not be written.",
            "Free some space or choose another folder with --project, then run the command again.",
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StorageError(
            f"'{path}' is not writable or not readable for you.",
            "Change its permissions or choose another folder with --project.",
        )
    return StorageError(
        f"'{path}' could not be read or written ({error.strerror or error}).", "Check the path and try again."
    )
