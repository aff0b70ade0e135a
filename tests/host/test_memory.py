# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory does not grow with the length of a shot, neither where frames are drawn nor where packages are packed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import EXAMPLE, ROOT

pytestmark = [
    pytest.mark.host, pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc"),
]  # fmt: skip
WITHOUT_APP = {name: value for name, value in os.environ.items() if name != "BLENDER"}
PEAKS = ROOT / "bench" / "peaks.py"


def peaks(project: Path, frames: int) -> dict[str, int]:
    """In kilobytes, by task; see the bench."""
    command = [
        sys.executable, str(PEAKS), "condition", str(EXAMPLE), "--project", str(project), "--shot", "SH030",
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
