# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody at an address is a ComfyUI. Nothing of the artist's is sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from ....errors import ServiceError
from .replies import one_line
from .transport import Transport

if TYPE_CHECKING:
    from .deadline import Deadline

# a connection, unlike an answer, cannot be ended from another thread
_CONNECT_S, _READ_S = 2.0, 5.0


class Probe:
    """One question to the server at ``url``. `ask` waits for the answer, `stop` ends that from another thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_stopped = threading.Event()
        self._deadline: Deadline | None = None

    def ask(self) -> str:
        """One sentence on who answers. Raises `ServiceError` when nobody does, or somebody else."""
        from .deadline import Deadline  # noqa: PLC0415 - imports requests

        self._deadline = Deadline(_READ_S)
        # as stop does it the other way round, one of the two sees the other
        if self._is_stopped.is_set():
            self._deadline.stop()
        http = Transport(self._url, connect_s=_CONNECT_S, read_s=_READ_S, deadline=self._deadline)
        try:
            system = http.get("/api/system_stats").mapping().get("system")
        finally:
            http.close()
        version = cast("dict[str, object]", system).get("comfyui_version") if isinstance(system, dict) else None
        if not isinstance(version, str):
            raise ServiceError(
                f"Something answers at {http.address.url}, but it is no ComfyUI.", "Check the address and the port."
            )
        return f"ComfyUI {one_line(version)} answers at {http.address.url}."

    def stop(self) -> None:
        """Wait no longer: `ask` raises its `ServiceError`, now or when it is called."""
        self._is_stopped.set()
        if self._deadline is not None:
            self._deadline.stop()
