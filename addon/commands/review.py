# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet: each shot as playblast, depth, pose, take and comp at its first, middle and last frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..publish.contact_sheet import SheetRow, contact_sheet
from ..shot.documents import write_atomic
from ..timeline.comp_recipe import sample_positions, thumbnail_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .comp import CompWork
    from .context import Context

COLUMNS = ("playblast", "depth", "pose", "take", "comp")


def review_sheet(context: Context, works: Sequence[CompWork]) -> Path:
    """Write ``contact_sheet.png`` into the project; an equal sheet is left alone."""
    rows = [row for work in works for row in _rows(context, work)]
    sheet = context.project.root / "contact_sheet.png"
    data = contact_sheet(rows, COLUMNS, context.blend.stem)
    if not sheet.is_file() or sheet.read_bytes() != data:
        write_atomic(sheet, data)
    context.console.record("sheet", {"file": str(sheet)})
    return sheet


def _rows(context: Context, work: CompWork) -> list[SheetRow]:
    takes = context.project.shot(work.shot.folder).takes / work.take.name
    scene = {f.plate: f.scene for f in work.manifest.frame_map.plates}
    rows: list[SheetRow] = []
    for index in sample_positions(len(work.take.plates)):
        plate = work.take.plates[index]
        passes = [work.package / work.manifest.passes[name].file(plate) for name in ("playblast", "depth", "pose")]
        pictures = [*passes, work.take.frame_file(takes, plate), work.folder / thumbnail_name(index)]
        crop = work.manifest.crop
        rows.append(SheetRow(work.shot.name, f"frame {scene[plate]}\nplate {plate}", tuple(pictures), crop))
    return rows
