# SPDX-License-Identifier: GPL-3.0-or-later
"""Analytic scenes: planes, boxes, spheres and people of boxes, in Blender's world (z up, metres).

And movies that are none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Light, LightKind, Mesh, Person
from second_unit.addon.shot.people import BODY, JOINTS

F64 = npt.NDArray[np.float64]

# COCO-18 of someone 1.75 m tall at the origin who looks along -y; their right is -x.
STANDING = np.array(
    [
        (0, -0.12, 1.60), (0, 0, 1.42), (-0.19, 0, 1.42), (-0.30, -0.02, 1.16), (-0.34, -0.10, 0.92),
        (0.19, 0, 1.42), (0.30, -0.02, 1.16), (0.34, -0.10, 0.92), (-0.10, 0, 0.92), (-0.11, -0.03, 0.50),
        (-0.12, 0, 0.09), (0.10, 0, 0.92), (0.11, -0.03, 0.50), (0.12, 0, 0.09), (-0.035, -0.10, 1.64),
        (0.035, -0.10, 1.64), (-0.08, -0.01, 1.62), (0.08, -0.01, 1.62),
    ]
)  # fmt: skip

BONES = (
    ((2, 3), 0.055), ((3, 4), 0.045), ((5, 6), 0.055), ((6, 7), 0.045), ((8, 9), 0.085), ((9, 10), 0.06),
    ((11, 12), 0.085), ((12, 13), 0.06),
)  # fmt: skip


def encode(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
    """In place of an encoder."""
    for _, movie, _ in movies:
        movie.write_bytes(b"movie")


def plane(width: float, depth: float) -> Mesh:
    """Two triangles in z = 0 around the origin."""
    x, y = width / 2, depth / 2
    corners = np.array([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)], np.float32)
    return Mesh(corners, np.array([(0, 1, 2), (0, 2, 3)], np.int32))


def box() -> Mesh:
    """The unit cube around the origin."""
    corners = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)], np.float32)
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    return Mesh(corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32))


def sphere(rings: int = 24, segments: int = 48) -> Mesh:
    """The unit sphere by latitude and longitude."""
    theta, phi = np.meshgrid(
        np.linspace(0, math.pi, rings + 1), np.arange(segments) * 2 * math.pi / segments, indexing="ij"
    )
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    i, j = np.meshgrid(np.arange(rings), np.arange(segments), indexing="ij")
    a, b = i * segments + j, i * segments + (j + 1) % segments
    quads = np.stack([a, a + segments, b + segments, b], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(points.reshape(-1, 3).astype(np.float32), triangles.astype(np.int32))


def placed(at: tuple[float, float, float] = (0, 0, 0), scale: tuple[float, float, float] | float = 1.0) -> F64:
    """A matrix that scales, then moves."""
    matrix = np.diag([*(np.ones(3) * scale), 1.0])
    matrix[:3, 3] = at
    return matrix


def look(eye: tuple[float, float, float], target: tuple[float, float, float]) -> F64:
    """World-to-camera of a level camera, OpenCV axes."""
    forward = np.subtract(target, eye).astype(np.float64)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1) if abs(forward[2]) < 0.999 else (0, 1, 0))
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = right, np.cross(forward, right), forward
    matrix[:3, 3] = -matrix[:3, :3] @ np.array(eye, np.float64)
    return matrix


class Scenes:
    """Builders of frames."""

    plane = staticmethod(plane)
    box = staticmethod(box)
    sphere = staticmethod(sphere)
    placed = staticmethod(placed)
    look = staticmethod(look)
    standing = STANDING

    @staticmethod
    def camera(
        eye: tuple[float, float, float] = (0, -5, 1.6),
        target: tuple[float, float, float] = (0, 0, 1.2),
        size: tuple[int, int] = (160, 96),
        **changes: object,
    ) -> Camera:
        """A camera with a horizontal field of view of 53 degrees."""
        camera = Scenes.straight(size, world_to_camera=look(eye, target))
        return replace(camera, **changes)

    @staticmethod
    def straight(size: tuple[int, int] = (160, 96), **changes: object) -> Camera:
        """A camera whose space is the world's: x right, y down, z forward."""
        width, height = size
        camera = Camera(width, height, float(width), float(width), width / 2, height / 2, 0.1, 1000.0, np.eye(4))
        return replace(camera, **changes)

    @staticmethod
    def frame(
        camera: Camera,
        *things: tuple[Mesh, F64],
        lights: tuple[Light, ...] = (),
        holdouts: tuple[int, ...] = (),
    ) -> FrameGeometry:
        """Things without people."""
        instances = tuple(
            Instance(f"thing{i}", i, matrix, holdout=i in holdouts) for i, (_, matrix) in enumerate(things)
        )
        return FrameGeometry(Fraction(1), camera, tuple(mesh for mesh, _ in things), instances, lights, ())

    @staticmethod
    def with_person(frame: FrameGeometry, at: tuple[float, float, float], turn: float = 0.0) -> FrameGeometry:
        """Add one figure of boxes that stands ``at`` and is turned by ``turn`` radians."""
        spin = np.eye(4)
        spin[:2, :2] = (math.cos(turn), -math.sin(turn)), (math.sin(turn), math.cos(turn))
        spin[:3, 3] = at
        joints = np.full((JOINTS, 3), np.nan)
        joints[BODY] = STANDING @ spin[:3, :3].T + spin[:3, 3]
        number = len(frame.people)
        parts = [spin @ placed((0, 0, 1.17), (0.34, 0.2, 0.54)), spin @ placed((0, 0, 0.92), (0.32, 0.2, 0.14))]
        parts += [bone(joints[a], joints[b], radius) for (a, b), radius in BONES]
        parts += [spin @ placed((side * 0.12, -0.06, 0.04), (0.1, 0.26, 0.08)) for side in (-1, 1)]
        cube, ball = len(frame.meshes), len(frame.meshes) + 1
        body = [Instance(f"person{number}.{i}", cube, matrix, number) for i, matrix in enumerate(parts)]
        head = spin @ placed((0, -0.01, 1.62), (0.085, 0.10, 0.125))
        body.append(Instance(f"person{number}.head", ball, head, number))
        return replace(
            frame,
            meshes=(*frame.meshes, box(), sphere()),
            instances=(*frame.instances, *body),
            people=(*frame.people, Person(f"person{number}", joints, 0.18)),
        )

    @staticmethod
    def lamp(kind: str, at: tuple[float, float, float], to: tuple[float, float, float], power: float) -> Light:
        """A white lamp that shines from ``at`` to ``to``."""
        direction = np.subtract(to, at) / np.linalg.norm(np.subtract(to, at))
        x, y, z = direction.tolist()
        return Light(LightKind(kind), at, (x, y, z), (1.0, 1.0, 1.0), power, math.radians(45))

    @classmethod
    def street(cls, size: tuple[int, int] = (208, 120), detail: int = 1) -> FrameGeometry:
        """A set with two people, ground, walls, boxes, spheres and four lamps."""
        camera = cls.camera((1.2, -5.2, 1.55), (0.1, 0.5, 1.05), size)
        things = [(plane(60, 60), placed()), (box(), placed((-3.2, 3.5, 1.5), (3, 0.3, 3.0)))]
        things += [(box(), placed((3.4, 2.2, 1.3), (0.3, 5, 2.6))), (box(), placed((-1.9, 0.4, 0.45), 0.9))]
        things += [(box(), placed((-1.75, 0.5, 1.15), 0.5)), (sphere(), placed((1.75, 0.2, 0.45), 0.45))]
        things += [(sphere(24 * detail, 48 * detail), placed((2.0, 4.0, 0.9), 0.9))]
        things += [(box(), placed((0.4 * i - 4, 7 + 0.7 * (i % 5), 0.6), (0.3, 0.3, 1.2))) for i in range(24)]
        lamps = (
            cls.lamp("AREA", (-3, -3, 4), (0, 0, 1), 1000.0),
            cls.lamp("SPOT", (2.5, 3, 4), (0.8, 0.5, 1), 600.0),
            cls.lamp("POINT", (-3, 2.5, 2.2), (0, 0, 0), 60.0),
        )
        frame = cls.frame(camera, *things, lights=lamps)
        return cls.with_person(cls.with_person(frame, (-0.45, 0.3, 0), 0.25), (0.75, 1.5, 0), -0.6)


def bone(a: F64, b: F64, radius: float) -> F64:
    """Matrix of a unit cube stretched from ``a`` to ``b``."""
    along = b - a
    length = float(np.linalg.norm(along))
    z = along / length
    x = np.cross((0, 1, 0), z)
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = x * 2 * radius, np.cross(z, x) * 2 * radius, along
    matrix[:3, 3] = (a + b) / 2
    return matrix


@pytest.fixture(scope="session")
def scenes() -> type[Scenes]:
    """Builders of analytic scenes."""
    return Scenes
