# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks a child Blender knows, and how it answers. Needs bpy.

Each task takes its arguments as `Fields` and returns plain JSON. Answers are lines that begin with ``{"second_unit"``.
What no task foresaw is answered as well, by name and with a report that is kept, and then ends this process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..errors import SecondUnitError, storage_error
from ..shot.documents import Fields
from . import comp_scene, condition, edit_scene, movies, scene_reader
from .blender import REPORTS
from .session import join
from .unforeseen import name_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

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
        with ExitStack() as last:
            last.push(_tell)
            notes = join()
            result = TASKS[task["task"]](Fields(task["args"], task["task"]), _report)
    except SecondUnitError as error:
        _say({"second_unit": "error", "kind": type(error).__name__, "what": error.what, "fix": error.fix})
        return 1
    except OSError as error:
        _say({"second_unit": "error", "kind": "StorageError", **_sentence(error)})
        return 1
    if notes and task["task"] == "read":  # once is enough: every command that draws reads first
        result["notes"] = [*notes, *result["notes"]]
    _say({"second_unit": "result", "result": result})
    return 0


def _tell(kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
    """Answer what is not in our own words with its name; the error goes on its way and ends the process."""
    if kind is None or error is None or issubclass(kind, (SecondUnitError, OSError)) or not issubclass(kind, Exception):
        return
    handle, kept = tempfile.mkstemp(prefix="second_unit_report_", suffix=".txt", dir=os.environ.get(REPORTS))
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    _say({
        "second_unit": "error", "kind": "HostError", "what": f"Blender could not finish this: {name_of(error)}.",
        "fix": f"The report is in '{kept}'; look there for what the scene has to do with it, or send it to us.",
    })  # fmt: skip


def _sentence(error: OSError) -> dict[str, str]:
    named = storage_error(error, error.filename or "a file")
    return {"what": named.what, "fix": named.fix}


def _report(done: float, total: float, note: str = "") -> None:
    _say({"second_unit": "progress", "done": done, "total": total, "note": note})


def _say(message: dict[str, Any]) -> None:
    # a line of its own, also where Blender left half of one
    sys.stdout.write("\n" + json.dumps(message) + "\n")
    sys.stdout.flush()
