# SPDX-License-Identifier: GPL-3.0-or-later
"""The place: a loading dock at night. X runs along the yard (east is +X), the warehouse front is at +Y. Metres."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import bpy
from example_mesh import Builder, collection, ellipse, place
from mathutils import Vector

Materials = dict[str, bpy.types.Material]
DOCK_FRONT, FACADE, DOCK_TOP = 4.0, 6.2, 1.1
GANTRY_Z = 4.3
LAMPS = ((-5.2, 3.75, 3.72), (-0.2, 3.75, 3.72), (4.8, 3.75, 3.72))
STREET_LAMP = Vector((7.2, -4.3, 0.0))
LANTERN = Vector((0.70, -2.42, 0.928))


def make_material(name: str, colour: Sequence[float], rough: float = 0.75, glow: float = 0.0) -> bpy.types.Material:
    """A plain material without textures; `glow` is the emission strength."""
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*colour, 1.0)
    material.roughness = rough
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = rough
    if glow:
        shader.inputs["Emission Color"].default_value = (*colour, 1.0)
        shader.inputs["Emission Strength"].default_value = glow
    return material


def make_materials() -> Materials:
    """The grey box palette."""
    rows = {
        "floor": ("PREVIS_floor", (0.20, 0.20, 0.21), 0.55),
        "wall": ("PREVIS_wall", (0.34, 0.34, 0.35), 0.85),
        "light": ("PREVIS_light", (0.52, 0.51, 0.50), 0.75),
        "dark": ("PREVIS_dark", (0.085, 0.085, 0.095), 0.6),
        "wood": ("PREVIS_wood", (0.36, 0.30, 0.23), 0.85),
        "skin": ("PREVIS_skin", (0.55, 0.47, 0.41), 0.6),
        "courier": ("PREVIS_courier", (0.46, 0.27, 0.11), 0.7),
        "contact": ("PREVIS_contact", (0.10, 0.145, 0.205), 0.7),
        "case": ("PREVIS_case", (0.42, 0.055, 0.04), 0.4),
    }
    made = {key: make_material(*row) for key, row in rows.items()}
    made["glow"] = make_material("PREVIS_glow", (1.0, 0.78, 0.45), 0.5, 9.0)
    return made


def _finish(builder: Builder, name: str, material: bpy.types.Material, where: bpy.types.Collection) -> None:
    place(name, builder.mesh(name, [material]), where)


def build_set(root: bpy.types.Collection, mats: Materials) -> None:
    """All that does not move: ground, buildings, dock, gantry, stairs, lamps."""
    _ground(root, mats)
    _warehouse(collection("SET_warehouse", root), mats)
    _dock(collection("SET_dock", root), mats)
    _gantry(collection("SET_gantry", root), mats)
    _yard_walls(collection("SET_yard", root), mats)
    _lamps(collection("SET_lamps", root), mats)


def _ground(root: bpy.types.Collection, mats: Materials) -> None:
    ground = Builder()
    ground.span((-34, -24, -0.2), (38, 20, 0))
    _finish(ground, "Ground", mats["floor"], root)
    lines = Builder()
    for x in (-6.2, -2.6, 2.6, 6.2):
        lines.span((x - 0.06, 0.55, 0), (x + 0.06, 3.9, 0.006))
    for i in range(7):
        lines.span((-15 + i * 4.2, -3.62, 0), (-12.8 + i * 4.2, -3.5, 0.006))
    _finish(lines, "Bay_markings", mats["light"], root)
    kerb = Builder()
    kerb.span((-16, -6.2, 0), (20, -5.9, 0.14))
    kerb.span((-16, -7.4, 0), (20, -6.2, 0.12))
    _finish(kerb, "Kerb_south", mats["wall"], root)


def _wall(
    builder: Builder,
    x0: float,
    x1: float,
    y: float,
    thick: float,
    height: float,
    holes: Sequence[tuple[float, float, float, float]],
) -> None:
    """A wall along X with openings (x0, x1, z0, z1), which must be in order and not overlap."""
    at = x0
    for left, right, low, high in holes:
        builder.span((at, y, 0), (left, y + thick, height))
        if low > 0:
            builder.span((left, y, 0), (right, y + thick, low))
        builder.span((left, y, high), (right, y + thick, height))
        at = right
    builder.span((at, y, 0), (x1, y + thick, height))


def _warehouse(where: bpy.types.Collection, mats: Materials) -> None:
    front = Builder()
    bays = [(-6.0, -2.9, DOCK_TOP, 3.8), (-1.6, 1.5, DOCK_TOP, 3.8), (2.9, 6.0, DOCK_TOP, 3.8)]
    _wall(
        front,
        -16,
        20,
        FACADE,
        0.35,
        8.2,
        [(-12.4, -10.9, 1.6, 2.8), *bays, (9.4, 10.5, 0.0, 2.25), (13.0, 15.4, 1.4, 2.9)],
    )
    front.span((-16.1, FACADE - 0.12, 8.2), (20.1, FACADE + 0.5, 8.45))
    front.span((-16, FACADE - 0.10, 5.65), (20, FACADE, 5.85))
    for x in (-15.6, -8.6, -7.2, 7.2, 12.0, 16.4, 19.6):
        front.span((x - 0.22, FACADE - 0.16, 0), (x + 0.22, FACADE, 8.2))
    _finish(front, "Warehouse_front", mats["wall"], where)
    shutters = Builder()
    for x0, x1, low in ((-6.0, -2.9, 2.95), (-1.6, 1.5, DOCK_TOP), (2.9, 6.0, 1.9)):
        rows = int((3.8 - low) / 0.16)
        for i in range(rows):
            z = 3.8 - (i + 1) * 0.16
            shutters.span((x0, FACADE + 0.12 + 0.02 * (i % 2), z), (x1, FACADE + 0.20, z + 0.15))
    _finish(shutters, "Roller_shutters", mats["light"], where)
    frames = Builder()
    for x0, x1, _, _ in bays:
        for x in (x0, x1):
            frames.span((x - 0.14, FACADE - 0.07, DOCK_TOP), (x + 0.14, FACADE + 0.1, 3.95))
        frames.span((x0 - 0.14, FACADE - 0.07, 3.8), (x1 + 0.14, FACADE + 0.1, 4.05))
    frames.span((9.3, FACADE - 0.05, 0), (9.42, FACADE + 0.1, 2.37))
    frames.span((10.48, FACADE - 0.05, 0), (10.6, FACADE + 0.1, 2.37))
    frames.span((9.3, FACADE - 0.05, 2.25), (10.6, FACADE + 0.1, 2.37))
    frames.box((9.98, FACADE + 0.55, 1.1), (1.0, 0.06, 2.2), 0.9)
    _finish(frames, "Door_frames", mats["dark"], where)
    inside = Builder()
    inside.span((-16, 11.0, 0), (20, 11.2, 8.2))
    inside.span((-16, FACADE + 0.35, 5.0), (20, 11.2, 5.2))
    for x in (-8.0, 8.0):
        inside.span((x - 0.1, FACADE + 0.35, 0), (x + 0.1, 11.0, 5.0))
    inside.span((-7.9, FACADE + 0.35, 0), (7.9, 11.0, DOCK_TOP))
    _finish(inside, "Warehouse_inside", mats["wall"], where)


def _dock(where: bpy.types.Collection, mats: Materials) -> None:
    dock = Builder()
    dock.span((-7.0, DOCK_FRONT, 0), (7.0, FACADE, DOCK_TOP))
    dock.span((-7.0, DOCK_FRONT - 0.04, DOCK_TOP - 0.18), (7.0, DOCK_FRONT, DOCK_TOP))
    for i in range(6):
        top = DOCK_TOP - i * DOCK_TOP / 6
        dock.span((7.0 + i * 0.3, DOCK_FRONT + 0.4, 0), (7.3 + i * 0.3, FACADE - 0.2, top - DOCK_TOP / 12))
    _finish(dock, "Dock_platform", mats["light"], where)
    rubber = Builder()
    for x in (-5.6, -3.3, -1.2, 1.1, 3.3, 5.6):
        rubber.span((x - 0.14, DOCK_FRONT - 0.16, 0.45), (x + 0.14, DOCK_FRONT - 0.04, 1.02))
    for x in (-2.25, 2.2):
        rubber.tube((x, 3.4, 0), (x, 3.4, 0.95), 0.10, 0.10, 14)
    _finish(rubber, "Dock_bumpers", mats["dark"], where)
    rail = Builder()
    _railing(rail, [(7.0, DOCK_FRONT + 0.4, DOCK_TOP), (8.8, DOCK_FRONT + 0.4, 0.05)], 3)
    _finish(rail, "Dock_rail", mats["dark"], where)


def _railing(builder: Builder, path: Sequence[Sequence[float]], posts: int) -> None:
    """Posts and two rails along straight pieces of a path; the rails are 1.05 and 0.55 m above it."""
    for start, end in pairwise(path):
        a, b = Vector(start), Vector(end)
        for i in range(posts + 1):
            foot = a.lerp(b, i / posts)
            builder.tube(foot, foot + Vector((0, 0, 1.05)), 0.022, 0.022, 6)
        for height in (1.05, 0.55):
            up = Vector((0, 0, height))
            builder.tube(a + up, b + up, 0.024, 0.024, 6)


def _gantry(where: bpy.types.Collection, mats: Materials) -> None:
    deck = Builder()
    deck.span((-9.0, 4.3, GANTRY_Z - 0.10), (9.6, FACADE, GANTRY_Z))
    deck.span((-9.0, 4.28, GANTRY_Z - 0.30), (9.6, 4.40, GANTRY_Z))
    for i in range(16):
        deck.span(
            (9.6 + i * 0.27, 4.5, GANTRY_Z - (i + 1) * 0.27 - 0.04), (9.9 + i * 0.27, 5.5, GANTRY_Z - (i + 1) * 0.27)
        )
    for y in (4.46, 5.54):
        deck.loft([_stringer(9.5, y, GANTRY_Z), _stringer(13.95, y, 0.0)])
    _finish(deck, "Gantry_deck", mats["dark"], where)
    rail = Builder()
    _railing(rail, [(-9.0, FACADE, GANTRY_Z), (-9.0, 4.34, GANTRY_Z)], 2)
    _railing(rail, [(-9.0, 4.34, GANTRY_Z), (9.6, 4.34, GANTRY_Z)], 14)
    _railing(rail, [(9.6, 4.46, GANTRY_Z), (13.9, 4.46, 0.0)], 5)
    _railing(rail, [(9.6, 5.54, GANTRY_Z), (13.9, 5.54, 0.0)], 5)
    _finish(rail, "Gantry_railing", mats["dark"], where)
    post = Builder()
    post.span((-0.11, -0.11, 0), (0.11, 0.11, GANTRY_Z - 0.3))
    post.span((-0.2, -0.2, 0), (0.2, 0.2, 0.05))
    post.box((0, 0.45, GANTRY_Z - 0.62), (0.08, 0.10, 1.1), 0.0, -0.8)
    mesh = post.mesh("Gantry_pillar", [mats["dark"]])
    for i, x in enumerate((-8.8, -6.6, -2.25, 2.2, 6.6, 9.4)):
        pillar = place(f"Gantry_pillar.{i:02d}", mesh, where, (x, 4.45, 0.0))
        if -7 < x < 7:
            pillar.location.z, pillar.scale.z = DOCK_TOP, (GANTRY_Z - 0.3 - DOCK_TOP) / (GANTRY_Z - 0.3)


def _stringer(x: float, y: float, z: float) -> list[Vector]:
    return ellipse(Vector((x, y, z - 0.08)), Vector((0, 0.03, 0)), Vector((0.05, 0, 0.14)), 4)


def _yard_walls(where: bpy.types.Collection, mats: Materials) -> None:
    south = Builder()
    holes = [(x, x + 1.5, 1.3, 2.9) for x in (-13.5, -9.5, -5.5, 3.0, 7.0, 11.0, 15.0)]
    holes.insert(3, (-1.4, 0.9, 0.0, 2.7))
    _wall(south, -16, 20, -8.0, 0.35, 5.4, holes)
    south.span((-16.1, -8.1, 5.4), (20.1, -7.5, 5.6))
    for x in (-15.6, -11.2, -7.2, -3.2, 2.0, 5.8, 9.8, 13.8, 17.8):
        south.span((x - 0.2, -7.75, 0), (x + 0.2, -7.3, 5.4))
    south.span((-16, -9.6, 0), (20, -9.5, 5.4))
    _finish(south, "South_building", mats["wall"], where)
    west = Builder()
    west.span((-16.4, -8.0, 0), (-16.0, -2.6, 4.2))
    west.span((-16.4, 2.8, 0), (-16.0, FACADE, 4.2))
    for y in (-2.6, 2.8):
        west.span((-16.6, y - 0.35, 0), (-15.8, y + 0.35, 4.7))
    west.span((-16.5, -2.6, 4.1), (-15.9, 2.8, 4.6))
    west.span((-30, -16, 0), (-29, 14, 9.5))
    for i in range(5):
        west.span((-29.0, -13 + i * 5, 1.5), (-28.9, -10.8 + i * 5, 4.5))
    _finish(west, "West_gate", mats["wall"], where)
    east = Builder()
    east.span((19.6, -8.0, 0), (20.0, -3.2, 5.0))
    east.span((19.6, -0.4, 0), (20.0, FACADE, 5.0))
    east.span((19.6, -3.2, 3.4), (20.0, -0.4, 5.0))
    east.span((27, -16, 0), (28, 14, 11))
    _finish(east, "East_wall", mats["wall"], where)
    windows = Builder()
    for left, right, low, high in holes:
        if low > 0:
            windows.span((left, -7.86, low), (right, -7.82, high))
            windows.span(((left + right) / 2 - 0.04, -7.82, low), ((left + right) / 2 + 0.04, -7.74, high))
            windows.span((left, -7.82, (low + high) / 2 - 0.04), (right, -7.74, (low + high) / 2 + 0.04))
    _finish(windows, "South_windows", mats["dark"], where)


def _lamps(where: bpy.types.Collection, mats: Materials) -> None:
    lamp = Builder()
    lamp.tube((0, 0, 0.10), (0, 0, 0.55), 0.012, 0.012, 6)
    lamp.tube((0, 0, -0.06), (0, 0, 0.10), 0.24, 0.05, 18)
    lamp.slot = 1
    lamp.ball((0, 0, -0.07), (0.07, 0.07, 0.05), 12)
    mesh = lamp.mesh("Hanging_lamp", [mats["dark"], mats["glow"]])
    arm = Builder()
    arm.span((-0.03, 0, 0.53), (0.03, 0.62, 0.59))
    bracket = arm.mesh("Lamp_bracket", [mats["dark"]])
    for i, at in enumerate(LAMPS):
        place(f"Hanging_lamp.{i:02d}", mesh, where, at)
        place(f"Lamp_bracket.{i:02d}", bracket, where, at)
    post = Builder()
    post.tube((0, 0, 0), (0, 0, 0.9), 0.13, 0.10, 14)
    post.tube((0, 0, 0.9), (0, 0, 5.2), 0.075, 0.055, 12)
    post.tube((0, 0, 5.15), (-0.5, 0.5, 5.45), 0.05, 0.04, 8)
    post.tube((-0.5, 0.5, 5.45), (-1.0, 1.0, 5.45), 0.04, 0.04, 8)
    post.box((-1.08, 1.08, 5.43), (0.36, 0.72, 0.13), math.pi / 4)
    post.slot = 1
    post.box((-1.08, 1.08, 5.36), (0.26, 0.55, 0.04), math.pi / 4)
    mesh = post.mesh("Street_lamp", [mats["dark"], mats["glow"]])
    place("Street_lamp.00", mesh, where, STREET_LAMP)
    place("Street_lamp.01", mesh, where, (-19.5, -3.4, 0.0))
    cables = Builder()
    for y in (-0.4, 0.0):
        points = [
            Vector((-11 + 0.2 * y, -7.4 + 13.6 * t, 5.2 + 0.8 * t - 2.0 * t * (1 - t)))
            for t in [i / 12 for i in range(13)]
        ]
        for a, b in pairwise(points):
            cables.tube(a + Vector((y, 0, 0)), b + Vector((y, 0, 0)), 0.015, 0.015, 5)
    _finish(cables, "Cables", mats["dark"], where)


def scatter(seed: int) -> random.Random:
    """The one source of chance of the set, with a fixed seed."""
    return random.Random(seed)  # noqa: S311 - it scatters crates
