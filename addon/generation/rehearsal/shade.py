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

from .figures import Canvas, Cast, Ink, draw_person, draw_shadow
from .palette import Look, choose_look
from .relief import Dialect, Plane, Relief, pull, read_relief
from .stamp import burn_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pictures import Picture

_TONES = 64
_TILTS = 16
_GRAIN = 0.009
# Relative disparity of the farthest surface: the range of a depth control does not say.
_FLOOR = 0.06
_STRIDE = 4
_REACH = 16


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
    _noise: Plane = field(init=False)

    def __post_init__(self) -> None:
        self.look = choose_look(self.prompt, self.seed)
        self._inks = _ink_table(self.look)
        self._sky = _sky(self.look, self.size)
        self._vignette = _vignette(self.size)
        dice = np.random.default_rng(self.look.number)
        width, height = self.size
        self._noise = dice.standard_normal((height + 64, width + 64), np.float32) * np.float32(_GRAIN)

    def paint(self, guides: Sequence[Picture], index: int) -> Picture:
        """Paint frame ``index`` over its guides, each (height, width, 3) of the painter's size."""
        relief = read_relief(guides, self.size, self._dialect)
        canvas = self._scenery(relief)
        for person, actor in self._cast.follow(relief.people, relief.near):
            draw_shadow(canvas, person, actor.unit)
            draw_person(canvas, person, actor.unit, self.look, actor.number, self._ink(actor.near, person.mean()))
        return self._finish(canvas, index)

    def _ink(self, near: float, place: tuple[float, float]) -> Ink:
        """People get less of the haze than the set: they must read."""
        row = int(np.clip(place[1], 0, self.size[1] - 1))
        fog = float(_haze(np.float32(near), self.look.palette.haze)) * 0.7
        return Ink(
            self.look.light,
            np.array(self.look.palette.light, np.float32),
            self._sky[row, self.size[0] // 2],
            fog,
        )

    def _scenery(self, relief: Relief) -> Canvas:
        width, height = self.size
        near = relief.near
        sure = np.asarray(Image.fromarray((~relief.is_guessed).astype(np.float32)).reduce(2))
        half = np.asarray(Image.fromarray(np.ascontiguousarray(near)).reduce(2))
        tone, tilt = _light(half, sure, self.look.light, float(max(width, height)) / 2)
        tone, tilt = _mended(tone, sure), _mended(tilt, sure)
        full_tone, full_tilt = (_enlarged(plane, (width, height)) for plane in (tone, tilt))
        full_tone = full_tone * np.where(relief.is_guessed, np.float32(1), _contours(near))
        numbers = (full_tone * (_TONES - 1) + 0.5).astype(np.int32) * _TILTS + (full_tilt * (_TILTS - 1) + 0.5).astype(
            np.int32
        )
        canvas = np.take(self._inks, numbers, axis=0)
        fog = _haze(near, self.look.palette.haze)[..., None]
        canvas += fog * (self._sky - canvas)
        return canvas

    def _finish(self, canvas: Canvas, index: int) -> Picture:
        """Vignette, grain and stamp."""
        width, height = self.size
        canvas *= self._vignette
        left, top = (index * 29) % 64, (index * 47) % 64
        canvas += self._noise[top : top + height, left : left + width, None]
        np.clip(canvas, 0, 1, out=canvas)
        picture = (canvas * 255 + 0.5).astype(np.uint8)
        burn_in(picture)
        return picture


def _haze(near: npt.NDArray[np.float32] | np.float32, strength: float) -> npt.NDArray[np.float32]:
    """Share of air in front of a surface: all of it for the sky, little for what is close."""
    far = 1 - near
    square = far * far
    haze = strength * (square * square + np.float32(0.12) * far)
    sky = np.clip((3 / 255 - near) * 255 / 2, 0, 1)
    return np.asarray(haze + (1 - haze) * sky, np.float32)


def _mended(plane: Plane, sure: Plane) -> Plane:
    """Light over what was hidden is taken from around it: a guessed depth has edges that nobody made."""
    if float(sure.min()) == 1:
        return plane
    margin = np.asarray(Image.fromarray(sure).reduce(8))
    margin = _enlarged(margin, (plane.shape[1], plane.shape[0]))
    trust = np.clip(margin * 3 - 2, 0, 1)
    weight = Image.fromarray(trust).reduce(4)
    small = pull(np.asarray(Image.fromarray(plane * trust).reduce(4)), np.asarray(weight))
    smooth = _enlarged(small, (plane.shape[1], plane.shape[0]))
    return np.asarray(plane * trust + smooth * (1 - trust), np.float32)


def _enlarged(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))


def _slope(values: Plane, axis: int) -> Plane:
    """Change per pixel, taken on the flatter side, so that edges do not bend the faces beside them."""
    ahead = np.zeros_like(values)
    behind = np.zeros_like(values)
    source, target = np.moveaxis(values, axis, 0), (np.moveaxis(ahead, axis, 0), np.moveaxis(behind, axis, 0))
    target[0][:-_STRIDE] = source[_STRIDE:] - source[:-_STRIDE]
    target[0][-_STRIDE:] = target[0][-_STRIDE - 1]
    target[1][_STRIDE:] = source[_STRIDE:] - source[:-_STRIDE]
    target[1][:_STRIDE] = target[1][_STRIDE]
    return np.asarray(np.where(np.abs(ahead) < np.abs(behind), ahead, behind) / np.float32(_STRIDE), np.float32)


def _light(near: Plane, sure: Plane, light: npt.NDArray[np.float32], focal: float) -> tuple[Plane, Plane]:
    """Tone and tilt (1 faces up, 0 down), each 0 … 1, at the size of ``near``.

    ``sure`` is 0 where ``near`` is a guess.
    """
    height, width = near.shape
    smooth = _softened(near) + np.float32(_FLOOR)
    dx, dy = _quiet(_slope(smooth, 1)), _quiet(_slope(smooth, 0))
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(width / 2)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    # Towards the camera is -z of the surface seen, hence the signs.
    nx, ny = -np.float32(focal) * dx, -np.float32(focal) * dy
    nz = np.maximum(smooth - x * dx - y * dy, np.float32(1e-3))
    scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz)
    lit = (nx * light[0] + ny * light[1] + nz * light[2]) * scale
    around = _enlarged(np.asarray(Image.fromarray(smooth).reduce(8)), (width, height))
    hollow = np.clip((around - smooth) * 3.0 / (smooth + 0.15), -0.35, 0.6)
    tone = 0.10 + 0.95 * np.clip(lit, -0.05, 1) - sure * (0.5 * hollow + _shadow(smooth, light))
    steps = np.clip(tone, 0, 1) * 5
    # A hint of steps, like brushed washes.
    washed = np.floor(steps) + _eased(steps - np.floor(steps))
    tone = 0.6 * np.clip(tone, 0, 1) + 0.4 * washed / 5
    return np.asarray(tone, np.float32), np.asarray(np.clip(0.5 - 0.5 * ny * scale, 0, 1), np.float32)


def _eased(part: Plane) -> Plane:
    return np.clip((part - 0.3) / 0.4, 0, 1)


def _softened(plane: Plane) -> Plane:
    """Average over 5 x 5: takes the steps of 8 bits and of the movie's compression."""
    padded = np.pad(plane, ((2, 2), (2, 2)), mode="edge")
    rows = padded[:-4] + padded[1:-3] + padded[2:-2] + padded[3:-1] + padded[4:]
    total = rows[:, :-4] + rows[:, 1:-3] + rows[:, 2:-2] + rows[:, 3:-1] + rows[:, 4:]
    return np.asarray(total / np.float32(25), np.float32)


def _quiet(slope: Plane) -> Plane:
    """Slopes below a third of an 8-bit step per stride are noise."""
    limit = np.float32(0.35 / 255 / _STRIDE)
    return np.sign(slope) * np.maximum(np.abs(slope) - limit, 0)


def _shadow(smooth: Plane, light: npt.NDArray[np.float32]) -> Plane:
    """Darker where something a little nearer stands between a surface and the light."""
    dark = np.zeros_like(smooth)
    padded = np.pad(smooth, _REACH, mode="edge")
    height, width = smooth.shape
    for step in (4, 9, _REACH):
        top, left = _REACH + round(float(light[1]) * step), _REACH + round(float(light[0]) * step)
        rise = padded[top : top + height, left : left + width] - smooth - np.float32(0.012)
        dark = np.maximum(dark, np.clip(rise * 14, 0, 1) * np.clip((0.22 - rise) * 12, 0, 1))
    return dark * np.float32(0.2)


def _contours(near: Plane) -> Plane:
    """Thin dark lines where depth jumps; 1 elsewhere."""
    jump = np.zeros_like(near)
    jump[:, 1:] = np.abs(near[:, 1:] - near[:, :-1])
    jump[1:] = np.maximum(jump[1:], np.abs(near[1:] - near[:-1]))
    return np.float32(1) - np.float32(0.45) * np.clip((jump - np.float32(0.03)) * np.float32(12), 0, 1)


def _ink_table(look: Look) -> npt.NDArray[np.float32]:
    """Colours by tone and tilt, (tones * tilts, 3)."""
    palette = look.palette
    shadow, mid, light, ground, sky = (
        np.array(colour, np.float32)
        for colour in (palette.shadow, palette.mid, palette.light, palette.ground, palette.sky)
    )
    tone = np.linspace(0, 1, _TONES, dtype=np.float32)[:, None, None]
    tilt = np.linspace(-1, 1, _TILTS, dtype=np.float32)[None, :, None]
    body = mid + np.clip(tilt, 0, 1) * 0.8 * (ground - mid) + np.clip(-tilt, 0, 1) * 0.5 * (shadow - mid)
    dark = shadow + 0.22 * np.clip(tilt, 0, 1) * (sky - shadow)
    low = dark + (body - dark) * np.clip(tone / 0.55, 0, 1) ** 0.9
    table = low + (light - low) * np.clip((tone - 0.55) / 0.5, 0, 1) ** 1.3 * 0.85
    return np.asarray(table, np.float32).reshape(-1, 3)


def _sky(look: Look, size: tuple[int, int]) -> Canvas:
    """From the zenith to the horizon, with a glow on the side of the light."""
    width, height = size
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    sky, fog, light = (
        np.array(colour, np.float32) for colour in (look.palette.sky, look.palette.fog, look.palette.light)
    )
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
