# SPDX-License-Identifier: GPL-3.0-or-later
"""An end for every call: requests knows only how long one byte may take, and a server may send one at a time for ever.

Slow to import (requests): imported when the first call is made.
"""

from __future__ import annotations

import io
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Callable

CALL_S = 60.0
SLOWEST = 1 << 14
"""Bytes per second: what moves more slowly for longer than `CALL_S` does not move."""


@dataclass(slots=True)
class Deadline:
    """How long the present call may still take: ``call_s``, and a second for every ``slowest`` bytes that moved.

    ``read_s`` is what one piece may take. Not to be shared between threads, but for `stop`.
    """

    read_s: float
    call_s: float = CALL_S
    slowest: float = SLOWEST
    clock: Callable[[], float] = time.monotonic
    _end: float = 0.0
    _socket: Any = None
    _is_stopped: bool = False

    def begin(self) -> None:
        """A new call begins."""
        self._end = self.clock() + self.call_s

    def moved(self, count: int) -> None:
        """So many bytes came or went."""
        self._end += count / self.slowest

    def left(self) -> float:
        """Seconds the next piece may take. Raises `TimeoutError` when the call has none left."""
        left = self._end - self.clock()
        if left <= 0 or self._is_stopped:
            raise TimeoutError("the call takes too long")
        return min(left, self.read_s)

    def hold(self, sock: Any) -> None:
        """The call now uses this socket."""
        self._socket = sock
        if self._is_stopped:
            self.stop()

    def stop(self) -> None:
        """End the present call, and every later one: whoever waits for the server waits no longer. For any thread."""
        self._is_stopped = True
        if self._socket is not None:
            with suppress(OSError):  # closed already
                # not the socket's own way: one with TLS forgets its session then, in the middle of the other's read
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Socket:
    """A connected socket whose every move is bound by a deadline. All else is the socket's own."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        deadline.hold(sock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)
        self._deadline.moved(len(data))

    def makefile(self, mode: str = "rb", *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._sock.makefile(mode, buffering=0), self._deadline))


class _Reader(io.RawIOBase):
    """What arrives at a socket, within the deadline."""

    def __init__(self, sock: Any, raw: Any, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        count = self._raw.readinto(buffer) or 0
        self._deadline.moved(count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class DeadlineAdapter(HTTPAdapter):
    """Makes connections that keep ``deadline``, also through a proxy."""

    def __init__(self, deadline: Deadline) -> None:
        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                self.sock: Any = _Socket(self.sock, deadline)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                self.sock: Any = _Socket(self.sock, deadline)

        self._pools: dict[str, Any] = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure}),
        }
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """See `HTTPAdapter`."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """See `HTTPAdapter`."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager
