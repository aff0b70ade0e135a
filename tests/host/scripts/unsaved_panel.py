# SPDX-License-Identifier: GPL-3.0-or-later
"""The button in a file that was never saved."""

from __future__ import annotations

from typing import Any

import bpy
from panel import _enable


def run(args: dict[str, Any]) -> Any:
    """What the operator reports."""
    registration, _ = _enable(args["root"])
    try:
        bpy.ops.second_unit.run_loop()
    except RuntimeError as error:
        return {"error": str(error)}
    finally:
        registration.unregister()
    return {"error": ""}
