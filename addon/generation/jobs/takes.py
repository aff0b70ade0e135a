# SPDX-License-Identifier: GPL-3.0-or-later
"""From the frames of a job to a take. ``take.json`` is written last: a take is complete or it is not there.

Each step may be cut off and done again. While frames are on their way the take's folder says whose it is.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from PIL import Image

from ...errors import DocumentError, storage_error
from ...shot.documents import digest_file, write_atomic
from ...shot.naming import folder_name, frame_name, take_name, take_number
from ...shot.take import TAKE, Take, load_take, save_take
from .store import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...shot.job import Request
    from ...shot.package import Manifest

OWNER = ".owner"
THUMBNAILS = "thumbnails"
THUMBNAIL_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Source:
    """One kept frame: where the runner verified it and which plate it becomes."""

    path: Path
    chunk: int
    plate: int


def chunk_folder(frames: Path, chunk: int) -> Path:
    """Where the verified frames of a chunk wait: ``00000.png``, ``00001.png`` and so on."""
    return frames / f"c{chunk:03d}"


def kept_frames(manifest: Manifest, frames: Path) -> tuple[Source, ...]:
    """The frames with a plate, in plate order. Pads and overlaps have none."""
    found: list[Source] = []
    for chunk, mapped in enumerate(manifest.frame_map.chunks):
        folder = chunk_folder(frames, chunk)
        found += (
            Source(folder / f"{i:05d}.png", chunk, frame.plate)
            for i, frame in enumerate(mapped)
            if frame.plate is not None
        )
    return tuple(sorted(found, key=lambda source: source.plate))


def reserve_take(takes: Path, owner: str) -> str:
    """Reserve the next free name for ``owner`` (a job's uuid) and make its folder. The same owner gets the same name.

    A folder appears together with its owner's name, by renaming: no two owners get one name. Raises `StorageError`.
    """
    try:
        takes.mkdir(parents=True, exist_ok=True)
        mine = next((path.name for path in _numbered(takes) if _owner(path) == owner), None)
        return mine or _reserve_new(takes, owner)
    except OSError as error:
        raise storage_error(error, takes) from error


def _reserve_new(takes: Path, owner: str) -> str:
    aside = takes / f".{owner}.part"
    aside.mkdir(exist_ok=True)
    (aside / OWNER).write_text(owner, encoding="utf-8")
    number = max((take_number(path.name) or 0 for path in _numbered(takes)), default=0)
    while True:
        number += 1
        target = takes / take_name(number)
        if target.exists():
            continue
        try:
            aside.rename(target)
        except OSError:
            if not target.exists():
                raise
            continue
        return target.name


def _numbered(takes: Path) -> Iterator[Path]:
    return (path for path in takes.glob("t*") if take_number(path.name) is not None)


def _owner(folder: Path) -> str | None:
    path = folder / OWNER
    return path.read_text(encoding="utf-8") if path.is_file() else None


def finished_take(takes: Path, name: str | None, job: str) -> Take | None:
    """The take ``name`` if it is complete and made by ``job``."""
    if name is None or take_number(name) is None or not (takes / name / TAKE).is_file():
        return None
    take = load_take(takes / name)
    return take if take.job == job else None


def discard_take(takes: Path, owner: str) -> None:
    """Remove the half-made take of ``owner``, if there is one. A complete take is never touched."""
    for path in list(_numbered(takes)) if takes.is_dir() else []:
        if _owner(path) == owner and not (path / TAKE).exists():
            shutil.rmtree(path, ignore_errors=True)


def missing_chunks(manifest: Manifest, frames: Path, take_folder: Path | None, take: Take | None) -> frozenset[int]:
    """Chunks of which a kept frame lies neither with the job nor in the half-made take."""
    return frozenset(
        source.chunk
        for source in kept_frames(manifest, frames)
        if not source.path.is_file()
        and not (take is not None and take_folder and take.frame_file(take_folder, source.plate).is_file())
    )


def describe_take(request: Request, manifest: Manifest, name: str) -> Take:
    """The take a request makes, before its frames are known. Its uuid follows from the job's."""
    return Take(
        uuid=str(uuid5(UUID(request.job), "take")), name=name, shot_uuid=request.shot_uuid,
        # The name becomes part of file names: whatever a marker was called, it stays inside the folder.
        shot_name=folder_name(request.shot_name),
        package=PurePosixPath(request.package).name, input_hash=request.input_hash, job=request.job,
        service=request.service, profile=request.profile, graph=request.graph, brief=request.brief,
        size=manifest.size, plates=(), sha256=(), volatile={"created": timestamp()},
        extra={"quality": request.quality},
    )  # fmt: skip


def assemble(take: Take, manifest: Manifest, frames: Path, folder: Path) -> Take:
    """Move the kept frames into the take's ``folder``, add the thumbnail, write ``take.json``.

    Raises `StorageError` (full disk: what was moved stays, the next call goes on) or `DocumentError` if a frame is
    missing.
    """
    sources = kept_frames(manifest, frames)
    targets = [take.frame_file(folder, source.plate) for source in sources]
    for source, target in zip(sources, targets, strict=True):
        _move(source.path, target)
    middle = len(sources) // 2
    thumbnail = folder / THUMBNAILS / frame_name(take.shot_name, take.name, sources[middle].plate, "jpg")
    write_atomic(thumbnail, _thumbnail(targets[middle]))
    take = replace(
        take, plates=tuple(s.plate for s in sources), sha256=tuple(digest_file(target) for target in targets)
    )
    save_take(folder, take)
    return take


def settle_take(folder: Path) -> None:
    """Take the owner's name off a complete take: it is everybody's now."""
    try:
        (folder / OWNER).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            source.replace(target)
    except OSError as error:
        raise storage_error(error, target) from error
    if not target.is_file():
        raise DocumentError(f"The frame '{source}' is missing.", "Run 'second-unit jobs resume' to fetch it again.")


def _thumbnail(path: Path) -> bytes:
    data = io.BytesIO()
    try:
        with Image.open(path, formats=("PNG",)) as image:
            height = max(1, round(image.height * THUMBNAIL_WIDTH / image.width))
            image.convert("RGB").resize((THUMBNAIL_WIDTH, height), Image.Resampling.BOX).save(data, "JPEG", quality=88)
    except OSError as error:
        raise storage_error(error, path) from error
    return data.getvalue()
