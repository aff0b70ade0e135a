# SPDX-License-Identifier: GPL-3.0-or-later
"""The project folder: where everything lies, and its defaults (``project.toml``, comments and unknown keys kept)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import tomlkit
from tomlkit.exceptions import ParseError

from ..errors import DocumentError, storage_error
from .documents import Fields, Schema, check_schema, write_atomic
from .profile import DEFAULT_PROFILE
from .shot import Brief, Shot, load_shot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROJECT_SCHEMA = Schema("second_unit.project", 1)
REHEARSAL = "rehearsal"


@dataclass(frozen=True, slots=True)
class ShotPaths:
    """Where one shot keeps its things."""

    root: Path

    @property
    def record(self) -> Path:
        """``shot.json``."""
        return self.root / "shot.json"

    @property
    def current(self) -> Path:
        """``package.json``: which package is current."""
        return self.root / "package.json"

    @property
    def packages(self) -> Path:
        """Immutable control packages."""
        return self.root / "packages"

    @property
    def takes(self) -> Path:
        """The takes: ``t001``, ``t002`` and so on."""
        return self.root / "takes"

    @property
    def comp(self) -> Path:
        """The comps: ``<take>/v001`` and so on."""
        return self.root / "comp"


@dataclass(frozen=True, slots=True)
class Project:
    """Paths of a project folder. Making one touches nothing on disk."""

    root: Path

    @property
    def config(self) -> Path:
        """``project.toml``."""
        return self.root / "project.toml"

    @property
    def jobs(self) -> Path:
        """One folder per job."""
        return self.root / "jobs"

    @property
    def cache(self) -> Path:
        """Raw passes by frame hash; may be pruned at any time."""
        return self.root / "cache"

    @property
    def profiles(self) -> Path:
        """The project's own model profiles: ``<name>.json``."""
        return self.root / "profiles"

    @property
    def edit(self) -> Path:
        """The .blend of the edit and the comps."""
        return self.root / "edit.blend"

    @property
    def review(self) -> Path:
        """Movies and sheets for people."""
        return self.root / "review"

    def shot(self, folder: str) -> ShotPaths:
        """Paths of the shot born in ``folder``."""
        return ShotPaths(self.root / folder)

    def shots(self) -> list[Shot]:
        """All shot records, by folder name."""
        return [load_shot(path) for path in sorted(self.root.glob("*/shot.json"))]


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``project.toml`` says, with defaults filled in.

    ``briefs`` maps shot names to what is asked for, ``passes`` are made beside those the model needs, ``depth`` is a
    fixed near and far in scene units, ``lock_depth`` the shot whose range all have.
    """

    service: str = REHEARSAL
    profile: str = DEFAULT_PROFILE
    quality: str = "draft"
    allowed_hosts: tuple[str, ...] = ()
    prompt: str = ""
    negative: str = ""
    seed: int = 1
    briefs: Mapping[str, object] | None = None
    passes: tuple[str, ...] = ()
    depth: tuple[float, float] | None = None
    lock_depth: str = ""

    def brief_for(self, shot: str) -> Brief:
        """The project's brief for a shot nobody has briefed yet."""
        own = Fields((self.briefs or {}).get(shot, {}), f"project.toml: shots.{shot}")
        return Brief(
            prompt=own.text("prompt", self.prompt),
            negative=own.text("negative", self.negative),
            seed=own.integer("seed", self.seed),
        )


def load_settings(project: Project) -> Settings:
    """Read ``project.toml``; a project without one has the defaults."""
    if not project.config.is_file():
        return Settings()
    fields = check_schema(_parse(project.config), PROJECT_SCHEMA, str(project.config))
    defaults = fields.section("defaults", {})
    return Settings(
        service=fields.section("service", {}).text("name", REHEARSAL),
        allowed_hosts=fields.section("service", {}).texts("allowed_hosts", []),
        profile=defaults.text("profile", DEFAULT_PROFILE), quality=defaults.text("quality", "draft"),
        prompt=defaults.text("prompt", ""), negative=defaults.text("negative", ""), seed=defaults.integer("seed", 1),
        briefs=fields.mapping("shots", {}), passes=defaults.texts("passes", []),
        depth=_depth(fields.section("depth", {})), lock_depth=fields.section("depth", {}).text("lock", ""),
    )  # fmt: skip


def _depth(fields: Fields) -> tuple[float, float] | None:
    near, far = fields.number("near", 0.0), fields.number("far", 0.0)
    return (near, far) if near or far else None


def allow_host(project: Project, host: str) -> None:
    """Record that this project may send to ``host``. Comments and everything else in the file stay."""
    text = _read(project.config) if project.config.is_file() else f'schema = "{PROJECT_SCHEMA}"\n'
    try:
        document = tomlkit.parse(text)
    except (ParseError, RecursionError) as error:
        raise _not_toml(project.config, error) from error
    service = cast("dict[str, Any]", document.setdefault("service", tomlkit.table()))
    hosts = cast("list[str]", service.setdefault("allowed_hosts", tomlkit.array()))
    if host not in hosts:
        hosts.append(host)
        write_atomic(project.config, tomlkit.dumps(document).encode())


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise _not_toml(path, error) from error


def _not_toml(path: Path, error: Exception) -> DocumentError:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).rstrip(".")
    return DocumentError(f"'{path}' is not valid TOML ({why}).", "Correct that line and run again.")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise storage_error(error, path) from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"'{path}' is not UTF-8 text.", "Save it as UTF-8 and run again.") from error
