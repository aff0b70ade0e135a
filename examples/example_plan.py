# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the two people of "The Handover" step, and when. Pure Python: no Blender.

World coordinates in metres, Z up. Headings are angles from +X, counter-clockwise, in radians. Frames are scene frames
at 24 frames per second. Feet land on odd frames, because keys are set on every second frame from an odd one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

FPS = 24
FIRST_FRAME, LAST_FRAME = 1001, 1240
KEY_FIRST, KEY_LAST, KEY_STEP = 985, 1255, 2
REACH_START, REACH_END, SWITCH, RELEASE, RETURN_END = 1061, 1075, 1079, 1083, 1099
COURIER_X, CONTACT_X = -0.47, 0.47
STEP_M = 0.70
PERIOD, SWING = 12, 10
STAND_HALF_M, WALK_HALF_M = 0.11, 0.07
LONG_AGO, LATER = -100000, 100000


@dataclass(frozen=True, slots=True)
class Footprint:
    """One planting of a foot: the ground point below the ankle, from the landing to the lift."""

    land: float
    lift: float
    x: float
    y: float
    heading: float


@dataclass(frozen=True, slots=True)
class FootPose:
    """The foot at one frame. `pitch` is positive with the heel up (about the ball), negative with the toes up."""

    x: float
    y: float
    height: float
    heading: float
    pitch: float


@dataclass(frozen=True, slots=True)
class BodyPose:
    """The pelvis at one frame. `gait` runs from +1 (left foot lands) to -1 (right foot lands), 0 at rest."""

    x: float
    y: float
    drop: float
    sway: float
    heading: float
    gait: float


@dataclass(frozen=True, slots=True)
class Knot:
    """The state of the body at the moment a foot lands."""

    frame: float
    x: float
    y: float
    heading: float
    gait: float


@dataclass(frozen=True, slots=True)
class Walk:
    """The footprints of one person (key `L` and `R`) and the body knots that follow from them."""

    feet: dict[str, tuple[Footprint, ...]]
    knots: tuple[Knot, ...]

    def landings(self) -> list[tuple[float, str]]:
        """Frames at which a foot comes down, in order, with its side."""
        found = [(p.land, side) for side, prints in self.feet.items() for p in prints if p.land > LONG_AGO]
        return sorted(found)


def ease(value: float) -> float:
    """Smoothstep of `value` clamped to 0..1."""
    value = min(1.0, max(0.0, value))
    return value * value * (3.0 - 2.0 * value)


def ramp(frame: float, start: float, end: float) -> float:
    """Eased 0..1 between two frames."""
    return ease((frame - start) / (end - start))


def _close(steps: list[tuple[float, float, float, float]], last_lift: float = LATER) -> tuple[Footprint, ...]:
    """(landing, x, y, heading) in order -> footprints; each lifts `SWING` frames before the next landing."""
    lifts = [step[0] - SWING for step in steps[1:]] + [last_lift]
    return tuple(Footprint(s[0], lift, s[1], s[2], s[3]) for s, lift in zip(steps, lifts, strict=True))


def courier_feet() -> dict[str, tuple[Footprint, ...]]:
    """Walks along +X and stops beside his mark: left foot at 1053, right foot closes at 1065."""
    toes_out = math.radians(9)
    left = [(1053.0 - 24 * i, COURIER_X - 2 * i * STEP_M, WALK_HALF_M, 0.03) for i in range(5)]
    right = [(1041.0 - 24 * i, COURIER_X - (2 * i + 1) * STEP_M, -WALK_HALF_M, -0.03) for i in range(5)]
    left[0] = (1053.0, COURIER_X + 0.02, STAND_HALF_M, toes_out)
    right.insert(0, (1065.0, COURIER_X, -STAND_HALF_M, -toes_out))
    return {"L": _close(left[::-1]), "R": _close(right[::-1])}


def contact_feet() -> dict[str, tuple[Footprint, ...]]:
    """Stands facing -X, turns left through -Y from 1099 on, walks off along +X."""
    turn = math.radians
    left = [(float(LONG_AGO), CONTACT_X, -STAND_HALF_M, turn(189)), (1109.0, CONTACT_X - 0.01, -0.21, turn(256))]
    right = [(float(LONG_AGO), CONTACT_X, STAND_HALF_M, turn(171)), (1121.0, CONTACT_X + 0.36, -0.30, turn(332))]
    x = CONTACT_X + 0.84
    for i in range(7):
        left.append((1133.0 + 24 * i, x + 2 * i * STEP_M, -0.20 + WALK_HALF_M, turn(362)))
        right.append((1145.0 + 24 * i, x + (2 * i + 1) * STEP_M, -0.20 - WALK_HALF_M, turn(358)))
    return {"L": _close(left), "R": _close(right)}


def _print_at(prints: tuple[Footprint, ...], frame: float) -> Footprint:
    index = bisect_right([p.land for p in prints], frame) - 1
    return prints[max(0, index)]


def plan(feet: dict[str, tuple[Footprint, ...]]) -> Walk:
    """Body knots: midway between the feet at every landing; the gait fades to zero where a walk begins or ends."""
    knots: list[Knot] = []
    events = sorted((p.land, side, i) for side, prints in feet.items() for i, p in enumerate(prints) if i > 0)
    for frame, side, index in events:
        other = _print_at(feet["R" if side == "L" else "L"], frame)
        new, old = feet[side][index], feet[side][index - 1]
        length = math.hypot(new.x - other.x, new.y - other.y)
        sign = 1.0 if side == "L" else -1.0
        turning = abs(new.heading - old.heading) > 0.5
        gait = sign * min(1.0, max(0.0, length - 0.22) / (STEP_M - 0.22)) * (0.5 if turning else 1.0)
        knots.append(Knot(frame, (new.x + other.x) / 2, (new.y + other.y) / 2, (new.heading + other.heading) / 2, gait))
    first = feet["L"][0], feet["R"][0]
    if first[0].land == LONG_AGO:
        start = events[0][0] - PERIOD
        knots.insert(0, Knot(start, (first[0].x + first[1].x) / 2, 0.0, (first[0].heading + first[1].heading) / 2, 0.0))
    return Walk(feet, tuple(knots))


def _tangent(knots: tuple[Knot, ...], i: int, name: str) -> float:
    if i == 0 or i == len(knots) - 1:
        return 0.0 if abs(knots[i].gait) < 0.5 else _slope(knots, max(0, i - 1), name)
    a, b = knots[i - 1], knots[i + 1]
    return (getattr(b, name) - getattr(a, name)) / (b.frame - a.frame)


def _slope(knots: tuple[Knot, ...], i: int, name: str) -> float:
    a, b = knots[i], knots[i + 1]
    return (getattr(b, name) - getattr(a, name)) / (b.frame - a.frame)


def _hermite(knots: tuple[Knot, ...], i: int, u: float, name: str) -> float:
    a, b = getattr(knots[i], name), getattr(knots[i + 1], name)
    span = knots[i + 1].frame - knots[i].frame
    ta, tb = _tangent(knots, i, name) * span, _tangent(knots, i + 1, name) * span
    u2, u3 = u * u, u * u * u
    return (2 * u3 - 3 * u2 + 1) * a + (u3 - 2 * u2 + u) * ta + (3 * u2 - 2 * u3) * b + (u3 - u2) * tb


def body_at(walk: Walk, frame: float) -> BodyPose:
    """The pelvis at `frame`; before the first and after the last knot it rests there (the gait fades in 10 frames)."""
    knots = walk.knots
    if frame <= knots[0].frame or frame >= knots[-1].frame:
        knot = knots[0] if frame <= knots[0].frame else knots[-1]
        fade = 1.0 - ease(abs(frame - knot.frame) / 10.0)
        return BodyPose(knot.x, knot.y, 0.018 + 0.033 * abs(knot.gait) * fade, 0.0, knot.heading, knot.gait * fade)
    i = bisect_right([k.frame for k in knots], frame) - 1
    a, b = knots[i], knots[i + 1]
    u = (frame - a.frame) / (b.frame - a.frame)
    wave = 0.5 - 0.5 * math.cos(math.pi * u)
    size = abs(a.gait) * (1 - wave) + abs(b.gait) * wave
    lift = math.sin(math.pi * u) ** 2
    side = math.copysign(1.0, a.gait) if a.gait else -math.copysign(1.0, b.gait)
    return BodyPose(
        x=_hermite(knots, i, u, "x"),
        y=_hermite(knots, i, u, "y"),
        drop=0.018 + size * (0.042 - 0.036 * lift),
        sway=side * 0.026 * size * math.sin(math.pi * u),
        heading=_hermite(knots, i, u, "heading"),
        gait=a.gait * (1 - wave) + b.gait * wave,
    )


def foot_at(walk: Walk, side: str, frame: float) -> FootPose:
    """The foot at `frame`: planted (with heel strike and heel lift) or swinging to the next footprint."""
    prints = walk.feet[side]
    index = prints.index(_print_at(prints, frame))
    here = prints[index]
    before = prints[index - 1] if index else here
    after = prints[index + 1] if index + 1 < len(prints) else here
    push = math.radians(38) * _stride(here, after)
    strike = -math.radians(17) * _stride(before, here)
    if frame <= here.lift:
        pitch = strike * (1 - ramp(frame, here.land, here.land + 4)) + push * ramp(frame, here.lift - 6, here.lift)
        return FootPose(here.x, here.y, 0.0, here.heading, pitch)
    u = (frame - here.lift) / (after.land - here.lift)
    along = ease(u)
    pitch = push + (-math.radians(17) * _stride(here, after) - push) * ease(u * 1.05)
    height = 0.055 * math.sin(math.pi * u) ** 2 + 0.02 * math.sin(math.pi * min(1.0, u))
    return FootPose(
        here.x + (after.x - here.x) * along,
        here.y + (after.y - here.y) * along,
        height,
        here.heading + (after.heading - here.heading) * along,
        pitch,
    )


def _stride(a: Footprint, b: Footprint) -> float:
    """How much of a full stride lies between two prints of one foot, 0..1."""
    return min(1.0, math.hypot(b.x - a.x, b.y - a.y) / (2 * STEP_M))


COURIER = plan(courier_feet())
CONTACT = plan(contact_feet())
