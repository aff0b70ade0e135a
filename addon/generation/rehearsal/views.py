# SPDX-License-Identifier: GPL-3.0-or-later
"""``GET /view``: files back to the client, whole, in ranges, or re-encoded."""

from __future__ import annotations

import io
import mimetypes
import re
from email.utils import formatdate
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from .messages import BINARY_TYPE, FileSlice, Reply, Request, TroubleError
from .storage import KINDS, OutsideError, Place

if TYPE_CHECKING:
    from pathlib import Path

    from .storage import Storage

_ANNOTATED = re.compile(r"(.*) \[(input|output|temp)\]", re.DOTALL)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# A browser would run these on our origin.
_ACTIVE = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml", "text/xml"})
_DEFAULT_QUALITY = 90


def view(request: Request, storage: Storage) -> Reply:
    """Answer ``/view``: 404 missing, 400 for a bad name or type, 403 for a folder outside."""
    if "filename" not in request.query:
        return Reply(404)
    found = _ANNOTATED.fullmatch(request.query["filename"])
    name = found[1] if found else request.query["filename"]
    kind = found[2] if found else request.query.get("type", "output")
    if not name or name.startswith("/") or ".." in name or kind not in KINDS:
        return Reply(400)
    try:
        # A folder inside the name is dropped, so that such a file is not found: it belongs into "subfolder".
        path = storage.file(Place(re.split(r"[/\\]", name)[-1], request.query.get("subfolder", ""), kind))
    except OutsideError:
        return Reply(403)
    return _found(path, request) if path.is_file() else Reply(404)


def _found(path: Path, request: Request) -> Reply:
    if "preview" in request.query:
        return _preview(path, request.query["preview"])
    if request.query.get("channel") in {"rgb", "a"}:
        return _channel(path, request.query["channel"])
    return _whole_or_part(path, request)


def _disposition(path: Path) -> str:
    return f'filename="{path.name}"'


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        raise TroubleError from error


def _preview(path: Path, wish: str) -> Reply:
    """``webp;50`` or ``jpeg``: the picture in that format and quality."""
    name, _, quality = wish.partition(";")
    kind = name if name in {"webp", "jpeg"} else "webp"
    with _opened(path) as image:
        data = io.BytesIO()
        is_alpha = kind == "webp" and image.mode == "RGBA"
        number = int(quality) if quality.isdigit() else _DEFAULT_QUALITY
        (image if is_alpha else image.convert("RGB")).save(data, kind.upper(), quality=min(number, 100))
    return Reply(200, data.getvalue(), f"image/{kind}", {"Content-Disposition": _disposition(path)})


def _channel(path: Path, channel: str) -> Reply:
    with _opened(path) as image:
        data = io.BytesIO()
        if channel == "rgb":
            image.convert("RGB").save(data, "PNG")
        else:
            alpha = Image.new("RGBA", image.size)
            alpha.putalpha(image.convert("RGBA").getchannel("A"))
            alpha.save(data, "PNG")
    return Reply(200, data.getvalue(), "image/png", {"Content-Disposition": _disposition(path)})


def _whole_or_part(path: Path, request: Request) -> Reply:
    stat = path.stat()
    kind = mimetypes.guess_type(path.name)[0] or BINARY_TYPE
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": _disposition(path), "Etag": etag}
    headers["Last-Modified"] = formatdate(stat.st_mtime, usegmt=True)
    if kind in _ACTIVE:
        kind = BINARY_TYPE
        headers |= {"Content-Disposition": f"attachment; {_disposition(path)}", "Cache-Control": "no-store"}
    if request.headers.get("if-none-match") == etag:
        return Reply(304, b"", kind, headers)
    headers["Accept-Ranges"] = "bytes"
    wish = request.headers.get("range", "")
    # If-Range with another ETag: the part the client has is of an older file, it gets all of the new one.
    part = _RANGE.fullmatch(wish) if request.headers.get("if-range", etag) == etag else None
    if part is None or (not part[1] and not part[2]):
        return Reply(200, b"", kind, headers, FileSlice(path, 0, stat.st_size))
    start, end = _span(part[1], part[2], stat.st_size)
    if start >= stat.st_size or end < start:
        return Reply(416, b"", kind, {**headers, "Content-Range": f"bytes */{stat.st_size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{stat.st_size}"
    return Reply(206, b"", kind, headers, FileSlice(path, start, end - start + 1))


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte; ``-5`` means the last five."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
