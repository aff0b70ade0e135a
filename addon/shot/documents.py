# SPDX-License-Identifier: GPL-3.0-or-later
"""Versioned JSON documents: read with checks, written aside and renamed.

Every document starts with ``"schema": "second_unit.<kind>/<version>"``. A newer version is refused with a sentence,
unknown keys survive a round trip (each noun keeps them in ``extra``), nothing is ever evaluated.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import uuid4

from ..errors import DocumentError, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]
E = TypeVar("E", bound=Enum)
# never empty, a dot first, or a name with a drive, a separator or a pattern in it
_PLAIN_NAME = re.compile(r"(?!\.)[^/\\:{}\0]+")
# not longer than any real one: Python refuses to read thousands of digits
_RATIONAL = re.compile(r"-?\d{1,99}(/[1-9]\d{0,98})?")
_WAITS_S = (0.01, 0.02, 0.04, 0.08, 0.15, 0.2, 0.25, 0.25)
"""Seconds between tries to put a file in place, one second together."""
_SCHEMA = re.compile(r"(second_unit\.[a-z_]+)/(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Schema:
    """Kind and version of a document, written as ``kind/version``."""

    kind: str
    version: int

    def __str__(self) -> str:
        return f"{self.kind}/{self.version}"


class Fields:
    """Reads one JSON object field by field, naming the file and the key when something is off."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, dict):
            raise _damaged(where, "an object was expected")
        self._data = cast("Json", data)
        self._where = where
        self._seen: set[str] = {"schema"}

    def _get(self, key: str, default: object) -> object:
        self._seen.add(key)
        value: object = self._data.get(key, default)
        if value is ...:
            raise _damaged(self._where, f"'{key}' is missing")
        return value

    def _typed(self, key: str, value: object, kind: type | tuple[type, ...], word: str) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _damaged(self._where, f"'{key}' should be {word}")
        return value

    def text(self, key: str, default: object = ...) -> str:
        """A string."""
        return self._typed(key, self._get(key, default), str, "text")

    def maybe_text(self, key: str) -> str | None:
        """A string or nothing."""
        return None if self._get(key, None) is None else self.text(key)

    def integer(self, key: str, default: object = ...) -> int:
        """A whole number."""
        return self._typed(key, self._get(key, default), int, "a whole number")

    def number(self, key: str, default: object = ...) -> float:
        """Any number."""
        return self._float(key, self._typed(key, self._get(key, default), (int, float), "a number"))

    def _float(self, key: str, value: float) -> float:
        try:
            return float(value)
        except OverflowError as error:
            raise _damaged(self._where, f"'{key}' is too large") from error

    def flag(self, key: str, default: object = ...) -> bool:
        """True or false."""
        return self._typed(key, self._get(key, default), bool, "true or false")

    def items(self, key: str, default: object = ...) -> list[Any]:
        """A list."""
        return self._typed(key, self._get(key, default), list, "a list")

    def choice(self, key: str, kind: type[E]) -> E:
        """One of an enum's values."""
        word = self.text(key)
        try:
            return kind(word)
        except ValueError as error:
            raise _damaged(self._where, f"'{key}' is '{word}', which is not known") from error

    def rational(self, key: str) -> Fraction:
        """A rational as text: ``1001`` or ``2003/2``."""
        word = self.text(key)
        if not _RATIONAL.fullmatch(word):
            raise _damaged(self._where, f"'{key}' should be a rational such as 2003/2")
        return Fraction(word)

    def maybe_integer(self, key: str) -> int | None:
        """A whole number or nothing."""
        return None if self._get(key, None) is None else self.integer(key)

    def integers(self, key: str, count: int | None = None) -> tuple[int, ...]:
        """A list of whole numbers, exactly ``count`` when it is given."""
        return tuple(self._list_of(key, int, "whole numbers", count))

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        """A list of exactly ``count`` numbers."""
        return tuple(self._float(key, value) for value in self._list_of(key, (int, float), "numbers", count))

    def texts(self, key: str, default: object = ...) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(self._list_of(key, str, "texts", None, default))

    def mappings(self, key: str, default: object = ...) -> tuple[Json, ...]:
        """A list of objects, taken as they are."""
        return tuple(self._list_of(key, dict, "objects", None, default))

    def _list_of(
        self, key: str, kind: type | tuple[type, ...], words: str, count: int | None, default: object = ...
    ) -> list[Any]:
        values = self.items(key, default)
        if any(not isinstance(value, kind) or isinstance(value, bool) for value in values):
            raise _damaged(self._where, f"'{key}' should be a list of {words}")
        if count is not None and len(values) != count:
            raise _damaged(self._where, f"'{key}' should be {count} {words}")
        return values

    def file_name(self, key: str) -> str:
        """A plain name that stays in its folder on every system."""
        name = self.text(key)
        if not _PLAIN_NAME.fullmatch(name):
            raise _damaged(self._where, f"'{key}' is '{name}', which is no plain file name")
        return name

    def relative_path(self, key: str) -> str:
        """A path of plain names with slashes between: it stays in its folder."""
        path = self.text(key)
        if not all(_PLAIN_NAME.fullmatch(part) for part in path.split("/")):
            raise _damaged(self._where, f"'{key}' is '{path}', which is no safe path")
        return path

    def fraction(self, key: str) -> Fraction:
        """``[numerator, denominator]``."""
        numerator, denominator = self.integers(key, 2)
        if denominator < 1:
            raise _damaged(self._where, f"'{key}' should have a denominator of at least 1")
        return Fraction(numerator, denominator)

    def mapping(self, key: str, default: object = ...) -> Json:
        """An object, taken as it is."""
        return self._typed(key, self._get(key, default), dict, "an object")

    def maybe_mapping(self, key: str) -> Json | None:
        """An object, or nothing."""
        return None if self._get(key, None) is None else self.mapping(key)

    def section(self, key: str, default: object = ...) -> Fields:
        """An object, to be read field by field."""
        return Fields(self._get(key, default), f"{self._where}: {key}")

    def sections(self, key: str, default: object = ...) -> list[Fields]:
        """A list of objects."""
        return [Fields(item, f"{self._where}: {key}[{i}]") for i, item in enumerate(self.items(key, default))]

    def skip(self, *keys: str) -> None:
        """Known keys that are written for other readers and follow from the rest."""
        self._seen.update(keys)

    def rest(self) -> Json:
        """The keys nobody asked for: kept, so that a file of a friendlier future loses nothing."""
        return {key: value for key, value in self._data.items() if key not in self._seen}


def _damaged(where: str, why: str) -> DocumentError:
    return DocumentError(f"'{where}' is damaged: {why}.", "Restore it from a backup, or move it away and run again.")


def check_schema(data: object, schema: Schema, where: str) -> Fields:
    """Fields of ``data`` once its schema is known to be ours and not newer."""
    fields = Fields(data, where)
    found = _SCHEMA.fullmatch(fields.text("schema"))
    if found is None or found[1] != schema.kind:
        raise _damaged(where, f"it is not a {schema.kind} document")
    if int(found[2]) > schema.version:
        raise DocumentError(
            f"'{where}' was written by a newer Second Unit ({found[0]}, this one knows {schema}).",
            "Update Second Unit to open this project.",
        )
    return fields


def read_document(path: Path, schema: Schema) -> Fields:
    """The checked fields of the JSON document at ``path``."""
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise storage_error(error, path) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(str(path), "it is not valid JSON") from error
    return check_schema(data, schema, str(path))


def write_document(path: Path, schema: Schema, body: Mapping[str, object]) -> None:
    """Write ``body`` with its schema, atomically and with stable bytes."""
    write_atomic(path, stable_json({"schema": str(schema), **body}).encode())


def stable_json(value: object) -> str:
    """JSON whose bytes depend on the value only: insertion order is kept, floats as Python writes them."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_atomic(path: Path, data: bytes, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Write aside, flush to disk, rename: a reader sees the old file or the new one, never half."""
    aside = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _replace(aside, path, sleep)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        # also when interrupted; where the folder itself is missing there is nothing to tidy
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _replace(aside: Path, path: Path, sleep: Callable[[float], None]) -> None:
    """Rename over ``path``. Windows refuses while somebody reads the old file, which takes a moment only."""
    for wait in _WAITS_S:
        try:
            aside.replace(path)
        except PermissionError:
            sleep(wait)
        else:
            return
    aside.replace(path)


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise storage_error(error, path) from error


def pair(value: Fraction) -> list[int]:
    """A rational as JSON: ``[numerator, denominator]``."""
    return [value.numerator, value.denominator]
