# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot: its blocking as the scene says it, and its record (``shot.json``) with what the scene does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import DocumentError, SceneError
from .documents import Fields, Json, Schema, read_document, write_document
from .naming import folder_name, free_folder, shot_name
from .timing import FrameRange

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from fractions import Fraction
    from pathlib import Path

SHOT_SCHEMA = Schema("second_unit.shot", 1)
SEEDS = 2**63
"""Seeds are whole numbers from 0 up to this, as samplers take them."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A camera bound to the timeline at one scene frame."""

    name: str
    frame: int
    camera: str
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Home:
    """The scene a shot is blocked in, and the scenes beside it in the file that somebody may block in as well."""

    scene: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocking:
    """What the scene says about a shot: one camera over one inclusive range, plus handles (head, tail) in frames."""

    name: str
    camera: str
    cut: FrameRange
    handles: tuple[int, int] | None = None
    home: Home = field(default_factory=Home)

    @property
    def marker(self) -> Marker:
        """The marker this blocking came from."""
        return Marker(self.name, self.cut.first, self.camera)


@dataclass(frozen=True, slots=True)
class SceneInfo:
    """What is read off a scene before anything is evaluated.

    ``size`` is the delivery size in pixels, ``pixel_aspect`` (x, y) as Blender has it.
    """

    name: str
    fps: Fraction
    size: tuple[int, int]
    frames: FrameRange
    shots: tuple[Blocking, ...]
    blender: str
    pixel_aspect: tuple[float, float] = (1.0, 1.0)


def block_shots(markers: Sequence[Marker], frames: FrameRange, camera: str | None) -> tuple[Blocking, ...]:
    """Shots from camera markers: each runs to the next marker or the end of the scene.

    Without markers the whole scene is one shot of its active camera. Raises `SceneError` when there is no camera at
    all or two markers share a name.
    """
    marks = sorted(markers, key=lambda m: m.frame)
    if not marks and camera is None:
        raise SceneError(
            "The scene has no camera.", "Add a camera, or bind cameras to timeline markers, and save the file."
        )
    if not marks and camera is not None:
        return (Blocking(shot_name(0), camera, frames),)
    _refuse_twins(marks)
    ends = [m.frame - 1 for m in marks[1:]] + [frames.last]
    inside = [(m, min(end, frames.last)) for m, end in zip(marks, ends, strict=True)]
    return tuple(
        Blocking(m.name, m.camera, FrameRange(max(m.frame, frames.first), end))
        for m, end in inside
        if max(m.frame, frames.first) <= end
    )


def _refuse_twins(marks: Sequence[Marker]) -> None:
    seen: dict[str, str] = {}
    for mark in marks:
        folder = folder_name(mark.name).casefold()
        if folder in seen:
            raise SceneError(
                f"Two camera markers are called '{seen[folder]}' and '{mark.name}'.",
                "Give every shot's marker a name of its own, such as SH010 and SH020.",
            )
        seen[folder] = mark.name


@dataclass(frozen=True, slots=True)
class Brief:
    """What the artist asks for in words. ``references`` are (role, file) pairs relative to the project."""

    prompt: str = ""
    negative: str = ""
    seed: int = 1
    references: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> Json:
        """As stored in ``shot.json`` and ``request.json``."""
        return {
            "prompt": self.prompt, "negative": self.negative, "seed": self.seed,
            "references": [{"role": role, "file": file} for role, file in self.references], **self.extra,
        }  # fmt: skip

    @classmethod
    def from_json(cls, fields: Fields) -> Brief:
        """Back from JSON."""
        references = tuple((r.text("role"), r.text("file")) for r in fields.sections("references", []))
        prompt, negative, seed = fields.text("prompt", ""), fields.text("negative", ""), fields.integer("seed", 1)
        return cls(prompt, negative, seed, references, fields.rest())


@dataclass(frozen=True, slots=True)
class Shot:
    """The record of a shot. ``folder`` is where it was born and stays; ``name`` follows the marker.

    ``handles`` (head, tail) are what the scene last said, and ``handles_of`` the name under which it said so.
    ``scene`` is the name of the scene it is blocked in, empty in a record that no scene has claimed.
    """

    uuid: str
    name: str
    folder: str
    marker: Marker
    brief: Brief = field(default_factory=Brief)
    cast: tuple[Mapping[str, Any], ...] = ()
    circle: str | None = None
    ratings: Mapping[str, int] = field(default_factory=dict[str, int])
    notes: str = ""
    handles: tuple[int, int] | None = None
    handles_of: str = ""
    scene: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def born(cls, blocking: Blocking, brief: Brief, taken: Collection[str] = ()) -> Shot:
        """A new shot with a new uuid, in a folder of its own: a renamed shot keeps the folder it was born in."""
        return cls(str(uuid4()), blocking.name, free_folder(blocking.name, taken), blocking.marker, brief)

    def blocked(self, blocking: Blocking) -> Shot:
        """With name, marker, handles and scene as they are now.

        A scene lists handles by marker name, so a renamed marker leaves them behind: then the record's count. An
        entry that is gone although the name is the same was taken back.
        """
        marker = replace(blocking.marker, extra=self.marker.extra)
        is_taken_back = blocking.handles is None and self.handles_of == blocking.name
        handles, said_as = (None, "") if is_taken_back else (self.handles, self.handles_of)
        if blocking.handles is not None:
            handles, said_as = blocking.handles, blocking.name
        named = replace(self, name=blocking.name, marker=marker, scene=blocking.home.scene)
        return replace(named, handles=handles, handles_of=said_as)

    def circled(self, take: str) -> Shot:
        """With ``take`` chosen."""
        return replace(self, circle=take)


def save_shot(path: Path, shot: Shot) -> None:
    """Write ``shot.json``."""
    marker = {
        "name": shot.marker.name, "frame": shot.marker.frame, "camera": shot.marker.camera, **shot.marker.extra,
    }  # fmt: skip
    body: Json = {
        "uuid": shot.uuid, "name": shot.name, "marker": marker, "brief": shot.brief.to_json(),
        "cast": [dict(member) for member in shot.cast], "circle": shot.circle, "ratings": dict(shot.ratings),
        "notes": shot.notes, **_handles_json(shot),
        **({"scene": shot.scene} if shot.scene else {}), **shot.extra,
    }  # fmt: skip
    write_document(path, SHOT_SCHEMA, body)


def _handles_json(shot: Shot) -> Json:
    return {"handles": list(shot.handles), "handles_of": shot.handles_of} if shot.handles is not None else {}


def _read_handles(fields: Fields, path: Path) -> tuple[int, int] | None:
    if fields.items("handles", []) == []:
        return None
    head, tail = fields.integers("handles", 2)
    if min(head, tail) < 0:
        raise DocumentError(
            f"'{path}' is damaged: 'handles' should be frames before and after the cut, 0 or more.",
            "Correct them, for example to [8, 8], and run again.",
        )
    return head, tail


def load_shot(path: Path) -> Shot:
    """Read ``shot.json``."""
    fields = read_document(path, SHOT_SCHEMA)
    marker = fields.section("marker")
    return Shot(
        uuid=fields.text("uuid"), name=fields.text("name"), folder=path.parent.name,
        marker=Marker(marker.text("name"), marker.integer("frame"), marker.text("camera"), marker.rest()),
        brief=Brief.from_json(fields.section("brief", {})), cast=fields.mappings("cast", []),
        circle=fields.maybe_text("circle"), ratings=fields.mapping("ratings", {}), notes=fields.text("notes", ""),
        handles=_read_handles(fields, path), handles_of=fields.text("handles_of", ""),
        scene=fields.text("scene", ""), extra=fields.rest(),
    )  # fmt: skip


def match_shots(blockings: Sequence[Blocking], known: Sequence[Shot]) -> list[Shot | None]:
    """For each blocking of one scene the record it belongs to; those of another scene in the file are left to that.

    The same name is the same shot. A blocking without a namesake takes over a record left without a blocking whose
    marker lay within its range with the same camera: that is a renamed marker, and the uuid survives. Records that no
    scene claimed, or whose scene is gone (renamed), are found by name, and by camera where nobody else blocks.
    """
    home = blockings[0].home if blockings else Home()
    mine = [shot for shot in known if shot.scene == home.scene]
    free = [shot for shot in known if shot.scene not in (home.scene, *home.others)]
    by_name = {shot.name: shot for shot in [*free, *mine]}
    found = [by_name.get(b.name) for b in blockings]
    taken = {shot.uuid for shot in found if shot}
    orphans = [shot for shot in (mine if home.others else [*mine, *free]) if shot.uuid not in taken]
    for i, blocking in enumerate(blockings):
        fitting = [s for s in orphans if s.marker.camera == blocking.camera and s.marker.frame in blocking.cut]
        renamed = min(fitting, key=lambda s: abs(s.marker.frame - blocking.cut.first), default=None)
        if found[i] is None and renamed is not None:
            found[i] = renamed
            orphans.remove(renamed)
    return found
