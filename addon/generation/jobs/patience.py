# SPDX-License-Identifier: GPL-3.0-or-later
"""How long to wait and how often to try again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ...errors import ServiceError
from ..services.port import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits in seconds. ``attempts`` counts tries of one call; polls have no end while the service answers.

    ``silence_s`` is how long a service may not answer at all, ``farewells`` how often it is asked to cancel.
    """

    attempts: int = 6
    silence_s: float = 600.0
    farewells: int = 3
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
        own = min(self.first_s * 2 ** min(attempt, 16), self.longest_s)
        return min(max(own, error.retry_after_s or 0.0), self.longest_told_s)


def retry(call: Callable[[], T], patience: Patience, pause: Callable[[float, ServiceError], None]) -> T:
    """Call until it works. Errors that cannot heal, and the last one of a series, are raised.

    ``pause`` gets the wait and the error; it ends a silence that lasts too long by raising: no `NoAnswer` is counted.
    """
    tries = failed = 0
    while True:
        try:
            return call()
        except ServiceError as error:
            failed += not isinstance(error, NoAnswer)
            if not error.is_retryable or failed >= patience.attempts:
                raise
            pause(patience.wait(tries, error), error)
        tries += 1


def say_goodbye(call: Callable[[], None], patience: Patience, sleep: Callable[[float], None]) -> None:
    """Call a few times, and raise the last error: whoever wants to leave does not wait for a service for long."""
    for attempt in range(patience.farewells - 1):
        try:
            return call()
        except ServiceError as error:
            if not error.is_retryable:
                raise
            sleep(min(patience.wait(attempt, error), patience.longest_s))
    return call()
