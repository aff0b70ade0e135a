# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory does not grow with the length of a shot, neither where frames are drawn nor where packages are packed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import EXAMPLE

pytestmark = [
    pytest.mark.host, pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc"),
]  # fmt: skip
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}
# runs the command line, and tells the peaks of this process and of each child, whose last act is to leave its own
PEAKS = """
import json, resource, subprocess, sys
from second_unit.addon.cli import main
from second_unit.addon.host import blender
peaks, talk = {}, blender._talk

def listened(argv, *rest):
    task = json.loads(open(argv[-1]).read())["task"]
    result = talk(argv, *rest)
    peaks[task] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return result

blender._talk = listened
code = main(sys.argv[1:])
peaks["packing"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(peaks))
sys.exit(code)
"""


def peaks(project: Path, frames: int) -> dict[str, int]:
    """In kilobytes. The largest child up to a task counts for it: reading the scene comes first and is smaller."""
    command = [
        sys.executable, "-c", PEAKS, "condition", str(EXAMPLE), "--project", str(project), "--shot", "SH030",
        "--frames", f"1097-{1096 + frames}", "--passes", "all", "--size", "96x64", "--quiet",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600, env=WITHOUT_APP)
    return json.loads(done.stdout.splitlines()[-1])


def test_five_times_the_frames_take_no_more_memory(tmp_path: Path) -> None:
    """Of a frame's raw layers and pictures, 300 kB here, and of its people, 250 kB as Python objects, none stay."""
    short, long = peaks(tmp_path / "short", 24), peaks(tmp_path / "long", 120)
    assert short.keys() >= {"condition", "packing"}
    growth = {name: (long[name] - short[name]) / 96 for name in ("condition", "packing")}
    assert {name: kb for name, kb in growth.items() if kb > 100} == {}
