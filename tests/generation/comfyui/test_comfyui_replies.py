# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded answer of ComfyUI is understood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.errors import ServiceFault
from second_unit.addon.generation.services.comfyui.replies import read_history, read_job, refusal
from second_unit.addon.generation.services.port import Status

RECORDED = Path(__file__).parents[2] / "data" / "comfyui"


def answers(case: str) -> Iterator[tuple[str, str, int, Any]]:
    """Label, request line, status and JSON of each recorded answer of ComfyUI 0.33.0."""
    for line in (RECORDED / f"{case}.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        asked, reply = record["request"], record["response"]
        yield record["label"], f"{asked['method']} {asked['path']}", reply["status"], (reply["body"] or {}).get("json")


def refused() -> Iterator[Any]:
    for i, (label, line, status, body) in enumerate(answers("04_errors")):
        if line == "POST /prompt" and isinstance(body, dict) and (body.get("error") or body.get("node_errors")):
            yield pytest.param(status, body, id=f"{i} {label}")


def test_there_are_recordings_to_learn_from() -> None:
    assert len(list(refused())) > 15
    assert len(list(recorded_polls())) > 10


@pytest.mark.parametrize(("status", "body"), list(refused()))
def test_every_recorded_refusal_becomes_a_sentence_with_a_fix(status: int, body: dict[str, Any]) -> None:
    error = refusal(body)
    types = {e["type"] for n in body["node_errors"].values() for e in n["errors"]} if body.get("node_errors") else set()
    types |= {(body.get("error") or {}).get("type")}
    if "invalid_prompt_id" in types:
        assert error.fault is ServiceFault.PROTOCOL
    elif types & {"value_not_in_list", "missing_node_type", "invalid_prompt"}:
        assert error.fault is ServiceFault.MISSING_MODEL
    else:
        assert error.fault is ServiceFault.INVALID_INPUT
    assert not error.is_retryable
    assert error.what.endswith(".")
    assert error.fix
    assert "\n" not in error.what
    assert "traceback" not in error.what.lower()
    assert status in {200, 400}


def recorded_polls() -> Iterator[Any]:
    for case in ("01_image_basic", "04_errors", "05_interrupt_queue"):
        for i, (_, line, status, body) in enumerate(answers(case)):
            if "GET /history/" in line and body:
                yield pytest.param("history", body, id=f"{case} {i}")
            if "GET /api/jobs/" in line and status == 200:
                yield pytest.param("job", body, id=f"{case} {i}")


@pytest.mark.parametrize(("kind", "body"), list(recorded_polls()))
def test_every_recorded_answer_about_a_job_is_understood(kind: str, body: dict[str, Any]) -> None:
    entry = body if kind == "job" else next(iter(body.values()))
    nodes = sorted(entry.get("outputs") or {})
    answer = read_job(entry, nodes) if kind == "job" else read_history(entry, nodes)
    if kind == "job":
        expected = {"pending": Status.QUEUED, "in_progress": Status.RUNNING, "completed": Status.SUCCEEDED,
                    "failed": Status.FAILED, "cancelled": Status.CANCELLED}[entry["status"]]  # fmt: skip
    else:
        status = entry["status"]
        was_stopped = any(m[0] == "execution_interrupted" for m in status["messages"])
        bad = Status.CANCELLED if was_stopped else Status.FAILED
        expected = Status.SUCCEEDED if status["completed"] else bad
    assert answer.status is expected
    assert bool(answer.message) == (expected is Status.FAILED)
    if expected is Status.SUCCEEDED:
        files = [f for node in nodes for f in entry["outputs"][node].get("images", []) if f["type"] == "output"]
        assert list(answer.outputs) == files
