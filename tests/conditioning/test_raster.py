# SPDX-License-Identifier: GPL-3.0-or-later
"""The z-buffer against formulas, and against Embree's rays."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from second_unit.addon.conditioning.drawing import raster
from second_unit.addon.conditioning.drawing.culling import Pyramid, Rows
from second_unit.addon.conditioning.drawing.normal import normals
from second_unit.addon.conditioning.drawing.raster import Hits, instance_ids, rasterize
from second_unit.addon.conditioning.drawing.soup import Soup, triangle_soup
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Mesh


def drawn(frame: FrameGeometry) -> Hits:
    return rasterize(triangle_soup(frame), frame.camera)


def pixels(camera: Camera) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return u, v


def traced(soup: Soup, camera: Camera) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Planar depth (inf for a miss) and triangle by Embree, one ray per pixel centre."""
    scene_module = pytest.importorskip("embreex.rtcore_scene")
    mesh_module = pytest.importorskip("embreex.mesh_construction")
    scene = scene_module.EmbreeScene()
    keep = mesh_module.TriangleMesh(scene, soup.vertices[soup.triangles])
    u, v = pixels(camera)
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    one = np.ones_like(x)
    if camera.orthographic:
        origin, ray = np.stack([x, y, one * camera.near], -1), np.stack([0 * x, 0 * y, one], -1)
    else:
        ray = np.stack([x, y, one], -1)
        origin = ray * camera.near
    answer = scene.run(
        origin.reshape(-1, 3).astype(np.float32), ray.reshape(-1, 3).astype(np.float32), output=True, query="INTERSECT"
    )
    del keep
    hit = answer["primID"] >= 0
    depth = np.where(hit, camera.near + answer["tfar"], np.inf)
    beyond = depth > camera.far
    shape = u.shape
    return (
        np.where(beyond, np.inf, depth).reshape(shape),
        np.where(hit & ~beyond, answer["primID"], -1).reshape(shape),
    )


def test_a_plane_that_faces_the_camera_has_one_depth_everywhere(scenes: Any) -> None:
    hits = drawn(scenes.frame(scenes.straight(), (scenes.plane(100, 100), scenes.placed((0, 0, 4)))))
    assert (hits.depth == 4.0).all()
    assert (hits.triangle >= 0).all()


def test_coverage_is_decided_at_pixel_centres_and_shared_edges_leave_no_crack(scenes: Any) -> None:
    camera = replace(scenes.straight((32, 32)), fx=1.0, fy=1.0, cx=0.5, cy=0.5)
    # Its corners and its diagonal run exactly through pixel centres: column and row 3 to 7.
    hits = drawn(scenes.frame(camera, (scenes.plane(4, 4), scenes.placed((5, 5, 1)))))
    rows, columns = np.nonzero(hits.triangle >= 0)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(r, c) for r in range(3, 8) for c in range(3, 8)}


def test_the_ground_is_right_up_to_the_near_plane_it_passes_through(scenes: Any) -> None:
    camera = replace(scenes.straight((200, 120)), near=1e-3)
    ground = Mesh(
        np.array([(-5e3, 1.6, -5e3), (5e3, 1.6, -5e3), (5e3, 1.6, 5e3), (-5e3, 1.6, 5e3)], np.float32),
        np.array([(0, 1, 2), (0, 2, 3)], np.int32),
    )
    hits = drawn(scenes.frame(camera, (ground, np.eye(4))))
    _, v = pixels(camera)
    with np.errstate(divide="ignore"):
        expected = 1.6 * camera.fy / (v - camera.cy)
    below = (v > camera.cy) & (expected < camera.far)
    assert (hits.triangle[~below] == -1).all()
    np.testing.assert_allclose(hits.depth[below], expected[below], rtol=2e-6)


def test_a_sphere_has_the_depth_of_the_formula(scenes: Any) -> None:
    camera = scenes.straight()
    hits = drawn(scenes.frame(camera, (scenes.sphere(400, 800), scenes.placed((0.3, -0.2, 5), 1.2))))
    u, v = pixels(camera)
    ray = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1)
    centre = np.array((0.3, -0.2, 5.0))
    a, b, c = (ray * ray).sum(-1), ray @ centre, centre @ centre - 1.2**2
    inside = b * b - a * c
    sure = np.abs(inside) > 0.02
    assert ((inside > 0) == (hits.triangle >= 0))[sure].all()
    hit = (inside > 0) & sure
    expected = (b[hit] - np.sqrt(inside[hit])) / a[hit]
    np.testing.assert_allclose(hits.depth[hit], expected, rtol=1e-4)


def test_normals_of_a_sphere_point_outwards_and_to_the_viewer(scenes: Any) -> None:
    camera = scenes.straight()
    frame = scenes.frame(camera, (scenes.sphere(200, 400), scenes.placed((0, 0, 5), 1.2)))
    soup = triangle_soup(frame)
    hits = rasterize(soup, camera)
    normal = normals(hits, soup, camera)
    seen = hits.triangle >= 0
    u, v = pixels(camera)
    place = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1)
    outward = (place * np.where(seen, hits.depth, 0)[..., None] - (0, 0, 5))[seen] / 1.2
    assert ((outward * normal[seen]).sum(-1) > 0.999).all()
    assert ((place * normal).sum(-1)[seen] < 0).all()
    assert (normal[~seen] == 0).all()


@pytest.mark.parametrize("orthographic", [False, True])
def test_winding_does_not_matter_and_normals_face_the_viewer(scenes: Any, *, orthographic: bool) -> None:
    camera = replace(scenes.straight(orthographic=orthographic), fx=20.0, fy=20.0)
    box = scenes.box()
    turned = Mesh(box.positions, box.triangles[:, ::-1].copy())
    first, second = (scenes.frame(camera, (mesh, scenes.placed((1, 1, 4)))) for mesh in (box, turned))
    soups = triangle_soup(first), triangle_soup(second)
    hits = [rasterize(soup, camera) for soup in soups]
    np.testing.assert_array_equal(hits[0].depth, hits[1].depth)
    a, b = (normals(hit, soup, camera) for hit, soup in zip(hits, soups, strict=True))
    np.testing.assert_allclose(a, b, atol=1e-6)
    if orthographic:
        assert (a[hits[0].triangle >= 0][:, 2] < -0.99).all()


def test_lens_shift_moves_the_picture(scenes: Any) -> None:
    frame = scenes.street((160, 96))
    moved = replace(frame, camera=replace(frame.camera, cx=frame.camera.cx + 12, cy=frame.camera.cy - 7))
    before, after = drawn(frame), drawn(moved)
    np.testing.assert_array_equal(after.triangle[:-7, 12:], before.triangle[7:, :-12])
    np.testing.assert_allclose(after.depth[:-7, 12:], before.depth[7:, :-12], rtol=1e-5)


def test_orthographic_depth_is_planar_and_size_does_not_shrink(scenes: Any) -> None:
    camera = replace(scenes.straight((100, 100), orthographic=True), fx=10.0, fy=10.0)
    things = [(scenes.plane(2, 2), scenes.placed((-3, 0, 3))), (scenes.plane(2, 2), scenes.placed((3, 0, 30)))]
    hits = drawn(scenes.frame(camera, *things))
    assert (hits.depth == 3).sum() == (hits.depth == 30).sum() == 400


@pytest.mark.parametrize("orthographic", [False, True])
def test_clip_planes_are_planar(scenes: Any, *, orthographic: bool) -> None:
    camera = scenes.straight(orthographic=orthographic)
    frame = scenes.frame(camera, (scenes.plane(900, 900), scenes.placed((0, 0, 8))))
    assert (drawn(replace(frame, camera=replace(camera, far=7.9))).triangle == -1).all()
    assert (drawn(replace(frame, camera=replace(camera, near=8.1))).triangle == -1).all()
    assert (drawn(replace(frame, camera=replace(camera, near=7.9, far=8.1))).triangle >= 0).all()


def test_beyond_far_does_not_uncover_and_nearer_things_stay(scenes: Any) -> None:
    camera = replace(scenes.straight(), far=10.0)
    things = [(scenes.plane(1, 1), scenes.placed((0, 0, 5))), (scenes.plane(99, 99), scenes.placed((0, 0, 20)))]
    hits = drawn(scenes.frame(camera, *things))
    assert set(np.unique(hits.depth)) == {5.0, np.inf}


def test_scenes_far_from_the_origin_keep_their_subpixels(scenes: Any) -> None:
    frame = scenes.street((160, 96))
    off = np.array((3e6, -2e6, 1e6))
    away = np.eye(4)
    away[:3, 3] = -off
    instances = []
    for one in frame.instances:
        matrix = one.matrix.copy()
        matrix[:3, 3] += off
        instances.append(replace(one, matrix=matrix))
    view = frame.camera.world_to_camera @ away
    moved = replace(frame, camera=replace(frame.camera, world_to_camera=view), instances=tuple(instances))
    before, after = drawn(frame), drawn(moved)
    same = before.triangle == after.triangle
    assert same.mean() > 0.9995
    np.testing.assert_allclose(before.depth[same], after.depth[same], rtol=1e-5)


def test_corners_billions_of_pixels_away_still_draw_their_triangle(scenes: Any) -> None:
    corners = np.array([(-1e6, -1e6, 0.11), (1e6, -1e6, 0.11), (0, 1e6, 0.11)], np.float32)
    huge = Mesh(corners, np.array([(0, 1, 2)], np.int32))
    hits = drawn(scenes.frame(scenes.straight(), (huge, np.eye(4))))
    np.testing.assert_allclose(hits.depth, 0.11, rtol=1e-6)


def test_broken_geometry_is_left_out_and_the_rest_is_drawn(scenes: Any) -> None:
    sound = scenes.plane(2, 2)
    corners = np.concatenate([sound.positions, [(np.nan, 0, 0), (np.inf, 1, 1)]]).astype(np.float32)
    holed = Mesh(corners, np.concatenate([sound.triangles, [(0, 1, 4), (1, 2, 5)]]).astype(np.int32))
    lost = scenes.placed((0, 0, 2))
    lost[0, 3] = np.nan
    camera = scenes.straight()
    nothing = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    frame = scenes.frame(
        camera,
        (sound, scenes.placed((0, 0, 2), 0.0)), (sound, scenes.placed((0, 0, 2), (1, 0, 1))),
        (sound, lost), (nothing, np.eye(4)), (holed, scenes.placed((0, 0, 5))),
    )  # fmt: skip
    soup = triangle_soup(frame)
    hits = rasterize(soup, camera)
    assert set(np.unique(instance_ids(hits, soup))) == {-1, 4}
    alone = drawn(scenes.frame(camera, (sound, scenes.placed((0, 0, 5)))))
    np.testing.assert_array_equal(hits.depth, alone.depth)


def test_a_flattened_instance_is_still_seen_from_the_front(scenes: Any) -> None:
    camera = scenes.straight()
    frame = scenes.frame(camera, (scenes.box(), scenes.placed((0, 0, 5), (1, 1, 1e-5))))
    assert np.isfinite(drawn(frame).depth).sum() > 500


def test_an_empty_scene_and_things_behind_the_camera_hit_nothing(scenes: Any) -> None:
    camera = scenes.straight()
    for frame in (scenes.frame(camera), scenes.frame(camera, (scenes.box(), scenes.placed((0, 0, -5))))):
        hits = drawn(frame)
        assert (hits.triangle == -1).all()
        assert np.isinf(hits.depth).all()


def test_equal_depth_goes_to_the_first_triangle(scenes: Any) -> None:
    sheet = scenes.plane(100, 100), scenes.placed((0, 0, 4))
    frame = scenes.frame(scenes.straight(), sheet, sheet)
    soup = triangle_soup(frame)
    assert (instance_ids(rasterize(soup, frame.camera), soup) == 0).all()


@pytest.mark.parametrize("orthographic", [False, True])
def test_embree_sees_the_same(scenes: Any, *, orthographic: bool) -> None:
    frame = scenes.street((208, 120))
    if orthographic:
        frame = replace(frame, camera=replace(frame.camera, orthographic=True, fx=28.0, fy=28.0))
    soup = triangle_soup(frame)
    hits = rasterize(soup, frame.camera)
    depth, triangle = traced(soup, frame.camera)
    agree = (hits.triangle >= 0) == (triangle >= 0)
    assert (~agree).sum() <= 3
    both = (hits.triangle >= 0) & (triangle >= 0)
    error = np.abs(hits.depth[both] / depth[both] - 1)
    assert np.quantile(error, 0.999) <= 1e-4
    assert (hits.triangle == triangle)[both].mean() > 0.998


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_embree_sees_the_same_in_any_heap_of_triangles(scenes: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = random.uniform((-4, -3, -2), (4, 3, 12), (40, 1, 3)) + random.normal(0, 2, (40, 3, 3))
    mesh = Mesh(corners.reshape(-1, 3).astype(np.float32), np.arange(120, dtype=np.int32).reshape(-1, 3))
    frame = scenes.frame(scenes.straight((96, 64)), (mesh, np.eye(4)))
    soup = triangle_soup(frame)
    hits = rasterize(soup, frame.camera)
    depth, triangle = traced(soup, frame.camera)
    same = hits.triangle == triangle
    assert (~same).sum() <= 6
    both = same & (triangle >= 0)
    assert not both.any() or np.quantile(np.abs(hits.depth[both] / depth[both] - 1), 0.99) <= 1e-4


def test_the_comparison_rejects_a_picture_shifted_by_one_pixel(scenes: Any) -> None:
    frame = scenes.street((208, 120))
    soup = triangle_soup(frame)
    moved = rasterize(soup, replace(frame.camera, cx=frame.camera.cx + 1))
    _, triangle = traced(soup, frame.camera)
    assert ((moved.triangle >= 0) != (triangle >= 0)).sum() > 20
    assert math.isclose(frame.camera.cx, 104)


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_leaving_out_what_is_hidden_changes_nothing(
    scenes: Any, monkeypatch: pytest.MonkeyPatch, seed: int, *, orthographic: bool
) -> None:
    random = np.random.default_rng(seed)
    camera = scenes.straight((150, 90), orthographic=orthographic)
    if orthographic:
        camera = replace(camera, fx=16.0, fy=16.0)
    places = random.uniform((-6, -4, -1), (6, 4, 40), (400, 3))
    things = [(scenes.box(), scenes.placed(tuple(at), tuple(random.uniform(0.2, 5, 3)))) for at in places.tolist()]
    soup = triangle_soup(scenes.frame(camera, *things, *things[:9]))
    drawn_pixels: list[int] = []
    fill = raster._fill

    def counting(key: Any, spans: Any, camera: Camera) -> None:
        drawn_pixels.append(int(spans.width.sum()))
        fill(key, spans, camera)

    monkeypatch.setattr(raster, "_fill", counting)
    found: list[tuple[Hits, int]] = []
    for overdraw in (0, 10**9):
        monkeypatch.setattr(raster, "OVERDRAW", overdraw)
        drawn_pixels.clear()
        found.append((rasterize(soup, camera), sum(drawn_pixels)))
    (culled, few), (plain, many) = found
    np.testing.assert_array_equal(culled.triangle, plain.triangle)
    np.testing.assert_array_equal(culled.depth, plain.depth)
    assert few < 0.7 * many


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 70), height=st.integers(1, 70))
def test_a_pyramid_hides_only_what_is_behind_every_pixel(seed: int, width: int, height: int) -> None:
    random = np.random.default_rng(seed)
    bits = random.integers(100, 1000, (height, width)).astype(np.uint32)
    corners = random.integers(0, (width, height), (40, 2, 2)).astype(np.int32)
    (left, top), (right, bottom) = corners.min(axis=1).T, corners.max(axis=1).T
    nearest = random.integers(500, 1200, 40).astype(np.uint32)
    hidden = Pyramid(bits).hides(left, right, top, bottom, nearest)
    for box in zip(left, right, top, bottom, nearest, hidden, strict=True):
        farthest = bits[box[2] : box[3] + 1, box[0] : box[1] + 1].max()
        assert not box[5] or box[4] > farthest
    assert Pyramid(bits).hides(left, right, top, bottom, np.full(40, 1001, np.uint32)).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 150), height=st.integers(1, 9))
def test_rows_hide_only_what_is_behind_every_pixel_of_a_run(seed: int, width: int, height: int) -> None:
    random = np.random.default_rng(seed)
    bits = random.integers(100, 1000, (height, width)).astype(np.uint32)
    row = random.integers(0, height, 40).astype(np.int32)
    left, last = np.sort(random.integers(0, width, (2, 40)).astype(np.int32), axis=0)
    nearest = random.integers(500, 1200, 40).astype(np.uint32)
    hidden = Rows(bits).hides(row, left, last - left + 1, nearest)
    for y, first, end, depth, is_hidden in zip(row, left, last, nearest, hidden, strict=True):
        assert not is_hidden or depth > bits[y, first : end + 1].max()
    assert Rows(bits).hides(row, left, last - left + 1, np.full(40, 1001, np.uint32)).all()
