# SPDX-License-Identifier: GPL-3.0-or-later
"""A job makes one take from one or more submissions. Three documents hold all of it: request, submission, state."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from .documents import Fields, Json, Schema, read_document, write_document
from .shot import Brief

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REQUEST_SCHEMA = Schema("second_unit.request", 1)
SUBMISSION_SCHEMA = Schema("second_unit.submission", 1)
STATE_SCHEMA = Schema("second_unit.job_state", 1)
REQUEST, SUBMISSION, STATE = "request.json", "submission.json", "state.json"


class JobState(Enum):
    """Where a job or one of its submissions is."""

    PREPARED = "prepared"
    UPLOADING = "uploading"
    SUBMITTED = "submitted"
    RUNNING = "running"
    DOWNLOADING = "downloading"
    ASSEMBLING = "assembling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    NEEDS_ATTENTION = "needs_attention"

    @property
    def is_end(self) -> bool:
        """Nothing more happens by itself."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.LOST, JobState.NEEDS_ATTENTION}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One submission of a job: the part of the frame map it covers and the graph length it asks for."""

    index: int
    length: int


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. ``package`` is the path of the package folder relative to the project."""

    job: str
    shot_uuid: str
    shot_name: str
    shot_folder: str
    package: str
    input_hash: str
    service: str
    url: str
    profile: str
    quality: str
    graph: str
    brief: Brief
    chunks: tuple[Chunk, ...]
    volatile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def save_request(folder: Path, request: Request) -> None:
    """Write ``request.json``."""
    body: Json = {
        "job": request.job,
        "shot": {"uuid": request.shot_uuid, "name": request.shot_name, "folder": request.shot_folder},
        "package": request.package, "input_hash": request.input_hash, "service": request.service, "url": request.url,
        "profile": request.profile, "quality": request.quality, "graph": request.graph,
        "brief": request.brief.to_json(), "chunks": [{"index": c.index, "length": c.length} for c in request.chunks],
        "volatile": dict(request.volatile), **request.extra,
    }  # fmt: skip
    write_document(folder / REQUEST, REQUEST_SCHEMA, body)


def load_request(folder: Path) -> Request:
    """Read ``request.json``."""
    fields = read_document(folder / REQUEST, REQUEST_SCHEMA)
    shot: Fields = fields.section("shot")
    return Request(
        job=fields.text("job"), shot_uuid=shot.text("uuid"), shot_name=shot.text("name"),
        shot_folder=shot.text("folder"), package=fields.text("package"), input_hash=fields.text("input_hash"),
        service=fields.text("service"), url=fields.text("url"), profile=fields.text("profile"),
        quality=fields.text("quality"), graph=fields.text("graph"), brief=Brief.from_json(fields.section("brief")),
        chunks=tuple(Chunk(c.integer("index"), c.integer("length")) for c in fields.sections("chunks")),
        volatile=fields.mapping("volatile", {}), extra=fields.rest(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file that leaves: ``path`` relative to the project, ``name`` as the service will know it."""

    role: str
    path: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SentText:
    """One text that leaves, word for word."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything one submission sends: the audit record and the recipe to send the same again."""

    chunk: int
    files: tuple[SentFile, ...]
    texts: tuple[SentText, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Submission:
    """Every file and text of a job that leaves this machine, and the host it goes to."""

    host: str
    parcels: tuple[Parcel, ...]
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def save_submission(folder: Path, submission: Submission) -> None:
    """Write ``submission.json``."""
    parcels = [
        {
            "chunk": p.chunk,
            "files": [
                {"role": f.role, "path": f.path, "name": f.name, "sha256": f.sha256, "size": f.size} for f in p.files
            ],
            "texts": [{"role": t.role, "text": t.text} for t in p.texts],
            "values": dict(p.values),
        }
        for p in submission.parcels
    ]
    write_document(
        folder / SUBMISSION, SUBMISSION_SCHEMA, {"host": submission.host, "parcels": parcels, **submission.extra}
    )


def load_submission(folder: Path) -> Submission:
    """Read ``submission.json``."""
    fields = read_document(folder / SUBMISSION, SUBMISSION_SCHEMA)
    parcels = tuple(_parcel(p) for p in fields.sections("parcels"))
    return Submission(fields.text("host"), parcels, fields.rest())


def _parcel(fields: Fields) -> Parcel:
    files = tuple(
        SentFile(f.text("role"), f.text("path"), f.text("name"), f.text("sha256"), f.integer("size"))
        for f in fields.sections("files")
    )
    texts = tuple(SentText(t.text("role"), t.text("text")) for t in fields.sections("texts"))
    return Parcel(fields.integer("chunk"), files, texts, fields.mapping("values"))


@dataclass(frozen=True, slots=True)
class SubmissionState:
    """Where one submission is. ``ticket`` is what the service needs to be asked about it; it holds no secret."""

    chunk: int
    state: JobState = JobState.PREPARED
    ticket: Mapping[str, Any] | None = None
    attempts: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class State:
    """Where a job is: one atomically replaced file. ``take`` is reserved when the frames are assembled."""

    state: JobState
    submissions: tuple[SubmissionState, ...]
    take: str | None = None
    progress: float = 0.0
    what: str = ""
    fix: str = ""
    updated: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


def save_state(folder: Path, state: State) -> None:
    """Replace ``state.json``."""
    body: Json = {
        "state": state.state.value,
        "submissions": [
            {
                "chunk": s.chunk, "state": s.state.value, "ticket": s.ticket and dict(s.ticket),
                "attempts": s.attempts, **s.extra,
            }
            for s in state.submissions
        ],
        "take": state.take, "progress": state.progress, "what": state.what, "fix": state.fix,
        "updated": state.updated, **state.extra,
    }  # fmt: skip
    write_document(folder / STATE, STATE_SCHEMA, body)


def load_state(folder: Path) -> State:
    """Read ``state.json``."""
    fields = read_document(folder / STATE, STATE_SCHEMA)
    return State(
        state=fields.choice("state", JobState), submissions=tuple(_one(s) for s in fields.sections("submissions")),
        take=fields.maybe_text("take"), progress=fields.number("progress", 0.0), what=fields.text("what", ""),
        fix=fields.text("fix", ""), updated=fields.text("updated", ""),
        extra=fields.rest(),
    )  # fmt: skip


def _one(fields: Fields) -> SubmissionState:
    chunk, state = fields.integer("chunk"), fields.choice("state", JobState)
    return SubmissionState(chunk, state, fields.maybe_mapping("ticket"), fields.integer("attempts", 0), fields.rest())
