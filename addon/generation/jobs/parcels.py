# SPDX-License-Identifier: GPL-3.0-or-later
"""From a control package and a brief to what leaves: one parcel per chunk, under names that say nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ...errors import DocumentError, UsageError
from ...shot.documents import digest, digest_file, stable_json
from ...shot.job import Chunk, Parcel, Request, SentFile, SentText, Submission
from ...shot.shot import SEEDS
from ..services.address import parse_address
from .store import KEY, job_key, timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from ...shot.package import Manifest
    from ...shot.profile import Profile
    from ...shot.project import Project
    from ...shot.shot import Brief, Shot
    from ..services.comfyui.graph import Template

_SUFFIXES = frozenset({".mp4", ".mkv", ".png"})
_TEXTS = ("prompt", "negative")


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asks for. ``package`` is the folder of ``manifest``; ``take_index`` counts takes of one command."""

    project: Project
    shot: Shot
    package: Path
    manifest: Manifest
    profile: Profile
    quality: str
    brief: Brief
    template: Template
    service: str
    url: str
    take_index: int = 0


def make_submission(order: Order, job: str | None = None) -> tuple[Request, Submission]:
    """Write down everything that would leave. Nothing is sent, no file is made.

    Take 2 of one command has the brief's seed plus one, and so on. Raises `UsageError` for a size or length the model
    does not take, `DocumentError` if the package lacks a movie or a movie is not the one that was written.
    """
    job = job or str(uuid4())
    address = parse_address(order.url)
    order = replace(order, brief=replace(order.brief, seed=(order.brief.seed + order.take_index) % SEEDS))
    order.profile.check_size(order.manifest.size)
    lengths = [len(frames) for frames in order.manifest.frame_map.chunks]
    parcels = tuple(_parcel(order, job, chunk, length) for chunk, length in enumerate(lengths))
    request = _request(order, job, tuple(Chunk(i, length) for i, length in enumerate(lengths)))
    graph = {"name": order.template.name, "sha256": request.extra["graph_sha256"]}
    return request, Submission(address.host, parcels, {"graph": graph})


def _request(order: Order, job: str, chunks: tuple[Chunk, ...]) -> Request:
    request = Request(
        job=job, shot_uuid=order.shot.uuid, shot_name=order.shot.name, shot_folder=order.shot.folder,
        package=_inside(order.project, order.package), input_hash=order.manifest.input_hash, service=order.service,
        url=parse_address(order.url).url, profile=order.profile.name, quality=order.quality,
        graph=order.template.name, brief=order.brief, chunks=chunks, volatile={"created": timestamp()},
        extra={"graph_sha256": digest(stable_json(order.template.graph).encode())},
    )  # fmt: skip
    return replace(request, extra={**request.extra, KEY: job_key(request, order.take_index)})


def _parcel(order: Order, job: str, chunk: int, length: int) -> Parcel:
    if order.profile.rule.padded(length) != length:
        raise UsageError(
            f"The control package has {length} frames in chunk {chunk + 1}, which {order.profile.title} does not take.",
            "Run 'second-unit condition' again for this profile.",
        )
    files = tuple(_file(order, job, chunk, control, length) for control in order.template.controls)
    said = {"prompt": order.brief.prompt, "negative": order.brief.negative}
    texts = tuple(SentText(role, said[role]) for role in _TEXTS if role in order.template.roles)
    return Parcel(chunk, files, texts, _values(order, job, chunk, length))


def _values(order: Order, job: str, chunk: int, length: int) -> dict[str, Any]:
    width, height = order.manifest.size
    values: dict[str, Any] = {
        "seed": order.brief.seed, "width": width, "height": height, "length": length,
        "steps": order.profile.quality(order.quality).steps, "filename_prefix": f"{_token(job)}/c{chunk}",
    }  # fmt: skip
    return {role: value for role, value in values.items() if role in order.template.roles}


def _file(order: Order, job: str, chunk: int, control: str, length: int) -> SentFile:
    video = order.manifest.video_of(control, chunk)
    path = order.package / PurePosixPath(video.file)
    sha256 = digest_file(path)
    if sha256 != video.sha256 or video.frames != length:
        raise DocumentError(
            f"The movie '{path.name}' is not the one its control package describes.",
            "Run 'second-unit condition' again.",
        )
    suffix = path.suffix.lower() if path.suffix.lower() in _SUFFIXES else ".mp4"
    name = f"{_token(job)}/c{chunk}_{control}{suffix}"
    return SentFile(f"control.{control}", _inside(order.project, path), name, sha256, path.stat().st_size)


def _token(job: str) -> str:
    return f"su_{job[:8]}"


def _inside(project: Project, path: Path) -> str:
    try:
        return path.resolve().relative_to(project.root.resolve()).as_posix()
    except ValueError as error:
        raise UsageError(f"'{path}' does not lie in the project.", "Choose the right one with --project.") from error
