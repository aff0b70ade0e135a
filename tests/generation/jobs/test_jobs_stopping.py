# SPDX-License-Identifier: GPL-3.0-or-later
"""What must stop: at a word of the user, without one, and at what is not what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import JobError
from second_unit.addon.shot.documents import digest_file
from second_unit.addon.shot.job import JobState
from second_unit.addon.shot.project import allow_host


def test_cancelled_before_anything_left(stage: Any) -> None:
    job = stage.generate()
    stage.store.request_cancel(job.uuid[:8])
    stage.run()
    assert stage.the_job().state.state is JobState.CANCELLED
    assert stage.cloud.calls == []


@pytest.mark.parametrize("call", ["upload", "submit", "poll", "fetch"])
def test_cancelled_on_the_way_the_service_is_told_and_nothing_stays(stage: Any, call: str) -> None:
    job = stage.generate()

    def stop() -> None:
        if stage.cloud.calls and stage.cloud.calls[-1] == call:
            stage.store.request_cancel(job.uuid)

    stage.cloud.moment = stop
    stage.run()
    assert stage.the_job().state.state is JobState.CANCELLED
    assert stage.takes() == []
    assert not (job.folder / "frames").exists()
    assert bool(stage.cloud.cancelled) == (call != "fetch")
    assert stage.cloud.creates[1] == 0


def test_cancelled_although_the_service_cannot_be_told(stage: Any, fault: Any) -> None:
    job = stage.generate()
    stage.cloud.polls_needed = 3
    stage.cloud.moment = lambda: stage.store.request_cancel(job.uuid) if "poll" in stage.cloud.calls else None
    stage.cloud.faults["cancel"] = [fault("transient") for _ in range(9)]
    stage.run()
    state = stage.the_job().state
    assert state.state is JobState.CANCELLED
    assert "could not be told" in state.what


def test_a_cancelled_job_is_taken_up_by_generating_again(stage: Any) -> None:
    job = stage.generate()
    stage.store.request_cancel(job.uuid)
    stage.run()
    assert stage.generate().uuid == job.uuid
    stage.run()
    stage.assert_one_whole_take()


def test_a_done_job_cannot_be_resumed(stage: Any) -> None:
    job = stage.generate()
    stage.run()
    with pytest.raises(JobError, match="t001"):
        stage.store.revive(job.uuid)


def test_without_consent_nothing_is_asked_of_the_service(stage: Any) -> None:
    job = stage.generate(url="http://gpu.example:8188")
    stage.run()
    state = stage.the_job().state
    assert state.state is JobState.NEEDS_ATTENTION
    assert "gpu.example" in state.what
    assert "--allow-host" in state.fix
    assert stage.cloud.calls == []
    allow_host(stage.project, "gpu.example")
    stage.store.revive(job.uuid)
    stage.run()
    stage.assert_one_whole_take()


def test_a_file_that_changed_after_it_was_recorded_does_not_leave(stage: Any) -> None:
    stage.generate()
    (stage.order.package / "video" / "guide_1.mp4").write_bytes(b"something else")
    stage.run()
    assert "not the file" in stage.the_job().state.what
    assert list(stage.cloud.uploads.values()) == [b"movie of SH010 chunk 0"]


def test_a_job_that_points_outside_the_project_sends_nothing(stage: Any, tmp_path: Path) -> None:
    secret = tmp_path / "id_rsa"
    secret.write_bytes(b"secret")
    job = stage.generate()
    record = job.folder / "submission.json"
    text = record.read_text(encoding="utf-8")
    inside = "SH010/packages/tiny-0123abcd/video/guide_0.mp4"
    assert inside in text
    sha = digest_file(stage.order.package / "video" / "guide_0.mp4")
    record.write_text(text.replace(inside, "../id_rsa").replace(sha, digest_file(secret)), encoding="utf-8")
    stage.run()
    assert stage.cloud.uploads == {}
    assert stage.the_job().state.state is JobState.FAILED


def test_a_job_without_its_package_fails_and_the_next_goes_on(stage: Any) -> None:
    stage.generate()
    good = stage.generate(take_index=1)
    first = stage.store.list()[0]
    request = first.folder / "request.json"
    request.write_text(request.read_text(encoding="utf-8").replace("tiny-0123abcd", "tiny-gone"), encoding="utf-8")
    stage.run()
    jobs = {job.uuid: job.state.state for job in stage.store.list()}
    assert jobs == {first.uuid: JobState.FAILED, good.uuid: JobState.DONE}
