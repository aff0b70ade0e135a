# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender application: the parent of `parent.py`, and children of the same application on its copy."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any


def run(args: dict[str, Any]) -> Any:
    """What the parent found, with hashes and notes of a child with its session and of one without."""
    from second_unit.addon.host.blender import SESSION, find_blender, run_task

    found: dict[str, Any] = importlib.import_module("parent").run(args)
    order = {**args["order"], "blend": found["copy"], "scene": None, "cache": str(Path(args["folder"]) / "child cache")}
    blender = find_blender(None)
    os.environ[SESSION] = found["session"]
    found["child"] = run_task(blender, "condition", order)["hashes"]
    found["notes"] = run_task(blender, "read", {"blend": found["copy"], "scene": None})["notes"]
    del os.environ[SESSION]
    found["without session"] = run_task(blender, "condition", order)["hashes"]
    return {**found, "command": blender.command, "is_app": blender.is_app}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from main import answer

    answer(sys.argv[-1], run)
