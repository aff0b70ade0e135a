# SPDX-License-Identifier: GPL-3.0-or-later
"""Optical flow against projected points; `tests/host/test_geometry.py` has Cycles judge it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.drawing.flow import flow
from second_unit.addon.conditioning.drawing.frame import draw_flow, find_surfaces
from second_unit.addon.conditioning.drawing.raster import Hits, instance_ids, rasterize
from second_unit.addon.conditioning.drawing.soup import triangle_soup
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry

F64 = npt.NDArray[np.float64]


def follow(now: FrameGeometry, then: FrameGeometry) -> tuple[F64, npt.NDArray[np.bool_], Hits, npt.NDArray[np.int32]]:
    """Flow, whether it is known, hits and instances."""
    soup = triangle_soup(now)
    hits = rasterize(soup, now.camera)
    motion, known = flow(hits, soup, now, then)
    return motion.astype(np.float64), known, hits, instance_ids(hits, soup)


def world(camera: Camera, hits: Hits) -> F64:
    """World points (H, W, 3) of all pixels; rubbish where nothing was hit."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    z = np.where(hits.triangle >= 0, hits.depth, 1).astype(np.float64)
    scale = np.ones_like(z) if camera.orthographic else z
    place = np.stack([(u - camera.cx) / camera.fx * scale, (v - camera.cy) / camera.fy * scale, z, np.ones_like(z)], -1)
    return (place @ np.linalg.inv(camera.world_to_camera).T)[..., :3]


def expected(camera: Camera, then: Camera, hits: Hits, step: F64) -> F64:
    """Where points that ``step`` carries along will be, minus where they are."""
    points = world(camera, hits).reshape(-1, 3) @ step[:3, :3].T + step[:3, 3]
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return then.project(points)[:, :2].reshape(*u.shape, 2) - np.stack([u, v], -1)


def turned(angle: float, *, at: tuple[float, float, float]) -> F64:
    matrix = np.eye(4)
    matrix[:2, :2] = (math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))
    matrix[:3, 3] = at
    return matrix


@pytest.fixture
def street(scenes: Any) -> FrameGeometry:
    return scenes.street((160, 96))


def orthographic(frame: FrameGeometry) -> FrameGeometry:
    return replace(frame, camera=replace(frame.camera, orthographic=True, fx=22.0, fy=22.0))


def moved(frame: FrameGeometry, step: F64, chosen: range) -> FrameGeometry:
    things = [replace(o, matrix=step @ o.matrix) if i in chosen else o for i, o in enumerate(frame.instances)]
    return replace(frame, instances=tuple(things))


def test_what_rests_has_exactly_no_motion(street: FrameGeometry) -> None:
    for frame in (street, orthographic(street)):
        motion, known, _, _ = follow(frame, frame)
        assert (motion == 0).all()
        assert known.all()


@pytest.mark.parametrize("is_orthographic", [False, True])
def test_things_and_the_camera_move_at_once(street: FrameGeometry, scenes: Any, *, is_orthographic: bool) -> None:
    now = orthographic(street) if is_orthographic else street
    step = turned(0.05, at=(0.1, -0.05, 0.02))
    pose = scenes.look((1.25, -5.1, 1.5), (0.12, 0.5, 1.0))
    then = moved(now, step, range(3, 20))
    then = replace(then, camera=replace(now.camera, world_to_camera=pose, fx=now.camera.fx * 1.03))
    # another order: things are matched by key
    then = replace(then, instances=then.instances[::-1])
    motion, known, hits, ids = follow(now, then)
    for chosen, carried in ((np.isin(ids, range(3, 20)), step), ((ids >= 0) & ~np.isin(ids, range(3, 20)), np.eye(4))):
        truth = expected(now.camera, then.camera, hits, carried)
        assert chosen.sum() > 500
        assert np.abs(truth[chosen]).max() > 1
        np.testing.assert_allclose(motion[chosen], truth[chosen], atol=2e-3)
    assert (motion[ids < 0] == 0).all()
    assert known.all()


@pytest.mark.parametrize("is_orthographic", [False, True])
def test_a_mesh_that_deforms_is_followed_within_its_triangles(
    street: FrameGeometry, scenes: Any, *, is_orthographic: bool
) -> None:
    now = orthographic(street) if is_orthographic else street
    # an affine change of all points: any interpolation on the surface follows it exactly
    bend = np.array([(1.05, 0.1, 0, 0.02), (0, 0.96, 0.05, 0), (0.03, 0, 1.02, -0.01), (0, 0, 0, 1)])
    ground = now.meshes[0]
    changed = (ground.positions @ bend[:3, :3].T + bend[:3, 3]).astype(np.float32)
    pose = scenes.look((1.3, -5.2, 1.55), (0.1, 0.5, 1.05))
    then = replace(now, meshes=(replace(ground, positions=changed), *now.meshes[1:]))
    then = replace(then, camera=replace(now.camera, world_to_camera=pose))
    motion, known, hits, ids = follow(now, then)
    truth = expected(now.camera, then.camera, hits, bend)
    floor = (ids == 0) & known
    assert floor.sum() > 2000
    np.testing.assert_allclose(motion[floor], truth[floor], atol=3e-3, rtol=1e-4)
    flipped = np.array([(0, 1, 3), (1, 2, 3)], np.int32)
    recut = replace(then, meshes=(replace(then.meshes[0], triangles=flipped), *then.meshes[1:]))
    np.testing.assert_array_equal(follow(now, recut)[0], motion)


def test_what_vanishes_or_becomes_another_mesh_is_not_known(street: FrameGeometry, scenes: Any) -> None:
    pose = scenes.look((1.25, -5.1, 1.5), (0.12, 0.5, 1.0))
    camera = replace(street.camera, world_to_camera=pose)
    gone = replace(street, camera=camera, instances=tuple(o for i, o in enumerate(street.instances) if i != 3))
    other = (*street.meshes[:3], street.meshes[5], *street.meshes[4:])
    lost = replace(street.instances[3], matrix=np.full((4, 4), np.nan))
    nowhere = replace(street, camera=camera, instances=(*street.instances[:3], lost, *street.instances[4:]))
    for then in (gone, replace(street, camera=camera, meshes=other), nowhere):
        motion, known, hits, ids = follow(street, then)
        np.testing.assert_array_equal(known, ids != 3)
        truth = expected(street.camera, camera, hits, np.eye(4))
        np.testing.assert_allclose(motion[ids >= 0], truth[ids >= 0], atol=2e-3)


@pytest.mark.parametrize("deforms", [False, True])
def test_what_ends_before_the_near_plane_is_known_up_to_there(street: FrameGeometry, *, deforms: bool) -> None:
    there = replace(street.camera, near=8.0, fx=street.camera.fx * 1.1)
    then = replace(street, camera=there)
    if deforms:
        # other places in the mesh, and an instance that brings them back
        half = replace(street.meshes[0], positions=street.meshes[0].positions * np.float32(0.5))
        then = moved(replace(then, meshes=(half, *street.meshes[1:])), np.diag([2.0, 2, 2, 1]), range(1))
    _, known, hits, ids = follow(street, then)
    floor = (ids == 0) & (np.abs(hits.depth - 8.0) > 1e-3)
    np.testing.assert_array_equal(known[floor], hits.depth[floor] > 8.0)
    assert 0.1 < known[floor].mean() < 0.9


@pytest.mark.parametrize("deforms", [False, True])
def test_what_passes_behind_the_camera_has_no_motion_and_is_not_known(scenes: Any, *, deforms: bool) -> None:
    camera = scenes.straight()
    now = scenes.frame(
        camera, (scenes.plane(1, 1), scenes.placed((0, 0, 2))), (scenes.plane(9, 9), scenes.placed((0, 0, 8)))
    )
    then = replace(now, camera=replace(camera, world_to_camera=scenes.placed((0, 0, -3))))
    if deforms:
        mesh = now.meshes[0]
        then = replace(then, meshes=(replace(mesh, positions=mesh.positions * np.float32(1.1)), *now.meshes[1:]))
    motion, known, _, ids = follow(now, then)
    assert (motion[ids == 0] == 0).all()
    np.testing.assert_array_equal(known, ids != 0)
    assert np.isfinite(motion).all()
    assert np.abs(motion[ids == 1]).max() > 5


def test_a_mesh_that_undoes_its_own_move_stays_known(scenes: Any) -> None:
    now = scenes.frame(scenes.straight(), (scenes.plane(1, 1), scenes.placed((0, 0, 2))))
    back = now.meshes[0].positions + np.float32((0, 0, 5))
    then = moved(replace(now, meshes=(replace(now.meshes[0], positions=back),)), scenes.placed((0, 0, -5)), range(1))
    motion, known, _, _ = follow(now, then)
    assert known.all()
    np.testing.assert_allclose(motion, 0, atol=1e-4)


def test_an_empty_scene_has_no_motion(scenes: Any) -> None:
    frame = scenes.frame(scenes.straight())
    motion, known, _, _ = follow(frame, replace(frame, camera=replace(frame.camera, fx=99.0)))
    assert (motion == 0).all()
    assert known.all()


def test_a_thing_that_shrinks_to_nothing_moves_to_one_point(scenes: Any) -> None:
    now = scenes.frame(scenes.straight(), (scenes.box(), scenes.placed((0.2, 0, 4))))
    then = moved(now, scenes.placed((0.2, 0, 4), 0.0), range(1))
    motion, known, _, ids = follow(now, then)
    rows, columns = np.nonzero(ids == 0)
    there = motion[rows, columns] + np.stack([columns + 0.5, rows + 0.5], 1)
    np.testing.assert_allclose(there, np.tile((88.0, 48.0), (len(rows), 1)), atol=1e-2)
    assert known.all()


@pytest.mark.parametrize("has_surfaces", [True, False])
def test_where_a_holdout_moves_there_is_no_motion(scenes: Any, *, has_surfaces: bool) -> None:
    """It is background in every pass. What moves beside it and behind it keeps its motion."""
    things = ((scenes.plane(8, 8), scenes.placed((0, 0, 6))), (scenes.box(), scenes.placed((-0.8, 0, 4))))
    things = (*things, (scenes.box(), scenes.placed((0.8, 0, 4))))
    shown = scenes.frame(scenes.straight(), *things)
    now = scenes.frame(scenes.straight(), *things, holdouts=(1,))
    step = scenes.placed((0.3, 0.1, 0))
    surfaces = find_surfaces(now)
    held = surfaces.ids == 1
    assert held.sum() > 500
    assert (draw_flow(shown, moved(shown, step, range(3)))[held] != 0).all(), "it does move"
    motion = draw_flow(now, moved(now, step, range(3)), surfaces if has_surfaces else None)
    assert (motion[held] == 0).all()
    assert (motion[(surfaces.ids >= 0) & ~held] != 0).all()
