# SPDX-License-Identifier: GPL-3.0-or-later
"""The face as a video of its own: which face, which part of the picture, how it is stretched, and how it travels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import DrawnFrame, draw
from second_unit.addon.conditioning.package import PackageOrder, make_package
from second_unit.addon.conditioning.people.face import (
    FACE_SIZE,
    face_box,
    face_picture,
    main_face,
    seen_face,
    stretched,
)
from second_unit.addon.conditioning.people.pose import PosedPerson, Visibility
from second_unit.addon.host.codec import MovieOrder
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.people import FACE, JOINTS
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

F64 = npt.NDArray[np.float64]
SIZE = (1280, 720)
HEAD = [0, 14, 15, 16, 17]

# Blender's Rigify human from its head joint, in metres up, forward and left: nose, eyes and ears (right, left), and the
# points that are farthest out of the 68: both ends of the jaw, the chin, the brows, the tip of the nose.
RIGIFY_HEAD = np.array(
    [
        (0.0625, 0.1722, 0), (0.1121, 0.0970, -0.0516), (0.1121, 0.0970, 0.0516), (0.0809, 0.0068, -0.0919),
        (0.0809, 0.0068, 0.0919),
    ]
)  # fmt: skip
RIGIFY_OUTLINE = {
    0: (0.0922, 0.0384, -0.0926), 8: (-0.0430, 0.1269, 0), 16: (0.0922, 0.0384, 0.0926),
    19: (0.1434, 0.1184, -0.0588), 24: (0.1434, 0.1184, 0.0588), 30: (0.0625, 0.1722, 0),
}  # fmt: skip


def turned(points: F64, yaw: float, pitch: float) -> F64:
    """(n, 2) pixels of (n, 3) up, forward, left: a millimetre each, as a camera in front sees it, or from elsewhere."""
    up, forward, left = points.T
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    x, toward = c * left + s * forward, c * forward - s * left
    c, s = math.cos(math.radians(pitch)), math.sin(math.radians(pitch))
    return np.stack([x, -(c * up + s * toward)], axis=1) * 1000.0 + np.array([640.0, 360.0])


def nobody_yet(key: str = "a") -> PosedPerson:
    return PosedPerson(key, np.zeros((JOINTS, 2)), np.ones(JOINTS), np.full(JOINTS, Visibility.MISSING, np.int8))


def with_points(person: PosedPerson, joints: Sequence[int], points: F64, code: int = Visibility.SEEN) -> PosedPerson:
    person.points[list(joints)], person.visibility[list(joints)] = points, code
    return person


def head(x: float, y: float, size: float, key: str = "a", code: int = Visibility.SEEN) -> PosedPerson:
    """A head without face bones, ``size`` pixels from ear to ear, that looks at the camera."""
    points = np.array([(0, 0.1), (-0.28, -0.15), (0.28, -0.15), (-0.5, 0), (0.5, 0)]) * size + (x, y)
    person = with_points(nobody_yet(key), HEAD, points, code)
    person.z[0] = 0.9
    return person


# Where the face is.


@pytest.mark.parametrize("yaw", [-90, -45, 0, 30, 60, 90, 180])
@pytest.mark.parametrize("pitch", [-30, 0, 30])
def test_a_head_without_face_bones_has_the_box_its_face_would_have(yaw: float, pitch: float) -> None:
    outline = turned(np.array(list(RIGIFY_OUTLINE.values())), yaw, pitch)
    truth = face_box(with_points(nobody_yet(), [FACE.start + i for i in RIGIFY_OUTLINE], outline), SIZE)
    guess = face_box(with_points(nobody_yet(), HEAD, turned(RIGIFY_HEAD, yaw, pitch)), SIZE)
    assert truth is not None
    assert guess is not None
    shared = overlap(truth, guess)
    assert shared > 0.7 * truth.width * truth.height
    assert shared > 0.5 * guess.width * guess.height


def overlap(a: Crop, b: Crop) -> int:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(width, 0) * max(height, 0)


def test_a_mouth_alone_is_no_face() -> None:
    """Rigs with some face bones and no outline: the box holds the whole head, and whatever sticks out of it."""
    person = head(600, 300, 100)
    plain = face_box(person, SIZE)
    mouth = [FACE.start + i for i in (48, 51, 54, 57)]
    assert (
        face_box(with_points(person, mouth, np.array([(580, 330), (600, 325), (620, 330), (600, 340)])), SIZE) == plain
    )
    low = face_box(with_points(person, [mouth[3]], np.array([(600.0, 420.0)])), SIZE)
    assert plain is not None
    assert low is not None
    assert low.y + low.height > 420 > plain.y + plain.height


def test_a_head_without_ears_or_nose_has_no_box() -> None:
    for missing in ([16, 17], [0]):
        assert face_box(with_points(head(600, 300, 100), missing, np.zeros(2), Visibility.MISSING), SIZE) is None
    assert face_box(with_points(head(600, 300, 100), [16], np.zeros(2), Visibility.MISSING), SIZE) is not None
    assert face_box(nobody_yet(), SIZE) is None


# Whose face it is.


def test_the_shot_is_about_the_face_that_takes_most_of_it() -> None:
    frames = [[head(300, 300, 80, "a"), head(900, 300, 60, "b")]] * 2 + [
        [head(300, 300, 40, "a"), head(900, 300, 99, "b")]
    ]
    assert main_face(frames[:2], SIZE) == "a"
    assert main_face(frames, SIZE) == "b"
    assert main_face([[head(300, 300, 80, "a"), head(900, 300, 80, "b")]], SIZE) == "a"
    assert main_face([[head(300, 300, 80, "b"), head(900, 300, 80, "a")]], SIZE) == "b"


def test_a_face_that_looks_away_gives_way_to_one_that_is_seen() -> None:
    away, here, profile = head(300, 300, 200, "a"), head(900, 300, 20, "b"), head(600, 300, 90, "c")
    away.z[0], here.z[0], profile.z[0] = 1.1, 0.9, 1.0
    profile.z[16:18] = 0.9, 1.1
    assert main_face([[away, here]], SIZE) == "b"
    assert main_face([[away, here, profile]], SIZE) == "c"
    assert main_face([[away]], SIZE) == "a"


def test_a_face_behind_a_wall_outside_or_nowhere_is_nobodys() -> None:
    hidden = head(300, 300, 80, "a", Visibility.OCCLUDED)
    assert face_box(hidden, SIZE) is not None
    assert seen_face(hidden, SIZE) is None
    assert main_face([[hidden], [head(-300, 300, 80, "b", Visibility.OUTSIDE)], [nobody_yet("c")], []], SIZE) == ""
    assert main_face([[hidden, head(900, 300, 10, "b")]], SIZE) == "b"
    turned_away = with_points(head(300, 300, 80), HEAD, head(300, 300, 80).points[HEAD], Visibility.SELF_OCCLUDED)
    assert seen_face(turned_away, SIZE) is not None


# How it is stretched.


@pytest.mark.parametrize("shape", [(37, 53), (512, 512), (64, 512), (700, 900), (1, 1), (2, 3)])
def test_it_is_stretched_as_opencv_does(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(7).integers(0, 256, (*shape, 3), np.uint8)
    expected = cv2.resize(picture, FACE_SIZE).astype(int)
    ours = stretched(picture, FACE_SIZE).astype(int)
    assert np.abs(ours - expected).max() <= 1
    for wrong in (expected[::-1], expected[:, ::-1], expected[..., ::-1]):
        assert shape == (1, 1) or np.abs(ours - wrong).max() > 16 or (wrong == expected).all()


@pytest.mark.parametrize("at", [(640, 360), (20, 30), (1270, 700)])
def test_the_picture_is_the_crop_around_the_face(at: tuple[float, float]) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (720, 1280, 3), np.uint8)
    people = [head(300, 300, 90, "b"), head(*at, 120, "a")]
    box = face_box(people[1], SIZE)
    assert box is not None
    expected = cv2.resize(picture[box.y : box.y + box.height, box.x : box.x + box.width], FACE_SIZE)
    assert np.abs(face_picture(picture, people, "a").astype(int) - expected).max() <= 1


def test_without_the_face_the_picture_is_black() -> None:
    picture = np.full((720, 1280, 3), 90, np.uint8)
    here = head(300, 300, 90, "a")
    for people, key in (([], "a"), ([here], ""), ([here], "b"), ([head(300, 300, 90, "a", Visibility.OCCLUDED)], "a")):
        black = face_picture(picture, people, key)
        assert black.shape == (512, 512, 3)
        assert not black.any()
    assert (face_picture(picture, [here], "a") == 90).all()


# How it travels.


@pytest.fixture
def shot(tmp_path: Path, scenes: Any) -> tuple[FrameCache, list[DrawnFrame]]:
    """Six frames of somebody who walks out of the picture."""
    cache, size = FrameCache(tmp_path / "cache"), (208, 128)
    drawn: list[DrawnFrame] = []
    for i in range(6):
        camera = scenes.camera((0, -4, 1.6), size=size)
        frame = scenes.with_person(scenes.frame(camera, (scenes.plane(9, 9), scenes.placed())), (0.7 * i, 0, 0))
        drawn.append(draw(frame, Exposure(), ("playblast",)))
        cache.store(f"frame{i}", drawn[-1], camera)
    return cache, drawn


def order(passes: tuple[str, ...]) -> PackageOrder:
    profile = load_profile("wan-animate")
    frame_map = as_is(FrameRange(1, 6), (0, 0), profile.rule)
    hashes = {time: f"frame{min(i, 5)}" for i, time in enumerate(frame_map.times)}
    size = (208, 128)
    return PackageOrder(
        "u", "SH010", {}, Fraction(30), frame_map, hashes, size, Crop(0, 0, *size), profile, "draft", ("Ada",), passes
    )  # fmt: skip


def put(*movies: tuple[list[Path], Path, Fraction]) -> None:
    for _, movie, _ in movies:
        movie.write_bytes(b"movie")


def test_the_face_is_a_movie_as_long_as_the_pose_and_of_its_own_size(
    shot: tuple[FrameCache, list[DrawnFrame]], tmp_path: Path
) -> None:
    cache, drawn = shot
    told: dict[str, tuple[int, tuple[int, int]]] = {}

    def encode(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
        told.update({movie[1].name: (len(movie[0]), MovieOrder(*movie).size()) for movie in movies})
        put(*movies)

    package = make_package(tmp_path / "packages", order(("depth", "pose", "playblast", "face")), cache, encode)
    manifest = load_manifest(package)
    plates = [frame.plate for frame in manifest.frame_map.plates]
    pose, face = manifest.video_of("pose", 0), manifest.video_of("face", 0)
    assert face.frames == pose.frames == len(manifest.frame_map.chunks[0])
    assert told[Path(face.file).name] == (face.frames, (512, 512))
    assert told[Path(pose.file).name] == (pose.frames, (208, 128))
    assert (manifest.passes["face"].bits, manifest.passes["face"].channels) == (8, 3)
    assert len(manifest.passes["face"].sha256) == len(plates) == 6
    pictures = [np.asarray(Image.open(package / manifest.passes["face"].file(plate or 0))) for plate in plates]
    assert {picture.shape for picture in pictures} == {(512, 512, 3)}
    for picture, frame in zip(pictures, drawn, strict=True):
        expected = face_picture(frame.pictures["playblast"], frame.people, frame.people[0].key)
        np.testing.assert_array_equal(picture, expected)
    assert pictures[0].any()
    assert not pictures[5].any(), "by then the face has left the picture"


def test_other_tools_are_not_told_that_the_face_is_the_cameras_picture(
    shot: tuple[FrameCache, list[DrawnFrame]], tmp_path: Path
) -> None:
    package = make_package(tmp_path / "packages", order(("face",)), shot[0], lambda movies: put(*movies))
    texts = [file.read_text("utf-8") for file in (package / "camera").rglob("*") if file.suffix in {".json", ".txt"}]
    assert texts
    assert not any("face/" in text for text in texts)
