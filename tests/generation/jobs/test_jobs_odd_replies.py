# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers nobody thought of end one job, not the runner, and pictures are looked at before they are decoded."""

from __future__ import annotations

import json
import logging
import os
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from second_unit.addon.errors import JobError, ServiceError, ServiceFault, StorageError
from second_unit.addon.generation.jobs.frames import largest_frame, verify_frames
from second_unit.addon.generation.jobs.lease import Lease
from second_unit.addon.generation.jobs.parcels import make_submission
from second_unit.addon.generation.jobs.store import Job, JobStore
from second_unit.addon.shot.documents import write_atomic
from second_unit.addon.shot.job import JobState

ODD = [
    RecursionError, ValueError, TypeError, LookupError, KeyError, AttributeError, ArithmeticError, OverflowError,
    RuntimeError, UnicodeError,
]  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_an_error_nobody_foresaw_ends_its_job_and_the_next_one_runs(
    stage: Any, kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = stage.generate()
    second = stage.generate(take_index=1)
    stage.cloud.faults["poll"] = [kind("Bearer of a secret")]
    report = stage.run()
    assert [job.uuid for job in report.ended] == [first.uuid, second.uuid]
    state = stage.store.load(first.uuid).state
    assert state.state is JobState.FAILED
    assert state.what == f"The service's answer could not be handled ({kind.__name__})."
    assert "jobs resume" in state.fix
    assert stage.store.load(second.uuid).state.state is JobState.DONE
    assert "in poll" in caplog.text
    assert "secret" not in caplog.text
    assert "red fox" not in caplog.text


def test_a_job_ended_so_can_be_resumed_and_pays_once(stage: Any) -> None:
    job = stage.generate()
    stage.cloud.faults["poll"] = [RecursionError()]
    stage.run()
    stage.store.revive(job.uuid)
    stage.run()
    stage.assert_one_whole_take()
    assert stage.cloud.creates == {0: 1, 1: 1}


def test_an_os_error_nobody_foresaw_ends_its_job(stage: Any) -> None:
    stage.generate()
    stage.cloud.faults["poll"] = [PermissionError(13, "no")]
    stage.run()
    assert stage.the_job().state.state is JobState.FAILED


def test_the_words_of_a_service_stay_out_of_the_log(stage: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage.cloud.faults["poll"] = [ServiceError("It does not like 'a red fox'.", "Do this.")]
    job = stage.generate()
    stage.run()
    assert "red fox" in stage.the_job().state.what
    assert job.uuid[:8] in caplog.text
    assert "protocol" in caplog.text
    assert "red fox" not in caplog.text


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(30000, 30000), (12000, 12000), (49, 32)])
def test_a_frame_of_another_size_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    def decoded(image: Image.Image) -> None:
        raise AssertionError(image)

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    file = tmp_path / "00000.part"
    file.write_bytes(png_header(*size))
    with pytest.raises(ServiceError, match="48x32") as error:
        verify_frames([file], (48, 32))
    assert error.value.fault is ServiceFault.PROTOCOL
    assert len(recwarn) <= 1  # Pillow's own word about large pictures


def test_a_bomb_ends_its_job_alone(stage: Any) -> None:
    stage.cloud.frame = lambda _c, _i: png_header(30000, 30000)
    stage.generate()
    stage.run()
    state = stage.the_job().state
    assert (state.state, stage.takes()) == (JobState.FAILED, [])
    assert "48x32" in state.what


def test_a_frame_may_have_the_bytes_of_its_size_and_some(stage: Any) -> None:
    stage.generate()
    stage.run()
    assert stage.cloud.largest == largest_frame((48, 32)) == 48 * 32 * 8 + (1 << 20)


def ordered_together(stage: Any, count: int, take_index: int) -> list[tuple[Job, bool]]:
    """What commands get that order the same take at the same moment."""
    from dataclasses import replace

    start = threading.Barrier(count)
    got: list[tuple[Job, bool]] = []

    def order() -> None:
        mine = make_submission(replace(stage.order, take_index=take_index))
        start.wait(30)
        got.append(JobStore(stage.project).ensure(*mine))

    threads = [threading.Thread(target=order) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_commands_at_the_same_moment_make_one_job(stage: Any) -> None:
    for take_index in range(10):
        got = ordered_together(stage, 2, take_index)
        assert len({job.uuid for job, _ in got}) == 1
        assert sorted(is_new for _, is_new in got) == [False, True]
    assert len(stage.store.list()) == 10
    assert [path.name for path in stage.store.root.iterdir() if path.name.startswith(".")] == []


def order_lock(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the order of the stage's take holds while it is made."""
    held: list[Path] = []
    prepare = JobStore.prepare

    def look(store: JobStore, *args: Any) -> Path:
        held.extend(store.root.glob(".*.order"))
        return prepare(store, *args)

    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "prepare", look)
        stage.generate(take_index=0)
    shutil.rmtree(stage.the_job().folder)
    (lock,) = held
    return lock


def test_an_order_somebody_died_in_is_taken_over(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = order_lock(stage, monkeypatch)
    lock.write_text(json.dumps({"host": "another machine", "pid": 7, "token": "x"}))
    os.utime(lock, (1, 1))
    stage.generate()
    assert len(stage.store.list()) == 1
    assert not lock.exists()


def test_an_order_that_never_ends_is_a_sentence(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lease(order_lock(stage, monkeypatch))
    lock.acquire()
    waited: list[float] = []
    with pytest.raises(JobError, match="same take"):
        JobStore(stage.project, sleep=waited.append).ensure(*make_submission(stage.order))
    assert 20 <= sum(waited) <= 60
    assert stage.store.list() == []


def test_a_file_somebody_reads_is_replaced_as_soon_as_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows does: renaming over a file that is open is refused."""
    file = tmp_path / "state.json"
    file.write_bytes(b"old")
    left = [PermissionError(13, "in use")] * 3
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if left:
            raise left.pop()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    waited: list[float] = []
    write_atomic(file, b"new", sleep=waited.append)
    assert file.read_bytes() == b"new"
    assert len(waited) == 3
    left.extend([PermissionError(13, "in use")] * 100)
    with pytest.raises(StorageError):
        write_atomic(file, b"newer", sleep=waited.append)
    assert sum(waited[3:]) == pytest.approx(1.0)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"new"


def test_two_machines_with_one_process_number_write_aside_under_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    replace = Path.replace

    def note(path: Path, target: Path) -> Path:
        names.append(path.name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", note)
    for _ in range(2):
        write_atomic(tmp_path / "state.json", b"x")
    assert len(set(names)) == 2


def test_the_runner_process_logs_what_our_own_loggers_say(tmp_path: Path) -> None:
    code = (
        "import logging, sys; from pathlib import Path; from types import SimpleNamespace\n"
        "from second_unit.addon.commands.jobs import run_jobs; from second_unit.addon.shot.project import Project\n"
        "run_jobs(SimpleNamespace(project=Project(Path(sys.argv[1])), blender_option=None, console=None))\n"
        "logging.getLogger('second_unit.addon.generation.jobs.work').info('ours')\n"
        "logging.getLogger('second_unit.addon.generation.jobs.work').debug('too much')\n"
        "for name in ('urllib3', 'PIL'): logging.getLogger(name).error('theirs')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert line.endswith("INFO ours")
    assert line[:2] == "20"
