# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vertices of a mesh are which of the 68 points, by what its shape keys move.

A mesh whose eyes blink and whose jaw opens tells where its lids, lips and chin are. The names are those of Apple's
ARKit, Character Creator, VRM and VRoid, MikuMikuDance; left is the person's own left. Rules, all at rest:

- lids: what blinking moves farthest is the upper lid's edge, which lands on the lower lid; the ends of what it moves
  are the corners, half way down;
- lips: where, in the middle, what the jaw moves meets what it leaves; their corners are where a smile pulls most;
- chin, brows, wings of the nose: where jaw, brows and sneer move most.

Jaw line, bridge of the nose and the lips between corner and middle are not told by any key and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    F64 = npt.NDArray[np.float64]

_NAMES: dict[str, tuple[str, ...]] = {
    "blink": ("eyeblink", "fcleyeclose", "blink", "まばたき"),
    "jaw": ("jawopen", "fclmtha", "mouthopen", "aa", "あ"),
    "smile": ("mouthsmile", "fclmthjoy"),
    "brow inner": ("browinnerup", "browraiseinner"),
    "brow outer": ("browouterup", "browraiseouter"),
    "sneer": ("nosesneer",),
}
"""Names without case, blanks and marks; a side may follow."""
_SIDED = (("left", "l"), ("right", "r"))
_SHORTEST_END = 6
"""Shorter names count only when the key is called just that; longer ones may follow an exporter's prefix."""

_EYES = (((45, 42), (44, 43), (46, 47)), ((36, 39), (37, 38), (41, 40)))
"""Left and right: corners, upper lid, lower lid, the outer point first."""
_PEAKS = {"smile": ((54, 64), (48, 60)), "brow inner": ((22,), (21,)), "brow outer": ((25,), (18,)),
          "sneer": ((35,), (31,))}  # fmt: skip
"""Left and right points at the peak of an expression."""
_CHIN, _UPPER_LIP, _LOWER_LIP = 8, (51, 62), (57, 66)

_STILL = 0.12
"""Less of the largest travel than this is no travel: a blink lifts the cheek a little."""
_TOP = 0.9
"""Where a key moves more than this of its largest travel is its peak."""
_EDGE = 0.8
"""What moves more than this of the largest travel beside it lies on the edge of the lid."""
_FLAT = np.array([1.0, 0.3, 1.0])
"""Up, forward, left: how much a difference counts when a vertex is looked for; keys move along the front of a face."""
_STRIP = 0.05
"""Half the width of the strip that is the middle of a face, by the distance of the eyes; of a lid, by its width."""
_ROW = 0.02
"""Height of the rows by which lips are told apart, by the distance of the eyes: about a millimetre."""
_LEFT_BEHIND = 0.2
"""What moves less than this share of the chin's travel hangs on the skull, not on the jaw."""


def wanted(names: Iterable[str]) -> dict[tuple[str, int], str]:
    """Shape key by expression and side: 0 left, 1 right, 2 both. The first name of the table that is there counts."""
    plain = {name: "".join(letter for letter in name.casefold() if letter.isalnum()) for name in names}
    found: dict[tuple[str, int], str] = {}
    for expression, aliases in _NAMES.items():
        for side, words in enumerate((*_SIDED, ("",))):
            spelt = [alias + word for alias in aliases for word in words]
            key = next((name for spelling in spelt for name, said in plain.items() if _says(said, spelling)), None)
            if key is not None:
                found[expression, side] = key
    return found


def _says(said: str, spelling: str) -> bool:
    return said == spelling or (len(spelling) >= _SHORTEST_END and said.endswith(spelling))


@dataclass(frozen=True, slots=True)
class FaceShapes:
    """A mesh at rest and what its keys do to it.

    ``rest`` (n, 3) in the head's axes: up, forward and left in any unit; ``moves`` the travel (n, 3) of the keys of
    `wanted`, in the same axes.
    """

    rest: F64
    moves: Mapping[tuple[str, int], F64]

    def points(self) -> dict[int, int]:
        """Point to vertex, of those that the keys tell. Without both eyes and a jaw it is no face: nothing."""
        lids = [self._lids(side) for side in (0, 1)]
        if not all(lids) or ("jaw", 2) not in self.moves:
            return {}
        found = {point: vertex for eye in lids for point, vertex in eye.items()}
        apart = float(np.ptp(self.rest[[found[_EYES[side][0][1]] for side in (0, 1)], 2]))
        found |= self._mouth(apart)
        for expression, sides in _PEAKS.items():
            for side, points in enumerate(sides):
                travel = self._travel(expression, side)
                if travel is not None:
                    found |= dict.fromkeys(points, self._peak(travel, travel > 0))
        return found

    def _move(self, expression: str, side: int) -> F64 | None:
        """The travel of an expression on one side, 0 on the other; None without a key that mostly moves this side."""
        one, both = self.moves.get((expression, side)), self.moves.get((expression, 2))
        is_here = (self.rest[:, 2] > 0) == (side == 0)
        for move, least in ((one, 0.5), (both, 0.0)):
            whole = 0.0 if move is None else float((move * move).sum())
            if move is not None and whole > 0 and float((move[is_here] ** 2).sum()) > least * whole:
                return np.where(is_here[:, None], move, 0.0)
        return None

    def _travel(self, expression: str, side: int) -> F64 | None:
        move = self._move(expression, side)
        return None if move is None else np.linalg.norm(move, axis=1)

    def _peak(self, travel: F64, among: Bools) -> int:
        """The vertex in the middle of those of ``among`` that travel most."""
        top = np.flatnonzero(among & (travel >= _TOP * travel[among].max()))
        return self._nearest(self.rest[top].mean(axis=0), top)

    def _nearest(self, place: F64, among: Sequence[int] | npt.NDArray[np.int64]) -> int:
        return int(among[int(np.linalg.norm((self.rest[among] - place) * _FLAT, axis=1).argmin())])

    def _lids(self, side: int) -> dict[int, int]:
        """The six points of one eye, or none."""
        move = self._move("blink", side)
        if move is None:
            return {}
        travel = np.linalg.norm(move, axis=1)
        moved = travel > _STILL * travel.max()
        outward = self.rest[:, 2] * (1 if side == 0 else -1)
        corners, upper, lower = _EYES[side]
        first, last = float(outward[moved].max()), float(outward[moved].min())
        strip = _STRIP * (first - last)
        top = self._peak(travel, moved)
        level = float(self.rest[top, 0] + move[top, 0] / 2)
        found: dict[int, int] = {}
        for point, end in zip(corners, (first, last), strict=True):
            close = np.flatnonzero(moved & (np.abs(outward - end) <= strip))
            found[point] = int(close[np.abs(self.rest[close, 0] - level).argmin()])
        still = np.flatnonzero(travel < 0.5 * travel.max())
        for above, below, share in zip(upper, lower, (1 / 3, 2 / 3), strict=True):
            target = first + share * (last - first)
            column = np.flatnonzero(moved & (np.abs(outward - target) <= 2 * strip))
            if not len(column):
                return {}
            edge = column[travel[column] >= _EDGE * travel[column].max()]
            found[above] = int(edge[np.abs(outward[edge] - target).argmin()])
            found[below] = self._nearest(self.rest[found[above]] + move[found[above]], still)
        return found

    def _mouth(self, apart: float) -> dict[int, int]:
        """Chin, and both lips in the middle where they can be told."""
        up, ahead, aside = self.rest.T
        travel = np.linalg.norm(self.moves["jaw", 2], axis=1)
        middle = np.abs(aside) <= max(_STRIP * apart, float(np.abs(aside).min()))
        if not travel[middle].max() > 0:
            return {}
        chin = int(np.flatnonzero(middle)[travel[middle].argmax()])
        # what shows from in front, from the chin up: the foremost vertex of every row
        rows = np.floor(up / (_ROW * apart))
        shown = [int(row[ahead[row].argmax()]) for row in _groups(np.flatnonzero(middle & (up >= up[chin])), rows)]
        share = travel[shown] / travel[chin]
        rest = np.flatnonzero(share < _LEFT_BEHIND)
        if not len(rest) or not rest[0]:
            return {_CHIN: chin}
        moved = np.flatnonzero(share[: rest[0]] > 0.5)
        lips = shown[int(rest[0])], shown[int(moved[-1])]
        return {_CHIN: chin} | dict.fromkeys(_UPPER_LIP, lips[0]) | dict.fromkeys(_LOWER_LIP, lips[1])


def _groups(vertices: npt.NDArray[np.int64], rows: F64) -> list[npt.NDArray[np.int64]]:
    """``vertices`` by their row, from the lowest up."""
    ordered = vertices[np.argsort(rows[vertices], kind="stable")]
    return np.split(ordered, np.flatnonzero(np.diff(rows[ordered])) + 1)
