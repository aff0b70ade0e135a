# SPDX-License-Identifier: GPL-3.0-or-later
"""From an order to a take, whatever the service says on the way."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from second_unit.addon.errors import UsageError
from second_unit.addon.generation.services.port import Answer, ServiceUnreachable, Status
from second_unit.addon.shot.job import JobState
from second_unit.addon.shot.project import allow_host


def test_a_job_of_two_chunks_becomes_one_take_with_the_right_frames(stage: Any, draw: Any) -> None:
    chunks = stage.manifest.frame_map.chunks
    assert len(chunks) == 2
    job = stage.generate()
    report = stage.run()
    assert [j.state.state for j in report.ended] == [JobState.DONE]
    stage.assert_one_whole_take()
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


def test_a_local_runner_leaves_the_jobs_of_other_machines_and_does_the_rest(stage: Any) -> None:
    """Blender is offline: nothing may leave, and what can be done here must not wait behind it."""
    allow_host(stage.project, "farm.example")
    far = stage.generate(url="http://farm.example:8188")
    near = stage.generate(take_index=1)
    stage.runner(local_only=True).run_until_idle()
    assert stage.store.load(near.uuid).state.state is JobState.DONE
    assert stage.store.load(far.uuid).state.state is JobState.PREPARED
    calls = list(stage.cloud.calls)
    stage.run()
    assert stage.store.load(far.uuid).state.state is JobState.DONE
    assert len(stage.cloud.calls) > len(calls)


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
    stage.assert_one_whole_take()


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
    stage.assert_one_whole_take()
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
    stage.assert_one_whole_take()
    with Image.open(stage.takes_folder / "t001" / "frames" / "SH010.t001.1001.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("call", ["upload", "submit", "after submit", "poll", "fetch"])
@pytest.mark.parametrize("kind", ["transient", "rate_limited", "expired"])
def test_what_may_heal_is_tried_again_and_created_once(stage: Any, fault: Any, call: str, kind: str) -> None:
    stage.cloud.faults[call] = [fault(kind, 7.0), fault(kind)]
    stage.generate()
    stage.run()
    stage.assert_one_whole_take()
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
    stage.assert_one_whole_take()
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
    stage.assert_one_whole_take()


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
    stage.assert_one_whole_take()
    assert stage.cloud.creates == {0: 2, 1: 1}


def test_what_the_rehearsal_service_lost_is_asked_of_the_next_one(stage: Any) -> None:
    stage.generate(service="rehearsal")

    def forget() -> None:
        if stage.cloud.calls.count("poll") == 2:
            stage.cloud.known.clear()

    stage.cloud.moment = forget
    stage.run()
    stage.assert_one_whole_take()


def test_frames_the_rehearsal_service_lost_are_made_again(stage: Any, fault: Any) -> None:
    stage.generate(service="rehearsal")
    stage.cloud.faults["fetch"] = [fault("expired")]

    def forget() -> None:
        if stage.cloud.calls[-1:] == ["fetch"] and stage.cloud.calls.count("fetch") == 1:
            stage.cloud.known.clear()

    stage.cloud.moment = forget
    stage.run()
    stage.assert_one_whole_take()
    assert stage.cloud.creates == {0: 2, 1: 1}


def test_frames_a_paid_service_lost_are_not_ordered_again_by_itself(stage: Any, fault: Any) -> None:
    job = stage.generate()
    stage.cloud.faults["fetch"] = [fault("expired")]
    stage.cloud.moment = lambda: stage.cloud.known.clear() if stage.cloud.calls[-1:] == ["fetch"] else None
    stage.run()
    assert stage.the_job().state.state is JobState.LOST
    assert stage.cloud.creates == {0: 1}
    stage.cloud.moment = lambda: None
    stage.store.revive(job.uuid)
    stage.run()
    stage.assert_one_whole_take()


def test_a_rehearsal_service_that_always_forgets_is_given_up(stage: Any) -> None:
    stage.cloud.end = Answer(Status.LOST)
    stage.generate(service="rehearsal")
    stage.run()
    assert stage.the_job().state.state is JobState.LOST
    assert stage.cloud.creates[0] == 3


def test_an_unknown_job_is_a_usage_error(stage: Any) -> None:
    with pytest.raises(UsageError):
        stage.store.load("ffff")
