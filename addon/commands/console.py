# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a command talks: text and progress for people on standard error, JSON lines for programs on standard output."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..errors import storage_error
from ..shot.ports import part_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..shot.ports import Progress

_BAR = 28
_REDRAW_S = 0.1
_RECORD_S = 0.25


@dataclass(frozen=True, slots=True)
class Console:
    """``json`` prints records on ``out``; ``json_file`` writes them to a file; ``quiet`` keeps text for errors only."""

    json: bool = False
    json_file: Path | None = None
    quiet: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def say(self, text: str) -> None:
        """A line for people."""
        if not self.quiet:
            self.err.write(text + "\n")
            self.err.flush()

    def complain(self, text: str) -> None:
        """A line for people that is shown even when quiet."""
        self.err.write(text + "\n")
        self.err.flush()

    def record(self, kind: str, values: Mapping[str, object]) -> None:
        """One JSON object for programs."""
        line = json.dumps({"kind": kind, **values}, ensure_ascii=False) + "\n"
        if self.json:
            self.out.write(line)
            self.out.flush()
        if self.json_file is not None:
            try:
                with self.json_file.open("a", encoding="utf-8") as file:
                    file.write(line)
            except OSError as error:
                raise storage_error(error, self.json_file) from error

    def step(self, title: str) -> Bar:
        """A progress bar for one step of the work."""
        return Bar(self, title)


class Bar:
    """A progress bar that redraws itself on a terminal and prints one closing line elsewhere. Is a `ports.Progress`.

    Programs hear of it in records: ``progress`` (step, done, total, note) at most four times a second and once more at
    the end, then ``step`` (step, result). Several threads may report.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._began = self._drawn = time.monotonic()
        self._live = console.err.isatty() and not console.quiet
        self._lock = threading.Lock()
        self._recorded = -math.inf
        self._unsaid: Mapping[str, object] | None = None

    def __call__(self, done: float, total: float, note: str = "", /) -> None:
        """See `ports.Progress`."""
        now = time.monotonic()
        with self._lock:
            self._record(now, {"step": self._title, "done": done, "total": total, "note": note})
            if self._live and now - self._drawn >= _REDRAW_S:
                self._drawn = now
                self._draw(done, total, note)

    def _record(self, now: float, values: Mapping[str, object]) -> None:
        self._unsaid = values
        if now - self._recorded >= _RECORD_S:
            self._recorded = now
            self._say_rest()

    def _say_rest(self) -> None:
        """The last progress, if nobody heard of it yet."""
        if self._unsaid is not None:
            self._console.record("progress", self._unsaid)
            self._unsaid = None

    def _draw(self, done: float, total: float, note: str) -> None:
        filled = int(_BAR * done / total) if total else 0
        amount = f"{done:.0f}/{total:.0f}" if total > 1 else f"{done:.0%}"
        self._console.err.write(f"\r  {self._title:<22}[{'#' * filled:<{_BAR}}] {amount} {note}\033[K")
        self._console.err.flush()

    def part(self, index: int, count: int, note: str = "") -> Progress:
        """Progress of one of ``count`` equal parts, shown on this bar."""
        return part_of(lambda done, total, detail="", /: self(done, total, detail or note), index / count, 1 / count)

    def finish(self, result: str) -> None:
        """Close the bar with what came of it."""
        took = time.monotonic() - self._began
        start = "\r" if self._live else ""
        end = "\033[K" if self._live else ""
        with self._lock:
            self._say_rest()
            self._console.record("step", {"step": self._title, "result": result})
        self._console.say(f"{start}  {self._title:<22}{result} ({took:.0f} s){end}")
