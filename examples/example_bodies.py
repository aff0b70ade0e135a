# SPDX-License-Identifier: GPL-3.0-or-later
"""The grey-box bodies of the two people, part by part, on the DEF bones of Rigify's human.

Shapes are written in the coordinates of the human metarig (1.98 m tall, facing -Y, metres) and scaled with the rig.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import bpy
from example_mesh import Builder, ellipse
from mathutils import Vector

BODY, SKIN, DARK = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Build:
    """How one person differs: `scale` of the rig, `width` of the trunk, `limb` thickness, clothes."""

    name: str
    scale: float
    width: float
    limb: float
    coat: bool


COURIER = Build("Courier", 0.90, 0.93, 0.95, coat=False)
CONTACT = Build("Contact", 0.945, 1.08, 1.10, coat=True)
Parts = defaultdict[str, Builder]


def body_parts(build: Build, rig: bpy.types.Object) -> Parts:
    """One builder per DEF bone (or `blend:` group), in metarig coordinates."""
    parts: Parts = defaultdict(Builder)

    def joint(bone: str) -> Vector:
        return rig.data.bones[bone].head_local / build.scale

    _trunk(build, parts)
    _head(build, parts)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        _arm(build, parts, joint, side)
        _hand(build, parts, rig, side)
        _leg(build, parts, joint, side, sign)
    (_coat if build.coat else _jacket)(build, parts)
    return parts


def _rows(rows: Sequence[Sequence[float]], width: float) -> list[list[float]]:
    return [[row[0], row[1] * width, row[2] * width, *row[3:]] for row in rows]


def _trunk(build: Build, parts: Parts) -> None:
    hips = [(0.90, 0.09, 0.075, 0.02), (0.94, 0.145, 0.105, 0.02), (1.03, 0.168, 0.118, 0.018)]
    hips += [(1.12, 0.158, 0.112, 0.012), (1.18, 0.142, 0.10, 0.006)]
    waist = [
        (1.14, 0.145, 0.10, 0.008),
        (1.20, 0.142, 0.10, 0.004),
        (1.28, 0.141, 0.099, 0.0),
        (1.34, 0.132, 0.094, 0.0),
    ]
    chest = [
        (1.235, 0.128, 0.088, 0.0),
        (1.26, 0.148, 0.106, 0.0),
        (1.33, 0.160, 0.115, -0.002),
        (1.42, 0.178, 0.126, -0.002),
        (1.50, 0.190, 0.122, 0.002),
    ]
    chest += [
        (1.565, 0.200, 0.102, 0.012),
        (1.61, 0.182, 0.084, 0.018),
        (1.64, 0.135, 0.074, 0.018),
        (1.685, 0.078, 0.066, 0.010),
    ]
    chest += [(1.705, 0.066, 0.060, 0.006), (1.706, 0.05, 0.045, 0.006)]
    if build.coat:
        parts["blend:torso"].stack(_rows([*hips[:4], *waist[1:3], *chest[2:]], build.width))
        return
    parts["DEF-spine"].slot = DARK
    parts["DEF-spine"].stack(_rows(hips, build.width))
    parts["DEF-spine.001"].stack(_rows(waist, build.width))
    parts["DEF-spine.003"].stack(_rows(chest, build.width))


def _head(build: Build, parts: Parts) -> None:
    neck = parts["DEF-spine.004"]
    neck.slot = SKIN
    neck.capsule((0, 0.012, 1.63), (0, -0.02, 1.79), (0.060, 0.057, 0.055))
    head = parts["DEF-spine.006"]
    head.slot = SKIN
    rows = [
        (1.752, 0.022, 0.025, -0.113),
        (1.764, 0.044, 0.052, -0.098),
        (1.80, 0.061, 0.088, -0.068),
        (1.85, 0.073, 0.105, -0.053),
    ]
    rows += [
        (1.90, 0.078, 0.111, -0.046),
        (1.945, 0.073, 0.102, -0.042),
        (1.975, 0.05, 0.068, -0.038),
        (1.988, 0.018, 0.024, -0.036),
    ]
    head.stack(rows, square=0.95)
    nose = [
        (1.826, 0.017, 0.012, -0.160),
        (1.836, 0.020, 0.030, -0.166),
        (1.87, 0.012, 0.020, -0.160),
        (1.91, 0.008, 0.008, -0.152),
    ]
    head.stack(nose, segments=10)
    for sign in (1.0, -1.0):
        head.ball((sign * 0.079, -0.025, 1.865), (0.012, 0.024, 0.036), 10)
    head.slot = DARK
    for sign in (1.0, -1.0):
        head.ball((sign * 0.031, -0.143, 1.893), (0.015, 0.012, 0.010), 10)
    head.box((0, -0.151, 1.797), (0.044, 0.012, 0.008))
    (_fedora if build.coat else _cap)(head)


def _cap(head: Builder) -> None:
    head.slot = BODY
    rows = [(1.915, 0.085, 0.119, -0.045), (1.945, 0.083, 0.115, -0.043), (1.98, 0.066, 0.09, -0.04)]
    head.stack([*rows, (2.002, 0.035, 0.05, -0.038), (2.006, 0.008, 0.01, -0.038)], square=0.95)
    brim = [(1.918, 0.072, 0.07, -0.165), (1.928, 0.072, 0.07, -0.165)]
    head.stack(brim, square=0.8)


def _fedora(head: Builder) -> None:
    head.slot = DARK
    head.stack([(1.925, 0.150, 0.175, -0.045), (1.934, 0.152, 0.178, -0.045)], segments=24, square=1.0)
    rows = [
        (1.93, 0.090, 0.122, -0.045),
        (1.98, 0.083, 0.113, -0.043),
        (2.035, 0.070, 0.095, -0.035),
        (2.045, 0.03, 0.06, -0.035),
    ]
    head.stack(rows, square=0.95)


def _arm(build: Build, parts: Parts, joint: Callable[[str], Vector], side: str) -> None:
    shoulder, elbow, wrist = (joint(f"DEF-{name}.{side}") for name in ("upper_arm", "forearm", "hand"))
    thick = build.limb
    parts[f"DEF-upper_arm.{side}"].capsule(shoulder, elbow, [r * thick for r in (0.056, 0.061, 0.056, 0.050)])
    parts[f"DEF-forearm.{side}"].capsule(elbow, wrist, [r * thick for r in (0.052, 0.051, 0.043, 0.036)])


def _hand(build: Build, parts: Parts, rig: bpy.types.Object, side: str) -> None:
    """A loosely closed hand. In the bone's axes Y runs to the knuckles, Z to the thumb, the left palm looks to +X."""
    bone = rig.data.bones[f"DEF-hand.{side}"].matrix_local.copy()
    bone.translation /= build.scale
    palm = 1.0 if side == "L" else -1.0
    hand = parts[f"DEF-hand.{side}"]
    hand.slot = SKIN
    rows = [
        (0.0, 0.022, 0.027, 0.0),
        (0.04, 0.019, 0.040, 0.0),
        (0.085, 0.017, 0.044, 0.004),
        (0.112, 0.015, 0.042, 0.014),
    ]
    rows += [(0.126, 0.013, 0.040, 0.032), (0.124, 0.012, 0.038, 0.050)]
    rings = [
        ellipse(
            bone @ Vector((palm * shift, y, 0)),
            bone.to_3x3() @ Vector((half, 0, 0)),
            bone.to_3x3() @ Vector((0, 0, wide)),
            12,
            0.8,
        )
        for y, half, wide, shift in rows
    ]
    hand.loft(rings)
    hand.capsule(
        bone @ Vector((palm * 0.012, 0.02, 0.034)), bone @ Vector((palm * 0.036, 0.085, 0.046)), (0.017, 0.014), 10
    )


def _leg(build: Build, parts: Parts, joint: Callable[[str], Vector], side: str, sign: float) -> None:
    hip, knee, ankle = (joint(f"DEF-{name}.{side}") for name in ("thigh", "shin", "foot"))
    thick = build.limb
    thigh, shin = parts[f"DEF-thigh.{side}"], parts[f"DEF-shin.{side}"]
    thigh.slot = shin.slot = DARK
    thigh.capsule(hip + Vector((0, 0.005, -0.03)), knee, [r * thick for r in (0.085, 0.084, 0.072, 0.062)])
    shin.capsule(knee, ankle + Vector((0, 0, 0.02)), [r * thick for r in (0.060, 0.062, 0.055, 0.046, 0.044)])
    _shoe(
        parts[f"DEF-foot.{side}"],
        sign * 0.098,
        [
            (0.068, 0.024, 0.055),
            (0.052, 0.035, 0.085),
            (0.0, 0.039, 0.105),
            (-0.05, 0.043, 0.080),
            (-0.098, 0.048, 0.056),
        ],
    )
    _shoe(
        parts[f"DEF-toe.{side}"],
        sign * 0.098,
        [(-0.082, 0.047, 0.057), (-0.125, 0.047, 0.050), (-0.165, 0.039, 0.042), (-0.188, 0.02, 0.028)],
    )


def _shoe(shoe: Builder, x: float, rows: Sequence[tuple[float, float, float]]) -> None:
    shoe.slot = DARK
    rings = [
        ellipse(Vector((x, y, top / 2)), Vector((half, 0, 0)), Vector((0, 0, top / 2)), 14, 0.55)
        for y, half, top in rows
    ]
    shoe.loft(rings)


def _jacket(build: Build, parts: Parts) -> None:
    """The courier's open jacket hem and the flat bag on his back."""
    hem = [
        (0.985, 0.196, 0.142, 0.016),
        (1.05, 0.192, 0.136, 0.014),
        (1.14, 0.170, 0.120, 0.008),
        (1.22, 0.150, 0.106, 0.004),
    ]
    jacket = parts["DEF-spine"]
    jacket.slot = BODY
    jacket.stack(_rows(hem, build.width))
    bag = parts["DEF-spine.003"]
    bag.slot = DARK
    bag.stack(
        [(1.24, 0.11, 0.04, 0.155), (1.26, 0.135, 0.062, 0.16), (1.50, 0.13, 0.06, 0.155), (1.55, 0.10, 0.04, 0.145)],
        square=0.6,
    )
    for sign in (1.0, -1.0):
        strap = [
            (0.085, -0.112, 1.37),
            (0.095, -0.108, 1.47),
            (0.098, -0.082, 1.555),
            (0.094, -0.02, 1.612),
            (0.09, 0.07, 1.60),
            (0.09, 0.12, 1.52),
        ]
        for start, end in pairwise(strap):
            bag.capsule((sign * start[0], *start[1:]), (sign * end[0], *end[1:]), (0.017, 0.017), 8)


def _coat(build: Build, parts: Parts) -> None:
    rows = [
        (1.24, 0.150, 0.111, 0.004),
        (1.12, 0.178, 0.136, 0.010),
        (1.00, 0.202, 0.160, 0.014),
        (0.86, 0.214, 0.174, 0.014),
    ]
    rows += [(0.72, 0.222, 0.186, 0.012), (0.58, 0.229, 0.196, 0.010), (0.46, 0.234, 0.204, 0.010)]
    inner = [(row[0], row[1] - 0.010, row[2] - 0.010, row[3]) for row in reversed(rows[2:])]
    coat = parts["blend:coat"]
    coat.stack(_rows([*rows, *inner], build.width), segments=24)
    coat.slot = DARK
    belt = [
        (1.135, 0.178, 0.136, 0.009),
        (1.14, 0.182, 0.140, 0.009),
        (1.185, 0.171, 0.130, 0.007),
        (1.19, 0.166, 0.126, 0.007),
    ]
    coat.stack(_rows(belt, build.width), segments=24)
    for z, y in ((0.92, -0.166), (1.06, -0.146), (1.29, -0.128), (1.41, -0.142)):
        for x in (-0.035, 0.035):
            (coat if z < 1.2 else parts["DEF-spine.002"]).ball((x, y * build.width, z), (0.014, 0.012, 0.014), 8)
    shirt = parts["DEF-spine.003"]
    shirt.slot = SKIN
    shirt.stack(
        [
            (1.47, 0.008, 0.012, -0.128),
            (1.56, 0.030, 0.02, -0.108),
            (1.64, 0.042, 0.02, -0.077),
            (1.70, 0.042, 0.02, -0.073),
        ],
        10,
    )
    shirt.slot = DARK
    shirt.stack([(1.45, 0.010, 0.012, -0.136), (1.57, 0.013, 0.012, -0.119), (1.66, 0.011, 0.012, -0.093)], 8)
    shirt.slot = BODY
    collar = [(1.60, 0.112, 0.09, 0.008), (1.66, 0.085, 0.078, 0.004), (1.735, 0.088, 0.085, 0.006)]
    parts["DEF-spine.003"].stack(_rows(collar, 1.0), caps=False)
