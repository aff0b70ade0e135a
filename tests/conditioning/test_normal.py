# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth normals against formulas; `tests/host/test_geometry.py` has Cycles judge them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.drawing.normal import normals
from second_unit.addon.conditioning.drawing.raster import Hits, rasterize
from second_unit.addon.conditioning.drawing.soup import triangle_soup
from second_unit.addon.shot.geometry import FrameGeometry, Mesh

F64 = npt.NDArray[np.float64]


def drawn(frame: FrameGeometry) -> tuple[Hits, F64]:
    soup = triangle_soup(frame)
    hits = rasterize(soup, frame.camera)
    return hits, normals(hits, soup, frame.camera).astype(np.float64)


def places(frame: FrameGeometry, hits: Hits) -> F64:
    """Camera-space points (n, 3) of all hits, row by row."""
    camera = frame.camera
    rows, columns = np.nonzero(hits.triangle >= 0)
    z = hits.depth[rows, columns].astype(np.float64)
    scale = np.ones_like(z) if camera.orthographic else z
    x, y = (columns + 0.5 - camera.cx) / camera.fx * scale, (rows + 0.5 - camera.cy) / camera.fy * scale
    return np.stack([x, y, z], 1)


def unit(vectors: F64) -> F64:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def smooth(mesh: Mesh, vectors: Any) -> Mesh:
    """One normal per vertex."""
    return replace(mesh, normals=np.asarray(vectors, np.float32), normal_index=mesh.triangles)


def sliver(vectors: Any) -> Mesh:
    """One long triangle, from near to far."""
    corners = np.array([(-0.5, -0.4, 0.6), (0.7, 0.2, 1.0), (2.0, 3.0, 12.0)], np.float32)
    return smooth(Mesh(corners, np.array([(0, 1, 2)], np.int32)), vectors)


TILTED = np.array([(0.3, 0.1, -1), (-0.5, 0.2, -1), (0.1, -0.8, -0.5)])
ASIDE = np.array([(1, 0, 0.3), (1, 0.1, 0.3), (1, 0, 0.2)])


def interpolated(frame: FrameGeometry, hits: Hits, vectors: F64) -> F64:
    """Where on the triangle the pixel lies decides, not where on the picture."""
    a, b, c = frame.meshes[0].positions.astype(np.float64)
    weights = np.linalg.lstsq(np.stack([b - a, c - a], 1), (places(frame, hits) - a).T, rcond=None)[0].T
    return unit(vectors[0] + weights[:, :1] * (vectors[1] - vectors[0]) + weights[:, 1:] * (vectors[2] - vectors[0]))


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("near", [0.1, 2.0])
def test_corner_normals_are_interpolated_on_the_surface(scenes: Any, *, orthographic: bool, near: float) -> None:
    camera = replace(scenes.straight((200, 160), orthographic=orthographic), near=near)
    if orthographic:
        camera = replace(camera, fx=40.0, fy=40.0)
    frame = scenes.frame(camera, (sliver(TILTED), np.eye(4)))
    hits, found = drawn(frame)
    seen = hits.triangle >= 0
    assert seen.sum() > 800
    expected = interpolated(frame, hits, TILTED)
    # the triangle shows one side; whichever it is, normals that face away are turned over with it
    sign = np.sign((expected * found[seen]).sum(-1)[0])
    np.testing.assert_allclose(found[seen], sign * expected, atol=2e-4)


@pytest.mark.parametrize("users", [1, 2])
def test_what_a_stretched_mesh_interpolates_depends_on_its_users(scenes: Any, users: int) -> None:
    """As in Cycles, which transforms a mesh of one instance first, and makes its corner normals unit vectors there."""
    stretch = np.diag([1.0, 3.0, 1.0, 1.0])
    frame = scenes.frame(scenes.straight((200, 160)), (sliver(TILTED), stretch))
    if users == 2:
        again = replace(frame.instances[0], key="again", matrix=scenes.placed((0, 0, -50)))
        frame = replace(frame, instances=(*frame.instances, again))
    hits, found = drawn(frame)
    vectors = TILTED / (1, 3, 1)
    shown = replace(frame, meshes=(replace(frame.meshes[0], positions=frame.meshes[0].positions * (1, 3, 1)),))
    expected = interpolated(shown, hits, vectors if users == 2 else unit(vectors))
    other = interpolated(shown, hits, unit(vectors) if users == 2 else vectors)
    seen = hits.triangle >= 0
    sign = np.sign((expected * found[seen]).sum(-1)[0])
    np.testing.assert_allclose(found[seen], sign * expected, atol=3e-4)
    assert np.abs(found[seen] - sign * other).max() > 0.01


def test_a_coarse_sphere_looks_round(scenes: Any) -> None:
    ball = scenes.sphere(12, 24)
    frame = scenes.frame(scenes.straight(), (smooth(ball, ball.positions), scenes.placed((0, 0, 5), 1.2)))
    hits, found = drawn(frame)
    outward = unit(places(frame, hits) - (0, 0, 5))
    cosine = (found[hits.triangle >= 0] * outward).sum(-1)
    assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < 1.5
    flat = drawn(scenes.frame(scenes.straight(), (ball, scenes.placed((0, 0, 5), 1.2))))[1]
    rough = (flat[hits.triangle >= 0] * outward).sum(-1)
    assert np.degrees(np.arccos(rough.clip(-1, 1))).max() > 5


@pytest.mark.parametrize("scale", [(1, 1, 1), (2, 0.5, 1), (-1, 1.5, 1), (-1, -2, -0.5)])
@pytest.mark.parametrize("users", [1, 2])
def test_stretched_and_mirrored_spheres_keep_their_normals_outside(scenes: Any, scale: Any, users: int) -> None:
    ball = scenes.sphere(60, 120)
    ball = smooth(ball, ball.positions)
    at = np.array((0.0, 0.0, 6.0))
    frame = scenes.frame(scenes.straight(), (ball, scenes.placed(tuple(at), scale)))
    if users == 2:
        again = replace(frame.instances[0], key="again", matrix=scenes.placed((0, 0, -9)))
        frame = replace(frame, instances=(*frame.instances, again))
    hits, found = drawn(frame)
    # the gradient of an ellipsoid
    outward = unit((places(frame, hits) - at) / np.square(np.array(scale, float)))
    angle = np.degrees(np.arccos((found[hits.triangle >= 0] * outward).sum(-1).clip(-1, 1)))
    assert np.quantile(angle, 0.99) < 0.5
    assert angle.max() < 3


@pytest.mark.parametrize("orthographic", [False, True])
def test_the_geometry_decides_which_side_is_seen(scenes: Any, *, orthographic: bool) -> None:
    camera = scenes.straight(orthographic=orthographic)
    if orthographic:
        camera = replace(camera, fx=40.0, fy=40.0)
    sheet = scenes.plane(2, 2)
    leaning = np.tile((0.9, 0, 0.4), (4, 1))
    frames = [scenes.frame(camera, (smooth(sheet, leaning), scenes.placed((0, 0, 4), (1, y, 1)))) for y in (1, -1)]
    back = replace(sheet, triangles=sheet.triangles[:, ::-1].copy())
    frames.append(scenes.frame(camera, (smooth(back, leaning), scenes.placed((0, 0, 4)))))
    # z forward: the sheet's own side looks away from the camera, so its back is seen, however normals lean
    for frame, sign in zip(frames, (-1, -1, 1), strict=True):
        hits, found = drawn(frame)
        np.testing.assert_allclose(found[hits.triangle >= 0], [sign * unit(leaning[0])] * (hits.triangle >= 0).sum(),
                                   atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("broken", [((0, 0, 0),) * 3, ((1, 0, 0), (-1, 0, 0), (0, 0, 0)), ((np.nan, 0, 1),) * 3])
def test_normals_that_cancel_out_give_way_to_the_flat_one(scenes: Any, broken: Any) -> None:
    camera = scenes.straight()
    frame = scenes.frame(camera, (sliver(broken), np.eye(4)))
    hits, found = drawn(frame)
    plain = replace(frame, meshes=(replace(frame.meshes[0], normals=None, normal_index=None),))
    seen = hits.triangle >= 0
    same = np.abs(found - drawn(plain)[1]).max(-1) < 1e-6
    assert np.isfinite(found).all()
    if broken[0] == (1, 0, 0):
        # they cancel where both have the same weight only
        assert same[~seen].all()
        np.testing.assert_allclose(np.linalg.norm(found[seen], axis=-1), 1, atol=1e-5)
    else:
        assert same.all()


def test_flat_things_beside_smooth_ones_stay_flat(scenes: Any) -> None:
    camera = scenes.straight()
    ball = scenes.sphere()
    things = [(scenes.box(), scenes.placed((-1.2, 0.3, 5))), (ball, scenes.placed((1.2, 0, 5)))]
    plain = drawn(scenes.frame(camera, *things))
    mixed = drawn(scenes.frame(camera, things[0], (smooth(ball, ball.positions), things[1][1])))
    box = (plain[0].triangle >= 0) & (plain[0].triangle < 12)
    np.testing.assert_array_equal(mixed[1][box], plain[1][box])
    assert np.abs(mixed[1] - plain[1]).max() > 0.02
    assert (mixed[1][plain[0].triangle < 0] == 0).all()


def test_torn_meshes_keep_the_normals_of_the_faces_they_have(scenes: Any) -> None:
    ball = scenes.sphere()
    corners = ball.positions.copy()
    corners[5 * 48 + 7] = np.nan
    torn = replace(smooth(ball, ball.positions), positions=corners)
    frame = scenes.frame(scenes.straight(), (torn, scenes.placed((0, 0, 5), 1.2)))
    hits, found = drawn(frame)
    front = places(frame, hits)[:, 2] < 4.9
    outward = unit(places(frame, hits) - (0, 0, 5))
    assert ((found[hits.triangle >= 0] * outward).sum(-1)[front] > 0.999).all()
