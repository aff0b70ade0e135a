# SPDX-License-Identifier: GPL-3.0-or-later
"""Second phase of conditioning: raw frames of a whole shot to an immutable control package.

range → passes → movies → manifest. The depth range comes from the whole shot, never from a chunk or a frame.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SecondUnitError, storage_error
from ..shot.documents import digest, digest_file, stable_json
from ..shot.package import DepthInfo, GreyInfo, Manifest, Pass, Video, load_manifest, save_manifest
from ..shot.ports import silent
from ..shot.profile import Carriage
from .cache import put_in_place
from .cameras.camera_files import FORMATS
from .cameras.camera_track import CameraTrack, camera_document, camera_from_json
from .files.aside import aside
from .files.exr import ExrPart, write_exr
from .files.long_json import write_long_json
from .files.png import write_png
from .in_view import notes_in_view
from .passes import FLOW, PASSES, USUAL, FrameLook, Look, layers_of
from .people.dialects import dialect
from .people.face import main_face
from .people.keypoints import PeopleFrame, keypoint_frame, people_frame, people_head
from .pictures.depth import DepthRange, DepthStats, Encoding, range_for
from .pictures.mattes import MatteBy, matte_ids
from .pictures.normal_map import NormalDialect

if TYPE_CHECKING:
    from fractions import Fraction

    from ..shot.camera import Crop
    from ..shot.ports import Progress
    from ..shot.profile import Profile
    from ..shot.timing import FrameMap, MappedFrame
    from .cache import FrameCache

ALGORITHM = "second-unit-package/3"
Encode = Callable[[Sequence[tuple[list[Path], Path, "Fraction"]]], None]


@dataclass(frozen=True, slots=True)
class DepthChoice:
    """What the user decides about depth: ``manual`` near and far in scene units, or the ``locked`` range of a shot.

    ``grey`` is that shot's range of the 8-bit pictures.
    """

    manual: tuple[float, float] | None = None
    locked: DepthRange | None = None
    grey: DepthRange | None = None


@dataclass(frozen=True, slots=True)
class PackageOrder:
    """Everything a package is made from.

    ``hashes`` names the raw frame of every scene time of the map, ``following`` the one after it, for the flow.
    """

    shot_uuid: str
    shot_name: str
    source: Mapping[str, str]
    fps: Fraction
    frame_map: FrameMap
    hashes: Mapping[Fraction, str]
    size: tuple[int, int]
    crop: Crop
    profile: Profile
    quality: str
    people: tuple[str, ...]
    passes: tuple[str, ...] = USUAL
    following: Mapping[Fraction, str] = field(default_factory=dict[Any, str])
    depth: DepthChoice = DepthChoice()
    guess_classes: bool = False
    people_told: tuple[Mapping[str, Any], ...] = ()
    volatile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metres_per_unit: float = 1.0
    renderer: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()

    @property
    def folder_name(self) -> str:
        """``<profile>-<hash8>``, as `Manifest.folder_name`."""
        return f"{self.profile.name}-{self.input_hash[:8]}"

    @property
    def input_hash(self) -> str:
        """Equal for equal packages: pictures, timing, profile and what is said of them count, names and clocks do not.

        What is said: a package that is taken for this one must not keep the notes of another scene.
        """
        frames = [self.hashes[f.scene] for f in self.frame_map.frames]
        what = [
            ALGORITHM,
            self.profile.name,
            self.quality,
            list(self.size),
            self.frame_map.to_json(),
            frames,
            sorted(self.passes),
            [str(self.profile.fps), list(self.profile.controls), self.profile.pose_dialect],
            [self.profile.normal_dialect, self.profile.depth_encoding, list(self.profile.pose_parts)],
            [self.metres_per_unit, repr(self.depth), self.guess_classes],
            [self.profile.transport.of(control, self.size).value for control in self.profile.controls],
            [self.following.get(f.scene, "") for f in self.frame_map.frames] if FLOW in layers_of(self.passes) else [],
        ]
        said = [[dict(told) for told in self.people_told], list(self.notes)]
        return digest(stable_json([*what, str(self.fps), list(self.people), *said]).encode())

    @property
    def casts(self) -> list[str]:
        """The cast member each of the people is, "" for who is none."""
        return [str(told.get("cast", "")) for told in self.people_told]


def find_package(packages: Path, order: PackageOrder) -> Path | None:
    """The folder of an equal package that exists already and is as it was made. A damaged one counts as absent."""
    folder = packages / order.folder_name
    try:
        manifest = load_manifest(folder)
    except SecondUnitError:
        return None
    is_equal = manifest.input_hash == order.input_hash
    return folder if is_equal and _is_as_made(folder, manifest) else None


def _is_as_made(folder: Path, manifest: Manifest) -> bool:
    digests = all((folder / name).is_file() and digest_file(folder / name) == sha for name, sha in _files_of(manifest))
    return digests and (folder / manifest.camera).is_file()


def _files_of(manifest: Manifest) -> Generator[tuple[str, str]]:
    """Every file a manifest names, relative to it, with its SHA-256."""
    plates = [f.plate or 0 for f in manifest.frame_map.plates]
    for item in manifest.passes.values():
        yield from zip((item.file(plate) for plate in plates), item.sha256, strict=False)
    yield from ((video.file, video.sha256) for video in manifest.videos.values())
    yield from manifest.texts.items()


def view_notes(order: PackageOrder, cache: FrameCache) -> tuple[str, ...]:
    """Sentences about frames of the order in which nothing is to be seen, or nothing but one thing."""
    return notes_in_view([(f.scene, cache.in_view(order.hashes[f.scene])) for f in order.frame_map.plates])


def make_package(
    packages: Path, order: PackageOrder, cache: FrameCache, encode: Encode, progress: Progress = silent
) -> Path:
    """Write the package beside and rename it; the manifest is written last. Returns its folder.

    When another process made the same package meanwhile, theirs is used.
    """
    target = packages / order.folder_name
    part = aside(target)
    try:
        part.mkdir(parents=True)
        look = _look(order, cache)
        _write_passes(part, order, cache, look, progress)
        _write_text(part, order, cache, look)
        manifest = _manifest(part, order, look, _write_videos(part, order, encode))
        save_manifest(
            part, replace(manifest, texts=_texts(part, manifest), notes=(*order.notes, *view_notes(order, cache)))
        )
        put_in_place(part, target, lambda: find_package(packages, order) is not None)
    except OSError as error:
        raise storage_error(error, packages) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _look(order: PackageOrder, cache: FrameCache) -> Look:
    """What the whole shot decides: the range of its depth, its longest motion, the numbers of its names."""
    keys = sorted(set(order.hashes.values()))
    stats = reduce(DepthStats.__add__, (cache.stats(key) for key in keys))
    encoding = Encoding(order.profile.depth_encoding)
    chosen = order.depth
    spread = range_for(stats, Encoding.DISPARITY, chosen.manual, chosen.locked)
    grey = spread if encoding is Encoding.DISPARITY else range_for(stats, encoding, chosen.manual, chosen.grey)
    look = Look(
        order.size, spread, grey, encoding, dialect(order.profile.pose_dialect).with_parts(order.profile.pose_parts),
        NormalDialect(order.profile.normal_dialect), metres_per_unit=order.metres_per_unit,
        guess_classes=order.guess_classes,
    )  # fmt: skip
    layers = layers_of(order.passes)
    if "tag" in layers:
        tags = {tag for key in keys for tag in cache.tags(key)}
        look = replace(look, mattes={by: matte_ids(tags, by) for by in MatteBy})
    if "face" in order.passes:
        look = replace(look, face=main_face((cache.people(key) for key in keys), order.size))
    if FLOW in layers:
        pairs = {(order.hashes[f.scene], order.following[f.scene]) for f in order.frame_map.frames}
        longest = max(cache.longest_motion(key, after) for key, after in sorted(pairs))
        look = replace(look, largest_flow=longest)
    return look


def _file(folder: Path, name: str, plate: int) -> Path:
    return folder / PASSES[name].pattern.format(frame=plate)


def _write_passes(folder: Path, order: PackageOrder, cache: FrameCache, look: Look, progress: Progress) -> None:
    """The pictures of every plate."""
    for name in order.passes:
        (folder / name).mkdir()
    plates = order.frame_map.plates

    def one(mapped: MappedFrame) -> None:
        raw = cache.load(order.hashes[mapped.scene])
        frame = FrameLook(raw, look, order.following.get(mapped.scene, ""))
        for name in order.passes:
            _write(_file(folder, name, mapped.plate or 0), PASSES[name].draw(frame))

    # PNG compression and most of numpy release the interpreter lock
    with ThreadPoolExecutor(max_workers=2) as pool:
        for done, _ in enumerate(pool.map(one, plates), start=1):
            progress(done, len(plates))


def _write(file: Path, picture: Any) -> None:
    if isinstance(picture, Path):
        shutil.copyfile(picture, file)
    elif isinstance(picture, ExrPart):
        write_exr(file, [picture])
    else:
        write_png(file, picture)


def _write_text(folder: Path, order: PackageOrder, cache: FrameCache, look: Look) -> None:
    """Camera and people per plate, the cameras in the formats others read, and the names of matte ids."""
    plates = order.frame_map.plates
    cameras = [cache.camera(order.hashes[f.scene]) for f in plates]
    names = [{"frame": f.plate, "scene": str(f.scene)} for f in plates]
    document = camera_document(cameras, fps=order.fps, metres_per_unit=order.metres_per_unit, names=names)
    notes: list[str] = []
    files: dict[str, bytes] = {}
    for write in FORMATS.values():
        try:
            made = write(_track(order, cameras))
        except SecondUnitError as error:
            notes.append(error.what)
            continue
        files.update(made.files)
        notes += made.notes
    files["camera/camera.json"] = stable_json({**document, "notes": notes}).encode()
    for by, ids in look.mattes.items():
        if f"matte_{by.value}" in order.passes:
            files[f"matte_{by.value}/names.json"] = stable_json({"names": dict(ids)}).encode()
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    _write_people(folder / ("pose" if "pose" in order.passes else "camera"), order, cache)


def _write_people(folder: Path, order: PackageOrder, cache: FrameCache) -> None:
    """One frame after the other: the joints of a long shot are many."""
    plates = order.frame_map.plates
    keypoints = (keypoint_frame(cache.people(order.hashes[f.scene]), order.size) for f in plates)
    write_long_json(folder / "keypoints.json", keypoints)
    frames = (PeopleFrame(f.plate or 0, str(f.scene), cache.people(order.hashes[f.scene])) for f in plates)
    write_long_json(
        folder / "people.json",
        (people_frame(frame, order.people, order.metres_per_unit) for frame in frames),
        people_head(order.size, order.people, order.casts),
        "frames",
    )


def _track(order: PackageOrder, cameras: Sequence[Mapping[str, Any]]) -> CameraTrack:
    pictures = PASSES[next((name for name in order.passes if PASSES[name].size is None), "depth")]
    return CameraTrack(
        tuple(camera_from_json(camera) for camera in cameras),
        tuple(pictures.pattern.format(frame=f.plate) for f in order.frame_map.plates),
        order.fps, order.metres_per_unit,
    )  # fmt: skip


# the endings by which the codec knows what to write
_SUFFIX = {Carriage.H264: "mp4", Carriage.H264_444: "444.mp4", Carriage.FFV1: "mkv"}


def _write_videos(folder: Path, order: PackageOrder, encode: Encode) -> dict[str, Video]:
    """One movie per control that travels as one and chunk, exactly as long as the model demands."""
    plate_of = {f.scene: f.plate or 0 for f in order.frame_map.plates}
    movies: dict[str, tuple[list[Path], Path, str, int, Carriage]] = {}
    for control in (c for c in order.profile.controls if c in order.passes):
        carriage = order.profile.transport.of(control, order.size)
        for index, chunk in enumerate(order.frame_map.chunks if carriage in _SUFFIX else ()):
            frames = [_file(folder, control, plate_of[f.scene]) for f in chunk]
            movie = folder / "video" / f"{control}.{index}.{_SUFFIX[carriage]}"
            movies[f"{control}.{index}"] = (frames, movie, control, index, carriage)
    (folder / "video").mkdir()
    encode([(frames, movie, order.profile.fps) for frames, movie, *_ in movies.values()])
    return {
        name: Video(
            movie.relative_to(folder).as_posix(), control, index, order.profile.fps, len(frames), carriage.value,
            digest_file(movie),
        )
        for name, (frames, movie, control, index, carriage) in movies.items()
    }  # fmt: skip


def _manifest(folder: Path, order: PackageOrder, look: Look, videos: dict[str, Video]) -> Manifest:
    plates = [f.plate or 0 for f in order.frame_map.plates]
    passes = {
        name: Pass(
            PASSES[name].pattern, PASSES[name].bits, PASSES[name].channels, PASSES[name].encoding(look),
            tuple(digest_file(_file(folder, name, plate)) for plate in plates),
        )
        for name in order.passes
    }  # fmt: skip
    spread, grey = look.spread, look.grey
    people = order.people_told or tuple({"id": i, "rig": name} for i, name in enumerate(order.people))
    return Manifest(
        shot_uuid=order.shot_uuid, shot_name=order.shot_name, source=order.source, fps=order.fps,
        frame_map=order.frame_map, size=order.size, crop=order.crop, profile=order.profile.name, quality=order.quality,
        renderer=order.renderer or {"name": "zbuffer", "reason": ""},
        depth=DepthInfo(
            spread.near, spread.far, spread.clipped, order.metres_per_unit,
            GreyInfo(look.encoding.value, grey.near, grey.far, grey.clipped),
        ),
        passes=passes, videos=videos, people=people, camera="camera/camera.json", input_hash=order.input_hash,
        volatile=order.volatile,
    )  # fmt: skip


def _texts(folder: Path, manifest: Manifest) -> dict[str, str]:
    """The SHA-256 of what lies in the package besides what the manifest names already."""
    named = {name for name, _ in _files_of(manifest)}
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: digest_file(path) for name, path in files.items() if name not in named}
