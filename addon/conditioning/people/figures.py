# SPDX-License-Identifier: GPL-3.0-or-later
"""People as stick figures in a pose dialect, pixel for pixel what OpenCV would draw.

Coordinates are truncated and nothing is anti-aliased: exactly as the training pictures were made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...shot.people import FACE, FEET, JOINTS
from . import paint
from .dialects import COLOURS, FACE_DOT, FINGER_COLOURS, FINGERS, HAND_DOT, HANDS, Dialect, Order, Pens
from .pose import AS_DETECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .pose import Policy, PosedPerson

    Bools: TypeAlias = npt.NDArray[np.bool_]
    Bytes: TypeAlias = npt.NDArray[np.uint8]
    F64: TypeAlias = npt.NDArray[np.float64]
    I64: TypeAlias = npt.NDArray[np.int64]
    Size: TypeAlias = tuple[int, int]

_TOE_POINTS = FEET.start + np.array([[0, 1], [3, 4]])
"""Big and small toe, left and right."""


def draw_pose(
    people: Sequence[PosedPerson], size: tuple[int, int], dialect: Dialect, policy: Policy = AS_DETECTED
) -> npt.NDArray[np.uint8]:
    """The stick figures of ``people`` on black, (H, W, 3) uint8 RGB, ``size`` being (width, height).

    ``policy`` says which joints are drawn. A limb needs both its ends. Points of hands and faces in or beyond the first
    row or column are left out, as in every source of the reference.
    """
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    layers = _layers(_Crowd.of(people, policy), dialect, size)
    places, colours = _places(layers, len(people), dialect.order)
    first, runs = 0, list[paint.Runs]()
    for layer in layers:
        turns = places[:, first : first + len(layer.colours)]
        runs += [replace(p.runs, shape=turns[p.person, p.slot][p.runs.shape]) for p in layer.parts]
        first += len(layer.colours)
    if runs:
        paint.fill(canvas, paint.joined(*runs), colours[:, ::-1] if dialect.reversed_channels else colours)
    return canvas


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Everybody's joints, toes included: ``points`` (n, JOINTS + 2, 2), where not ``shown`` 0; ``pixels`` truncated."""

    points: F64
    pixels: I64
    shown: Bools

    @classmethod
    def of(cls, people: Sequence[PosedPerson], policy: Policy) -> _Crowd:
        shown = np.array([person.shown(policy) for person in people], bool).reshape(-1, JOINTS)
        points = np.array([person.points for person in people], np.float64).reshape(-1, JOINTS, 2)
        points = np.where(shown[:, :, None], points, 0.0)
        points = np.concatenate([points, points[:, _TOE_POINTS].mean(axis=2)], axis=1)
        shown = np.concatenate([shown, shown[:, _TOE_POINTS].all(axis=2)], axis=1)
        return cls(points, points.astype(np.int64), shown)

    def in_small(self, joints: slice) -> Bools:
        """Which of these points (n, joints) hands and faces show."""
        pixels = self.pixels[:, joints]
        return self.shown[:, joints] & (pixels[:, :, 0] > 0) & (pixels[:, :, 1] > 0)


@dataclass(frozen=True, slots=True)
class _Part:
    """Shapes of one kind. Shape k of ``runs`` is ``slot[k]`` of ``person[k]`` within the layer."""

    person: I64
    slot: I64
    runs: paint.Runs


@dataclass(frozen=True, slots=True)
class _Layer:
    """What is painted together of a person: slot by slot, each with its own of ``colours`` (slots, 3).

    When people are drawn part by part, ``blocks`` (slots,) tells the parts: everybody's block 0, everybody's block 1 …
    """

    parts: tuple[_Part, ...]
    colours: Bytes
    blocks: I64


def _layers(crowd: _Crowd, dialect: Dialect, size: Size) -> list[_Layer]:
    pens = dialect.pens(size)
    layers = [_body(crowd, dialect, size)] if dialect.body else []
    layers += [_hand(crowd, joints, pens, size) for joints in HANDS if dialect.hands]
    return [*layers, _face(crowd, pens, size)] if dialect.face else layers


def _body(crowd: _Crowd, dialect: Dialect, size: Size) -> _Layer:
    pens = dialect.pens(size)
    limbs, joints = np.array(dialect.limbs), np.array(dialect.joints)
    person, limb = np.nonzero(crowd.shown[:, limbs].all(axis=2))
    ends = crowd.points[person[:, None], limbs[limb]]
    sticks = _Part(person, limb, _ellipses(ends[:, 0], ends[:, 1], pens.limb, size))
    person, joint = np.nonzero(crowd.shown[:, joints])
    discs = paint.discs(crowd.pixels[person, joints[joint]], pens.joint, size)
    dark = (COLOURS[: len(limbs)] * dialect.limb_share).astype(np.uint8)
    colours = np.concatenate([dark, COLOURS[: len(joints)]])
    return _Layer((sticks, _Part(person, joint + len(limbs), discs)), colours, np.arange(len(colours)))


def _ellipses(a: F64, b: F64, half_width: int, size: Size) -> paint.Runs:
    """Limbs from ``a`` to ``b``, both (k, 2)."""
    delta = a - b
    length = np.sqrt(delta[:, 0] * delta[:, 0] + delta[:, 1] * delta[:, 1])
    # not numpy's arctan2: its last digit depends on the processor, and 45 degrees must not become 44
    angles = [int(math.degrees(math.atan2(y, x))) for x, y in delta.tolist()]
    halves = np.stack([(length / 2).astype(np.int64), np.full(len(length), half_width)], axis=1)
    return paint.ellipses(((a + b) / 2).astype(np.int64), halves, np.array(angles, np.int64), size)


def _hand(crowd: _Crowd, joints: slice, pens: Pens, size: Size) -> _Layer:
    shown, pixels = crowd.in_small(joints), crowd.pixels[:, joints]
    fingers = np.array(FINGERS)
    person, finger = np.nonzero(shown[:, fingers].all(axis=2))
    ends = pixels[person[:, None], fingers[finger]]
    lines = _Part(person, finger, paint.lines(ends[:, 0], ends[:, 1], pens.finger, size))
    person, point = np.nonzero(shown)
    dots = _Part(person, point + len(fingers), paint.discs(pixels[person, point], pens.hand, size))
    colours = np.concatenate([FINGER_COLOURS, np.full((shown.shape[1], 3), HAND_DOT, np.uint8)])
    return _Layer((lines, dots), colours, np.zeros(len(colours), np.int64))


def _face(crowd: _Crowd, pens: Pens, size: Size) -> _Layer:
    shown = crowd.in_small(FACE)
    person, point = np.nonzero(shown)
    runs = paint.discs(crowd.pixels[:, FACE][person, point], pens.face, size)
    colours = np.full((shown.shape[1], 3), FACE_DOT, np.uint8)
    return _Layer((_Part(person, point, runs),), colours, np.zeros(len(colours), np.int64))


def _places(layers: Sequence[_Layer], people: int, order: Order) -> tuple[I64, Bytes]:
    """When each slot of each person is painted: (people, slots) numbers from 0 on, and the colour of each number."""
    if not layers:
        return np.zeros((people, 0), np.int64), np.zeros((0, 3), np.uint8)
    colours = np.concatenate([layer.colours for layer in layers])
    blocks = np.concatenate([layer.blocks + number * len(colours) for number, layer in enumerate(layers)])
    person, slot = (axis.reshape(-1) for axis in np.indices((people, len(colours))))
    turn = np.lexsort((slot, person, blocks[slot]) if order is Order.PART else (slot, person))
    places = np.empty(len(turn), np.int64)
    places[turn] = np.arange(len(turn))
    return places.reshape(people, len(colours)), colours[slot[turn]]
