# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera files by hand: the numbers of one simple shot in every format, and what each format says it cannot hold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from second_unit.addon.conditioning.cameras.camera_files import FORMATS, write_cameras
from second_unit.addon.conditioning.cameras.camera_track import CameraTrack
from second_unit.addon.errors import UsageError
from second_unit.addon.shot.camera import Camera

NO_LENS = ("motionctrl", "recammaster")
PLAIN = Camera(832, 480, 1000.0, 1000.0, 416.0, 240.0, 0.1, 100.0, np.eye(4))


def track(*cameras: Camera, metres_per_unit: float = 1.0) -> CameraTrack:
    pictures = tuple(f"playblast/{1001 + index:04d}.png" for index in range(len(cameras)))
    return CameraTrack(cameras, pictures, Fraction(24000, 1001), metres_per_unit)


def changed(shot: CameraTrack, change: Callable[[Camera], Camera]) -> CameraTrack:
    return replace(shot, cameras=tuple(change(camera) for camera in shot.cameras))


def by_hand(metres_per_unit: float = 1.0) -> CameraTrack:
    """Two frames, 5 units behind the origin, looking along +y with z up; the second one unit to the right."""
    ahead = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 5], [0, 0, 0, 1.0]])
    aside = ahead + np.array([[0, 0, 0, -1.0], [0] * 4, [0] * 4, [0] * 4])
    pair = (Camera(832, 480, 640.0, 600.0, 400.0, 250.0, 0.1, 100.0, matrix) for matrix in (ahead, aside))
    return track(*pair, metres_per_unit=metres_per_unit)


def numbers(line: str) -> list[float]:
    return [float(word) for word in line.split(" ")]


def test_realestate10k_by_hand() -> None:
    first, second = (
        write_cameras("realestate10k", by_hand(2.0)).files["camera/realestate10k.txt"].decode().splitlines()[1:]
    )
    assert numbers(first) == pytest.approx(
        [0, 640 / 832, 600 / 480, 400 / 832, 250 / 480, 0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 10]
    )
    assert numbers(second)[0] == 41708  # microseconds of one frame at 23.976
    assert numbers(second)[10] == -2


@pytest.mark.parametrize(
    ("size", "fx", "fy"),
    [((832, 480), 640 * 9 / 16 / 480, 600 / 480), ((1280, 720), 640 / 1280, 600 / 720),
     ((720, 1280), 640 * 9 / 16 / 1280, 600 / 1280), ((1280, 544), 640 / 1280, 600 / 720)],
)  # fmt: skip
def test_videox_fun_by_hand(size: tuple[int, int], fx: float, fy: float) -> None:
    shot = changed(by_hand(), lambda c: replace(c, width=size[0], height=size[1]))
    line = write_cameras("videox-fun", shot).files["camera/videox_fun.txt"].decode().splitlines()[1]
    assert numbers(line)[1:5] == pytest.approx([fx, fy, 400 / size[0], 250 / size[1]])


def test_motionctrl_by_hand() -> None:
    """The first camera is the world; a camera that goes right has it move to the left."""
    first, second = json.loads(write_cameras("motionctrl", by_hand()).files["camera/motionctrl.json"])
    assert first == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert second == pytest.approx([1, 0, 0, -1, 0, 1, 0, 0, 0, 0, 1, 0])


def test_recammaster_by_hand() -> None:
    """Unreal: forward is -y there, right is x, up is z; centimetres."""
    files = write_cameras("recammaster", by_hand()).files
    found = json.loads(files["camera/recammaster/camera_extrinsics.json"])
    rows = [[float(w) for w in row.split()] for row in found["frame1"]["cam01"].strip()[1:-1].split("] [")]
    assert rows == [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [100, 500, 0, 1]]


def test_nerfstudio_by_hand() -> None:
    """Blender's own matrix_world; the picture is found from where the file lies."""
    whole = json.loads(write_cameras("nerfstudio", by_hand()).files["camera/transforms.json"])
    assert whole["frames"][0]["transform_matrix"] == [[1, 0, 0, 0], [0, 0, -1, -5], [0, 1, 0, 0], [0, 0, 0, 1]]
    assert whole["frames"][0]["file_path"] == "../playblast/1001.png"
    assert [whole[key] for key in ("fl_x", "fl_y", "cx", "cy", "w", "h")] == [640, 600, 400, 250, 832, 480]


def test_colmap_by_hand() -> None:
    files = write_cameras("colmap", by_hand()).files
    assert numbers(files["camera/colmap/cameras.txt"].decode().splitlines()[1].replace("PINHOLE", "0")) == [
        1, 0, 832, 480, 640, 600, 400, 250,
    ]  # fmt: skip
    *words, name = files["camera/colmap/images.txt"].decode().splitlines()[3].split()
    half = math.sqrt(0.5)
    assert [float(word) for word in words] == pytest.approx([2, half, half, 0, 0, -1, 0, 5, 1])
    assert name == "playblast/1002.png"


def test_colmap_shares_a_camera_between_frames_of_one_lens() -> None:
    wide, long = PLAIN, replace(PLAIN, fx=2000.0, fy=2000.0)
    files = write_cameras("colmap", track(wide, long, wide)).files
    assert len(files["camera/colmap/cameras.txt"].decode().splitlines()) == 3
    images = files["camera/colmap/images.txt"].decode().splitlines()[1::2]
    assert [line.split()[8] for line in images] == ["1", "2", "1"]


@pytest.mark.parametrize("name", FORMATS)
def test_an_orthographic_camera_is_refused_by_name(name: str) -> None:
    shot = changed(by_hand(), lambda c: replace(c, orthographic=True))
    with pytest.raises(UsageError, match=f"{FORMATS[name].label} cannot hold an orthographic camera"):
        write_cameras(name, shot)


@pytest.mark.parametrize(
    "change", [np.diag([-1.0, 1, 1, 1]), np.array([[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])]
)
@pytest.mark.parametrize("name", FORMATS)
def test_a_mirrored_or_sheared_camera_is_refused(name: str, change: npt.NDArray[np.float64]) -> None:
    shot = changed(by_hand(), lambda c: replace(c, world_to_camera=change @ c.world_to_camera))
    with pytest.raises(UsageError, match="mirrored or sheared"):
        write_cameras(name, shot)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"realestate10k, .*colmap"):
        write_cameras("fbx", by_hand())


@pytest.mark.parametrize("name", NO_LENS)
def test_formats_of_poses_alone_say_what_of_the_lens_is_lost(name: str) -> None:
    plain = track(PLAIN)
    rich = track(replace(PLAIN, fy=2000.0, cx=300.0), replace(PLAIN, fx=2000.0, fy=4000.0))
    assert "holds no lens: the focal length is lost." in write_cameras(name, plain).notes[0]
    wanted = "the focal length, the zoom, the shift and the pixel aspect are lost."
    assert wanted in write_cameras(name, rich).notes[0]


@pytest.mark.parametrize(("name", "count"), [("motionctrl", 16), ("recammaster", 81), ("uni3c", 81)])
def test_a_shot_of_another_length_than_the_model_reads_is_said(name: str, count: int) -> None:
    def is_said(frames: int) -> bool:
        notes = write_cameras(name, track(*[PLAIN] * frames)).notes
        return any(f"reads {count} frames" in note for note in notes)

    assert is_said(count - 1)
    assert not is_said(count)


@pytest.mark.parametrize("name", ["uni3c", "nerfstudio"])
def test_readers_of_32_bits_are_warned_far_from_the_origin(name: str) -> None:
    far = np.eye(4)
    far[:3, 3] = (0, 500, 0)

    def is_said(metres_per_unit: float) -> bool:
        shot = track(replace(PLAIN, world_to_camera=far), metres_per_unit=metres_per_unit)
        return any("32-bit" in note for note in write_cameras(name, shot).notes)

    assert is_said(1.0)
    assert not is_said(0.01)


def test_cameractrl_is_told_the_size_unless_it_is_its_own() -> None:
    assert "--original_pose_width 832 --original_pose_height 480" in write_cameras("realestate10k", by_hand()).notes[0]
    wide = changed(by_hand(), lambda c: replace(c, width=1280, height=720))
    assert write_cameras("realestate10k", wide).notes == ()


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_shot_gives_the_same_bytes_and_no_negative_zero(name: str) -> None:
    files = write_cameras(name, by_hand()).files
    assert files == write_cameras(name, by_hand()).files
    assert not any(b"-0.000000000000" in data or b"-0.0," in data for data in files.values())
