# SPDX-License-Identifier: GPL-3.0-or-later
"""What the delivered picture shows at all: a camera that sees nothing, or nothing but one thing, is soon forgotten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..shot.camera import Crop
from .people.pose import Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    import numpy.typing as npt

    from ..shot.geometry import FrameGeometry
    from .people.pose import PosedPerson

FULL = 0.999
"""Share of the delivered picture from which on a thing fills it."""
_MOST_SAID = 3
_SHOWN = (Visibility.SEEN, Visibility.SELF_OCCLUDED)


@dataclass(frozen=True, slots=True)
class InView:
    """What one frame shows: anything, and the full name of the one object that fills it, "" when none does."""

    anything: bool
    filled_by: str = ""

    def to_json(self) -> dict[str, Any]:
        """As stored with a frame."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> InView:
        """Back from JSON. Raises `KeyError` or `TypeError` for anything else."""
        return cls(bool(document["anything"]), str(document["filled_by"]))


def find_in_view(
    geometry: FrameGeometry, ids: npt.NDArray[np.int32], people: Sequence[PosedPerson], crop: Crop | None = None
) -> InView:
    """Judge a frame by its ``ids`` (H, W) into the instances of ``geometry``, -1 for nothing; holdouts are nothing.

    ``crop`` is the delivered picture, all of it when not given. A figure without a body is something as well.
    """
    height, width = ids.shape
    window = Crop(0, 0, width, height) if crop is None else crop
    shown = ids[window.y : window.y + window.height, window.x : window.x + window.width]
    counts = np.bincount(shown.ravel() + 1, minlength=1)
    pixels: dict[str, int] = {}
    seen = cast("list[int]", np.flatnonzero(counts[1:]).tolist())
    for index in seen:
        one = geometry.instances[index]
        name = one.tag.object or one.key
        pixels[name] = pixels.get(name, 0) + int(counts[index + 1])
    filled = [name for name, count in pixels.items() if count >= FULL * shown.size]
    return InView(bool(pixels) or _has_figure(people, window), filled[0] if filled else "")


def _has_figure(people: Sequence[PosedPerson], window: Crop) -> bool:
    corner, size = (window.x, window.y), (window.width, window.height)
    for person in people:
        inside = person.points[np.isin(person.visibility, _SHOWN)] - corner
        if np.any(np.all((inside >= 0) & (inside < size), axis=1)):
            return True
    return False


def notes_in_view(frames: Sequence[tuple[Fraction, InView | None]]) -> tuple[str, ...]:
    """Sentences about frames in order that show nothing, or nothing but one thing; None is not known.

    One for each object and run of frames, three at most and how many more there are.
    """
    runs = [(view, [time for time, _ in run]) for view, run in groupby(frames, key=lambda frame: frame[1])]
    said = [sentence for view, times in runs if view and (sentence := _sentence(view, times))]
    more = len(said) - _MOST_SAID
    return (*said[:_MOST_SAID], *([f"And {more} more like these."] if more > 0 else []))


def _sentence(view: InView, times: Sequence[Fraction]) -> str:
    first, last = _said(times[0]), _said(times[-1])
    frames = f"frame {first}" if len(times) == 1 else f"frames {first} to {last}"
    if not view.anything:
        return f"Nothing is in view in {frames}: look through the shot's camera."
    if view.filled_by:
        name = f"'{view.filled_by}' fills the whole picture in {frames}"
        return f"{name}: the camera is inside it or right in front of it."
    return ""


def _said(time: Fraction) -> str:
    return str(time) if time.denominator == 1 else f"{float(time):.2f}"
