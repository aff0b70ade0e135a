# SPDX-License-Identifier: GPL-3.0-or-later
"""One holder at a time, whoever comes, dies or sleeps."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import JobError, StorageError
from second_unit.addon.generation.jobs.lease import Lease, LeaseHeld, is_live, read_holder
from second_unit.addon.shot.alive import this_host


def age(path: Path, seconds: float) -> None:
    """Let the last sign of life be so long ago."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def pretend(path: Path, host: str, pid: int) -> None:
    path.write_text(json.dumps({"host": host, "pid": pid, "token": "theirs"}), encoding="utf-8")


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_only_the_first_gets_it_until_it_is_released(tmp_path: Path) -> None:
    first, second = Lease(tmp_path / "lease"), Lease(tmp_path / "lease")
    first.acquire()
    with pytest.raises(LeaseHeld):
        second.acquire()
    first.release()
    second.acquire()
    assert is_live(tmp_path / "lease")


def test_a_holder_without_a_heartbeat_is_replaced_and_notices(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    first, second = Lease(path), Lease(path)
    first.acquire()
    age(path, 100)
    second.acquire()
    assert not first.beat()
    with pytest.raises(JobError, match="took over"):
        first.check()
    first.release()
    assert second.beat()
    second.check()


def test_a_heartbeat_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    first = Lease(path)
    first.acquire()
    age(path, 100)
    assert first.beat()
    with pytest.raises(LeaseHeld):
        Lease(path).acquire()


def test_a_dead_process_of_this_machine_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    pretend(path, this_host(), dead_pid())
    assert not is_live(path)
    Lease(path).acquire()


def test_a_process_number_of_another_machine_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    pretend(path, "farm-07", dead_pid())
    with pytest.raises(LeaseHeld):
        Lease(path).acquire()
    age(path, 100)
    Lease(path).acquire()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"pid": "x"}', b"\xff\xfe"])
def test_a_damaged_lease_is_judged_by_its_age(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lease"
    path.write_bytes(content)
    with pytest.raises(LeaseHeld):
        Lease(path).acquire()
    age(path, 10)
    assert not is_live(path)
    lease = Lease(path)
    lease.acquire()
    assert lease.beat()


def test_a_lease_that_cannot_be_read_for_a_moment_is_not_nobodys(tmp_path: Path) -> None:
    (tmp_path / "lease").mkdir()  # reading it is an error of the disk, not of the content
    age(tmp_path / "lease", 10)
    assert is_live(tmp_path / "lease")


@pytest.mark.parametrize("is_stale", [False, True])
def test_a_disk_without_room_leaves_no_lease_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stale: bool
) -> None:
    path = tmp_path / "lease"
    if is_stale:
        pretend(path, "farm-07", 1)
        age(path, 100)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_room)
        with pytest.raises(StorageError, match="full"):
            Lease(path).acquire()
    assert [file.name for file in tmp_path.iterdir()] == ["lease"][: int(is_stale)]
    Lease(path).acquire()


def no_room(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_who_slept_while_making_it_does_not_hold_what_another_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lease"
    sleeper, other = Lease(path), Lease(path)
    write = os.write

    def late(handle: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", write)
        age(path, 10)
        other.acquire()
        return write(handle, data)

    monkeypatch.setattr(os, "write", late)
    with pytest.raises(LeaseHeld):
        sleeper.acquire()
    assert other.beat()


@pytest.mark.parametrize("is_empty", [False, True])
def test_of_many_at_once_one_wins_a_stale_lease(tmp_path: Path, is_empty: bool) -> None:
    path = tmp_path / "lease"
    if is_empty:
        path.touch()
    else:
        pretend(path, "farm-07", 1)
    age(path, 100)
    leases = [Lease(path) for _ in range(12)]
    start = threading.Barrier(len(leases))
    won: list[Lease] = []

    def run(lease: Lease) -> None:
        start.wait()
        try:
            lease.acquire()
        except LeaseHeld:
            return
        won.append(lease)

    threads = [threading.Thread(target=run, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert won[0].beat()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lease"]


def test_the_guard_of_a_dead_taker_does_not_block_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    guard = tmp_path / "lease.takeover"
    pretend(path, "farm-07", 1)
    pretend(guard, "farm-08", 1)
    age(path, 100)
    with pytest.raises(LeaseHeld):
        Lease(path).acquire()
    age(guard, 100)
    Lease(path).acquire()
    assert not guard.exists()


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["acquire", "release", "beat", "age"])), max_size=30))
def test_never_two_holders(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]) -> None:
    path = tmp_path_factory.mktemp("lease") / "lease"
    leases = [Lease(path) for _ in range(4)]
    holder: int | None = None
    stale = False
    for who, step in steps:
        lease = leases[who]
        if step == "acquire":
            try:
                lease.acquire()
            except LeaseHeld:
                assert holder is not None
                assert not stale
            else:
                assert holder is None or stale
                holder, stale = who, False
        elif step == "release":
            lease.release()
            holder = None if holder == who else holder
        elif step == "beat":
            assert lease.beat() == (holder == who)
            stale = stale and holder != who
        elif path.exists():
            age(path, 100)
            stale = True
        assert (holder is not None) == path.exists()
        held = read_holder(path)
        assert held is None or holder is None or held.token == leases[holder]._me.token
