# SPDX-License-Identifier: GPL-3.0-or-later
"""A request and a reply, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
BINARY_TYPE = "application/octet-stream"


def as_object(value: object) -> dict[str, Any] | None:
    """``value`` if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` without query and without ``/api``; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    is_api: bool

    def json(self) -> Any:
        """The body as JSON. Raises `TroubleError` if it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise TroubleError from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `TroubleError` if it is none."""
        data = as_object(self.json())
        if data is None:
            raise TroubleError
        return data


@dataclass(frozen=True, slots=True)
class FileSlice:
    """``length`` bytes of a file from ``start``."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``content_type`` None leaves the header out, as the server does for empty answers."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    file: FileSlice | None = None

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.file.length if self.file else len(self.body)


class TroubleError(Exception):
    """The server would stumble over its own feet here: 500 with a text, as recorded."""


def json_reply(data: object, status: int = 200) -> Reply:
    """JSON."""
    return Reply(status, json.dumps(data).encode(), JSON_TYPE)


def text_reply(text: str, status: int, **headers: str) -> Reply:
    """A sentence."""
    return Reply(status, text.encode(), TEXT_TYPE, headers)


TROUBLE = text_reply("500 Internal Server Error\n\nServer got itself in trouble", 500)
NOT_FOUND = Reply(404, content_type=BINARY_TYPE)
