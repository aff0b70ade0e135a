# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels show: one loop at work and what lies in the project. Nothing here waits for either. Needs no bpy.

The loop is a process of its own (the command line) and tells how far it is in a file of JSON lines. The project is read
in short threads. `Desk.tick`, called by a timer, only picks up what is there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from ..errors import HostError, SecondUnitError, storage_error
from .cures import for_panels
from .events import Progressed, Told, follow_events
from .loop_folder import own_loop_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..shot.project import Project
    from ..shot.shot import Blocking
    from .shelf import Shelf

_LOOK_EVERY = 8
"""Ticks between two looks at the project."""
_END_S = 3.0
"""How long a loop is given to put things in order when the extension is disabled."""
_WAITS_S = 3.0
"""How long a thread is waited for then: what it waits for itself is ended, but for a name that is being looked up."""
_NEW_GROUP = 0x00000200 | 0x08000000  # CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW of Windows


@dataclass(frozen=True, slots=True)
class Row:
    """A shot as the list shows it. ``state`` is a few words, ``mark`` one of: empty, guides, running, take, circled."""

    name: str
    camera: str
    first: int
    last: int
    state: str = ""
    mark: str = "empty"


@dataclass(frozen=True, slots=True)
class View:
    """Everything a panel draws.

    ``problem`` is why there are no shots, ``message`` what happened last, ``fix`` what to do about it, ``worries`` what
    the copy that is shot cannot have.
    """

    rows: tuple[Row, ...] = ()
    problem: str = ""
    is_saved: bool = True
    is_running: bool = False
    step: str = ""
    factor: float = 0.0
    note: str = ""
    message: str = ""
    fix: str = ""
    is_error: bool = False
    worries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A loop to be started: the command line of the process, its environment, and where it tells how far it is.

    ``copy`` is the hidden copy of ``original`` that it works on, ``scene`` the name of the layout in it.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    project: Project
    original: Path
    copy: Path
    scene: str

    @property
    def events(self) -> Path:
        """JSON lines of the loop."""
        return self.folder / "events.jsonl"

    @property
    def log(self) -> Path:
        """What the loop says to people."""
        return self.folder / "loop.log"


@dataclass(slots=True)
class Loop:
    """A loop at work."""

    order: Order
    process: subprocess.Popen[bytes]
    told: Told = field(default_factory=Told)
    read: int = 0
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """An edit to be laid in the open file: what it holds (`EditPlan.to_json`) and the scene it was made from."""

    edit: dict[str, Any]
    scene: str


@dataclass(frozen=True, slots=True)
class _Errand:
    """A thread at work, and how it is told to hurry."""

    thread: threading.Thread
    stop: Callable[[], None]


@dataclass(slots=True)
class Desk:
    """One per Blender, from enabling to disabling. ``plan`` is an edit to be laid in the open file.

    ``on_loop_end`` gets a loop that is over and its exit code. ``revive`` is told, in a thread, of a project with open
    jobs, and starts a runner where none is at work.
    """

    on_loop_end: Callable[[Loop, int], None] = lambda _loop, _code: None
    revive: Callable[[Project], None] = lambda _project: None
    view: View = field(default_factory=View)
    loop: Loop | None = None
    plan: Plan | None = None
    _found: SimpleQueue[Callable[[], None]] = field(default_factory=SimpleQueue["Callable[[], None]"])
    _errands: list[_Errand] = field(default_factory=list[_Errand])
    _ticks: int = 0
    _project: Project | None = None
    _shelf: Shelf | None = None

    def begin(self, order: Order, worries: tuple[str, ...] = ()) -> None:
        """Start a loop. Raises `HostError` when one is at work already or the process does not start."""
        if self.loop is not None:
            raise HostError("Second Unit is at work already.", "Wait for it, or cancel it first.")
        group = _NEW_GROUP if os.name == "nt" else 0
        try:
            order.events.touch()
            with order.log.open("wb") as log:
                process = subprocess.Popen(
                    list(order.argv), env=dict(order.env), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    creationflags=group, start_new_session=os.name != "nt",
                )  # fmt: skip
        except OSError as error:
            raise storage_error(error, order.log) from error
        own_loop_folder(order.folder, process.pid)
        self.loop = Loop(order, process)
        self.view = replace(
            self.view, is_running=True, step="Starting", factor=0.0, note="", message="", fix="", is_error=False,
            worries=worries,
        )  # fmt: skip

    def tick(self, blocked: Sequence[Blocking] | SecondUnitError, project: Project | None) -> bool:
        """Pick up what is new; True when the view changed. ``blocked`` are the shots of the scene, or why none."""
        before = self.view
        self._follow()
        with suppress(Empty):
            while True:
                self._found.get_nowait()()
        self._look(project)
        self.view = replace(self.view, is_saved=project is not None)
        if isinstance(blocked, SecondUnitError):
            self.view = replace(self.view, rows=(), problem=for_panels(str(blocked)))
        else:
            rows = _rows(blocked, self._shelf)
            problem = for_panels(self._shelf.problem) if self._shelf else ""
            self.view = replace(self.view, rows=rows, problem=problem)
        return self.view != before

    def say(self, message: str, fix: str = "", *, is_error: bool = False) -> None:
        """Show a message in the panels, and what can be done there about it."""
        self.view = replace(self.view, message=for_panels(message), fix=for_panels(fix), is_error=is_error)

    def ask(self, question: Callable[[], tuple[str, str, bool]], stop: Callable[[], None]) -> None:
        """Answer ``question`` in a thread and show the message, fix and whether it is an error that come back.

        ``stop`` makes the question end soon, whatever it waits for; it is called when the desk closes.
        """
        self._in_thread(lambda: self._answer(question), stop)

    def cancel(self) -> None:
        """Ask the loop to stop; its process puts things in order and ends."""
        if self.loop is not None and not self.loop.is_cancelled:
            self.loop.is_cancelled = True
            _interrupt(self.loop.process)
            self.view = replace(self.view, step="Stopping", note="")

    def close(self) -> None:
        """Stop everything that is ours. The runner of the project is not: it finishes what was sent."""
        if self.loop is not None:
            _interrupt(self.loop.process)
            try:
                self.loop.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self.loop.process.kill()
                self.loop.process.wait()
            self.loop = None
        for errand in self._errands:
            errand.stop()
        for errand in self._errands:
            errand.thread.join(_WAITS_S)
        self._errands.clear()

    def _follow(self) -> None:
        loop = self.loop
        if loop is None:
            return
        code = loop.process.poll()
        loop.read = follow_events(loop.order.events, loop.read, loop.told)
        if code is None:
            self._show(loop.told.progress)
            return
        self.loop = None
        self.view = replace(self.view, is_running=False, step="", factor=0.0, note="")
        self._close_with(loop, code)
        self.on_loop_end(loop, code)

    def _show(self, now: Progressed) -> None:
        if self.loop is not None and not self.loop.is_cancelled and now.step:
            self.view = replace(self.view, step=now.step, factor=now.factor, note=now.note)

    def _close_with(self, loop: Loop, code: int) -> None:
        if loop.is_cancelled:
            self.say("Stopped. What was finished is kept; the next run goes on from there.")
        elif code == 0:
            self.say(loop.told.summary)
        elif loop.told.error is not None:
            self.say(loop.told.error[0], loop.told.error[1], is_error=True)
        else:
            self.say(f"The loop ended with code {code}.", f"Its last words are in '{loop.order.log}'.", is_error=True)

    def _look(self, project: Project | None) -> None:
        self._ticks += 1
        is_due = self._ticks % _LOOK_EVERY == 1
        if self._project != project:
            self._project, self._shelf, is_due = project, None, True
        self._errands = [errand for errand in self._errands if errand.thread.is_alive()]
        if project is None or not is_due or self._errands:
            return
        self._in_thread(lambda: self._read(project), lambda: None)

    def _read(self, project: Project) -> None:
        # in this thread, and not when Blender starts: it takes a while
        from .shelf import read_shelf

        shelf = read_shelf(project)
        self._found.put(lambda: self._put(project, shelf))
        # a project that somebody sent could bring jobs and consent along: for another machine the button is asked
        if shelf.is_work_left and not shelf.is_elsewhere:
            self.revive(project)

    def _put(self, project: Project, shelf: Shelf) -> None:
        if project == self._project:
            self._shelf = shelf

    def _answer(self, question: Callable[[], tuple[str, str, bool]]) -> None:
        message, fix, is_error = question()
        self._found.put(lambda: self.say(message, fix, is_error=is_error))

    def _in_thread(self, work: Callable[[], None], stop: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="second_unit", daemon=True)
        self._errands.append(_Errand(thread, stop))
        thread.start()


def _rows(blocked: Sequence[Blocking], shelf: Shelf | None) -> tuple[Row, ...]:
    states = shelf.states_of(blocked) if shelf else [("", "empty")] * len(blocked)
    shots = zip(blocked, states, strict=True)
    return tuple(Row(b.name, b.camera, b.cut.first, b.cut.last, *state) for b, state in shots)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """Our processes take this for Ctrl-C, which a shell may have taught Blender, and so its children, to ignore."""
    if process.poll() is None:
        process.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGTERM)
