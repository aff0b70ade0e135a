# SPDX-License-Identifier: GPL-3.0-or-later
"""Rational time: frame ranges and the map from scene frames to what a model gets and gives back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

from ..errors import SceneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .documents import Fields, Json

FIRST_PLATE = 1001


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Scene frames ``first`` to ``last``, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SceneError(
                f"The frame range {self.first}-{self.last} is empty.",
                "Give a range whose first frame is not after its last, such as 1001-1048.",
            )

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, frame: Fraction | int) -> bool:
        return self.first <= frame <= self.last

    def widened(self, handles: tuple[int, int]) -> FrameRange:
        """With ``handles`` (head, tail) frames added."""
        return FrameRange(self.first - handles[0], self.last + handles[1])


class Role(Enum):
    """Why a frame is sent to the model."""

    CUT = "cut"
    HANDLE = "handle"
    PAD = "pad"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class MappedFrame:
    """One model frame: the scene time it shows, why, in which chunk, and the plate it becomes (None: thrown away)."""

    scene: Fraction
    role: Role
    chunk: int
    plate: int | None

    def to_json(self) -> Json:
        """As stored in manifests. The scene time is text: ``1001`` or ``2003/2``."""
        return {"scene": str(self.scene), "role": self.role.value, "chunk": self.chunk, "plate": self.plate}


@dataclass(frozen=True, slots=True)
class FrameRule:
    """Frame counts a model takes: ``step·k + offset``, ``longest`` at most per chunk; chunks share ``overlap``."""

    step: int
    offset: int
    longest: int
    overlap: int

    def padded(self, count: int) -> int:
        """The smallest allowed count that holds ``count`` frames."""
        return max(0, ceil((count - self.offset) / self.step)) * self.step + self.offset


@dataclass(frozen=True, slots=True)
class FrameMap:
    """All model frames of a shot in sending order, chunk after chunk."""

    frames: tuple[MappedFrame, ...]
    resampled: bool = False

    @property
    def chunks(self) -> tuple[tuple[MappedFrame, ...], ...]:
        """The frames of each chunk: what one submission sends."""
        return tuple(tuple(frames) for _, frames in groupby(self.frames, key=lambda f: f.chunk))

    @property
    def plates(self) -> tuple[MappedFrame, ...]:
        """The frames that are kept, in plate order: each plate exactly once."""
        return tuple(sorted((f for f in self.frames if f.plate is not None), key=lambda f: f.plate or 0))

    @property
    def times(self) -> tuple[Fraction, ...]:
        """Every scene time that has to be evaluated, once each, in order."""
        return tuple(sorted({f.scene for f in self.frames}))

    def interpolated(self, cut: FrameRange) -> tuple[int, ...]:
        """Scene frames of ``cut`` that no model frame shows exactly (only after resampling)."""
        shown = {f.scene for f in self.frames}
        return tuple(frame for frame in range(cut.first, cut.last + 1) if frame not in shown)

    def neighbours(self, frame: int) -> tuple[MappedFrame, MappedFrame, Fraction]:
        """The kept frames around a scene frame and the weight of the second: how to bring it back after resampling."""
        kept = self.plates
        before = max((f for f in kept if f.scene <= frame), key=lambda f: f.scene, default=kept[0])
        after = min((f for f in kept if f.scene >= frame), key=lambda f: f.scene, default=kept[-1])
        span = after.scene - before.scene
        return before, after, (frame - before.scene) / span if span else Fraction(0)

    def to_json(self) -> Json:
        """As stored in manifests."""
        return {"resampled": self.resampled, "frames": [f.to_json() for f in self.frames]}

    @classmethod
    def from_json(cls, fields: Fields) -> FrameMap:
        """Back from a manifest."""
        frames = tuple(_mapped(item) for item in fields.sections("frames"))
        return cls(frames, fields.flag("resampled"))


def _mapped(item: Fields) -> MappedFrame:
    role = item.choice("role", Role)
    plate = item.integer("plate") if role in {Role.CUT, Role.HANDLE} else item.maybe_integer("plate")
    return MappedFrame(item.rational("scene"), role, item.integer("chunk"), plate)


def as_is(cut: FrameRange, handles: tuple[int, int], rule: FrameRule) -> FrameMap:
    """Every scene frame is sent and comes back as itself; the model's nominal rate is ignored."""
    wide = cut.widened(handles)
    times = [Fraction(frame) for frame in range(wide.first, wide.last + 1)]
    return FrameMap(_chunked(times, cut, rule))


def resample(
    cut: FrameRange, handles: tuple[int, int], rule: FrameRule, scene_fps: Fraction, model_fps: Fraction
) -> FrameMap:
    """The shot at the model's own rate: scene times ``first + k · scene_fps / model_fps`` until past the last frame."""
    wide = cut.widened(handles)
    step = scene_fps / model_fps
    count = ceil((wide.last - wide.first) / step) + 1
    times = [wide.first + k * step for k in range(count)]
    return FrameMap(_chunked(times, cut, rule), resampled=True)


def _chunked(times: list[Fraction], cut: FrameRange, rule: FrameRule) -> tuple[MappedFrame, ...]:
    frames: list[MappedFrame] = []
    for chunk, (start, stop) in enumerate(_spans(len(times), rule)):
        kept_from = start + (rule.overlap if chunk else 0)
        frames += (_map_one(times, i, cut, chunk, kept_from) for i in range(start, stop))
        spare = rule.padded(stop - start) - (stop - start)
        frames += [MappedFrame(times[stop - 1], Role.PAD, chunk, None)] * spare
    return tuple(frames)


def _map_one(times: list[Fraction], index: int, cut: FrameRange, chunk: int, kept_from: int) -> MappedFrame:
    if index < kept_from:
        return MappedFrame(times[index], Role.OVERLAP, chunk, None)
    role = Role.CUT if times[index] in cut else Role.HANDLE
    return MappedFrame(times[index], role, chunk, FIRST_PLATE + index)


def _spans(count: int, rule: FrameRule) -> Iterable[tuple[int, int]]:
    """Balanced chunks: each begins with the last ``overlap`` frames of the one before and holds at most ``longest``."""
    if rule.padded(count) <= rule.longest:
        return [(0, count)]
    chunks = ceil((count - rule.overlap) / (rule.longest - rule.overlap))
    spans: list[tuple[int, int]] = []
    start = 0
    for left in range(chunks, 0, -1):
        length = min(rule.longest, rule.padded(ceil((count - start + (left - 1) * rule.overlap) / left)))
        stop = min(count, start + length)
        spans.append((start, stop))
        start = stop - rule.overlap
    return spans
