# SPDX-License-Identifier: GPL-3.0-or-later
"""What one model family accepts. Profiles are data: ``addon/data/profiles/<name>.json``."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import UsageError
from .documents import Fields, Schema, read_document
from .timing import FrameRule

PROFILE_SCHEMA = Schema("second_unit.profile", 1)
DATA = Path(__file__).parent.parent / "data"
DEFAULT_PROFILE = "wan-vace-14b"


@dataclass(frozen=True, slots=True)
class Quality:
    """One way to use a model: picture size, handles (head, tail) and sampler steps."""

    name: str
    size: tuple[int, int]
    handles: tuple[int, int]
    steps: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A model family. ``fps`` is its nominal rate, ``size_multiple`` what width and height must divide by."""

    name: str
    title: str
    size_multiple: int
    fps: Fraction
    rule: FrameRule
    controls: tuple[str, ...]
    pose_dialect: str
    graph: str
    qualities: tuple[Quality, ...]

    def quality(self, name: str) -> Quality:
        """By name; raises `UsageError` for an unknown one."""
        for quality in self.qualities:
            if quality.name == name:
                return quality
        names = ", ".join(q.name for q in self.qualities)
        raise UsageError(f"The model '{self.name}' has no quality '{name}'.", f"Choose one of: {names}.")

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise `UsageError` for a size the model would distort."""
        multiple = self.size_multiple
        if any(side < multiple or side % multiple for side in size):
            nearest = "x".join(str(max(multiple, round(side / multiple) * multiple)) for side in size)
            raise UsageError(
                f"{size[0]}x{size[1]} is no size for {self.title}: both sides must be multiples of {multiple}.",
                f"Use {nearest} instead.",
            )


def profile_names() -> tuple[str, ...]:
    """All shipped profiles."""
    return tuple(sorted(path.stem for path in (DATA / "profiles").glob("*.json")))


def load_profile(name: str) -> Profile:
    """A shipped profile by name; raises `UsageError` for an unknown one."""
    if name not in profile_names():
        raise UsageError(f"There is no profile '{name}'.", f"Choose one of: {', '.join(profile_names())}.")
    fields = read_document(DATA / "profiles" / f"{name}.json", PROFILE_SCHEMA)
    rule = fields.section("frames")
    return Profile(
        name=name, title=fields.text("title"),
        size_multiple=fields.integer("size_multiple"), fps=fields.fraction("fps"),
        rule=FrameRule(rule.integer("step"), rule.integer("offset"), rule.integer("longest"), rule.integer("overlap")),
        controls=tuple(fields.items("controls")), pose_dialect=fields.text("pose_dialect"), graph=fields.text("graph"),
        qualities=tuple(_quality(q) for q in fields.sections("qualities")),
    )  # fmt: skip


def _quality(fields: Fields) -> Quality:
    width, height = fields.integers("size", 2)
    head, tail = fields.integers("handles", 2)
    return Quality(fields.text("name"), (width, height), (head, tail), fields.integer("steps"))
