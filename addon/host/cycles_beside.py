# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cycles draws beside meshes: hair, point clouds, whatever shows its particles only. Needs bpy.

Read from what is evaluated for the very render, so that visibility, instances and nodes are those of the picture.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ..errors import HostError
from ..shot.geometry import FrameGeometry, Instance, Mesh
from .arrays import vectors
from .extract import is_held_out
from .rigs import Rigs
from .stands import instance_key
from .tags import Tags

if TYPE_CHECKING:
    from collections.abc import Generator
    from fractions import Fraction

    import numpy.typing as npt

_KINDS = {"CURVES", "POINTCLOUD"}
# all that evaluated data can raise
_CARRIED = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RuntimeError, ReferenceError)


@dataclass(frozen=True, slots=True)
class _Alone:
    """An object as an entry of ``depsgraph.object_instances`` would be, if nothing instances it."""

    object: Any
    parent: Any = None
    is_instance: bool = False


class Beside:
    """Hears of every render of ``scene`` and keeps what is in it beside meshes, and whose it is."""

    def __init__(self, scene: Any, layer: Any) -> None:
        # its own: notes must not hang on what is looked up here, where only frames come that no cache knows
        self._rigs, self._tags = Rigs(scene, layer), Tags()
        self._found: list[tuple[Instance, Mesh]] = []
        self._error: Exception | None = None

    @contextmanager
    def listening(self, time: Fraction, geometry: FrameGeometry) -> Generator[None]:
        """While a render of the frame at ``time`` goes on; ``geometry`` is what was read of it before."""
        self._found, self._error = [], None
        heard = False

        def hear(_scene: Any, depsgraph: Any) -> None:
            nonlocal heard
            # Cycles asks for the frames before and after as well, for its vectors
            if heard or depsgraph.mode != "RENDER" or abs(_time(depsgraph.scene_eval) - time) > 1e-3:
                return
            heard = True
            try:
                self._found = self._read(depsgraph, geometry)
            except _CARRIED as error:
                # Blender prints and forgets what a handler raises
                self._error = error

        handlers: Any = bpy.app.handlers.frame_change_post
        handlers.append(hear)
        try:
            yield
        finally:
            handlers.remove(hear)

    def found(self) -> list[tuple[Instance, Mesh]]:
        """What the last render had, each with the places where it is, in object space. ``Instance.mesh`` says nothing.

        Raises `HostError` when it could not be read.
        """
        if self._error is not None:
            raise HostError(
                f"What Cycles draws beside meshes could not be read: {self._error}", "Report this with the scene."
            ) from self._error
        return self._found

    def alone(self, thing: Any) -> Instance:
        """For what nobody else told of: the object by itself."""
        person = self._rigs.person_of(thing)
        tag = self._tags.of(_Alone(thing), self._rigs.cast_of(person))
        return Instance(f"|{thing.name_full}|", 0, np.eye(4), person, tag=tag)

    def _read(self, depsgraph: Any, geometry: FrameGeometry) -> list[tuple[Instance, Mesh]]:
        known = {(one.tag.object, one.matrix.tobytes()) for one in geometry.instances}
        kept: list[tuple[Instance, Mesh]] = []
        layer = depsgraph.view_layer_eval
        for found in depsgraph.object_instances:
            thing = found.object
            hairy = thing.type == "MESH" and not found.show_self and found.show_particles and thing.particle_systems
            if thing.type not in _KINDS and not hairy:
                continue
            matrix = np.array(found.matrix_world, dtype=np.float64)
            # nodes make hair of a mesh that is there itself
            if (thing.name_full, matrix.tobytes()) not in known:
                kept.append((self._instance(found, matrix, layer), _places(thing)))
        return sorted(kept, key=lambda one: one[0].key)

    def _instance(self, found: Any, matrix: npt.NDArray[np.float64], layer: Any) -> Instance:
        owner = found.parent if found.is_instance else found.object
        person = self._rigs.person_at(found)
        tag = self._tags.of(found, self._rigs.cast_of(person))
        held = is_held_out(owner, layer)
        return Instance(instance_key(found), 0, matrix, person, holdout=held, tag=tag)


def _time(scene: Any) -> float:
    """The frame of the timeline; ``frame_current_final`` counts remapped ones."""
    return float(scene.frame_current + scene.frame_subframe)


def _places(thing: Any) -> Mesh:
    """Where it is, in object space: its points, or else the corners of its box."""
    data = thing.data
    positions = np.zeros((0, 3), np.float32)
    if thing.type == "CURVES":
        positions = vectors(data.position_data, "vector")
    elif thing.type == "POINTCLOUD" and "position" in data.attributes:
        positions = vectors(data.attributes["position"].data, "vector")
    if not len(positions):
        positions = np.array([list(corner) for corner in thing.bound_box], np.float32)
    return Mesh(positions, np.zeros((0, 3), np.int32))
