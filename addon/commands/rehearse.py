# SPDX-License-Identifier: GPL-3.0-or-later
"""``rehearse``: the rehearsal service on loopback, for anybody who speaks ComfyUI."""

from __future__ import annotations

import errno
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..generation.rehearsal.server import RehearsalServer
from ..host.blender import find_blender
from ..host.codec import BlenderCodec

if TYPE_CHECKING:
    from .console import Console

LARGEST_PORT = 65535


def rehearse(console: Console, port: int, blender: str | None) -> None:
    """Serve until interrupted. Raises `UsageError` for a port that is none or cannot be had."""
    if not 0 <= port <= LARGEST_PORT:
        raise UsageError(f"{port} is no port.", f"Choose one from 1 to {LARGEST_PORT}, or 0 for any free one.")
    codec = BlenderCodec(find_blender(blender))
    with tempfile.TemporaryDirectory(prefix="second_unit_rehearsal_") as folder:
        try:
            server = RehearsalServer(codec, Path(folder), port)
        except OSError as error:
            what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror or error})"
            raise UsageError(f"Port {port} {what}.", "Choose another with --port, or 0 for any free one.") from error
        with server:
            console.say(f"The rehearsal service listens at {server.url}. Ctrl-C ends it.")
            console.record("rehearsal", {"url": server.url})
            threading.Event().wait()
