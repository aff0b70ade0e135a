# SPDX-License-Identifier: GPL-3.0-or-later
"""The control passes: what each needs of a raw frame and what becomes of it. A new pass is a new line of `PASSES`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..errors import UsageError
from .files.exr import ExrPart
from .files.png_reader import read_png
from .people.face import FACE_SIZE, face_picture
from .people.figures import draw_pose
from .pictures.depth import DepthRange, Encoding, disparity, encoded, to_grey8, to_grey16
from .pictures.flow_picture import flow_picture
from .pictures.guide import composite
from .pictures.mattes import MatteBy, id_picture
from .pictures.normal_map import NormalDialect, normal_map
from .pictures.segmentation import segmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from ..shot.geometry import Tag
    from .cache import RawFrame
    from .people.dialects import Dialect

    Picture: TypeAlias = npt.NDArray[Any] | Path | ExrPart

FLOW = "flow"
"""The layer that belongs to a frame and its next one."""
NO_DEPTH_M = 1e10
"""Depth where nothing is, in an EXR: what Blender writes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the whole shot decides about its pictures.

    ``size`` (width, height); ``spread`` is the range of disparity, ``grey`` that of the 8-bit depth in its
    ``encoding``; ``largest_flow`` in pixels; ``mattes`` the numbers of names; ``guess_classes`` whether names may stand
    for classes; ``face`` is the key of the person whose face travels by itself, "" for nobody's.
    """

    size: tuple[int, int]
    spread: DepthRange
    grey: DepthRange
    encoding: Encoding
    dialect: Dialect
    normal: NormalDialect = NormalDialect.BAE
    largest_flow: float = 0.0
    mattes: Mapping[MatteBy, Mapping[str, int]] = field(default_factory=dict[MatteBy, Any])
    metres_per_unit: float = 1.0
    guess_classes: bool = False
    face: str = ""


class FrameLook:
    """One raw frame in the look of its shot; what several passes need is made once."""

    def __init__(self, raw: RawFrame, look: Look, following: str = "") -> None:
        self.raw, self.look, self._following = raw, look, following

    @cached_property
    def disparity(self) -> npt.NDArray[np.float32]:
        """(H, W) float32, 1 near, 0 far and nothing."""
        return disparity(self.raw.depth, self.look.spread)

    @cached_property
    def grey(self) -> npt.NDArray[np.uint8]:
        """The disparity in 8 bits."""
        return to_grey8(self.disparity)

    @cached_property
    def pose(self) -> npt.NDArray[np.uint8]:
        """(H, W, 3) stick figures."""
        return draw_pose(self.raw.people, self.look.size, self.look.dialect)

    @cached_property
    def tags(self) -> tuple[npt.NDArray[np.uint16], Sequence[Tag]]:
        """See `RawFrame.tags`."""
        return self.raw.tags()

    @cached_property
    def flow(self) -> npt.NDArray[np.float32]:
        """(H, W, 2) pixels to the next frame."""
        return self.raw.flow(self._following)


@dataclass(frozen=True, slots=True)
class PassKind:
    """A control pass. ``layers`` are of `cache.EXTRAS`, or `FLOW`; ``encoding`` says what the values mean.

    ``size`` (width, height) is that of its pictures where it is not the package's.
    """

    name: str
    draw: Callable[[FrameLook], Picture]
    bits: int = 8
    channels: int = 3
    layers: tuple[str, ...] = ()
    encoding: Callable[[Look], str] = lambda _: "sRGB"
    suffix: str = "png"
    size: tuple[int, int] | None = None

    @property
    def pattern(self) -> str:
        """Files of the pass, relative to the package."""
        return f"{self.name}/{{frame:04d}}.{self.suffix}"


def _depth(frame: FrameLook) -> Picture:
    look = frame.look
    if look.encoding is Encoding.DISPARITY and look.grey == look.spread:
        return np.repeat(frame.grey[..., None], 3, axis=2)
    return np.repeat(to_grey8(encoded(frame.raw.depth, look.grey, look.encoding))[..., None], 3, axis=2)


def _depth_exr(frame: FrameLook) -> Picture:
    depth = np.asarray(frame.raw.depth) * np.float32(frame.look.metres_per_unit)
    return ExrPart({"depth.Z": np.where(np.isfinite(depth), depth, np.float32(NO_DEPTH_M))})


def _guide(frame: FrameLook) -> Picture:
    return composite(frame.grey, frame.raw.person, frame.pose)


def _normal(dialect: Callable[[Look], NormalDialect]) -> Callable[[FrameLook], Picture]:
    return lambda frame: normal_map(frame.raw.normal().astype(np.float32), dialect(frame.look))


def _segmentation(frame: FrameLook) -> Picture:
    numbers, tags = frame.tags
    return segmentation(numbers, tags, frame.raw.person, guess=frame.look.guess_classes)


def _matte(frame: FrameLook) -> Picture:
    return np.where(frame.raw.person > 0, np.uint8(255), np.uint8(0))


def _ids(by: MatteBy) -> Callable[[FrameLook], Picture]:
    return lambda frame: id_picture(*frame.tags, by, frame.look.mattes[by])


def _flow(frame: FrameLook) -> Picture:
    return flow_picture(frame.flow, frame.look.largest_flow)


def _flow_exr(frame: FrameLook) -> Picture:
    return ExrPart({"forward.u": np.ascontiguousarray(frame.flow[..., 0]), "forward.v": frame.flow[..., 1].copy()})


def _face(frame: FrameLook) -> Picture:
    return face_picture(read_png(frame.raw.picture("playblast")), frame.raw.people, frame.look.face)


def _as_drawn(layer: str) -> Callable[[FrameLook], Picture]:
    return lambda frame: frame.raw.picture(layer)


def _as(text: str) -> Callable[[Look], str]:
    return lambda _: text


_KINDS = (
    PassKind("depth", _depth, encoding=lambda look: look.encoding.value),
    PassKind("depth16", lambda f: to_grey16(f.disparity), bits=16, channels=1, encoding=_as("disparity")),
    PassKind("depth_exr", _depth_exr, bits=32, channels=1, encoding=_as("metres"), suffix="exr"),
    PassKind("pose", lambda f: f.pose, encoding=lambda look: look.dialect.name),
    PassKind("guide", _guide, encoding=lambda look: f"disparity+{look.dialect.name}"),
    PassKind("normal", _normal(lambda look: look.normal), layers=("normal",), encoding=lambda k: k.normal.value),
    PassKind(
        "normal_gl",
        _normal(lambda _: NormalDialect.OPENGL),
        layers=("normal",),
        encoding=_as(NormalDialect.OPENGL.value),
    ),
    PassKind("lineart", _as_drawn("lineart"), channels=1, layers=("lineart",), encoding=_as("white on black")),
    PassKind("softedge", _as_drawn("softedge"), channels=1, layers=("softedge",), encoding=_as("white on black")),
    PassKind("segmentation", _segmentation, layers=("tag",), encoding=_as("ADE20K")),
    PassKind("matte", _matte, channels=1, encoding=_as("people white")),
    *(
        PassKind(f"matte_{by.value}", _ids(by), bits=16, channels=1, layers=("tag",), encoding=_as("ids"))
        for by in MatteBy
    ),
    PassKind("flow", _flow, layers=(FLOW,), encoding=_as("Middlebury")),
    PassKind("flow_exr", _flow_exr, bits=32, channels=2, layers=(FLOW,), encoding=_as("pixels"), suffix="exr"),
    PassKind("playblast", _as_drawn("playblast"), layers=("playblast",)),
    PassKind("face", _face, layers=("playblast",), size=FACE_SIZE),
)
PASSES = {kind.name: kind for kind in _KINDS}
"""Every control pass by its name, in the order in which they are listed."""

USUAL = ("depth", "depth16", "pose", "guide", "playblast")
"""What every package has: the comp and the rehearsal service need no more."""


def check_passes(names: Sequence[str]) -> tuple[str, ...]:
    """Known pass names in our own order, ``all`` being all; raises `UsageError` for others."""
    unknown = [name for name in names if name not in PASSES and name != "all"]
    if unknown:
        raise UsageError(f"There is no control pass '{unknown[0]}'.", f"Choose from: {', '.join(PASSES)}; or all.")
    return tuple(name for name in PASSES if name in names or "all" in names)


def layers_of(passes: Sequence[str]) -> tuple[str, ...]:
    """The layers that ``passes`` need beside a raw frame's own, sorted."""
    return tuple(sorted({layer for name in passes for layer in PASSES[name].layers}))


_RAW_BYTES = {"normal": 6, FLOW: 8, "playblast": 3}
# raw depth, and people and tags, which are mostly alike and packed
_ALWAYS_BYTES = 5


def bytes_per_pixel(passes: Sequence[str]) -> float:
    """How many bytes on disk a pixel of ``passes`` takes at worst, its raw frame included; half of that is usual.

    An EXR is as large as its numbers; a PNG of renders and figures was never seen to be more than half as large. A pass
    of a size of its own counts as if it had the package's.
    """
    raw = sum(_RAW_BYTES.get(layer, 1) for layer in layers_of(passes))
    kinds = [PASSES[name] for name in passes]
    files = sum(kind.bits / 8 * kind.channels / (1 if kind.suffix == "exr" else 2) for kind in kinds)
    return _ALWAYS_BYTES + raw + files
