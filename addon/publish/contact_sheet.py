# SPDX-License-Identifier: GPL-3.0-or-later
"""A sheet of pictures for people who decide: rows are moments, columns are passes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from ..errors import DocumentError, storage_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..shot.camera import Crop

_CELL = 320
_LABEL = 96
_HEAD = 56
_GAP = 6
_PAPER, _INK, _FAINT = (24, 24, 26), (232, 232, 228), (150, 150, 146)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One moment of one shot. Pictures larger than the crop are shown without their overscan."""

    title: str
    note: str
    pictures: tuple[Path, ...]
    crop: Crop


def contact_sheet(rows: Sequence[SheetRow], columns: Sequence[str], title: str) -> bytes:
    """The sheet as PNG bytes; the same pictures give the same bytes."""
    heights = [round(_CELL * row.crop.height / row.crop.width) for row in rows]
    size = (_LABEL + len(columns) * (_CELL + _GAP), _HEAD + sum(h + _GAP for h in heights))
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, 8), title, fill=_INK, font=ImageFont.load_default(20))
    for column, name in enumerate(columns):
        pen.text((_LABEL + column * (_CELL + _GAP), 34), name, fill=_FAINT, font=ImageFont.load_default(14))
    top = _HEAD
    for row, height in zip(rows, heights, strict=True):
        _paste_row(sheet, pen, row, top, height)
        top += height + _GAP
    data = io.BytesIO()
    sheet.save(data, "PNG", compress_level=6)
    return data.getvalue()


def _paste_row(sheet: Image.Image, pen: ImageDraw.ImageDraw, row: SheetRow, top: int, height: int) -> None:
    pen.text((_GAP, top + 4), row.title, fill=_INK, font=ImageFont.load_default(16))
    pen.text((_GAP, top + 28), row.note, fill=_FAINT, font=ImageFont.load_default(11))
    for column, path in enumerate(row.pictures):
        picture = _open(path)
        crop = row.crop
        if picture.size != (crop.width, crop.height):
            picture = picture.crop((crop.x, crop.y, crop.x + crop.width, crop.y + crop.height))
        small = picture.resize((_CELL, height), Image.Resampling.LANCZOS)
        sheet.paste(small, (_LABEL + column * (_CELL + _GAP), top))


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except FileNotFoundError as error:
        raise DocumentError(f"The picture '{path}' is missing.", "Make the shot again.") from error
    except UnidentifiedImageError as error:
        raise DocumentError(f"'{path}' is not a picture.", "Make the shot again.") from error
    except OSError as error:
        raise storage_error(error, path) from error
