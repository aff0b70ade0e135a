# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child Blender runs: loads this very copy of the package, performs one task, needs no installed extension."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path


def _load_package() -> None:
    """Make the folder this file lies in importable as ``second_unit``, whatever that folder is called."""
    root = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location(
        "second_unit", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(str(root))
    module = importlib.util.module_from_spec(spec)
    sys.modules["second_unit"] = module
    spec.loader.exec_module(module)


def _main() -> int:
    _load_package()
    tasks = importlib.import_module("second_unit.addon.host.tasks")
    return tasks.run(Path(sys.argv[-1]))


if __name__ == "__main__":
    code = _main()
    sys.stdout.flush()
    sys.stderr.flush()
    # bpy wheels hang (4.5) or crash (4.2) when Python tears them down with classes registered
    os._exit(code)
