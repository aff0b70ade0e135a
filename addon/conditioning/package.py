# SPDX-License-Identifier: GPL-3.0-or-later
"""Second phase of conditioning: raw frames of a whole shot to an immutable control package.

range → passes → movies → manifest. The depth range comes from the whole shot, never from a chunk or a frame.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SecondUnitError, UsageError, storage_error
from ..shot.documents import digest, digest_file, stable_json
from ..shot.package import DepthInfo, Manifest, Pass, Video, load_manifest, save_manifest
from ..shot.ports import silent
from .aside import aside
from .cache import put_in_place
from .depth import DepthRange, DepthStats, disparity, shot_range, to_grey8
from .guide import composite
from .png import write_png
from .pose import draw_openpose, pose_keypoint_json

if TYPE_CHECKING:
    from fractions import Fraction

    from ..shot.camera import Crop
    from ..shot.ports import Progress
    from ..shot.profile import Profile
    from ..shot.timing import FrameMap, MappedFrame
    from .cache import FrameCache, RawFrame
    from .pose import PosedPerson

ALGORITHM = "second-unit-package/2"
PASSES = ("depth", "depth16", "pose", "guide", "playblast")
Encode = Callable[[Sequence[tuple[list[Path], Path, "Fraction"]]], None]


@dataclass(frozen=True, slots=True)
class PackageOrder:
    """Everything a package is made from. ``hashes`` names the raw frame of every scene time of the map."""

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
    passes: tuple[str, ...] = PASSES
    volatile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metres_per_unit: float = 1.0
    renderer: str = "auto"

    @property
    def folder_name(self) -> str:
        """``<profile>-<hash8>``, as `Manifest.folder_name`."""
        return f"{self.profile.name}-{self.input_hash[:8]}"

    @property
    def input_hash(self) -> str:
        """Equal for equal packages: pictures, timing and profile count, names and clocks do not."""
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
            self.metres_per_unit,
        ]
        return digest(stable_json([*what, str(self.fps), list(self.people)]).encode())


@dataclass(frozen=True, slots=True)
class _Told:
    """What a raw frame tells besides its pictures, which are large and not kept."""

    mapped: MappedFrame
    camera: Mapping[str, Any]
    people: tuple[PosedPerson, ...]


def check_passes(names: Sequence[str]) -> tuple[str, ...]:
    """Known pass names in our own order; raises `UsageError` for others."""
    unknown = [name for name in names if name not in PASSES]
    if unknown:
        raise UsageError(f"There is no control pass '{unknown[0]}'.", f"Choose from: {', '.join(PASSES)}.")
    return tuple(name for name in PASSES if name in names)


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
    """Every picture and movie a manifest names, relative to it, with its SHA-256."""
    plates = [f.plate or 0 for f in manifest.frame_map.plates]
    for item in manifest.passes.values():
        yield from zip((item.file(plate) for plate in plates), item.sha256, strict=False)
    yield from ((video.file, video.sha256) for video in manifest.videos.values())


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
        spread = shot_range(reduce(DepthStats.__add__, (cache.stats(k) for k in sorted(set(order.hashes.values())))))
        _write_text(part, order, _write_passes(part, order, cache, spread, progress))
        videos = _write_videos(part, order, encode)
        save_manifest(part, _manifest(part, order, spread, videos))
        put_in_place(part, target, lambda: find_package(packages, order) is not None)
    except OSError as error:
        raise storage_error(error, packages) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _file(folder: Path, name: str, plate: int) -> Path:
    return folder / name / f"{plate:04d}.png"


def _write_passes(
    folder: Path, order: PackageOrder, cache: FrameCache, spread: DepthRange, progress: Progress
) -> list[_Told]:  # fmt: skip
    """The pictures of every plate. Returns what else the raw frames tell, in the plates' order."""
    for name in order.passes:
        (folder / name).mkdir()
    plates = order.frame_map.plates

    def one(mapped: MappedFrame) -> _Told:
        raw = cache.load(order.hashes[mapped.scene])
        _write_frame(folder, order, raw, spread, mapped.plate or 0)
        return _Told(mapped, raw.camera, raw.people)

    told: list[_Told] = []
    # PNG compression and most of numpy release the interpreter lock
    with ThreadPoolExecutor(max_workers=2) as pool:
        for item in pool.map(one, plates):
            told.append(item)
            progress(len(told), len(plates))
    return told


def _write_frame(folder: Path, order: PackageOrder, raw: RawFrame, spread: DepthRange, plate: int) -> None:
    near = disparity(raw.depth, spread)
    grey, pose = to_grey8(near), draw_openpose(raw.people, order.size)
    pictures: dict[str, Callable[[], Any]] = {
        "depth": lambda: np.repeat(grey[..., None], 3, axis=2),
        "depth16": lambda: np.rint(near * 65535).astype(np.uint16),
        "pose": lambda: pose,
        "guide": lambda: composite(grey, raw.person, pose),
    }
    for name in order.passes:
        if name == "playblast":
            shutil.copyfile(raw.playblast, _file(folder, name, plate))
        else:
            write_png(_file(folder, name, plate), pictures[name]())


def _write_text(folder: Path, order: PackageOrder, told: Sequence[_Told]) -> None:
    """Camera and keypoints per plate."""
    cameras = [{"frame": t.mapped.plate, "scene": str(t.mapped.scene), **t.camera} for t in told]
    (folder / "camera").mkdir()
    (folder / "camera" / "camera.json").write_text(stable_json({"axes": "opencv", "frames": cameras}), encoding="utf-8")
    keypoints = pose_keypoint_json([t.people for t in told], order.size)
    (folder / "pose" if "pose" in order.passes else folder / "camera").joinpath("keypoints.json").write_text(
        stable_json(keypoints), encoding="utf-8"
    )


def _write_videos(folder: Path, order: PackageOrder, encode: Encode) -> dict[str, Video]:
    """One movie per control the profile's graph wants and chunk, exactly as long as the model demands."""
    controls = [c for c in order.profile.controls if c in order.passes]
    plate_of = {f.scene: f.plate or 0 for f in order.frame_map.plates}
    movies: dict[str, tuple[list[Path], Path, str, int]] = {}
    for control in controls:
        for index, chunk in enumerate(order.frame_map.chunks):
            frames = [_file(folder, control, plate_of[f.scene]) for f in chunk]
            movies[f"{control}.{index}"] = (frames, folder / "video" / f"{control}.{index}.mp4", control, index)
    (folder / "video").mkdir()
    encode([(frames, movie, order.profile.fps) for frames, movie, _, _ in movies.values()])
    return {
        name: Video(
            movie.relative_to(folder).as_posix(),
            control,
            index,
            order.profile.fps,
            len(frames),
            "h264",
            digest_file(movie),
        )
        for name, (frames, movie, control, index) in movies.items()
    }


# why a frame was drawn as it was, by what was asked for: today there is one way, so the choice changes no picture
_REASONS = {
    "auto": "default; hair, volumes and alpha cut-outs are not looked for yet",
    "zbuffer": "asked for with --renderer",
}
_KINDS = {
    "depth": (8, 3, "disparity"), "depth16": (16, 1, "disparity"), "pose": (8, 3, "openpose"),
    "guide": (8, 3, "disparity+openpose"), "playblast": (8, 3, "sRGB"),
}  # fmt: skip


def _manifest(folder: Path, order: PackageOrder, spread: DepthRange, videos: dict[str, Video]) -> Manifest:
    plates = [f.plate or 0 for f in order.frame_map.plates]
    passes = {
        name: Pass(
            f"{name}/{{frame:04d}}.png",
            *_KINDS[name],
            tuple(digest_file(_file(folder, name, plate)) for plate in plates),
        )
        for name in order.passes
    }
    return Manifest(
        shot_uuid=order.shot_uuid, shot_name=order.shot_name, source=order.source, fps=order.fps,
        frame_map=order.frame_map, size=order.size, crop=order.crop, profile=order.profile.name, quality=order.quality,
        renderer={"name": "zbuffer", "reason": _REASONS[order.renderer]},
        depth=DepthInfo(spread.near, spread.far, spread.clipped, order.metres_per_unit), passes=passes, videos=videos,
        people=tuple({"id": i, "rig": name} for i, name in enumerate(order.people)), camera="camera/camera.json",
        input_hash=order.input_hash, volatile=order.volatile,
    )  # fmt: skip
