# SPDX-License-Identifier: GPL-3.0-or-later
"""How long to wait and how often to try again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ...errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits in seconds. ``attempts`` counts tries of one call; polls have no end while the service answers."""

    attempts: int = 6
    first_s: float = 0.5
    longest_s: float = 30.0
    longest_told_s: float = 600.0
    poll_first_s: float = 0.25
    poll_longest_s: float = 2.0

    def polls(self) -> Iterator[float]:
        """Waits between polls: growing by half to the longest, for ever."""
        wait = self.poll_first_s
        while True:
            yield wait
            wait = min(wait * 1.5, self.poll_longest_s)

    def wait(self, attempt: int, error: ServiceError) -> float:
        """The wait after a failed try: doubling, or what the service asks for."""
        own = min(self.first_s * 2**attempt, self.longest_s)
        return min(max(own, error.retry_after_s or 0.0), self.longest_told_s)


def retry(call: Callable[[], T], patience: Patience, pause: Callable[[float], None]) -> T:
    """Call until it works. Errors that cannot heal, and the last one of a series, are raised."""
    for attempt in range(patience.attempts - 1):
        try:
            return call()
        except ServiceError as error:
            if not error.is_retryable:
                raise
            pause(patience.wait(attempt, error))
    return call()
