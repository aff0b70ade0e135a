# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP boundary: every foreign trouble becomes a sentence, and nothing goes where it should not."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import ServiceError, ServiceFault
from second_unit.addon.generation.services.comfyui import transport
from second_unit.addon.generation.services.comfyui.client import ComfyService
from second_unit.addon.generation.services.comfyui.deadline import Deadline
from second_unit.addon.generation.services.comfyui.transport import Transport
from second_unit.addon.generation.services.port import NoAnswer
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


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ServiceFault.AUTH), (403, ServiceFault.AUTH), (302, ServiceFault.AUTH), (402, ServiceFault.QUOTA),
        (429, ServiceFault.RATE_LIMITED), (408, ServiceFault.TRANSIENT), (500, ServiceFault.TRANSIENT),
        (502, ServiceFault.TRANSIENT), (503, ServiceFault.TRANSIENT), (504, ServiceFault.TRANSIENT),
        (418, ServiceFault.PROTOCOL), (410, ServiceFault.PROTOCOL),
    ],
)  # fmt: skip
def test_every_status_has_its_fault(server: Any, client: ComfyService, status: int, kind: ServiceFault) -> None:
    server.script[f"GET /api/jobs/{ID}"] = server.raw(status, b"{}")
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
def test_retry_after(server: Any, client: ComfyService, word: str, low: float | None, high: float | None) -> None:
    server.script[f"GET /api/jobs/{ID}"] = server.raw(429, b"", {"Retry-After": word})
    with pytest.raises(ServiceError) as error:
        client.poll(TICKET)
    wait = error.value.retry_after_s
    assert wait is None if low is None or high is None else wait is not None and low <= wait <= high


def test_no_redirect_is_followed(server: Any, new_server: Any) -> None:
    other = new_server()
    server.script["GET /api/queue"] = server.raw(307, b"", {"Location": f"{other.url}/api/queue"})
    http = Transport(server.url, headers={"Authorization": "Bearer x"})
    with pytest.raises(ServiceError):
        http.get("/api/queue")
    assert server.asked[0].headers["Authorization"] == "Bearer x"
    assert other.asked == []
    http.close()
    other.stop()


def test_loopback_takes_no_proxy_and_sends_no_netrc(
    server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.script["GET /api/queue"] = server.empty_queue
    http = Transport(server.url)
    assert http.get("/api/queue").status == 200
    assert "Authorization" not in server.asked[0].headers
    http.close()


def test_an_answer_without_end_is_not_kept(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST_JSON", 1000)
    server.script["GET /api/queue"] = server.told("x" * 2000)
    http = Transport(server.url)
    with pytest.raises(ServiceError, match="more than"):
        http.get("/api/queue")
    http.close()


def test_a_cut_answer_is_transient(server: Any) -> None:
    server.script["GET /api/queue"] = server.raw(200, b'{"queue_running": []}', keep=5)
    http = Transport(server.url)
    with pytest.raises(ServiceError) as error:
        http.get("/api/queue")
    assert error.value.fault is ServiceFault.TRANSIENT
    http.close()


def test_a_server_that_keeps_silent_is_transient(server: Any) -> None:
    gate = threading.Event()

    def wait(_: Any) -> Told:
        gate.wait(5)
        return server.empty_queue

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


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000, b"{", b"\xff{}", b'{"a": 1} trailing'],
    ids=["lists", "objects", "digits", "half", "bytes", "more"],
)
def test_an_answer_nobody_can_parse_is_a_protocol_error(server: Any, body: bytes) -> None:
    server.script["GET /api/queue"] = server.raw(200, body)
    http = Transport(server.url)
    with pytest.raises(ServiceError, match="damaged") as error:
        http.get("/api/queue")
    assert error.value.fault is ServiceFault.PROTOCOL
    http.close()


@pytest.mark.parametrize("length", ["5, 5", "five", "-5", "+5", "5.0", "9" * 5000])
def test_an_odd_length_is_a_protocol_error(server: Any, tmp_path: Path, length: str) -> None:
    server.script["GET /api/view"] = server.raw(200, b"hello", {"Content-Length": length})
    http = Transport(server.url, read_s=2)
    with pytest.raises(ServiceError) as error:
        http.download("/api/view", {}, tmp_path / "a.part", lambda _: None)
    assert error.value.fault is ServiceFault.PROTOCOL
    http.close()


@pytest.mark.parametrize("is_told", [True, False])
def test_a_frame_larger_than_it_can_be_is_not_kept(server: Any, tmp_path: Path, is_told: bool) -> None:
    headers = {} if is_told else {"Transfer-Encoding": "chunked", "Content-Length": ""}
    pieces = b"".join(b"%x\r\n%s\r\n" % (1000, b"x" * 1000) for _ in range(9)) + b"0\r\n\r\n"
    server.script["GET /api/view"] = server.raw(200, b"x" * 9000 if is_told else pieces, headers, keep=None)
    http = Transport(server.url)
    with pytest.raises(ServiceError, match="more than") as error:
        http.download("/api/view", {}, tmp_path / "a.part", lambda _: None, 8999)
    assert error.value.fault is ServiceFault.PROTOCOL
    http.download("/api/view", {}, tmp_path / "b.part", lambda _: None, 9000)
    assert (tmp_path / "b.part").stat().st_size == 9000
    http.close()


@pytest.mark.parametrize("target", ["http://[", "http://\xff.example/", "//:99999999/", "/" * 9000])
def test_the_target_of_a_redirect_is_not_even_read(server: Any, target: str) -> None:
    server.script["GET /api/queue"] = server.raw(302, b"x", {"Location": target})
    http = Transport(server.url)
    with pytest.raises(ServiceError) as error:
        http.get("/api/queue")
    assert error.value.fault is ServiceFault.AUTH
    http.close()


@pytest.mark.parametrize("word", ["9" * 400, "Thu, 99 Foo 99999 99:99:99 GMT", "\xb2", ""])
def test_a_retry_after_that_is_no_time_is_no_wait(server: Any, client: ComfyService, word: str) -> None:
    server.script[f"GET /api/jobs/{ID}"] = server.raw(429, b"", {"Retry-After": word})
    with pytest.raises(ServiceError) as error:
        client.poll(TICKET)
    assert error.value.retry_after_s is None


class Drip:
    """A server that sends one byte after the other, for ever, or takes none of what it is sent."""

    def __init__(self, head: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.head = head
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        with self.listener, self.listener.accept()[0] as client, contextlib.suppress(OSError):
            client.sendall(self.head)
            while True:
                client.sendall(b"x")


class Clock:
    """Ten seconds pass between two looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


@pytest.mark.parametrize("where", ["head", "json", "file"])
def test_a_server_that_drips_is_not_listened_to_for_ever(tmp_path: Path, where: str) -> None:
    heads = {"head": b"HTTP/1.1 200 OK\r\nX-Long: ", "json": b"HTTP/1.1 200 OK\r\n\r\n"}
    drip = Drip(heads.get(where, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"))
    clock = Clock()
    http = Transport(drip.url, deadline=Deadline(5, clock=clock))

    def ask() -> None:
        if where == "file":
            http.download("/api/view", {}, tmp_path / "a.part", lambda _: None)
        else:
            http.get("/api/queue")

    with pytest.raises(NoAnswer, match="in time"):
        ask()
    assert 60 <= clock.now < 200
    http.close()
    drip.thread.join()


def test_an_upload_nobody_takes_ends(server: Any, tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "g").write_bytes(bytes(1 << 21))
    server.script["POST /api/upload/image"] = server.told({})
    http = Transport(server.url, deadline=Deadline(5, slowest=1e12, clock=clock))
    with pytest.raises(NoAnswer, match="in time"):
        http.post_file("/api/upload/image", tmp_path / "g", "g", {})
    http.close()


def test_what_moves_may_take_its_time(server: Any, tmp_path: Path) -> None:
    """2 MB at ten seconds a look: longer than a call may take that moves nothing."""
    clock = Clock()
    (tmp_path / "g").write_bytes(bytes(1 << 21))
    server.script["POST /api/upload/image"] = server.told({"name": "g"})
    http = Transport(server.url, deadline=Deadline(5, slowest=1 << 13, clock=clock))
    assert http.post_file("/api/upload/image", tmp_path / "g", "g", {}).status == 200
    assert clock.now > 120
    http.close()


def test_a_connection_is_used_again_and_every_call_has_its_own_time(server: Any) -> None:
    clock = Clock()
    server.script["GET /api/queue"] = server.empty_queue
    http = Transport(server.url, deadline=Deadline(5, clock=clock))
    for _ in range(20):
        assert http.get("/api/queue").status == 200
    assert clock.now > 120
    http.close()
