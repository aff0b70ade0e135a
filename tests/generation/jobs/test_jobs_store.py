# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written before a byte leaves, and what is not."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import DocumentError, JobError, StorageError, UsageError
from second_unit.addon.generation.jobs.lease import Lease
from second_unit.addon.generation.jobs.parcels import make_submission
from second_unit.addon.generation.jobs.process import is_running, runner_argv, start_runner, wait_for
from second_unit.addon.generation.jobs.runner import lease_path
from second_unit.addon.generation.jobs.takes import discard_take, reserve_take
from second_unit.addon.shot.job import JobState, load_request, load_submission
from second_unit.addon.shot.shot import Brief


def test_the_record_names_every_file_and_word_that_leaves(stage: Any) -> None:
    job = stage.generate()
    stage.run()
    sent = load_submission(job.folder)
    assert sent.host == "127.0.0.1"
    assert {file.name: file.size for p in sent.parcels for file in p.files} == {
        name: len(data) for name, data in stage.cloud.uploads.items()
    }
    assert [[(t.role, t.text) for t in p.texts] for p in sent.parcels] == [
        [("prompt", "a red fox"), ("negative", "blurry")]
    ] * 2
    values = [dict(p.values) for p in sent.parcels]
    for chunk, value in enumerate(values):
        assert value.pop("filename_prefix") == f"su_{job.uuid[:8]}/c{chunk}"
        assert value == {"seed": 5, "width": 48, "height": 32, "length": 5, "steps": 7}


def test_no_name_of_the_film_is_in_what_the_service_sees(stage: Any) -> None:
    job = stage.generate()
    for parcel in load_submission(job.folder).parcels:
        seen = json.dumps([[f.name for f in parcel.files], dict(parcel.values)])
        for word in ("SH010", "secret_film", "Hero", "film", str(stage.project.root)):
            assert word not in seen


def test_the_request_survives_and_names_its_package_relative_to_the_project(stage: Any) -> None:
    job = stage.generate()
    request = load_request(job.folder)
    assert request == job.request
    assert request.package == "SH010/packages/tiny-0123abcd"
    assert [chunk.length for chunk in request.chunks] == [5, 5]


def test_the_key_follows_the_work_and_nothing_else(stage: Any) -> None:
    def key(**changes: Any) -> str:
        return str(make_submission(replace(stage.order, **changes))[0].extra["key"])

    assert key() == key()
    assert key(service="rehearsal") == key(service="rehearsal", url="http://127.0.0.1:9999")
    others = [
        {"url": "http://127.0.0.1:9999"}, {"service": "rehearsal"}, {"take_index": 1},
        {"brief": Brief("a red fox", "blurry", 6)}, {"brief": Brief("a red fox", "", 5)},
        {"manifest": replace(stage.manifest, input_hash="f" * 64)}, {"shot": replace(stage.order.shot, uuid="3c")},
        {"template": replace(stage.order.template, graph={})},
    ]  # fmt: skip
    keys = [key(), *(key(**change) for change in others)]
    assert len(set(keys)) == len(keys)


def test_a_movie_that_is_not_the_packages_own_is_refused(stage: Any) -> None:
    (stage.order.package / "video" / "guide_0.mp4").write_bytes(b"other")
    with pytest.raises(DocumentError, match=r"guide_0\.mp4"):
        make_submission(stage.order)


def test_a_size_the_model_distorts_is_refused(stage: Any) -> None:
    with pytest.raises(UsageError, match="50x32"):
        make_submission(replace(stage.order, manifest=replace(stage.manifest, size=(50, 32))))


def test_a_package_outside_the_project_is_refused(stage: Any, tmp_path: Path) -> None:
    stage.order.package.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="--project"):
        make_submission(replace(stage.order, package=tmp_path / "elsewhere"))


def test_a_job_is_whole_or_not_there(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace

    def full(self: Path, target: Any) -> Path:
        if Path(target).name == "state.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StorageError, match="full"):
            stage.generate()
    assert stage.store.list() == []
    assert list(stage.project.jobs.iterdir()) == []


def test_a_prefix_is_enough_if_it_is_the_only_one(stage: Any) -> None:
    first, second = stage.generate(), stage.generate(take_index=1)
    assert stage.store.load(first.uuid[:12].upper()).uuid == first.uuid
    twin = first.uuid[:8] + second.uuid[8:]
    if twin != second.uuid:
        second.folder.rename(second.folder.with_name(twin))
    with pytest.raises(UsageError, match="could be 2 jobs"):
        stage.store.load(first.uuid[:8])


@pytest.mark.parametrize("word", ["", "*", "../SH010", ".", "?"])
def test_words_that_are_no_job(stage: Any, word: str) -> None:
    stage.generate()
    with pytest.raises(UsageError):
        stage.store.load(word)


def test_one_damaged_job_does_not_hide_the_others(stage: Any) -> None:
    bad, good = stage.generate(), stage.generate(take_index=1)
    (bad.folder / "state.json").write_text("{", encoding="utf-8")
    listing = stage.store.scan()
    assert [job.uuid for job in listing.jobs] == [good.uuid]
    assert [type(problem) for problem in listing.problems] == [DocumentError]
    stage.run()
    assert len(stage.takes()) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": "second_unit.job_state/1"}', b"\xff", None])
@pytest.mark.parametrize("name", ["state.json", "request.json"])
def test_work_whose_record_is_damaged_is_not_ordered_again(stage: Any, name: str, content: bytes | None) -> None:
    job = stage.generate()
    if content is None:
        (job.folder / name).unlink()
    else:
        (job.folder / name).write_bytes(content)
    before = sorted(path.name for path in stage.project.jobs.iterdir())
    with pytest.raises(DocumentError) as error:
        stage.generate()
    assert str(job.folder / name) in error.value.what
    assert str(job.folder) in error.value.fix
    assert sorted(path.name for path in stage.project.jobs.iterdir()) == before
    stage.run()
    assert stage.cloud.creates == {}


def test_a_damaged_state_does_not_stand_in_the_way_of_other_work(stage: Any) -> None:
    bad = stage.generate()
    (bad.folder / "state.json").write_bytes(b"")
    stage.generate(take_index=1)
    stage.run()
    assert len(stage.takes()) == 1


def test_a_damaged_job_put_away_can_be_ordered_again(stage: Any, tmp_path: Path) -> None:
    bad = stage.generate()
    (bad.folder / "state.json").write_bytes(b"")
    bad.folder.rename(tmp_path / "aside")
    assert stage.generate().uuid != bad.uuid


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"folder": "SH010"', '"folder": "../elsewhere"'),
        ('"folder": "SH010"', '"folder": ".."'),
        ('"package": "SH010', '"package": "/etc'),
        ('"package": "SH010', '"package": "../SH010'),
    ],
)
def test_a_request_that_points_outside_the_project_is_damaged(stage: Any, old: str, new: str) -> None:
    job = stage.generate()
    file = job.folder / "request.json"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DocumentError, match="outside"):
        stage.store.load(job.uuid)


def test_take_names_are_given_once_each(tmp_path: Path) -> None:
    takes = tmp_path / "takes"
    assert [reserve_take(takes, owner) for owner in ("a", "b", "a", "c", "b")] == [
        "t001",
        "t002",
        "t001",
        "t003",
        "t002",
    ]
    (takes / "t017").mkdir()
    assert reserve_take(takes, "d") == "t018"
    discard_take(takes, "b")
    assert reserve_take(takes, "e") == "t019"
    assert sorted(path.name for path in takes.iterdir()) == ["t001", "t003", "t017", "t018", "t019"]


def test_no_second_runner_is_started_beside_a_live_one(stage: Any) -> None:
    assert not is_running(stage.project)
    lease = Lease(lease_path(stage.project))
    lease.acquire()
    assert is_running(stage.project)
    assert start_runner(stage.project, ["/nonexistent"]) is None


def test_a_started_runner_is_a_process_of_its_own_with_a_log(stage: Any) -> None:
    process = start_runner(
        stage.project, [sys.executable, "-c", "import os; print('sid', os.getsid(0) == os.getpid())"]
    )
    assert process is not None
    assert process.wait() == 0
    assert (stage.project.jobs / "runner.log").read_text().strip() == "sid True"


def test_the_runners_command_names_this_package_and_project(stage: Any) -> None:
    argv = runner_argv(stage.project)
    assert argv[1:4] == ["-P", "-m", "second_unit.addon.cli"]
    assert argv[4:] == ["jobs", "run", "--json", "--project", str(stage.project.root)]


def test_waiting_ends_with_the_last_job_and_tells_every_change(stage: Any) -> None:
    jobs = [stage.generate().uuid, stage.generate(take_index=1).uuid]
    heard: list[tuple[str, JobState]] = []

    def report(job: Any) -> None:
        heard.append((job.uuid, job.state.state))

    ended = wait_for(stage.store, jobs, lambda: (stage.run(), None)[1], report, stage.slept.append)
    assert [job.state.state for job in ended] == [JobState.DONE, JobState.DONE]
    assert heard == [(j, s) for s in (JobState.PREPARED, JobState.DONE) for j in jobs]


def runners_that(stage: Any, code: str) -> tuple[list[Any], Any, Any]:
    """Processes in place of the runner, how one is started, and how it is waited for."""
    started: list[Any] = []

    def start() -> Any:
        started.append(start_runner(stage.project, [sys.executable, "-c", code]))
        return started[-1]

    return started, start, lambda _: started[-1].wait()


def test_the_runners_own_last_word_is_told_at_once(stage: Any) -> None:
    job = stage.generate()
    (stage.project.jobs / "runner.log").write_text('{"kind": "error", "what": "Old.", "fix": "Old."}\n')
    last = {"kind": "error", "what": "No Blender was found.", "fix": "Name one."}
    started, start, sleep = runners_that(stage, f"import json; print('chat'); print(json.dumps({last})); exit(1)")
    with pytest.raises(JobError) as error:
        wait_for(stage.store, [job.uuid], start, lambda _: None, sleep)
    assert (error.value.what, error.value.fix) == ("No Blender was found.", "Name one.")
    assert len(started) == 1


def test_a_full_disk_that_takes_no_log_either_is_told_at_once(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = stage.generate()
    started, start, sleep = runners_that(stage, "exit(1)")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="The disk is full"):
        wait_for(stage.store, [job.uuid], start, lambda _: None, sleep)
    assert len(started) == 1
    assert [p.name for p in stage.project.jobs.iterdir() if not p.is_dir()] == ["runner.log"]


def test_a_runner_that_cannot_even_begin_is_given_up_with_its_reason(stage: Any) -> None:
    job = stage.generate()
    started, start, sleep = runners_that(stage, "import no_such_module")
    with pytest.raises(JobError, match="No module named 'no_such_module'") as error:
        wait_for(stage.store, [job.uuid], start, lambda _: None, sleep)
    assert "runner.log" in error.value.fix
    assert len(started) == 3


def test_a_runner_that_was_killed_is_replaced(stage: Any) -> None:
    job = stage.generate()
    started, start, _ = runners_that(stage, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    def sleep(_: float) -> None:
        started[-1].wait()
        if len(started) == 2:
            stage.run()

    (done,) = wait_for(stage.store, [job.uuid], start, lambda _: None, sleep)
    assert done.state.state is JobState.DONE


def test_what_a_job_waits_for_is_told_too(stage: Any) -> None:
    job = stage.generate()
    heard: list[str] = []

    def sleep(_: float) -> None:
        now = stage.store.load(job.uuid)
        if now.state.what:
            stage.run()
        else:
            stage.store.save_state(now, replace(now.state, what="Waiting."))

    wait_for(stage.store, [job.uuid], lambda: None, lambda job: heard.append(job.state.what), sleep)
    assert heard == ["", "Waiting.", ""]


def test_waiting_for_runners_that_do_nothing_ends(stage: Any) -> None:
    job = stage.generate()
    started: list[Any] = []

    def start() -> Any:
        started.append(start_runner(stage.project, [sys.executable, "-c", ""]))
        return started[-1]

    def sleep(_: float) -> None:
        started[-1].wait()

    with pytest.raises(JobError, match=job.uuid[:8]) as error:
        wait_for(stage.store, [job.uuid], start, lambda _: None, sleep)
    assert "runner.log" in error.value.fix
    assert len(started) == 3


def test_waiting_starts_no_second_runner_beside_one_that_is_starting(stage: Any) -> None:
    job = stage.generate()
    looks: list[float] = []
    started: list[Any] = []

    def start() -> Any:
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return started[-1]

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 5:
            stage.run()

    wait_for(stage.store, [job.uuid], start, lambda _: None, sleep)
    (slow,) = started
    slow.communicate(b"\n")
    assert len(looks) == 5
