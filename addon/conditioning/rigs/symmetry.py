# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane that parts a skeleton into a left and a right half, found from the rest pose alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from .bones import Skeleton

    F64 = npt.NDArray[np.float64]

_TOLERANCE = 0.012
"""How far a bone may lie from its mirror image, and from the plane, in parts of the skeleton's size."""
_APART = 0.005
"""Bones nearer to each other than this part of the size say nothing about a plane."""
_SIBLINGS = 24
_PLANES = 40
_SAMPLE = 400
_LEAST = 8
_EVEN = 0.6
"""Least part of the bones that must have a mirror image."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A plane by ``normal`` (3,) and ``offset``.

    ``side`` (n,) is the signed distance of each bone's head from it, ``size`` the skeleton's, ``share`` the part of the
    bones that are mirrored.
    """

    normal: F64
    offset: float
    side: F64
    size: float
    share: float

    @property
    def tolerance(self) -> float:
        """Distance within which places are the same."""
        return _TOLERANCE * self.size

    def image(self, points: F64) -> F64:
        """Mirror images of ``points`` (..., 3)."""
        return points - 2 * (points @ self.normal - self.offset)[..., None] * self.normal


def find_mirror(skeleton: Skeleton) -> Mirror | None:
    """The plane most bones agree on; None for what has no two halves."""
    heads = skeleton.heads
    size = float(np.linalg.norm(np.ptp(heads, axis=0)))
    if size == 0:
        return None
    best: Mirror | None = None
    score = _LEAST - 1
    for normal, offset in _planes(skeleton, size):
        side = heads @ normal - offset
        mirror = Mirror(normal, offset, side, size, 0.0)
        apart, matched = _matched(heads, mirror)
        if apart > score and matched >= _EVEN:
            score, best = apart, Mirror(normal, offset, side, size, matched)
    return best


def _planes(skeleton: Skeleton, size: float) -> list[tuple[F64, float]]:
    """Planes between bones of one parent or grandparent, each once."""
    found: dict[tuple[int, ...], tuple[F64, float]] = {}
    for children in _relatives(skeleton.parents.tolist()):
        for i, j in combinations(children[:_SIBLINGS], 2):
            across = skeleton.heads[i] - skeleton.heads[j]
            length = float(np.linalg.norm(across))
            if length > _APART * size:
                normal = across / length
                # one sign for both directions, by the largest component
                normal = normal * np.sign(normal[np.argmax(np.abs(normal))])
                offset = float((skeleton.heads[i] + skeleton.heads[j]) @ normal / 2)
                key = (*(round(50 * float(n)) for n in normal), round(offset / size * 100))
                found.setdefault(key, (normal, offset))
    # planes through the middle of the skeleton first: hands and feet have planes of their own
    centre = skeleton.heads.mean(axis=0)
    return sorted(found.values(), key=lambda plane: abs(float(centre @ plane[0]) - plane[1]))[:_PLANES]


def _relatives(parents: list[int]) -> list[list[int]]:
    """Groups of siblings, and of cousins whose parents may begin in one place."""
    siblings: dict[int, list[int]] = {}
    cousins: dict[int, list[int]] = {}
    for i, parent in enumerate(parents):
        siblings.setdefault(parent, []).append(i)
        if parent >= 0:
            cousins.setdefault(parents[parent], []).append(i)
    return [*siblings.values(), *cousins.values()]


def _matched(heads: F64, mirror: Mirror) -> tuple[int, float]:
    """How many of a sample of bones off the plane have an image, and the part of all bones that have one."""
    sample = heads[:: max(1, len(heads) // _SAMPLE)]
    image = mirror.image(sample)
    # mirror against all heads, or a sampled bone's partner may not be in the sample
    squares = (image**2).sum(axis=1)[:, None] + (heads**2).sum(axis=1)[None] - 2 * image @ heads.T
    hit = squares.min(axis=1) < mirror.tolerance**2
    apart = np.abs(sample @ mirror.normal - mirror.offset) > mirror.tolerance
    return int((hit & apart).sum()), float(hit.mean())
