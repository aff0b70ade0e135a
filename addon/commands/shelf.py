# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a project, in a few words per shot. Reads files only; nothing is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import SecondUnitError
from ..generation.jobs.store import JobStore
from ..generation.services.address import parse_address
from ..shot.shot import match_shots
from ..shot.take import list_takes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..generation.jobs.store import Job
    from ..shot.project import Project
    from ..shot.shot import Blocking, Shot

State = tuple[str, str]
"""Words for the artist, and the mark of `desk.Row`."""
_NOTHING: State = ("no guides yet", "empty")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The records, and their ``states`` by uuid; ``problem`` when files are damaged.

    ``is_work_left`` when a job waits for a runner, ``is_elsewhere`` when one of those goes to another machine.
    """

    shots: Sequence[Shot] = ()
    states: Mapping[str, State] = field(default_factory=dict[str, State])
    is_work_left: bool = False
    is_elsewhere: bool = False
    problem: str = ""

    def states_of(self, blocked: Sequence[Blocking]) -> list[State]:
        """The state of every shot of a scene: by its record, for another scene may have a shot of the same name."""
        records = match_shots(blocked, self.shots)
        return [self.states.get(record.uuid, _NOTHING) if record else _NOTHING for record in records]


def read_shelf(project: Project) -> Shelf:
    """Look at the project. A damaged file is told, not raised: the list has to be drawn all the same."""
    try:
        shots, listing = project.shots(), JobStore(project).scan()
        at_work = {job.request.shot_uuid: job for job in listing.jobs if job.is_open}
        states = {shot.uuid: _state(project, shot, at_work.get(shot.uuid)) for shot in shots}
        is_elsewhere = any(not parse_address(job.request.url).is_loopback for job in at_work.values())
    except SecondUnitError as error:
        return Shelf(problem=str(error))
    return Shelf(shots, states, bool(at_work), is_elsewhere, str(listing.problems[0]) if listing.problems else "")


def _state(project: Project, shot: Shot, job: Job | None) -> State:
    paths = project.shot(shot.folder)
    if job is not None:
        return f"{job.state.state.value} {job.state.progress:.0%}", "running"
    takes = list_takes(paths.takes)
    if shot.circle and any(take.name == shot.circle for take in takes):
        return f"{shot.circle} circled", "circled"
    if takes:
        more = f" of {len(takes)}" if len(takes) > 1 else ""
        return f"{takes[-1].name}{more}", "take"
    return ("guides ready", "guides") if paths.current.is_file() else _NOTHING
