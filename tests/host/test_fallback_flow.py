# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of what Cycles saw where it has no vector, or one of another length. No Blender is needed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.drawing.frame import Surfaces
from second_unit.addon.conditioning.drawing.raster import Hits
from second_unit.addon.host.cycles_flow import Vectors, motion_of, panoramic_motion
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh

FOCAL = 30.0
CAMERA = Camera(32, 24, FOCAL, FOCAL, 16, 12, 0.1, 100.0, np.diag([1.0, -1.0, -1.0, 1.0]))
CORNERS = np.array([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], np.float32)
WALL = Mesh(CORNERS, np.array([(0, 1, 2), (0, 2, 3)], np.int32))
FRONT, BACK = 4.0, 6.0


def placed(x: float, depth: float) -> npt.NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = x, 0, -depth
    return matrix


def frame(time: Fraction, front: float = 0.0, back: float = 0.0, camera: float = 0.0) -> FrameGeometry:
    """Two walls that fill the picture, and how far each of them and the camera have gone to the right."""
    stands = np.eye(4)
    stands[0, 3] = camera
    eye = replace(CAMERA, world_to_camera=CAMERA.world_to_camera @ np.linalg.inv(stands))
    instances = (Instance("front", 0, placed(front, FRONT)), Instance("back", 0, placed(back, BACK)))
    return FrameGeometry(time, eye, (WALL,), instances, (), ())


def seen(index: int, depth: float) -> Surfaces:
    shape = (CAMERA.height, CAMERA.width)
    ids = np.full(shape, index, np.int32)
    return Surfaces(Hits(np.full(shape, depth, np.float32), ids), ids, np.zeros((*shape, 3), np.float32))


def vectors(x: float, *, told: bool) -> Vectors:
    motion = np.zeros((CAMERA.height, CAMERA.width, 2), np.float32)
    motion[..., 0] = x
    return Vectors(motion, np.full(motion.shape[:2], told))


def across(surfaces: Surfaces, following: FrameGeometry, told: Vectors, *, first: Any = None) -> float:
    """Pixels to the right, everywhere the same, and none down."""
    now = frame(Fraction(1))
    motion = motion_of(first or now, now, following, surfaces, told)
    assert motion.dtype == np.float32
    assert np.ptp(motion[..., 0]) < 1e-4
    assert np.abs(motion[..., 1]).max() < 1e-4
    return float(motion[..., 0].mean())


def test_what_cycles_tells_of_a_frame_is_kept() -> None:
    assert across(seen(0, FRONT), frame(Fraction(2), 0.5), vectors(7, told=True)) == 7


@pytest.mark.parametrize(("index", "depth", "x"), [(0, FRONT, 0.5), (1, BACK, -0.25)])
def test_what_cycles_does_not_tell_moves_with_its_instance(index: int, depth: float, x: float) -> None:
    """The wall in front is a cut-out where the other is seen."""
    then = frame(Fraction(2), 0.5, -0.25, camera=0.1)
    expected = FOCAL * (x - 0.1) / depth
    assert across(seen(index, depth), then, vectors(0, told=False)) == pytest.approx(expected, abs=1e-4)


def test_what_is_gone_in_the_next_frame_has_no_motion() -> None:
    then = frame(Fraction(2), camera=0.1)
    then = replace(then, instances=then.instances[1:])
    assert across(seen(0, FRONT), then, vectors(0, told=False)) == 0


def test_what_only_cycles_draws_has_the_cameras_share() -> None:
    now = frame(Fraction(1))
    hair = replace(now, instances=(*now.instances, Instance("hair", 0, placed(0, 3.0))))
    then = frame(Fraction(2), 0.5, camera=0.1)
    found = across(seen(2, 3.0), then, vectors(0, told=False), first=hair)
    assert found == pytest.approx(-FOCAL * 0.1 / 3, abs=1e-4)


def test_over_several_frames_a_surface_goes_where_it_is_then() -> None:
    """Its vector is of one frame, in which it may have gone anywhere."""
    then = frame(Fraction(3), 0.5, camera=0.1)
    assert across(seen(0, FRONT), then, vectors(99, told=True)) == pytest.approx(FOCAL * 0.4 / FRONT, abs=1e-4)


def test_over_several_frames_what_is_no_surface_goes_on_as_in_the_first() -> None:
    """A straw on the wall in front, half a unit nearer: of its vector the camera's share is whole already."""
    then = frame(Fraction(7, 2), camera=0.1)
    camera, own = -FOCAL * 0.1 / 3.5, 1.5
    found = across(seen(0, 3.5), then, vectors(camera + own, told=True))
    assert found == pytest.approx(camera + 2.5 * own, abs=1e-4)


def test_a_panorama_is_stretched_as_a_whole() -> None:
    motion = panoramic_motion(frame(Fraction(1)), frame(Fraction(5, 2)), vectors(2, told=True))
    assert (motion[..., 0] == 3).all()
    assert motion.dtype == np.float32
