# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth of a shot: statistics that merge over frames and nodes, the range they give, and the greys made with it.

The range belongs to the whole shot. With a range per frame a static wall changes its grey whenever somebody walks up
to the camera (reference: a surface 9 m away wandered between grey 39 and 149).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, cast

import numpy as np

from ...errors import DocumentError, UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

SHIFT = 16
"""float32 bits dropped to get a bin: exponent and 7 bits of the mantissa stay, 128 bins per doubling of z (log2
steps up to 0.011). Cutting bits instead of taking logarithms gives every machine the same bins."""

BINS = 0x7F80_0000 >> SHIFT
"""Bins of all positive finite float32."""

CLIPPED_AT_MOST = 0.005
"""Share of a shot's hit pixels that may lie nearer than white (design: at most 0.5 %)."""

FLAT_MARGIN = 1.001
"""far / near of a shot in which everything is equally far away."""

NEAREST, FARTHEST, NARROWEST = 1e-9, 1e18, 1.000001
"""Least near and largest far of a range, and the least ratio between them: what float32 holds with room to spare."""

ZOE_NEAR, ZOE_FAR = 0.02, 0.85
"""Shares of the hits at which ZoeDepth's annotator puts white and black (controlnet_aux: percentiles 2 and 85)."""


class Encoding(Enum):
    """How depth becomes grey; near is white in all of them, and none has a gamma.

    Disparity is inverse depth (MiDaS, Depth-Anything), linear is metric from near to far, Zoe is linear between two
    percentiles.
    """

    DISPARITY = "disparity"
    LINEAR = "linear"
    ZOE = "zoe"


def _no_counts() -> npt.NDArray[np.int64]:
    return np.zeros(BINS, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class DepthStats:
    """Histogram of planar depth. Adding is associative and commutative: chunks may come in any order.

    ``counts`` is (BINS,) int64; ``nearest`` and ``farthest`` are the exact extremes, inf and 0 without hits.
    """

    counts: npt.NDArray[np.int64] = field(default_factory=_no_counts)
    nearest: float = float("inf")
    farthest: float = 0.0

    @classmethod
    def of(cls, depth: npt.NDArray[np.float32]) -> DepthStats:
        """Statistics of one frame's depth (H, W) float32; +inf counts as no hit."""
        hits = depth[np.isfinite(depth) & (depth > 0)]
        if not len(hits):
            return cls()
        counts = np.bincount(hits.view(np.uint32) >> SHIFT, minlength=BINS)
        return cls(counts.astype(np.int64), float(hits.min()), float(hits.max()))

    @property
    def hits(self) -> int:
        """Pixels that hit something."""
        return int(self.counts.sum())

    def __add__(self, other: DepthStats) -> DepthStats:
        return DepthStats(
            self.counts + other.counts, min(self.nearest, other.nearest), max(self.farthest, other.farthest)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DepthStats) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.nearest, self.farthest, self.hits))

    def to_json(self) -> dict[str, list[int] | float | None]:
        """Sparse form: filled bins and their counts; extremes are null without hits."""
        filled = np.flatnonzero(self.counts)
        empty = not len(filled)
        return {
            "bins": cast("list[int]", filled.tolist()),
            "counts": cast("list[int]", self.counts[filled].tolist()),
            "nearest": None if empty else self.nearest,
            "farthest": None if empty else self.farthest,
        }

    @classmethod
    def from_json(cls, document: object) -> DepthStats:
        """Read `to_json`'s form.

        Raises:
            DocumentError: if it is something else.
        """
        try:
            fields = cast("dict[str, list[int]]", document)
            bins, numbers = np.array(fields["bins"], np.int64), np.array(fields["counts"], np.int64)
            if not len(bins):
                return cls()
            counts = _no_counts()
            counts[bins] = numbers
            extremes = cast("dict[str, float]", document)
            return cls(counts, float(extremes["nearest"]), float(extremes["farthest"]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DocumentError(
                "The depth statistics of a frame cannot be read.", "Delete the frame from the cache and draw it again."
            ) from error


@dataclass(frozen=True, slots=True)
class DepthRange:
    """What white and black mean: ``near`` < ``far`` in scene units; ``clipped`` is the share of hits before near."""

    near: float
    far: float
    clipped: float = 0.0


def shot_range(stats: DepthStats, clip: float = CLIPPED_AT_MOST) -> DepthRange:
    """Range of a whole shot: at most ``clip`` of the hit pixels are nearer than near, far is the farthest hit.

    A shot without hits gets 1 to 2 scene units, a flat one a margin of a thousandth, so that it comes out white.
    """
    total = stats.hits
    if not total:
        return DepthRange(1.0, 2.0)
    before = np.cumsum(stats.counts)
    bin_ = int(np.searchsorted(before, int(total * clip), side="right"))
    edge = float(np.array(bin_ << SHIFT, np.uint32).view(np.float32))
    near = min(max(edge, stats.nearest), stats.farthest)
    clipped = int(before[bin_ - 1]) / total if bin_ else 0.0
    return DepthRange(near, max(stats.farthest, near * FLAT_MARGIN), clipped)


def zoe_range(stats: DepthStats) -> DepthRange:
    """Percentiles 2 and 85 of the hits of the whole shot, where ZoeDepth's annotator takes those of each picture.

    They come from the histogram and are right to half a percent of their value.
    """
    if not stats.hits:
        return DepthRange(1.0, 2.0)
    near = _percentile(stats, ZOE_NEAR)
    return _truthful(stats, near, max(_percentile(stats, ZOE_FAR), near * FLAT_MARGIN))


def range_for(
    stats: DepthStats,
    encoding: Encoding,
    manual: tuple[float, float] | None = None,
    locked: DepthRange | None = None,
) -> DepthRange:
    """What white and black mean in a shot with these ``stats``.

    ``manual`` near and far, in scene units, go first; then the ``locked`` range of another shot (made with the same
    encoding); else it is found. ``clipped`` is counted in this shot in every case.

    Raises:
        UsageError: if the values are no range.
    """
    if manual is not None:
        return _truthful(stats, *checked_range(*manual))
    if locked is not None:
        return _truthful(stats, *checked_range(locked.near, locked.far))
    return zoe_range(stats) if encoding is Encoding.ZOE else shot_range(stats)


def checked_range(near: float, far: float) -> tuple[float, float]:
    """Near and far as they are, if they are a range that float32 can tell apart. Not a number is no range.

    Raises `UsageError` otherwise.
    """
    if not (near >= NEAREST and near * NARROWEST <= far <= FARTHEST):
        raise UsageError(
            f"A depth range from {near:g} to {far:g} is not possible.",
            "Give near and far in scene units, both above 0 and near less than far.",
        )
    return near, far


def _truthful(stats: DepthStats, near: float, far: float) -> DepthRange:
    """A range with the share of hits before it."""
    return DepthRange(near, far, _share_before(stats, near))


def _share_before(stats: DepthStats, z: float) -> float:
    """Share of the hits nearer than ``z``; inside the bin that holds ``z`` they count as spread evenly."""
    if not stats.hits or z <= stats.nearest:
        return 0.0
    if z > stats.farthest:
        return 1.0
    place = float(np.array(z, np.float32).view(np.uint32)) / (1 << SHIFT)
    whole = int(place)
    before = float(stats.counts[:whole].sum()) + (place - whole) * float(stats.counts[whole])
    return before / stats.hits


def _percentile(stats: DepthStats, share: float) -> float:
    """Depth that ``share`` of the hits lie before; inside a bin they count as spread evenly."""
    wanted = share * stats.hits
    upto = np.cumsum(stats.counts)
    bin_ = min(int(np.searchsorted(upto, wanted)), BINS - 1)
    inside = int(stats.counts[bin_])
    part = (wanted - float(upto[bin_] - inside)) / inside if inside else 0.0
    bits = min(int((bin_ + part) * (1 << SHIFT)), 0x7F7F_FFFF)
    return min(max(float(np.array(bits, np.uint32).view(np.float32)), stats.nearest), stats.farthest)


def encoded(depth: npt.NDArray[np.float32], range_: DepthRange, encoding: Encoding) -> npt.NDArray[np.float32]:
    """Depth (H, W) float32 as values 0..1, near 1; no hit (+inf) exactly 0."""
    return disparity(depth, range_) if encoding is Encoding.DISPARITY else linear(depth, range_)


def linear(depth: npt.NDArray[np.float32], range_: DepthRange) -> npt.NDArray[np.float32]:
    """Depth (H, W) float32 from 1 (near) down to 0 (far) in equal steps of distance, no hit exactly 0.

    1 - (z - near) / (far - near), which with `zoe_range` is ZoeDepth's picture.
    """
    scale = 1.0 / (range_.far - range_.near)
    value = np.multiply(depth, np.float32(-scale))
    value += np.float32(range_.far * scale)
    return np.clip(value, 0.0, 1.0, out=value)


def disparity(depth: npt.NDArray[np.float32], range_: DepthRange) -> npt.NDArray[np.float32]:
    """Inverse depth (H, W) float32 from 0 (far) to 1 (near), no hit exactly 0.

    d = (1/z - 1/far) / (1/near - 1/far), the MiDaS convention (near is white); orthographic depth alike.
    """
    far = 1.0 / range_.far
    scale = 1.0 / (1.0 / range_.near - far)
    with np.errstate(divide="ignore"):
        inverse = np.float32(scale) / depth
    inverse -= np.float32(far * scale)
    return np.clip(inverse, 0.0, 1.0, out=inverse)


def to_grey8(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """0..1 to 0..255, rounded to the nearest grey."""
    return (values * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def to_grey16(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """0..1 to 0..65535, rounded to the nearest grey."""
    return (values * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
