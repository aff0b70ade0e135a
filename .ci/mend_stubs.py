# SPDX-License-Identifier: GPL-3.0-or-later
"""Mend the installed types of bpy, in place, where fake-bpy-module misleads pyright; once is enough.

* `Context` has a member called `property`. Inside that class it hides the builtin decorator, and pyright
  takes `context.scene` and every other property for a method: the decorator gets its full name.
* Parameters called `path` in `bpy.path` have no type, which strict mode reports at every call.
"""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

MARK = "# mended by .ci/mend_stubs.py\n"


def mend(stub: Path, pattern: str, replacement: str, header: str = "") -> None:
    """Replace ``pattern`` in ``stub`` once and for all, below ``header``."""
    text = stub.read_text("utf-8")
    if not text.startswith(MARK):
        stub.write_text(MARK + header + re.sub(pattern, replacement, text), encoding="utf-8")


def main() -> None:
    """Mend the stubs in the environment that runs this."""
    stubs = Path(sysconfig.get_path("purelib")) / "bpy-stubs"
    types, path = stubs / "types" / "__init__.pyi", stubs / "path" / "__init__.pyi"
    mend(types, r"(?m)^( +)@property$", r"\1@builtins.property", "import builtins\n")
    mend(path, r"(?m)^(def \w+\(\s*path)(?=[,)])", r"\1: bytes | str")


if __name__ == "__main__":
    main()
