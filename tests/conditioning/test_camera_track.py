# SPDX-License-Identifier: GPL-3.0-or-later
"""camera.json holds everything and comes back as it was; a shot that no picture can be taken of is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import camera_json
from second_unit.addon.conditioning.cameras.camera_track import CameraTrack, camera_document, camera_from_json
from second_unit.addon.errors import DocumentError, SceneError, UsageError
from second_unit.addon.shot.camera import Camera, Lens

CAMERA = Camera(1280, 720, 1600.0, 800.0, 640.0, 400.0, 0.1, 50.0, np.eye(4), lens=Lens(50.0, 36.0, 2.0, 3.5))
FLAT = replace(CAMERA, orthographic=True, lens=Lens(50.0, 36.0))


def same(found: Camera, wanted: Camera) -> bool:
    return np.array_equal(found.world_to_camera, wanted.world_to_camera) and (
        replace(found, world_to_camera=np.eye(4)).lens == wanted.lens and camera_json(found) == camera_json(wanted)
    )


def document(*cameras: Camera) -> dict[str, Any]:
    names = [{"frame": 1001 + index, "scene": str(index)} for index in range(len(cameras))]
    stored = [camera_json(camera) for camera in cameras]
    return camera_document(stored, fps=Fraction(24000, 1001), metres_per_unit=0.5, names=names)


@pytest.mark.parametrize("camera", [CAMERA, FLAT, replace(CAMERA, lens=None)])
def test_a_camera_comes_back_from_json_as_it_was(camera: Camera) -> None:
    assert same(camera_from_json(json.loads(json.dumps(camera_json(camera)))), camera)
    assert same(camera_from_json(json.loads(json.dumps(document(camera)))["frames"][0]), camera)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fx", "wide"), ("size", [1280]), ("world_to_camera", [[1, 0], [0, 1]]), ("world_to_camera", "eye"),
        ("world_to_camera", [[1, 0, 0, 0]] * 3 + [[1, 0, 0]]), ("lens", {"focal_mm": 50}), ("lens", 50),
        ("lens", {"focal_mm": 50, "sensor_mm": 36, "f_stop": "open"}), ("orthographic", 1), ("near", None),
    ],
)  # fmt: skip
def test_a_damaged_camera_is_named(key: str, value: object) -> None:
    with pytest.raises(DocumentError, match=r"shot\.json"):
        camera_from_json({**camera_json(CAMERA), key: value}, "shot.json")


def test_the_document_says_its_conventions_and_the_film_back() -> None:
    found = document(CAMERA, FLAT)
    assert {key: found[key] for key in ("schema", "axes", "matrix", "pixel_centre", "fps", "metres_per_unit")} == {
        "schema": "second_unit.camera/1", "axes": "opencv", "matrix": "world_to_camera", "pixel_centre": 0.5,
        "fps": [24000, 1001], "metres_per_unit": 0.5,
    }  # fmt: skip
    first, second = found["frames"]
    assert (first["frame"], first["scene"], second["frame"]) == (1001, "0", 1002)
    assert first["pixel_aspect"] == 0.5
    assert first["lens"] == {
        "focal_mm": 50.0, "sensor_mm": 36.0, "f_stop": 2.0, "focus_m": 3.5,
        "film_back_mm": [40.0, 45.0], "aperture_mm": 25.0,
    }  # fmt: skip
    assert (second["lens"]["film_back_mm"], second["lens"]["aperture_mm"]) == (None, None)


def test_a_document_needs_a_name_for_every_camera() -> None:
    with pytest.raises(ValueError, match="zip"):
        camera_document([camera_json(CAMERA)], fps=Fraction(24), metres_per_unit=1.0, names=[])


def track(*cameras: Camera) -> CameraTrack:
    return CameraTrack(cameras, tuple(f"depth/{index}.png" for index in range(len(cameras))), Fraction(24))


def test_a_shot_without_frames_or_with_two_sizes_is_refused() -> None:
    with pytest.raises(UsageError, match="no cameras"):
        track()
    with pytest.raises(UsageError, match="differ in size"):
        track(CAMERA, replace(CAMERA, width=832))
    with pytest.raises(ValueError, match="1 pictures for 2 cameras"):
        CameraTrack((CAMERA, CAMERA), ("depth/0.png",), Fraction(24))


@pytest.mark.parametrize(
    "camera",
    [
        replace(CAMERA, fx=float("nan")), replace(CAMERA, cy=float("inf")), replace(CAMERA, fy=0.0),
        replace(CAMERA, world_to_camera=np.full((4, 4), np.nan)),
    ],
)  # fmt: skip
def test_a_camera_that_is_no_number_is_named_by_its_picture(camera: Camera) -> None:
    with pytest.raises(SceneError, match=r"depth/1\.png"):
        track(CAMERA, camera)


def test_poses_are_true_rotations_around_the_same_place() -> None:
    """A matrix that is a rotation to 1e-6 only, 10 km away: the place stays to a micrometre."""
    matrix = np.eye(4)
    matrix[:3, :3] += np.random.default_rng(1).normal(0, 1e-6, (3, 3))
    matrix[:3, 3] = -matrix[:3, :3] @ (6000.0, -8000.0, 20.0)
    (found,) = track(replace(CAMERA, world_to_camera=matrix)).poses()
    assert found[:3, :3] @ found[:3, :3].T == pytest.approx(np.eye(3), abs=1e-14)
    assert -found[:3, :3].T @ found[:3, 3] == pytest.approx(np.array([6000.0, -8000.0, 20.0]), abs=1e-6)


def test_poses_are_metres() -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = (1, 2, 3)
    shot = replace(track(replace(CAMERA, world_to_camera=matrix)), metres_per_unit=0.01)
    assert shot.poses()[0, :3, 3] == pytest.approx([0.01, 0.02, 0.03])
