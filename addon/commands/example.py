# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the shipped example lies."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "data" / "example"
BLEND = "handover.blend"
