# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody at an address is a ComfyUI. Nothing of the artist's is sent."""

from __future__ import annotations

from typing import cast

from ....errors import ServiceError
from .replies import one_line
from .transport import Transport

_READ_S = 5.0


def ask_server(url: str) -> str:
    """One sentence on who answers at ``url``. Raises `ServiceError` when nobody does, or somebody else."""
    http = Transport(url, read_s=_READ_S)
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
