# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an error that nobody foresaw. Needs no bpy."""

from __future__ import annotations


def name_of(error: BaseException) -> str:
    """``KeyError: 'no such task'``: kind and first line, for the middle of a sentence, so without a stop at its end."""
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".: ")
