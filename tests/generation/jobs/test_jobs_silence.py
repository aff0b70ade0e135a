# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that keeps silent: it is said, it is waited for, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from second_unit.addon.generation.services.port import NoAnswer, ServiceUnreachable
from second_unit.addon.shot.job import JobState

CALLS = ["preflight", "upload", "submit", "poll", "fetch"]


def silent(stage: Any, call: str, seconds: float, error: type[NoAnswer] = NoAnswer) -> list[str]:
    """Let ``call`` time out after 30 s each time, until ``seconds`` are over. Returns what the job says meanwhile."""
    said: list[str] = []
    began: list[float] = []

    def enter(name: str, real: Any = stage.cloud.enter) -> None:
        now = sum(stage.slept) + stage.passed
        if name == call:
            began[:] = began or [now]
            if now < began[0] + seconds:
                stage.passed += 30
                said.append(stage.the_job().state.what)
                raise error("It did not answer.", "Wait.")
        real(name)

    stage.cloud.enter = enter
    return said


@pytest.mark.parametrize("call", CALLS)
def test_a_long_silence_is_said_and_survived(stage: Any, call: str) -> None:
    said = silent(stage, call, 500)
    stage.generate()
    stage.run()
    stage.assert_one_whole_take()
    assert said[0] == ""
    assert said[1] == "The service at http://127.0.0.1:8188 has not answered for 30 s, trying again."
    assert len(set(said)) == len(said)
    assert stage.the_job().state.what == ""
    assert stage.cloud.creates == {0: 1, 1: 1}


@pytest.mark.parametrize("call", CALLS)
def test_a_silence_without_end_ends_the_job_which_can_be_resumed(stage: Any, call: str) -> None:
    silent(stage, call, 640)
    job = stage.generate()
    stage.run()
    state = stage.the_job().state
    assert state.state is JobState.FAILED
    assert state.what == "The service at http://127.0.0.1:8188 has not answered for 10 minutes."
    assert "resume" in state.fix
    assert 600 <= sum(stage.slept) + stage.passed < 700
    stage.passed += 100
    stage.store.revive(job.uuid)
    stage.run()
    stage.assert_one_whole_take()
    assert stage.cloud.creates == {0: 1, 1: 1}


def test_a_service_that_goes_away_while_it_works_is_waited_for(stage: Any) -> None:
    said = silent(stage, "poll", 120, ServiceUnreachable)
    stage.generate()
    stage.run()
    stage.assert_one_whole_take()
    assert len(said) > 1


def test_a_job_that_takes_hours_in_the_queue_is_no_silence(stage: Any) -> None:
    stage.cloud.polls_needed = 2000
    stage.generate()
    stage.run()
    stage.assert_one_whole_take()
    assert sum(stage.slept) > 3600


def test_a_long_download_that_moves_is_no_silence(stage: Any) -> None:
    fails = [True]

    def slow(chunk: int, index: int, real: Any = stage.cloud.frame) -> bytes:
        stage.passed += 400
        if index == 4 and chunk == 0 and fails:
            fails.clear()
            raise NoAnswer("It did not answer.", "Wait.")
        return real(chunk, index)

    stage.cloud.frame = slow
    stage.generate()
    stage.run()
    stage.assert_one_whole_take()


def test_a_service_that_asks_to_go_slower_is_said_too(stage: Any, fault: Any) -> None:
    said: list[str] = []
    stage.cloud.faults["poll"] = [fault("rate_limited", 20.0)]
    stage.cloud.moment = lambda: said.append(stage.the_job().state.what)
    stage.generate()
    stage.run()
    assert "It was rate_limited. Trying again." in said


def test_whoever_cancels_does_not_wait_for_a_silent_service(stage: Any) -> None:
    job = stage.generate()

    def stop() -> None:
        if "poll" in stage.cloud.calls:
            stage.store.request_cancel(job.uuid)

    stage.cloud.moment = stop
    silent(stage, "cancel", 10_000)
    stage.run()
    assert stage.the_job().state.state is JobState.CANCELLED
    assert stage.passed + sum(stage.slept) < 120
