# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal service: a local server that speaks ComfyUI's protocol and shades controls without a model.

It listens on 127.0.0.1 only. One thread answers each connection, one thread carries out prompts in queue
order.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from ..services.comfyui.schema import recorded_object_info
from .execute import Executor
from .messages import TROUBLE, FileSlice, Reply, Request, TroubleError, text_reply
from .prompts import PromptQueue
from .routes import Service
from .storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from ...shot.ports import MovieCodec

LOOPBACK = "127.0.0.1"
MAX_BODY = 100 * 1024 * 1024
_BLOCK = 1 << 20
_LARGEST_DISCARD = 1 << 30


def _go_on(prompt_id: str, node_id: str) -> None:
    del prompt_id, node_id


class RehearsalServer:
    """``with RehearsalServer(codec, folder) as server: … server.url``.

    ``folder`` belongs to the caller and keeps what was uploaded and made; ``port`` 0 takes any free one.
    ``before_node`` is called with (prompt id, node id) on the worker thread before each node and each saved
    frame: a test holds it there.
    """

    def __init__(
        self,
        codec: MovieCodec,
        folder: Path,
        port: int = 0,
        *,
        max_body: int = MAX_BODY,
        before_node: Callable[[str, str], None] = _go_on,
    ) -> None:
        storage = Storage(folder)
        self._queue = PromptQueue()
        self._executor = Executor(storage, codec, self._queue, before_node)
        self._http = _Listener((LOOPBACK, port), Service(storage, self._queue, recorded_object_info(), max_body))
        self._threads = [
            threading.Thread(target=self._work, name="rehearsal worker", daemon=True),
            threading.Thread(
                target=self._http.serve_forever,
                kwargs={"poll_interval": 0.05},
                name="rehearsal http",
                daemon=True,
            ),
        ]

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._http.server_port}"

    def start(self) -> None:
        """Begin to answer and to work. Once only."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Interrupt what runs, stop answering, wait for both threads."""
        self._queue.close()
        if self._threads[1].is_alive():
            self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _work(self) -> None:
        while (prompt := self._queue.take()) is not None:
            self._queue.finish(self._executor.run(prompt))


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service = service
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers leave at once: with Nagle's algorithm each poll would cost 40 ms.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]  only our listener makes handlers

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is the base class's
        """Silent."""

    def version_string(self) -> str:
        """No versions of the machine in headers."""
        return "SecondUnitRehearsal"

    def _answer(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(text_reply(f"Maximum request body size {self.server.service.max_body} exceeded.", 413))
            return
        parts = urlsplit(self.path)
        is_api = parts.path.startswith("/api/")
        path = parts.path.removeprefix("/api") if is_api else parts.path
        headers = {key.lower(): value for key, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            reply = self.server.service.answer(Request(self.command, path, query, headers, body, is_api))
        except TroubleError:
            reply = TROUBLE
        self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815 http.server looks for these names

    def _body(self) -> bytes | None:
        """The whole body, None if it is too large."""
        limit = self.server.service.max_body
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks(limit)
        text = self.headers.get("Content-Length", "0")
        length = int(text) if text.isdigit() else 0
        if length <= limit:
            return self._exactly(length)
        self._discard(min(length, _LARGEST_DISCARD))
        return None

    def _discard(self, length: int) -> None:
        """Read on without keeping it: closing on a client that still sends would hide the answer from it."""
        while length > 0 and (block := self.rfile.read(min(_BLOCK, length))):
            length -= len(block)

    def _exactly(self, length: int) -> bytes:
        """That many bytes. A client that stops in the middle gets no answer and leaves no file."""
        data = self.rfile.read(length)
        if len(data) < length:
            raise ConnectionAbortedError
        return data

    def _chunks(self, limit: int) -> bytes | None:
        data = bytearray()
        while (size := int(self.rfile.readline(_BLOCK).partition(b";")[0] or b"0", 16)) > 0:
            if len(data) + size > limit:
                return None
            data += self._exactly(size)
            self.rfile.readline(_BLOCK)
        while self.rfile.readline(_BLOCK).strip():
            continue
        return bytes(data)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.content_type is not None:
            self.send_header("Content-Type", reply.content_type)
        for key, value in reply.headers.items():
            # File names are UTF-8; http.server writes headers as Latin-1.
            self.send_header(key, value.encode().decode("latin-1"))
        self.send_header("Content-Length", str(reply.length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.file is not None:
            self._send_file(reply.file)
        elif reply.body:
            self.wfile.write(reply.body)

    def _send_file(self, part: FileSlice) -> None:
        with part.path.open("rb") as file:
            file.seek(part.start)
            left = part.length
            while left > 0 and (block := file.read(min(_BLOCK, left))):
                self.wfile.write(block)
                left -= len(block)
