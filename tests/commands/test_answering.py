# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that a thread answers: never two at once, never waited for, and an error costs one answer only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from second_unit.addon.commands.answering import Answerer


class Oracle:
    """Doubles numbers, each when it is let; 0 is one it cannot stand."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.heard: list[tuple[int, str]] = []

    def __call__(self, number: int) -> int:
        self.heard.append((number, threading.current_thread().name))
        self.let.acquire()
        if number == 0:
            raise ZeroDivisionError("no zeros")
        return 2 * number


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    with ExitStack() as last:
        made = Oracle()
        last.callback(made.let.release, 9)
        yield made


def test_the_answer_comes_from_a_thread_and_once(oracle: Oracle) -> None:
    answerer = Answerer(oracle, "delphi")
    assert not answerer.is_busy
    assert answerer.ask(21)
    assert answerer.is_busy
    assert answerer.take() is None
    oracle.let.release()
    answerer.stop()
    assert not answerer.is_busy
    assert [answerer.take(), answerer.take()] == [42, None]
    assert oracle.heard == [(21, "delphi")]


def test_a_question_during_another_is_dropped(oracle: Oracle) -> None:
    answerer = Answerer(oracle, "delphi")
    assert [answerer.ask(number) for number in (1, 2, 3)] == [True, False, False]
    oracle.let.release()
    answerer.stop()
    assert answerer.take() == 2
    assert [number for number, _ in oracle.heard] == [1]


def test_only_the_newest_of_several_answers_is_taken(oracle: Oracle) -> None:
    answerer = Answerer(oracle, "delphi")
    for number in (1, 2):
        oracle.let.release()
        assert answerer.ask(number)
        answerer.stop()
    assert [answerer.take(), answerer.take()] == [4, None]


def test_an_error_is_reported_and_the_next_question_answered(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    answerer = Answerer(oracle, "delphi")
    oracle.let.release(2)
    answerer.ask(0)
    answerer.stop()
    assert [type(report.exc_value) for report in reported] == [ZeroDivisionError]
    assert (answerer.is_busy, answerer.take()) == (False, None)
    assert answerer.ask(5)
    answerer.stop()
    assert answerer.take() == 10
