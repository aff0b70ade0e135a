# SPDX-License-Identifier: GPL-3.0-or-later
"""``rehearse``: the rehearsal service on loopback, for anybody who speaks ComfyUI."""

from __future__ import annotations

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


def rehearse(console: Console, port: int, blender: str | None) -> None:
    """Serve until interrupted."""
    codec = BlenderCodec(find_blender(blender))
    with tempfile.TemporaryDirectory(prefix="second_unit_rehearsal_") as folder:
        try:
            server = RehearsalServer(codec, Path(folder), port)
        except OSError as error:
            raise UsageError(f"Port {port} is taken.", "Choose another with --port, or 0 for any free one.") from error
        with server:
            console.say(f"The rehearsal service listens at {server.url}. Ctrl-C ends it.")
            console.record("rehearsal", {"url": server.url})
            threading.Event().wait()
