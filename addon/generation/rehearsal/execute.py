# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one prompt to its end: files in the output folder and a record of what happened."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import SecondUnitError
from .messages import as_object
from .nodes import Brief, NodeFailedError, Runner, fitted, frame_rate
from .pictures import Clip, write_png
from .prompts import JobStatus, Record
from .shade import Painter
from .storage import OutsideError, open_series

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...shot.documents import Json
    from ...shot.ports import MovieCodec
    from .prompts import Prompt, PromptQueue
    from .storage import Storage

_SAVERS = {"SaveImage": "output", "PreviewImage": "temp", "SaveVideo": "output"}
_TEMP_PREFIX = "ComfyUI_temp_rehearsal"
_DEFAULT_RATE = Fraction(16)


class InterruptedPromptError(Exception):
    """Somebody asked to stop."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


@dataclass(slots=True)
class Executor:
    """``before_node(prompt_id, node_id)`` is called before each node and each frame of an output node."""

    storage: Storage
    codec: MovieCodec
    queue: PromptQueue
    before_node: Callable[[str, str], None]

    def run(self, prompt: Prompt) -> Record:
        """Carry out a prompt. Never raises for what a prompt can do wrong: that is in the record."""
        record = Record(prompt)
        record.say("execution_start")
        record.say("execution_cached", nodes=[])
        scratch = Path(tempfile.mkdtemp(prefix="job_", dir=self.storage.root / "scratch"))
        visited: list[str] = []
        try:
            runner = self._runner(prompt, scratch, visited)
            for node in prompt.outputs:
                runner.visit(node)
                record.outputs[node] = _save(runner, node, prompt)
            record.say("execution_success")
        except InterruptedPromptError as stop:
            _end(
                record,
                JobStatus.CANCELLED,
                "execution_interrupted",
                stop.node,
                [item for item in visited if item != stop.node],
            )
        except NodeFailedError as failure:
            _end_failed(record, failure)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return record

    def _runner(self, prompt: Prompt, scratch: Path, visited: list[str]) -> Runner:
        def visit(node: str) -> None:
            self.before_node(prompt.id, node)
            if self.queue.is_interrupted:
                raise InterruptedPromptError(node)
            if node not in visited:
                visited.append(node)

        return Runner(prompt.graph, self.storage, self.codec, scratch, _painted, visit)


def _painted(brief: Brief) -> Clip:
    painter = Painter(brief.prompt, brief.seed, (brief.width, brief.height))

    def frame(index: int) -> Any:
        guides = [fitted(control, brief.width, brief.height, index) for control in brief.controls]
        return painter.paint(guides, index)

    return Clip(brief.length, frame)


def _end(record: Record, status: JobStatus, event: str, node: str, executed: list[str], **more: object) -> None:
    record.status = status
    name = record.prompt.graph[node]["class_type"]
    record.say(event, node_id=node, node_type=name, executed=executed, **more)


def _end_failed(record: Record, failure: NodeFailedError) -> None:
    node = failure.node or record.prompt.outputs[0]
    inputs = {key: [value] for key, value in record.prompt.graph[node]["inputs"].items() if not isinstance(value, list)}
    more = {
        "exception_message": failure.message,
        "exception_type": failure.kind,
        "traceback": ["execute"],
        "current_inputs": inputs,
        "current_outputs": list(record.prompt.graph),
    }
    _end(record, JobStatus.FAILED, "execution_error", node, list(record.outputs), **more)


# whatever a node does wrong ends its prompt and not the service, as on a real server
_FAILURES = (
    SecondUnitError, OSError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError,
    MemoryError,
)  # fmt: skip


def _save(run: Runner, node: str, prompt: Prompt) -> Json:
    """Write what an output node keeps. Returns its entry in ``outputs``."""
    name = prompt.graph[node]["class_type"]
    kind = _SAVERS.get(name)
    if kind is None:
        raise NodeFailedError(node, "NotImplementedError", f"The rehearsal service cannot run {name}.\n")
    try:
        return _save_movie(run, node) if name == "SaveVideo" else _save_images(run, node, kind, prompt)
    except OutsideError as error:
        message = "Saving image outside the output folder is not allowed.\n"
        raise NodeFailedError(node, "Exception", message) from error
    except _FAILURES as error:
        raise NodeFailedError(node, type(error).__name__, f"{error}\n") from error


def _save_images(run: Runner, node: str, kind: str, prompt: Prompt) -> Json:
    clip = run.clip(run.inputs(node)["images"])
    first = clip.frame(0)
    series = open_series(
        run.storage, kind, _expanded(str(run.inputs(node).get("filename_prefix", _TEMP_PREFIX)), first.shape)
    )
    texts = _texts(prompt)
    stem = series.stem
    images: list[Json] = []
    for index in range(clip.count):
        run.visit(node)
        series.stem = stem.replace("%batch_num%", str(index))
        path, place = series.take(".png")
        write_png(first if index == 0 else clip.frame(index), path, texts)
        images.append(place.as_image())
    return {"images": images}


def _save_movie(run: Runner, node: str) -> Json:
    """A movie goes under ``images`` too, with ``animated``."""
    clip = run.clip(run.inputs(node)["video"])
    folder = run.scratch / f"encode_{node.replace('/', '_').replace(':', '_')}"
    folder.mkdir()
    frames: list[Path] = []
    for index in range(clip.count):
        run.visit(node)
        frames.append(folder / f"{index:05}.png")
        write_png(clip.frame(index), frames[-1], {})
    series = open_series(run.storage, "output", str(run.inputs(node)["filename_prefix"]))
    path, place = series.take(".mp4")
    run.codec.encode(frames, path, frame_rate(run, node) or _DEFAULT_RATE)
    return {"images": [place.as_image()], "animated": [True]}


def _expanded(prefix: str, shape: tuple[int, ...]) -> str:
    """Server-side tokens for the size; the others are times, which a rehearsal leaves out of names."""
    return prefix.replace("%width%", str(shape[1])).replace("%height%", str(shape[0]))


def _texts(prompt: Prompt) -> dict[str, str]:
    """PNG text chunks as the server writes them: the graph, and the editor's workflow if the client sent one."""
    more = as_object(prompt.extra.get("extra_pnginfo")) or {}
    return {"prompt": json.dumps(prompt.graph)} | {str(key): json.dumps(value) for key, value in more.items()}
