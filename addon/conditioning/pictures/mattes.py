# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is where: pictures of ids and of flat colours by object, collection or cast, and opaque mattes for compositing.

Numbers and colours belong to names of the whole shot, so they are the same in every frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...errors import SceneError
from .segmentation import paint

if TYPE_CHECKING:
    import numpy.typing as npt

    from ...shot.geometry import Tag

    Numbers: TypeAlias = npt.NDArray[np.uint16]

MOST = 0xFFFF
"""Names in one picture of ids: 16 bits, 0 is nothing."""

DARKEST = 96
"""Colours have a channel of at least this, so that nothing looks like the black of nothing."""

COARSE, TRIES = 17, 64
"""Channels are multiples of this while that leaves room (so colours differ visibly); afterwards any value."""


class MatteBy(Enum):
    """What a matte is made of."""

    OBJECT = "object"
    COLLECTION = "collection"
    CAST = "cast"

    def names(self, tag: Tag) -> tuple[str, ...]:
        """Everything the thing counts as, the closest last: an object lies in its collection and all around it."""
        if self is MatteBy.COLLECTION:
            return tag.collections
        name = tag.object if self is MatteBy.OBJECT else tag.cast
        return (name,) if name else ()


def matte_ids(tags: Iterable[Tag], by: MatteBy) -> dict[str, int]:
    """Number of each name, from 1 in alphabetical order, over the ``tags`` of all frames of a shot.

    Raises:
        SceneError: if there are more names than numbers.
    """
    names = sorted({name for tag in tags for name in by.names(tag)})
    if len(names) > MOST:
        raise SceneError(
            f"The shot shows {len(names)} names by {by.value}, and a picture of ids holds {MOST}.",
            "Ask for mattes by collection or by cast instead.",
        )
    return {name: number for number, name in enumerate(names, 1)}


def id_picture(numbers: Numbers, tags: Sequence[Tag], by: MatteBy, ids: Mapping[str, int]) -> Numbers:
    """Ids (H, W) uint16 of the closest name, 0 for nothing or without a name.

    ``numbers`` (H, W) are index + 1 into the frame's ``tags``, 0 for nothing; ``ids`` are those of `matte_ids`.
    """
    table = [ids[names[-1]] if (names := by.names(tag)) else 0 for tag in tags]
    return np.array([0, *table], np.uint16)[numbers]


def colour_picture(picture: Numbers, ids: Mapping[str, int]) -> npt.NDArray[np.uint8]:
    """An `id_picture` in flat colours, (H, W, 3) uint8 RGB, black for nothing."""
    colours = np.zeros((max(ids.values(), default=0) + 1, 3), np.uint8)
    for name, colour in matte_colours(ids).items():
        colours[ids[name]] = colour
    return paint(picture, colours)


def matte_colours(names: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """A colour for each name, no two alike and none dark.

    A colour comes from its name alone; only where two would meet the alphabetically later one moves on.
    """
    found: dict[str, tuple[int, int, int]] = {}
    taken: set[tuple[int, int, int]] = set()
    for name in sorted(set(names)):
        colour = next(c for c in map(_colour, (f"{name}\0{i}" for i in count()), count()) if _is_free(c, taken))
        taken.add(colour)
        found[name] = colour
    return found


def _colour(seed: str, attempt: int) -> tuple[int, int, int]:
    r, g, b = hashlib.sha256(seed.encode()).digest()[:3]
    if attempt >= TRIES:
        return r, g, b
    return r // COARSE * COARSE, g // COARSE * COARSE, b // COARSE * COARSE


def _is_free(colour: tuple[int, int, int], taken: set[tuple[int, int, int]]) -> bool:
    return max(colour) >= DARKEST and colour not in taken


def opaque_matte(numbers: Numbers, tags: Sequence[Tag], by: MatteBy, name: str) -> npt.NDArray[np.float32]:
    """Coverage (H, W) float32, 1 where the thing counts as ``name`` and 0 elsewhere: a channel for an EXR.

    A collection's matte holds everything in the collections within it too.
    """
    table = [name in by.names(tag) for tag in tags]
    return np.array([False, *table], np.float32)[numbers]
