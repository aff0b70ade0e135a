# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera files, read the way each format's own loader reads them, project points where the shot's camera does.

The readers here are written from the loaders' descriptions (reference, section 8.2, and the functions named at each),
not from our writers; COLMAP's is pycolmap itself.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.cameras.camera_files import FORMATS, quaternion, write_cameras
from second_unit.addon.conditioning.cameras.camera_track import CameraTrack
from second_unit.addon.shot.camera import Camera

F64 = npt.NDArray[np.float64]
Files = Mapping[str, bytes]
SIZES = [(832, 480), (1280, 720), (720, 1280)]
TOLERANCE_PX = 0.01
NO_LENS = ("motionctrl", "recammaster")


@dataclass(frozen=True)
class Read:
    """What a reader makes of the files: pixels and metres, and whether the first camera is its world."""

    lenses: F64 | None
    poses: F64
    is_relative: bool


# ------------------------------------------------------------------------------------------------- the readers
def read_camera_ctrl(text: bytes, size: tuple[int, int], made_at: tuple[int, int]) -> Read:
    """CameraCtrl's inference.py and VideoX-Fun's process_pose_file: ``made_at`` is --original_pose_width/height."""
    width, height = size
    entries = np.array([[float(word) for word in line.split(" ")] for line in text.decode().splitlines()[1:]])
    fx, fy, cx, cy = entries[:, 1:5].T
    aspect = made_at[0] / made_at[1]
    if aspect > width / height:
        fx = height * aspect * fx / width
    else:
        fy = width / aspect * fy / height
    w2c = np.tile(np.eye(4), (len(entries), 1, 1))
    w2c[:, :3] = entries[:, 7:].reshape(-1, 3, 4)
    relative = w2c[0] @ np.linalg.inv(w2c)
    return Read(np.stack([fx * width, fy * height, cx * width, cy * height], axis=1), np.linalg.inv(relative), True)


def read_realestate10k(files: Files, size: tuple[int, int]) -> Read:
    return read_camera_ctrl(files["camera/realestate10k.txt"], size, size)


def read_videox_fun(files: Files, size: tuple[int, int]) -> Read:
    return read_camera_ctrl(files["camera/videox_fun.txt"], size, (1280, 720))


def read_motionctrl(files: Files, _: tuple[int, int]) -> Read:
    """load_camera_pose, then to_relative_RT2 around frame 0, which must change nothing."""
    rows = np.array(json.loads(files["camera/motionctrl.json"])).reshape(-1, 3, 4)
    turn = rows[:, :, :3] @ rows[0, :, :3].T
    shift = rows[:, :, 3:] - turn @ rows[0, :, 3:]
    assert np.concatenate([turn, shift], axis=2) == pytest.approx(rows, abs=1e-9)
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3] = rows
    return Read(None, poses, True)


def read_recammaster(files: Files, _: tuple[int, int], step: int = 1) -> Read:
    """TextVideoCameraDataset.__getitem__; the model itself takes every 4th frame."""
    found = json.loads(files["camera/recammaster/camera_extrinsics.json"])
    words = [found[f"frame{index}"]["cam01"].strip().split("] [") for index in range(0, len(found), step)]
    rows = [[[float(w) for w in r.replace("[", "").replace("]", "").split()] for r in row] for row in words]
    c2w = np.array(rows).transpose(0, 2, 1)[:, :, [1, 2, 0, 3]]
    c2w[:, :3, 1] *= -1
    c2w[:, :3, 3] /= 100
    return Read(None, np.linalg.inv(np.linalg.inv(c2w[0]) @ c2w), True)


def read_uni3c(files: Files, size: tuple[int, int]) -> Read:
    """load_dataset: one intrinsic for all frames, scaled from the file's size to the model's, here the same."""
    info = json.loads(files["camera/uni3c/cam_info.json"])
    K, (width, height) = np.array(info["intrinsic"]), size
    K[0] *= width / info["width"]
    K[1] *= height / info["height"]
    poses = np.array(info["extrinsic"])
    lens = np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2]])
    return Read(np.tile(lens, (len(poses), 1)), poses, False)


def read_nerfstudio(files: Files, size: tuple[int, int]) -> Read:
    """The dataparser: frames by file name, a key at the top before the frame's own, y up and z back."""
    whole = json.loads(files["camera/transforms.json"])
    assert (whole["w"], whole["h"]) == size
    frames = sorted(whole["frames"], key=lambda frame: Path(frame["file_path"]))
    lenses = [[whole.get(key, frame.get(key)) for key in ("fl_x", "fl_y", "cx", "cy")] for frame in frames]
    c2w = np.array([frame["transform_matrix"] for frame in frames])
    c2w[:, :3, 1:3] *= -1
    return Read(np.array(lenses, np.float64), np.linalg.inv(c2w), False)


READERS: dict[str, Callable[[Files, tuple[int, int]], Read]] = {
    "realestate10k": read_realestate10k,
    "videox-fun": read_videox_fun,
    "motionctrl": read_motionctrl,
    "recammaster": read_recammaster,
    "uni3c": read_uni3c,
    "nerfstudio": read_nerfstudio,
}


def projected(read: Read, track: CameraTrack, index: int, points: F64) -> F64:
    """World points (n, 3) in scene units through the camera that was read; the shot's own lens where it has none."""
    metres = points * track.metres_per_unit
    first = track.cameras[0].world_to_camera
    if read.is_relative:
        metres = (points @ first[:3, :3].T + first[:3, 3]) * track.metres_per_unit
    x, y, z = (metres @ read.poses[index, :3, :3].T + read.poses[index, :3, 3]).T
    fx, fy, cx, cy = (track.lenses() if read.lenses is None else read.lenses)[index]
    return np.stack([fx * x / z + cx, fy * y / z + cy], axis=1)


def colmap_projected(files: Files, index: int, points: F64) -> F64:
    pycolmap = pytest.importorskip("pycolmap")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("cameras.txt", "images.txt", "points3D.txt"):
            Path(folder, name).write_bytes(files[f"camera/colmap/{name}"])
        model = pycolmap.Reconstruction(folder)
    image = sorted(model.images.values(), key=lambda image: image.name)[index]
    found = [image.project_point(point) for point in points]
    return np.array([(math.inf, math.inf) if pixel is None else pixel for pixel in found])  # None is behind the camera


def worst(name: str, files: Files, track: CameraTrack) -> float:
    """The largest error in pixels of points all over every frame, near and far."""
    errors: list[float] = []
    for index, camera in enumerate(track.cameras):
        points = in_view(camera)
        if name == "colmap":
            found = colmap_projected(files, index, points * track.metres_per_unit)
        else:
            found = projected(READERS[name](files, track.size), track, index, points)
        errors.append(float(np.abs(found - camera.project(points)[:, :2]).max()))
    return max(errors)


def in_view(camera: Camera) -> F64:
    """World points seen at random places of the picture, 0.5 to 60 units away."""
    rng = np.random.default_rng(7)
    u, v = rng.uniform(0, (camera.width, camera.height), (12, 2)).T
    z = rng.uniform(0.5, 60, 12)
    local = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z, np.ones(12)], axis=1)
    return (local @ np.linalg.inv(camera.world_to_camera).T)[:, :3]


# ------------------------------------------------------------------------------------------------- the cameras
def pose(turn: tuple[float, float, float], place: tuple[float, float, float]) -> F64:
    """World to camera as Blender gives it: Euler angles, a float32 matrix, inverted in 64 bits."""
    (a, b, c), world = turn, np.eye(4)
    rx = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    ry = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    rz = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    world[:3, :3], world[:3, 3] = rz @ ry @ rx, place
    return np.diag([1.0, -1.0, -1.0, 1.0]) @ np.linalg.inv(world.astype(np.float32).astype(np.float64))


def camera(size: tuple[int, int], *, focal: float = 1.2, squeeze: float = 1.0, shift: tuple[float, float] = (0, 0),
           world_to_camera: F64 | None = None) -> Camera:  # fmt: skip
    width, height = size
    matrix = pose((1.3, 0.1, 0.4), (2, -7, 1.6)) if world_to_camera is None else world_to_camera
    fx, cx, cy = width * focal, width * (0.5 - shift[0]), height * (0.5 + shift[1])
    return Camera(width, height, fx, fx * squeeze, cx, cy, 0.1, 1000.0, matrix)


def track(*cameras: Camera, metres_per_unit: float = 1.0) -> CameraTrack:
    pictures = tuple(f"playblast/{1001 + index:04d}.png" for index in range(len(cameras)))
    return CameraTrack(cameras, pictures, Fraction(24000, 1001), metres_per_unit)


ANGLES = st.tuples(*[st.floats(-math.pi, math.pi)] * 3)
SHIFTS = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))


@st.composite
def tracks(draw: st.DrawFn, is_zooming: bool = True) -> CameraTrack:
    """Shots of 1 to 4 frames, turning and travelling, up to 100,000 units from the origin."""
    size, unit = draw(st.sampled_from(SIZES)), draw(st.sampled_from([1.0, 0.01, 0.3048, 2.5]))
    home = draw(st.tuples(*[st.floats(-1, 1)] * 3))
    reach = draw(st.sampled_from([1.0, 100.0, 100_000.0]))
    focal, squeeze, shift = draw(st.floats(0.5, 4)), draw(st.floats(0.5, 2)), draw(SHIFTS)
    cameras: list[Camera] = []
    for _ in range(draw(st.integers(1, 4))):
        x, y, z = (reach * at + step for at, step in zip(home, draw(st.tuples(*[st.floats(-20, 20)] * 3)), strict=True))
        if is_zooming:
            focal, shift = draw(st.floats(0.5, 4)), draw(SHIFTS)
        matrix = pose(draw(ANGLES), (x, y, z))
        cameras.append(camera(size, focal=focal, squeeze=squeeze, shift=shift, world_to_camera=matrix))
    return track(*cameras, metres_per_unit=unit)


MOVE = (pose((1.3, 0.1, 0.4), (2, -7, 1.6)), pose((1.1, 0.2, 0.9), (3, -6, 2.0)), pose((1.0, 0.1, 1.4), (4, -5, 2.2)))


def move(size: tuple[int, int], *, shift: tuple[float, float] = (0.1, 0.05)) -> CameraTrack:
    return track(*(camera(size, shift=shift, squeeze=0.9, world_to_camera=matrix) for matrix in MOVE))


def changed(shot: CameraTrack, change: Callable[[Camera], Camera]) -> CameraTrack:
    return replace(shot, cameras=tuple(change(camera) for camera in shot.cameras))


# ------------------------------------------------------------------------------------------------- acceptance
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "uni3c"])
@given(shot=tracks())
def test_the_files_reproduce_every_camera(name: str, shot: CameraTrack) -> None:
    assert worst(name, write_cameras(name, shot).files, shot) <= TOLERANCE_PX


@given(shot=tracks(is_zooming=False))
def test_uni3c_reproduces_a_lens_that_stays(shot: CameraTrack) -> None:
    written = write_cameras("uni3c", shot)
    assert worst("uni3c", written.files, shot) <= TOLERANCE_PX
    assert not any("one lens" in note for note in written.notes)


@given(ANGLES)
def test_a_quaternion_turns_as_its_matrix_does(turn: tuple[float, float, float]) -> None:
    matrix = track(camera(SIZES[0], world_to_camera=pose(turn, (0, 0, 0)))).poses()[0, :3, :3]
    w, *rest = quaternion(matrix)
    axis, v = np.array(rest), np.array([0.3, -0.7, 0.2])
    assert w >= 0
    assert v + 2 * np.cross(axis, np.cross(axis, v) + w * v) == pytest.approx(matrix @ v, abs=1e-12)


@pytest.mark.parametrize("axis", range(3))
def test_a_half_turn_has_a_quaternion_too(axis: int) -> None:
    """w is 0 there, and so is all that the usual formula divides by."""
    matrix = -np.eye(3)
    matrix[axis, axis] = 1
    assert np.abs(quaternion(matrix)) == pytest.approx(np.eye(4)[axis + 1])


# ---------------------------------------------------------------------------------- what the check must reject
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FORMATS)
def test_the_check_rejects_an_inverted_matrix(name: str, size: tuple[int, int]) -> None:
    shot = move(size)
    assert worst(name, write_cameras(name, shot).files, shot) <= TOLERANCE_PX
    wrong = changed(shot, lambda c: replace(c, world_to_camera=np.linalg.inv(c.world_to_camera)))
    assert worst(name, write_cameras(name, wrong).files, shot) > 1


@pytest.mark.parametrize("flip", [(1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0)])
@pytest.mark.parametrize("name", FORMATS)
def test_the_check_rejects_flipped_axes(name: str, flip: tuple[float, float, float]) -> None:
    shot = move(SIZES[0])
    axes = np.diag([*flip, 1.0])
    wrong = changed(shot, lambda c: replace(c, world_to_camera=axes @ c.world_to_camera))
    assert worst(name, write_cameras(name, wrong).files, shot) > 1


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in NO_LENS])
@pytest.mark.parametrize("shift", [(0.1, 0.0), (0.0, 0.1)])
def test_the_check_rejects_a_shift_of_the_wrong_sign(name: str, shift: tuple[float, float]) -> None:
    shot = move(SIZES[0], shift=shift)
    wrong = changed(shot, lambda c: replace(c, cx=c.width - c.cx, cy=c.height - c.cy))
    assert worst(name, write_cameras(name, wrong).files, shot) > 1


@pytest.mark.parametrize(("size", "wrong_by"), [((832, 480), 1.0), ((720, 1280), 100.0), ((1280, 544), 1.0)])
def test_the_check_rejects_an_uncompensated_aspect(size: tuple[int, int], wrong_by: float) -> None:
    shot = move(size)
    text = write_cameras("realestate10k", shot).files["camera/realestate10k.txt"]
    assert worst("videox-fun", write_cameras("videox-fun", shot).files, shot) <= TOLERANCE_PX
    assert worst("videox-fun", {"camera/videox_fun.txt": text}, shot) > wrong_by


def test_an_uncompensated_aspect_is_10_7_px_at_the_border_of_832x480() -> None:
    """The focal length is 2.56 % too long there: 416 px from the middle become 426.67."""
    shot = track(camera((832, 480), world_to_camera=np.eye(4)))
    text = write_cameras("realestate10k", shot).files["camera/realestate10k.txt"]
    read = read_camera_ctrl(text, (832, 480), (1280, 720))
    border = np.array([[416 / shot.cameras[0].fx, 0.0, 1.0]])
    assert projected(read, shot, 0, border)[0, 0] == pytest.approx(832 + 416 * (1280 / 720 * 480 / 832 - 1))


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in NO_LENS])
def test_the_check_rejects_pixel_centres_at_integers(name: str) -> None:
    shot = move(SIZES[0])
    wrong = changed(shot, lambda c: replace(c, cx=c.cx - 0.5, cy=c.cy - 0.5))
    assert worst(name, write_cameras(name, wrong).files, shot) == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("name", FORMATS)
def test_the_check_rejects_scene_units_for_metres(name: str) -> None:
    shot = replace(move(SIZES[0]), metres_per_unit=0.01)
    assert worst(name, write_cameras(name, shot).files, shot) <= TOLERANCE_PX
    assert worst(name, write_cameras(name, move(SIZES[0])).files, shot) > 1


def test_the_check_rejects_a_quaternion_that_ends_with_w() -> None:
    shot, name = move(SIZES[0]), "camera/colmap/images.txt"
    files = dict(write_cameras("colmap", shot).files)
    lines = [line.split(" ") for line in files[name].decode().splitlines()]
    for line in lines[1::2]:
        line[1:5] = [*line[2:5], line[1]]
    files[name] = "\n".join(" ".join(line) for line in lines).encode() + b"\n"
    assert worst("colmap", files, shot) > 1


def test_the_check_rejects_opencv_axes_in_nerfstudio() -> None:
    shot, name = move(SIZES[0]), "camera/transforms.json"
    whole = json.loads(write_cameras("nerfstudio", shot).files[name])
    for frame in whole["frames"]:
        frame["transform_matrix"] = (np.array(frame["transform_matrix"]) @ np.diag([1, -1, -1, 1])).tolist()
    assert worst("nerfstudio", {name: json.dumps(whole).encode()}, shot) > 1


def test_the_check_rejects_rows_of_a_right_handed_camera_in_recammaster() -> None:
    """Forward, left, up instead of Unreal's forward, right, up: the reader sees a mirror image."""
    shot, name = move(SIZES[0]), "camera/recammaster/camera_extrinsics.json"
    found = json.loads(write_cameras("recammaster", shot).files[name])
    for frame in found.values():
        forward, right, up, place = frame["cam01"].strip().split("] [")
        left = " ".join(str(-float(word)) for word in right.split())
        frame["cam01"] = f"{forward}] [{left}] [{up}] [{place} "
    assert worst("recammaster", {name: json.dumps(found).encode()}, shot) > 1


def test_uni3c_says_that_a_zoom_is_lost_and_keeps_the_first_lens() -> None:
    shot = track(camera(SIZES[0], focal=0.8), camera(SIZES[0], focal=2.0))
    written = write_cameras("uni3c", shot)
    assert any("one lens" in note for note in written.notes)
    assert read_uni3c(written.files, SIZES[0]).lenses == pytest.approx(np.tile(shot.lenses()[0], (2, 1)))


def test_recammaster_finds_its_21_frames_in_81() -> None:
    files = write_cameras("recammaster", track(*[camera(SIZES[0])] * 81)).files
    assert len(read_recammaster(files, SIZES[0], step=4).poses) == 21
