# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans of ``condition --dry-run`` as values, for panels. Needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ..errors import SecondUnitError, storage_error
from ..shot.project import load_settings
from ..shot.timing import FrameRange
from .condition import ConditionOptions, condition
from .console import Console
from .context import Context
from .cures import for_panels
from .planning import Planned, Plans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .planning import Scene


@dataclass(frozen=True, slots=True)
class _Listener(Console):
    """In place of a terminal: keeps the plans, and nothing that is a hint for people who type options."""

    heard: list[Planned] = field(default_factory=list[Planned])

    def say(self, text: str) -> None:
        """Nobody reads it."""

    def record(self, kind: str, values: Mapping[str, object]) -> None:
        """Of a plan: its words, as panels have them."""
        if kind == "plan":
            first, last = cast("Sequence[int]", values["cut"])
            lines = tuple(for_panels(line) for line in cast("Sequence[str]", values["sentences"]))
            self.heard.append(Planned(str(values["shot"]), FrameRange(first, last), lines))


def read_plans(scene: Scene) -> Plans:
    """Plan what the button would make now. What cannot be planned or read is told, not raised."""
    listener, project = _Listener(), scene.project
    try:
        context = Context(listener, scene.blend, None, project, load_settings(project), None, dry_run=True)
        condition(context, scene.info, ConditionOptions())
    except SecondUnitError as error:
        return Plans(trouble=for_panels(str(error)))
    except OSError as error:
        return Plans(trouble=for_panels(str(storage_error(error, error.filename or project.root))))
    return Plans(tuple(listener.heard))
