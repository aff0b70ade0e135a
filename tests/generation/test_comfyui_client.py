# SPDX-License-Identifier: GPL-3.0-or-later
"""The ComfyUI adapter against recorded answers and a server that misbehaves on purpose."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from second_unit.addon.errors import ServiceError, ServiceFault, StorageError
from second_unit.addon.generation.services.comfyui import transport
from second_unit.addon.generation.services.comfyui.client import ComfyService
from second_unit.addon.generation.services.comfyui.graph import load_template
from second_unit.addon.generation.services.comfyui.replies import read_history, read_job, refusal
from second_unit.addon.generation.services.comfyui.schema import recorded_object_info
from second_unit.addon.generation.services.comfyui.transport import Transport
from second_unit.addon.generation.services.port import ServiceUnreachable, Status
from second_unit.addon.shot.job import Parcel, SentFile, SentText

RECORDED = Path(__file__).parent.parent / "data" / "comfyui"
ID = "19c78f9e-d045-4d1f-af6e-e47e2cd2d4ce"
TICKET = {"service": "comfyui", "prompt_id": ID, "client_id": "c", "names": {"control.guide": "su_1/g (1).mp4"}}
PARCEL = Parcel(
    0,
    (SentFile("control.guide", "x/guide.mp4", "su_1/g.mp4", "0" * 64, 9),),
    (SentText("prompt", "a fox"), SentText("negative", "")),
    {"seed": 5, "width": 832, "height": 480, "length": 81, "steps": 20, "filename_prefix": "su_1/c0"},
)


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Told:
    """An answer. ``keep`` cuts the connection after so many bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=utf-8"})
    keep: int | None = None


def told(data: Any, status: int = 200) -> Told:
    return Told(status, json.dumps(data).encode())


NOTHING = Told(404, b"", {"Content-Type": "application/octet-stream"})
HANG_UP = Told(0)
Script = Callable[[Asked], Told]


class Server:
    """Answers by path; a list is used up, its last entry stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: dict[str, Told | list[Told] | Script] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                url = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command, url.path, dict(parse_qsl(url.query)), dict(self.headers), self.rfile.read(size)
                )
                server.asked.append(asked)
                reply = server.find(asked)
                if reply is HANG_UP:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body[: reply.keep])
                self.close_connection = self.close_connection or reply.keep is not None

            do_GET = do_POST = do_HEAD = answer

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def find(self, asked: Asked) -> Told:
        entry = self.script.get(f"{asked.method} {asked.path}", NOTHING)
        if callable(entry):
            return entry(asked)
        if isinstance(entry, list):
            return entry.pop(0) if len(entry) > 1 else entry[0]
        return entry

    def paths(self) -> list[str]:
        return [f"{a.method} {a.path}" for a in self.asked]

    def stop(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def client(server: Server) -> Iterator[ComfyService]:
    made = ComfyService(server.url, load_template("wan_vace_guide"), any_model=True)
    yield made
    made.close()


def nothing(_: int) -> None:
    pass


# -- recordings -------------------------------------------------------------------------------------------------


def answers(case: str) -> Iterator[tuple[str, str, int, Any]]:
    """Label, request line, status and JSON of each recorded answer of ComfyUI 0.33.0."""
    for line in (RECORDED / f"{case}.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        asked, reply = record["request"], record["response"]
        yield record["label"], f"{asked['method']} {asked['path']}", reply["status"], (reply["body"] or {}).get("json")


def refused() -> Iterator[Any]:
    for i, (label, line, status, body) in enumerate(answers("04_errors")):
        if line == "POST /prompt" and isinstance(body, dict) and (body.get("error") or body.get("node_errors")):
            yield pytest.param(status, body, id=f"{i} {label}")


def test_there_are_recordings_to_learn_from() -> None:
    assert len(list(refused())) > 15
    assert len(list(recorded_polls())) > 10


@pytest.mark.parametrize(("status", "body"), list(refused()))
def test_every_recorded_refusal_becomes_a_sentence_with_a_fix(status: int, body: dict[str, Any]) -> None:
    error = refusal(body)
    types = {e["type"] for n in body["node_errors"].values() for e in n["errors"]} if body.get("node_errors") else set()
    types |= {(body.get("error") or {}).get("type")}
    if "invalid_prompt_id" in types:
        assert error.fault is ServiceFault.PROTOCOL
    elif types & {"value_not_in_list", "missing_node_type", "invalid_prompt"}:
        assert error.fault is ServiceFault.MISSING_MODEL
    else:
        assert error.fault is ServiceFault.INVALID_INPUT
    assert not error.is_retryable
    assert error.what.endswith(".")
    assert error.fix
    assert "\n" not in error.what
    assert "traceback" not in error.what.lower()
    assert status in {200, 400}


def recorded_polls() -> Iterator[Any]:
    for case in ("01_image_basic", "04_errors", "05_interrupt_queue"):
        for i, (_, line, status, body) in enumerate(answers(case)):
            if "GET /history/" in line and body:
                yield pytest.param("history", body, id=f"{case} {i}")
            if "GET /api/jobs/" in line and status == 200:
                yield pytest.param("job", body, id=f"{case} {i}")


@pytest.mark.parametrize(("kind", "body"), list(recorded_polls()))
def test_every_recorded_answer_about_a_job_is_understood(kind: str, body: dict[str, Any]) -> None:
    entry = body if kind == "job" else next(iter(body.values()))
    nodes = sorted(entry.get("outputs") or {})
    answer = read_job(entry, nodes) if kind == "job" else read_history(entry, nodes)
    if kind == "job":
        expected = {"pending": Status.QUEUED, "in_progress": Status.RUNNING, "completed": Status.SUCCEEDED,
                    "failed": Status.FAILED, "cancelled": Status.CANCELLED}[entry["status"]]  # fmt: skip
    else:
        status = entry["status"]
        was_stopped = any(m[0] == "execution_interrupted" for m in status["messages"])
        bad = Status.CANCELLED if was_stopped else Status.FAILED
        expected = Status.SUCCEEDED if status["completed"] else bad
    assert answer.status is expected
    assert bool(answer.message) == (expected is Status.FAILED)
    if expected is Status.SUCCEEDED:
        files = [f for node in nodes for f in entry["outputs"][node].get("images", []) if f["type"] == "output"]
        assert list(answer.outputs) == files


# -- before anything leaves -----------------------------------------------------------------------------------


def ready(server: Server, **changes: Any) -> None:
    info = recorded_object_info()
    server.script["GET /api/system_stats"] = told({"system": {"comfyui_version": "0.33.0"}})
    server.script["GET /api/features"] = told({"max_upload_size": 104857600.0})
    for name in load_template("wan_vace_guide").classes:
        server.script[f"GET /api/object_info/{name}"] = told({name: info[name]})
    server.script |= changes


def test_preflight_asks_only(server: Server, client: ComfyService) -> None:
    ready(server)
    client.preflight(PARCEL)
    assert {asked.method for asked in server.asked} == {"GET"}
    assert all(asked.path.startswith("/api/") for asked in server.asked)
    assert not any("Origin" in asked.headers for asked in server.asked)


def test_a_missing_node_is_named_before_anything_leaves(server: Server, client: ComfyService) -> None:
    ready(server, **{"GET /api/object_info/WanVaceToVideo": told({})})
    with pytest.raises(ServiceError, match="WanVaceToVideo") as error:
        client.preflight(PARCEL)
    assert error.value.fault is ServiceFault.MISSING_MODEL


def test_a_missing_model_file_is_named_before_anything_leaves(server: Server) -> None:
    ready(server)
    client = ComfyService(server.url, load_template("wan_vace_guide"))
    with pytest.raises(ServiceError, match="safetensors") as error:
        client.preflight(PARCEL)
    assert error.value.fault is ServiceFault.MISSING_MODEL
    assert "Install" in error.value.fix
    client.close()


def test_a_length_off_the_models_grid_is_refused_here(server: Server, client: ComfyService) -> None:
    ready(server)
    with pytest.raises(ServiceError) as error:
        client.preflight(Parcel(0, PARCEL.files, PARCEL.texts, {**PARCEL.values, "length": 80}))
    assert error.value.fault is ServiceFault.INVALID_INPUT


def test_a_movie_over_the_servers_limit_is_refused_here(server: Server, client: ComfyService) -> None:
    ready(server, **{"GET /api/features": told({"max_upload_size": 8})})
    with pytest.raises(ServiceError, match="MB") as error:
        client.preflight(PARCEL)
    assert error.value.fault is ServiceFault.INVALID_INPUT


@pytest.mark.parametrize("answer", [told([]), told({"KSampler": 3}), told({"KSampler": {"input": []}})])
def test_nonsense_about_nodes_is_an_error_of_the_service(server: Server, client: ComfyService, answer: Told) -> None:
    ready(server, **{"GET /api/object_info/KSampler": answer})
    with pytest.raises(ServiceError):
        client.preflight(PARCEL)


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    client = ComfyService(url, load_template("wan_vace_guide"))
    with pytest.raises(ServiceUnreachable) as error:
        client.preflight(PARCEL)
    assert error.value.what == f"No service answers at {url}."
    assert error.value.fix == "Start ComfyUI there, or choose another address with --service."
    assert error.value.fault is ServiceFault.TRANSIENT
    client.close()


# -- upload ---------------------------------------------------------------------------------------------------


def test_the_name_the_server_gives_is_the_one_that_counts(server: Server, client: ComfyService, tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "SH010_guide.mp4").write_bytes(data)
    server.script["POST /api/upload/image"] = told({"name": "g (1).mp4", "subfolder": "su_1", "type": "input"})
    assert client.upload(PARCEL, {"control.guide": tmp_path / "SH010_guide.mp4"}) == {"control.guide": "su_1/g (1).mp4"}
    (asked,) = server.asked
    assert data in asked.body
    assert b'name="image"; filename="g.mp4"' in asked.body
    assert b'name="subfolder"\r\n\r\nsu_1\r\n' in asked.body
    assert b"SH010" not in asked.body
    assert int(asked.headers["Content-Length"]) == len(asked.body)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            Told(413, b"Maximum request body size 9 exceeded.", {"Content-Type": "text/plain"}),
            ServiceFault.INVALID_INPUT,
        ),
        (Told(400), ServiceFault.PROTOCOL),
        (told({"nom": "g"}), ServiceFault.PROTOCOL),
        (Told(200, b"<html>", {"Content-Type": "text/html"}), ServiceFault.PROTOCOL),
        (Told(500), ServiceFault.TRANSIENT),
        (HANG_UP, ServiceFault.TRANSIENT),
    ],
)
def test_uploads_that_fail(
    server: Server, client: ComfyService, tmp_path: Path, answer: Told, kind: ServiceFault
) -> None:
    (tmp_path / "g").write_bytes(b"x")
    server.script["POST /api/upload/image"] = answer
    with pytest.raises(ServiceError) as error:
        client.upload(PARCEL, {"control.guide": tmp_path / "g"})
    assert error.value.fault is kind


# -- submit ---------------------------------------------------------------------------------------------------

ACCEPTED = told({"prompt_id": ID, "number": 1, "node_errors": {}})
UNKNOWN = told({"error": "Job not found"}, 404)
EMPTY_QUEUE = told({"queue_running": [], "queue_pending": []})


def unknown_to_all(server: Server) -> None:
    server.script[f"GET /api/jobs/{ID}"] = UNKNOWN
    server.script[f"GET /api/history/{ID}"] = told({})
    server.script["GET /api/queue"] = EMPTY_QUEUE


def test_the_graph_goes_out_once_and_filled(server: Server, client: ComfyService) -> None:
    unknown_to_all(server)
    server.script["POST /api/prompt"] = ACCEPTED
    client.submit(TICKET, PARCEL)
    assert server.paths()[-1] == "POST /api/prompt"
    assert server.paths().count("POST /api/prompt") == 1
    body = server.asked[-1].json
    assert (body["prompt_id"], body["client_id"]) == (ID, "c")
    inputs = {node["class_type"]: node["inputs"] for node in body["prompt"].values()}
    assert inputs["LoadVideo"]["file"] == "su_1/g (1).mp4"
    assert inputs["WanVaceToVideo"]["length"] == 81
    assert inputs["KSampler"]["seed"] == 5
    assert inputs["SaveImage"]["filename_prefix"] == f"su_1/c0_{ID[:8]}"


@pytest.mark.parametrize("where", ["jobs", "history", "queue"])
def test_what_the_server_knows_is_not_created_again(server: Server, client: ComfyService, where: str) -> None:
    unknown_to_all(server)
    if where == "jobs":
        server.script[f"GET /api/jobs/{ID}"] = told({"id": ID, "status": "pending"})
    elif where == "history":
        server.script[f"GET /api/history/{ID}"] = told({ID: {"outputs": {}, "status": {"status_str": "success"}}})
    else:
        server.script["GET /api/queue"] = told({"queue_running": [], "queue_pending": [[3, ID, {}, {}, []]]})
    client.submit(TICKET, PARCEL)
    assert "POST /api/prompt" not in server.paths()


def test_an_answer_that_got_lost_does_not_create_twice(server: Server, client: ComfyService) -> None:
    unknown_to_all(server)

    def take_and_hang_up(asked: Asked) -> Told:
        server.script[f"GET /api/jobs/{asked.json['prompt_id']}"] = told({"id": ID, "status": "in_progress"})
        return HANG_UP

    server.script["POST /api/prompt"] = take_and_hang_up
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.TRANSIENT
    client.submit(TICKET, PARCEL)
    assert server.paths().count("POST /api/prompt") == 1


def test_a_graph_taken_in_part_is_withdrawn_and_refused(server: Server, client: ComfyService) -> None:
    unknown_to_all(server)
    bad = {
        "3": {
            "errors": [{"type": "value_bigger_than_max", "message": "too big", "details": "steps"}],
            "class_type": "K",
        }
    }
    server.script["POST /api/prompt"] = told({"prompt_id": ID, "number": 1, "node_errors": bad})
    server.script[f"POST /api/jobs/{ID}/cancel"] = told({"cancelled": True})
    with pytest.raises(ServiceError, match="too big") as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.INVALID_INPUT
    assert server.paths()[-1] == f"POST /api/jobs/{ID}/cancel"


def test_a_server_with_its_own_numbers_is_refused(server: Server, client: ComfyService) -> None:
    unknown_to_all(server)
    server.script["POST /api/prompt"] = told({"prompt_id": "7", "node_errors": {}})
    server.script["POST /api/jobs/7/cancel"] = told({"cancelled": True})
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.PROTOCOL
    assert server.paths()[-1] == "POST /api/jobs/7/cancel"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Told(413, b"too large"), ServiceFault.INVALID_INPUT),
        (Told(500, b"500 Internal Server Error"), ServiceFault.TRANSIENT),
        (Told(200, b"<html>log in</html>", {"Content-Type": "text/html"}), ServiceFault.PROTOCOL),
        (Told(404), ServiceFault.PROTOCOL),
        (Told(200, b'{"prompt_id":'), ServiceFault.PROTOCOL),
    ],
)
def test_submits_that_fail(server: Server, client: ComfyService, answer: Told, kind: ServiceFault) -> None:
    unknown_to_all(server)
    server.script["POST /api/prompt"] = answer
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is kind


# -- poll -----------------------------------------------------------------------------------------------------

FRAMES = [{"filename": f"c0_{i:05d}_.png", "subfolder": "su_1", "type": "output"} for i in range(1, 4)]
OUTPUTS = {
    "30": {"images": [*FRAMES, {"filename": "p.png", "subfolder": "", "type": "temp"}], "animated": [False]},
    "99": {"images": [{"filename": "other.png", "subfolder": "", "type": "output"}]},
}


def test_only_the_files_of_the_output_node_in_their_order(server: Server, client: ComfyService) -> None:
    server.script[f"GET /api/jobs/{ID}"] = told({"id": ID, "status": "completed", "outputs": OUTPUTS})
    answer = client.poll(TICKET)
    assert (answer.status, list(answer.outputs)) == (Status.SUCCEEDED, FRAMES)


def test_an_unknown_status_word_is_still_under_way(server: Server, client: ComfyService) -> None:
    server.script[f"GET /api/jobs/{ID}"] = told({"id": ID, "status": "paused_for_lunch"})
    assert client.poll(TICKET).status is Status.RUNNING


@pytest.mark.parametrize("missing", [NOTHING, UNKNOWN])
def test_servers_without_the_jobs_api(server: Server, client: ComfyService, missing: Told) -> None:
    unknown_to_all(server)
    server.script[f"GET /api/jobs/{ID}"] = missing
    server.script["GET /api/queue"] = told({"queue_running": [[1, ID, {}, {}, []]], "queue_pending": []})
    assert client.poll(TICKET).status is Status.RUNNING
    server.script["GET /api/queue"] = told({"queue_running": [], "queue_pending": [[2, ID, {}, {}, []]]})
    assert client.poll(TICKET).status is Status.QUEUED
    done = {"outputs": OUTPUTS, "status": {"status_str": "success", "completed": True, "messages": []}}
    server.script[f"GET /api/history/{ID}"] = told({ID: done})
    assert list(client.poll(TICKET).outputs) == FRAMES
    server.script[f"GET /api/history/{ID}"] = told({})
    server.script["GET /api/queue"] = EMPTY_QUEUE
    assert client.poll(TICKET).status is Status.LOST


def test_a_job_that_ends_between_two_questions_is_not_lost(server: Server, client: ComfyService) -> None:
    unknown_to_all(server)
    done = {"outputs": OUTPUTS, "status": {"status_str": "success"}}
    server.script[f"GET /api/history/{ID}"] = [told({}), told({ID: done})]
    assert client.poll(TICKET).status is Status.SUCCEEDED


@pytest.mark.parametrize("ticket", [{}, {"service": "fal", "prompt_id": ID}, {**TICKET, "prompt_id": "../queue"}])
def test_a_ticket_of_somebody_else_is_not_asked_about(
    server: Server, client: ComfyService, ticket: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="ticket"):
        client.poll(ticket)
    assert server.asked == []


# -- fetch ----------------------------------------------------------------------------------------------------


def png(asked: Asked) -> Told:
    data = asked.query["filename"].encode() * 1000
    start = int(asked.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
    if start >= len(data):
        return Told(416, b"", {"Content-Range": f"bytes */{len(data)}"})
    return Told(206 if start else 200, data[start:], {"Content-Type": "image/png"})


def test_frames_arrive_in_order_below_neutral_names(server: Server, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = png
    heard: list[int] = []
    files = client.fetch(TICKET, FRAMES, tmp_path, heard.append)
    assert [file.name for file in files] == ["00000.part", "00001.part", "00002.part"]
    assert [file.read_bytes() for file in files] == [f["filename"].encode() * 1000 for f in FRAMES]
    assert sum(heard) == sum(file.stat().st_size for file in files)
    assert [asked.query for asked in server.asked] == FRAMES


@pytest.mark.parametrize("keep", [0, 1, 5000, 12999])
def test_a_broken_download_goes_on_where_it_ended(
    server: Server, client: ComfyService, tmp_path: Path, keep: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(asked: Asked) -> Told:
        whole = png(asked)
        return Told(whole.status, whole.body, whole.headers, keep=keep)

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


def test_a_finished_file_is_not_sent_again(server: Server, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = png
    client.fetch(TICKET, FRAMES, tmp_path, nothing)
    heard: list[int] = []
    client.fetch(TICKET, FRAMES, tmp_path, heard.append)
    assert heard == []


def test_a_file_longer_than_the_servers_is_begun_again(server: Server, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = png
    (tmp_path / "00000.part").write_bytes(b"x" * 99999)
    with pytest.raises(ServiceError):
        client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    (file,) = client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    assert file.stat().st_size == 13000


def test_a_server_that_knows_no_ranges_sends_all(server: Server, client: ComfyService, tmp_path: Path) -> None:
    server.script["GET /api/view"] = Told(200, b"whole", {})
    (tmp_path / "00000.part").write_bytes(b"wh")
    (file,) = client.fetch(TICKET, FRAMES[:1], tmp_path, nothing)
    assert file.read_bytes() == b"whole"


def test_a_frame_that_is_gone_is_expired(server: Server, client: ComfyService, tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as error:
        client.fetch(TICKET, FRAMES, tmp_path, nothing)
    assert error.value.fault is ServiceFault.EXPIRED


def test_a_full_disk_while_downloading(
    server: Server, client: ComfyService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    server.script["GET /api/view"] = png
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="full"):
        client.fetch(TICKET, FRAMES, tmp_path, nothing)


# -- cancel ---------------------------------------------------------------------------------------------------


def test_cancel_by_its_own_route(server: Server, client: ComfyService) -> None:
    server.script[f"POST /api/jobs/{ID}/cancel"] = told({"cancelled": False})
    client.cancel(TICKET)
    assert server.paths() == [f"POST /api/jobs/{ID}/cancel"]


@pytest.mark.parametrize("status", [404, 405])
def test_cancel_on_older_servers_names_the_job_everywhere(server: Server, client: ComfyService, status: int) -> None:
    server.script[f"POST /api/jobs/{ID}/cancel"] = Told(status, b"", {})
    server.script["POST /api/queue"] = server.script["POST /api/interrupt"] = Told(200, b"", {})
    client.cancel(TICKET)
    assert server.paths()[1:] == ["POST /api/queue", "POST /api/interrupt"]
    assert [asked.json for asked in server.asked[1:]] == [{"delete": [ID]}, {"prompt_id": ID}]


# -- the boundary ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ServiceFault.AUTH), (403, ServiceFault.AUTH), (302, ServiceFault.AUTH), (402, ServiceFault.QUOTA),
        (429, ServiceFault.RATE_LIMITED), (408, ServiceFault.TRANSIENT), (500, ServiceFault.TRANSIENT),
        (502, ServiceFault.TRANSIENT), (503, ServiceFault.TRANSIENT), (504, ServiceFault.TRANSIENT),
        (418, ServiceFault.PROTOCOL), (410, ServiceFault.PROTOCOL),
    ],
)  # fmt: skip
def test_every_status_has_its_fault(server: Server, client: ComfyService, status: int, kind: ServiceFault) -> None:
    server.script[f"GET /api/jobs/{ID}"] = Told(status, b"{}")
    with pytest.raises(ServiceError) as error:
        client.poll(TICKET)
    assert error.value.fault is kind
    assert error.value.what.endswith(".")
    assert error.value.fix.endswith(".")


@pytest.mark.parametrize(
    ("word", "low", "high"),
    [
        ("17", 17, 17),
        (formatdate(2e9, usegmt=True), 1e6, 1e9),
        (formatdate(0, usegmt=True), 0, 0),
        ("soon", None, None),
    ],
)
def test_retry_after(server: Server, client: ComfyService, word: str, low: float | None, high: float | None) -> None:
    server.script[f"GET /api/jobs/{ID}"] = Told(429, b"", {"Retry-After": word})
    with pytest.raises(ServiceError) as error:
        client.poll(TICKET)
    wait = error.value.retry_after_s
    assert wait is None if low is None or high is None else wait is not None and low <= wait <= high


def test_no_redirect_is_followed(server: Server) -> None:
    other = Server()
    server.script["GET /api/queue"] = Told(307, b"", {"Location": f"{other.url}/api/queue"})
    http = Transport(server.url, headers={"Authorization": "Bearer x"})
    with pytest.raises(ServiceError):
        http.get("/api/queue")
    assert server.asked[0].headers["Authorization"] == "Bearer x"
    assert other.asked == []
    http.close()
    other.stop()


def test_loopback_takes_no_proxy_and_sends_no_netrc(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.script["GET /api/queue"] = EMPTY_QUEUE
    http = Transport(server.url)
    assert http.get("/api/queue").status == 200
    assert "Authorization" not in server.asked[0].headers
    http.close()


def test_an_answer_without_end_is_not_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST_JSON", 1000)
    server.script["GET /api/queue"] = told("x" * 2000)
    http = Transport(server.url)
    with pytest.raises(ServiceError, match="more than"):
        http.get("/api/queue")
    http.close()


def test_a_cut_answer_is_transient(server: Server) -> None:
    server.script["GET /api/queue"] = Told(200, b'{"queue_running": []}', keep=5)
    http = Transport(server.url)
    with pytest.raises(ServiceError) as error:
        http.get("/api/queue")
    assert error.value.fault is ServiceFault.TRANSIENT
    http.close()


def test_a_server_that_keeps_silent_is_transient(server: Server) -> None:
    gate = threading.Event()

    def wait(_: Asked) -> Told:
        gate.wait(5)
        return EMPTY_QUEUE

    server.script["GET /api/queue"] = wait
    http = Transport(server.url, read_s=0.05)
    with pytest.raises(ServiceError, match="in time") as error:
        http.get("/api/queue")
    gate.set()
    assert error.value.fault is ServiceFault.TRANSIENT
    http.close()


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, second_unit.addon.generation.services.comfyui.client, second_unit.addon.generation.jobs.store;"
        "import second_unit.addon.generation.jobs.consent, second_unit.addon.generation.jobs.parcels;"
        "print([m for m in ('requests', 'PIL', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
