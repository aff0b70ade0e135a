# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that a thread answers: never two at once, never waited for, and an error costs one answer only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from second_unit.addon.commands.answering import Answerer
from second_unit.addon.host.unforeseen import name_of


class Oracle:
    """Doubles numbers, each when it is let; 0 is one it cannot stand, and below it gives up."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.heard: list[tuple[int, str]] = []

    def __call__(self, number: int) -> int:
        self.heard.append((number, threading.current_thread().name))
        self.let.acquire()
        if number == 0:
            raise ZeroDivisionError("no zeros")
        if number < 0:
            raise SystemExit
        return 2 * number


def made(oracle: Oracle) -> Answerer[int, int | str]:
    """Its errors come as text, with the question."""
    return Answerer(oracle, lambda number, error: f"{number}: {name_of(error)}", "delphi")


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    with ExitStack() as last:
        oracle = Oracle()
        last.callback(oracle.let.release, 9)
        yield oracle


def test_the_answer_comes_from_a_thread_and_once(oracle: Oracle) -> None:
    answerer = made(oracle)
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
    answerer = made(oracle)
    assert [answerer.ask(number) for number in (1, 2, 3)] == [True, False, False]
    oracle.let.release()
    answerer.stop()
    assert answerer.take() == 2
    assert [number for number, _ in oracle.heard] == [1]


def test_only_the_newest_of_several_answers_is_taken(oracle: Oracle) -> None:
    answerer = made(oracle)
    for number in (1, 2):
        oracle.let.release()
        assert answerer.ask(number)
        answerer.stop()
    assert [answerer.take(), answerer.take()] == [4, None]


def test_an_error_is_the_answer_and_the_next_question_answered(oracle: Oracle) -> None:
    answerer = made(oracle)
    oracle.let.release(2)
    answerer.ask(0)
    answerer.stop()
    assert [answerer.is_busy, answerer.take(), answerer.take()] == [False, "0: ZeroDivisionError: no zeros", None]
    assert answerer.ask(5)
    answerer.stop()
    assert answerer.take() == 10


def test_the_same_error_is_reported_once_until_it_is_over(oracle: Oracle, caplog: pytest.LogCaptureFixture) -> None:
    answerer = made(oracle)
    reports: list[int] = []
    for number in (0, 0, 0, 5, 0):
        oracle.let.release()
        answerer.ask(number)
        answerer.stop()
        reports.append(len(caplog.records))
    assert reports == [1, 1, 1, 1, 2]
    assert "delphi" in caplog.text
    assert "Traceback" in caplog.text


def test_what_ends_a_thread_on_purpose_is_no_answer(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", ended.append)
    answerer = made(oracle)
    oracle.let.release(2)
    answerer.ask(-1)
    answerer.stop()
    assert [each.exc_type for each in ended] == [SystemExit]
    assert (answerer.is_busy, answerer.take()) == (False, None)
    assert answerer.ask(5)
    answerer.stop()
    assert answerer.take() == 10
