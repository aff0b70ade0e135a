# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal service as a client meets it: movies in, frames out, stopped in the middle, fed with bad files."""

from __future__ import annotations

import io
import shutil
import socket
import threading
import uuid
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from second_unit.addon.errors import HostError
from second_unit.addon.generation.rehearsal.server import RehearsalServer
from second_unit.addon.generation.rehearsal.storage import OutsideError, Place, Storage
from second_unit.addon.generation.services.comfyui.graph import Graph, fill, load_template

TIMEOUT = 30
SIZE = (96, 64)


class ZipCodec:
    """Keeps frames losslessly in a zip that is called a movie."""

    def encode(self, frames: list[Path], movie: Path, fps: Fraction, *, crf: str = "HIGH") -> None:
        del fps, crf
        with zipfile.ZipFile(movie, "w") as file:
            for index, frame in enumerate(frames):
                file.write(frame, f"{index:05}.png")

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        if not zipfile.is_zipfile(movie):
            raise HostError("This is no movie.", "Send another one.")
        with zipfile.ZipFile(movie) as file:
            names = sorted(file.namelist())
            for name in names:
                with file.open(name) as source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
        return [folder / name for name in names]


class Gate:
    """Holds the worker before a chosen visit of a node, until told to go on."""

    def __init__(self, node: str, visit: int) -> None:
        self.node, self.visit, self.count = node, visit, 0
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, prompt_id: str, node: str) -> None:
        del prompt_id
        self.count += node == self.node
        if node == self.node and self.count == self.visit:
            self.reached.set()
            assert self.go.wait(TIMEOUT)


class Client:
    """The few calls that these tests need."""

    def __init__(self, server: RehearsalServer) -> None:
        self.url = server.url
        self.session = requests.Session()

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=TIMEOUT, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        return self.session.post(self.url + path, timeout=TIMEOUT, **more)

    def upload(self, name: str, data: bytes) -> str:
        return self.post("/api/upload/image", files={"image": (name, data)}).json()["name"]

    def submit(self, graph: Graph) -> str:
        answer = self.post("/api/prompt", json={"prompt": graph, "prompt_id": str(uuid.uuid4())}).json()
        assert answer["node_errors"] == {}, answer
        return answer["prompt_id"]

    def wait(self, prompt_id: str) -> dict[str, Any]:
        while (job := self.get(f"/api/jobs/{prompt_id}").json())["status"] in {"pending", "in_progress"}:
            continue
        return job

    def frames(self, job: dict[str, Any], node: str = "30") -> list[np.ndarray[Any, Any]]:
        images = job["outputs"][node]["images"]
        return [np.asarray(Image.open(io.BytesIO(self.get("/api/view", params=image).content))) for image in images]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with RehearsalServer(ZipCodec(), tmp_path) as server:
        yield Client(server)


def movie(tmp_path: Path, levels: list[int], size: tuple[int, int] = SIZE) -> bytes:
    """Frames of one grey each: a flat wall that comes nearer."""
    files: list[Path] = []
    for index, level in enumerate(levels):
        files.append(tmp_path / f"source_{index}.png")
        Image.new("RGB", size, (level,) * 3).save(files[-1])
    ZipCodec().encode(files, tmp_path / "source.zip", Fraction(24))
    return (tmp_path / "source.zip").read_bytes()


def guide_graph(name: str, length: int, **more: object) -> Graph:
    values = {"prompt": "a wall at dusk", "seed": 3, "width": SIZE[0], "height": SIZE[1], "length": length}
    return fill(load_template("wan_vace_guide"), {**values, "control.guide": name, "filename_prefix": "su/ab", **more})


def test_a_guide_movie_becomes_as_many_frames_in_order(client: Client, tmp_path: Path) -> None:
    name = client.upload("guide.mp4", movie(tmp_path, [40, 80, 120, 160, 200]))
    job = client.wait(client.submit(guide_graph(name, 5)))
    assert job["status"] == "completed"
    files = [image["filename"] for image in job["outputs"]["30"]["images"]]
    assert files == [f"ab_{number:05}_.png" for number in range(1, 6)]
    frames = client.frames(job)
    assert {frame.shape for frame in frames} == {(64, 96, 3)}
    # Nearer means less haze: the wall's contrast to the horizon grows with every frame.
    centres = np.array([frame[20:40, 30:60].mean(axis=(0, 1)) for frame in frames])
    steps = np.abs(np.diff(centres, axis=0)).sum(axis=1)
    assert (steps[:3] > 1).all()


def test_a_control_that_is_too_short_goes_on_in_grey(client: Client, tmp_path: Path) -> None:
    short = client.upload("short.mp4", movie(tmp_path, [200]))
    full = client.upload("full.mp4", movie(tmp_path, [200, 127, 127, 127, 127]))
    one = client.frames(client.wait(client.submit(guide_graph(short, 5))))
    two = client.frames(client.wait(client.submit(guide_graph(full, 5))))
    assert len(one) == 5
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_control_of_another_shape_is_cut_in_the_middle(client: Client, tmp_path: Path) -> None:
    wide = client.upload("wide.mp4", movie(tmp_path, [90], (400, 100)))
    frames = client.frames(client.wait(client.submit(guide_graph(wide, 1))))
    assert frames[0].shape == (64, 96, 3)


def test_depth_and_pose_as_two_movies(client: Client, tmp_path: Path) -> None:
    depth = client.upload("depth.mp4", movie(tmp_path, [90]))
    pose = client.upload("pose.mp4", movie(tmp_path, [0]))
    values = {"width": SIZE[0], "height": SIZE[1], "length": 1, "prompt": "a wall at dusk", "seed": 3}
    graph = fill(load_template("wan_vace_depth_pose"), {**values, "control.depth": depth, "control.pose": pose})
    both = client.frames(client.wait(client.submit(graph)))
    alone = client.frames(client.wait(client.submit(guide_graph(depth, 1))))
    np.testing.assert_array_equal(both[0], alone[0])


def test_prompt_and_seed_choose_the_look(client: Client, tmp_path: Path) -> None:
    name = client.upload("guide.mp4", movie(tmp_path, [90]))
    looks = [("dusk", 3), ("dusk", 3), ("snow", 3), ("dusk", 4)]
    pictures = [
        client.frames(client.wait(client.submit(guide_graph(name, 1, prompt=prompt, seed=seed))))[0].tobytes()
        for prompt, seed in looks
    ]
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == 3


def test_the_negative_prompt_does_not_choose_the_look(client: Client, tmp_path: Path) -> None:
    name = client.upload("guide.mp4", movie(tmp_path, [90]))
    one, two = (
        client.frames(client.wait(client.submit(guide_graph(name, 1, negative=text))))[0] for text in ("snow", "neon")
    )
    np.testing.assert_array_equal(one, two)


def test_frames_carry_the_graph_as_on_a_real_server(client: Client, tmp_path: Path) -> None:
    name = client.upload("guide.mp4", movie(tmp_path, [90]))
    job = client.wait(client.submit(guide_graph(name, 1)))
    data = client.get("/view", params=job["outputs"]["30"]["images"][0]).content
    assert "WanVaceToVideo" in Image.open(io.BytesIO(data)).info["prompt"]


def test_a_movie_goes_through_unharmed(client: Client, tmp_path: Path) -> None:
    name = client.upload("in.mp4", movie(tmp_path, [10, 200]))
    graph: Graph = {
        "1": {"class_type": "LoadVideo", "inputs": {"file": name}},
        "2": {"class_type": "GetVideoComponents", "inputs": {"video": ["1", 0]}},
        "3": {"class_type": "CreateVideo", "inputs": {"images": ["2", 0], "fps": 16.0}},
        "4": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["3", 0], "filename_prefix": "v", "format": "auto", "codec": "auto"},
        },
    }
    job = client.wait(client.submit(graph))
    assert job["outputs"]["4"]["animated"] == [True]
    (place,) = job["outputs"]["4"]["images"]
    (tmp_path / "back.zip").write_bytes(client.get("/view", params=place).content)
    (tmp_path / "back").mkdir()
    frames = ZipCodec().decode(tmp_path / "back.zip", tmp_path / "back")
    assert [np.asarray(Image.open(frame)).max() for frame in frames] == [10, 200]


@pytest.mark.parametrize("how", ["/interrupt", "/api/jobs/{id}/cancel"])
def test_stopping_between_frames(tmp_path: Path, how: str) -> None:
    gate = Gate("30", visit=4)
    with RehearsalServer(ZipCodec(), tmp_path, before_node=gate) as server:
        client = Client(server)
        prompt_id = client.submit(guide_graph(client.upload("guide.mp4", movie(tmp_path, [90] * 9)), 9))
        assert gate.reached.wait(TIMEOUT)
        assert client.get(f"/api/jobs/{prompt_id}").json()["status"] == "in_progress"
        client.post(how.format(id=prompt_id), json={"prompt_id": prompt_id})
        gate.go.set()
        job = client.wait(prompt_id)
        assert job["status"] == "cancelled"
        status = client.get(f"/history/{prompt_id}").json()[prompt_id]["status"]
        assert (status["status_str"], status["messages"][-1][0]) == ("error", "execution_interrupted")
        assert len(list((tmp_path / "output" / "su").iterdir())) == 2


def test_stopping_the_server_stops_the_job(tmp_path: Path) -> None:
    gate = Gate("30", visit=3)
    server = RehearsalServer(ZipCodec(), tmp_path, before_node=gate)
    server.start()
    client = Client(server)
    client.submit(guide_graph(client.upload("guide.mp4", movie(tmp_path, [90] * 50)), 50 - 1))
    assert gate.reached.wait(TIMEOUT)
    gate.go.set()
    server.stop()
    assert len(list((tmp_path / "output" / "su").iterdir())) < 49
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=TIMEOUT)


def test_a_file_that_is_no_movie_fails_while_running(client: Client) -> None:
    job = client.wait(client.submit(guide_graph(client.upload("bad.mp4", b"no movie"), 5)))
    assert job["status"] == "failed"
    error = job["execution_error"]
    assert (error["node_type"], error["node_id"]) == ("LoadVideo", "7")
    assert "bad.mp4" in error["exception_message"]


class BrokenCodec(ZipCodec):
    """Has a bug."""

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        return [movie.no_such_attribute / folder]  # type: ignore[attr-defined]


def test_a_bug_while_running_ends_the_prompt_and_not_the_service(tmp_path: Path) -> None:
    """A real server answers any exception with an execution error; a client must never wait for ever."""
    with RehearsalServer(BrokenCodec(), tmp_path) as server:
        client = Client(server)
        name = client.upload("guide.mp4", b"anything")
        for _ in range(2):
            job = client.wait(client.submit(guide_graph(name, 5)))
            assert job["status"] == "failed"
            assert job["execution_error"]["exception_type"] == "AttributeError"


def test_errors_do_not_name_folders_of_this_machine(client: Client, tmp_path: Path) -> None:
    job = client.wait(client.submit(guide_graph(client.upload("bad.mp4", b"no movie"), 5)))
    assert str(tmp_path) not in str(job)


@pytest.mark.parametrize("prefix", ["../x", "/x", "a/../../x"])
def test_frames_stay_in_the_output_folder(client: Client, tmp_path: Path, prefix: str) -> None:
    name = client.upload("guide.mp4", movie(tmp_path, [90]))
    job = client.wait(client.submit(guide_graph(name, 1, filename_prefix=prefix)))
    assert job["status"] == "failed"
    assert "outside the output folder" in job["execution_error"]["exception_message"]


@pytest.mark.parametrize(
    ("prefix", "file"),
    [("", "._00001_.png"), ("tail/", "tail_00001_.png"), ("a/../b", "b_00001_.png"), ("w%width%", "w96_00001_.png")],
)
def test_names_of_frames_follow_the_recorded_rules(client: Client, tmp_path: Path, prefix: str, file: str) -> None:
    name = client.upload("guide.mp4", movie(tmp_path, [90]))
    job = client.wait(client.submit(guide_graph(name, 1, filename_prefix=prefix)))
    assert job["outputs"]["30"]["images"][0]["filename"] == file


def test_an_upload_cut_in_the_middle_leaves_no_file(client: Client, tmp_path: Path) -> None:
    host, port = client.url.removeprefix("http://").split(":")
    head = (
        "POST /upload/image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="image"; filename="cut.png"\r\n\r\nhalf'
    )
    with socket.create_connection((host, int(port)), TIMEOUT) as raw:
        raw.sendall(head.encode())
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert not (tmp_path / "input" / "cut.png").exists()


def test_an_upload_in_chunks_arrives_whole(client: Client, tmp_path: Path) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="image"; filename="c.bin"\r\n\r\n' + bytes(range(256)) * 99
    body = (form[i : i + 1000] for i in range(0, len(form) + 9, 1000))
    blocks = [*body, b"\r\n--b--\r\n"]
    response = client.post(
        "/upload/image",
        data=(block for block in blocks if block),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.json()["name"] == "c.bin"
    assert (tmp_path / "input" / "c.bin").read_bytes() == bytes(range(256)) * 99


def test_a_download_can_be_resumed(client: Client) -> None:
    data = bytes(range(256)) * 40
    client.upload("big.bin", data)
    query = {"filename": "big.bin", "type": "input"}
    etag = client.get("/view", params=query).headers["ETag"]
    first = client.get("/view", params=query, headers={"Range": "bytes=0-999"}).content
    rest = client.get("/view", params=query, headers={"Range": "bytes=1000-", "If-Range": etag})
    assert rest.status_code == 206
    assert first + rest.content == data
    changed = client.get("/view", params=query, headers={"Range": "bytes=1000-", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, data)


def test_it_says_that_it_is_a_rehearsal(client: Client) -> None:
    stats = client.get("/api/system_stats").json()
    assert stats["system"]["second_unit_rehearsal"] is True
    assert stats["devices"][0]["name"] == "rehearsal (no model)"


def test_it_listens_on_loopback_only(client: Client) -> None:
    assert client.url.startswith("http://127.0.0.1:")


# One folder is enough for all examples.
@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage(tmp_path_factory.mktemp("storage"))


@given(name=st.text(), subfolder=st.sampled_from(["", "a", "..", "a/../..", "/", "../input"]))
def test_no_name_leaves_its_folder(storage: Storage, name: str, subfolder: str) -> None:
    try:
        path = storage.file(Place(name, subfolder, "input"))
    except OutsideError:
        return
    assert path.is_relative_to(storage.root / "input")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200), ("localhost:{port}", 200), ("[::1]:{port}", 200), ("LOCALHOST", 200),
        ("evil.example:{port}", 403), ("localhost.evil.example:{port}", 403), ("127.0.0.1.evil.example", 403),
        ("127.0.0.1:{port}@evil.example", 403), ("10.0.0.1:{port}", 403), ("", 403),
    ],
)  # fmt: skip
def test_a_page_whose_name_resolves_to_this_machine_is_refused(client: Client, host: str, status: int) -> None:
    name = host.format(port=client.url.rpartition(":")[2])
    headers = {"Host": name, "Origin": f"http://{name}"}
    assert requests.get(f"{client.url}/queue", headers=headers, timeout=TIMEOUT).status_code == status
