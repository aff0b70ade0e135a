# SPDX-License-Identifier: GPL-3.0-or-later
"""Every dialect, pixel for pixel, against OpenCV drawing from tables typed in anew; and what that check rejects."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.people.dialects import DIALECTS, dialect
from second_unit.addon.conditioning.people.figures import draw_pose
from second_unit.addon.conditioning.people.pose import PosedPerson, Visibility
from second_unit.addon.shot.people import BODY, FACE, FEET, JOINTS, LEFT_HAND, RIGHT_HAND

cv2 = pytest.importorskip("cv2")

Picture = npt.NDArray[np.uint8]
Size = tuple[int, int]

LIMBS = [
    "2-3", "2-6", "3-4", "4-5", "6-7", "7-8", "2-9", "9-10", "10-11", "2-12", "12-13", "13-14", "2-1", "1-15",
    "15-17", "1-16", "16-18",
]  # fmt: skip
FOOT_LIMBS = ["14-19", "11-20"]
RGB = [
    "255,0,0", "255,85,0", "255,170,0", "255,255,0", "170,255,0", "85,255,0", "0,255,0", "0,255,85", "0,255,170",
    "0,255,255", "0,170,255", "0,85,255", "0,0,255", "85,0,255", "170,0,255", "255,0,255", "255,0,170", "255,0,85",
    "200,200,0", "100,100,0",
]  # fmt: skip
EDGES = [
    "0-1", "1-2", "2-3", "3-4", "0-5", "5-6", "6-7", "7-8", "0-9", "9-10", "10-11", "11-12", "0-13", "13-14", "14-15",
    "15-16", "0-17", "17-18", "18-19", "19-20",
]  # fmt: skip
SIZES = [(64, 64), (208, 120), (97, 401), (832, 480), (1280, 720)]


@dataclass(frozen=True)
class Rules:
    """One row of the reference's table of dialects, for one size."""

    stick: int = 4
    disc: int = 4
    finger: int = 2
    hand_disc: int = 4
    dot: int = 3
    hands: bool = True
    face: bool = True
    toes: bool = False
    share: float = 0.6
    is_reversed: bool = False
    by_part: bool = False

    @property
    def limbs(self) -> int:
        return 19 if self.toes else 17

    @property
    def joints(self) -> int:
        return 20 if self.toes else 18

    @property
    def first_of_hands(self) -> tuple[int, ...]:
        return (24, 45) if self.hands else ()


def rules(name: str, size: Size) -> Rules:
    width, height = size
    if name == "xinsir":
        longest, r = max(width, height), 7
        for number, limit in enumerate((500, 1000, 2000, 3000, 4000, 5000), start=1):
            if longest < limit:
                r = number
                break
        return Rules(stick=int(4 * r), disc=int(4 * r), hands=False, face=False)
    if name == "wan-animate":
        stick = max(int(min(height, width) / 200) - 1, 1)
        hand = max(max(int(min(height, width) / 200) - 1, 1) // 2, 1)
        return Rules(stick, stick, hand, hand, face=False, toes=True)
    if name == "vace":
        pen = [max(1, round(usual * min(height, width) / 1024)) for usual in (4, 4, 3)]
        return Rules(stick=pen[0], disc=pen[1], dot=pen[2], hands=False, is_reversed=True, by_part=True)
    return {
        "openpose": Rules(),
        "core": Rules(share=1.0),
        "dwpose": Rules(by_part=True),
    }[name]


def colour(number: int, share: float = 1.0) -> list[int]:
    return [int(int(c) * share) for c in RGB[number].split(",")]


def body_of(person: PosedPerson) -> list[tuple[float, float] | None]:
    """The 18 joints and two toes, None where not drawn."""
    drawn = person.shown()
    points: list[Any] = [tuple(person.points[k]) if drawn[k] else None for k in range(24)]
    toes = [None if a is None or b is None else ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
            for a, b in ((points[18], points[19]), (points[21], points[22]))]  # fmt: skip
    return points[:18] + toes


def draw_limb(canvas: Picture, person: PosedPerson, number: int, rule: Rules, share: float) -> None:
    one, other = (body_of(person)[int(k) - 1] for k in (LIMBS + FOOT_LIMBS)[number].split("-"))
    if one is None or other is None:
        return
    middle = int((one[0] + other[0]) / 2), int((one[1] + other[1]) / 2)
    length = ((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5
    angle = int(math.degrees(math.atan2(one[1] - other[1], one[0] - other[0])))
    polygon = cv2.ellipse2Poly(middle, (int(length / 2), rule.stick), angle, 0, 360, 1)
    cv2.fillConvexPoly(canvas, polygon, colour(number, share))


def draw_joint(canvas: Picture, person: PosedPerson, number: int, rule: Rules) -> None:
    point = body_of(person)[number]
    if point is not None:
        cv2.circle(canvas, (int(point[0]), int(point[1])), rule.disc, colour(number), thickness=-1)


def small(person: PosedPerson, joint: int) -> tuple[int, int] | None:
    if not person.shown()[joint]:
        return None
    x, y = (int(c) for c in person.points[joint])
    return (x, y) if x > 0.01 and y > 0.01 else None


def draw_hand(canvas: Picture, person: PosedPerson, first: int, rule: Rules) -> None:
    for number, edge in enumerate(EDGES):
        one, other = (small(person, first + int(k)) for k in edge.split("-"))
        if one is not None and other is not None:
            hue = [c * 255 for c in colorsys.hsv_to_rgb(number / 20, 1.0, 1.0)]
            cv2.line(canvas, one, other, hue, thickness=rule.finger)
    for k in range(21):
        point = small(person, first + k)
        if point is not None:
            cv2.circle(canvas, point, rule.hand_disc, (0, 0, 255), thickness=-1)


def draw_face(canvas: Picture, person: PosedPerson, rule: Rules) -> None:
    for k in range(68):
        point = small(person, 66 + k)
        if point is not None:
            cv2.circle(canvas, point, rule.dot, (255, 255, 255), thickness=-1)


def opencv(people: list[PosedPerson], size: Size, rule: Rules) -> Picture:
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas = by_part(canvas, people, rule) if rule.by_part else by_person(canvas, people, rule)
    return canvas[..., ::-1] if rule.is_reversed else canvas


def by_person(canvas: Picture, people: list[PosedPerson], rule: Rules) -> Picture:
    for person in people:
        for number in range(rule.limbs):
            draw_limb(canvas, person, number, rule, rule.share)
        for number in range(rule.joints):
            draw_joint(canvas, person, number, rule)
        for first in rule.first_of_hands:
            draw_hand(canvas, person, first, rule)
        if rule.face:
            draw_face(canvas, person, rule)
    return canvas


def by_part(canvas: Picture, people: list[PosedPerson], rule: Rules) -> Picture:
    for number, person in product(range(rule.limbs), people):
        draw_limb(canvas, person, number, rule, 1.0)
    canvas = (canvas * rule.share).astype(np.uint8)
    for number, person in product(range(rule.joints), people):
        draw_joint(canvas, person, number, rule)
    for first, person in product(rule.first_of_hands, people):
        draw_hand(canvas, person, first, rule)
    for person in people if rule.face else ():
        draw_face(canvas, person, rule)
    return canvas


def somebody(random: np.random.Generator, size: Size, spread: float) -> PosedPerson:
    """A body anywhere, with hands at its wrists, a face at its nose, some of it hidden, now and then degenerate."""
    scale = spread * min(size)
    points = np.zeros((JOINTS, 2))
    points[BODY] = random.uniform((0, 0), size) + random.normal(0, scale, (18, 2))
    for part, joint, share in ((LEFT_HAND, 7, 0.3), (RIGHT_HAND, 4, 0.3), (FACE, 0, 0.2)):
        points[part] = points[joint] + random.normal(0, scale * share, (part.stop - part.start, 2))
    points[FEET] = points[13] + random.normal(0, scale * 0.2, (6, 2))
    kind = random.integers(6)
    if kind == 0:
        points = np.round(points)
    elif kind == 1:
        points[random.random(JOINTS) < 0.4] = points[0]
    elif kind == 2:
        points[:, random.integers(2)] = random.integers(-1, 3)
    codes = random.choice(list(Visibility), JOINTS, p=[0.05, 0.6, 0.1, 0.05, 0.15, 0.05]).astype(np.int8)
    points[codes == Visibility.MISSING] = np.nan
    points[codes == Visibility.BEHIND] *= -1e9
    return PosedPerson("a", points, np.ones(JOINTS), codes)


def crowd(seed: int, size: Size, spread: float, count: int) -> list[PosedPerson]:
    random = np.random.default_rng(seed)
    return [somebody(random, size, spread) for _ in range(count)]


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), size=st.sampled_from(SIZES), spread=st.sampled_from([0.03, 0.15, 0.5, 2.0, 40.0]),
    count=st.integers(0, 3),
)  # fmt: skip
def test_every_pixel_is_opencvs(name: str, seed: int, size: Size, spread: float, count: int) -> None:
    people = crowd(seed, size, spread, count)
    np.testing.assert_array_equal(draw_pose(people, size, dialect(name)), opencv(people, size, rules(name, size)))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("size", SIZES)
def test_a_crowd_that_overlaps_is_opencvs_too(name: str, size: Size) -> None:
    people = crowd(7, size, 0.3, 4)
    picture = draw_pose(people, size, dialect(name))
    assert picture.any()
    assert picture.dtype == np.uint8
    assert picture.shape == (size[1], size[0], 3)
    np.testing.assert_array_equal(picture, opencv(people, size, rules(name, size)))


@pytest.mark.parametrize("longest", [499, 500, 999, 1000, 1999, 2000, 3000, 4000, 4999, 5000])
def test_pens_grow_with_the_picture_as_the_reference_says(longest: int) -> None:
    for size in ((longest, 300), (200, longest)):
        for name in DIALECTS:
            rule, pens = rules(name, size), dialect(name).pens(size)
            assert (pens.limb, pens.joint) == (rule.stick, rule.disc), name
            assert (pens.finger, pens.hand, pens.face) == (rule.finger, rule.hand_disc, rule.dot), name


def test_thick_fingers_of_large_pictures_are_opencvs() -> None:
    """Wan-Animate's fingers are 1 pixel wide up to 999 lines, 2 and more beyond."""
    for size in ((1100, 1000), (1500, 1400), (1900, 1800), (2300, 2200)):
        people = crowd(3, size, 0.2, 2)
        expected = opencv(people, size, rules("wan-animate", size))
        np.testing.assert_array_equal(draw_pose(people, size, dialect("wan-animate")), expected)


def exchanged(person: PosedPerson) -> PosedPerson:
    """Left and right taken for each other."""
    order = np.arange(JOINTS)
    order[:18] = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]
    order[18:24] = [21, 22, 23, 18, 19, 20]
    order[24:66] = [*range(45, 66), *range(24, 45)]
    return PosedPerson(person.key, person.points[order], person.z[order], person.visibility[order])


def shifted(person: PosedPerson, x: int, y: int) -> PosedPerson:
    return PosedPerson(person.key, person.points + np.array([x, y]), person.z, person.visibility)


@pytest.mark.parametrize("name", DIALECTS)
def test_the_check_rejects_each_plausible_mistake(name: str) -> None:
    size = (832, 480)
    people, ours = crowd(11, size, 0.4, 5), dialect(name)
    expected = opencv(people, size, rules(name, size))
    np.testing.assert_array_equal(draw_pose(people, size, ours), expected)
    thicker = ours.pens(size)
    wrong = {
        "BGR": draw_pose(people, size, ours)[..., ::-1],
        "the other channel order": draw_pose(people, size, replace(ours, reversed_channels=not ours.reversed_channels)),
        "left and right": draw_pose([exchanged(p) for p in people], size, ours),
        "one pixel right": draw_pose([shifted(p, 1, 0) for p in people], size, ours),
        "one pixel down": draw_pose([shifted(p, 0, 1) for p in people], size, ours),
        "brightness of limbs": draw_pose(people, size, replace(ours, limb_share=1.6 - ours.limb_share)),
        "thicker limbs": draw_pose(people, size, replace(ours, pens=lambda _: replace(thicker, limb=thicker.limb + 1))),
        "hands": draw_pose(people, size, replace(ours, hands=not ours.hands)),
        "face": draw_pose(people, size, replace(ours, face=not ours.face)),
    }
    if name != "vace":  # part by part and without hands, what overlaps has the same colour
        wrong["other people first"] = draw_pose(people[::-1], size, ours)
    assert [what for what, answer in wrong.items() if np.array_equal(answer, expected)] == []


def test_dialects_are_told_apart_by_their_pictures() -> None:
    size = (832, 480)
    people = crowd(11, size, 0.4, 5)
    pictures = [draw_pose(people, size, dialect(name)).tobytes() for name in DIALECTS]
    assert len(set(pictures)) == len(DIALECTS)
