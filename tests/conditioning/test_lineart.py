# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines: where they are, on which side, and that they are white on black, binary and one pixel wide."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.drawing.frame import Surfaces, find_surfaces
from second_unit.addon.conditioning.drawing.lineart import hard, soft
from second_unit.addon.conditioning.drawing.raster import Hits
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Mesh

Picture = npt.NDArray[Any]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
SIZE = (320, 200)


def lines(frame: FrameGeometry) -> Picture:
    return hard(find_surfaces(frame), frame.camera)


def rim(mask: Picture) -> Picture:
    """Pixels of a thing that have another neighbour, by OpenCV: the border of the picture is none."""
    inside = cv2.erode(mask.astype(np.uint8), CROSS, borderType=cv2.BORDER_REPLICATE)
    return mask & ~inside.astype(bool)


def turned(degrees: float) -> Any:
    """A turn about the axis of a camera that looks along z."""
    a = math.radians(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = (math.cos(a), -math.sin(a)), (math.sin(a), math.cos(a))
    return matrix


def card(scenes: Any, degrees: float, camera: Camera | None = None) -> FrameGeometry:
    """A card before a wall, both facing the camera."""
    camera = camera or scenes.straight(SIZE)
    wall = scenes.plane(100, 100), scenes.placed((0, 0, 9))
    return scenes.frame(camera, wall, (scenes.plane(1.2, 1.0), scenes.placed((0.1, 0, 4)) @ turned(degrees)))


@pytest.mark.parametrize("degrees", range(0, 180, 15))
def test_an_outline_is_the_innermost_pixel_of_the_thing_in_front_at_any_angle(scenes: Any, degrees: int) -> None:
    found = find_surfaces(card(scenes, degrees))
    expected = rim(found.ids == 1)
    drawn = hard(found, scenes.straight(SIZE))
    np.testing.assert_array_equal(drawn > 0, expected)
    # the plausible others: neighbours to the left and above only, two pixels, and the wall's side
    mask = found.ids == 1
    mixed = np.zeros_like(mask)
    mixed[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    mixed[1:] |= mask[1:] != mask[:-1]
    double = expected | rim(~mask)
    for wrong in (mixed, double, rim(~mask), ~expected, cv2.dilate(expected.astype(np.uint8), CROSS) > 0):
        assert (wrong != expected).any()


def test_lines_are_white_on_black_binary_and_three_equal_channels_are_the_packages_business(scenes: Any) -> None:
    frame = scenes.street(SIZE)
    drawn = lines(frame)
    assert drawn.shape == SIZE[::-1]
    assert np.unique(drawn).tolist() == [0, 255]
    assert 0.01 < (drawn > 0).mean() < 0.12, "white on black, not black on white"
    blended = cv2.GaussianBlur(drawn, (3, 3), 0)
    assert len(np.unique(blended)) > 2


def test_no_line_of_a_set_is_two_pixels_wide(scenes: Any) -> None:
    drawn = lines(card(scenes, 20)) > 0
    assert not (drawn[1:, 1:] & drawn[:-1, 1:] & drawn[1:, :-1] & drawn[:-1, :-1]).any()


def box_corner(scenes: Any) -> FrameGeometry:
    return scenes.frame(scenes.camera((1.6, -2.6, 1.9), (0, 0, 0), SIZE), (scenes.box(), scenes.placed()))


def test_creases_of_a_box_are_single_lines(scenes: Any) -> None:
    frame = box_corner(scenes)
    found = find_surfaces(frame)
    drawn = hard(found, frame.camera) > 0
    faces = np.unique(np.round(found.normal[found.ids == 0], 3), axis=0)
    assert len(faces) == 3
    owners = []
    masks = [(np.abs(found.normal - face) < 0.01).all(axis=-1) & (found.ids == 0) for face in faces]
    for i in range(3):
        for j in range(i):
            beside = [
                m & (cv2.dilate(n.astype(np.uint8), CROSS) > 0) for m, n in ((masks[i], masks[j]), (masks[j], masks[i]))
            ]
            # far from the corners, where other lines begin
            core = [
                side & ~(cv2.dilate(rim(found.ids == 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
                for side in beside
            ]
            shares = [float(drawn[side].mean()) for side in core]
            owners.append(shares)
    for shares in owners:
        assert max(shares) == 1.0, "a crease has no gap"
        assert min(shares) < 0.2, "and lies on one side only"


def stairs() -> Mesh:
    """One mesh of two upright faces, one a metre behind the other, with nothing between."""
    corners = [(-2, -2, 5), (0, -2, 5), (0, 2, 5), (-2, 2, 5), (-1, -2, 6), (3, -2, 6), (3, 2, 6), (-1, 2, 6)]
    return Mesh(np.array(corners, np.float32), np.array([(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)], np.int32))


@pytest.mark.parametrize("orthographic", [False, True])
def test_a_step_between_parallel_faces_of_one_object_is_a_line_on_the_nearer_one(
    scenes: Any, orthographic: bool
) -> None:
    camera = scenes.straight(SIZE)
    if orthographic:
        camera = replace(camera, fx=40.0, fy=40.0, orthographic=True)
    found = find_surfaces(scenes.frame(camera, (stairs(), np.eye(4))))
    row = hard(found, camera)[100]
    near, far = found.hits.depth[100] == 5, found.hits.depth[100] == 6
    edge = np.flatnonzero(near).max()
    assert far[edge + 1]
    assert row[edge] == 255
    assert not row[edge + 1]
    assert (row[20 : edge - 1] == 0).sum() > 30
    shallow = stairs()
    shallow.positions[4:, 2] = 5.004
    assert not lines(scenes.frame(camera, (shallow, np.eye(4))))[100, edge - 2 : edge + 2].any(), (
        "less than a pixel deep"
    )


def test_planes_are_not_taken_for_steps_however_steep(scenes: Any) -> None:
    ground = scenes.plane(400, 400)
    for height in (0.02, 0.3, 1.7, 30):
        camera = scenes.camera((0, -150, height), (0, 0, height), SIZE)
        found = find_surfaces(scenes.frame(camera, (ground, scenes.placed())))
        drawn = hard(found, camera) > 0
        np.testing.assert_array_equal(drawn, rim(found.ids == 0))


def test_a_fine_mesh_has_an_outline_and_nothing_within(scenes: Any) -> None:
    camera = scenes.straight(SIZE)
    for at in ((0, 0, 3.0), (1.5, 0.5, 4.0)):
        found = find_surfaces(scenes.frame(camera, (scenes.sphere(96, 192), scenes.placed(at))))
        np.testing.assert_array_equal(hard(found, camera) > 0, rim(found.ids == 0))


def shaded(found: Surfaces, at: tuple[float, float, float], camera: Camera) -> Surfaces:
    """The same surfaces with the normals of a perfect ball."""
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    z = np.where(found.ids >= 0, found.hits.depth, 0)
    point = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], axis=-1) - at
    normal = point / np.linalg.norm(point, axis=-1, keepdims=True)
    return replace(found, normal=np.where((found.ids >= 0)[..., None], normal, 0).astype(np.float32))


def test_facets_have_lines_and_the_same_facets_shaded_smooth_have_none(scenes: Any) -> None:
    camera, at = scenes.straight(SIZE), (0.21, 0.13, 3.0)
    found = find_surfaces(scenes.frame(camera, (scenes.sphere(5, 8), scenes.placed(at))))
    flat, smooth = hard(found, camera) > 0, hard(shaded(found, at, camera), camera) > 0
    outline = rim(found.ids == 0)
    assert (flat & ~outline).sum() > 100
    np.testing.assert_array_equal(smooth, outline)


def test_lines_do_not_depend_on_how_faces_are_cut_into_triangles(scenes: Any) -> None:
    frame = scenes.street(SIZE)
    found = find_surfaces(frame)
    blind = replace(found, hits=Hits(found.hits.depth, found.ids))
    np.testing.assert_array_equal(hard(found, frame.camera), hard(blind, frame.camera))


def test_nothing_has_no_lines_and_tiny_pictures_work(scenes: Any) -> None:
    for size in ((1, 1), (1, 5), (5, 1), (2, 2), (3, 2)):
        camera = scenes.straight(size)
        empty = scenes.frame(camera)
        full = scenes.frame(camera, (scenes.plane(100, 100), scenes.placed((0, 0, 4))))
        for frame in (empty, full):
            found = find_surfaces(frame)
            assert not hard(found, camera).any()
            assert not soft(found, camera).any()


def test_soft_lines_are_smooth_grey_centred_and_as_bright_in_every_direction(scenes: Any) -> None:
    peaks = []
    for degrees in (0, 20, 45, 70, 90):
        frame = card(scenes, degrees)
        found = find_surfaces(frame)
        picture = soft(found, frame.camera)
        assert len(np.unique(picture)) > 20, "grey, not binary"
        assert (picture > 0).mean() < 0.1
        rims = rim(found.ids == 1), rim(found.ids == 0)
        corners = cv2.dilate(cv2.cornerHarris((found.ids == 1).astype(np.float32), 5, 3, 0.04), np.ones((25, 25)))
        straight = corners < 0.3 * corners.max()
        both = [picture[side & straight].astype(float).mean() for side in rims]
        assert both[0] == pytest.approx(both[1], rel=0.12), "half on each side"
        peaks.append(max(both))
        hardly = (hard(found, frame.camera) > 0).astype(np.uint8)
        far = cv2.distanceTransform(1 - hardly, cv2.DIST_L2, 5) > 5
        assert not picture[far].any()
    assert min(peaks) > 190
    assert max(peaks) / min(peaks) < 1.25


def test_soft_creases_fade_with_their_angle(scenes: Any) -> None:
    strengths = []
    for bend in (10, 25, 45, 80):
        a = math.radians(bend / 2)
        x, z = 2 * math.cos(a), 4 + 2 * math.sin(a)
        corners = [(0, -3, 4), (0, 3, 4), (-x, -3, z), (-x, 3, z), (x, -3, z), (x, 3, z)]
        roof = Mesh(np.array(corners, np.float32), np.array([(0, 1, 2), (1, 3, 2), (0, 4, 1), (1, 4, 5)], np.int32))
        camera = scenes.straight(SIZE)
        strengths.append(int(soft(find_surfaces(scenes.frame(camera, (roof, np.eye(4)))), camera)[100, 80:240].max()))
    assert strengths[0] == 0
    assert 10 < strengths[1] < strengths[2] < strengths[3]
    assert strengths[3] > 240
