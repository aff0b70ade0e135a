# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comp does to a plate, as data: the host builds nodes from it, the comp document records it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..shot.documents import Schema, digest, read_document, stable_json, write_document
from .cdl import Cdl, Rgb

if TYPE_CHECKING:
    from pathlib import Path

    from ..shot.documents import Fields, Json

COMP_SCHEMA = Schema("second_unit.comp", 1)
COMP = "comp.json"


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
    """A finished comp: which take it was made from and how. ``key`` is equal for equal work."""

    shot_uuid: str
    take_uuid: str
    recipe: CompRecipe
    frames: tuple[int, ...]

    @property
    def key(self) -> str:
        """Hash of everything the pictures depend on."""
        return digest(stable_json([self.take_uuid, self.recipe.to_json(), list(self.frames)]).encode())


def save_comp(folder: Path, comp: Comp) -> None:
    """Write ``comp.json``, last of all: from then on the comp exists."""
    body: Json = {
        "shot": comp.shot_uuid, "take": comp.take_uuid, "key": comp.key, "recipe": comp.recipe.to_json(),
        "frames": list(comp.frames), "encoding": "Linear Rec.709",
    }  # fmt: skip
    write_document(folder / COMP, COMP_SCHEMA, body)


def load_comp(folder: Path) -> Comp:
    """Read ``comp.json``."""
    fields = read_document(folder / COMP, COMP_SCHEMA)
    return Comp(
        fields.text("shot"), fields.text("take"), CompRecipe.from_json(fields.section("recipe")),
        fields.integers("frames"),
    )  # fmt: skip
