# SPDX-License-Identifier: GPL-3.0-or-later
"""One question at a time, answered in a thread, for what must not be waited for while Blender draws. Needs no bpy."""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import SecondUnitError
from ..host.unforeseen import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_WAITS_S = 3.0
_UNFORESEEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError, MemoryError, NameError,
    OSError, RuntimeError, SecondUnitError, TypeError, ValueError,
)  # fmt: skip
"""What code that reads the files of others may raise where nobody thought of it. It is an answer as well."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Answerer(Generic[Question, Answer]):
    """Hands questions to ``answer``, which runs in a thread of its own, called ``name``; a new one for each question.

    Everything else is for the one thread that asks (Blender's own), and only `stop` waits. Questions are not queued:
    one that comes while another is being answered is dropped, and whoever asks again and again loses nothing by it.
    A question goes to the thread as it is, so it must not change any more.

    ``answer`` tells what it foresees as part of its answer. Of what it raises ``fail`` makes the answer to that
    question, in the same thread; the log has one report of it for as long as it stays the same. What is not of
    `_UNFORESEEN` ends the thread without an answer.
    """

    def __init__(
        self, answer: Callable[[Question], Answer], fail: Callable[[Question, Exception], Answer], name: str
    ) -> None:  # fmt: skip
        self._answer = answer
        self._fail = fail
        self._name = name
        self._reported = ""
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
        try:
            answer = self._answer(question)
        except _UNFORESEEN as error:
            self._report(error)
            answer = self._fail(question, error)
        else:
            self._reported = ""
        self._answers.put(answer)

    def _report(self, error: Exception) -> None:
        """Who asks again and again gets the same error again and again."""
        if self._reported != name_of(error):
            self._reported = name_of(error)
            _LOG.error("%s could not answer", self._name, exc_info=error)
