# SPDX-License-Identifier: GPL-3.0-or-later
"""Freed pictures stay with the process: their pages are not touched anew."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, numpy as np
from second_unit.addon.conditioning.heap import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        picture = np.ones((720, 1280, 3), np.float32)
        del picture
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
keep_freed_memory()
faults()
print(usual, faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that gives memory back at once")
def test_freed_pictures_are_used_again() -> None:
    told = subprocess.run([sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    usual, kept = (int(word) for word in told.split())
    assert kept < usual / 10
