# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comp does to a plate, as data: the host builds nodes from it, the comp document records it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..shot.documents import Fields, Schema, digest, read_document, stable_json, write_document
from .cdl import Cdl, Rgb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..shot.documents import Json

COMP_SCHEMA = Schema("second_unit.comp", 1)
COMP = "comp.json"
_FRAME = re.compile(r"(.+\.comp\.t\d{3,}\.v\d{3})\.\d{4,}\.exr")


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """Air between lens and set: none until ``start`` metres, ``amount`` of scene-linear ``color`` from ``end`` on."""

    start: float
    end: float
    amount: float
    color: Rgb

    @classmethod
    def for_depth(cls, near: float, far: float) -> Atmosphere:
        """Thin night air that begins behind the nearest figure and closes at the back of the set."""
        start = near + 0.1 * (far - near)
        return cls(start, max(far, start + 0.001), 0.6, (0.09, 0.085, 0.07))


@dataclass(frozen=True, slots=True)
class CompRecipe:
    """The passes of a comp in order: atmosphere by depth, then the grade."""

    atmosphere: Atmosphere
    cdl: Cdl = field(default_factory=lambda: Cdl((1.35, 1.12, 0.92), (0.004, 0.0, -0.002), (1.05, 1.02, 1.08), 0.85))

    def to_json(self) -> Json:
        """As stored in ``comp.json`` and sent to the host."""
        air, cdl = self.atmosphere, self.cdl
        return {
            "atmosphere": {"start": air.start, "end": air.end, "amount": air.amount, "color": list(air.color)},
            "cdl": {
                "slope": list(cdl.slope), "offset": list(cdl.offset), "power": list(cdl.power),
                "saturation": cdl.saturation, "space": cdl.space,
            },
        }  # fmt: skip

    @classmethod
    def from_json(cls, fields: Fields) -> CompRecipe:
        """Back from JSON."""
        air, cdl = fields.section("atmosphere"), fields.section("cdl")
        atmosphere = Atmosphere(air.number("start"), air.number("end"), air.number("amount"), _rgb(air, "color"))
        grade = Cdl(
            _rgb(cdl, "slope"), _rgb(cdl, "offset"), _rgb(cdl, "power"), cdl.number("saturation"), cdl.text("space")
        )
        return cls(atmosphere, grade)


def _rgb(fields: Fields, key: str) -> Rgb:
    red, green, blue = fields.numbers(key, 3)
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Comp:
    """A finished comp: which take it was made from and how. ``key`` is equal for equal work.

    ``files`` lie beside ``comp.json``, the frames among them begin with ``stem``; ``movie`` lies with the movies for
    review. They keep the name the shot had.
    """

    shot_uuid: str
    take_uuid: str
    recipe: CompRecipe
    frames: tuple[int, ...]
    stem: str = ""
    files: tuple[str, ...] = ()
    movie: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def key(self) -> str:
        """Hash of everything the pictures depend on."""
        return digest(stable_json([self.take_uuid, self.recipe.to_json(), list(self.frames)]).encode())

    def named(self, stem: str) -> Comp:
        """The comp whose frames and movie begin with ``stem``, with the files it must have."""
        return replace(self, stem=stem, files=expected_files(stem, self.frames), movie=f"{stem}.mp4")

    def is_whole(self, folder: Path) -> bool:
        """Whether every file is there. An empty one is what a full disk leaves."""
        found = {file.name for file in folder.iterdir() if file.is_file() and file.stat().st_size}
        return bool(self.files) and found.issuperset(self.files)


def sample_positions(count: int) -> tuple[int, int, int]:
    """First, middle and last of ``count`` frames: what sheets show."""
    return 0, count // 2, count - 1


def thumbnail_name(position: int) -> str:
    """``thumbnail.0.png`` for the first frame."""
    return f"thumbnail.{position}.png"


def expected_files(stem: str, frames: Sequence[int]) -> tuple[str, ...]:
    """The names of all frames and thumbnails of a comp."""
    thumbnails = (thumbnail_name(position) for position in sample_positions(len(frames)))
    return tuple(dict.fromkeys((*(f"{stem}.{frame:04d}.exr" for frame in frames), *thumbnails)))


def save_comp(folder: Path, comp: Comp) -> None:
    """Write ``comp.json``, last of all: from then on the comp exists."""
    body: Json = {
        "shot": comp.shot_uuid, "take": comp.take_uuid, "key": comp.key, "recipe": comp.recipe.to_json(),
        "frames": list(comp.frames), "encoding": "Linear Rec.709",
    }  # fmt: skip
    if comp.stem:
        body |= {"stem": comp.stem, "files": list(comp.files), "movie": comp.movie}
    body |= comp.extra
    write_document(folder / COMP, COMP_SCHEMA, body)


def load_comp(folder: Path) -> Comp:
    """Read ``comp.json``."""
    fields = read_document(folder / COMP, COMP_SCHEMA)
    fields.skip("key", "encoding")
    bare = Comp(
        fields.text("shot"), fields.text("take"), CompRecipe.from_json(fields.section("recipe")),
        fields.integers("frames"),
    )  # fmt: skip
    if fields.maybe_text("stem") is None:
        return replace(bare, extra=fields.rest())
    files = tuple(Fields({"files": name}, str(folder / COMP)).file_name("files") for name in fields.texts("files"))
    stem, movie = fields.file_name("stem"), fields.file_name("movie")
    return replace(bare, stem=stem, files=files, movie=movie, extra=fields.rest())


def find_comp(folder: Path) -> Comp:
    """Read ``comp.json``; one that does not name its files yet is given those it must have.

    They are called what the shot was called then, which a frame tells. Where none is left there is nothing to name.
    """
    comp = load_comp(folder)
    frames = sorted(file.name for file in folder.glob("*.exr")) if not comp.stem else []
    stem = next((found[1] for name in frames if (found := _FRAME.fullmatch(name))), None)
    return comp.named(stem) if stem is not None else comp
