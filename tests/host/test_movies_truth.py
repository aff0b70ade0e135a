# SPDX-License-Identifier: GPL-3.0-or-later
"""What a movie keeps of its frames, judged by OpenCV's decoder and by Blender's own.

OpenCV reads colours as ComfyUI does with PyAV before 17: whatever the stream says of its matrix, it assumes BT.601.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.conditioning.drawing.frame import DrawnFrame
from second_unit.addon.conditioning.in_view import InView
from second_unit.addon.conditioning.package import PackageOrder, make_package
from second_unit.addon.conditioning.people.dialects import dialect
from second_unit.addon.conditioning.people.figures import draw_pose
from second_unit.addon.conditioning.people.pose import PosedPerson, Visibility
from second_unit.addon.conditioning.pictures.depth import DepthStats, disparity, shot_range, to_grey8
from second_unit.addon.conditioning.pictures.guide import composite
from second_unit.addon.errors import DocumentError, UsageError
from second_unit.addon.host.blender import Blender
from second_unit.addon.host.codec import ENDINGS, BlenderCodec, MovieOrder, carriage_of, is_whole_mkv
from second_unit.addon.shot.camera import Camera, Crop
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.people import BODY, JOINTS, LEFT_HAND, RIGHT_HAND
from second_unit.addon.shot.profile import Carriage, Profile, load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

Picture = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

SMALL, LARGE = (832, 480), (1280, 720)
ALL = tuple(ENDINGS)
CONTROLS = ("guide", "pose")


def saved(folder: Path, frames: Sequence[Picture]) -> list[Path]:
    folder.mkdir(parents=True)
    files = [folder / f"{i:04d}.png" for i in range(len(frames))]
    for file, frame in zip(files, frames, strict=True):
        Image.fromarray(frame).convert("RGB").save(file, compress_level=1)
    return files


def opened(movie: Path) -> tuple[list[Picture], float]:
    """All frames as RGB, and the rate, as OpenCV finds them."""
    capture = cv2.VideoCapture(str(movie))
    frames: list[Any] = []
    while True:
        found, frame = capture.read()
        if not found:
            return frames, capture.get(cv2.CAP_PROP_FPS)
        frames.append(frame[..., ::-1])


class Post:
    """Frames sent through movies of every carriage in one child Blender."""

    def __init__(self, blender: Blender, folder: Path) -> None:
        self.codec, self.folder = BlenderCodec(blender), folder

    def movies(self, frames: Sequence[Picture], carriages: Sequence[Carriage], name: str = "m") -> dict[Carriage, Path]:
        files = saved(self.folder / name, frames)
        movies = {carriage: self.folder / f"{name}{ENDINGS[carriage]}" for carriage in carriages}
        self.codec.encode_all([MovieOrder(files, movie, Fraction(16)) for movie in movies.values()])
        return movies

    def opencv(self, frames: Sequence[Picture], *carriages: Carriage, name: str = "m") -> dict[Carriage, Picture]:
        """What OpenCV decodes of them, (n, H, W, 3) each."""
        return {c: np.stack(opened(movie)[0]) for c, movie in self.movies(frames, carriages, name).items()}

    def blender(self, movie: Path) -> Picture:
        """What Blender decodes."""
        folder = self.folder / f"back of {movie.name}"
        folder.mkdir()
        return np.stack([np.asarray(Image.open(f).convert("RGB")) for f in self.codec.decode(movie, folder)])


@pytest.fixture
def post(blender: Blender, tmp_path: Path) -> Post:
    return Post(blender, tmp_path)


def off(sent: Sequence[Picture], got: Picture) -> int:
    """The largest difference of any channel."""
    return int(np.abs(np.stack(sent).astype(int) - got).max())


def in_colour(grey: Picture) -> Picture:
    return np.repeat(grey[..., None], 3, axis=2)


# Grey


def walk_up(size: tuple[int, int], count: int) -> tuple[list[npt.NDArray[np.float32]], npt.NDArray[np.bool_]]:
    """Depth of a floor, a wall, a pillar and sky, and somebody who walks from 12 m to 1 m; where nobody ever is."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    set_ = np.full((height, width), np.inf, np.float32)
    set_[y > height * 0.2] = 30
    floor = y > height * 0.55
    set_[floor] = 1.5 * height / (y[floor] - height * 0.5)
    set_[(abs(x - width * 0.15) < width * 0.04) & (y > height * 0.25) & (y < height * 0.75)] = 6
    frames, alone = list[npt.NDArray[np.float32]](), np.ones((height, width), bool)
    for z in np.geomspace(12, 1, count):
        body = ((x - width * 0.6) / (0.25 * width / z)) ** 2 + ((y - height * 0.5) / (0.6 * height / z)) ** 2 < 1
        frames.append(np.where(body, np.minimum(set_, np.float32(z)), set_))
        alone &= ~body
    return frames, alone


def test_what_stands_still_keeps_its_grey_while_somebody_walks_up(post: Post) -> None:
    """In PNG within 1, and decoded from a movie within 2, in every pixel and frame: so VACE's depth may travel."""
    carriage = load_profile("wan-vace-14b").transport.of("depth", SMALL)
    depths, alone = walk_up(SMALL, 9)
    whole = shot_range(sum((DepthStats.of(depth) for depth in depths), DepthStats()))
    greys = np.stack([to_grey8(disparity(depth, whole)) for depth in depths])
    assert np.ptp(greys[:, alone], axis=0).max() <= 1
    got = post.opencv([in_colour(grey) for grey in greys], carriage, Carriage.H264)
    first = greys[0].astype(int)[None, ..., None]
    wander = {name: int(np.abs(got[name] - first)[:, alone].max()) for name in got}
    assert wander[carriage] <= 2
    assert wander[Carriage.H264] > 2, "edges bleed with halved chroma: the check has to see that"
    each = np.stack([to_grey8(disparity(depth, shot_range(DepthStats.of(depth)))) for depth in depths])
    assert np.ptp(each[:, alone], axis=0).max() > 2, "a range per frame flickers"


def test_lossless_carriages_keep_edges_of_grey_in_both_decoders(post: Post) -> None:
    random = np.random.default_rng(3)
    frames = [in_colour(random.integers(0, 256, (48, 64), np.uint8)) for _ in range(3)]
    movies = post.movies(frames, ALL)
    got = {carriage: np.stack(opened(movie)[0]) for carriage, movie in movies.items()}
    assert off(frames, got[Carriage.H264_444]) <= 1
    assert off(frames, post.blender(movies[Carriage.H264_444])) <= 1
    assert off(frames, got[Carriage.FFV1]) == off(frames, post.blender(movies[Carriage.FFV1])) == 0
    assert off(frames, got[Carriage.H264]) > 2


def test_no_range_of_luma_is_taken_for_the_other(post: Post) -> None:
    """Black, white and all between come back; a squeezed or stretched answer would not pass."""
    ramp = in_colour(np.repeat(np.repeat(np.arange(256, dtype=np.uint8), 2)[None], 32, axis=0))
    for got in post.opencv([ramp] * 3, *ALL).values():
        middle = got[:, 8:-8].astype(float)

        def accepted(values: F64) -> bool:
            return bool(np.abs(values - ramp[8:-8]).max() <= 2)

        assert accepted(middle)
        assert not accepted(16 + middle * 219 / 255)
        assert not accepted(np.clip((middle - 16) * 255 / 219, 0, 255))


# Colour

MATRICES = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}


def to_yuv(rgb: F64, matrix: str, *, full: bool = False) -> F64:
    """8-bit Y'CbCr (ITU-R BT.601, BT.709) of RGB 0..255, both (..., 3)."""
    red, blue = MATRICES[matrix]
    y = rgb @ np.array([red, 1 - red - blue, blue])
    cb, cr = (rgb[..., 2] - y) / (2 - 2 * blue), (rgb[..., 0] - y) / (2 - 2 * red)
    scale = np.array([1, 1, 1]) if full else np.array([219, 224, 224]) / 255
    return np.stack([y, cb, cr], axis=-1) * scale + np.array([0 if full else 16, 128, 128])


def to_rgb(yuv: F64, matrix: str) -> F64:
    """The inverse of limited `to_yuv`, clipped."""
    red, blue = MATRICES[matrix]
    y, cb, cr = np.moveaxis((yuv - (16, 128, 128)) * 255 / (219, 224, 224), -1, 0)
    r, b = y + (2 - 2 * red) * cr, y + (2 - 2 * blue) * cb
    return np.clip(np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], axis=-1), 0, 255)


def test_the_matrix_of_a_movie_is_the_one_its_blender_tags(post: Post, host_python: str) -> None:
    """BT.709 from 4.5 on, BT.601 in 4.2, both limited; Blender reads its own back, OpenCV always takes BT.601."""
    colours = np.array([(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (40, 200, 200), (90, 60, 30)])
    frame = np.repeat(np.repeat(colours, 16, axis=0)[None], 32, axis=0).astype(np.uint8)
    movie = post.movies([frame] * 3, [Carriage.H264_444])[Carriage.H264_444]
    got = np.stack(opened(movie)[0])
    rgb = frame.astype(float)
    told = {
        (matrix, full): to_rgb(np.rint(to_yuv(rgb, matrix, full=full)), "601")
        for matrix, full in product(MATRICES, (False, True))
    }
    fits = [how for how, values in told.items() if np.abs(values - got).max() <= 3]
    assert fits == [("601" if is_4_2(host_python) else "709", False)]
    assert off([frame] * 3, post.blender(movie)) <= 3


def is_4_2(python: str) -> bool:
    asked = subprocess.run(
        [python, "-c", "import bpy, os, sys; print(bpy.app.version[:2]); sys.stdout.flush(); os._exit(0)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return asked.stdout.strip().splitlines()[-1] == "(4, 2)"


STANDING = np.array(
    [
        (0, 7), (0, 18), (-10, 18), (-15, 32), (-17, 45), (10, 18), (15, 32), (17, 45), (-6, 50), (-7, 73), (-7, 95),
        (6, 50), (7, 73), (7, 95), (-2, 5), (2, 5), (-4, 6), (4, 6),
    ]
) / 100  # fmt: skip


def somebody(x: float, y: float, height: float) -> PosedPerson:
    """A body with hands, feet down, ``height`` pixels tall."""
    points = np.zeros((JOINTS, 2))
    points[BODY] = STANDING
    finger, knuckle = np.divmod(np.arange(20), 4)
    angle = np.radians(50 + 20 * finger)
    fan = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (0.03 + 0.015 * knuckle)[:, None]
    for hand, wrist in ((LEFT_HAND, 7), (RIGHT_HAND, 4)):
        points[hand] = STANDING[wrist] + np.vstack([np.zeros((1, 2)), fan])
    seen = np.full(JOINTS, Visibility.MISSING, np.int8)
    for part in (BODY, LEFT_HAND, RIGHT_HAND):
        seen[part] = Visibility.SEEN
    return PosedPerson("a", points * height + (x, y), np.ones(JOINTS), seen)


def drawn(profile: Profile, control: str, size: tuple[int, int]) -> list[Picture]:
    """Three frames of two people, one far, for a profile: the pose, or the guide with a set behind it."""
    width, height = size
    how = dialect(profile.pose_dialect).with_parts(set(profile.pose_parts) - {"face"})
    frames: list[Picture] = []
    for i in range(3):
        people = [
            somebody(width * 0.3 + 7 * i, height * 0.05, height * 0.85),
            somebody(width * 0.75 - 3 * i, height * 0.4, height * 0.3),
        ]
        pose = draw_pose(people, size, how)
        depth = np.linspace(0, 200, height).astype(np.uint8)[:, None].repeat(width, axis=1)
        frames.append(pose if control == "pose" else composite(depth, pose.max(axis=2), pose, rim=8))
    return frames


def hue(rgb: npt.NDArray[Any]) -> F64:
    """Degrees, of the usual hexagon."""
    values = rgb.astype(float)
    top, spread = values.max(axis=-1), np.maximum(np.ptp(values, axis=-1), 1e-9)
    r, g, b = np.moveaxis(values, -1, 0)
    sector = np.where(top == r, (g - b) / spread, np.where(top == g, (b - r) / spread + 2, (r - g) / spread + 4))
    degrees: F64 = sector * 60.0 % 360.0
    return degrees


def astray(sent: Sequence[Picture], got: Picture) -> F64:
    """By how many degrees the hue of each coloured pixel is off."""
    before = np.stack(sent)
    coloured = np.ptp(before.astype(int), axis=-1) >= 50
    return np.abs((hue(got) - hue(before) + 180) % 360 - 180)[coloured]


def test_every_stick_keeps_its_hue(post: Post) -> None:
    """Within 4 degrees in every pixel, as each profile sends it: guide and pose of three dialects, two sizes."""
    halved, read_wrong = list[float](), list[float]()
    for name, control, size in product(
        ("wan-vace-14b", "wan-animate", "wan-fun-control-14b"), CONTROLS, (SMALL, LARGE)
    ):
        profile = load_profile(name)
        if control not in profile.controls:
            continue
        frames, carriage = drawn(profile, control, size), profile.transport.of(control, size)
        got = post.opencv(frames, *{carriage, Carriage.H264, Carriage.H264_444}, name=f"{name} {control} {size[1]}")
        assert astray(frames, got[carriage]).max() <= 4, (name, control, size)
        halved.append(float((astray(frames, got[Carriage.H264]) > 4).mean()))
        read_wrong.append(float(np.median(astray(frames, got[Carriage.H264_444]))))
    assert len(halved) == 8
    assert min(halved) > 0.03, "no size up to 1280x720 is large enough for halved chroma"
    assert max(read_wrong) < 4, "unhalved, but through a matrix: most of it right, not all (see the matrix above)"


@pytest.mark.parametrize("name", ["wan-vace-14b", "wan-vace-1.3b"])
@pytest.mark.parametrize("size", [(480, 832), SMALL, LARGE, (1920, 1072)])
def test_no_profile_halves_the_chroma_of_what_is_told_by_colour(name: str, size: tuple[int, int]) -> None:
    transport = load_profile(name).transport
    assert {transport.of(control, size) for control in ("guide", "pose", "flow", "segmentation")} == {Carriage.FFV1}
    assert transport.of("depth", size) is Carriage.H264_444


def test_ids_come_back_as_they_were(post: Post) -> None:
    """Every colour stays one of the table's, to single pixels; halved chroma makes up thousands of new ones."""
    random = np.random.default_rng(7)
    colours = np.unique(random.integers(0, 256, (150, 3), np.uint8), axis=0)
    frames: list[Picture] = [colours[random.integers(0, len(colours), (30, 40))] for _ in range(2)]
    got = post.opencv(frames, Carriage.FFV1, Carriage.H264)
    assert off(frames, got[Carriage.FFV1]) == 0
    known = {tuple(c) for c in colours.tolist()}
    assert sum(tuple(c) not in known for c in got[Carriage.H264].reshape(-1, 3).tolist()) > 1000


# Length, size and names


def test_every_movie_is_exactly_as_long_and_large_and_fast(post: Post) -> None:
    frames: list[Picture] = [np.full((34, 46, 3), i, np.uint8) for i in range(81)]
    files = saved(post.folder / "grey", frames)
    rates = (Fraction(16), Fraction(24000, 1001), Fraction(30), Fraction(7, 2))
    wanted = {
        post.folder / f"{count} {rate.numerator}{ENDINGS[carriage]}": (count, rate)
        for count, rate, carriage in product((1, 2, 13, 81), rates, ALL)
    }
    post.codec.encode_all([MovieOrder(files[:count], movie, rate) for movie, (count, rate) in wanted.items()])
    for movie, (count, rate) in wanted.items():
        got, fps = opened(movie)
        assert len(got) == count, movie.name
        assert fps == pytest.approx(float(rate), rel=1e-3), movie.name
        assert {frame.shape for frame in got} == {(34, 46, 3)}, movie.name
        greys = [round(float(frame.mean())) for frame in got]
        assert max(abs(grey - i) for i, grey in enumerate(greys)) <= 1, f"{movie.name}: {greys}"


def test_a_stump_of_matroska_is_told_from_a_whole_movie(post: Post) -> None:
    """Its head promises every frame, so that Blender counts them all."""
    frames: list[Picture] = [np.full((34, 46, 3), i, np.uint8) for i in range(9)]
    movie = post.movies(frames, [Carriage.FFV1])[Carriage.FFV1]
    whole = movie.read_bytes()
    assert is_whole_mkv(movie)
    for data in (*(whole[:end] for end in range(0, len(whole), 61)), whole[:-1], whole + b"x", b"no movie" * 99):
        movie.write_bytes(data)
        assert not is_whole_mkv(movie)
    movie.unlink()
    assert not is_whole_mkv(movie)


@pytest.mark.parametrize("size", [(45, 34), (46, 33), (45, 33)])
def test_odd_sides_travel_whole_or_are_refused(post: Post, size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    frames: list[Picture] = [random.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(2)]
    with pytest.raises(UsageError, match=f"{size[0]}x{size[1]} is no size for H.264 with halved chroma"):
        post.movies(frames, [Carriage.H264])
    got = post.opencv(frames, Carriage.FFV1, name="whole")[Carriage.FFV1]
    assert off(frames, got) == 0


def test_what_is_no_movie_is_refused(post: Post) -> None:
    files = saved(post.folder / "a", [np.zeros((16, 16, 3), np.uint8), np.zeros((16, 18, 3), np.uint8)])
    movie = post.folder / "m.mp4"
    with pytest.raises(DocumentError, match=r"'0000\.png' is 16x16 and '0001\.png' is 18x16"):
        post.codec.encode(files, movie, Fraction(24))
    with pytest.raises(UsageError, match="would have no frames"):
        post.codec.encode([], movie, Fraction(24))
    with pytest.raises(UsageError, match=r"'m\.png' is no name for a movie"):
        post.codec.encode(files[:1], movie.with_suffix(".png"), Fraction(24))
    assert not movie.exists()


@pytest.mark.parametrize("carriage", list(Carriage))
def test_a_package_names_its_movies_so_that_the_codec_knows_the_carriage(tmp_path: Path, carriage: Carriage) -> None:
    """And where pictures travel as they are there is no movie at all."""
    cache, camera = FrameCache(tmp_path / "cache"), Camera(64, 48, 60, 60, 32, 24, 0.1, 100.0, np.eye(4))
    depth = np.full((48, 64), 5, np.float32)
    nobody, normal = np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.float32)
    cache.store(
        "k", DrawnFrame(depth, nobody.astype(np.int32), nobody, normal, [], DepthStats.of(depth), InView(True)), camera
    )
    profile = load_profile("wan-vace-14b")
    profile = replace(profile, controls=("depth",), transport=replace(profile.transport, usual=carriage))
    frame_map = as_is(FrameRange(1, 5), (0, 0), profile.rule)
    order = PackageOrder(
        "u", "SH010", {}, Fraction(24), frame_map, dict.fromkeys(frame_map.times, "k"), (64, 48), Crop(0, 0, 64, 48),
        profile, "draft", (), passes=("depth",),
    )  # fmt: skip

    def encode(movies: Sequence[tuple[list[Path], Path, Fraction]]) -> None:
        for _, movie, _ in movies:
            movie.write_text(carriage_of(movie).value, "utf-8")

    package = make_package(tmp_path / "packages", order, cache, encode)
    videos = load_manifest(package).videos
    assert list(videos) == ([] if carriage is Carriage.PNG else ["depth.0"])
    for video in videos.values():
        assert (package / video.file).read_text("utf-8") == video.codec == carriage.value
