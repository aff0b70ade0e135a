# SPDX-License-Identifier: GPL-3.0-or-later
"""What one model family accepts. Profiles are data.

Shipped ones lie in ``addon/data/profiles``, a project's own in its ``profiles`` folder, ``<name>.json`` each. Those are
read as anybody's files: every field is checked, nothing in it is a path or is run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..errors import DocumentError, UsageError
from .documents import Fields, Schema, read_document
from .timing import FrameRule

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence

T = TypeVar("T")
PROFILE_SCHEMA = Schema("second_unit.profile", 1)
DATA = Path(__file__).parent.parent / "data"
SHIPPED = DATA / "profiles"
DEFAULT_PROFILE = "wan-vace-14b"
CONTROL_PASSES = (
    "guide", "depth", "pose", "face", "normal", "lineart", "softedge", "segmentation", "matte", "flow", "playblast",
)  # fmt: skip
"""Names a profile may use for what a model is told."""
POSE_DIALECTS = ("openpose", "xinsir", "vace", "wan-animate", "core", "dwpose")
"""How people may be drawn. The drawings are in `conditioning.people.dialects`; a test compares the names."""
POSE_PARTS = ("body", "hands", "face")
NORMAL_DIALECTS = ("bae", "opengl")
DEPTH_ENCODINGS = ("disparity", "linear", "zoe")
LARGEST_SIDE = 16384
LONGEST_CHUNK, LONGEST_HANDLE = 10_000, 1000
"""Frames. No model makes minutes at once; whoever writes more has slipped, and would wait for hours."""
FASTEST, FINEST = 1000, 1_000_000
"""Frames per second, and the largest number of a rate: Blender keeps both in 32 bits (a movie's rate is a rational)."""
_ONE_BY_ONE = {"step": 1, "offset": 0, "longest": 1, "overlap": 0}
_GRAPH = re.compile(r"[\w-]*", re.ASCII)


class Kind(Enum):
    """What a model makes."""

    VIDEO = "video"
    STILL = "still"


class Carriage(Enum):
    """How a control travels to the service. Only `H264` halves the chroma, which spoils ids and thin lines."""

    H264 = "h264"
    H264_444 = "h264-444"
    FFV1 = "ffv1"
    PNG = "png"


@dataclass(frozen=True, slots=True)
class Transport:
    """Which carriage each control takes.

    ``usual`` for pictures that bear it; ``exact`` for the passes of ``always_exact``, and for those of
    ``exact_below`` in pictures whose short side is less than so many pixels.
    """

    usual: Carriage = Carriage.H264
    exact: Carriage = Carriage.PNG
    always_exact: tuple[str, ...] = ()
    exact_below: Mapping[str, int] = field(default_factory=dict[str, int])

    def of(self, control: str, size: tuple[int, int]) -> Carriage:
        """The carriage of one control at a picture size."""
        is_exact = control in self.always_exact or min(size) < self.exact_below.get(control, 0)
        return self.exact if is_exact else self.usual


@dataclass(frozen=True, slots=True)
class Quality:
    """One way to use a model: picture size of a 16:9 or square frame, handles (head, tail) and sampler steps.

    Other frames get other sizes of no more pixels; no side is longer than ``longest_side`` (see `plan.best_size`).
    """

    name: str
    size: tuple[int, int]
    handles: tuple[int, int]
    steps: int
    longest_side: int = 0

    @property
    def area(self) -> int:
        """Pixels a picture may have."""
        return self.size[0] * self.size[1]

    @property
    def reach(self) -> int:
        """The longest side a picture may have: as stated, else that of ``size``."""
        return self.longest_side or max(self.size)


@dataclass(frozen=True, slots=True)
class Profile:
    """A model family. ``fps`` is its nominal rate (1 for stills, which have none).

    ``size_multiple`` is what width and height must divide by. ``controls`` are sent, the most telling first;
    ``passes`` is all it understands, ``pose_parts`` what of a person it wants drawn. ``sizes`` are those it was
    trained at, and the only ones it takes unless ``any_size``. ``references`` counts the pictures it takes beside
    the controls, ``context`` the finished frames of the chunk before. ``graph`` is "" while there is none.
    """

    name: str
    title: str
    size_multiple: int
    fps: Fraction
    rule: FrameRule
    controls: tuple[str, ...]
    pose_dialect: str
    graph: str
    qualities: tuple[Quality, ...]
    kind: Kind = Kind.VIDEO
    passes: tuple[str, ...] = ()
    pose_parts: tuple[str, ...] = POSE_PARTS[:1]
    normal_dialect: str = "bae"
    depth_encoding: str = "disparity"
    transport: Transport = field(default_factory=Transport)
    sizes: tuple[tuple[int, int], ...] = ()
    any_size: bool = True
    references: int = 0
    context: int = 0
    notes: str = ""

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
        if not self.any_size and size not in self.sizes:
            known = ", ".join(f"{width}x{height}" for width, height in self.sizes)
            raise UsageError(f"{size[0]}x{size[1]} is no size {self.title} takes.", f"Use one of: {known}.")

    def graph_name(self) -> str:
        """The graph that runs this model; raises `UsageError` while there is none."""
        if not self.graph:
            raise UsageError(
                f"Second Unit has no graph for {self.title} yet: its packages can be made but not sent.",
                f"Use the package with your own tools, or condition the shot for {DEFAULT_PROFILE}.",
            )
        return self.graph


def profile_names(own: Path | None = None) -> tuple[str, ...]:
    """All shipped profiles, and those of the folder ``own`` (a project's), sorted."""
    files = [*SHIPPED.glob("*.json"), *(own.glob("*.json") if own else ())]
    return tuple(sorted({path.stem for path in files}))


def load_profile(name: str, own: Path | None = None) -> Profile:
    """A profile by name, shipped or of the folder ``own``.

    Raises `UsageError` for an unknown name and for one that both have, `DocumentError` for a file that says nonsense.
    """
    names = profile_names(own)
    if name not in names:
        raise UsageError(f"There is no profile '{name}'.", f"Choose one of: {', '.join(names)}.")
    is_shipped = name in profile_names()
    if own is None or not (own / f"{name}.json").is_file():
        return read_profile(SHIPPED / f"{name}.json")
    if is_shipped:
        raise UsageError(
            f"'{own / name}.json' has the name of a shipped profile.",
            "Give the file another name, such as custom.json.",
        )
    return read_profile(own / f"{name}.json")


def read_profile(path: Path) -> Profile:
    """The checked profile in a file. Raises `DocumentError` naming the file and what is wrong in it."""
    fields = read_document(path, PROFILE_SCHEMA)
    try:
        profile = _profile(path.stem, fields)
    except (DocumentError, UsageError) as error:
        raise _unusable(path, error.what) from error
    problem = next(_problems(profile), None)
    if problem is not None:
        raise _unusable(path, problem)
    return profile


def _unusable(path: Path, why: str) -> DocumentError:
    what = why if str(path) in why else f"'{path}' is no usable profile: {why}"
    return DocumentError(what, "Correct it there, or start anew from a shipped profile.")


def _profile(name: str, fields: Fields) -> Profile:
    kind = fields.choice("kind", Kind)
    controls = fields.texts("controls")
    profile = Profile(
        name=name, title=fields.text("title"), kind=kind,
        size_multiple=fields.integer("size_multiple"),
        fps=fields.fraction("fps") if kind is Kind.VIDEO else Fraction(1),
        rule=_rule(fields.section("frames", _ONE_BY_ONE if kind is Kind.STILL else ...)),
        controls=controls, passes=fields.texts("passes", list(controls)), pose_dialect=fields.text("pose_dialect"),
        pose_parts=fields.texts("pose_parts", ["body"]), normal_dialect=fields.text("normal_dialect", "bae"),
        depth_encoding=fields.text("depth_encoding", "disparity"), graph=fields.text("graph", ""),
        qualities=tuple(_quality(q) for q in fields.sections("qualities")),
        transport=_transport(fields.section("transport", {}), kind),
        sizes=tuple(_size(size) for size in fields.items("sizes", [])), any_size=fields.flag("any_size", default=True),
        references=fields.integer("references", 0), context=fields.integer("context", 0),
        notes=fields.text("notes", ""),
    )  # fmt: skip
    return _all_read(profile, fields)


def _rule(fields: Fields) -> FrameRule:
    rule = FrameRule(*(fields.integer(key) for key in _ONE_BY_ONE))
    return _all_read(rule, fields)


def _quality(fields: Fields) -> Quality:
    width, height = fields.integers("size", 2)
    head, tail = fields.integers("handles", 2)
    longest = fields.integer("longest_side", 0)
    return _all_read(
        Quality(fields.text("name"), (width, height), (head, tail), fields.integer("steps"), longest), fields
    )


def _transport(fields: Fields, kind: Kind) -> Transport:
    below = fields.section("exact_below", {})
    transport = Transport(
        _carriage(fields, "usual", Carriage.H264 if kind is Kind.VIDEO else Carriage.PNG),
        _carriage(fields, "exact", Carriage.PNG), fields.texts("always_exact", []),
        {name: below.integer(name) for name in fields.mapping("exact_below", {})},
    )  # fmt: skip
    return _all_read(transport, fields)


def _carriage(fields: Fields, key: str, default: Carriage) -> Carriage:
    return default if fields.maybe_text(key) is None else fields.choice(key, Carriage)


def _size(value: object) -> tuple[int, int]:
    width, height = Fields({"sizes": value}, "sizes").integers("sizes", 2)
    return width, height


def _all_read(made: T, fields: Fields) -> T:
    """``made``, when nothing was left: a misspelt key would otherwise silently mean its default."""
    for key in fields.rest():
        raise UsageError(f"nobody knows its key '{key}'.", "")
    return made


def _problems(profile: Profile) -> Generator[str]:
    """What is wrong that no field by itself can tell."""
    transport, rule = profile.transport, profile.rule
    yield from _unknown("passes", (*profile.controls, *profile.passes), CONTROL_PASSES)
    yield from _unknown("passes", (*transport.always_exact, *transport.exact_below), CONTROL_PASSES)
    yield from _unknown("passes, but a control", profile.controls, profile.passes)
    yield from _unknown("pose dialects", [profile.pose_dialect], POSE_DIALECTS)
    yield from _unknown("parts of a pose", profile.pose_parts, POSE_PARTS)
    yield from _unknown("normal dialects", [profile.normal_dialect], NORMAL_DIALECTS)
    yield from _unknown("depth encodings", [profile.depth_encoding], DEPTH_ENCODINGS)
    if not profile.title.strip() or not profile.title.isprintable():
        yield "'title' is empty, or no single line of text."
    if not profile.controls or len(set(profile.controls)) < len(profile.controls):
        yield "'controls' should name at least one control pass, and each once."
    if not 0 < profile.fps <= FASTEST or max(profile.fps.as_integer_ratio()) > FINEST:
        yield f"'fps' should be above 0 and at most {FASTEST}, in numbers up to {FINEST}."
    if max(rule.step, rule.offset, rule.longest) > LONGEST_CHUNK:
        yield f"'frames' has a number above {LONGEST_CHUNK}."
    if (profile.kind is Kind.STILL) is not (rule == FrameRule(**_ONE_BY_ONE)):
        yield "stills, and only they, are made one frame at a time."
    if not 0 <= profile.context <= rule.overlap:
        yield "'context' should be from 0 to the overlap of the chunks."
    if profile.references < 0:
        yield "'references' should be 0 or more."
    if not _GRAPH.fullmatch(profile.graph):
        yield f"'graph' is '{profile.graph}', which is no plain name."
    yield from _size_problems(profile)
    yield from _quality_problems(profile.qualities)


def _size_problems(profile: Profile) -> Generator[str]:
    if profile.size_multiple < 2 or profile.size_multiple % 2:
        yield "'size_multiple' should be an even number of at least 2."
    if not profile.any_size and not profile.sizes:
        yield "'sizes' is empty although no other size is allowed."
    for size in (*profile.sizes, *(quality.size for quality in profile.qualities)):
        if max(size) > LARGEST_SIDE:
            yield f"{size[0]}x{size[1]} has a side of more than {LARGEST_SIDE} pixels."
        try:
            profile.check_size(size)
        except UsageError as error:
            yield error.what


def _quality_problems(qualities: Sequence[Quality]) -> Generator[str]:
    if not qualities or len({q.name for q in qualities}) < len(qualities):
        yield "'qualities' should be at least one, each with a name of its own."
    for quality in qualities:
        if not all(0 <= count <= LONGEST_HANDLE for count in quality.handles) or quality.steps < 1:
            yield (
                f"its quality '{quality.name}' needs handles of 0 or more frames, {LONGEST_HANDLE} at most, and at "
                "least one step."
            )
        if quality.longest_side and not max(quality.size) <= quality.longest_side <= LARGEST_SIDE:
            yield f"'longest_side' of '{quality.name}' should be from {max(quality.size)} to {LARGEST_SIDE} pixels."


def _unknown(what: str, found: Collection[str], known: Sequence[str]) -> Generator[str]:
    for name in found:
        if name not in known:
            yield f"'{name}' is none of the {what}: {', '.join(known)}."
