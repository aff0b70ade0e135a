# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from second_unit.addon.generation.services.comfyui.client import ComfyService
from second_unit.addon.generation.services.comfyui.graph import load_template

Told = dict[str, Any]
"""``status`` (0: hang up), ``body``, ``headers``, and ``keep``: cut the connection after so many bytes of the body."""


def raw(status: int = 200, body: bytes = b"", headers: Any = None, keep: int | None = None) -> Told:
    """An answer, byte by byte."""
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    return {"status": status, "body": body, "headers": json_type if headers is None else headers, "keep": keep}


def told(data: Any, status: int = 200) -> Told:
    """A JSON answer."""
    return raw(status, json.dumps(data).encode())


NOTHING = raw(404, b"", {"Content-Type": "application/octet-stream"})


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    reply = staticmethod(raw)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[[Asked], Told]


class Listener(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class Server:
    """Answers by path; a list is used up, its last entry stays."""

    raw = staticmethod(raw)
    told = staticmethod(told)
    hang_up = raw(0)
    nothing = NOTHING
    unknown = told({"error": "Job not found"}, 404)
    empty_queue = told({"queue_running": [], "queue_pending": []})

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
                if reply["status"] == 0:
                    self.close_connection = True
                    return
                self.send_response(reply["status"])
                for name, value in reply["headers"].items():
                    self.send_header(name, value)
                if "Content-Length" not in reply["headers"]:
                    self.send_header("Content-Length", str(len(reply["body"])))
                self.end_headers()
                self.wfile.write(reply["body"][: reply["keep"]])
                self.close_connection = self.close_connection or reply["keep"] is not None

            do_GET = do_POST = do_HEAD = answer  # noqa: N815 - names of the base class

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                pass

        self.http = Listener(("127.0.0.1", 0), Handler)
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

    def know_nothing_of(self, job: str) -> None:
        """Answer like a server that never heard of a job."""
        self.script[f"GET /api/jobs/{job}"] = self.unknown
        self.script[f"GET /api/history/{job}"] = told({})
        self.script["GET /api/queue"] = self.empty_queue

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


@pytest.fixture
def new_server() -> Callable[[], Server]:
    return Server
