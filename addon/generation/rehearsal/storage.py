# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal service's folders.

Names come from requests: each is resolved and must stay inside its folder.
"""

from __future__ import annotations

import os
import posixpath
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("input", "output", "temp")
LONGEST_NAME = 255
_ANNOTATED = re.compile(r"(.*) \[(input|output|temp)\]", re.DOTALL)


class OutsideError(Exception):
    """A name points out of its folder."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stored file as the protocol names it."""

    name: str
    subfolder: str
    kind: str

    def as_json(self) -> dict[str, object]:
        """``{"name", "subfolder", "type"}``: the answer to an upload."""
        return {"name": self.name, "subfolder": self.subfolder, "type": self.kind}

    def as_image(self) -> dict[str, object]:
        """``{"filename", "subfolder", "type"}``: an entry in ``outputs``."""
        return {"filename": self.name, "subfolder": self.subfolder, "type": self.kind}


class Storage:
    """``input``, ``output`` and ``temp`` below one folder of the caller, plus ``scratch`` for decoded movies."""

    def __init__(self, folder: Path) -> None:
        self.root = folder.resolve()
        self._uploading = threading.Lock()
        for kind in (*KINDS, "scratch"):
            (self.root / kind).mkdir(parents=True, exist_ok=True)

    def folder(self, kind: str, subfolder: str = "") -> Path:
        """The folder of ``kind``, or one below it. Raises `OutsideError`."""
        return self._inside(self.root / kind, subfolder)

    def _inside(self, base: Path, name: str) -> Path:
        is_odd = any(ord(letter) < ord(" ") for letter in name)
        if is_odd or any(len(os.fsencode(part)) > LONGEST_NAME for part in re.split(r"[/\\]", name)):
            raise OutsideError(name)
        path = (base / name).resolve()
        if not path.is_relative_to(base):
            raise OutsideError(name)
        return path

    def file(self, place: Place) -> Path:
        """Path of a file, there or not. Raises `OutsideError`."""
        return self._inside(self.folder(place.kind, place.subfolder), place.name)

    def named(self, text: str) -> Path | None:
        """The input file a graph names (``a/b.png``, ``b.png [temp]``), None if there is none."""
        found = _ANNOTATED.fullmatch(text)
        name, kind = (found[1], found[2]) if found else (text, "input")
        try:
            path = self._inside(self.folder(kind), name)
        except OutsideError:
            return None
        return path if path.is_file() else None

    def listing(self) -> list[str]:
        """Names of the files at the top of ``input``, sorted."""
        return sorted(path.name for path in (self.root / "input").iterdir() if path.is_file())

    def upload(self, data: bytes, place: Place, *, overwrite: bool) -> Place:
        """Keep an uploaded file and say where.

        Without ``overwrite`` other bytes under the same name become ``name (1).png``. Raises `OutsideError` for a name
        that leaves its folder, `FileNotFoundError` if the name holds a folder that is not there.
        """
        folder = self.folder(place.kind, place.subfolder)
        wanted = self._inside(folder, place.name)
        folder.mkdir(parents=True, exist_ok=True)
        with self._uploading:
            path = wanted if overwrite else _free(wanted, data)
            aside = self.root / "scratch" / "upload.part"
            aside.write_bytes(data)
            aside.replace(path)
        return Place(path.relative_to(folder).as_posix(), place.subfolder, place.kind)


def _free(wanted: Path, data: bytes) -> Path:
    """``wanted``, or the first ``wanted (n)`` that is free or holds the same bytes."""
    path, count = wanted, 0
    while path.exists() and path.read_bytes() != data:
        count += 1
        path = wanted.with_name(f"{wanted.stem} ({count}){wanted.suffix}")
    return path


@dataclass(slots=True)
class Series:
    """Files of one output node: ``PREFIX_00001_.png`` and on, after what is there."""

    folder: Path
    kind: str
    subfolder: str
    stem: str
    counter: int

    def take(self, suffix: str) -> tuple[Path, Place]:
        """Path and place of the next file."""
        name = f"{self.stem}_{self.counter:05}_{suffix}"
        self.counter += 1
        return self.folder / name, Place(name, self.subfolder, self.kind)


def open_series(storage: Storage, kind: str, prefix: str) -> Series:
    """Begin a series.

    Raises `OutsideError` if the prefix leaves the folder, `OSError` for a name the disk refuses.
    """
    clean = posixpath.normpath(prefix)
    if posixpath.isabs(clean) or clean.split("/")[0] == "..":
        raise OutsideError(prefix)
    subfolder, stem = posixpath.split(clean)
    folder = storage.folder(kind, subfolder)
    folder.mkdir(parents=True, exist_ok=True)
    used = re.compile(re.escape(stem) + r"_(\d+)_?\..*")
    counters = [int(found[1]) for path in folder.iterdir() if (found := used.fullmatch(path.name))]
    return Series(folder, kind, subfolder, stem, max(counters, default=0) + 1)
