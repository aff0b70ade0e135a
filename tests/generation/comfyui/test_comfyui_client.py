# SPDX-License-Identifier: GPL-3.0-or-later
"""The ComfyUI adapter against a server that misbehaves on purpose."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import ServiceError, ServiceFault
from second_unit.addon.generation.services.comfyui.client import ComfyService
from second_unit.addon.generation.services.comfyui.graph import load_template
from second_unit.addon.generation.services.comfyui.schema import recorded_object_info
from second_unit.addon.generation.services.port import ServiceUnreachable
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


def ready(server: Any, **changes: Any) -> None:
    info = recorded_object_info()
    server.script["GET /api/system_stats"] = server.told({"system": {"comfyui_version": "0.33.0"}})
    server.script["GET /api/features"] = server.told({"max_upload_size": 104857600.0})
    for name in load_template("wan_vace_guide").classes:
        server.script[f"GET /api/object_info/{name}"] = server.told({name: info[name]})
    server.script |= changes


def test_preflight_asks_only(server: Any, client: ComfyService) -> None:
    ready(server)
    client.preflight(PARCEL)
    assert {asked.method for asked in server.asked} == {"GET"}
    assert all(asked.path.startswith("/api/") for asked in server.asked)
    assert not any("Origin" in asked.headers for asked in server.asked)


def test_a_missing_node_is_named_before_anything_leaves(server: Any, client: ComfyService) -> None:
    ready(server, **{"GET /api/object_info/WanVaceToVideo": server.told({})})
    with pytest.raises(ServiceError, match="WanVaceToVideo") as error:
        client.preflight(PARCEL)
    assert error.value.fault is ServiceFault.MISSING_MODEL


def test_a_missing_model_file_is_named_before_anything_leaves(server: Any) -> None:
    ready(server)
    client = ComfyService(server.url, load_template("wan_vace_guide"))
    with pytest.raises(ServiceError, match="safetensors") as error:
        client.preflight(PARCEL)
    assert error.value.fault is ServiceFault.MISSING_MODEL
    assert "Install" in error.value.fix
    client.close()


def test_a_length_off_the_models_grid_is_refused_here(server: Any, client: ComfyService) -> None:
    ready(server)
    with pytest.raises(ServiceError) as error:
        client.preflight(Parcel(0, PARCEL.files, PARCEL.texts, {**PARCEL.values, "length": 80}))
    assert error.value.fault is ServiceFault.INVALID_INPUT


def test_a_movie_over_the_servers_limit_is_refused_here(server: Any, client: ComfyService) -> None:
    ready(server, **{"GET /api/features": server.told({"max_upload_size": 8})})
    with pytest.raises(ServiceError, match="MB") as error:
        client.preflight(PARCEL)
    assert error.value.fault is ServiceFault.INVALID_INPUT


@pytest.mark.parametrize(
    "answer",
    [
        lambda server: server.told([]),
        lambda server: server.told({"KSampler": 3}),
        lambda server: server.told({"KSampler": {"input": []}}),
    ],
)
def test_nonsense_about_nodes_is_an_error_of_the_service(server: Any, client: ComfyService, answer: Maker) -> None:
    ready(server, **{"GET /api/object_info/KSampler": answer(server)})
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


def test_the_name_the_server_gives_is_the_one_that_counts(server: Any, client: ComfyService, tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "SH010_guide.mp4").write_bytes(data)
    server.script["POST /api/upload/image"] = server.told({"name": "g (1).mp4", "subfolder": "su_1", "type": "input"})
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
            lambda server: server.raw(413, b"Maximum request body size 9 exceeded.", {"Content-Type": "text/plain"}),
            ServiceFault.INVALID_INPUT,
        ),
        (lambda server: server.raw(400), ServiceFault.PROTOCOL),
        (lambda server: server.told({"nom": "g"}), ServiceFault.PROTOCOL),
        (lambda server: server.raw(200, b"<html>", {"Content-Type": "text/html"}), ServiceFault.PROTOCOL),
        (lambda server: server.raw(500), ServiceFault.TRANSIENT),
        (lambda server: server.hang_up, ServiceFault.TRANSIENT),
    ],
)
def test_uploads_that_fail(
    server: Any, client: ComfyService, tmp_path: Path, answer: Maker, kind: ServiceFault
) -> None:
    (tmp_path / "g").write_bytes(b"x")
    server.script["POST /api/upload/image"] = answer(server)
    with pytest.raises(ServiceError) as error:
        client.upload(PARCEL, {"control.guide": tmp_path / "g"})
    assert error.value.fault is kind


def test_the_graph_goes_out_once_and_filled(server: Any, client: ComfyService) -> None:
    server.know_nothing_of(ID)
    server.script["POST /api/prompt"] = server.told({"prompt_id": ID, "number": 1, "node_errors": {}})
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
def test_what_the_server_knows_is_not_created_again(server: Any, client: ComfyService, where: str) -> None:
    server.know_nothing_of(ID)
    if where == "jobs":
        server.script[f"GET /api/jobs/{ID}"] = server.told({"id": ID, "status": "pending"})
    elif where == "history":
        server.script[f"GET /api/history/{ID}"] = server.told(
            {ID: {"outputs": {}, "status": {"status_str": "success"}}}
        )
    else:
        server.script["GET /api/queue"] = server.told({"queue_running": [], "queue_pending": [[3, ID, {}, {}, []]]})
    client.submit(TICKET, PARCEL)
    assert "POST /api/prompt" not in server.paths()


def test_an_answer_that_got_lost_does_not_create_twice(server: Any, client: ComfyService) -> None:
    server.know_nothing_of(ID)

    def take_and_hang_up(asked: Any) -> Told:
        server.script[f"GET /api/jobs/{asked.json['prompt_id']}"] = server.told({"id": ID, "status": "in_progress"})
        return server.hang_up

    server.script["POST /api/prompt"] = take_and_hang_up
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.TRANSIENT
    client.submit(TICKET, PARCEL)
    assert server.paths().count("POST /api/prompt") == 1


def test_a_graph_taken_in_part_is_withdrawn_and_refused(server: Any, client: ComfyService) -> None:
    server.know_nothing_of(ID)
    bad = {
        "3": {
            "errors": [{"type": "value_bigger_than_max", "message": "too big", "details": "steps"}],
            "class_type": "K",
        }
    }
    server.script["POST /api/prompt"] = server.told({"prompt_id": ID, "number": 1, "node_errors": bad})
    server.script[f"POST /api/jobs/{ID}/cancel"] = server.told({"cancelled": True})
    with pytest.raises(ServiceError, match="too big") as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.INVALID_INPUT
    assert server.paths()[-1] == f"POST /api/jobs/{ID}/cancel"


def test_a_server_with_its_own_numbers_is_refused(server: Any, client: ComfyService) -> None:
    server.know_nothing_of(ID)
    other = "00000000-0000-4000-8000-000000000007"
    server.script["POST /api/prompt"] = server.told({"prompt_id": other, "node_errors": {}})
    server.script[f"POST /api/jobs/{other}/cancel"] = server.told({"cancelled": True})
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.PROTOCOL
    assert server.paths()[-1] == f"POST /api/jobs/{other}/cancel"


@pytest.mark.parametrize("given", ["../queue", "7", f"{ID}/..", f"{{{ID}}}", ID.upper(), "", None, 7, [ID], {}])
def test_a_number_that_is_no_job_number_gets_into_no_path(server: Any, client: ComfyService, given: Any) -> None:
    server.know_nothing_of(ID)
    server.script["POST /api/prompt"] = server.told({"prompt_id": given, "node_errors": {}})
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is ServiceFault.PROTOCOL
    assert server.paths()[-1] == "POST /api/prompt"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda server: server.raw(413, b"too large"), ServiceFault.INVALID_INPUT),
        (lambda server: server.raw(500, b"500 Internal Server Error"), ServiceFault.TRANSIENT),
        (lambda server: server.raw(200, b"<html>log in</html>", {"Content-Type": "text/html"}), ServiceFault.PROTOCOL),
        (lambda server: server.raw(404), ServiceFault.PROTOCOL),
        (lambda server: server.raw(200, b'{"prompt_id":'), ServiceFault.PROTOCOL),
    ],
)
def test_submits_that_fail(server: Any, client: ComfyService, answer: Maker, kind: ServiceFault) -> None:
    server.know_nothing_of(ID)
    server.script["POST /api/prompt"] = answer(server)
    with pytest.raises(ServiceError) as error:
        client.submit(TICKET, PARCEL)
    assert error.value.fault is kind


def test_cancel_by_its_own_route(server: Any, client: ComfyService) -> None:
    server.script[f"POST /api/jobs/{ID}/cancel"] = server.told({"cancelled": False})
    client.cancel(TICKET)
    assert server.paths() == [f"POST /api/jobs/{ID}/cancel"]


@pytest.mark.parametrize("status", [404, 405])
def test_cancel_on_older_servers_names_the_job_everywhere(server: Any, client: ComfyService, status: int) -> None:
    server.script[f"POST /api/jobs/{ID}/cancel"] = server.raw(status, b"", {})
    server.script["POST /api/queue"] = server.script["POST /api/interrupt"] = server.raw(200, b"", {})
    client.cancel(TICKET)
    assert server.paths()[1:] == ["POST /api/queue", "POST /api/interrupt"]
    assert [asked.json for asked in server.asked[1:]] == [{"delete": [ID]}, {"prompt_id": ID}]
