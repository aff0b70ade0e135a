# SPDX-License-Identifier: GPL-3.0-or-later
"""Live preview, the part without Blender: where the frame lies in a viewport, and what its depth buffer means.

A viewport has its row 0 at the bottom and pixel corners at integers. ``window`` is its projection in OpenGL's axes
(x right, y up, looking along -z), (4, 4) float64; values of its depth buffer run from 0 to 1, and 1 is nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .people.pose import REACH_SHARES, PosedPerson, visibility
from .pictures.depth import DepthRange, Encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ..shot.camera import Camera, Crop
    from ..shot.geometry import Person
    from .people.dialects import Dialect

    F32: TypeAlias = npt.NDArray[np.float32]
    F64: TypeAlias = npt.NDArray[np.float64]
    Box: TypeAlias = tuple[int, int, int, int]
    """Left, bottom, width and height in whole pixels of a viewport."""

TOLD_LIMIT = 0.05
"""Pixels by which the frame may be larger than what is seen of it before a part of it counts as outside."""


class Guide(Enum):
    """What a preview can show."""

    POSE = "pose"
    DEPTH = "depth"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class Locked:
    """A shot's depth range, with the encoding of the 8-bit pictures it belongs to."""

    range: DepthRange
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Plan:
    """How a shot's pictures would be made now: their ``size``, the ``dialect`` of its people, the depth of its package.

    ``locked`` is None while the shot has no package; pictures of a frame's own range are made with ``encoding`` then.
    """

    size: tuple[int, int]
    dialect: Dialect
    encoding: Encoding = Encoding.DISPARITY
    locked: Locked | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The delivery frame in a viewport: edges in pixels, not rounded."""

    left: float
    bottom: float
    right: float
    top: float


def frame_in(window: F64, camera: Camera, crop: Crop, region: tuple[int, int]) -> Frame:
    """Where a viewport of ``region`` (width, height) pixels that looks through ``camera`` shows its delivery frame.

    ``camera`` is the fitted one and ``crop`` where the delivery frame lies in its picture (`camera.fit_into`).
    """
    columns = np.array([crop.x, crop.x + crop.width], np.float64)
    rows = np.array([crop.y + crop.height, crop.y], np.float64)
    corners = np.stack([(columns - camera.cx) / camera.fx, -(rows - camera.cy) / camera.fy, [-1, -1], [1, 1]], axis=1)
    clip = corners @ window.T
    pixels = (clip[:, :2] / clip[:, 3:] + 1) / 2 * np.array(region, np.float64)
    (left, bottom), (right, top) = pixels.tolist()
    return Frame(left, bottom, right, top)


def visible(frame: Frame, region: tuple[int, int]) -> Box | None:
    """The whole pixels of the viewport whose centres lie in the frame; None when it is out of sight."""
    left, bottom = (max(0, math.ceil(edge - 0.5)) for edge in (frame.left, frame.bottom))
    right, top = (min(end, math.ceil(edge - 0.5)) for edge, end in ((frame.right, region[0]), (frame.top, region[1])))
    return (left, bottom, right - left, top - bottom) if right > left and top > bottom else None


def is_cut_off(frame: Frame, region: tuple[int, int]) -> bool:
    """Whether a part of the frame lies outside the viewport."""
    over = max(-frame.left, -frame.bottom, frame.right - region[0], frame.top - region[1])
    return over > TOLD_LIMIT


def picture_places(frame: Frame, crop: Crop, box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """Column and row in the model's picture of the lower left and of the upper right corner of ``box``."""
    across, down = crop.width / (frame.right - frame.left), crop.height / (frame.top - frame.bottom)
    left, bottom, width, height = box
    low = crop.x + (left - frame.left) * across, crop.y + (frame.top - bottom) * down
    return low, (low[0] + width * across, low[1] - height * down)


@dataclass(frozen=True, slots=True)
class Lens:
    """How a depth buffer's value d becomes planar depth.

    With n = 2 d - 1: b / (n + a) in perspective, (b - n) / a when orthographic.
    """

    a: float
    b: float
    orthographic: bool

    @classmethod
    def of(cls, window: F64) -> Lens:
        """Of a viewport's projection."""
        return cls(float(window[2, 2]), float(window[2, 3]), bool(window[3, 3] == 1))

    def planar(self, values: F32) -> F32:
        """Planar depth in scene units of values of the depth buffer, of any shape; +inf where nothing is."""
        n = 2 * values.astype(np.float64) - 1
        with np.errstate(divide="ignore"):
            z = (self.b - n) / self.a if self.orthographic else self.b / (n + self.a)
        return np.where(values < 1, z, np.inf).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Mapping:
    """How planar depth z becomes grey 0..1: gain / z + bias when ``inverse``, else gain * z + bias; then clipped."""

    gain: float
    bias: float
    inverse: bool

    @classmethod
    def of(cls, range_: DepthRange, encoding: Encoding) -> Mapping:
        """The same numbers as `depth.encoded`."""
        if encoding is Encoding.DISPARITY:
            gain = 1 / (1 / range_.near - 1 / range_.far)
            return cls(gain, -gain / range_.far, inverse=True)
        slope = 1 / (range_.far - range_.near)
        return cls(-slope, range_.far * slope, inverse=False)


def without_lines(values: F32) -> F32:
    """Depth buffer values (height, width) without what is nearer than its surroundings and at most two pixels thin.

    A viewport draws its overlays (bones, cameras, relations, all of them lines) into the same buffer as the scene. A
    closing with a square of three pixels; edges and corners of anything larger stay where they are.
    """
    return -_farthest(-_farthest(values))


def _farthest(values: F32) -> F32:
    """The largest value within a pixel, diagonals included."""
    down = values.copy()
    np.maximum(down[1:], values[:-1], out=down[1:])
    np.maximum(down[:-1], values[1:], out=down[:-1])
    found = down.copy()
    np.maximum(found[:, 1:], down[:, :-1], out=found[:, 1:])
    np.maximum(found[:, :-1], down[:, 1:], out=found[:, :-1])
    return found


def in_picture(values: F32, box: Box, frame: Frame, crop: Crop, size: tuple[int, int]) -> F32:
    """Depth buffer values (height, width) of ``box`` at the pixel centres of the model's picture, (H, W) float32.

    Nearest values; 1, which is nothing, where the viewport does not show the picture.
    """
    left, bottom, width, height = box
    across, down = (frame.right - frame.left) / crop.width, (frame.top - frame.bottom) / crop.height
    columns = np.floor(frame.left + (np.arange(size[0]) + 0.5 - crop.x) * across).astype(np.int64) - left
    rows = np.floor(frame.top - (np.arange(size[1]) + 0.5 - crop.y) * down).astype(np.int64) - bottom
    found = values[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)[None, :]]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None, :]
    return np.where(inside, found, np.float32(1))


def posed(people: Sequence[Person], camera: Camera, depth: F32 | None) -> list[PosedPerson]:
    """People in the picture of ``camera``; ``depth`` (H, W) planar as in `pose.visibility`, None when unknown.

    A depth buffer does not tell whose surface it holds: what hides a joint counts as the person's own body unless it is
    nearer than all of that person. So what stands between somebody's knees and hands passes for them.
    """
    if depth is None:
        depth = np.broadcast_to(np.float32(np.inf), (camera.height, camera.width))
    found: list[PosedPerson] = []
    for person in people:
        with np.errstate(invalid="ignore", over="ignore"):
            joints = camera.project(person.joints)
        there = joints[~np.isnan(joints[:, 2]), 2]
        nearest = float(there.min()) - person.reach if len(there) else math.inf
        codes = visibility(joints, camera, depth, person.reach * REACH_SHARES, depth >= nearest)
        found.append(PosedPerson(person.key, joints[:, :2], joints[:, 2], codes))
    return found


def packed(picture: npt.NDArray[np.uint8]) -> F32:
    """(H, W, 3) uint8 RGB as one exact number per pixel, (H, W) float32: r * 65536 + g * 256 + b.

    Textures are made of floats in all Blenders; this is a quarter of what four of them would take.
    """
    return picture.astype(np.float32) @ np.array([65536, 256, 1], np.float32)
