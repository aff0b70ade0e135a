# SPDX-License-Identifier: GPL-3.0-or-later
"""A lease: a file that exactly one process holds, made by exclusive create and kept by a heartbeat.

There is no ``fcntl``: projects lie on network drives and on Windows. Age is measured with the file system's own clock
(the heartbeat against a file made just now), so that two machines whose clocks differ agree.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import uuid4

from ...errors import JobError, storage_error
from ...shot.alive import is_running, this_host

if TYPE_CHECKING:
    from types import TracebackType

STALE_S = 60.0
UNOWNED_S = 3.0
"""A lease gets its owner's name in the moment it is made: one that is this old and has none is nobody's."""
BEAT_S = 5.0
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease. ``token`` is new each time; empty: the lease names nobody; `UNKNOWN`: it cannot be read."""

    host: str
    pid: int
    token: str


class LeaseHeld(JobError):
    """Somebody else is at work on this."""


class Lease:
    """Holds ``path`` from `acquire` to `release`. Not to be shared between threads, but for `beat`."""

    def __init__(self, path: Path, *, stale_s: float = STALE_S) -> None:
        self.path = path
        self._stale_s = stale_s
        self._me = Holder(this_host(), os.getpid(), uuid4().hex)
        self.is_lost = False

    def acquire(self) -> None:
        """Take the lease, also from a holder that is gone. Raises `LeaseHeld` or `StorageError`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not self._create(self.path) and not self._take_over():
                raise LeaseHeld(
                    "Another runner is at work on this project.",
                    "Wait for it, or stop it, then run the command again.",
                )
        except OSError as error:
            raise storage_error(error, self.path) from error

    def beat(self) -> bool:
        """Say that the holder lives. False if the lease is no longer ours: then all work has to stop."""
        holder = read_holder(self.path)
        if holder is None or holder.token != self._me.token:
            self.is_lost = True
            return False
        os.utime(self.path)
        return True

    def check(self) -> None:
        """Raise `JobError` if somebody else took the lease."""
        if self.is_lost:
            raise JobError(
                "Another runner took over this project, because this one seemed to be gone.",
                "Let that one finish.",
            )

    def release(self) -> None:
        """Give the lease back; nothing happens if it is no longer ours."""
        holder = read_holder(self.path)
        if holder is not None and holder.token == self._me.token:
            self.path.unlink(missing_ok=True)

    def _create(self, path: Path) -> bool:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        try:
            _write(handle, self._content())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        # Whoever slept between the two lines above may have been taken for gone.
        return read_holder(path) == self._me

    def _content(self) -> bytes:
        return json.dumps({"host": self._me.host, "pid": self._me.pid, "token": self._me.token}).encode()

    def _take_over(self) -> bool:
        """Replace a stale lease. The guard file lets one process at a time look again and replace.

        A lease that was given back meanwhile is not replaced but made: somebody else may be making it, too.
        """
        if is_live(self.path, self._stale_s):
            return False
        if read_holder(self.path) is None:
            return self._create(self.path)
        guard = self.path.with_name(f"{self.path.name}.takeover")
        if not self._create(guard) and not self._break(guard):
            return False
        try:
            before = read_holder(self.path)
            if is_live(self.path, self._stale_s) or read_holder(self.path) != before:
                return False
            if before is None:
                return self._create(self.path)
            aside = self.path.with_name(f"{self.path.name}.{self._me.token}")
            is_made = self._create(aside)
            if is_made:
                aside.replace(self.path)
            return is_made
        finally:
            guard.unlink(missing_ok=True)

    def _break(self, guard: Path) -> bool:
        """Remove the guard of a process that died right behind it. Renaming lets one process win."""
        if is_live(guard, self._stale_s):
            return False
        grave = guard.with_name(f"{guard.name}.{self._me.token}")
        try:
            guard.rename(grave)
        except FileNotFoundError:
            return False
        grave.unlink(missing_ok=True)
        return self._create(guard)


class Heartbeat:
    """Beats a lease from a thread of its own while the holder works."""

    def __init__(self, lease: Lease, every_s: float = BEAT_S) -> None:
        self._lease = lease
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="second-unit-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                if not self._lease.beat():
                    return
            except OSError:
                # A drive that is away for a moment: the next beat tells whether the lease is still ours.
                continue


def read_holder(path: Path) -> Holder | None:
    """Who holds the lease; None if nobody does."""
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError:
        # A drive that is away for a moment says nothing about who holds it.
        return Holder("", 0, UNKNOWN)
    except ValueError:
        # Being written at this moment, or damaged: its age decides.
        return Holder("", 0, "")
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    pid = fields.get("pid")
    return Holder(str(fields.get("host", "")), pid if isinstance(pid, int) else 0, str(fields.get("token", "")))


def is_live(path: Path, stale_s: float = STALE_S) -> bool:
    """Whether somebody holds the lease, shows signs of life and, on this host, still runs."""
    holder = read_holder(path)
    if holder is None:
        return False
    try:
        age = _now(path.parent) - path.stat().st_mtime
    except FileNotFoundError:
        return False
    if not holder.token:
        return age < min(stale_s, UNOWNED_S)
    is_here = holder.host == this_host() and holder.pid > 0
    return age < stale_s and (not is_here or is_running(holder.pid) is not False)


def _write(handle: int, data: bytes) -> None:
    """Write all of ``data`` and close: some disks say only then that they are full."""
    try:
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _now(folder: Path) -> float:
    """The time as the file system of ``folder`` has it, in seconds."""
    probe = folder / f".now.{uuid4().hex}"
    probe.touch()
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)
