# SPDX-License-Identifier: GPL-3.0-or-later
"""One question at a time, answered in a thread, for what must not be waited for while Blender draws. Needs no bpy."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_WAITS_S = 3.0

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Answerer(Generic[Question, Answer]):
    """Hands questions to ``answer``, which runs in a thread of its own, called ``name``; a new one for each question.

    Everything else is for the one thread that asks (Blender's own), and only `stop` waits. Questions are not queued:
    one that comes while another is being answered is dropped, and whoever asks again and again loses nothing by it.
    A question goes to the thread as it is, so it must not change any more.

    ``answer`` tells what it foresees as part of its answer. What it raises ends its thread: Python reports it
    (`threading.excepthook`), `take` has nothing, and the next question is answered as ever.
    """

    def __init__(self, answer: Callable[[Question], Answer], name: str) -> None:
        self._answer = answer
        self._name = name
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a question waits for its answer."""
        return self._thread is not None and self._thread.is_alive()

    def ask(self, question: Question) -> bool:
        """Begin to answer, unless another question is being answered; says whether it was begun."""
        if self.is_busy:
            return False
        # a daemon: a disk that hangs must not keep Blender from quitting
        self._thread = threading.Thread(target=self._work, args=(question,), name=self._name, daemon=True)
        self._thread.start()
        return True

    def take(self) -> Answer | None:
        """The newest answer since the last call, None when there is none."""
        newest = None
        try:
            while True:
                newest = self._answers.get_nowait()
        except Empty:
            return newest

    def stop(self) -> None:
        """Wait for the thread, three seconds at most. What it answered by then can be taken still."""
        if self._thread is not None:
            self._thread.join(_WAITS_S)
            self._thread = None

    def _work(self, question: Question) -> None:
        self._answers.put(self._answer(question))
