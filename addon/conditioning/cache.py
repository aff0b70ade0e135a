# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw passes of single frames, by hash: made in any order by any process, pruned at any time.

One folder per frame: ``depth.npy`` (H, W) float32 planar depth, +inf where nothing is; ``person.npz`` (H, W) uint8,
person index + 1 or 0, packed; ``frame.json`` with the camera, the people, the depth statistics
and what is in view.
Further layers are there when somebody asked for them, each in a file of its own (`EXTRAS`). Every file carries a check
sum. Nothing is pickled.
"""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from ..errors import DocumentError, storage_error
from ..shot.geometry import Tag
from .files.aside import aside
from .files.layers import is_whole, packed, plain, read_beyond, read_packed, read_plain, write, write_aside
from .files.png import encode_png
from .in_view import InView
from .people.pose import PosedPerson
from .pictures.depth import DepthStats
from .pictures.flow_picture import largest_radius

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy.typing as npt

    from ..shot.camera import Camera
    from .drawing.frame import DrawnFrame
    from .files.layers import Pieces

_NORMAL, _TAG, _FLOW = "normal", "tag", "flow"
_PICTURES = ("playblast", "lineart", "softedge")
EXTRAS = (_NORMAL, _TAG, *_PICTURES)
"""Layers drawn on demand, beside ``flow``, which belongs to a frame and its next one.

``normal`` (3, H, W) float16 camera space; ``tag`` (H, W) uint16, index + 1 into the frame's table of `Tag`, or 0;
``playblast`` (H, W, 3), ``lineart`` and ``softedge`` (H, W) uint8; ``flow`` (2, H, W) float32 pixels to the next
frame, y down, with its `largest_radius` behind it.
"""

_SUFFIXES = {_NORMAL: ".npy", _TAG: ".npz", **dict.fromkeys(_PICTURES, ".png")}
_BASE = ("depth.npy", "person.npz")
_SUM = "sum"
_LONGEST = struct.Struct("<d")

# one would do, were nobody else making room at the same time
_ATTEMPTS = 4

# all that a torn or foreign file can raise on its way through json, numpy and our own look-ups
_DAMAGE = (
    OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, BadZipFile, RuntimeError,
    MemoryError, zlib.error, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame read back from ``folder``. ``camera`` is JSON (see `camera_json`)."""

    folder: Path
    depth: npt.NDArray[np.float32]
    person: npt.NDArray[np.uint8]
    people: tuple[PosedPerson, ...]
    camera: dict[str, Any]

    def normal(self) -> npt.NDArray[np.float16]:
        """Normals (H, W, 3) float16 as drawn: camera space (x right, y down, z forward), 0 for nothing. By planes."""
        return np.moveaxis(self._read(lambda: read_plain(self.folder / "normal.npy")), 0, -1)

    def tags(self) -> tuple[npt.NDArray[np.uint16], list[Tag]]:
        """Which tag every pixel shows, (H, W) uint16 with index + 1 or 0, and the tags."""
        ids, table = self._read(lambda: read_packed(self.folder / "tag.npz", "tag", "table"))
        return ids, self._read(lambda: _tags(table))

    def picture(self, name: str) -> Path:
        """The file of ``playblast``, ``lineart`` or ``softedge``."""
        return self.folder / f"{name}.png"

    def flow(self, following: str) -> npt.NDArray[np.float32]:
        """Flow (H, W, 2) to the frame whose hash is ``following``. By planes."""
        return np.moveaxis(self._read(lambda: read_plain(self.folder / _flow_file(following))), 0, -1)

    def _read(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except _DAMAGE as error:
            raise _damaged(self.folder) from error


@dataclass(frozen=True, slots=True)
class FrameCache:
    """Frames below ``root``, one folder per hash, for any number of processes: a folder is complete or not there."""

    root: Path

    def holds(self, key: str, extras: Collection[str] = (), following: str = "") -> bool:
        """Whether the frame is there, as it was written, with ``extras`` and its flow to ``following``."""
        flow = [_flow_file(following)] if following else []
        return self.missing(key, extras) is None and all(self._is_whole(key, name) for name in flow)

    def missing(self, key: str, extras: Collection[str] = ()) -> tuple[str, ...] | None:
        """Which of ``extras`` are to be drawn: all where the frame is not there; None where nothing is to be done.

        What is damaged is not there.
        """
        if not (self._is_sound(key) and all(self._is_whole(key, name) for name in _BASE)):
            return tuple(extras)
        return tuple(name for name in extras if not self._is_whole(key, f"{name}{_SUFFIXES[name]}")) or None

    def _is_sound(self, key: str) -> bool:
        """Whether ``frame.json`` is as it was written."""
        try:
            about = self._about(key)
            return about.pop(_SUM) == _sum_of(about)
        except _DAMAGE:
            return False

    def _is_whole(self, key: str, name: str) -> bool:
        try:
            return is_whole(self.root / key / name)
        except OSError:
            return False

    def store(self, key: str, drawn: DrawnFrame, camera: Camera) -> None:
        """Write a frame aside and rename it. Losing the race against another process is no error."""
        part = aside(self.root / key)
        try:
            if not self.holds(key):
                part.mkdir(parents=True)
                _write_base(part, drawn, camera)
                put_in_place(part, self.root / key, lambda: self.holds(key))
            for name, data in _extras(drawn):
                write_aside(self.root / key / name, data)
        except OSError as error:
            raise storage_error(error, self.root) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def store_flow(self, key: str, following: str, flow: npt.NDArray[np.float32]) -> None:
        """Add the flow (H, W, 2) from the frame ``key`` to the frame ``following``."""
        try:
            longest = _LONGEST.pack(largest_radius(flow))
            write_aside(self.root / key / _flow_file(following), plain(np.moveaxis(flow, -1, 0), longest))
        except OSError as error:
            raise storage_error(error, self.root) from error

    def load(self, key: str) -> RawFrame:
        """Read a frame back; depth stays on disk until it is touched."""
        folder = self.root / key
        try:
            about = self._about(key)
            depth = read_plain(folder / "depth.npy")
            (person,) = read_packed(folder / "person.npz", "person")
            people = tuple(_person(item) for item in about["people"])
            return RawFrame(folder, depth, person, people, about["camera"])
        except _DAMAGE as error:
            raise _damaged(folder) from error

    def stats(self, key: str) -> DepthStats:
        """The depth statistics of a frame, without reading its pictures."""
        try:
            return DepthStats.from_json(self._about(key)["depth"])
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def people(self, key: str) -> tuple[PosedPerson, ...]:
        """The people of a frame, without reading its pictures."""
        try:
            return tuple(_person(item) for item in self._about(key)["people"])
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def camera(self, key: str) -> Mapping[str, Any]:
        """The camera of a frame as `camera_json` has it."""
        try:
            return self._about(key)["camera"]
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def in_view(self, key: str) -> InView | None:
        """What a frame shows, without reading its pictures; None for one that was stored before that was kept."""
        try:
            found = self._about(key).get("view")
            return found and InView.from_json(found)
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def tags(self, key: str) -> list[Tag]:
        """The tags that are seen in a frame, without reading where."""
        try:
            (table,) = read_packed(self.root / key / "tag.npz", "table")
            return _tags(table)
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def longest_motion(self, key: str, following: str) -> float:
        """The `largest_radius` of a frame's flow, in pixels, as a rule without reading that flow."""
        try:
            kept = read_beyond(self.root / key / _flow_file(following))
            return _LONGEST.unpack(kept)[0] if kept else largest_radius(self.load(key).flow(following))
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def _about(self, key: str) -> dict[str, Any]:
        return json.loads((self.root / key / "frame.json").read_text(encoding="utf-8"))


def _flow_file(following: str) -> str:
    return f"{_FLOW}-{following[:16]}.npy"


def _write_base(folder: Path, drawn: DrawnFrame, camera: Camera) -> None:
    about: dict[str, Any] = {
        "camera": camera_json(camera),
        "people": [_person_json(person) for person in drawn.people],
        "depth": drawn.stats.to_json(),
        "view": drawn.view.to_json(),
    }
    about[_SUM] = _sum_of(about)
    write(folder / "depth.npy", plain(drawn.depth))
    write(folder / "person.npz", packed(person=drawn.person))
    (folder / "frame.json").write_text(json.dumps(about), encoding="utf-8")


def _sum_of(about: dict[str, Any]) -> int:
    """Check sum of what is written about a frame; numbers in JSON come back as they were."""
    return zlib.crc32(json.dumps(about).encode())


def _extras(drawn: DrawnFrame) -> list[tuple[str, Pieces]]:
    """File names and contents of the layers that were drawn on demand."""
    files: list[tuple[str, Pieces]] = []
    if _NORMAL in drawn.extras:
        files.append(("normal.npy", plain(np.moveaxis(drawn.normal, -1, 0).astype(np.float16))))
    if drawn.tags is not None:
        ids, table = drawn.tags
        files.append(("tag.npz", packed(tag=ids, table=_table(table))))
    files += [(f"{name}.png", (encode_png(picture),)) for name, picture in drawn.pictures.items()]
    return files


def _table(tags: Sequence[Tag]) -> npt.NDArray[np.uint8]:
    """Tags as JSON in bytes: text in numpy's own arrays would be padded to the longest."""
    rows = [[tag.object, list(tag.collections), tag.label, tag.cast] for tag in tags]
    return np.frombuffer(json.dumps(rows).encode(), np.uint8)


def _tags(table: npt.NDArray[np.uint8]) -> list[Tag]:
    rows = json.loads(table.tobytes())
    return [Tag(name, tuple(collections), label, cast) for name, collections, label, cast in rows]


def put_in_place(part: Path, target: Path, is_whole: Callable[[], bool]) -> None:
    """Rename the finished folder ``part`` to ``target``, which ``is_whole`` judges when something is there already.

    Others may do the same at the same time. What is whole stays, and ``part`` is left to its maker; what is broken
    (half deleted, half copied) makes room. Raises `OSError` only when the disk refuses.
    """
    for _ in range(_ATTEMPTS):
        if is_whole():
            return
        try:
            part.rename(target)
        except OSError:
            if not is_whole():
                _make_room(target)
        else:
            return
    if not is_whole():
        part.rename(target)


def _make_room(target: Path) -> None:
    """Move a broken folder to a hidden name and delete it there: nobody ever sees it half gone."""
    broken = aside(target)
    with suppress(FileNotFoundError):  # another process was quicker
        target.rename(broken)
    shutil.rmtree(broken, ignore_errors=True)


def _person_json(person: PosedPerson) -> dict[str, Any]:
    """Joints as [column, row, depth, visibility]; what is not finite becomes null, because JSON has no NaN."""
    rows = np.column_stack([person.points, person.z]).tolist()
    joints = [
        [*(v if np.isfinite(v) else None for v in row), int(c)] for row, c in zip(rows, person.visibility, strict=True)
    ]
    return {"key": person.key, "joints": joints}


def _person(item: dict[str, Any]) -> PosedPerson:
    joints = np.array([[np.nan if v is None else v for v in joint] for joint in item["joints"]], dtype=np.float64)
    return PosedPerson(item["key"], joints[:, :2], joints[:, 2], joints[:, 3].astype(np.int8))


def _damaged(folder: Path) -> DocumentError:
    return DocumentError(
        f"The cached frame '{folder}' is damaged.", "Delete that folder and run 'second-unit condition' again."
    )


def camera_json(camera: Camera) -> dict[str, Any]:
    """A camera as stored: intrinsics in pixels, ``world_to_camera`` in OpenCV axes, the lens as on a camera report."""
    lens = camera.lens
    return {
        "size": [camera.width, camera.height], "fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy,
        "near": camera.near, "far": camera.far, "orthographic": camera.orthographic,
        "world_to_camera": camera.world_to_camera.tolist(),
        "lens": lens and {
            "focal_mm": lens.focal_mm, "sensor_mm": lens.sensor_mm, "f_stop": lens.f_stop, "focus_m": lens.focus_m,
        },
    }  # fmt: skip
