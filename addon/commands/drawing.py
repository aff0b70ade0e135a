# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a shot drawn by child Blenders, in one piece or in several at once: the result is the same."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from ..conditioning.passes import layers_of
from ..errors import CancelledByUser
from ..host.blender import run_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from ..host.blender import Blender
    from ..shot.ports import Progress

_T = TypeVar("_T")

_FEWEST = 8
"""Frames worth a Blender of their own: its start takes as long as drawing that many."""


@dataclass(frozen=True, slots=True)
class FrameOrder:
    """Which frames of which shot. ``meter`` is the scene frame whose light sets the playblast's exposure."""

    blend: Path
    scene: str | None
    camera: str
    times: tuple[Fraction, ...]
    meter: int
    size: tuple[int, int]
    passes: tuple[str, ...]
    renderer: str
    cache: Path

    def part(self, first: int, stop: int) -> dict[str, object]:
        """The task for the times ``first`` to ``stop`` (excluded), and the time the flow of the last one leads to."""
        times = list(self.times)
        step = times[1] - times[0] if len(times) > 1 else Fraction(1)
        after = times[stop] if stop < len(times) else times[-1] + step
        return {
            "blend": str(self.blend), "scene": self.scene, "camera": self.camera,
            "times": [str(time) for time in self.times[first:stop]], "after": str(after), "meter": self.meter,
            "size": list(self.size), "layers": list(layers_of(self.passes)), "renderer": self.renderer,
            "cache": str(self.cache), "is_part": stop - first < len(times),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the children said: hashes by time, those that follow, and facts that are the same in every part."""

    hashes: Mapping[Fraction, str]
    following: Mapping[Fraction, str]
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Crew:
    """The children of a command. ``stop`` is set as soon as one fails or somebody interrupts."""

    blender: Blender
    pool: Executor
    stop: threading.Event = field(default_factory=threading.Event)

    def watched(self, progress: Progress) -> Progress:
        """The same, but raising once everybody is to stop."""

        def checked(done: float, total: float, note: str = "", /) -> None:
            if self.stop.is_set():
                raise CancelledByUser("Conditioning was stopped.", "Run the same command again to go on from here.")
            progress(done, total, note)

        return checked


def draw_frames(crew: Crew, order: FrameOrder, parts: int, progress: Progress) -> Drawn:
    """Draw every frame that is not known yet, by up to ``parts`` children at once.

    By one where something is simulated without a cache: it would begin anew in the middle of the shot.
    """
    spans = balanced(len(order.times), max(1, min(parts, len(order.times) // _FEWEST)))
    found = _drawn(crew, order, spans, progress)
    if any(part.get("only_whole") for part in found):
        spans = [(0, len(order.times))]
        found = _drawn(crew, order, spans, progress)
    return _merged(order.times, spans, found)


def _drawn(
    crew: Crew, order: FrameOrder, spans: Sequence[tuple[int, int]], progress: Progress
) -> list[dict[str, Any]]:  # fmt: skip
    tracks = _Tracks(crew.watched(progress), len(order.times), len(spans))
    waiting = [
        crew.pool.submit(_run, crew.blender, order.part(*span), tracks.track(i, span)) for i, span in enumerate(spans)
    ]
    return settled(waiting, crew.stop)


def _run(blender: Blender, task: Mapping[str, object], progress: Progress) -> dict[str, Any]:
    """One part; none is begun after everybody was told to stop."""
    progress(0, 1)
    return run_task(blender, "condition", task, progress)


def settled(futures: Sequence[Future[_T]], stop: threading.Event) -> list[_T]:
    """Their results in order. When one fails ``stop`` is set, the others end, and the cause of it all is raised.

    Nobody may cancel these futures: `concurrent.futures.wait` never hears of one that was cancelled in its queue.
    """
    try:
        done, rest = wait(futures, return_when=FIRST_EXCEPTION)
        if any(future.exception() is not None for future in done):
            stop.set()
            wait(rest)
    except BaseException:
        stop.set()
        raise
    return [future.result() for future in _causes_first(futures)]


def _causes_first(futures: Sequence[Future[_T]]) -> Sequence[Future[_T]]:
    """In their order, unless some failed: then what made the others stop comes first."""
    failed = [future for future in futures if future.exception() is not None]
    causes = [future for future in failed if not isinstance(future.exception(), CancelledByUser)]
    return [*causes, *failed] or futures


def balanced(count: int, parts: int) -> list[tuple[int, int]]:
    """``count`` things in ``parts`` runs, none more than one longer than another: (first, stop) each."""
    marks = [count * i // parts for i in range(parts + 1)]
    return list(pairwise(marks))


class _Tracks:
    """One progress out of several that run side by side."""

    def __init__(self, progress: Progress, total: int, parts: int) -> None:
        self._progress, self._total = progress, total
        self._done = [0.0] * parts

    def track(self, part: int, span: tuple[int, int]) -> Progress:
        frames = span[1] - span[0]

        def told(done: float, total: float, note: str = "", /) -> None:
            self._done[part] = done / max(total, 1) * frames
            self._progress(sum(self._done), self._total, note)

        return told


def _merged(times: Sequence[Fraction], spans: Sequence[tuple[int, int]], found: Sequence[Mapping[str, Any]]) -> Drawn:
    hashes: dict[Fraction, str] = {}
    following: dict[Fraction, str] = {}
    for (first, stop), part in zip(spans, found, strict=True):
        hashes.update(zip(times[first:stop], part["hashes"], strict=True))
        following.update(zip(times[first:stop], part.get("following") or [], strict=False))
    notes = dict.fromkeys(note for part in found for note in part.get("notes", ()))
    return Drawn(hashes, following, found[0], tuple(notes))
