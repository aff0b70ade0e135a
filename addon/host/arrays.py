# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections of Blender's as arrays. Reads bpy objects, imports none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def vectors(items: Any, name: str) -> npt.NDArray[np.float32]:
    """(n, 3) float32 of a property that is a vector of three, of every item of a collection."""
    found = np.empty((len(items), 3), np.float32)
    items.foreach_get(name, found.reshape(-1))
    return found
