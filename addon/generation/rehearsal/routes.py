# SPDX-License-Identifier: GPL-3.0-or-later
"""What each route answers. Status codes, bodies and odd corners are those recorded from ComfyUI 0.33.0."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..services.comfyui import verdict
from ..services.comfyui.schema import RECORDED_VERSION, ObjectInfo
from ..services.comfyui.validate import validate
from .messages import NOT_FOUND, Reply, Request, TroubleError, as_object, json_reply, text_reply
from .multipart import Part, read_parts
from .prompts import JobStatus, PromptQueue, now_ms
from .storage import KINDS, OutsideError, Place, Storage
from .views import view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...shot.documents import Json
    from ..services.comfyui.graph import Graph

DEVICE = "rehearsal (no model)"
_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_PAGE = b"<!doctype html><title>Second Unit rehearsal</title><p>Second Unit rehearsal service. No model here.\n"


@dataclass(frozen=True, slots=True)
class Service:
    """The state behind the routes."""

    storage: Storage
    queue: PromptQueue
    info: ObjectInfo
    max_body: int

    def answer(self, request: Request) -> Reply:
        """Reply to a request. Raises `TroubleError` where the server answers 500."""
        refused = _refused_host(request.headers) or _refused_origin(request.headers)
        if refused is not None:
            return refused
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            return Reply(200)
        parts = request.path.strip("/").split("/")
        route = _ROUTES.get((method, parts[0]))
        if route is not None and (parts[0] != "jobs" or request.is_api):
            return route(self, request, [unquote(part) for part in parts[1:]])
        allowed = [name for name, first in _ROUTES if first == parts[0] and parts[0] not in _FALL_THROUGH]
        if not allowed or method == "GET":
            return NOT_FOUND
        allow = ",".join(["GET", "HEAD", "POST"] if "GET" in allowed else allowed)
        return text_reply("405: Method Not Allowed", 405, Allow=allow)


def _refused_host(headers: Mapping[str, str]) -> Reply | None:
    """Only the names of this machine. ComfyUI itself lets every ``Host`` pass; we do not imitate that.

    A page whose own name was made to resolve to 127.0.0.1 (DNS rebinding) has an ``Origin`` that equals its ``Host``,
    so comparing these two is not enough on an artist's machine.
    """
    return None if _LOOPBACK_HOST.fullmatch(headers.get("host", "")) else Reply(403)


def _refused_origin(headers: Mapping[str, str]) -> Reply | None:
    """A web page of another origin may not talk to a local server."""
    if headers.get("sec-fetch-site") == "cross-site":
        return Reply(403)
    origin = headers.get("origin", "null")
    if origin == "null":
        return None
    host = origin.partition("://")[2]
    return None if host == headers.get("host", "") else Reply(403)


def _page(service: Service, request: Request, rest: list[str]) -> Reply:
    del service, request
    return Reply(200, _PAGE, "text/html") if not rest else NOT_FOUND


def _get_prompt(service: Service, request: Request, rest: list[str]) -> Reply:
    del request, rest
    running, pending = service.queue.snapshot()
    return json_reply({"exec_info": {"queue_remaining": len(running) + len(pending)}})


def _post_prompt(service: Service, request: Request, rest: list[str]) -> Reply:
    del rest
    body = as_object(request.json()) or {}
    number = body["number"] if "number" in body else service.queue.number(front=bool(body.get("front")))
    if "prompt" not in body:
        return json_reply({"error": verdict.no_prompt(), "node_errors": {}}, 400)
    prompt_id = body.get("prompt_id", str(uuid.uuid4()))
    if not _is_canonical(prompt_id):
        return json_reply({"error": verdict.bad_prompt_id(), "node_errors": {}}, 400)
    graph = _graph(body["prompt"])
    result = validate(
        graph,
        service.info,
        files_exist=lambda name: service.storage.named(name) is not None,
        any_model=True,
        targets=body.get("partial_execution_targets"),
    )
    if result.error is not None:
        return json_reply(result.body(), 400)
    service.queue.put(_number(body, number), prompt_id, graph, _extra(body), result.outputs)
    return json_reply({"prompt_id": prompt_id, "number": _number(body, number), "node_errors": result.node_errors})


def _number(body: Json, number: Any) -> float:
    """A number of the client's own comes back as a float."""
    return float(number) if "number" in body else number


def _extra(body: Json) -> Json:
    extra = dict[str, Any](body.get("extra_data") or {})
    if "client_id" in body:
        extra["client_id"] = body["client_id"]
    return extra | {"create_time": now_ms()}


def _graph(data: object) -> Graph:
    """Anything but nodes by id makes the server stumble, a workflow of its own editor included."""
    nodes = as_object(data)
    if nodes is None:
        raise TroubleError
    graph = {key: node for key, value in nodes.items() if (node := as_object(value)) is not None}
    if len(graph) < len(nodes) or not all(isinstance(node.get("inputs", {}), dict) for node in graph.values()):
        raise TroubleError
    return graph


def _is_canonical(prompt_id: object) -> bool:
    try:
        return isinstance(prompt_id, str) and str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def _get_queue(service: Service, request: Request, rest: list[str]) -> Reply:
    del request, rest
    running, pending = service.queue.snapshot()
    return json_reply(
        {
            "queue_running": [item.as_list() for item in running],
            "queue_pending": [item.as_list() for item in pending],
        }
    )


def _post_queue(service: Service, request: Request, rest: list[str]) -> Reply:
    del rest
    body = request.json_object()
    if body.get("clear"):
        service.queue.clear()
    if isinstance(body.get("delete"), list):
        service.queue.delete(body["delete"])
    return Reply()


def _interrupt(service: Service, request: Request, rest: list[str]) -> Reply:
    """Without an id it stops whatever runs."""
    del rest
    body = as_object(request.json()) if request.body else None
    service.queue.interrupt((body or {}).get("prompt_id"))
    return Reply()


def _free(service: Service, request: Request, rest: list[str]) -> Reply:
    del service, rest
    request.json_object()
    return Reply()


def _get_history(service: Service, request: Request, rest: list[str]) -> Reply:
    records = service.queue.records()
    if rest:
        records = [record for record in records if record.prompt.id == rest[0]]
    limit = request.query.get("max_items", "")
    if limit.isdigit():
        records = records[-int(limit) :] if int(limit) else []
    return json_reply({record.prompt.id: record.as_history() for record in records})


def _post_history(service: Service, request: Request, rest: list[str]) -> Reply:
    del rest
    body = request.json_object()
    if body.get("clear"):
        service.queue.forget(None)
    if isinstance(body.get("delete"), list):
        service.queue.forget(body["delete"])
    return Reply()


def _get_jobs(service: Service, request: Request, rest: list[str]) -> Reply:
    if rest:
        job = service.queue.job(rest[0])
        return json_reply({"error": "Job not found"}, 404) if job is None else json_reply(job)
    words = [word.strip() for word in request.query.get("status", "").split(",") if word.strip()]
    valid = [status.value for status in JobStatus]
    wrong = [word for word in words if word not in valid]
    if wrong:
        message = f"Invalid status value(s): {', '.join(wrong)}. Valid values: {', '.join(valid)}"
        return json_reply({"error": message}, 400)
    jobs = [job for job in service.queue.jobs() if not words or job["status"] in words]
    offset = _whole(request.query.get("offset")) or 0
    limit = _whole(request.query.get("limit"))
    shown = jobs[offset:] if limit is None else jobs[offset : offset + limit]
    has_more = offset + len(shown) < len(jobs)
    page = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": has_more}
    return json_reply({"jobs": shown, "pagination": page})


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _post_jobs(service: Service, request: Request, rest: list[str]) -> Reply:
    match rest:
        case [prompt_id, "cancel"]:
            return json_reply({"cancelled": _cancel(service, prompt_id)})
        case ["cancel"]:
            ids = list[Any](request.json_object().get("job_ids", []))
            wrong = [item for item in ids if not _is_canonical(item)]
            if wrong:
                return json_reply({"error": "job_ids contains invalid id(s)", "invalid_ids": wrong}, 400)
            return json_reply({"cancelled": _cancel_all(service, ids)})
        case _:
            return NOT_FOUND


def _cancel(service: Service, prompt_id: str) -> bool:
    return service.queue.delete([prompt_id]) or service.queue.interrupt(prompt_id)


def _cancel_all(service: Service, ids: list[str]) -> bool:
    outcomes = [_cancel(service, prompt_id) for prompt_id in ids]
    return any(outcomes)


def _upload(service: Service, request: Request, rest: list[str]) -> Reply:
    if rest != ["image"]:
        return NOT_FOUND
    parts = read_parts(request.headers.get("content-type", ""), request.body)
    image = next((part for part in parts or [] if part.name == "image"), None)
    if parts is None or image is None:
        return Reply(400)
    fields = {part.name: part.text for part in parts if part.filename is None}
    kind = fields.get("type", "input")
    if not image.filename or kind not in KINDS:
        raise TroubleError
    return _keep(service, image, Place(image.filename, fields.get("subfolder", ""), kind), fields.get("overwrite", ""))


def _keep(service: Service, image: Part, place: Place, overwrite: str) -> Reply:
    try:
        return json_reply(service.storage.upload(image.data, place, overwrite=overwrite in {"true", "1"}).as_json())
    except OutsideError:
        return Reply(400)
    except OSError as error:
        raise TroubleError from error


def _view(service: Service, request: Request, rest: list[str]) -> Reply:
    return NOT_FOUND if rest else view(request, service.storage)


def _features(service: Service, request: Request, rest: list[str]) -> Reply:
    del request, rest
    return json_reply(
        {
            "supports_preview_metadata": False,
            "supports_model_type_tags": True,
            "max_upload_size": service.max_body,
            "extension": {"manager": {"supports_v4": False}},
            "node_replacements": False,
            "assets": False,
        }
    )


def _system_stats(service: Service, request: Request, rest: list[str]) -> Reply:
    del service, request, rest
    system = {"os": "rehearsal", "ram_total": 0, "ram_free": 0, "comfyui_version": RECORDED_VERSION}
    system |= {
        "python_version": "",
        "pytorch_version": "",
        "embedded_python": False,
        "argv": [],
        "second_unit_rehearsal": True,
    }
    device = {"name": DEVICE, "type": "cpu", "index": None, "vram_total": 0, "vram_free": 0}
    return json_reply({"system": system, "devices": [device | {"torch_vram_total": 0, "torch_vram_free": 0}]})


def _object_info(service: Service, request: Request, rest: list[str]) -> Reply:
    del request
    names = [name for name in rest if name in service.info] if rest else list(service.info)
    files = service.storage.listing()
    return json_reply({name: _described(name, service.info[name], files) for name in names})


def _described(name: str, entry: Mapping[str, Any], files: list[str]) -> Json:
    """A class as the server tells it. The shipped table has no texts for people, so they are empty."""
    sections = entry["input"]
    if name == "LoadImage":
        sections = {"required": {"image": [files, {"image_upload": True}]}}
    elif name == "LoadVideo":
        options = {"multiselect": False, "options": files, "video_upload": True}
        sections = {"required": {"file": ["COMBO", options]}}
    return {
        "input": sections,
        "input_order": {section: list(inputs) for section, inputs in sections.items()},
        "is_input_list": entry.get("is_input_list", False),
        "output": entry["output"],
        "output_is_list": entry.get("output_is_list", [False] * len(entry["output"])),
        "output_name": entry["output_name"],
        "name": name,
        "display_name": name,
        "description": "",
        "python_module": "",
        "category": "",
        "output_node": entry.get("output_node", False),
        "has_intermediate_output": False,
        "search_aliases": [],
        "essentials_category": None,
    }


def _models(service: Service, request: Request, rest: list[str]) -> Reply:
    """A rehearsal has no models of its own and takes every name."""
    del service, request
    folders = [
        "checkpoints",
        "loras",
        "vae",
        "text_encoders",
        "diffusion_models",
        "clip_vision",
        "controlnet",
        "model_patches",
    ]
    if not rest:
        return json_reply(folders)
    return json_reply([]) if rest[0] in folders else Reply(404)


def _embeddings(service: Service, request: Request, rest: list[str]) -> Reply:
    del service, request, rest
    return json_reply([])


def _socket(service: Service, request: Request, rest: list[str]) -> Reply:
    del service, rest
    upgrade = request.headers.get("upgrade")
    return text_reply(f'No WebSocket UPGRADE hdr: {upgrade}\n Can "Upgrade" only to "WebSocket".', 400)


# The server's own files answer GET on these, so that a wrong method is a missing file.
_FALL_THROUGH = frozenset({"", "upload"})
_ROUTES: Mapping[tuple[str, str], Callable[[Service, Request, list[str]], Reply]] = {
    ("GET", ""): _page,
    ("GET", "prompt"): _get_prompt,
    ("POST", "prompt"): _post_prompt,
    ("GET", "queue"): _get_queue,
    ("POST", "queue"): _post_queue,
    ("POST", "interrupt"): _interrupt,
    ("POST", "free"): _free,
    ("GET", "history"): _get_history,
    ("POST", "history"): _post_history,
    ("GET", "jobs"): _get_jobs,
    ("POST", "jobs"): _post_jobs,
    ("POST", "upload"): _upload,
    ("GET", "view"): _view,
    ("GET", "features"): _features,
    ("GET", "system_stats"): _system_stats,
    ("GET", "object_info"): _object_info,
    ("GET", "models"): _models,
    ("GET", "embeddings"): _embeddings,
    ("GET", "ws"): _socket,
}
