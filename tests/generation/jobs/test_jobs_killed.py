# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed, full, pushed aside: what is on disk is enough to go on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import JobError
from second_unit.addon.generation.jobs.lease import Lease, LeaseHeld
from second_unit.addon.generation.jobs.runner import lease_path
from second_unit.addon.shot.job import JobState, SubmissionState


class Killed(BaseException):
    """The process is gone."""


def kill_at(moment: int) -> Callable[[], None]:
    left = iter(range(moment, -1, -1))

    def step() -> None:
        if next(left, -1) == 0:
            raise Killed

    return step


def arm(patch: pytest.MonkeyPatch, step: Callable[[], None]) -> None:
    """Every renaming is a moment to die at, before and after."""
    for name in ("replace", "rename"):
        real = getattr(Path, name)

        def renamed(self: Path, target: Any, real: Any = real) -> Any:
            step()
            done = real(self, target)
            step()
            return done

        patch.setattr(Path, name, renamed)


def test_killed_at_any_moment_the_next_runner_brings_it_home(
    tmp_path: Path, new_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in count():
        stage = new_stage(tmp_path / str(moment))
        step = kill_at(moment)
        stage.cloud.moment = step
        was_killed = False
        with monkeypatch.context() as patch:
            arm(patch, step)
            try:
                stage.generate()
                stage.run()
            except Killed:
                was_killed = True
                assert len(stage.takes()) in {0, 1}
        stage.cloud.moment = lambda: None
        stage.generate()
        stage.run()
        stage.assert_one_whole_take()
        assert stage.cloud.creates == {0: 1, 1: 1}, f"moment {moment}"
        assert stage.the_job().state.state is JobState.DONE
        if not was_killed:
            assert moment > 60
            return


def test_the_take_is_not_there_until_it_is_complete(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = Path.replace

    def watching(self: Path, target: Any) -> Path:
        if Path(target).name != "take.json":
            seen.append(len(stage.takes()))
        return real(self, target)

    stage.generate()
    monkeypatch.setattr(Path, "replace", watching)
    stage.run()
    # Only the note that the job is done comes after the take.
    assert sum(seen) == 1
    assert seen[-1] == 1


def test_a_full_disk_leaves_the_job_where_it_is_and_no_half_take(
    tmp_path: Path, new_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in count():
        stage = new_stage(tmp_path / str(moment))
        stage.generate()
        real = Path.replace
        left = iter(range(moment, -1, -1))
        is_full = False

        def full(self: Path, target: Any, real: Any = real, left: Any = left) -> Path:
            nonlocal is_full
            is_full = is_full or next(left, -1) == 0
            if is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            report = stage.run()
        if not is_full:
            assert moment > 20
            return
        ((_, error),) = report.waiting
        assert "full" in error.what
        assert "Free some space" in error.fix
        has_take = bool(stage.takes())
        assert stage.the_job().is_open
        stage.run()
        stage.assert_one_whole_take()
        assert has_take <= (stage.the_job().state.state is JobState.DONE)
        assert stage.cloud.creates == {0: 1, 1: 1}


def test_one_runner_per_project(stage: Any) -> None:
    other = Lease(lease_path(stage.project))
    other.acquire()
    with pytest.raises(LeaseHeld):
        stage.run()
    other.release()
    stage.run()


def test_a_runner_whose_lease_was_taken_touches_nothing_more(stage: Any) -> None:
    stage.generate()
    runner = stage.runner()

    def steal() -> None:
        if "submit" in stage.cloud.calls:
            runner._lease.is_lost = True

    stage.cloud.moment = steal
    with pytest.raises(JobError, match="took over"):
        runner.run_until_idle()
    assert stage.the_job().state.submissions[0].state is JobState.UPLOADING
    stage.cloud.moment = lambda: None
    stage.run()
    stage.assert_one_whole_take()
    assert stage.cloud.creates == {0: 1, 1: 1}


def test_a_job_that_comes_while_the_lease_is_given_back_is_done_too(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Lease.release
    late: list[Any] = []

    def release(self: Lease) -> None:
        if not late:
            late.append(stage.generate())
        real(self)

    monkeypatch.setattr(Lease, "release", release)
    stage.run()
    stage.assert_one_whole_take()


def test_frames_that_vanished_before_the_take_are_fetched_again(stage: Any) -> None:
    job = stage.generate()
    stage.run()
    import shutil

    (stage.takes_folder / "t001" / "take.json").unlink()
    shutil.rmtree(stage.takes_folder / "t001" / "frames")
    subs = tuple(SubmissionState(s.chunk, JobState.DONE, s.ticket) for s in stage.the_job().state.submissions)
    from dataclasses import replace

    job = stage.the_job()
    stage.store.save_state(job, replace(job.state, state=JobState.ASSEMBLING, submissions=subs, take=None))
    stage.run()
    assert [take.name for take in stage.takes()] == ["t002"]
    assert stage.cloud.creates == {0: 1, 1: 1}
