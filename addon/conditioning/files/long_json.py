# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON whose one long list is written item by item: as Python objects the joints of a long shot take much memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...shot.documents import stable_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def write_long_json(
    path: Path, items: Iterable[object], head: Mapping[str, object] | None = None, name: str = ""
) -> None:
    """Write the list ``items``, or ``head`` with that list at its end as ``name``, as `stable_json` would.

    Raises `OSError`.
    """
    if head is None:
        start, indent, end = "[", "\n ", "\n]\n"
    else:
        start, indent, end = stable_json({**head, name: []})[: -len("]\n}\n")], "\n  ", "\n ]\n}\n"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        between = start
        for item in items:
            # JSON escapes the line breaks of texts, so all there are are its own
            file.write(between + indent + stable_json(item)[:-1].replace("\n", indent))
            between = ","
        file.write(end if between == "," else start + end.lstrip())
