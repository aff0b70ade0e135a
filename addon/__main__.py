# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m second_unit.addon`` is ``second-unit``."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
