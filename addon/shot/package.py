# SPDX-License-Identifier: GPL-3.0-or-later
"""The control package: an immutable folder of all passes of one shot for one profile, with its ``manifest.json``."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import DocumentError
from .camera import Crop
from .documents import Fields, Json, Schema, pair, read_document, write_document
from .timing import FrameMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction
    from pathlib import Path

PACKAGE_SCHEMA = Schema("second_unit.package", 1)
CURRENT_SCHEMA = Schema("second_unit.current_package", 1)
MANIFEST = "manifest.json"
_PATTERN = re.compile(r"[A-Za-z0-9_.\-/]*\{frame(?::0\dd)?\}[A-Za-z0-9_.\-/]*")


@dataclass(frozen=True, slots=True)
class Pass:
    """One control pass: a file per plate frame. ``pattern`` is relative to the manifest and holds ``{frame}``."""

    pattern: str
    bits: int
    channels: int
    encoding: str
    sha256: tuple[str, ...]

    def file(self, plate: int) -> str:
        """Relative path of one plate's file. The pattern was checked: nothing in it leaves the package."""
        return self.pattern.format(frame=plate)


@dataclass(frozen=True, slots=True)
class Video:
    """A pass as a movie for one chunk, exactly as long as the model demands."""

    file: str
    control: str
    chunk: int
    fps: Fraction
    frames: int
    codec: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GreyInfo:
    """How the 8-bit depth pictures were made: encoding, near (white) and far (black) in scene units."""

    encoding: str
    near: float
    far: float
    clipped: float


@dataclass(frozen=True, slots=True)
class DepthInfo:
    """The one depth range of the whole shot, in scene units, and the share of hit pixels it clips.

    It is that of the 16-bit pictures, which are disparity, and of the 8-bit ones unless ``grey`` says otherwise.
    ``metres_per_unit`` is the scene's unit scale.
    """

    near: float
    far: float
    clipped: float
    metres_per_unit: float = 1.0
    grey: GreyInfo | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything another program needs to read a package.

    ``texts`` are the SHA-256 of all files beside passes and movies, by their path in the package; a package made before
    they were kept has none. ``notes`` are sentences about what the pictures show.
    """

    shot_uuid: str
    shot_name: str
    source: Mapping[str, str]
    fps: Fraction
    frame_map: FrameMap
    size: tuple[int, int]
    crop: Crop
    profile: str
    quality: str
    renderer: Mapping[str, str]
    depth: DepthInfo
    passes: Mapping[str, Pass]
    videos: Mapping[str, Video]
    people: tuple[Mapping[str, Any], ...]
    camera: str
    input_hash: str
    volatile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def folder_name(self) -> str:
        """``<profile>-<hash8>``."""
        return f"{self.profile}-{self.input_hash[:8]}"

    def video_of(self, control: str, chunk: int) -> Video:
        """The movie of one control and chunk."""
        for video in self.videos.values():
            if (video.control, video.chunk) == (control, chunk):
                return video
        raise DocumentError(
            f"The control package has no '{control}' movie for chunk {chunk + 1}.", "Run 'second-unit condition' again."
        )


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into ``folder``."""
    crop = manifest.crop
    body: Json = {
        "shot": {"uuid": manifest.shot_uuid, "name": manifest.shot_name},
        "source": dict(manifest.source), "fps": pair(manifest.fps), "frame_map": manifest.frame_map.to_json(),
        "frames": [f.plate for f in manifest.frame_map.plates], "size": list(manifest.size),
        "crop": [crop.x, crop.y, crop.width, crop.height], "profile": manifest.profile, "quality": manifest.quality,
        "renderer": dict(manifest.renderer),
        "depth": {
            "near": manifest.depth.near, "far": manifest.depth.far, "clipped": manifest.depth.clipped,
            "encoding": "disparity", "unit": "scene unit", "metres_per_unit": manifest.depth.metres_per_unit,
            **({"grey": asdict(manifest.depth.grey)} if manifest.depth.grey is not None else {}),
        },
        "passes": {name: _pass_json(p) for name, p in manifest.passes.items()},
        "videos": {name: _video_json(v) for name, v in manifest.videos.items()},
        "people": [dict(person) for person in manifest.people], "cast": _cast(manifest), "camera": manifest.camera,
        "texts": [{"file": name, "sha256": sha} for name, sha in sorted(manifest.texts.items())],
        "notes": list(manifest.notes),
        "input_hash": manifest.input_hash, "volatile": dict(manifest.volatile), **manifest.extra,
    }  # fmt: skip
    write_document(folder / MANIFEST, PACKAGE_SCHEMA, body)


def _cast(manifest: Manifest) -> list[Json]:
    """Every cast member among the people, with their ids. People of a cast come first, by its names."""
    ids: dict[str, list[Any]] = {}
    for person in manifest.people:
        if person.get("cast"):
            ids.setdefault(str(person["cast"]), []).append(person.get("id"))
    return [{"name": name, "people": found} for name, found in ids.items()]


def load_manifest(folder: Path) -> Manifest:
    """Read and check ``manifest.json`` of a package."""
    fields = read_document(folder / MANIFEST, PACKAGE_SCHEMA)
    shot, depth = fields.section("shot"), fields.section("depth")
    width, height = fields.integers("size", 2)
    known = {name: _read_pass(fields.section("passes").section(name)) for name in fields.mapping("passes")}
    videos = {name: _read_video(fields.section("videos").section(name)) for name in fields.mapping("videos")}
    fields.skip("frames", "cast")
    return Manifest(
        shot_uuid=shot.text("uuid"), shot_name=shot.text("name"), source=fields.mapping("source"),
        fps=fields.fraction("fps"), frame_map=FrameMap.from_json(fields.section("frame_map")), size=(width, height),
        crop=Crop(*fields.integers("crop", 4)), profile=fields.text("profile"), quality=fields.text("quality"),
        renderer=fields.mapping("renderer"),
        depth=_read_depth(depth),
        passes=known, videos=videos, people=fields.mappings("people"), camera=fields.relative_path("camera"),
        input_hash=fields.text("input_hash"), volatile=fields.mapping("volatile", {}),
        texts={text.relative_path("file"): text.text("sha256") for text in fields.sections("texts", [])},
        notes=fields.texts("notes", []), extra=fields.rest(),
    )  # fmt: skip


def _read_depth(fields: Fields) -> DepthInfo:
    found = fields.maybe_mapping("grey")
    grey = Fields(found, "depth.grey") if found is not None else None
    return DepthInfo(
        fields.number("near"), fields.number("far"), fields.number("clipped"), fields.number("metres_per_unit", 1.0),
        grey and GreyInfo(grey.text("encoding"), grey.number("near"), grey.number("far"), grey.number("clipped")),
    )  # fmt: skip


def _pass_json(item: Pass) -> Json:
    return {
        "pattern": item.pattern, "bits": item.bits, "channels": item.channels, "encoding": item.encoding,
        "sha256": list(item.sha256),
    }  # fmt: skip


def _read_pass(fields: Fields) -> Pass:
    pattern = fields.text("pattern")
    if not _PATTERN.fullmatch(pattern) or ".." in pattern or pattern.startswith("/"):
        raise DocumentError(
            f"The manifest names its frames '{pattern}', which is no safe pattern.", "Make the package again."
        )
    return Pass(
        pattern,
        fields.integer("bits"),
        fields.integer("channels"),
        fields.text("encoding"),
        fields.texts("sha256"),
    )


def _video_json(item: Video) -> Json:
    return {
        "file": item.file, "control": item.control, "chunk": item.chunk, "fps": pair(item.fps), "frames": item.frames,
        "codec": item.codec, "range": "limited", "matrix": "bt709", "sha256": item.sha256,
    }  # fmt: skip


def _read_video(fields: Fields) -> Video:
    return Video(
        fields.relative_path("file"), fields.text("control"), fields.integer("chunk"), fields.fraction("fps"),
        fields.integer("frames"), fields.text("codec"), fields.text("sha256"),
    )  # fmt: skip


def save_current(path: Path, package: str) -> None:
    """Write ``package.json``: which package of a shot is current."""
    write_document(path, CURRENT_SCHEMA, {"current": package})


def load_current(path: Path) -> str | None:
    """The current package's folder name, or None when the shot has none yet."""
    return read_document(path, CURRENT_SCHEMA).file_name("current") if path.is_file() else None
