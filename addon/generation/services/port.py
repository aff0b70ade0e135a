# SPDX-License-Identifier: GPL-3.0-or-later
"""The port every service adapter implements. The runner knows nothing else about a service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import ServiceError, ServiceFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ...shot.job import Parcel

Ticket = dict[str, Any]
Output = dict[str, str]


class Status(Enum):
    """What a service says about one submission."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """Reply to a poll. ``outputs`` are opaque references for `Service.fetch`, in frame order."""

    status: Status
    progress: float | None = None
    message: str = ""
    outputs: tuple[Output, ...] = ()


class NoAnswer(ServiceError):
    """The service did not answer in time. How long that may go on is for the caller to say."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what, fix, fault=ServiceFault.TRANSIENT)


class ServiceUnreachable(NoAnswer):
    """Nobody answers at the address: worth another try while a job runs, a plain failure before it starts."""


class Service(Protocol):
    """One generation service at one address. Errors are `ServiceError` with a fault that says whether to try again."""

    def preflight(self, parcel: Parcel) -> None:
        """Check everything that can be checked before a byte of content leaves. Raises `ServiceError`."""
        ...

    def upload(self, parcel: Parcel, files: Mapping[str, Path]) -> dict[str, str]:
        """Send the parcel's files (role to local path); returns role to the name the service gave."""
        ...

    def ticket(self, parcel: Parcel, names: Mapping[str, str]) -> Ticket:
        """Make plain JSON that identifies the coming submission and holds ``names``.

        It is stored before `submit`, so that nothing is created twice. It holds no secret.
        """
        ...

    def submit(self, ticket: Ticket, parcel: Parcel) -> None:
        """The one create call. Asks first whether the ticket is known already; never repeated blindly."""
        ...

    def poll(self, ticket: Ticket) -> Answer:
        """Where the submission is."""
        ...

    def fetch(
        self, ticket: Ticket, outputs: Sequence[Output], folder: Path, on_bytes: Callable[[int], None], largest: int
    ) -> list[Path]:
        """Download every output into ``folder`` as ``00000.part`` … in frame order, and return the files.

        A file that is there already is taken up where it ends; one of more than ``largest`` bytes is refused.
        ``on_bytes`` hears the size of every piece; it may raise `CancelledByUser`.
        """
        ...

    def cancel(self, ticket: Ticket) -> None:
        """Ask the service to stop. Harmless when it is over already."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
