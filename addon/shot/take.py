# SPDX-License-Identifier: GPL-3.0-or-later
"""The take: frames of one finished job with everything needed to make them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import DocumentError
from .documents import Fields, Json, Schema, digest_file, read_document, write_document
from .naming import folder_name, take_number
from .shot import Brief

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TAKE_SCHEMA = Schema("second_unit.take", 1)
TAKE = "take.json"
DISPLAY_SRGB = "display-derived sRGB"


@dataclass(frozen=True, slots=True)
class Take:
    """``plates`` are the frame numbers in order, ``sha256`` one digest each. ``package`` names the package folder."""

    uuid: str
    name: str
    shot_uuid: str
    shot_name: str
    package: str
    input_hash: str
    job: str
    service: str
    profile: str
    graph: str
    brief: Brief
    size: tuple[int, int]
    plates: tuple[int, ...]
    sha256: tuple[str, ...]
    encoding: str = DISPLAY_SRGB
    volatile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def frame_pattern(self) -> str:
        """The name of every frame: ``SH010.t001.{frame:04d}.png``."""
        return f"{folder_name(self.shot_name)}.{self.name}.{{frame:04d}}.png"

    def frame_file(self, folder: Path, plate: int) -> Path:
        """Where a plate lies, ``folder`` being the take's own."""
        return folder / "frames" / self.frame_pattern.format(frame=plate)

    def check_frames(self, folder: Path) -> None:
        """Raise `DocumentError` for the first frame that is not as it was made; ``folder`` is the take's own."""
        for plate, sha256 in zip(self.plates, self.sha256, strict=False):
            file = self.frame_file(folder, plate)
            if not is_as_made(file, sha256):
                how = "damaged" if file.is_file() else "missing"
                raise DocumentError(
                    f"Frame {plate} of {self.shot_name}'s take {self.name} is {how}: '{file}'.",
                    "Restore it, circle another take with 'second-unit takes', or generate a new one with --seed.",
                )


def is_as_made(file: Path, sha256: str) -> bool:
    """Whether a file is there and is what it was when its digest was taken."""
    return file.is_file() and digest_file(file) == sha256


def save_take(folder: Path, take: Take) -> None:
    """Write ``take.json``, last of all: from then on the take exists."""
    body: Json = {
        "uuid": take.uuid, "name": take.name, "shot": {"uuid": take.shot_uuid, "name": take.shot_name},
        "package": take.package, "input_hash": take.input_hash, "job": take.job, "service": take.service,
        "profile": take.profile, "graph": take.graph, "brief": take.brief.to_json(), "size": list(take.size),
        "plates": list(take.plates), "sha256": list(take.sha256), "encoding": take.encoding,
        "volatile": dict(take.volatile), **take.extra,
    }  # fmt: skip
    write_document(folder / TAKE, TAKE_SCHEMA, body)


def load_take(folder: Path) -> Take:
    """Read ``take.json``."""
    fields = read_document(folder / TAKE, TAKE_SCHEMA)
    shot: Fields = fields.section("shot")
    width, height = fields.integers("size", 2)
    return Take(
        uuid=fields.text("uuid"), name=fields.file_name("name"),
        shot_uuid=shot.text("uuid"), shot_name=shot.text("name"),
        package=fields.file_name("package"), input_hash=fields.text("input_hash"), job=fields.text("job"),
        service=fields.text("service"), profile=fields.text("profile"), graph=fields.text("graph"),
        brief=Brief.from_json(fields.section("brief")), size=(width, height), plates=fields.integers("plates"),
        sha256=fields.texts("sha256"), encoding=fields.text("encoding", DISPLAY_SRGB),
        volatile=fields.mapping("volatile", {}), extra=fields.rest(),
    )  # fmt: skip


def list_takes(folder: Path) -> list[Take]:
    """The complete takes below a shot's ``takes`` folder, oldest first. Half-made ones have no ``take.json``."""
    found = [p for p in folder.glob("t*") if take_number(p.name) is not None and (p / TAKE).is_file()]
    return [load_take(p) for p in sorted(found, key=lambda p: take_number(p.name) or 0)]
