# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of one frame: a pinhole or orthographic projection in OpenCV axes.

Camera space: x right, y down, z forward, metres (scene units). Image: row 0 on top, pixel corners at
integers, the centre of pixel (column i, row j) at (i + 0.5, j + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Lens:
    """What film people read off a camera. Lengths in millimetres, focus in metres."""

    focal_mm: float
    sensor_mm: float
    f_stop: float | None = None
    focus_m: float | None = None


@dataclass(frozen=True, slots=True)
class Crop:
    """Rectangle inside a picture, pixels from its top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """The frame a scene delivers: pixels across and down, and Blender's pixel aspect (x, y)."""

    width: int
    height: int
    pixel_aspect: tuple[float, float] = (1.0, 1.0)

    @property
    def frame(self) -> tuple[float, float]:
        """(width, height) as it is looked at, in square pixels of the delivery's height."""
        return self.width * (self.pixel_aspect[0] / self.pixel_aspect[1]), float(self.height)


@dataclass(frozen=True, slots=True)
class Camera:
    """Projection of one frame.

    ``world_to_camera`` is (4, 4) float64, rigid, OpenCV axes. ``fx, fy`` are pixels (perspective) or pixels per
    scene unit (orthographic); ``near`` and ``far`` are planar distances in scene units, as in Cycles
    (reference: planes facing the camera vanish at exactly ``clip_start`` and ``clip_end``).
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    near: float
    far: float
    world_to_camera: npt.NDArray[np.float64]
    orthographic: bool = False
    lens: Lens | None = None

    def project(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """World points (n, 3) to (n, 3) of column u, row v (pixels) and planar depth z.

        u and v of points with z <= 0 are meaningless under perspective; callers test z.
        """
        rotation, offset = self.world_to_camera[:3, :3], self.world_to_camera[:3, 3]
        local = points @ rotation.T + offset
        scale = np.ones(len(local)) if self.orthographic else 1.0 / np.where(local[:, 2] == 0, np.inf, local[:, 2])
        u = self.cx + self.fx * local[:, 0] * scale
        v = self.cy + self.fy * local[:, 1] * scale
        return np.stack([u, v, local[:, 2]], axis=1)


def intrinsics(
    *, size: tuple[int, int], aspect: tuple[float, float], fit: str, focal: float, sensor: tuple[float, float],
    shift: tuple[float, float], orthographic: bool,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Blender's camera settings to (fx, fy, cx, cy) in pixels.

    ``aspect`` is the pixel aspect, ``fit`` Blender's sensor_fit, ``focal`` the lens in mm, or the orthographic scale
    in scene units when ``orthographic``; ``sensor`` (width, height) in mm. The formula was compared with
    ``Object.calc_matrix_camera`` (<= 0.006 px) and with Cycles renders for every sensor fit, shift and pixel aspect.
    """
    width, height = size
    ax, ay = aspect
    horizontal = fit == "HORIZONTAL" or (fit == "AUTO" and width * ax >= height * ay)
    view = width * ax if horizontal else height * ay
    sensor_mm = sensor[1] if fit == "VERTICAL" else sensor[0]
    f = view / focal if orthographic else view * focal / sensor_mm
    cx = width / 2 - shift[0] * view / ax
    cy = height / 2 + shift[1] * view / ay
    return f / ax, f / ay, cx, cy


def crop_for(frame: tuple[float, float], size: tuple[int, int]) -> Crop:
    """Where a delivery ``frame`` (width, height in square pixels, any scale) lies in a model's picture of ``size``.

    Scaled to fit wholly inside and centred; what is left over is overscan. Sides are even, so they are within a
    pixel of the exact aspect, and with an even ``size`` the crop lies on whole pixels.
    """
    width, height = size
    scale = min(width / frame[0], height / frame[1])
    crop_w, crop_h = _even(frame[0] * scale, width), _even(frame[1] * scale, height)
    return Crop((width - crop_w) // 2, (height - crop_h) // 2, crop_w, crop_h)


def fit_into(camera: Camera, size: tuple[int, int]) -> tuple[Camera, Crop]:
    """The same lens seen on a larger canvas of square pixels: nothing is cut, what is added is overscan.

    The crop says where the delivery frame lies (see `crop_for`). The lens does not lie: objects keep their place
    inside the crop, and an anamorphic picture is sent unsqueezed, as models know the world.
    """
    # fy / fx is the pixel aspect: see `intrinsics`
    crop = crop_for((camera.width * (camera.fy / camera.fx), float(camera.height)), size)
    sx, sy = crop.width / camera.width, crop.height / camera.height
    fitted = replace(
        camera, width=size[0], height=size[1], fx=camera.fx * sx, fy=camera.fy * sy,
        cx=crop.x + camera.cx * sx, cy=crop.y + camera.cy * sy,
    )  # fmt: skip
    return fitted, crop


def _even(length: float, limit: int) -> int:
    """Nearest even length: movie codecs with halved chroma need it, and a centred crop stays on whole pixels.

    Rounded first: a pixel aspect that is a little off in its last bit must not decide.
    """
    return min(limit, max(2, 2 * round(round(length, 6) / 2)))
