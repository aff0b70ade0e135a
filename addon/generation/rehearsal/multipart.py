# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads ``multipart/form-data`` (RFC 7578) from bytes, as much of it as HTTP clients send."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*\bboundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([a-z*]+)=(?:"((?:\\.|[^"\\])*)"|([^;\s]*))', re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form. ``filename`` is None if the part is no file."""

    name: str
    filename: str | None
    data: bytes

    @property
    def text(self) -> str:
        """The value of a field that is no file."""
        return self.data.decode("utf-8", "replace")


def read_parts(content_type: str, body: bytes) -> list[Part] | None:
    """The parts of a form in their order, None if the body is no form."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        return None
    fence = b"\r\n--" + (found[1] or found[2]).encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(fence)[1:]
    parts = (_read_part(piece) for piece in pieces if not piece.startswith(b"--"))
    return [part for part in parts if part is not None]


def _read_part(piece: bytes) -> Part | None:
    head, blank, data = piece.partition(b"\r\n\r\n")
    disposition = next(
        (
            line
            for line in head.decode("utf-8", "replace").splitlines()
            if line.lower().startswith("content-disposition:")
        ),
        None,
    )
    if not blank or disposition is None:
        return None
    values = {
        key.lower(): _ESCAPE.sub(r"\1", quoted) or plain for key, quoted, plain in _PARAMETER.findall(disposition)
    }
    return Part(values.get("name", ""), values.get("filename"), data)
