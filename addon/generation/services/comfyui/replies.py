# SPDX-License-Identifier: GPL-3.0-or-later
"""What ComfyUI's answers mean: job records, history, outputs and refusals, read without trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ....errors import ServiceError, ServiceFault
from ..port import Answer, Output, Status
from .verdict import ValidationResult

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ....shot.documents import Json

LONGEST_MESSAGE = 300
_WORDS = {
    "pending": Status.QUEUED,
    "in_progress": Status.RUNNING,
    "completed": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
}
_MISSING = frozenset({"value_not_in_list", "missing_node_type", "invalid_prompt"})


def as_mapping(value: object) -> Json:
    """``value`` if it is a JSON object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """``value`` if it is a JSON list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def one_line(text: object) -> str:
    """A server's message as one short line."""
    words = " ".join(str(text or "").split())[:LONGEST_MESSAGE]
    # JSON can hold halves of characters, which no file takes.
    return words.encode("utf-8", "replace").decode()


def read_job(job: Json, nodes: Collection[str]) -> Answer:
    """Answer of ``/api/jobs/{id}``. A status word nobody knows means that it is still under way."""
    status = _WORDS.get(str(job.get("status")), Status.RUNNING)
    error = as_mapping(job.get("execution_error"))
    message = _error_text(error) if status is Status.FAILED else ""
    outputs = tuple(walk_outputs(job.get("outputs"), nodes)) if status is Status.SUCCEEDED else ()
    return Answer(status, message=message, outputs=outputs)


def read_history(entry: Json, nodes: Collection[str]) -> Answer:
    """Entry of ``/history/{id}``: it is there only once the prompt is over."""
    status = as_mapping(entry.get("status"))
    messages = {str(m[0]): as_mapping(m[1]) for m in as_list(status.get("messages")) if len(as_list(m)) == 2}
    if "execution_interrupted" in messages:
        return Answer(Status.CANCELLED)
    if status.get("status_str") == "success":
        return Answer(Status.SUCCEEDED, outputs=tuple(walk_outputs(entry.get("outputs"), nodes)))
    return Answer(Status.FAILED, message=_error_text(messages.get("execution_error", {})))


def walk_outputs(outputs: object, nodes: Collection[str]) -> Iterator[Output]:
    """Files of the output ``nodes`` in list order, which is the frame order. Previews (type temp) are left out."""
    for node in nodes:
        for items in as_mapping(as_mapping(outputs).get(node)).values():
            for item in map(as_mapping, as_list(items)):
                if item.get("filename") and item.get("type") == "output":
                    yield {key: str(item.get(key, "")) for key in ("filename", "subfolder", "type")}


def in_queue(queue: Json, prompt_id: str) -> Status | None:
    """Whether a prompt runs or waits."""
    for key, status in (("queue_running", Status.RUNNING), ("queue_pending", Status.QUEUED)):
        if any(as_list(item)[1:2] == [prompt_id] for item in as_list(queue.get(key))):
            return status
    return None


def refusal(body: Json) -> ServiceError:
    """The error of a graph that was refused, or taken only in part (200 with ``node_errors``)."""
    verdict = ValidationResult(as_mapping(body.get("error")) or None, as_mapping(body.get("node_errors")), ())
    if as_mapping(body.get("error")).get("type") == "invalid_prompt_id":
        return ServiceError("The service does not take our job number.", "Report this with the service's version.")
    return judged(verdict)


def judged(verdict: ValidationResult) -> ServiceError:
    """The error that says what is wrong with a graph, from the server's judgement or our own."""
    kinds = {str(as_mapping(e).get("type")) for n in verdict.node_errors.values() for e in _errors(n)}
    kinds.add(str((verdict.error or {}).get("type")))
    missing = bool(kinds & _MISSING)
    return ServiceError(
        f"ComfyUI cannot run the graph: {one_line('; '.join(_sentences(verdict)))}.",
        "Install the model file or node it names in ComfyUI, then run 'second-unit jobs resume'."
        if missing
        else "Choose another quality or profile, or correct the graph template.",
        fault=ServiceFault.MISSING_MODEL if missing else ServiceFault.INVALID_INPUT,
    )


def _errors(node: object) -> list[Any]:
    return as_list(as_mapping(node).get("errors"))


def _sentences(verdict: ValidationResult) -> list[str]:
    about = as_mapping(as_mapping(verdict.error).get("extra_info"))
    if as_mapping(verdict.error).get("type") == "missing_node_type" and about.get("class_type"):
        return [f"it has no node '{about['class_type']}'"]
    try:
        return verdict.sentences()
    except (KeyError, TypeError):
        # A server of another version may leave keys out: say what type of trouble it named.
        return [one_line((verdict.error or {}).get("message") or verdict.node_errors)]


def _error_text(error: Json) -> str:
    """Node and message of a run-time error; the traceback with the server's paths is left out."""
    return one_line(": ".join(str(error[k]) for k in ("node_type", "exception_message") if error.get(k)))
