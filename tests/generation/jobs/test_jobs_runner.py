# SPDX-License-Identifier: GPL-3.0-or-later
"""From an order to a take, whatever happens on the way."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from second_unit.addon.errors import JobError, UsageError
from second_unit.addon.generation.jobs.lease import Lease, LeaseHeld
from second_unit.addon.generation.jobs.runner import lease_path
from second_unit.addon.generation.services.port import Answer, ServiceUnreachable, Status
from second_unit.addon.shot.documents import digest_file
from second_unit.addon.shot.job import JobState, SubmissionState
from second_unit.addon.shot.project import allow_host


class Killed(BaseException):
    """The process is gone."""


def assert_one_whole_take(stage: Any) -> None:
    (take,) = stage.takes()
    folder = stage.takes_folder / take.name
    assert take.plates == tuple(f.plate for f in stage.manifest.frame_map.plates)
    files = [folder / "frames" / f"SH010.t001.{plate}.png" for plate in take.plates]
    assert sorted((folder / "frames").iterdir()) == files
    assert [digest_file(file) for file in files] == list(take.sha256)
    assert sorted(path.name for path in stage.takes_folder.iterdir()) == ["t001"]
    assert sorted(path.name for path in folder.iterdir()) == ["frames", "take.json", "thumbnails"]


def test_a_job_of_two_chunks_becomes_one_take_with_the_right_frames(stage: Any, draw: Any) -> None:
    chunks = stage.manifest.frame_map.chunks
    assert len(chunks) == 2
    job = stage.generate()
    report = stage.run()
    assert [j.state.state for j in report.ended] == [JobState.DONE]
    assert_one_whole_take(stage)
    sent = [(c, i, f.plate) for c, frames in enumerate(chunks) for i, f in enumerate(frames) if f.plate]
    (take,) = stage.takes()
    for chunk, index, plate in sent:
        file = take.frame_file(stage.takes_folder / "t001", plate)
        assert file.read_bytes() == draw(20 * chunk + index + 1)
    assert take.job == job.uuid
    assert take.brief.prompt == "a red fox"
    assert take.size == (48, 32)
    assert stage.cloud.creates == {0: 1, 1: 1}


def test_the_thumbnail_is_the_middle_frame_320_pixels_wide(stage: Any) -> None:
    stage.generate()
    stage.run()
    (file,) = (stage.takes_folder / "t001" / "thumbnails").iterdir()
    assert file.name == "SH010.t001.1004.jpg"
    with Image.open(file) as image:
        assert image.format == "JPEG"
        assert image.width == 320


def test_generating_the_same_again_makes_neither_job_nor_take(stage: Any) -> None:
    first = stage.generate()
    assert stage.generate().uuid == first.uuid
    stage.run()
    again = stage.generate()
    stage.run()
    assert again.uuid == first.uuid
    assert len(stage.takes()) == 1
    assert stage.cloud.creates == {0: 1, 1: 1}


def test_other_takes_and_other_words_are_other_jobs(stage: Any) -> None:
    from dataclasses import replace

    briefs = [stage.order.brief, replace(stage.order.brief, prompt="a blue fox")]
    jobs = {stage.generate(brief=brief, take_index=i).uuid for brief in briefs for i in range(2)}
    assert len(jobs) == 4
    stage.run()
    assert [take.name for take in stage.takes()] == ["t001", "t002", "t003", "t004"]
    assert sorted(take.brief.seed for take in stage.takes()) == [5, 5, 6, 6]


def test_a_removed_take_can_be_generated_again(stage: Any) -> None:
    stage.generate()
    stage.run()
    (stage.takes_folder / "t001" / "take.json").unlink()
    stage.generate()
    stage.run()
    assert [take.name for take in stage.takes()] == ["t002"]


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
        assert_one_whole_take(stage)
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
        assert_one_whole_take(stage)
        assert has_take <= (stage.the_job().state.state is JobState.DONE)
        assert stage.cloud.creates == {0: 1, 1: 1}


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (lambda draw, _c, _i: draw(9, (16, 16)), "16x16"),
        (lambda draw, c, i: draw(c + i + 1)[:-40], "damaged"),
        (lambda _draw, _c, _i: b"<html>log in</html>", "damaged"),
        (lambda _draw, _c, _i: b"", "damaged"),
    ],
)
def test_frames_that_are_not_what_was_asked_for_make_no_take(stage: Any, draw: Any, frame: Any, word: str) -> None:
    stage.cloud.frame = lambda chunk, index: frame(draw, chunk, index)
    stage.generate()
    stage.run()
    state = stage.the_job().state
    assert state.state is JobState.FAILED
    assert word in state.what
    assert state.fix
    assert stage.takes() == []


def test_a_frame_damaged_on_the_way_is_fetched_again(stage: Any, draw: Any) -> None:
    damaged = [draw(3)[:60]]

    def frame(chunk: int, index: int) -> bytes:
        return damaged.pop() if damaged and index == 2 else draw(20 * chunk + index + 1)

    stage.cloud.frame = frame
    stage.generate()
    stage.run()
    assert_one_whole_take(stage)


def black(size: tuple[int, int] = (48, 32)) -> bytes:
    import io

    data = io.BytesIO()
    Image.new("RGB", size).save(data, "PNG")
    return data.getvalue()


def test_nothing_but_black_is_refused_and_a_fade_to_black_is_not(stage: Any, draw: Any) -> None:
    stage.cloud.frame = lambda _c, _i: black()
    job = stage.generate()
    stage.run()
    assert "black" in stage.the_job().state.what
    stage.cloud.frame = lambda c, i: black() if i == 0 else draw(20 * c + i + 1)
    stage.store.revive(job.uuid)
    stage.run()
    assert_one_whole_take(stage)
    # The bad submission was made anew, not fetched again.
    assert stage.cloud.creates == {0: 2, 1: 1}


@pytest.mark.parametrize("count_made", [0, 4, 6])
def test_a_wrong_count_of_frames_is_refused_before_the_download(stage: Any, count_made: int) -> None:
    outputs = tuple({"chunk": "0", "index": str(i)} for i in range(count_made))
    stage.cloud.end = Answer(Status.SUCCEEDED, outputs=outputs)
    stage.generate()
    stage.run()
    assert f"{count_made} frames where 5" in stage.the_job().state.what
    assert "fetch" not in stage.cloud.calls


def test_other_picture_formats_become_png(stage: Any, draw: Any) -> None:
    stage.cloud.frame = lambda c, i: draw(20 * c + i + 1, form="JPEG")
    stage.generate()
    stage.run()
    assert_one_whole_take(stage)
    with Image.open(stage.takes_folder / "t001" / "frames" / "SH010.t001.1001.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("call", ["upload", "submit", "after submit", "poll", "fetch"])
@pytest.mark.parametrize("kind", ["transient", "rate_limited", "expired"])
def test_what_may_heal_is_tried_again_and_created_once(stage: Any, fault: Any, call: str, kind: str) -> None:
    stage.cloud.faults[call] = [fault(kind, 7.0), fault(kind)]
    stage.generate()
    stage.run()
    assert_one_whole_take(stage)
    assert stage.cloud.creates == {0: 1, 1: 1}
    assert sum(stage.slept) >= 7.0


def test_patience_ends_and_a_resumed_job_asks_for_its_ticket(stage: Any, fault: Any) -> None:
    stage.cloud.faults["poll"] = [fault("transient") for _ in range(4)]
    job = stage.generate()
    stage.run()
    state = stage.the_job().state
    assert (state.state, state.what, state.fix) == (JobState.FAILED, "It was transient.", "Do this.")
    stage.store.revive(job.uuid)
    stage.run()
    assert_one_whole_take(stage)
    assert stage.cloud.creates == {0: 1, 1: 1}


@pytest.mark.parametrize("call", ["preflight", "upload", "submit", "poll", "fetch"])
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("auth", JobState.NEEDS_ATTENTION),
        ("quota", JobState.NEEDS_ATTENTION),
        ("invalid_input", JobState.FAILED),
        ("missing_model", JobState.FAILED),
        ("moderation", JobState.FAILED),
        ("lost", JobState.LOST),
    ],
)
def test_what_cannot_heal_ends_the_job_and_resume_takes_it_up(
    stage: Any, fault: Any, call: str, kind: str, state: JobState
) -> None:
    stage.cloud.faults[call] = [fault(kind)]
    job = stage.generate()
    stage.run()
    found = stage.the_job().state
    assert (found.state, found.what) == (state, f"It was {kind}.")
    assert stage.slept == [] or call in {"poll", "fetch"}
    stage.store.revive(job.uuid)
    stage.run()
    assert_one_whole_take(stage)


def test_nobody_at_the_address_is_said_at_once(stage: Any) -> None:
    stage.cloud.faults["preflight"] = [ServiceUnreachable("No service answers.", "Start it.")]
    stage.generate()
    stage.run()
    assert stage.slept == []
    assert stage.the_job().state.what == "No service answers."


@pytest.mark.parametrize(
    ("status", "state"),
    [(Status.FAILED, JobState.FAILED), (Status.CANCELLED, JobState.CANCELLED), (Status.LOST, JobState.LOST)],
)
def test_the_last_word_of_the_service_is_kept(stage: Any, status: Status, state: JobState) -> None:
    stage.cloud.end = Answer(status, message="KSampler: out of memory")
    job = stage.generate()
    stage.run()
    found = stage.the_job().state
    assert found.state is state
    assert found.what
    assert "resume" in found.fix
    assert status is not Status.FAILED or "out of memory" in found.what
    stage.cloud.end = None
    stage.store.revive(job.uuid)
    stage.run()
    assert_one_whole_take(stage)
    assert stage.cloud.creates == {0: 2, 1: 1}


def test_what_the_rehearsal_service_lost_is_asked_of_the_next_one(stage: Any) -> None:
    stage.generate(service="rehearsal")

    def forget() -> None:
        if stage.cloud.calls.count("poll") == 2:
            stage.cloud.known.clear()

    stage.cloud.moment = forget
    stage.run()
    assert_one_whole_take(stage)


def test_a_rehearsal_service_that_always_forgets_is_given_up(stage: Any) -> None:
    stage.cloud.end = Answer(Status.LOST)
    stage.generate(service="rehearsal")
    stage.run()
    assert stage.the_job().state.state is JobState.LOST
    assert stage.cloud.creates[0] == 3


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
    assert_one_whole_take(stage)


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
    assert_one_whole_take(stage)


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
    assert_one_whole_take(stage)
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
    assert_one_whole_take(stage)


def test_a_job_without_its_package_fails_and_the_next_goes_on(stage: Any) -> None:
    stage.generate()
    good = stage.generate(take_index=1)
    first = stage.store.list()[0]
    request = first.folder / "request.json"
    request.write_text(request.read_text(encoding="utf-8").replace("tiny-0123abcd", "tiny-gone"), encoding="utf-8")
    stage.run()
    jobs = {job.uuid: job.state.state for job in stage.store.list()}
    assert jobs == {first.uuid: JobState.FAILED, good.uuid: JobState.DONE}


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


def test_an_unknown_job_is_a_usage_error(stage: Any) -> None:
    with pytest.raises(UsageError):
        stage.store.load("ffff")
