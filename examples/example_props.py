# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands about on the dock: instanced pallets and crates, linked barrels, a van, a lantern, and the case."""

from __future__ import annotations

import math

import bpy
from example_mesh import Builder, collection, place
from example_set import DOCK_TOP, LANTERN, Materials, scatter
from mathutils import Vector

CRATE_M = 0.8
PALLET_M = 0.145


def build_props(root: bpy.types.Collection, mats: Materials) -> bpy.types.Object:
    """Fill PROPS; returns the case."""
    stacks = collection("PROPS_stacks", root)
    kits = {"crate": _crate(mats), "box": _carton(mats), "pallet": _pallet(mats)}
    for index, (x, y, z, turn, kind, count) in enumerate(STACKS):
        _stack(stacks, kits, f"Stack{index:02d}", (x, y, z), turn, kind, count)
    _barrels(collection("PROPS_barrels", root), mats)
    _van(collection("PROPS_van", root), mats)
    _small(collection("PROPS_small", root), mats)
    return _case(root, mats)


# x, y, z, turn in degrees, kind of goods, how many layers
STACKS = (
    (1.0, -2.5, 0.0, 12, "crate", 1),
    (-8.6, -2.1, 0.0, -14, "crate", 2),
    (-10.3, 1.9, 0.0, 8, "box", 2),
    (-8.4, 2.6, 0.0, 25, "crate", 1),
    (-12.6, -1.9, 0.0, 5, "box", 3),
    (-6.4, -4.7, 0.0, -8, "box", 2),
    (3.7, 2.6, 0.0, -10, "crate", 2),
    (5.1, 2.4, 0.0, 14, "box", 2),
    (4.6, -3.2, 0.0, 20, "crate", 1),
    (12.7, 2.2, 0.0, -6, "box", 3),
    (14.6, 2.9, 0.0, 12, "crate", 2),
    (16.6, -5.2, 0.0, 0, "crate", 3),
    (-4.5, 5.1, DOCK_TOP, 4, "box", 1),
    (2.1, 5.2, DOCK_TOP, -7, "crate", 1),
    (4.6, 8.3, DOCK_TOP, 0, "box", 3),
    (-4.4, 8.6, DOCK_TOP, 9, "crate", 2),
    (-13.6, -4.8, 0.0, 30, "crate", 2),
)


def _crate(mats: Materials) -> bpy.types.Collection:
    """A wooden crate of 0.8 m: panels with frame boards."""
    half, board = CRATE_M / 2, 0.09
    crate = Builder()
    crate.span((-half + 0.03, -half + 0.03, 0.02), (half - 0.03, half - 0.03, CRATE_M - 0.02))
    for x in (-1, 1):
        for y in (-1, 1):
            crate.box((x * (half - board / 2), y * (half - board / 2), CRATE_M / 2), (board, board, CRATE_M))
    for z in (board / 2, CRATE_M - board / 2):
        for s in (-1, 1):
            crate.box((0, s * (half - 0.022), z), (CRATE_M - 2 * board, 0.04, board))
            crate.box((s * (half - 0.022), 0, z), (0.04, CRATE_M - 2 * board, board))
    return _kit("KIT_crate", crate, mats["wood"])


def _carton(mats: Materials) -> bpy.types.Collection:
    """One layer of a wrapped load: four cartons."""
    load = Builder()
    for i, (x, y) in enumerate(((-0.24, -0.2), (0.25, -0.21), (-0.25, 0.21), (0.24, 0.2))):
        load.box((x, y, 0.21 - 0.01 * (i % 2)), (0.47, 0.40, 0.42 - 0.02 * (i % 2)), 0.03 * (i - 1.5))
        load.box((x, y, 0.421 - 0.02 * (i % 2)), (0.05, 0.40, 0.004), 0.03 * (i - 1.5))
    return _kit("KIT_cartons", load, mats["light"])


def _pallet(mats: Materials) -> bpy.types.Collection:
    pallet = Builder()
    for i in range(7):
        pallet.box((0, -0.45 + i * 0.15, PALLET_M - 0.011), (1.2, 0.11, 0.022))
    for x in (-0.52, 0.0, 0.52):
        pallet.box((x, 0, PALLET_M / 2 + 0.01), (0.1, 1.0, 0.09))
        pallet.box((x, 0, 0.011), (0.1, 1.0, 0.022))
    return _kit("KIT_pallet", pallet, mats["wood"])


def _kit(name: str, builder: Builder, material: bpy.types.Material) -> bpy.types.Collection:
    kit = collection(name, None)
    place(name.removeprefix("KIT_"), builder.mesh(name.removeprefix("KIT_"), [material]), kit)
    return kit


def _instance(
    name: str, kit: bpy.types.Collection, where: bpy.types.Collection, at: tuple[float, float, float], turn: float
) -> None:
    empty = place(name, None, where, at, turn)
    empty.empty_display_size = 0.2
    empty.instance_type, empty.instance_collection = "COLLECTION", kit


def _stack(
    where: bpy.types.Collection,
    kits: dict[str, bpy.types.Collection],
    name: str,
    at: tuple[float, float, float],
    degrees: float,
    kind: str,
    count: int,
) -> None:
    chance = scatter(sum(map(ord, name)))
    turn = math.radians(degrees)
    _instance(f"{name}_pallet", kits["pallet"], where, at, turn)
    step = CRATE_M if kind == "crate" else 0.43
    for layer in range(count):
        slip = 0.05 * layer
        spot = (
            at[0] + chance.uniform(-slip, slip),
            at[1] + chance.uniform(-slip, slip),
            at[2] + PALLET_M + layer * step,
        )
        _instance(f"{name}_{kind}{layer}", kits[kind], where, spot, turn + chance.uniform(-0.12, 0.12) * (1 + layer))


def _barrels(where: bpy.types.Collection, mats: Materials) -> None:
    barrel = Builder()
    rows = [(0.0, 0.28, 0.28, 0), (0.03, 0.29, 0.29, 0)]
    for z in (0.29, 0.58):
        rows += [(z - 0.03, 0.285, 0.285, 0), (z, 0.305, 0.305, 0), (z + 0.03, 0.285, 0.285, 0)]
    rows += [(0.85, 0.29, 0.29, 0), (0.88, 0.28, 0.28, 0), (0.87, 0.26, 0.26, 0)]
    barrel.stack(rows, segments=20, square=1.0)
    mesh = barrel.mesh("Barrel", [mats["dark"]])
    spots = [
        (3.05, 3.35),
        (-7.3, 3.3),
        (-7.95, 3.0),
        (-7.6, -3.1),
        (6.3, -4.9),
        (6.95, -5.2),
        (6.6, -4.35),
        (15.3, 4.0),
        (-10.9, -3.2),
    ]
    for i, (x, y) in enumerate(spots):
        place(f"Barrel.{i:02d}", mesh, where, (x, y, 0.0), i * 0.7)
    place("Barrel.top", mesh, where, (-5.35, 5.35, DOCK_TOP), 0.3)


def _van(where: bpy.types.Collection, mats: Materials) -> None:
    """A parked box van, nose to the west, made of boxes."""
    van = Builder()
    van.span((-1.0, -1.0, 0.45), (3.2, 1.0, 2.55))
    van.span((-1.95, -0.95, 0.45), (-1.0, 0.95, 1.25))
    van.span((-2.65, -0.93, 0.45), (-1.9, 0.93, 1.12))
    side = [(-1.0, 1.2), (-1.9, 1.2), (-1.45, 2.05), (-1.0, 2.2)]
    for y in (-0.9, 0.84):
        van.loft([[_v(x, y, z) for x, z in side], [_v(x, y + 0.06, z) for x, z in side]])
    van.span((-1.5, -0.9, 2.02), (-0.95, 0.9, 2.12))
    van.slot = 1
    van.loft([[_v(-1.86, y, 1.24), _v(-1.47, y, 2.02), _v(-1.40, y, 2.02), _v(-1.79, y, 1.24)] for y in (-0.84, 0.84)])
    van.span((-2.70, -0.95, 0.40), (-2.55, 0.95, 0.66))
    van.span((3.2, -0.95, 0.40), (3.3, 0.95, 0.6))
    for x in (-1.75, 2.2):
        for y in (-0.98, 0.80):
            van.tube((x, y, 0.36), (x, y + 0.18, 0.36), 0.36, 0.36, 20)
    van.span((3.19, -0.02, 0.6), (3.22, 0.02, 2.4))
    for y in (-1.12, 0.98):
        van.span((-1.62, y, 1.3), (-1.54, y + 0.14, 1.62))
    van.slot = 2
    for y in (-0.78, 0.5):
        van.span((-2.68, y, 0.78), (-2.62, y + 0.28, 0.95))
    place(
        "Van", van.mesh("Van", [mats["light"], mats["dark"], mats["wall"]]), where, (11.6, -2.9, 0.0), math.radians(-7)
    )


def _v(x: float, y: float, z: float) -> Vector:
    return Vector((x, y, z))


def _small(where: bpy.types.Collection, mats: Materials) -> None:
    lantern = Builder()
    lantern.tube((0, 0, 0), (0, 0, 0.05), 0.085, 0.075, 16)
    lantern.tube((0, 0, 0.20), (0, 0, 0.25), 0.075, 0.03, 16)
    for i in range(4):
        x, y = 0.066 * math.cos(i * math.pi / 2), 0.066 * math.sin(i * math.pi / 2)
        lantern.tube((x, y, 0.04), (x, y, 0.21), 0.006, 0.006, 6)
    for a in range(8):
        t0, t1 = math.pi * a / 8, math.pi * (a + 1) / 8
        lantern.tube(
            (0.075 * math.cos(t0), 0, 0.24 + 0.10 * math.sin(t0)),
            (0.075 * math.cos(t1), 0, 0.24 + 0.10 * math.sin(t1)),
            0.006,
            0.006,
            6,
        )
    lantern.slot = 1
    lantern.ball((0, 0, 0.12), (0.036, 0.036, 0.06), 12)
    mesh = lantern.mesh("Lantern", [mats["dark"], mats["glow"]])
    place("Lantern", mesh, where, LANTERN, 0.4)
    bottle = Builder()
    bottle.stack([(0, 0.04, 0.04, 0), (0.16, 0.04, 0.04, 0), (0.20, 0.015, 0.015, 0), (0.27, 0.014, 0.014, 0)], 14, 1.0)
    place("Bottle", bottle.mesh("Bottle", [mats["dark"]]), where, (LANTERN.x + 0.20, LANTERN.y - 0.16, LANTERN.z))
    cone = Builder()
    cone.span((-0.19, -0.19, 0), (0.19, 0.19, 0.03))
    cone.tube((0, 0, 0.03), (0, 0, 0.62), 0.14, 0.025, 16)
    mesh = cone.mesh("Traffic_cone", [mats["courier"]])
    for i, (x, y) in enumerate(((-3.6, 2.7), (9.0, 3.2), (8.0, -1.9), (8.3, 1.1))):
        place(f"Traffic_cone.{i:02d}", mesh, where, (x, y, 0.0), i)
    trolley = Builder()
    for y in (-0.22, 0.22):
        trolley.tube((0, y, 0.15), (0.32, y, 1.25), 0.018, 0.018, 8)
        trolley.tube((-0.02, y - 0.04, 0.13), (-0.02, y + 0.04, 0.13), 0.13, 0.13, 16)
    for t in (0.15, 0.45, 0.75, 1.0):
        trolley.tube((0.32 * t, -0.22, 0.15 + 1.1 * t), (0.32 * t, 0.22, 0.15 + 1.1 * t), 0.014, 0.014, 8)
    trolley.span((-0.30, -0.24, 0.02), (0.0, 0.24, 0.04))
    place("Sack_truck", trolley.mesh("Sack_truck", [mats["dark"]]), where, (-3.0, 3.45, 0.0), math.radians(100))


def _case(root: bpy.types.Collection, mats: Materials) -> bpy.types.Object:
    """The briefcase. Its origin is the middle of the handle, X along the case."""
    case = Builder()
    case.box((0, 0, -0.205), (0.44, 0.105, 0.31))
    case.slot = 1
    case.box((0, 0, -0.205), (0.446, 0.012, 0.316))
    for x in (-0.14, 0.14):
        case.box((x, 0, -0.06), (0.05, 0.111, 0.04))
        case.box((x * 0.82, 0, -0.025), (0.018, 0.022, 0.05))
    case.box((0, 0, 0.0), (0.25, 0.022, 0.018))
    return place("Case", case.mesh("Case", [mats["case"], mats["dark"]]), root)
