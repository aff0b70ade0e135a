# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot becomes for a model, known before anything is rendered: frames, sizes, time and disk."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from ..errors import UsageError
from .camera import Crop, crop_for
from .documents import pair
from .profile import Kind

if TYPE_CHECKING:
    from collections.abc import Generator

    from .camera import Delivery
    from .documents import Json
    from .profile import Profile, Quality
    from .timing import FrameMap, FrameRange

_AS_GOOD = 0.998
"""Scales this near to the best are as good: one line more of picture is not worth sixteen of overscan."""

_LEAST = 8
"""Pixels on each side of the delivery frame in the model's picture below which nothing can be told."""


def best_size(profile: Profile, quality: Quality, delivery: Delivery) -> tuple[tuple[int, int], Crop]:
    """The picture size for a delivery frame, and where that frame lies in it.

    Of the sizes the profile allows, with no more pixels than the quality's own and no side past its reach, those that
    show the delivery frame as large as can be (to two parts in a thousand); of them the one with the least overscan.
    Nothing is ever cut off. Raises `UsageError` when no size is left.
    """
    frame = delivery.frame
    shown = {size: _scale(size, frame) for size in _sizes(profile, quality, frame)}
    if not shown:
        raise UsageError(
            f"{profile.title} has no size of at most {quality.area} pixels for '{quality.name}'.",
            "Choose another quality, or give the size with --size.",
        )
    enough = max(shown.values()) * _AS_GOOD
    best = min((s for s in shown if shown[s] >= enough), key=lambda s: (_overscan(s, frame), -shown[s]))
    return best, crop_for(frame, best)


def check_frame(delivery: Delivery, size: tuple[int, int]) -> None:
    """Raise `UsageError` for a frame so long and thin that next to nothing is left of it in a picture of ``size``."""
    crop = crop_for(delivery.frame, size)
    if min(crop.width, crop.height) < _LEAST:
        raise UsageError(
            f"The scene's frame of {delivery.width}x{delivery.height} would be {crop.width}x{crop.height} in a picture "
            f"of {size[0]}x{size[1]}, and each side must be at least {_LEAST} pixels long.",
            "Choose a squarer resolution in the scene's Output, or a larger picture.",
        )


def _scale(size: tuple[int, int], frame: tuple[float, float]) -> float:
    # to nine digits, and so are shares: what is equal must be equal to the last bit
    return round(min(size[0] / frame[0], size[1] / frame[1]), 9)


def _overscan(size: tuple[int, int], frame: tuple[float, float]) -> float:
    """Pixels of the picture for each pixel of the delivery frame in it: 1 when it is filled."""
    across, down = size[0] / frame[0], size[1] / frame[1]
    return round(max(across, down) / min(across, down), 9)


def _sizes(profile: Profile, quality: Quality, frame: tuple[float, float]) -> Generator[tuple[int, int]]:
    """The profile's own sizes when it takes no others; else the tightest around each width and each height."""
    step, reach, ratio = profile.size_multiple, quality.reach, frame[0] / frame[1]
    found = profile.sizes
    if profile.any_size:
        sides = range(step, reach + 1, step)
        found = (
            *((side, _up(side / ratio, step)) for side in sides),
            *((_up(side * ratio, step), side) for side in sides),
        )
    yield from (size for size in found if size[0] * size[1] <= quality.area and max(size) <= reach)


def _up(length: float, step: int) -> int:
    return ceil(round(length / step, 6)) * step


@dataclass(frozen=True, slots=True)
class ShotPlan:
    """One shot before it is rendered.

    ``cut`` are scene frames at ``fps`` scene frames per second; ``chunks`` are the model frames of each submission,
    pads and ``overlap`` included; ``size`` and ``crop`` are pixels, ``disk`` bytes, an estimate from above.
    """

    shot: str
    profile: Profile
    cut: FrameRange
    handles: tuple[int, int]
    fps: Fraction
    resampled: bool
    kept: int
    chunks: tuple[int, ...]
    padding: int
    size: tuple[int, int]
    crop: Crop
    disk: int

    @property
    def seconds(self) -> Fraction:
        """How long the cut lasts, exactly."""
        return len(self.cut) / self.fps

    @property
    def model_frames(self) -> int:
        """All frames the model makes."""
        return sum(self.chunks)

    @property
    def overlap(self) -> int:
        """How many frames neighbouring chunks share; 0 when there is but one chunk."""
        return self.profile.rule.overlap if len(self.chunks) > 1 else 0

    @property
    def overscan(self) -> tuple[int, int]:
        """Pixels beside the delivery frame: on the left and on the right each, above and below each."""
        return self.crop.x, self.crop.y

    def to_json(self) -> Json:
        """For other programs."""
        crop = self.crop
        return {
            "shot": self.shot, "profile": self.profile.name, "cut": [self.cut.first, self.cut.last],
            "handles": list(self.handles), "fps": pair(self.fps), "seconds": pair(self.seconds), "frames": self.kept,
            "model_frames": self.model_frames, "chunks": list(self.chunks), "overlap": self.overlap,
            "padding": self.padding, "size": list(self.size), "crop": [crop.x, crop.y, crop.width, crop.height],
            "bytes": self.disk,
        }  # fmt: skip


def plan_shot(
    shot: str, profile: Profile, cut: FrameRange, handles: tuple[int, int], frame_map: FrameMap, *,
    fps: Fraction, picture: tuple[tuple[int, int], Crop], disk: int,
) -> ShotPlan:  # fmt: skip
    """The plan of a shot whose frames were mapped. ``picture`` is as `best_size` gives it."""
    return ShotPlan(
        shot, profile, cut, handles, fps, frame_map.resampled, len(frame_map.plates),
        tuple(len(chunk) for chunk in frame_map.chunks), frame_map.padding, *picture, disk,
    )  # fmt: skip


def sentences(plan: ShotPlan) -> tuple[str, ...]:
    """The plan for people: what is sent, in which pieces, at which size, and what it takes."""
    return (_said_frames(plan), said_model(plan), _said_size(plan), f"It needs about {_bytes(plan.disk)} of disk.")


def _said_frames(plan: ShotPlan) -> str:
    cut, (head, tail) = plan.cut, plan.handles
    handles = f", with handles of {head} and {tail}" if head or tail else ""
    return (
        f"{plan.shot}: {_count(len(cut), 'scene frame')}, {cut.first} to {cut.last}{handles}; "
        f"{float(plan.seconds):.2f} s at {_rate(plan.fps)} fps."
    )


def said_model(plan: ShotPlan) -> str:
    """What the model makes of a shot, and in which pieces."""
    title, frames, chunks = plan.profile.title, _count(plan.model_frames, "model frame"), plan.chunks
    if plan.profile.kind is Kind.STILL:
        return f"{title} makes {_count(len(chunks), 'still')}, {_said_stills(plan)}"
    sent = "in one submission" if len(chunks) == 1 else f"in {len(chunks)} submissions of {_listed(chunks)}"
    shared = f" that share {_count(plan.overlap, 'frame')}" if plan.overlap else ""
    padded = f"; {_count(plan.padding, 'frame')} at the end to fill up" if plan.padding else ""
    blind = len(chunks) > 1 and not plan.profile.context
    joins = " It does not see the frames before a submission: look at the joins." if blind else ""
    return f"{title} makes {frames} {sent}{shared}{padded}.{joins} {_said_rate(plan)}"


def _said_stills(plan: ShotPlan) -> str:
    first, last = plan.cut.first - plan.handles[0], plan.cut.last + plan.handles[1]
    if first == last:
        return f"of frame {first}."
    return f"one of each frame from {first} to {last}."


def _said_rate(plan: ShotPlan) -> str:
    rate = _rate(plan.profile.fps)
    if plan.resampled:
        return f"The shot is resampled to {rate} fps and comes back through interpolated frames."
    if plan.profile.fps == plan.fps:
        return "Every scene frame comes back as itself."
    return f"Every scene frame comes back as itself; the model's own {rate} fps is not used."


def _said_size(plan: ShotPlan) -> str:
    picture, crop = f"Pictures are {plan.size[0]}x{plan.size[1]}", plan.crop
    if (crop.width, crop.height) == plan.size:
        return f"{picture}, all of it the delivery frame."
    across, down = plan.overscan
    sides = [f"{across} px left and right"] * bool(across) + [f"{down} px above and below"] * bool(down)
    return f"{picture}; {crop.width}x{crop.height} of it is the delivery frame, {' and '.join(sides)} is overscan."


def _listed(chunks: tuple[int, ...]) -> str:
    """``81`` when all are alike, else ``61, 61 and 57``."""
    if len(set(chunks)) == 1:
        return f"{chunks[0]} each"
    return f"{', '.join(str(count) for count in chunks[:-1])} and {chunks[-1]}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _rate(fps: Fraction) -> str:
    """``24`` or ``23.976``."""
    return str(fps) if fps.denominator == 1 else f"{float(fps):.3f}"


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
