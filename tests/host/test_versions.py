# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place for differences between Blenders says of every supported version what that version really is like."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .conftest import ROOT, Script

SUPPORTED = ("4.2", "4.5", "5.0", "5.2")


def table() -> dict[str, dict[str, str]]:
    """Cells by row and version; ``as 4.2`` is read as what stands there."""
    source = ast.parse((ROOT / "addon" / "host" / "versions.py").read_text(encoding="utf-8"))
    lines = (ast.get_docstring(source) or "").splitlines()
    rulers = [i for i, line in enumerate(lines) if line.startswith("===")]
    columns = [match.span() for match in re.finditer(r"=+", lines[rulers[0]])]
    rows = [[line[a : (b if i < 4 else None)].strip() for i, (a, b) in enumerate(columns)] for line in lines]
    names = rows[rulers[0] + 1][1:]
    found: dict[str, dict[str, str]] = {}
    for row in rows[rulers[1] + 1 : rulers[2]]:
        cells = dict(zip(names, row[1:], strict=True))
        found[row[0]] = {v: cells.get(c.removeprefix("as "), c) for v, c in cells.items()}
    return found


def test_the_table_has_a_cell_for_every_supported_version() -> None:
    rows = table()
    assert len(rows) > 8
    assert all(tuple(cells) == SUPPORTED and all(cells.values()) for cells in rows.values())
    manifest = Path(ROOT / "blender_manifest.toml").read_text(encoding="utf-8")
    assert f'blender_version_min = "{SUPPORTED[0]}.0"' in manifest


@pytest.mark.host
def test_the_table_is_true_of_this_blender(script: Script) -> None:
    told = script("differences")
    version = ".".join(told["version"].split(".")[:2])
    assert version in SUPPORTED, "a Blender that the table does not cover"
    rows = table()
    assert {name: rows[name][version] for name in told["rows"]} == told["rows"]
