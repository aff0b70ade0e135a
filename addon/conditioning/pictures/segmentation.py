# SPDX-License-Identifier: GPL-3.0-or-later
"""Things in the colours of their ADE20K class. Nothing is smoothed: a blend of two colours is a third class."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from ...errors import UsageError
from .ade20k import ADE20K
from .class_names import guess_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ...shot.geometry import Tag

UNASSIGNED = (0, 0, 0)
"""Colour of what has no class; no class of ADE20K is black."""


def check_class(name: str) -> str:
    """The class as ADE20K writes it, whatever the case; "" stays as it is.

    Raises:
        UsageError: if there is no such class.
    """
    wanted = " ".join(name.casefold().replace("_", " ").split())
    if wanted and wanted not in ADE20K:
        near = get_close_matches(wanted, ADE20K, 3) or ["wall", "floor", "person"]
        raise UsageError(
            f"'{name}' is not a class of ADE20K.",
            f"Choose one of its 150 classes, for example {', '.join(near)}, or its number there, from 0 (wall) to 149.",
        )
    return wanted


def class_name(value: str | float) -> str:
    """What an artist wrote as a class, as text: a name, or the number of a class of ADE20K, where 0 is wall.

    What is neither comes back as it was written; `check_class` says so.
    """
    if isinstance(value, str):
        return value.strip()
    is_number = not isinstance(value, bool) and value in range(len(ADE20K))
    return list(ADE20K)[int(value)] if is_number else str(value)


def segmentation(
    numbers: npt.NDArray[np.uint16],
    tags: Sequence[Tag],
    person: npt.NDArray[np.uint8] | None = None,
    *,
    guess: bool = False,
    sky: bool = False,
) -> npt.NDArray[np.uint8]:
    """Classes as (H, W, 3) uint8 RGB.

    ``numbers`` (H, W) are index + 1 into ``tags``, 0 for nothing; ``person`` (H, W) uint8 is 0 for nobody. The class is
    the one assigned, else person for people, else with ``guess`` the one the names suggest, else `UNASSIGNED`; what
    shows nothing is `UNASSIGNED` too, or with ``sky`` the class sky.

    Raises:
        UsageError: if a tag is labelled with what is no class.
    """
    assigned = [_assigned(tag) for tag in tags]
    guessed = [label or (_guess(tag) if guess else "") for tag, label in zip(tags, assigned, strict=True)]
    colours = [ADE20K.get(label, UNASSIGNED) for label in ["sky" if sky else "", *guessed]]
    picture = paint(numbers, np.array(colours, np.uint8))
    if person is not None:
        free = np.array([False, *(not label for label in assigned)], bool)
        picture[free[numbers] & (person > 0)] = ADE20K["person"]
    return picture


def _assigned(tag: Tag) -> str:
    try:
        return check_class(tag.label)
    except UsageError as error:
        raise UsageError(f"'{tag.object}': {error.what}", error.fix) from error


def paint(numbers: npt.NDArray[np.uint16], colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Flat colours (H, W, 3) for ``numbers`` (H, W) out of a table (n, 3)."""
    picture = np.empty((*numbers.shape, 3), np.uint8)
    for channel in range(3):
        picture[:, :, channel] = colours[:, channel][numbers]
    return picture


def _guess(tag: Tag) -> str:
    """The class its name suggests, else the one of the innermost collection that suggests any."""
    names = (tag.object, *reversed(tag.collections))
    return next((found for name in names if (found := guess_class(name))), "")
