# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child runs: loads this very copy of the package, whatever its folder is called, and needs no installation.

In a Blender it performs one task (``… child_main.py TASK.json``); ``… child_main.py --cli WORDS`` is the command line.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
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


def _use_site() -> None:
    """What whoever started us could import and this Python may lack; after all the rest, so that it hides nothing."""
    for folder in os.environ.get("SECOND_UNIT_SITE", "").split(os.pathsep):
        if folder and folder not in sys.path:
            sys.path.append(folder)


def _main() -> int:
    _use_site()
    _load_package()
    if "--cli" in sys.argv:
        sys.argv[1:] = sys.argv[sys.argv.index("--cli") + 1 :]
        return importlib.import_module("second_unit.addon.cli").main()
    return importlib.import_module("second_unit.addon.host.tasks").run(Path(sys.argv[-1]))


if __name__ == "__main__":
    code = _main()
    sys.stdout.flush()
    sys.stderr.flush()
    if "bpy" not in sys.modules:
        sys.exit(code)
    # bpy wheels hang (4.5) or crash (4.2) when Python tears them down with classes registered
    shutil.rmtree(sys.modules["bpy"].app.tempdir, ignore_errors=True)
    os._exit(code)
