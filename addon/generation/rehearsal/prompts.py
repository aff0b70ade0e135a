# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompts waiting, running and done: the truth behind ``/queue``, ``/history`` and ``/api/jobs``."""

from __future__ import annotations

import heapq
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ...shot.documents import Json
    from ..services.comfyui.graph import Graph

HISTORY_LIMIT = 10_000


class JobStatus(Enum):
    """Words of the jobs API."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Prompt:
    """A graph in the queue. The lowest ``number`` runs first, then the earlier one."""

    number: float
    sequence: int
    id: str = field(compare=False)
    graph: Graph = field(compare=False)
    extra: Json = field(compare=False)
    outputs: tuple[str, ...] = field(compare=False)

    def as_list(self) -> list[Any]:
        """As ``/queue`` and ``/history`` show it."""
        return [self.number, self.id, self.graph, self.extra, list(self.outputs)]


@dataclass(slots=True)
class Record:
    """What became of a prompt."""

    prompt: Prompt
    status: JobStatus = JobStatus.COMPLETED
    outputs: Json = field(default_factory=dict[str, Any])
    messages: list[tuple[str, Json]] = field(default_factory=list[tuple[str, "Json"]])

    def say(self, event: str, **data: object) -> None:
        """Note an event; the id and the time are added."""
        self.messages.append((event, {"prompt_id": self.prompt.id, **data, "timestamp": now_ms()}))

    def status_json(self) -> Json:
        """``status`` of ``/history``: an interrupted prompt counts as an error there."""
        is_done = self.status is JobStatus.COMPLETED
        messages = [list(message) for message in self.messages]
        return {"status_str": "success" if is_done else "error", "completed": is_done, "messages": messages}

    def as_history(self) -> Json:
        """The entry of ``/history``."""
        meta = {
            node: {"node_id": node, "display_node": node, "parent_node": None, "real_node_id": node}
            for node in self.outputs
        }
        return {
            "prompt": self.prompt.as_list(),
            "outputs": self.outputs,
            "status": self.status_json(),
            "meta": meta,
        }

    def as_job(self, *, is_full: bool) -> Json:
        """The entry of ``/api/jobs``, with graph and messages if ``is_full``."""
        job = pending_job(self.prompt, self.status)
        job["execution_start_time"] = self.messages[0][1]["timestamp"]
        job["execution_end_time"] = self.messages[-1][1]["timestamp"]
        if self.status is JobStatus.FAILED:
            job["execution_error"] = self.messages[-1][1]
        files: list[Json] = [
            {**cast("Json", item), "nodeId": node, "mediaType": media}
            for node, output in self.outputs.items()
            for media, items in output.items()
            for item in items
            if isinstance(item, dict)
        ]
        job["outputs_count"] = job["previewable_outputs_count"] = len(files)
        if files:
            job["preview_output"] = files[0]
        if is_full:
            workflow = {"prompt": self.prompt.graph, "extra_data": self.prompt.extra}
            job |= {"outputs": self.outputs, "execution_status": self.status_json(), "workflow": workflow}
        return job


def pending_job(prompt: Prompt, status: JobStatus) -> Json:
    """The entry of ``/api/jobs`` before there is anything to tell."""
    return {
        "id": prompt.id,
        "status": status.value,
        "priority": prompt.number,
        "create_time": prompt.extra["create_time"],
        "outputs_count": 0,
        "previewable_outputs_count": 0,
    }


class PromptQueue:
    """One runner, many askers. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: list[Prompt] = []
        self._running: Prompt | None = None
        self._history: dict[str, Record] = {}
        self._is_interrupted = False
        self._is_closed = False
        self._count = 0
        self._sequence = 0

    def number(self, *, front: bool) -> int:
        """The next number; a prompt sent to the front gets it negated."""
        with self._changed:
            number = self._count
            self._count += 1
        return -number if front else number

    def put(self, number: float, prompt_id: str, graph: Graph, extra: Json, outputs: Iterable[str]) -> None:
        """Queue a prompt."""
        with self._changed:
            self._sequence += 1
            heapq.heappush(self._pending, Prompt(number, self._sequence, prompt_id, graph, extra, tuple(outputs)))
            self._changed.notify_all()

    def take(self) -> Prompt | None:
        """Wait for the next prompt and call it running. None when the queue was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._is_closed)
            if self._is_closed:
                return None
            self._running = heapq.heappop(self._pending)
            self._is_interrupted = False
            return self._running

    def finish(self, record: Record) -> None:
        """The running prompt is over."""
        with self._changed:
            self._history.pop(record.prompt.id, None)
            self._history[record.prompt.id] = record
            while len(self._history) > HISTORY_LIMIT:
                del self._history[next(iter(self._history))]
            self._running = None
            self._changed.notify_all()

    def close(self) -> None:
        """Stop handing out prompts and interrupt the running one."""
        with self._changed:
            self._is_closed = self._is_interrupted = True
            self._changed.notify_all()

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Interrupt the running prompt, only if it is ``prompt_id`` when that is given.

        Whether there was one to stop.
        """
        with self._changed:
            is_it = self._running is not None and prompt_id in {None, self._running.id} and not self._is_interrupted
            self._is_interrupted |= is_it
            return is_it

    @property
    def is_interrupted(self) -> bool:
        """Whether the running prompt shall stop."""
        return self._is_interrupted

    def delete(self, ids: Collection[object]) -> bool:
        """Take waiting prompts out. They leave no trace. Whether there were any."""
        with self._changed:
            kept = [prompt for prompt in self._pending if prompt.id not in ids]
            is_any = len(kept) < len(self._pending)
            heapq.heapify(kept)
            self._pending = kept
            return is_any

    def clear(self) -> None:
        """Take all waiting prompts out."""
        with self._changed:
            self._pending = []

    def snapshot(self) -> tuple[list[Prompt], list[Prompt]]:
        """Running and waiting prompts; the latter in heap order, as the server shows them."""
        with self._changed:
            return ([self._running] if self._running else []), list(self._pending)

    def records(self) -> list[Record]:
        """Finished prompts, the oldest first."""
        with self._changed:
            return list(self._history.values())

    def forget(self, ids: Collection[object] | None) -> None:
        """Remove finished prompts from the history, all of them for None."""
        with self._changed:
            self._history = {} if ids is None else {key: item for key, item in self._history.items() if key not in ids}

    def job(self, prompt_id: str) -> Json | None:
        """The job of that id, None if it is unknown."""
        for record in self.records():
            if record.prompt.id == prompt_id:
                return record.as_job(is_full=True)
        return next((job for job in self._open_jobs() if job["id"] == prompt_id), None)

    def jobs(self) -> list[Json]:
        """All jobs, the latest first."""
        done = [record.as_job(is_full=False) for record in self.records()]
        return sorted([*self._open_jobs(), *done], key=lambda job: job["create_time"], reverse=True)

    def _open_jobs(self) -> list[Json]:
        running, pending = self.snapshot()
        waiting = sorted(pending, reverse=True)
        jobs = [pending_job(prompt, JobStatus.PENDING) for prompt in waiting]
        return jobs + [pending_job(prompt, JobStatus.IN_PROGRESS) for prompt in running]
