# SPDX-License-Identifier: GPL-3.0-or-later
"""Print one line per file of a folder, `<sha256>  <path>`, sorted: two runs are compared with diff."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Print the tree of ``folder``."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            print(hashlib.file_digest(file, "sha256").hexdigest(), path.relative_to(folder).as_posix(), sep="  ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
