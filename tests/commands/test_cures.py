# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels tell an artist to do can be done there: every sentence in the code that names a command is tried."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from second_unit.addon.commands.cures import for_panels

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"second-unit |(?<!\w)--[a-z]")
# what panels never run: the command line itself and the commands without a button
APART = {
    f"addon/commands/{name}.py"
    for name in ("arguments", "cures", "demo", "doctor", "jobs", "rehearse", "takes", "actions")
} | {"addon/conditioning/cameras/camera_files.py"}  # options of the programs that read the files


def sentences() -> list[str]:
    """Every text in the package that names a command or option and ends like a sentence; docstrings apart."""
    found: set[str] = set()
    for path in sorted(p for room in ("addon", "operators", "ui") for p in (ROOT / room).rglob("*.py")):
        if path.relative_to(ROOT).as_posix() in APART:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        apart |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        apart |= {id(arg) for node in ast.walk(tree) if is_printed(node) for arg in node.args}
        texts = [text(node) for node in ast.walk(tree) if id(node) not in apart]
        found |= {t for t in texts if COMMAND.search(t) and t.endswith(".")}
    return sorted(found)


def is_printed(node: ast.AST) -> bool:
    """Whether this prints to a terminal."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say"


def text(node: ast.AST) -> str:
    """A literal, with a name where something is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) or "NAME" for part in node.values)
    return ""


def test_the_search_finds_what_artists_were_told() -> None:
    assert len(sentences()) > 20
    assert "Run 'second-unit timeline' first." in sentences()


@pytest.mark.parametrize("sentence", sentences())
def test_no_cure_in_a_panel_names_the_command_line(sentence: str) -> None:
    cure = for_panels(sentence)
    assert not re.search(r"second-unit |--", cure)
    assert cure.endswith(".")


def test_what_names_no_command_stays() -> None:
    assert for_panels("Check '/a--b/second-unit/x'.") == "Check '/a--b/second-unit/x'."
