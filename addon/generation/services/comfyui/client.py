# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI as a `Service`: polling over REST, always below ``/api``, with a prompt id of our own choice."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from ....errors import JobError, ServiceError, ServiceFault
from ..port import Answer, Output, Status, Ticket
from .graph import CONTROL, fill
from .replies import as_mapping, in_queue, judged, one_line, read_history, read_job, refusal
from .transport import LARGEST_FILE, Transport
from .validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ....shot.job import Parcel
    from .graph import Graph, Template

KIND = "comfyui"
_LOG = logging.getLogger(__name__)


class ComfyService:
    """One ComfyUI server and one graph template.

    ``headers`` (for what stands before the server) go to that host only. ``any_model`` takes every model file to be
    installed: for the rehearsal service, which has none.
    """

    def __init__(
        self,
        url: str,
        template: Template,
        *,
        headers: Mapping[str, str] | None = None,
        any_model: bool = False,
    ) -> None:
        self._http = Transport(url, headers=headers)
        self._template = template
        self._any_model = any_model

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def preflight(self, parcel: Parcel) -> None:
        """Reachable, small enough, every node class and model there, every value allowed: before content leaves."""
        system = as_mapping(self._http.get("/api/system_stats").mapping().get("system"))
        _LOG.info("ComfyUI %s at %s", one_line(system.get("comfyui_version", "?")), self._http.address.url)
        self._check_sizes(parcel)
        names = {file.role: file.name for file in parcel.files}
        graph = self._graph(parcel, names, "")
        info: dict[str, Any] = {}
        for name in self._template.classes:
            info |= self._http.get(f"/api/object_info/{name}").mapping()
        try:
            verdict = validate(graph, info, any_model=self._any_model)
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise _odd(200, "a question about its nodes") from error
        if not verdict.is_clean:
            raise judged(verdict)

    def _check_sizes(self, parcel: Parcel) -> None:
        reply = self._http.get("/api/features")
        limit = as_mapping(reply.data).get("max_upload_size") if reply.status == 200 else None
        largest = max((file.size for file in parcel.files), default=0)
        if isinstance(limit, int | float) and 0 <= limit < largest:
            raise ServiceError(
                f"A control movie has {largest >> 20} MB, the service takes {int(limit) >> 20} MB.",
                "Start ComfyUI with a larger --max-upload-size, or use a smaller quality.",
                fault=ServiceFault.INVALID_INPUT,
            )

    def upload(self, parcel: Parcel, files: Mapping[str, Path]) -> dict[str, str]:
        """Every file into the job's own subfolder. The server may choose another name: that one counts."""
        return {file.role: self._upload(files[file.role], file.name) for file in parcel.files}

    def _upload(self, path: Path, name: str) -> str:
        folder, _, filename = name.rpartition("/")
        fields = {"type": "input", "subfolder": folder, "overwrite": "true"}
        reply = self._http.post_file("/api/upload/image", path, filename, fields)
        if reply.status == 413:
            raise ServiceError(
                "The service refuses a control movie as too large.",
                "Raise the upload limit of the service or of the proxy before it, or use a smaller quality.",
                fault=ServiceFault.INVALID_INPUT,
            )
        if reply.status != 200:
            raise _odd(reply.status, "an upload")
        answer = reply.mapping()
        if not isinstance(answer.get("name"), str):
            raise _odd(reply.status, "an upload")
        parts = (str(answer.get("subfolder") or ""), str(answer["name"]))
        return "/".join(part for part in parts if part)

    def ticket(self, parcel: Parcel, names: Mapping[str, str]) -> Ticket:
        """Our own prompt id, a client id nobody listens to, and the names of the uploads."""
        del parcel
        return {"service": KIND, "prompt_id": str(uuid4()), "client_id": str(uuid4()), "names": dict(names)}

    def submit(self, ticket: Ticket, parcel: Parcel) -> None:
        """Ask first, then create. A graph that is taken only in part is withdrawn and refused."""
        prompt_id = _prompt_id(ticket)
        if self._find(prompt_id) is not None:
            return
        graph = self._graph(parcel, as_mapping(ticket.get("names")), prompt_id)
        body = {"prompt": graph, "client_id": ticket["client_id"], "prompt_id": prompt_id}
        reply = self._http.post("/api/prompt", body)
        if reply.status == 413:
            raise ServiceError(
                "The service refuses the graph as too large.",
                "Raise the request limit of the service or of the proxy before it.",
                fault=ServiceFault.INVALID_INPUT,
            )
        if reply.status not in {200, 400}:
            raise _odd(reply.status, "a graph")
        answer = reply.mapping()
        given = answer.get("prompt_id")
        is_taken = reply.status == 200
        if not is_taken or answer.get("node_errors") or given != prompt_id:
            if is_taken and not _is_canonical(given):
                raise _odd(reply.status, "our job number")
            if is_taken:
                self._withdraw(str(given))
            raise (refusal(answer) if given == prompt_id or not is_taken else _odd(reply.status, "our job number"))

    def poll(self, ticket: Ticket) -> Answer:
        """Jobs API; servers without it by history and queue. Known to neither: lost."""
        return self._find(_prompt_id(ticket)) or Answer(
            Status.LOST, message="The service does not know the job any more; it was probably restarted."
        )

    def fetch(
        self,
        ticket: Ticket,
        outputs: Sequence[Output],
        folder: Path,
        on_bytes: Callable[[int], None],
        largest: int = LARGEST_FILE,
    ) -> list[Path]:
        """Stream every frame through ``/view``."""
        del ticket
        files: list[Path] = []
        for i, output in enumerate(outputs):
            files.append(folder / f"{i:05d}.part")
            self._http.download("/api/view", output, files[-1], on_bytes, largest)
        return files

    def cancel(self, ticket: Ticket) -> None:
        """Take it off the queue or interrupt it, this prompt alone."""
        self._withdraw(_prompt_id(ticket))

    def _withdraw(self, prompt_id: str) -> None:
        """Cancel route; where it is missing delete by id, then interrupt *by id* (without one it hits any job)."""
        if self._http.post(f"/api/jobs/{prompt_id}/cancel", {}).status in {404, 405}:
            self._http.post("/api/queue", {"delete": [prompt_id]})
            self._http.post("/api/interrupt", {"prompt_id": prompt_id})

    def _find(self, prompt_id: str) -> Answer | None:
        reply = self._http.get(f"/api/jobs/{prompt_id}")
        if reply.status == 200:
            return read_job(reply.mapping(), self._template.output_nodes)
        # A prompt goes from the queue to history: looking there before and after leaves no gap.
        found = self._in_history(prompt_id)
        if found is not None:
            return found
        status = in_queue(self._http.get("/api/queue").mapping(), prompt_id)
        return Answer(status) if status else self._in_history(prompt_id)

    def _in_history(self, prompt_id: str) -> Answer | None:
        reply = self._http.get(f"/api/history/{prompt_id}")
        if reply.status == 404:
            return None
        entry = as_mapping(reply.mapping().get(prompt_id))
        return read_history(entry, self._template.output_nodes) if entry else None

    def _graph(self, parcel: Parcel, names: Mapping[str, Any], prompt_id: str) -> Graph:
        values: dict[str, object] = {text.role: text.text for text in parcel.texts}
        values |= dict(parcel.values)
        values |= {role: str(name) for role, name in names.items() if role.startswith(CONTROL)}
        if prompt_id and "filename_prefix" in values:
            # A server answers the same graph from its cache, with files that may be gone: no graph is ever the same.
            values["filename_prefix"] = f"{values['filename_prefix']}_{prompt_id[:8]}"
        return fill(self._template, values)


def _prompt_id(ticket: Ticket) -> str:
    prompt_id = ticket.get("prompt_id")
    if ticket.get("service") != KIND or not _is_canonical(prompt_id):
        raise JobError("The job's ticket is not one of ComfyUI.", "Cancel the job and generate again.")
    return str(prompt_id)


def _is_canonical(prompt_id: object) -> bool:
    """Whether it is a prompt id as ComfyUI writes them. Only such a one may become part of a path."""
    try:
        return isinstance(prompt_id, str) and str(UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def _odd(status: int, what: str) -> ServiceError:
    return ServiceError(
        f"The service did not understand {what} ({status}).",
        "Check that the address is that of a ComfyUI server of 2025 or later.",
    )
