# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host hands to conditioning: one evaluated frame of a scene, in plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    import numpy.typing as npt

    from .camera import Camera


@dataclass(frozen=True, slots=True)
class Mesh:
    """One evaluated mesh in object space: positions (n, 3) float32, triangles (m, 3) int32.

    ``normals`` (k, 3) float32 and ``normal_index`` (m, 3) int32 into it are the shading normals of the triangles'
    corners; both are None for a mesh that is flat all over.
    """

    positions: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    normals: npt.NDArray[np.float32] | None = None
    normal_index: npt.NDArray[np.int32] | None = None


NOBODY = -1


@dataclass(frozen=True, slots=True)
class Tag:
    """What a thing is called, for mattes and segmentation.

    ``object`` is the object's full name, ``collections`` the names of those it is in from the outermost on, ``label``
    the ADE20K class assigned to it or "", ``cast`` the cast member it belongs to or "".
    """

    object: str = ""
    collections: tuple[str, ...] = ()
    label: str = ""
    cast: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """One appearance of a mesh.

    ``key`` is the same in every frame of a shot. ``mesh`` indexes `FrameGeometry.meshes`, ``matrix`` is (4, 4) float64
    object to world, ``person`` indexes `FrameGeometry.people` or is `NOBODY`. A holdout hides what is behind it and
    shows nothing itself.
    """

    key: str
    mesh: int
    matrix: npt.NDArray[np.float64]
    person: int = NOBODY
    holdout: bool = False
    tag: Tag = Tag()


class LightKind(Enum):
    """Blender's four light types."""

    POINT = "POINT"
    SUN = "SUN"
    SPOT = "SPOT"
    AREA = "AREA"


@dataclass(frozen=True, slots=True)
class Light:
    """A light in world space.

    ``color`` is linear RGB, ``power`` watts (W/m² for a sun), ``direction`` the unit vector the light shines along,
    ``spot_angle`` the full cone in radians.
    """

    kind: LightKind
    position: tuple[float, float, float]
    direction: tuple[float, float, float]
    color: tuple[float, float, float]
    power: float
    spot_angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """One figure. ``joints`` is (JOINTS, 3) float64 world positions in the order of `people`, NaN where it has none.

    ``key`` is steady over the shot and names the rig; ``reach`` is the limb radius in scene units by which a joint may
    lie inside its own body and still count as seen.
    """

    key: str
    joints: npt.NDArray[np.float64]
    reach: float


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """Everything of one frame that conditioning draws. ``time`` is the scene frame, fractions allowed."""

    time: Fraction
    camera: Camera
    meshes: tuple[Mesh, ...]
    instances: tuple[Instance, ...]
    lights: tuple[Light, ...]
    people: tuple[Person, ...]
