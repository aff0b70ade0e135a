# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of a face from its shape keys, against faces whose landmarks are known because the test put them there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.rigs.face import MIRRORED
from second_unit.addon.conditioning.rigs.face_shapes import FaceShapes, wanted

F64 = npt.NDArray[np.float64]

WIDTH = 0.14
"""Metres from one side of the made-up face to the other: the measure of every tolerance."""
TOLERANCE = 0.03 * WIDTH
EYE, EYE_HALF, LID = (0.06, 0.031), 0.014, 0.0055
"""Middle of the left eye (up, left), half its width, half its opening."""
MOUTH, MOUTH_HALF = -0.015, 0.025
CHIN = -0.055
EYES = {("blink", 0), ("blink", 1)}


@dataclass(frozen=True)
class Face:
    """Vertices (n, 3) up, forward, left; keys; where the landmarks truly are."""

    rest: F64
    keys: dict[str, F64]
    truth: dict[int, F64]


def ahead(up: F64, left: F64) -> F64:
    """The front of an ellipsoid 22 cm high, 14 wide and 18 deep."""
    return 0.09 * np.sqrt(np.clip(1 - (up / 0.11) ** 2 - (left / 0.07) ** 2, 0, None))


def on_face(up: float, left: float) -> F64:
    return np.array([up, float(ahead(np.array(up), np.array(left))), left])


def made(step: float = 0.0015, shift: float = 0.0, seed: int | None = None) -> Face:
    """A face of grid points, ``step`` metres apart, with eyes cut open and lips that touch; ``seed`` jitters it.

    The lids' edges are rows of vertices of their own; the lower lip is a second row where the upper one ends.
    """
    up, left = (axis.ravel() for axis in np.meshgrid(
        np.arange(-0.075 + shift, 0.1, step), np.arange(-0.068 + shift, 0.069, step), indexing="ij"))  # fmt: skip
    if seed is not None:
        rng = np.random.default_rng(seed)
        up, left = up + rng.normal(0, step / 6, up.shape), left + rng.normal(0, step / 6, left.shape)
    inside = np.zeros(len(up), bool)
    for sign in (1, -1):
        x = (sign * left - EYE[1]) / EYE_HALF
        inside |= (np.abs(x) < 1) & (np.abs(up - EYE[0]) < LID * (1 - x**2) + step / 3)
    up, left = up[~inside], left[~inside]
    x = np.linspace(-1, 1, 15)
    for sign in (1, -1):
        for upper in (1, -1):
            edge = x if upper == 1 else x[1:-1]
            up = np.append(up, EYE[0] + upper * LID * (1 - edge**2))
            left = np.append(left, sign * (EYE[1] + EYE_HALF * edge))
    lips = np.linspace(-MOUTH_HALF, MOUTH_HALF, 21)
    for gap in (5e-4, -5e-4):
        up, left = np.append(up, np.full(21, MOUTH + gap)), np.append(left, lips)
    # teeth behind the lips, a tongue behind them
    depth = ahead(up, left)
    for back, height in ((0.012, 0.004), (0.03, -0.002)):
        row = np.linspace(-0.02, 0.02, 11)
        up, left = np.append(up, np.full(11, MOUTH + height)), np.append(left, row)
        depth = np.append(depth, ahead(np.full(11, MOUTH), row) - back)
    rest = np.stack([up, depth, left], axis=1)
    return Face(rest, keys_of(rest), landmarks())


def keys_of(rest: F64) -> dict[str, F64]:
    up, depth, left = rest.T
    skin = np.abs(depth - ahead(up, left)) < 1e-6
    keys: dict[str, F64] = {}

    def key(name: str, amount: F64, way: tuple[float, float, float]) -> None:
        keys[name] = (amount * skin)[:, None] * np.array(way)

    for sign, side in ((1, "Left"), (-1, "Right")):
        x = (sign * left - EYE[1]) / EYE_HALF
        edge = LID * np.clip(1 - x**2, 0, None)
        above = up - EYE[0]
        lid = np.where((np.abs(x) <= 1) & (above >= edge - 1e-9), np.exp(-(((above - edge) / 0.004) ** 2)), 0)
        cheek = np.exp(-(((up - 0.045) / 0.012) ** 2) - ((sign * left - EYE[1]) / 0.02) ** 2) * (above < -edge - 1e-4)
        key(f"eyeBlink{side}", 2 * edge * lid - 0.001 * cheek, (-1, 0, 0))
        for name, place, reach, way in (
            (f"mouthSmile{side}", (MOUTH, MOUTH_HALF), 0.015, (0.006, -0.002, 0.008 * sign)),
            (f"browOuterUp{side}", (0.08, 0.042), 0.012, (0.006, 0, 0)),
            (f"noseSneer{side}", (0.015, 0.017), 0.008, (0.004, 0, 0)),
        ):
            key(name, np.exp(-(((up - place[0]) / reach) ** 2) - ((sign * left - place[1]) / reach) ** 2), way)
    key("browInnerUp", np.exp(-(((up - 0.083) / 0.01) ** 2) - ((np.abs(left) - 0.015) / 0.01) ** 2), (0.008, 0, 0))
    # the jaw turns about the ears: skin below the lips and all in the mouth that is its own; the neck fades out
    hinge = np.array([0.03, -0.005, 0])
    arm = (rest - hinge) * (1, 1, 0)
    turn = math.radians(18)
    swing = np.stack([
        (math.cos(turn) - 1) * arm[:, 0] - math.sin(turn) * arm[:, 1],
        math.sin(turn) * arm[:, 0] + (math.cos(turn) - 1) * arm[:, 1], 0 * up,
    ], axis=1)  # fmt: skip
    hangs = (
        (up < MOUTH) * np.exp(-((np.abs(left) / 0.055) ** 4)) * np.exp(-((np.clip(CHIN - up, 0, None) / 0.012) ** 2))
    )
    corner = np.clip((MOUTH_HALF - np.abs(left)) / 0.004, 0, 1)
    hangs = np.where(skin & (up > MOUTH - 0.012), hangs * np.maximum(corner, (MOUTH - up) / 0.012), hangs)
    keys["jawOpen"] = swing * hangs[:, None]
    return keys


def landmarks() -> dict[int, F64]:
    """Left half and middle as they were put there, right half mirrored."""
    third = LID * (1 - (1 / 3) ** 2)
    half = {
        45: (EYE[0], EYE[1] + EYE_HALF), 42: (EYE[0], EYE[1] - EYE_HALF),
        44: (EYE[0] + third, EYE[1] + EYE_HALF / 3), 43: (EYE[0] + third, EYE[1] - EYE_HALF / 3),
        46: (EYE[0] - third, EYE[1] + EYE_HALF / 3), 47: (EYE[0] - third, EYE[1] - EYE_HALF / 3),
        54: (MOUTH, MOUTH_HALF), 64: (MOUTH, MOUTH_HALF), 22: (0.083, 0.015), 25: (0.08, 0.042), 35: (0.015, 0.017),
    }  # fmt: skip
    truth = {point: on_face(*place) for point, place in half.items()}
    twins = {left: right for right, left in MIRRORED}
    truth |= {twins[point]: place * (1, 1, -1) for point, place in truth.items()}
    return truth | {p: on_face(MOUTH, 0) for p in (51, 57, 62, 66)} | {8: on_face(CHIN, 0)}


def shapes_of(face: Face, turn: F64 | None = None) -> FaceShapes:
    turn = np.eye(3) if turn is None else turn
    names = wanted(face.keys)
    return FaceShapes(face.rest @ turn.T, {said: face.keys[name] @ turn.T for said, name in names.items()})


@pytest.mark.parametrize(
    ("step", "shift", "seed"), [(0.0015, 0, None), (0.002, 0.0004, 1), (0.0025, 0.001, 2), (0.001, 0, 3)]
)
def test_every_point_is_where_it_was_put(step: float, shift: float, seed: int | None) -> None:
    face = made(step, shift, seed)
    found = shapes_of(face).points()
    assert sorted(found) == sorted(face.truth)
    off = {point: float(np.linalg.norm(face.rest[found[point]] - place)) for point, place in face.truth.items()}
    assert max(off.values()) < TOLERANCE, {point: round(far / WIDTH, 3) for point, far in off.items()}


@pytest.mark.parametrize("degrees", [-8, 8])
def test_left_stays_left_on_a_crooked_head(degrees: float) -> None:
    """The head's axes come from bones, and may be some degrees off."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    face = made(0.002, 0.0004, 4)
    for turn in (np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])):
        found = shapes_of(face, turn).points()
        for right, left in MIRRORED:
            if right in found:
                assert face.rest[found[right], 2] < 0 < face.rest[found[left], 2]


def test_the_points_follow_the_keys() -> None:
    face = made()
    found = shapes_of(face).points()
    open_ = face.rest[[found[46], found[44], found[47], found[43]], 0]
    closed = (face.rest + face.keys["eyeBlinkLeft"])[[found[46], found[44], found[47], found[43]], 0]
    assert open_[1] - open_[0] > 1.5 * LID
    assert abs(closed[1] - closed[0]) < 0.4 * LID
    assert abs(closed[3] - closed[2]) < 0.4 * LID
    talking = face.rest + face.keys["jawOpen"]
    assert talking[found[62], 0] - talking[found[66], 0] > 0.015
    assert talking[found[8], 0] < face.rest[found[8], 0] - 0.02
    smiling = face.rest + face.keys["mouthSmileLeft"]
    assert smiling[found[54], 2] > face.rest[found[54], 2] + 0.006
    assert smiling[found[48], 2] == pytest.approx(face.rest[found[48], 2], abs=1e-4)


def test_keys_under_the_wrong_sides_names_are_not_believed() -> None:
    face = made(0.002)
    swapped = {"eyeBlinkLeft": face.keys["eyeBlinkRight"], "eyeBlinkRight": face.keys["eyeBlinkLeft"]}
    assert shapes_of(Face(face.rest, {**face.keys, **swapped}, {})).points() == {}


def test_one_key_for_both_eyes_does_and_a_face_that_cannot_blink_or_speak_has_no_points() -> None:
    face = made(0.002)
    both = {name: move for name, move in face.keys.items() if not name.startswith("eyeBlink")}
    both["Fcl_EYE_Close"] = face.keys["eyeBlinkLeft"] + face.keys["eyeBlinkRight"]
    assert shapes_of(Face(face.rest, both, {})).points() == shapes_of(face).points()
    for missing in ("eyeBlinkLeft", "jawOpen"):
        kept = {name: move for name, move in face.keys.items() if name != missing}
        assert shapes_of(Face(face.rest, kept, {})).points() == {}
    still = {name: move * 0 for name, move in face.keys.items()}
    assert shapes_of(Face(face.rest, still, {})).points() == {}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("eyeBlinkLeft", "eyeBlinkRight", "jawOpen"), EYES | {("jaw", 2)}),
        (("eyeBlink_L", "eyeBlink_R", "jawOpen", "browInnerUp"), EYES | {("jaw", 2), ("brow inner", 2)}),
        (("Eye_Blink_L", "Eye_Blink_R", "Jaw_Open", "Mouth_Smile_L", "Brow_Raise_Inner_R"),
         EYES | {("jaw", 2), ("smile", 0), ("brow inner", 1)}),
        (("Face.M_F00_000_00_Fcl_EYE_Close_L", "Face.M_F00_000_00_Fcl_EYE_Close_R", "Face.M_F00_000_00_Fcl_MTH_A"),
         EYES | {("jaw", 2)}),
        (("まばたき", "あ"), {("blink", 2), ("jaw", 2)}),
        (("Basis", "smile", "Key 1", "eyeLookUpLeft", "eyeBlinkers", "banana aa"), set()),
    ],
)  # fmt: skip
def test_keys_are_known_by_the_names_of_every_kind(names: tuple[str, ...], expected: set[tuple[str, int]]) -> None:
    assert set(wanted(names)) == expected
