# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes of what was built are derived: whatever is wrong with them, the result is built again."""

from __future__ import annotations

from pathlib import Path

import pytest

from second_unit.addon.commands.editing import is_built, mark_built


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Path]:
    """A note and the result it is about, with a sound it needs."""
    note, result = tmp_path / "edit.json", tmp_path / "edit.blend"
    result.write_bytes(b"BLENDER")
    (tmp_path / "sound").mkdir()
    (tmp_path / "sound" / "steps.wav").write_bytes(b"RIFF")
    mark_built(note, "key", ["sound/steps.wav"])
    return note, result


def test_what_was_built_is_known(built: tuple[Path, Path]) -> None:
    note, result = built
    assert is_built(note, "key", result)
    assert not is_built(note, "another key", result)


@pytest.mark.parametrize("lost", ["edit.json", "edit.blend", "sound/steps.wav"])
@pytest.mark.parametrize("how", ["gone", "empty"])
def test_what_is_lost_is_built_again(built: tuple[Path, Path], lost: str, how: str) -> None:
    note, result = built
    file = note.parent / lost
    file.unlink() if how == "gone" else file.write_bytes(b"")
    assert not is_built(note, "key", result)


def test_a_damaged_note_is_no_note(built: tuple[Path, Path]) -> None:
    note, result = built
    note.write_text("x")
    assert not is_built(note, "key", result)
