# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the command line and tells, as the last line of JSON, the peaks of memory of it and of its children.

    python bench/peaks.py condition scene.blend …

In kilobytes: ``packing`` is this process, the others are Blenders by their task. Of those the largest up to and with a
task counts for it, which is what Linux tells. Linux only.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from second_unit.addon.cli import main
from second_unit.addon.host import blender


def run(words: list[str]) -> int:
    """The exit code of the command."""
    peaks: dict[str, int] = {}
    # the one place through which every child goes
    talk = blender._talk  # pyright: ignore[reportPrivateUsage] # noqa: SLF001

    def listened(argv: list[str], *rest: Any) -> dict[str, Any]:
        task = json.loads(Path(argv[-1]).read_text("utf-8"))["task"]
        result = talk(argv, *rest)
        peaks[task] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return result

    blender._talk = listened  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
    code = main(words)
    peaks["packing"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(peaks))
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
