# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose dialects: how each model family was shown its stick figures. Tables of the reference, conditioning 2.2 to 2.6.

Joints are numbered as in `shot.people`; two more, the toes, are made from the feet for those who draw them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from ...errors import UsageError
from ...shot.people import BODY, JOINTS, LEFT_HAND, RIGHT_HAND

if TYPE_CHECKING:
    import numpy.typing as npt

LEFT_TOE, RIGHT_TOE = JOINTS, JOINTS + 1
"""Each the middle of a big and a small toe."""

TOES = (LEFT_TOE, RIGHT_TOE)

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""The 17 limbs in drawing order, as pairs of joints. Limb i has colour i."""

FEET = ((13, LEFT_TOE), (10, RIGHT_TOE))
"""Two more, after the others."""

COLOURS: npt.NDArray[np.uint8] = np.array(
    [
        (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
        (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
        (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
        (200, 200, 0), (100, 100, 0),
    ],
    np.uint8,
)  # fmt: skip
"""RGB of the k-th joint and the k-th limb; the last two are for toes."""

FINGERS = tuple((0 if k % 4 == 0 else k, k + 1) for k in range(20))
"""The 20 lines of a hand from the wrist out, as pairs of its 21 points."""

FINGER_COLOURS: npt.NDArray[np.uint8] = np.array(
    [
        (255, 0, 0), (255, 77, 0), (255, 153, 0), (255, 229, 0), (204, 255, 0), (128, 255, 0), (51, 255, 0),
        (0, 255, 25), (0, 255, 102), (0, 255, 179), (0, 255, 255), (0, 178, 255), (0, 102, 255), (0, 25, 255),
        (51, 0, 255), (128, 0, 255), (204, 0, 255), (255, 0, 230), (255, 0, 153), (255, 0, 77),
    ],
    np.uint8,
)  # fmt: skip
"""RGB of line i of a hand: hue i/20 as OpenCV rounds it."""

HANDS = (LEFT_HAND, RIGHT_HAND)
HAND_DOT = (0, 0, 255)
FACE_DOT = (255, 255, 255)

DARK = 0.6
"""Share of their colour at which most dialects paint limbs; joints have the full one."""


@dataclass(frozen=True, slots=True)
class Pens:
    """Pixels: half width of a limb, radius of a joint, thickness of a finger's line, radii of hand and face dots."""

    limb: int = 4
    joint: int = 4
    finger: int = 2
    hand: int = 4
    face: int = 3


class Order(Enum):
    """Who is painted over whom where several people overlap."""

    PERSON = "person"
    """Body, left hand, right hand, face, then the next person."""
    PART = "part"
    """Everybody's first limb, everybody's second one …, joints likewise, all left hands, all right ones, all faces."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to draw people. ``pens`` is asked with the picture's (width, height).

    Hands and faces are drawn of those who have them. ``dataclasses.replace`` makes the variants a family allows: plain
    colours, other pens.
    """

    name: str
    body: bool = True
    hands: bool = True
    face: bool = True
    toes: bool = False
    limb_share: float = DARK
    reversed_channels: bool = False
    order: Order = Order.PERSON
    pens: Callable[[tuple[int, int]], Pens] = lambda _: Pens()

    def with_parts(self, parts: Collection[str]) -> Dialect:
        """The same with exactly these of ``body``, ``hands`` and ``face``."""
        return replace(self, body="body" in parts, hands="hands" in parts, face="face" in parts)

    @property
    def limbs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of joints, toes included."""
        return LIMBS + FEET if self.toes else LIMBS

    @property
    def joints(self) -> tuple[int, ...]:
        """The joints of the body that get a disc."""
        return tuple(range(BODY.stop)) + (TOES if self.toes else ())


_XINSIR_SIDES = (500, 1000, 2000, 3000, 4000, 5000)


def _xinsir(size: tuple[int, int]) -> Pens:
    """Thick sticks and thick joints, by the longer side: 4 pixels below 500, up to 28 from 5000 on."""
    scale = 1 + sum(max(size) >= side for side in _XINSIR_SIDES)
    return Pens(limb=4 * scale, joint=4 * scale)


_USUAL, _VACE_SIDE = Pens(), 1024


def _vace(size: tuple[int, int]) -> Pens:
    """As thick as its annotator's, which draws at a short side of 1024 and resizes: 2 pixels at 480, 3 at 720."""
    scale = min(size) / _VACE_SIDE
    stick, dot = (max(1, round(pixels * scale)) for pixels in (_USUAL.limb, _USUAL.face))
    return Pens(limb=stick, joint=stick, face=dot)


def _wan_animate(size: tuple[int, int]) -> Pens:
    """Thin, by the shorter side: 2 pixels at 720, 1 at 480; hands half of it."""
    body = max(min(size) // 200 - 1, 1)
    hand = max(body // 2, 1)
    return Pens(limb=body, joint=body, finger=hand, hand=hand)


_DIALECTS = {
    dialect.name: dialect
    for dialect in (
        # ControlNet 1.1: any mix of body, hands and face
        Dialect("openpose"),
        # SDXL and its union: hands are accepted, but not what it was trained for
        Dialect("xinsir", hands=False, face=False, pens=_xinsir),
        # Drawn at the final size the lines stay clean. Whether plain colours do as well is not known (issue 134 there),
        # so `reversed_channels` may be turned off
        Dialect("vace", hands=False, reversed_channels=True, order=Order.PART, pens=_vace),
        # The face travels as a video of its own: see `face.face_box`
        Dialect("wan-animate", face=False, toes=True, pens=_wan_animate),
        # ComfyUI's own SDPoseDrawKeypoints
        Dialect("core", limb_share=1.0),
        # Wan Fun, Z-Image Fun: everything
        Dialect("dwpose", order=Order.PART),
    )
}

DIALECTS = tuple(_DIALECTS)
"""Names of all dialects."""


def dialect(name: str) -> Dialect:
    """By name; raises `UsageError` for an unknown one."""
    if name not in _DIALECTS:
        raise UsageError(f"There is no pose dialect '{name}'.", f"Choose one of: {', '.join(DIALECTS)}.")
    return _DIALECTS[name]
