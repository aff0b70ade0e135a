# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling, fetching, and giving up, against a server that misbehaves on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import ServiceError, ServiceFault, StorageError
from second_unit.addon.generation.services.comfyui import transport
from second_unit.addon.generation.services.comfyui.client import ComfyService
from second_unit.addon.generation.services.port import Status
from second_unit.addon.shot.job import Parcel, SentFile, SentText

ID = "19c78f9e-d045-4d1f-af6e-e47e2cd2d4ce"
TICKET = {"service": "comfyui", "prompt_id": ID, "client_id": "c", "names": {"control.guide": "su_1/g (1).mp4"}}
PARCEL = Parcel(
    0,
    (SentFile("control.guide", "x/guide.mp4", "su_1/g.mp4", "0" * 64, 9),),
    (SentText("prompt", "a fox"), SentText("negative", "")),
    {"seed": 5, "width": 832, "height": 480, "length": 81, "steps": 20, "filename_prefix": "su_1/c0"},
)

Told = dict[str, Any]
Maker = Callable[[Any], Told]
"""Makes an answer with the server's own builders."""


FRAMES = [{"filename": f"c0_{i:05d}_.png", "subfolder": "su_1", "type": "output"} for i in range(1, 4)]
OUTPUTS = {
    "30": {"images": [*FRAMES, {"filename": "p.png", "subfolder": "", "type": "temp"}], "animated": [False]},
    "99": {"images": [{"filename": "other.png", "subfolder": "", "type": "output"}]},
}


def test_only_the_files_of_the_output_node_in_their_order(server: Any, client: ComfyService) -> None:
    server.script[f"GET /api/jobs/{ID}"] = server.told({"id": ID, "status": "completed", "outputs": OUTPUTS})
    answer = client.poll(TICKET)
    assert (answer.status, list(answer.outputs)) == (Status.SUCCEEDED, FRAMES)


def test_an_unknown_status_word_is_still_under_way(server: Any, client: ComfyService) -> None:
    server.script[f"GET /api/jobs/{ID}"] = server.told({"id": ID, "status": "paused_for_lunch"})
    assert client.poll(TICKET).status is Status.RUNNING


@pytest.mark.parametrize("missing", [lambda server: server.nothing, lambda server: server.unknown])
def test_servers_without_the_jobs_api(server: Any, client: ComfyService, missing: Maker) -> None:
    server.know_nothing_of(ID)
    server.script[f"GET /api/jobs/{ID}"] = missing(server)
    server.script["GET /api/queue"] = server.told({"queue_running": [[1, ID, {}, {}, []]], "queue_pending": []})
    assert client.poll(TICKET).status is Status.RUNNING
    server.script["GET /api/queue"] = server.told({"queue_running": [], "queue_pending": [[2, ID, {}, {}, []]]})
    assert client.poll(TICKET).status is Status.QUEUED
    done = {"outputs": OUTPUTS, "status": {"status_str": "success", "completed": True, "messages": []}}
    server.script[f"GET /api/history/{ID}"] = server.told({ID: done})
    assert list(client.poll(TICKET).outputs) == FRAMES
    server.script[f"GET /api/history/{ID}"] = server.told({})
    server.script["GET /api/queue"] = server.empty_queue
    assert client.poll(TICKET).status is Status.LOST


def test_a_job_that_ends_between_two_questions_is_not_lost(server: Any, client: ComfyService) -> None:
    server.know_nothing_of(ID)
    done = {"outputs": OUTPUTS, "status": {"status_str": "success"}}
    server.script[f"GET /api/history/{ID}"] = [server.told({}), server.told({ID: done})]
    assert client.poll(TICKET).status is Status.SUCCEEDED


@pytest.mark.parametrize("ticket", [{}, {"service": "fal", "prompt_id": ID}, {**TICKET, "prompt_id": "../queue"}])
def test_a_ticket_of_somebody_else_is_not_asked_about(
    server: Any, client: ComfyService, ticket: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="ticket"):
        client.poll(ticket)
    assert server.asked == []


def nothing(_: int) -> None:
    pass


def png(asked: Any) -> Told:
    data = asked.query["filename"].encode() * 1000
    start = int(asked.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    if start >= len(data):
        return asked.reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
    return asked.reply(206 if start else 200, data[start:], {"Content-Type": "image/png"})


def test_frames_arrive_in_order_below_neutral_names(server: Any, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = png
    heard: list[int] = []
    files = client.fetch(TICKET, FRAMES, tmp_path, heard.append)
    assert [file.name for file in files] == ["00000.part", "00001.part", "00002.part"]
    assert [file.read_bytes() for file in files] == [f["filename"].encode() * 1000 for f in FRAMES]
    assert sum(heard) == sum(file.stat().st_size for file in files)
    assert [asked.query for asked in server.asked] == FRAMES


@pytest.mark.parametrize("keep", [0, 1, 5000, 12999])
def test_a_broken_download_goes_on_where_it_ended(
    server: Any, client: ComfyService, tmp_path: Path, keep: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(asked: Any) -> Told:
        whole = png(asked)
        return server.raw(whole["status"], whole["body"], whole["headers"], keep=keep)

    monkeypatch.setattr(transport, "PIECE", 1000)
    whole_pieces = keep // 1000 * 1000
    server.script["GET /api/view"] = cut
    with pytest.raises(ServiceError) as error:
        client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    assert error.value.fault is ServiceFault.TRANSIENT
    have = (tmp_path / "00000.part").stat().st_size
    assert have >= whole_pieces
    server.script["GET /api/view"] = png
    (file,) = client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    assert file.read_bytes() == FRAMES[0]["filename"].encode() * 1000
    assert server.asked[-1].headers.get("Range") == (f"bytes={have}-" if have else None)


def test_a_finished_file_is_not_sent_again(server: Any, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = png
    client.fetch(TICKET, FRAMES, tmp_path, nothing)
    heard: list[int] = []
    client.fetch(TICKET, FRAMES, tmp_path, heard.append)
    assert heard == []


def test_a_file_longer_than_the_servers_is_begun_again(server: Any, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = png
    (tmp_path / "00000.part").write_bytes(b"x" * 99999)
    with pytest.raises(ServiceError):
        client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    (file,) = client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    assert file.stat().st_size == 13000


def test_a_server_that_knows_no_ranges_sends_all(server: Any, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = server.raw(200, b"whole", {})
    (tmp_path / "00000.part").write_bytes(b"wh")
    (file,) = client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    assert file.read_bytes() == b"whole"


def test_a_frame_that_is_gone_is_expired(client: ComfyService, tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as error:
        client.fetch(TICKET, FRAMES, tmp_path, nothing)
    assert error.value.fault is ServiceFault.EXPIRED


def test_a_full_disk_while_downloading(
    server: Any, client: ComfyService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    server.script["GET /api/view"] = png
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="full"):
        client.fetch(TICKET, FRAMES, tmp_path, nothing)
