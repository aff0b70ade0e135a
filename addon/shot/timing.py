# SPDX-License-Identifier: GPL-3.0-or-later
"""Rational time: frame ranges and the map from scene frames to what a model gets and gives back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

from ..errors import SceneError, UsageError

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
        """With ``handles`` (head, tail) frames added. Raises `SceneError` for a negative count: no cut gets shorter."""
        if min(handles) < 0:
            raise SceneError(
                f"Handles of {handles[0]} and {handles[1]} frames would shorten the cut.", "Give 0 or more frames each."
            )
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
    """Frame counts a model takes: ``step·k + offset``, ``longest`` at most per chunk; chunks share ``overlap``.

    ``longest`` need not be such a count itself (see `limit`). Raises `UsageError` for a rule no shot could follow.
    """

    step: int
    offset: int
    longest: int
    overlap: int

    def __post_init__(self) -> None:
        if self.step < 1 or self.offset < 0 or self.limit < 1:
            raise UsageError(
                f"No frame count is {self.step}n + {self.offset} and from 1 to {self.longest}.",
                "Give a step of 1 or more, an offset of 0 or more, and a longest count that holds one of them.",
            )
        if not 0 <= self.overlap < self.limit:
            raise UsageError(
                f"Chunks of at most {self.limit} frames cannot share {self.overlap} of them.",
                f"Give an overlap from 0 to {self.limit - 1} frames.",
            )

    @property
    def limit(self) -> int:
        """The largest allowed count: ``longest``, or the last one before it. 0 or less when there is none."""
        return self.longest - (self.longest - self.offset) % self.step if self.longest >= self.offset else 0

    def allows(self, count: int) -> bool:
        """Whether a chunk of ``count`` frames may be sent."""
        return 1 <= count <= self.limit and count >= self.offset and (count - self.offset) % self.step == 0

    def padded(self, count: int) -> int:
        """The smallest allowed count that holds ``count`` frames."""
        return max(0, ceil(Fraction(count - self.offset, self.step))) * self.step + self.offset


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

    @property
    def padding(self) -> int:
        """How many frames only fill chunks up."""
        return sum(frame.role is Role.PAD for frame in self.frames)

    def plate_of(self, scene: Fraction | int) -> int | None:
        """The plate that shows this scene time; None for a time no kept frame shows."""
        return next((f.plate for f in self.plates if f.scene == scene), None)

    def place_of(self, plate: int) -> tuple[int, int]:
        """Where a plate comes back: its chunk and its place in it, from 0. Raises `SceneError` for an unknown one."""
        for number, chunk in enumerate(self.chunks):
            for index, frame in enumerate(chunk):
                if frame.plate == plate:
                    return number, index
        raise SceneError(f"The shot has no plate {plate}.", "Make its control package again, then the take.")

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
    if scene_fps <= 0 or model_fps <= 0:
        raise SceneError(
            f"A shot at {scene_fps} frames per second cannot be sent at {model_fps}.", "Give rates above 0."
        )
    wide = cut.widened(handles)
    step = scene_fps / model_fps
    count = ceil((wide.last - wide.first) / step) + 1
    times = [wide.first + k * step for k in range(count)]
    return FrameMap(_chunked(times, cut, rule), resampled=True)


def stills(cut: FrameRange, chosen: Iterable[int]) -> FrameMap:
    """The chosen scene frames of a cut, each sent by itself. A frame's plate is the one it has in the whole cut.

    Raises `SceneError` when nothing, or a frame outside the cut, was chosen.
    """
    frames = sorted(set(chosen))
    outside = [frame for frame in frames if frame not in cut]
    if outside or not frames:
        what = f"Frame {outside[0]} is not in the cut." if outside else "No frame was chosen."
        raise SceneError(what, f"Choose from the frames {cut.first} to {cut.last}.")
    return FrameMap(
        tuple(
            MappedFrame(Fraction(frame), Role.CUT, chunk, FIRST_PLATE + frame - cut.first)
            for chunk, frame in enumerate(frames)
        )
    )


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
    """Balanced chunks: each begins with the last ``overlap`` frames of the one before and is not too long."""
    limit = rule.limit
    if count <= limit:
        return [(0, count)]
    chunks = ceil(Fraction(count - rule.overlap, limit - rule.overlap))
    spans: list[tuple[int, int]] = []
    start = 0
    for left in range(chunks, 0, -1):
        even = ceil(Fraction(count - start + (left - 1) * rule.overlap, left))
        stop = min(count, start + rule.padded(even))
        spans.append((start, stop))
        start = stop - rule.overlap
    return spans
