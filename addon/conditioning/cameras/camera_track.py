# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a whole shot: what the exporters of `camera_files` write, and ``camera.json``, which loses nothing.

World: the scene's, right-handed, z up. Camera: OpenCV axes (x right, y down, z forward). Image: pixel corners at
integers, so the centre of pixel i is i + 0.5 (see `shot.camera`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DocumentError, SceneError, UsageError
from ...shot.camera import Camera, Lens
from ...shot.documents import Fields, Schema

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy.typing as npt

CAMERA_SCHEMA = Schema("second_unit.camera", 1)
# what a float32 rotation may be off; the nearest true one then shows a point 0.01 px beside it at f = 2000 px
_RIGID_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class CameraTrack:
    """One camera per delivered frame, in order.

    ``pictures`` names the picture of each frame, relative to the control package, with slashes; names sort like the
    frames. ``metres_per_unit`` is the scene's unit scale. Raises `UsageError` for no frames or frames of several
    sizes, `SceneError` for a camera that is not finite or has no focal length; ValueError when the counts differ.
    """

    cameras: tuple[Camera, ...]
    pictures: tuple[str, ...]
    fps: Fraction
    metres_per_unit: float = 1.0

    def __post_init__(self) -> None:
        if len(self.pictures) != len(self.cameras):
            raise ValueError(f"{len(self.pictures)} pictures for {len(self.cameras)} cameras")
        if not self.cameras:
            raise UsageError("There are no cameras to write.", "Choose a shot of at least one frame.")
        if len({(camera.width, camera.height) for camera in self.cameras}) > 1:
            raise UsageError("The frames of this shot differ in size.", "Render the whole shot at one size.")
        for camera, picture in zip(self.cameras, self.pictures, strict=True):
            _check(camera, picture)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of every frame, pixels."""
        return self.cameras[0].width, self.cameras[0].height

    def poses(self) -> npt.NDArray[np.float64]:
        """World to camera, (n, 4, 4), OpenCV axes, metres, rotations exact to 64 bits; only when `is_rigid`."""
        return np.stack([_metric(camera, self.metres_per_unit) for camera in self.cameras])

    @property
    def is_rigid(self) -> bool:
        """Whether every camera is only turned and moved: a scaled parent may mirror or shear one, as Blender does."""
        turns = np.stack([camera.world_to_camera[:3, :3] for camera in self.cameras])
        off = np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max()
        return bool(off <= _RIGID_TOLERANCE and (np.linalg.det(turns) > 0).all())

    def lenses(self) -> npt.NDArray[np.float64]:
        """fx, fy, cx, cy of each frame, (n, 4), pixels."""
        return np.array([(c.fx, c.fy, c.cx, c.cy) for c in self.cameras], np.float64)


def _check(camera: Camera, picture: str) -> None:
    matrix = camera.world_to_camera
    numbers = np.append(matrix, (camera.fx, camera.fy, camera.cx, camera.cy))
    if not np.isfinite(numbers).all() or min(camera.fx, camera.fy) <= 0:
        raise SceneError(
            f"The camera of '{picture}' has a value that is no usable number.",
            "Look at the camera's constraints, drivers and lens in that frame.",
        )


def _metric(camera: Camera, metres_per_unit: float) -> npt.NDArray[np.float64]:
    """The nearest true rotation around the same place, in metres.

    Blender's matrices are rotations to 1e-7 only; a kilometre from the origin that would be a visible shift in formats
    that store a quaternion or that invert by transposing. So the camera's place is kept and the rotation corrected.
    """
    rotation, offset = camera.world_to_camera[:3, :3], camera.world_to_camera[:3, 3]
    place = -np.linalg.solve(rotation, offset)
    left, _, right = np.linalg.svd(rotation)
    pose = np.eye(4)
    pose[:3, :3] = left @ right
    pose[:3, 3] = -pose[:3, :3] @ place * metres_per_unit
    return pose


def camera_from_json(data: object, where: str = "camera.json") -> Camera:
    """A frame's camera as `cache.camera_json` and `camera_document` write it; ``where`` names the file in errors.

    Raises `DocumentError` when something is missing or of the wrong kind.
    """
    fields = Fields(data, where)
    width, height = fields.integers("size", 2)
    found = fields.maybe_mapping("lens")
    return Camera(
        width, height, *(fields.number(key) for key in ("fx", "fy", "cx", "cy", "near", "far")),
        world_to_camera=_matrix(fields.items("world_to_camera"), where), orthographic=fields.flag("orthographic"),
        lens=None if found is None else _lens(found, where),
    )  # fmt: skip


def _lens(data: Mapping[str, Any], where: str) -> Lens:
    fields = Fields(data, where)
    stop, focus = (None if data.get(key) is None else fields.number(key) for key in ("f_stop", "focus_m"))
    return Lens(fields.number("focal_mm"), fields.number("sensor_mm"), stop, focus)


def _matrix(rows: list[Any], where: str) -> npt.NDArray[np.float64]:
    try:
        matrix = np.array(rows, np.float64)
    except (TypeError, ValueError, OverflowError):
        matrix = np.empty(0)
    if matrix.shape != (4, 4):
        raise DocumentError(
            f"In '{where}', 'world_to_camera' should be 4 rows of 4 numbers.", "Run 'second-unit condition' again."
        )
    return matrix


def camera_document(
    cameras: Sequence[Mapping[str, Any]], *, fps: Fraction, metres_per_unit: float, names: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """``camera.json``: everything known about the camera of every frame, orthographic ones too.

    ``cameras`` are `cache.camera_json` objects, ``names`` what stands before each of them (``frame``, ``scene``).
    Lengths in the matrices are scene units, ``fx fy cx cy`` pixels (per scene unit when orthographic). To a lens are
    added ``film_back_mm`` (width and height of film that the picture shows, overscan and pixel aspect included) and
    ``aperture_mm``, the width of the entrance pupil: null where unknown or orthographic. No timecode: the frames are
    plate frames.
    """
    return {
        "schema": str(CAMERA_SCHEMA),
        "axes": "opencv",
        "matrix": "world_to_camera",
        "pixel_centre": 0.5,
        "fps": [fps.numerator, fps.denominator],
        "metres_per_unit": metres_per_unit,
        "frames": [{**name, **_told(camera)} for name, camera in zip(names, cameras, strict=True)],
    }


def _told(camera: Mapping[str, Any]) -> dict[str, Any]:
    lens: Mapping[str, Any] | None = camera.get("lens")
    told = {**camera, "pixel_aspect": camera["fy"] / camera["fx"]}
    if lens is None:
        return told
    focal, stop = lens["focal_mm"], lens.get("f_stop")
    (width, height), is_flat = camera["size"], camera["orthographic"]
    back = None if is_flat else [width * focal / camera["fx"], height * focal / camera["fy"]]
    pupil = focal / stop if stop and not is_flat else None
    return {**told, "lens": {**lens, "film_back_mm": back, "aperture_mm": pupil}}
