# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks a child Blender knows, and how it answers. Needs bpy.

Each task takes its arguments as `Fields` and returns plain JSON. Answers are lines that begin with ``{"second_unit"``.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ..errors import SecondUnitError, storage_error
from ..shot.documents import Fields
from . import comp_scene, condition, edit_scene, movies, scene_reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..shot.ports import Progress

TASKS: dict[str, Callable[[Fields, Progress], dict[str, Any]]] = {
    "read": scene_reader.read_task,
    "condition": condition.condition_task,
    "encode": movies.encode_task,
    "decode": movies.decode_task,
    "edit": edit_scene.edit_task,
    "comp": comp_scene.comp_task,
    "render": movies.render_task,
}


def run(task_file: Path) -> int:
    """Perform the task described in ``task_file``; 0 when it answered with a result."""
    task: dict[str, Any] = json.loads(task_file.read_text(encoding="utf-8"))
    try:
        result = TASKS[task["task"]](Fields(task["args"], task["task"]), _report)
    except SecondUnitError as error:
        _say({"second_unit": "error", "kind": type(error).__name__, "what": error.what, "fix": error.fix})
        return 1
    except OSError as error:
        _say({"second_unit": "error", "kind": "StorageError", **_sentence(error)})
        return 1
    _say({"second_unit": "result", "result": result})
    return 0


def _sentence(error: OSError) -> dict[str, str]:
    named = storage_error(error, error.filename or "a file")
    return {"what": named.what, "fix": named.fix}


def _report(done: float, total: float, note: str = "") -> None:
    _say({"second_unit": "progress", "done": done, "total": total, "note": note})


def _say(message: dict[str, Any]) -> None:
    # a line of its own, also where Blender left half of one
    sys.stdout.write("\n" + json.dumps(message) + "\n")
    sys.stdout.flush()
