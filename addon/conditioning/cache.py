# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw passes of single frames, by hash: made in any order by any process, pruned at any time.

One folder per frame: ``depth.npy`` (H, W) float32 planar depth, +inf where nothing is; ``person.npz`` (H, W) uint8,
person index + 1 or 0, packed; ``playblast.png``; ``frame.json`` with the camera, the people and the depth statistics.
Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, is_zipfile

import numpy as np

from ..errors import DocumentError, storage_error
from .aside import aside
from .depth import DepthStats
from .png import write_png
from .pose import PosedPerson

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from ..shot.camera import Camera
    from .frame import DrawnFrame

_DEPTH_BYTES = 4
# length, name and check sum of a PNG's last chunk
_PNG_END = 12

# one would do, were nobody else making room at the same time
_ATTEMPTS = 4

# all that a torn or foreign file can raise on its way through json, numpy and our own look-ups
_DAMAGE = (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, BadZipFile)


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame read back. ``camera`` is JSON (see `camera_json`), ``playblast`` a file."""

    depth: npt.NDArray[np.float32]
    person: npt.NDArray[np.uint8]
    playblast: Path
    people: tuple[PosedPerson, ...]
    camera: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FrameCache:
    """Frames below ``root``, one folder per hash, for any number of processes: a folder is complete or not there."""

    root: Path

    def holds(self, key: str) -> bool:
        """Whether the frame is there, whole: a damaged one is drawn again."""
        folder = self.root / key
        try:
            width, height = self._about(key)["camera"]["size"]
            self.stats(key)
            is_depth_whole = (folder / "depth.npy").stat().st_size >= width * height * _DEPTH_BYTES
            return is_depth_whole and is_zipfile(folder / "person.npz") and _ends(folder / "playblast.png")
        except (*_DAMAGE, DocumentError):
            return False

    def store(self, key: str, drawn: DrawnFrame, camera: Camera) -> None:
        """Write a frame aside and rename it. Losing the race against another process is no error."""
        part = aside(self.root / key)
        try:
            part.mkdir(parents=True)
            _write(part / "depth.npy", lambda file: np.save(file, drawn.depth, allow_pickle=False))
            _write(part / "person.npz", lambda file: np.savez_compressed(file, person=drawn.person))
            write_png(part / "playblast.png", drawn.playblast)
            about = {
                "camera": camera_json(camera),
                "people": [_person_json(person) for person in drawn.people],
                "depth": drawn.stats.to_json(),
            }
            (part / "frame.json").write_text(json.dumps(about), encoding="utf-8")
            put_in_place(part, self.root / key, lambda: self.holds(key))
        except OSError as error:
            raise storage_error(error, self.root) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def load(self, key: str) -> RawFrame:
        """Read a frame back; depth stays on disk until it is touched."""
        folder = self.root / key
        try:
            about = self._about(key)
            depth = np.load(folder / "depth.npy", mmap_mode="r", allow_pickle=False)
            with np.load(folder / "person.npz", allow_pickle=False) as masks:
                person = masks["person"]
            people = tuple(_person(item) for item in about["people"])
            return RawFrame(depth, person, folder / "playblast.png", people, about["camera"])
        except _DAMAGE as error:
            raise _damaged(folder) from error

    def stats(self, key: str) -> DepthStats:
        """The depth statistics of a frame, without reading its pictures."""
        try:
            return DepthStats.from_json(self._about(key)["depth"])
        except _DAMAGE as error:
            raise _damaged(self.root / key) from error

    def _about(self, key: str) -> dict[str, Any]:
        return json.loads((self.root / key / "frame.json").read_text(encoding="utf-8"))


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


def _ends(picture: Path) -> bool:
    """Whether a PNG has its last chunk."""
    with picture.open("rb") as file:
        file.seek(-_PNG_END, os.SEEK_END)
        return b"IEND" in file.read()


def _write(path: Path, save: Callable[[BytesIO], None]) -> None:
    """Through memory: numpy's own short write does not say that the disk is full."""
    buffer = BytesIO()
    save(buffer)
    path.write_bytes(buffer.getbuffer())


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
