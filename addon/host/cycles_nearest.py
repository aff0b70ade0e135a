# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several appearances of an object is at a place. Needs Blender's mathutils.

Places are halved into ever smaller groups, and appearances dropped whose box cannot be nearest to a group; only where
boxes of several meet are their surfaces asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from mathutils.bvhtree import BVHTree  # pyright: ignore[reportMissingModuleSource]
from mathutils.kdtree import KDTree  # pyright: ignore[reportMissingModuleSource]

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ..shot.geometry import Instance, Mesh

    F64: TypeAlias = npt.NDArray[np.float64]
    I64: TypeAlias = npt.NDArray[np.int64]

_FEW = 2048
"""Pairs of places and appearances that are compared one by one."""
_TOUCHES = 3e-6
"""Share of the largest coordinate within which a place lies on a surface: places are float32."""


class Nearest:
    """Finds the nearest appearance, and keeps what it made of the meshes as long as they are asked for.

    Memory: a search tree for each mesh whose appearances meet.
    """

    def __init__(self) -> None:
        self._trees: dict[int, tuple[Mesh, Any]] = {}
        self._used: set[int] = set()

    def forget(self) -> None:
        """Drop the search trees that were not used since the last time."""
        self._trees = {key: kept for key, kept in self._trees.items() if key in self._used}
        self._used = set()

    def of(self, points: F64, instances: Sequence[Instance], meshes: Sequence[Mesh]) -> I64:
        """The index into ``instances`` of each of the world ``points`` (n, 3); the first of those equally near.

        A mesh without triangles is where its corners are. ``meshes`` are those of the frame.
        """
        extents = {number: _extent(meshes[number]) for number in {one.mesh for one in instances}}
        boxes = np.array([_box(one.matrix, *extents[one.mesh]) for one in instances])
        chosen = np.zeros(len(points), np.int64)
        waiting = [(np.arange(len(points)), np.flatnonzero(np.isfinite(boxes).all(axis=(1, 2))))]
        while waiting:
            rows, among = waiting.pop()
            among = _possible(points[rows], boxes, among)
            if len(among) <= 1:
                chosen[rows] = among[0] if len(among) else 0
            elif len(rows) * len(among) <= _FEW or len(rows) == 1:
                chosen[rows] = self._by_surface(points[rows], instances, meshes, boxes, among)
            else:
                waiting += [(half, among) for half in _halves(points, rows)]
        return chosen

    def _by_surface(
        self, points: F64, instances: Sequence[Instance], meshes: Sequence[Mesh], boxes: F64, among: I64
    ) -> I64:
        low, high = boxes[among, 0], boxes[among, 1]
        spot = points[:, None]
        gaps = np.linalg.norm(np.maximum(np.maximum(low - spot, spot - high), 0.0), axis=2)
        chosen = among[gaps.argmin(axis=1)]
        best = np.full(len(points), np.inf)
        touches = _TOUCHES * np.abs(points).max()
        columns: list[int] = np.argsort(gaps.sum(axis=0), kind="stable").tolist()
        # to ask whether it touches is quick, to ask how far it is takes long
        for reach, column in [*((touches, column) for column in columns), *((np.inf, column) for column in columns)]:
            is_open = gaps[:, column] < np.minimum(best, reach)
            # of several that are touched the nearest counts; once one is, no other is asked
            open_rows = np.flatnonzero(is_open if reach == touches else is_open & (best > touches))
            if not len(open_rows):
                continue
            one = instances[int(among[column])]
            limit = np.minimum(best[open_rows], reach)
            found = self._distances(points[open_rows], one, meshes[one.mesh], limit)
            nearer = found < limit
            best[open_rows[nearer]] = found[nearer]
            chosen[open_rows[nearer]] = among[column]
        return chosen

    def _distances(self, points: F64, instance: Instance, mesh: Mesh, limit: F64) -> F64:
        """From each point to the surface: exact where the appearance is not stretched, and where it is 0."""
        matrix = instance.matrix
        inverse = np.linalg.pinv(matrix[:3, :3])
        scale = float(np.abs(np.linalg.det(matrix[:3, :3]))) ** (1 / 3) or 1.0
        places: list[list[float]] = ((points - matrix[:3, 3]) @ inverse.T).tolist()
        tree = self._tree(mesh)
        if len(mesh.triangles):
            # beyond the limit it finds nothing
            reach = np.minimum(limit / scale, 1e30).tolist()
            found = [tree.find_nearest(place, far)[3] for place, far in zip(places, reach, strict=True)]
        else:
            found = [tree.find(place)[2] for place in places]
        return np.array([np.inf if one is None else one * scale for one in found])

    def _tree(self, mesh: Mesh) -> Any:
        key = id(mesh)
        self._used.add(key)
        if key not in self._trees:
            self._trees[key] = mesh, _tree_of(mesh)
        return self._trees[key][1]


def _tree_of(mesh: Mesh) -> Any:
    sound = np.isfinite(mesh.positions).all(axis=1)
    if len(mesh.triangles):
        corners = np.where(sound[:, None], mesh.positions, np.float32(0)).tolist()
        whole = mesh.triangles[sound[mesh.triangles].all(axis=1)]
        search: Any = BVHTree
        return search.FromPolygons(corners, whole.tolist(), all_triangles=True)
    places: list[list[float]] = mesh.positions[sound].tolist()
    tree = KDTree(len(places))
    for number, place in enumerate(places):
        tree.insert(place, number)
    tree.balance()
    return tree


def _extent(mesh: Mesh) -> tuple[F64, F64]:
    """Middle and half size (3,) of the box around a mesh; NaN for one that is nowhere."""
    positions = mesh.positions[np.isfinite(mesh.positions).all(axis=1)]
    if not len(positions):
        return np.full(3, np.nan), np.full(3, np.nan)
    low, high = positions.min(axis=0).astype(np.float64), positions.max(axis=0).astype(np.float64)
    return (low + high) / 2, (high - low) / 2


def _box(matrix: F64, middle: F64, half: F64) -> F64:
    """Lowest and highest corner (2, 3) in the world of a box around what has this extent."""
    centre = matrix[:3, :3] @ middle + matrix[:3, 3]
    reach = np.abs(matrix[:3, :3]) @ half
    return np.stack([centre - reach, centre + reach])


def _possible(points: F64, boxes: F64, among: I64) -> I64:
    """Those of the appearances that may be nearest to one of the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    inside, outside = boxes[among, 0], boxes[among, 1]
    least = (np.maximum(np.maximum(inside - high, low - outside), 0.0) ** 2).sum(axis=1)
    most = (np.maximum(np.abs(outside - low), np.abs(high - inside)) ** 2).sum(axis=1)
    return among[least <= most.min(initial=np.inf)]


def _halves(points: F64, rows: I64) -> list[I64]:
    """Split at the middle of the longest side."""
    part = points[rows]
    axis = int(np.argmax(part.max(axis=0) - part.min(axis=0)))
    order = np.argpartition(part[:, axis], len(rows) // 2)
    return [rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]]
