# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a command wrote with ``--json-file``, as far as it is there."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pathlib import Path

_SHARES = {
    "Conditioning": (0.0, 0.45), "Generating": (0.45, 0.35), "Edit": (0.8, 0.03), "Comp": (0.83, 0.14),
    "Cut movie": (0.97, 0.03),
}  # fmt: skip
"""Where each step of the loop begins and how much of it it is, measured on the example."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a loop is: the step, the part of the whole that is done (0 to 1), and a word about what is at work."""

    step: str = ""
    factor: float = 0.0
    note: str = ""


@dataclass(slots=True)
class Told:
    """What a loop has said so far. ``plan`` is the edit it made, ``jobs`` what it ordered."""

    progress: Progressed = field(default_factory=Progressed)
    error: tuple[str, str] | None = None
    takes: list[str] = field(default_factory=list[str])
    jobs: list[str] = field(default_factory=list[str])
    plan: dict[str, Any] | None = None

    @property
    def summary(self) -> str:
        """One sentence for the artist."""
        if not self.takes:
            return "The edit is up to date." if self.plan else "Done."
        return f"{len(self.takes)} {'take' if len(self.takes) == 1 else 'takes'}: {', '.join(self.takes)}."

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        match event.get("kind"):
            case "progress":
                self.progress = _progressed(event)
            case "error":
                self.error = (str(event.get("what", "")), str(event.get("fix", "")))
            case "take" if event.get("take"):
                self.takes.append(f"{event.get('shot')} {event['take']}")
            case "job":
                self.jobs.append(str(event.get("job", "")))
            case "edit":
                self.plan = event.get("plan")
            case _:
                pass


def _progressed(event: dict[str, Any]) -> Progressed:
    step, done, total = str(event.get("step", "")), event.get("done", 0), event.get("total", 0)
    begin, share = _SHARES.get(step, (0.0, 1.0))
    part = min(1.0, float(done) / float(total)) if total else 0.0
    return Progressed(step, begin + share * part, str(event.get("note", "")))


def follow_events(file: Path, begin: int, told: Told) -> int:
    """Take in the whole lines from byte ``begin`` on; returns where the next look begins."""
    try:
        with file.open("rb") as stream:
            stream.seek(begin)
            new = stream.read()
    except OSError:  # not there yet, or not to be read now: the next look may find it
        return begin
    whole = new[: new.rfind(b"\n") + 1]
    for line in whole.splitlines():
        # a full disk tears lines
        with suppress(ValueError):
            event: object = json.loads(line)
            if isinstance(event, dict):
                told.hear(cast("dict[str, Any]", event))
    return begin + len(whole)
