# SPDX-License-Identifier: GPL-3.0-or-later
"""What a live preview has to know of the project, read in a thread: nobody waits for a disk while drawing. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..conditioning.people.dialects import dialect
from ..conditioning.pictures.depth import DepthRange, Encoding, checked_range
from ..conditioning.preview import Locked, Plan
from ..errors import SecondUnitError, storage_error
from ..shot.camera import Delivery
from ..shot.package import load_current, load_manifest
from ..shot.plan import best_size
from ..shot.profile import load_profile
from ..shot.project import Settings, load_settings
from ..shot.shot import match_shots
from .answering import Answerer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..shot.package import DepthInfo
    from ..shot.project import Project, ShotPaths
    from ..shot.shot import Blocking, SceneInfo


@dataclass(frozen=True, slots=True)
class Question:
    """Which ``scenes`` are looked at; ``project`` is None for a file that was never saved."""

    project: Project | None
    scenes: tuple[SceneInfo, ...]


@dataclass(frozen=True, slots=True)
class ScenePlans:
    """One scene: its shots with their plans, and the plan of frames that are in none."""

    shots: tuple[tuple[Blocking, Plan], ...]
    otherwise: Plan

    def at(self, frame: int, camera: str) -> Plan:
        """The plan of the shot that has this frame and camera."""
        return next((p for b, p in self.shots if frame in b.cut and b.camera == camera), self.otherwise)


@dataclass(frozen=True, slots=True)
class Answer:
    """Plans by scene name; ``error`` says why there are none; it may be one that nobody foresaw."""

    scenes: Mapping[str, ScenePlans] = field(default_factory=dict[str, ScenePlans])
    error: Exception | None = None


def read_plans(question: Question) -> Answer:
    """Read settings, profile and current packages. What cannot be read is told, not raised."""
    try:
        return Answer({info.name: _plans(question.project, info) for info in question.scenes})
    except SecondUnitError as error:
        return Answer(error=error)
    except OSError as error:
        return Answer(error=storage_error(error, error.filename or "the project's folder"))


def _plans(project: Project | None, info: SceneInfo) -> ScenePlans:
    settings = load_settings(project) if project else Settings()
    profile = load_profile(settings.profile, project.profiles if project else None)
    size, _ = best_size(profile, profile.quality(settings.quality), Delivery(*info.size, info.pixel_aspect))
    encoding = Encoding(profile.depth_encoding)
    people = dialect(profile.pose_dialect).with_parts(profile.pose_parts)
    ranges = _ranges(project, settings, encoding, info.shots) if project else [None] * len(info.shots)
    shots = tuple(
        (blocking, Plan(size, people, encoding, locked)) for blocking, locked in zip(info.shots, ranges, strict=True)
    )
    return ScenePlans(shots, Plan(size, people, encoding))


def _ranges(
    project: Project, settings: Settings, encoding: Encoding, shots: Sequence[Blocking]
) -> list[Locked | None]:  # fmt: skip
    """Of each shot: the range of its current package, else what its package would have if that is known before.

    Raises `UsageError` for a fixed or lent range that is none, as ``condition`` does.
    """
    records = project.shots()
    lender = next((shot for shot in records if shot.name == settings.lock_depth), None)
    if settings.depth is not None:
        common = Locked(DepthRange(*checked_range(*settings.depth)), encoding)
    else:
        common = _lent(project.shot(lender.folder), encoding) if lender else None
    found = (_of_package(project.shot(record.folder)) if record else None for record in match_shots(shots, records))
    return [own or common for own in found]


def _depth_of(paths: ShotPaths) -> DepthInfo | None:
    name = load_current(paths.current)
    if name is None or not (paths.packages / name).is_dir():
        return None
    return load_manifest(paths.packages / name).depth


def _lent(paths: ShotPaths, encoding: Encoding) -> Locked | None:
    depth = _depth_of(paths)
    if depth is None:
        return None
    # the 8-bit pictures of another encoding have a range of another kind
    grey = depth.grey if depth.grey is not None and depth.grey.encoding == encoding.value else depth
    return Locked(DepthRange(*checked_range(grey.near, grey.far)), encoding)


def _of_package(paths: ShotPaths) -> Locked | None:
    depth = _depth_of(paths)
    if depth is None:
        return None
    if depth.grey is not None:
        return Locked(DepthRange(depth.grey.near, depth.grey.far), Encoding(depth.grey.encoding))
    return Locked(DepthRange(depth.near, depth.far), Encoding.DISPARITY)


class Reader(Answerer[Question, Answer]):
    """`read_plans` in a thread."""

    def __init__(self) -> None:
        super().__init__(read_plans, _failed, "second_unit_preview")


def _failed(_: Question, error: Exception) -> Answer:
    return Answer(error=error)
