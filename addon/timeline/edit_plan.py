# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edit should hold, worked out without Blender: one strip per shot at its frames."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ..shot.documents import digest, pair, stable_json
from ..shot.timing import FrameRange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..shot.camera import Crop
    from ..shot.documents import Fields, Json
    from ..shot.shot import Blocking, Shot
    from ..shot.take import Take
    from ..shot.timing import FrameMap

EDIT_SCENE = "Second Unit Edit"
CHANNELS = ("Sound", "Playblast", "Takes", "Alternates", "Grade")


@dataclass(frozen=True, slots=True)
class StripPlan:
    """One shot in the edit. ``files`` are relative to the project, one per plate, handles included.

    ``start`` is the scene frame of the first plate, ``cut`` what is shown; ``scale`` brings the plate to the edit size.
    """

    shot_uuid: str
    name: str
    take_uuid: str
    files: tuple[str, ...]
    start: int
    cut: FrameRange
    scale: float

    @property
    def key(self) -> str:
        """Equal for equal content: a strip whose key has not changed is left alone, trims and all."""
        return digest(stable_json([self.take_uuid, self.place, len(self.files)]).encode())

    @property
    def place(self) -> str:
        """Where the strip lies and how large: another take in the same place changes files only."""
        return f"{self.start} {self.cut.first}-{self.cut.last} x{self.scale!r}"

    def to_json(self) -> Json:
        """As sent to the host."""
        return {
            "shot": self.shot_uuid, "name": self.name, "take": self.take_uuid, "files": list(self.files),
            "start": self.start, "cut": [self.cut.first, self.cut.last], "scale": self.scale, "key": self.key,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EditPlan:
    """The whole cut."""

    fps: Fraction
    size: tuple[int, int]
    frames: FrameRange
    strips: tuple[StripPlan, ...]

    def to_json(self) -> Json:
        """As sent to the host."""
        return {
            "scene": EDIT_SCENE, "channels": list(CHANNELS), "fps": pair(self.fps), "size": list(self.size),
            "frames": [self.frames.first, self.frames.last], "strips": [s.to_json() for s in self.strips],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CutShot:
    """A shot with the take to be shown, ready for the edit."""

    shot: Shot
    blocking: Blocking
    take: Take
    take_folder: Path
    frame_map: FrameMap
    crop: Crop


def plan_edit(shots: Sequence[CutShot], fps: Fraction, frames: FrameRange, project: Path) -> EditPlan:
    """The edit of all shots that have a take, at the largest crop among them."""
    size = max(((s.crop.width, s.crop.height) for s in shots), key=lambda s: s[0] * s[1])
    return EditPlan(fps, size, frames, tuple(_strip(s, size, project) for s in shots))


def _strip(cut_shot: CutShot, size: tuple[int, int], project: Path) -> StripPlan:
    take, folder = cut_shot.take, cut_shot.take_folder
    files = [take.frame_file(folder, plate).relative_to(project).as_posix() for plate in take.plates]
    start = int(cut_shot.frame_map.plates[0].scene)
    shown = _shown(cut_shot.blocking.cut, FrameRange(start, start + len(files) - 1))
    scale = size[0] / cut_shot.crop.width
    return StripPlan(cut_shot.shot.uuid, cut_shot.shot.name, take.uuid, tuple(files), start, shown, scale)


def _shown(cut: FrameRange, plates: FrameRange) -> FrameRange:
    """The part of the cut the take has frames for; a take from before the shot moved away stays where it was."""
    first, last = max(cut.first, plates.first), min(cut.last, plates.last)
    return FrameRange(first, last) if first <= last else plates


def read_strip(fields: Fields) -> StripPlan:
    """Back from JSON, at the host."""
    first, last = fields.integers("cut", 2)
    return StripPlan(
        fields.text("shot"), fields.text("name"), fields.text("take"), fields.texts("files"),
        fields.integer("start"), FrameRange(first, last), fields.number("scale"),
    )  # fmt: skip
