# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of a face on the meshes of a person, where shape keys tell them. Reads bpy objects, imports none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..conditioning.rigs.face_shapes import FaceShapes, wanted
from ..shot.people import FACE
from .arrays import vectors
from .carriers import is_deformed_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ..conditioning.rigs.bones import PersonMap

    F64 = npt.NDArray[np.float64]

_ADDING = {"SUBSURF", "MULTIRES", "EDGE_SPLIT", "SOLIDIFY"}
"""Modifiers that put the vertices of the mesh below first, in their order (seen on 4.2, 4.5 and 5.0).

Not so Solidify in its complex mode, which makes new ones of all.
"""
_SAME_VERTICES = {
    "ARMATURE", "CAST", "CLOTH", "COLLISION", "CORRECTIVE_SMOOTH", "CURVE", "DATA_TRANSFER", "DISPLACE", "HOOK",
    "LAPLACIANDEFORM", "LAPLACIANSMOOTH", "LATTICE", "MESH_CACHE", "MESH_DEFORM", "MESH_SEQUENCE_CACHE", "NORMAL_EDIT",
    "PARTICLE_SYSTEM", "SHRINKWRAP", "SIMPLE_DEFORM", "SMOOTH", "SOFT_BODY", "SURFACE_DEFORM", "TRIANGULATE",
    "UV_PROJECT", "UV_WARP", "VERTEX_WEIGHT_EDIT", "VERTEX_WEIGHT_MIX", "VERTEX_WEIGHT_PROXIMITY", "VOLUME_DISPLACE",
    "WARP", "WAVE", "WEIGHTED_NORMAL",
}  # fmt: skip
"""Modifiers that move vertices at most."""
_SAME_NODES = {
    "CAPTURE_ATTRIBUTE", "GROUP_INPUT", "GROUP_OUTPUT", "REMOVE_ATTRIBUTE", "REROUTE", "SET_MATERIAL", "SET_POSITION",
    "SET_SHADE_SMOOTH", "STORE_NAMED_ATTRIBUTE",
}  # fmt: skip
"""Geometry nodes that keep every vertex; Blender's own Smooth by Angle is made of them."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A mesh object with ``count`` vertices, and which of them (k,) are which ``joints`` (k,)."""

    thing: Any
    count: int
    joints: npt.NDArray[np.int64]
    vertices: npt.NDArray[np.int64]


class FaceMesh:
    """The meshes of one person whose shape keys tell where points of the face are; see `rigs.face_shapes`."""

    def __init__(self, rig: Any, mapping: PersonMap, meshes: Sequence[Any]) -> None:
        self._rig, self._mapping = rig, mapping
        self._meshes = [thing for thing in meshes if mapping.head is not None and _tells(thing)]
        self._told: list[_Told] | None = None

    def add_to(self, joints: F64, depsgraph: Any, stand: F64 | None) -> None:
        """Put the points of the face that no bone gives into ``joints`` (JOINTS, 3), world, of the evaluated frame.

        ``stand`` (4, 4) is where the rig's world is shown. Vertices are found once, at rest. A mesh that is hidden, or
        whose modifiers make other vertices of them tells nothing; subdividing, splitting and thickening do not.
        """
        for one in self._told if self._told is not None else self._find(depsgraph):
            places = _places(one, depsgraph)
            if places is not None:
                places = places if stand is None else places @ stand[:3, :3].T + stand[:3, 3]
                missing = np.isnan(joints[one.joints]).any(axis=1)
                joints[one.joints[missing]] = places[missing]
                return

    def _find(self, depsgraph: Any) -> list[_Told]:
        """What the meshes tell, the one that tells most first. Asked again while the rig has no size."""
        if not self._meshes or not np.linalg.det(_matrix(self._rig.evaluated_get(depsgraph).matrix_world)):
            return []
        told = [found for thing in self._meshes if (found := self._look(thing, depsgraph)) is not None]
        self._told = sorted(told, key=lambda one: -len(one.joints))
        return self._told

    def _look(self, thing: Any, depsgraph: Any) -> _Told | None:
        """What the keys of a mesh tell of the face, if anything."""
        keys = thing.data.shape_keys
        to_head = self._to_head(thing, depsgraph)
        names = wanted(keys.key_blocks.keys())
        moves = {said: _moves(keys.key_blocks[name]) @ to_head[:3, :3].T for said, name in names.items()}
        rest = _points(keys.reference_key.data) @ to_head[:3, :3].T + to_head[:3, 3]
        points = FaceShapes(rest, moves).points()
        if not points:
            return None
        joints = FACE.start + np.array(list(points), np.int64)
        return _Told(thing, len(rest), joints, np.array(list(points.values()), np.int64))

    def _to_head(self, thing: Any, depsgraph: Any) -> F64:
        """(4, 4) from a mesh at rest to the figure's up, forward and left, from its head joint."""
        posed = self._rig.evaluated_get(depsgraph)
        to_rig = np.linalg.inv(_matrix(posed.matrix_world)) @ _matrix(thing.evaluated_get(depsgraph).matrix_world)
        head = self._rig.data.bones[self._mapping.head]
        if not is_deformed_by(thing, self._rig.name_full):
            # it hangs on the posed head instead of being bent from the rest pose
            bone = posed.pose.bones[self._mapping.head]
            to_rig = _matrix(head.matrix_local) @ np.linalg.inv(_matrix(bone.matrix)) @ to_rig
        turned = np.eye(4)
        turned[:3, :3] = self._mapping.axes
        turned[:3, 3] = -self._mapping.axes @ np.array(head.head_local, dtype=np.float64)
        return turned @ to_rig


def _tells(thing: Any) -> bool:
    """Whether an object has relative shape keys by which a face blinks and speaks."""
    keys = thing.data.shape_keys if thing.type == "MESH" else None
    if keys is None or not keys.use_relative:
        return False
    expressions = {expression for expression, _ in wanted(keys.key_blocks.keys())}
    return {"blink", "jaw"} <= expressions


def _places(one: _Told, depsgraph: Any) -> F64 | None:
    """Where the vertices (k, 3) are in the world of the evaluated frame."""
    evaluated = one.thing.evaluated_get(depsgraph)
    if not evaluated.is_evaluated or evaluated.hide_render:
        return None
    vertices = evaluated.data.vertices
    if len(vertices) != one.count and not (len(vertices) > one.count and _keeps_order(one.thing)):
        return None
    points = _points(vertices)[one.vertices]
    world = _matrix(evaluated.matrix_world)
    return points @ world[:3, :3].T + world[:3, 3]


def _keeps_order(thing: Any) -> bool:
    """Whether the first evaluated vertices are those of the mesh below."""
    return all(
        one.type in _SAME_VERTICES
        or (one.type in _ADDING and getattr(one, "solidify_mode", "") != "NON_MANIFOLD")
        or (one.type == "NODES" and _keeps_vertices(one.node_group))
        for one in thing.modifiers
        if one.show_render or one.show_viewport
    )


def _keeps_vertices(tree: Any) -> bool:
    if tree is None:
        return True
    shaping = [node for node in tree.nodes if any(one.type == "GEOMETRY" for one in node.outputs)]
    return all(
        _keeps_vertices(node.node_tree) if node.type == "GROUP" else node.type in _SAME_NODES for node in shaping
    )


def _moves(block: Any) -> F64:
    """How far a key moves every vertex (n, 3) at full strength."""
    return _points(block.data) - _points(block.relative_key.data)


def _points(items: Any) -> F64:
    return vectors(items, "co").astype(np.float64)


def _matrix(matrix: Any) -> F64:
    return np.array(matrix, dtype=np.float64)
