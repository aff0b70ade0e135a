# SPDX-License-Identifier: GPL-3.0-or-later
"""Paints guide frames without a model: a steady, stylised previs picture with REHEARSAL burnt in.

The light comes from normals of the relief. For a camera, the disparity of a plane is linear over the picture,
so its normal follows exactly from the slope: n ~ (f dx, f dy, d - x dx - y dy), with d the disparity, x and y
from the middle, f in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from .figures import Canvas, Ink, draw_person, draw_shadow, dressed
from .palette import Cast, Look, choose_look
from .relief import Dialect, Plane, Relief, read_relief, softened
from .stamp import burn_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pictures import Picture

_TONES = 64
_TILTS = 16
_GRAIN = 0.009
_GROUP = 3
_GAIN = 14.0
# Relative disparity of the farthest surface: the range of a depth control does not say.
_FLOOR = 0.06


@dataclass(slots=True)
class Painter:
    """Paints the frames of one prompt in order. ``size`` is (width, height).

    It remembers people from frame to frame: a painter belongs to one clip.
    """

    prompt: str
    seed: int
    size: tuple[int, int]
    look: Look = field(init=False)
    _dialect: Dialect = field(default_factory=Dialect)
    _cast: Cast = field(default_factory=Cast)
    _inks: npt.NDArray[np.float32] = field(init=False)
    _sky: Canvas = field(init=False)
    _vignette: Canvas = field(init=False)
    _air: npt.NDArray[np.float32] = field(init=False)
    _noise: Plane = field(init=False)

    def __post_init__(self) -> None:
        self.look = choose_look(self.prompt, self.seed)
        self._inks = _ink_table(self.look)
        self._sky = _sky(self.look, self.size)
        self._vignette = _vignette(self.size)
        self._air = _haze(np.linspace(0, 1, 256, dtype=np.float32), self.look.palette.haze)
        dice = np.random.default_rng(self.look.number)
        width, height = self.size
        self._noise = dice.standard_normal((height + 64, width + 64), np.float32) * np.float32(_GRAIN)

    def paint(self, guides: Sequence[Picture], index: int) -> Picture:
        """Paint frame ``index`` over its guides, each (height, width, 3) of the painter's size."""
        relief = read_relief(guides, self.size, self._dialect)
        canvas = self._scenery(relief)
        for number, actor in self._cast.follow(relief.people, relief.near):
            person = relief.people[number]
            body = dressed(person, actor.unit, self.look.outfit(actor.number))
            draw_shadow(canvas, person, actor.unit)
            draw_person(canvas, body, self._ink(actor.near, person.mean()), _share(relief, number))
        return self._finish(canvas, index)

    def _ink(self, near: float, place: tuple[float, float]) -> Ink:
        """People get less of the haze than the set: they must read."""
        row = int(np.clip(place[1], 0, self.size[1] - 1))
        fog = float(_haze(np.float32(near), self.look.palette.haze)) * 0.4
        return Ink(self.look.light, np.array(self.look.key, np.float32), self._sky[row, self.size[0] // 2], fog)

    def _scenery(self, relief: Relief) -> Canvas:
        near = relief.near
        small = np.asarray(Image.fromarray(np.ascontiguousarray(near)).reduce(4))
        tone, tilt = _light(small, self.look.light, float(max(self.size)) / 4)
        full_tilt = _enlarged(tilt, self.size)
        full_tone = (_grouped(near, small, tone) + _relit(near, small)) * _contours(near)
        steps = (np.clip(full_tone, 0, 1) * np.float32(_TONES - 1) + np.float32(0.5)).astype(np.int32)
        steps *= _TILTS
        steps += (full_tilt * np.float32(_TILTS - 1) + np.float32(0.5)).astype(np.int32)
        canvas = np.take(self._inks, steps, axis=0)
        sky = self._sky - canvas
        sky *= np.take(self._air, (near * np.float32(255) + np.float32(0.5)).astype(np.uint8))[..., None]
        canvas += sky
        return canvas

    def _finish(self, canvas: Canvas, index: int) -> Picture:
        """Vignette, grain and stamp."""
        width, height = self.size
        canvas *= self._vignette
        left, top = (index * 29) % 64, (index * 47) % 64
        canvas += self._noise[top : top + height, left : left + width, None]
        np.clip(canvas, 0, 1, out=canvas)
        canvas *= 255
        picture = canvas.astype(np.uint8)
        burn_in(picture)
        return picture


def _haze(near: npt.NDArray[np.float32] | np.float32, strength: float) -> npt.NDArray[np.float32]:
    """Share of air in front of a surface: all of it for the sky, little for what is close."""
    far = 1 - near
    square = far * far
    haze = strength * (square * square + np.float32(0.12) * far)
    sky = np.clip((3 / 255 - near) * 255 / 2, 0, 1)
    return np.asarray(haze + (1 - haze) * sky, np.float32)


def _share(relief: Relief, number: int) -> Plane | None:
    """Where one person is seen: the shape of all, given to whose body is closest."""
    if relief.shape is None:
        return None
    own = relief.reaches[number]
    is_mine = own < 1
    for other in (reach for index, reach in enumerate(relief.reaches) if index != number):
        is_mine &= own <= other
    return relief.shape * is_mine


def _grouped(near: Plane, small: Plane, plane: Plane) -> Plane:
    """``plane``, as small as ``small``, calmed and enlarged along the edges of ``near``.

    A guided filter (K. He and J. Sun, Fast Guided Filter, 2015): around each place the plane is a straight function
    of depth. What varies by less than two grey levels is one surface: much of what is far, little of what is near.
    """
    mean, value = softened(small, _GROUP), softened(plane, _GROUP)
    spread = np.maximum(softened(small * small, _GROUP) - mean * mean, 0)
    level = np.float32(2 / 255) + np.float32(0.03) * mean
    gain = (softened(plane * small, _GROUP) - mean * value) / (spread + level * level)
    gain = np.clip(gain, -_GAIN, _GAIN)
    rest = softened(value - gain * mean, _GROUP // 2)
    size = (near.shape[1], near.shape[0])
    return _enlarged(softened(gain, _GROUP // 2), size) * near + _enlarged(rest, size)


def _enlarged(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))


def _slope(values: Plane, axis: int, stride: int) -> Plane:
    """Change per pixel, taken on the flatter side, so that edges do not bend the faces beside them."""
    pads = [(0, 0), (0, 0)]
    pads[axis] = (stride, stride)
    padded = np.moveaxis(np.pad(values, pads, mode="reflect", reflect_type="odd"), axis, 0)
    middle = padded[stride:-stride]
    ahead, behind = padded[2 * stride :] - middle, middle - padded[: -2 * stride]
    flatter = np.where(np.abs(ahead) < np.abs(behind), ahead, behind) / np.float32(stride)
    return np.asarray(np.moveaxis(flatter, 0, axis), np.float32)


def _light(near: Plane, light: npt.NDArray[np.float32], focal: float) -> tuple[Plane, Plane]:
    """Tone and tilt (1 faces up, 0 down), each 0 … 1, at the size of ``near``.

    What is far has few grey levels: its faces are measured over long ways.
    """
    far, fine = _normal(softened(near, 3), 6, focal), _normal(softened(near, 1), 2, focal)
    trust = np.clip((near - np.float32(0.12)) * np.float32(4), 0, 1)
    nx, ny, nz = (a + trust * (b - a) for a, b in zip(far, fine, strict=True))
    lit = nx * light[0] + ny * light[1] + nz * light[2]
    # Three groups of value: shade, half tone, light.
    tone = 0.12 + 0.34 * _eased(lit, -0.1, 0.35) + 0.34 * _eased(lit, 0.4, 0.85)
    return np.asarray(tone, np.float32), np.asarray(np.clip(0.5 - 0.5 * ny, 0, 1), np.float32)


def _normal(near: Plane, stride: int, focal: float) -> tuple[Plane, Plane, Plane]:
    """Unit normals towards us, x right, y down."""
    height, width = near.shape
    depth = near + np.float32(_FLOOR)
    dx, dy = _slope(depth, 1, stride), _slope(depth, 0, stride)
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(width / 2)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    # Towards the camera is -z of the surface seen, hence the signs.
    nx, ny = -np.float32(focal) * dx, -np.float32(focal) * dy
    nz = np.maximum(depth - x * dx - y * dy, np.float32(1e-3))
    scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz)
    return nx * scale, ny * scale, nz * scale


def _relit(near: Plane, small: Plane) -> Plane:
    """More light on what stands before something far, less behind it; a lamp in the middle distance.

    T. Luft et al., Image Enhancement by Unsharp Masking the Depth Buffer, 2006.
    """
    around = _enlarged(softened(small, 10), (near.shape[1], near.shape[0]))
    step = (near - around) / (np.maximum(near, around) + np.float32(0.05))
    pool = np.float32(0.2) * np.clip(near * np.float32(6), 0, 1) - np.float32(0.1)
    return np.asarray(pool + np.float32(0.42) * np.clip(step, -0.5, 0.35), np.float32)


def _eased(value: Plane, low: float, high: float) -> Plane:
    ramp = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _contours(near: Plane) -> Plane:
    """Dark ink where depth jumps, by the share of it; 1 elsewhere."""
    jump = np.zeros_like(near)
    jump[:, 1:] = np.abs(near[:, 1:] - near[:, :-1])
    jump[1:] = np.maximum(jump[1:], np.abs(near[1:] - near[:-1]))
    jump -= np.float32(2.5 / 255) + np.float32(0.06) * near
    return np.float32(1) - np.float32(0.6) * np.clip(jump / (near + np.float32(0.05)) * np.float32(5), 0, 1)


def _ink_table(look: Look) -> npt.NDArray[np.float32]:
    """Colours by tone and tilt, (tones * tilts, 3): cool in the shade, warm in the light."""
    palette = look.palette
    shadow, mid, ground, sky, key = (
        np.array(colour, np.float32) for colour in (palette.shadow, palette.mid, palette.ground, palette.sky, look.key)
    )
    tone = np.linspace(0, 1, _TONES, dtype=np.float32)[:, None, None]
    tilt = np.linspace(-1, 1, _TILTS, dtype=np.float32)[None, :, None]
    up, down = np.clip(tilt * 1.4, 0, 1), np.clip(-tilt * 1.4, 0, 1)
    body = mid + up * 0.85 * (ground - mid) + down * 0.5 * (shadow - mid)
    # A lamp lends its colour to what it lights, at the value it has.
    body = body + look.warmth * (0.25 + 0.85 * body.mean(axis=2, keepdims=True)) * (key - body)
    dark = shadow + (0.10 + 0.22 * up) * (sky - shadow)
    low = dark + (body - dark) * np.clip(tone / 0.55, 0, 1) ** 1.1
    table = low + (key - low) * np.clip((tone - 0.45) / 0.55, 0, 1) ** 1.4 * 0.8
    return np.asarray(table, np.float32).reshape(-1, 3)


def _sky(look: Look, size: tuple[int, int]) -> Canvas:
    """From the zenith to the horizon, with a glow on the side of the light."""
    width, height = size
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    sky, fog, light = (np.array(colour, np.float32) for colour in (look.palette.sky, look.palette.fog, look.key))
    rise = np.clip(y / 0.6, 0, 1) ** 1.2
    sun = 0.5 + 0.36 * np.sign(look.light[0])
    glow = 0.55 * np.exp(-((x - sun) ** 2 / 0.05 + (y - 0.36) ** 2 / 0.045))
    base = sky + (fog - sky) * rise
    return np.asarray(base + glow * (light - base), np.float32)


def _vignette(size: tuple[int, int]) -> Canvas:
    width, height = size
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    return np.asarray(1.03 - 0.2 * np.clip(x * x * 0.8 + y * y * 0.7, 0, 1.4), np.float32)
