# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: imports the checkout as `second_unit`, calls `run(args)` of a script, keeps its answer."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn


def load(name: str, file: Path, search: list[str] | None = None) -> ModuleType:
    """Import a file under a name."""
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def answer(order: str, run: Callable[[dict[str, Any]], Any]) -> NoReturn:
    """Import the checkout, keep what ``run`` makes of the order, a JSON object, and end the process."""
    args: dict[str, Any] = json.loads(order)
    root = Path(args["root"])
    load("second_unit", root / "__init__.py", [str(root)])
    Path(args["answer"]).write_text(json.dumps(run(args)), encoding="utf-8")
    sys.stdout.flush()
    # wheels of 4.2 and 4.5 crash or hang when Python tears them down
    os._exit(0)


if __name__ == "__main__":
    # loaded late: a script imports the checkout
    answer(sys.argv[2], lambda args: load(sys.argv[1], Path(__file__).with_name(f"{sys.argv[1]}.py")).run(args))
