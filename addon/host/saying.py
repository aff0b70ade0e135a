# SPDX-License-Identifier: GPL-3.0-or-later
"""How notes name many things without becoming long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAID = 3


def first_few(texts: Sequence[str], between: str = "; ") -> str:
    """The first few of what is to be said, and how many more there are."""
    more = f" and {len(texts) - _SAID} more" if len(texts) > _SAID else ""
    return between.join(texts[:_SAID]) + more


def names_of(names: Sequence[str]) -> str:
    """The first few names in quotes, and how many more there are."""
    return first_few([f"'{name}'" for name in names], ", ")
