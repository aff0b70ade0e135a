# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process that left its name in a file still runs. Folders in the making and leases ask this."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path


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
