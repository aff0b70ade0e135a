# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: imports the checkout as `second_unit`, calls `run(args)` of a script, keeps its answer."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def load(name: str, file: Path, search: list[str] | None = None) -> ModuleType:
    """Import a file under a name."""
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    args: dict[str, Any] = json.loads(sys.argv[2])
    root = Path(args["root"])
    load("second_unit", root / "__init__.py", [str(root)])
    result = load(sys.argv[1], Path(__file__).with_name(f"{sys.argv[1]}.py")).run(args)
    Path(args["answer"]).write_text(json.dumps(result), encoding="utf-8")
    sys.stdout.flush()
    # wheels of 4.2 and 4.5 crash or hang when Python tears them down
    os._exit(0)
