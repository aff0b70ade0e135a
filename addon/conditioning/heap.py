# SPDX-License-Identifier: GPL-3.0-or-later
"""How the process keeps memory while frames are worked on."""

from __future__ import annotations

import ctypes
import sys

# glibc's names for these numbers, malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST_PIECE = 32 * 1024 * 1024
"""The most that glibc takes for the mmap threshold on 64 bits."""
_KEPT, _STEP = 1024 * 1024 * 1024, 64 * 1024 * 1024


def keep_freed_memory() -> None:
    """Let the pictures that were freed stay with this process, for the next ones.

    glibc hands every large array back and takes it anew, and the first touch of its pages then costs as much as the
    arithmetic: a third of packing a frame (docs/performance.md). Other systems keep memory by themselves. For processes
    that do this and then end: nothing is set back.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for what, size in ((_MMAP_THRESHOLD, _LARGEST_PIECE), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _STEP)):
            mallopt(what, size)
