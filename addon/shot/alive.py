# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process that left its name in a file still runs. Folders in the making, copies and leases ask this."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DAY_S = 24 * 3600.0


def this_host() -> str:
    """Name of this machine and, on Linux, of this set of process numbers: containers may share a name."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def host_mark() -> str:
    """Eight hex digits for `this_host`, as names of files carry them."""
    return hashlib.sha256(this_host().encode()).hexdigest()[:8]


def is_running(pid: int) -> bool | None:
    """Whether process ``pid`` of this host runs; None where that cannot be asked (signal 0 is Ctrl+C on Windows)."""
    if os.name == "nt":
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def is_left(pids: Iterable[int], host: str | None, touched: Callable[[], float]) -> bool:
    """Whether something is left by processes that have all ended, of a ``host`` as `host_mark` names it.

    Where that cannot be told (another host, Windows, nobody named) it is left when ``touched``, which gives a time as
    `time.time` does, is more than a day ago.
    """
    runs = [is_running(pid) for pid in pids] if host == host_mark() else []
    if runs and None not in runs:
        return not any(runs)
    return time.time() - touched() > _DAY_S
