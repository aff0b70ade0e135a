# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal service against recordings of ComfyUI 0.33.0: the same requests, the same kind of answers."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from second_unit.addon.errors import HostError
from second_unit.addon.generation.rehearsal.server import RehearsalServer

DATA = Path(__file__).parent.parent / "data" / "comfyui"
TIMEOUT = 30
PROMPT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# What is recorded and not imitated: (file, method and path) -> why.
NOT_IMITATED = {
    ("00_discovery", "GET /extensions"): "only the web interface asks",
    ("00_discovery", "GET /users"): "only the web interface asks",
    ("00_discovery", "GET /settings"): "only the web interface asks",
    ("00_discovery", "GET /internal/logs"): "only the web interface asks",
    ("00_discovery", "GET /"): "a page of our own",
    ("00_discovery", "GET /models/checkpoints"): "a rehearsal has no files of models",
    ("00_discovery", "GET /models/controlnet"): "a rehearsal has no files of models",
    ("08_upload", "POST /upload/mask mask"): "no job of ours paints masks",
    ("08_upload", "POST /prompt clipspace/mask.png [input]"): "needs the mask",
    ("09_view", "GET /view_metadata/checkpoints?filename=tst_random_sd15.safetensors"): "there are no checkpoints",
    ("04_errors", "POST /prompt missing checkpoint"): "a rehearsal has every model",
    ("04_errors", "POST /prompt corrupt checkpoint"): "a rehearsal reads no checkpoint",
}


def is_refused_on_purpose(exchange: Any) -> bool:
    """A foreign ``Host``: ComfyUI lets it pass, ours does not, against pages whose name resolves to this machine."""
    host = exchange["request"]["headers"].get("Host", "127.0.0.1")
    return "127.0.0.1" not in host and exchange["response"]["status"] == 200


# Keys a real server tells and ours leaves out, or the other way round.
MAY_DIFFER = frozenset(
    [
        "required_frontend_version",
        "installed_templates_version",
        "required_templates_version",
        "comfy_package_versions",
        "deploy_environment",
        "second_unit_rehearsal",
        "output_tooltips",
        "output_matchtypes",
        "deprecated",
        "experimental",
        "dev_only",
        "api_node",
        "price_badge",
        "essentials_category",
    ]
)
# Lists whose entries differ by nature: files, models, arguments of a program, caches.
MAY_HOLD_OTHERS = frozenset({"argv", "nodes", "executed", "search_aliases", "current_outputs", "traceback"})


class NoMovies:
    """These recordings hold no movie that has to be read."""

    def encode(self, frames: list[Path], movie: Path, fps: Fraction, *, crf: str = "HIGH") -> None:
        del frames, movie, fps, crf
        raise HostError("No movies here.", "Take another graph.")

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        del movie, folder
        raise HostError("No movies here.", "Take another graph.")


def exchanges(case: str) -> list[Any]:
    return [json.loads(line) for line in (DATA / f"{case}.jsonl").read_text("utf-8").splitlines()]


def name_of(exchange: Any) -> str:
    request = exchange["request"]
    return f"{request['method']} {request['path']} {exchange['label']}".strip()


def is_slow(graph: Any) -> bool:
    """Large pictures: the recorded slow jobs."""
    nodes = graph.values() if isinstance(graph, dict) else ()
    return any(isinstance(node, dict) and node.get("inputs", {}).get("width", 0) in {1024, 3072} for node in nodes)


class Replay:
    """Sends recorded requests in their order. Slow jobs stand still until their end is asked for."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.go, self.held = threading.Event(), threading.Event()
        self.slow: set[str] = set()
        self.server = RehearsalServer(NoMovies(), folder, before_node=self._hold, **options)
        self.ids: dict[str, str] = {}
        self.session = requests.Session()
        self.etag = ""

    def _hold(self, prompt_id: str, node: str) -> None:
        del node
        if prompt_id in self.slow:
            self.held.set()
            assert self.go.wait(TIMEOUT)

    def ours(self, text: str) -> str:
        """Recorded ids and names of temporary files, as this server made them."""
        text = re.sub("ComfyUI_temp_[a-z]{5}_", "ComfyUI_temp_rehearsal_", text)
        return PROMPT_ID.sub(lambda found: self.ids.get(found[0], found[0]), text)

    def knows(self, path: str) -> bool:
        """Whether the prompt a path asks for was sent: those of NOT_IMITATED were not."""
        found = PROMPT_ID.search(path)
        return found is None or found[0] in self.ids or found[0].startswith("00000000")

    def send(self, exchange: Any) -> requests.Response:
        request = exchange["request"]
        body = request["body"] or {}
        headers = {key: self._header(value) for key, value in request["headers"].items()}
        data: Any = None
        if "parts" in body:
            data, headers["Content-Type"] = self._form(exchange)
        elif "json" in body:
            data = self._json(exchange, body["json"])
        elif body:
            data = base64.b64decode(body["b64"]) if "b64" in body else body.get("text", "").encode()
        url = self.server.url + self.ours(request["path"])
        response = self.session.request(request["method"], url, data=data, headers=headers, timeout=TIMEOUT)
        self._note(exchange, response)
        return response

    def _header(self, value: str) -> str:
        return value.replace("127.0.0.1:8188", self.server.url.removeprefix("http://"))

    def _json(self, exchange: Any, body: Any) -> bytes:
        """Ids in bodies become ours; a slow job keeps its id, so that it is held from its first node."""
        if isinstance(body, dict) and is_slow(body.get("prompt")):
            self.settle()
            recorded = exchange["response"]["body"]["json"]["prompt_id"]
            self.slow.add(recorded)
            body = body | {"prompt_id": recorded}
        return self.ours(json.dumps(body)).encode()

    def settle(self) -> None:
        """Let what is held run, wait for the queue to empty, hold again."""
        self.go.set()
        while self.session.get(f"{self.server.url}/prompt", timeout=TIMEOUT).json()["exec_info"]["queue_remaining"]:
            continue
        self.go.clear()
        self.held.clear()

    def _note(self, exchange: Any, response: requests.Response) -> None:
        recorded = (exchange["response"]["body"] or {}).get("json")
        if exchange["request"]["path"] == "/prompt" and isinstance(recorded, dict) and "prompt_id" in recorded:
            self.ids[recorded["prompt_id"]] = response.json().get("prompt_id", "")
            if recorded["prompt_id"] in self.slow:
                assert self.held.wait(TIMEOUT)
        if response.headers.get("ETag"):
            self.etag = response.headers["ETag"]

    def _form(self, exchange: Any) -> tuple[bytes, str]:
        fence = "----replay"
        lines = bytearray()
        for part in exchange["request"]["body"]["parts"]:
            lines += f'--{fence}\r\nContent-Disposition: form-data; name="{part["name"]}"'.encode()
            if "value" in part:
                lines += f"\r\n\r\n{part['value']}\r\n".encode()
                continue
            if part.get("filename") is not None:
                lines += f'; filename="{part["filename"]}"'.encode()
            lines += f"\r\nContent-Type: {part['content_type']}\r\n\r\n".encode() + content(exchange, part) + b"\r\n"
        return bytes(lines + f"--{fence}--\r\n".encode()), f"multipart/form-data; boundary={fence}"


def picture(colour: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    data = io.BytesIO()
    Image.new(mode, size, (colour, 90, 160, 120)[: len(mode)]).save(data, "PNG")
    return data.getvalue()


# The recordings keep the length of an upload, not its bytes: which are equal follows from the labels.
COLOURS = {
    "first": 1,
    "same name, same bytes": 1,
    "same name, other bytes": 2,
    "again other bytes": 3,
    "bytes of (1) again": 2,
    "overwrite=true": 4,
    "overwrite=1": 5,
    "overwrite=True (capital): not honoured": 6,
    "overwrite=false": 7,
}


def content(exchange: Any, part: Any) -> bytes:
    name = part.get("filename") or ""
    if name == "broken.png" or not name.endswith(".png"):
        return b"x" * part["len"]
    if part["len"] == 0:
        return b""
    return picture(0, (40, 30), "RGBA") if name == "v.png" else picture(COLOURS.get(exchange["label"], 9))


def shape_gap(want: Any, got: Any, where: str = "") -> list[str]:
    """Where two JSON values differ in keys or types. Equal types of numbers count as one."""
    if isinstance(want, dict) and isinstance(got, dict):
        keys = {key if not PROMPT_ID.fullmatch(key) else "<id>" for key in want} - MAY_DIFFER
        ours = {key if not PROMPT_ID.fullmatch(key) else "<id>" for key in got} - MAY_DIFFER
        gaps = [f"{where}: keys {sorted(keys ^ ours)}"] if keys != ours else []
        pairs = [(key, want[key], got[key]) for key in want if key in got and key not in MAY_HOLD_OTHERS | MAY_DIFFER]
        pairs += [("<id>", a, b) for a, b in zip(ided(want), ided(got), strict=False)]
        return gaps + [gap for key, a, b in pairs for gap in shape_gap(a, b, f"{where}/{key}")]
    if isinstance(want, list) and isinstance(got, list):
        if bool(want) != bool(got):
            return [f"{where}: {len(want)} against {len(got)} entries"]
        return [
            gap
            for index, (a, b) in enumerate(zip(want, got, strict=False))
            for gap in shape_gap(a, b, f"{where}[{index}]")
        ]
    numbers = (int, float)
    same = type(want) is type(got) or (isinstance(want, numbers) and isinstance(got, numbers))
    return [] if same else [f"{where}: {type(want).__name__} against {type(got).__name__}"]


def ided(value: dict[str, Any]) -> list[Any]:
    return [item for key, item in value.items() if PROMPT_ID.fullmatch(key)]


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    player = Replay(tmp_path)
    with player.server:
        yield player
        player.go.set()


def check(exchange: Any, response: requests.Response) -> list[str]:
    want = exchange["response"]
    gaps: list[str] = []
    if response.status_code != want["status"]:
        return [f"status {response.status_code} instead of {want['status']}: {response.text[:200]}"]
    for header in ("Content-Type", "Content-Range", "Allow", "Accept-Ranges", "Cache-Control"):
        expected = want["headers"].get(header)
        if expected is not None and response.headers.get(header) != expected:
            gaps.append(f"{header} {response.headers.get(header)!r} instead of {expected!r}")
    body = want["body"] or {}
    if "json" in body:
        gaps += shape_gap(body["json"], response.json())
    elif "text" in body and response.text != body["text"]:
        gaps.append(f"text {response.text!r}")
    return gaps


def tells_an_end(exchange: Any) -> bool:
    """Whether the recorded answer tells of a finished job, so that ours must be finished too."""
    path, body = exchange["request"]["path"], (exchange["response"]["body"] or {}).get("json")
    is_finished = isinstance(body, dict) and (
        "execution_end_time" in body or any("outputs" in item for item in ided(body))
    )
    return is_finished and path.startswith(("/history", "/api/jobs"))


@pytest.mark.parametrize("case", ["00_discovery", "01_image_basic", "04_errors", "08_upload", "10_security_headers"])
def test_the_same_requests_get_the_same_kind_of_answers(case: str, replay: Replay) -> None:
    gaps: dict[str, list[str]] = {}
    for exchange in exchanges(case):
        name = name_of(exchange)
        if (case, name) in NOT_IMITATED or not replay.knows(exchange["request"]["path"]):
            continue
        if tells_an_end(exchange):
            replay.settle()
        response = replay.send(exchange)
        if is_refused_on_purpose(exchange):
            assert (response.status_code, exchange["response"]["status"]) == (403, 200)
            continue
        recorded = (exchange["response"]["body"] or {}).get("json")
        if recorded == {} and name.startswith("GET /history/"):
            continue  # the recorded server was still at it
        found = check(exchange, response)
        if found:
            gaps[name] = found
    assert gaps == {}


def test_the_deviation_for_foreign_hosts_is_in_the_recordings() -> None:
    assert [name_of(e) for e in exchanges("10_security_headers") if is_refused_on_purpose(e)] == [
        "GET /queue", "POST /queue",
    ]  # fmt: skip


def test_what_is_not_imitated_is_in_the_recordings() -> None:
    for case, name in NOT_IMITATED:
        assert name in {name_of(exchange) for exchange in exchanges(case)}


def test_refused_prompts_get_the_recorded_words(replay: Replay) -> None:
    seen = 0
    for exchange in exchanges("04_errors"):
        response = replay.send(exchange)
        body = (exchange["response"]["body"] or {}).get("json")
        if exchange["response"]["status"] == 400 and ("04_errors", name_of(exchange)) not in NOT_IMITATED:
            seen += 1
            assert without_tracebacks(response.json()) == without_tracebacks(body), name_of(exchange)
    assert seen > 20


def without_tracebacks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_tracebacks(item) for key, item in value.items() if key != "traceback"}
    return [without_tracebacks(item) for item in value] if isinstance(value, list) else value


def test_names_of_uploads_are_the_recorded_ones(replay: Replay) -> None:
    for exchange in exchanges("08_upload"):
        response = replay.send(exchange)
        body = (exchange["response"]["body"] or {}).get("json")
        is_upload = exchange["request"]["path"] == "/upload/image" and body
        if is_upload:
            assert response.json() == body, exchange["label"]


def test_interrupting_deleting_and_the_jobs_routes(replay: Replay) -> None:
    """Recorded with slow jobs: ours stand still instead, and go on when they were told to stop."""
    gaps: dict[str, list[str]] = {}
    for number, exchange in enumerate(exchanges("05_interrupt_queue")):
        if tells_an_end(exchange):
            replay.settle()
        found = check(exchange, replay.send(exchange))
        if found:
            gaps[f"{number} {name_of(exchange)}"] = found
    assert gaps == {}


def test_files_come_back_as_recorded(replay: Replay) -> None:
    gaps: dict[str, list[str]] = {}
    for exchange in exchanges("09_view"):
        name = name_of(exchange)
        if ("09_view", name) in NOT_IMITATED:
            continue
        if "If-None-Match" in exchange["request"]["headers"]:
            exchange["request"]["headers"]["If-None-Match"] = replay.etag
        total = len(picture(0, (40, 30), "RGBA"))
        recorded = exchange["response"]["headers"].get("Content-Range")
        if recorded:
            exchange["response"]["headers"]["Content-Range"] = recorded.replace("/149", f"/{total}")
        found = check(exchange, replay.send(exchange))
        if found:
            gaps[name] = found
    assert gaps == {}


def test_bodies_over_the_limit_are_refused_as_recorded(tmp_path: Path) -> None:
    first, second, *_ = exchanges("08b_upload_limit")
    replay = Replay(tmp_path, max_body=1 << 20)
    with replay.server:
        assert replay.send(first).status_code == first["response"]["status"] == 200
        response = replay.send(second)
        assert (response.status_code, response.text) == (413, second["response"]["body"]["text"])
        assert replay.session.get(f"{replay.server.url}/features", timeout=TIMEOUT).json()["max_upload_size"] == 1 << 20
