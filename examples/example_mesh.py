# SPDX-License-Identifier: GPL-3.0-or-later
"""A small mesh builder: boxes, tubes and lofts gathered into one mesh, with a group and a material per part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import bpy
from mathutils import Matrix, Vector

Ring = list[Vector]


def _frame(axis: Vector) -> tuple[Vector, Vector]:
    """Two unit vectors square to `axis`."""
    helper = Vector((0, 0, 1)) if abs(axis.normalized().z) < 0.9 else Vector((1, 0, 0))
    across = axis.cross(helper).normalized()
    return across, across.cross(axis).normalized()


def ellipse(centre: Vector, u: Vector, v: Vector, segments: int = 16, square: float = 1.0) -> Ring:
    """A closed ring around `centre` with half axes `u` and `v`; `square` < 1 bulges it towards a rectangle."""
    ring: Ring = []
    for i in range(segments):
        angle = 2 * math.pi * i / segments
        c, s = math.cos(angle), math.sin(angle)
        ring.append(centre + u * math.copysign(abs(c) ** square, c) + v * math.copysign(abs(s) ** square, s))
    return ring


@dataclass(slots=True)
class Builder:
    """Collects geometry in one coordinate system. `groups` names the owner (a bone) of every vertex."""

    vertices: list[Vector] = field(default_factory=list[Vector])
    faces: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    slots: list[int] = field(default_factory=list[int])
    groups: list[str] = field(default_factory=list[str])
    group: str = ""
    slot: int = 0

    def _add(self, points: Sequence[Vector], faces: Sequence[tuple[int, ...]]) -> None:
        base = len(self.vertices)
        self.vertices += points
        self.groups += [self.group] * len(points)
        self.faces += [tuple(base + i for i in face) for face in faces]
        self.slots += [self.slot] * len(faces)

    def box(self, centre: Sequence[float], size: Sequence[float], turn: float = 0.0, tilt: float = 0.0) -> None:
        """A box of full `size`, tilted about its X axis, then turned about Z (radians)."""
        place = Matrix.Translation(centre) @ Matrix.Rotation(turn, 4, "Z") @ Matrix.Rotation(tilt, 4, "X")
        corners = [Vector((x, y, z)) for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
        points = [place @ Vector(a * b for a, b in zip(c, size, strict=True)) for c in corners]
        self._add(points, [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)])

    def span(self, low: Sequence[float], high: Sequence[float]) -> None:
        """A box between two corners."""
        self.box([(a + b) / 2 for a, b in zip(low, high, strict=True)], [b - a for a, b in zip(low, high, strict=True)])

    def loft(self, rings: Sequence[Ring], *, caps: bool = True) -> None:
        """Skin over rings of equal point count that run along the part; faces point outwards either way round."""
        count = len(rings[0])
        axis = rings[-1][0] - rings[0][0]
        flip = (rings[0][1] - rings[0][0]).cross(rings[0][2] - rings[0][1]).dot(axis) < 0
        faces: list[tuple[int, ...]] = []
        for r in range(len(rings) - 1):
            for i in range(count):
                j = (i + 1) % count
                faces.append((r * count + i, r * count + j, (r + 1) * count + j, (r + 1) * count + i))
        if caps:
            last = (len(rings) - 1) * count
            faces += [tuple(reversed(range(count))), tuple(range(last, last + count))]
        if flip:
            faces = [tuple(reversed(face)) for face in faces]
        self._add([point for ring in rings for point in ring], faces)

    def tube(self, start: Sequence[float], end: Sequence[float], r0: float, r1: float, segments: int = 12) -> None:
        """A straight cylinder or cone with flat ends."""
        a, b = Vector(start), Vector(end)
        u, v = _frame(b - a)
        self.loft([ellipse(a, u * r0, v * r0, segments), ellipse(b, u * r1, v * r1, segments)])

    def capsule(self, start: Sequence[float], end: Sequence[float], radii: Sequence[float], segments: int = 14) -> None:
        """A limb with round ends; `radii` are spread evenly from start to end."""
        a, b = Vector(start), Vector(end)
        axis = b - a
        along = axis.normalized()
        u, v = _frame(axis)
        rings: list[Ring] = []
        for angle in (80, 55, 28):
            c, s = math.cos(math.radians(angle)) * radii[0], math.sin(math.radians(angle)) * radii[0]
            rings.append(ellipse(a - along * s, u * c, v * c, segments))
        for i, r in enumerate(radii):
            rings.append(ellipse(a + axis * (i / (len(radii) - 1)), u * r, v * r, segments))
        for angle in (28, 55, 80):
            c, s = math.cos(math.radians(angle)) * radii[-1], math.sin(math.radians(angle)) * radii[-1]
            rings.append(ellipse(b + along * s, u * c, v * c, segments))
        self.loft(rings)

    def ball(self, centre: Sequence[float], radii: Sequence[float], segments: int = 14) -> None:
        """An ellipsoid with half axes along X, Y and Z."""
        middle = Vector(centre)
        rings: list[Ring] = []
        for angle in (-80, -55, -28, 0, 28, 55, 80):
            c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            u, v = Vector((radii[0] * c, 0, 0)), Vector((0, radii[1] * c, 0))
            rings.append(ellipse(middle + Vector((0, 0, radii[2] * s)), u, v, segments))
        self.loft(rings)

    def stack(
        self, rows: Sequence[Sequence[float]], segments: int = 18, square: float = 0.85, *, caps: bool = True
    ) -> None:
        """A loft along Z. Each row is (z, half width, half depth, centre y) and optionally centre x."""
        rings: list[Ring] = []
        for row in rows:
            x = row[4] if len(row) > 4 else 0.0
            u, v = Vector((row[1], 0, 0)), Vector((0, row[2], 0))
            rings.append(ellipse(Vector((x, row[3], row[0])), u, v, segments, square))
        self.loft(rings, caps=caps)

    def mesh(self, name: str, materials: Sequence[bpy.types.Material], *, smooth: bool = False) -> bpy.types.Mesh:
        """The gathered geometry as a new mesh datablock."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([tuple(v) for v in self.vertices], [], self.faces)
        for material in materials:
            mesh.materials.append(material)
        mesh.polygons.foreach_set("material_index", self.slots)
        mesh.polygons.foreach_set("use_smooth", [smooth] * len(self.faces))
        mesh.update()
        return mesh


def place(
    name: str,
    mesh: bpy.types.Mesh | None,
    collection: bpy.types.Collection,
    at: Sequence[float] = (0, 0, 0),
    turn: float = 0.0,
) -> bpy.types.Object:
    """A new object in `collection`, turned about Z by `turn` radians. Several may share one mesh."""
    thing = bpy.data.objects.new(name, mesh)
    thing.location = at
    thing.rotation_euler = (0.0, 0.0, turn)
    collection.objects.link(thing)
    return thing


def collection(name: str, parent: bpy.types.Collection | None) -> bpy.types.Collection:
    """A new collection, below `parent` or (for instance sources) below nothing."""
    made = bpy.data.collections.new(name)
    if parent is not None:
        parent.children.link(made)
    return made
