# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout's sound in the edit: it follows the layout, and what the editor did to it stays until then."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.host.blender import Blender
from second_unit.addon.timeline.edit_plan import EDIT_SCENE, EditPlan

from .conftest import Script
from .test_return import build, plan_of

pytestmark = pytest.mark.host
TEMP = "Temp track"


class Cut:
    """A layout with sound and its edit."""

    def __init__(self, blender: Blender, script: Script, layout: Path, project: Path) -> None:
        self._blender, self._script, self._layout, self._project = blender, script, layout, project
        self._plan: EditPlan = plan_of(project)
        self._turn = 0

    def build(self) -> dict[str, Any]:
        return build(self._blender, self._layout, self._project, self._plan)

    def layout(self, *steps: dict[str, Any]) -> None:
        """The artist changes the layout and saves it under its next name."""
        self._turn += 1
        to = self._project / f"layout.{self._turn}.blend"
        self._script("edit_by_hand", blend=str(self._layout), scene="Layout", steps=list(steps), to=str(to))
        self._layout = to

    def editor(self, *steps: dict[str, Any]) -> None:
        self._script("edit_by_hand", blend=str(self._project / "edit.blend"), scene=EDIT_SCENE, steps=list(steps))

    def sounds(self) -> dict[str, dict[str, Any]]:
        found = self._script("edit", blend=str(self._project / "edit.blend"))
        return {s["name"]: s for s in found["strips"] if s["type"] == "SOUND"}

    def range(self, name: str = TEMP) -> tuple[int, int]:
        strip = self.sounds()[name]
        return strip["left"], strip["right"]


@pytest.fixture
def cut(blender: Blender, script: Script, example: Path, tmp_path: Path) -> Cut:
    made = Cut(blender, script, example, tmp_path)
    if "without sound" in made.build()["sound"]:
        pytest.skip("this Blender was built without sound")
    return made


def wav(path: Path, seconds: int, level: int = 1) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(level.to_bytes(2, "little") * 8000 * seconds)
    return str(path)


def change(**values: object) -> dict[str, Any]:
    return {"do": "set", "strip": TEMP, "values": values}


def test_sound_that_was_moved_trimmed_and_turned_down_in_the_layout_follows(cut: Cut) -> None:
    assert cut.range() == (1001, 1241)
    cut.layout(change(content_start=1300), change(right_handle=1400, volume=0.25, mute=True))
    cut.build()
    strip = cut.sounds()[TEMP]
    assert (strip["start"], strip["left"], strip["right"]) == (1300, 1300, 1400)
    assert (strip["volume"], strip["muted"], strip["channel"]) == (0.25, True, 1)
    cut.layout(change(content_start=900), change(left_handle=910, right_handle=920, mute=False))
    cut.build()
    assert cut.range() == (910, 920)
    assert cut.sounds()[TEMP]["muted"] is False


def test_sound_that_left_the_layout_leaves_the_edit_and_the_editors_stays(cut: Cut, tmp_path: Path) -> None:
    music = wav(tmp_path / "music.wav", 2)
    cut.editor({"do": "sound", "name": "Music", "file": music, "channel": 8, "start": 1001})
    cut.layout({"do": "remove", "strip": TEMP})
    cut.build()
    assert list(cut.sounds()) == ["Music"]


def test_what_the_editor_did_stays_until_the_layout_changes_the_same(cut: Cut) -> None:
    """A new volume in the layout is no reason to undo a trim; a new place is."""
    cut.editor(change(left_handle=1050, volume=0.5))
    cut.build()
    assert (cut.range(), cut.sounds()[TEMP]["volume"]) == ((1050, 1241), 0.5)
    cut.layout(change(volume=0.75))
    cut.build()
    assert (cut.range(), cut.sounds()[TEMP]["volume"]) == ((1050, 1241), 0.75)
    cut.layout(change(right_handle=1200))
    cut.build()
    assert cut.range() == (1001, 1200)


def test_halves_and_names_of_the_editor_stay(cut: Cut) -> None:
    cut.editor({"do": "split", "strip": TEMP, "frame": 1100}, change(name="Guide"))
    cut.layout(change(volume=0.75))
    cut.build()
    found = {name: (s["left"], s["right"], s["volume"]) for name, s in cut.sounds().items()}
    assert sorted(found.values()) == [(1001, 1100, 0.75), (1100, 1241, 0.75)]
    assert "Guide" in found


def test_more_sound_goes_where_no_picture_belongs(cut: Cut, tmp_path: Path) -> None:
    """Two sounds at the same time: the second one lies above our channels, where it pushes no take aside."""
    cut.layout({"do": "sound", "name": "Dialogue", "file": wav(tmp_path / "d.wav", 3), "channel": 4, "start": 1001})
    cut.build()
    assert {name: s["channel"] for name, s in cut.sounds().items()} == {TEMP: 1, "Dialogue": 6}


def test_another_packed_sound_of_the_same_name_is_another_file(cut: Cut, tmp_path: Path) -> None:
    """The file of the older edit is not overwritten; the editor's trim stays."""
    old = cut.sounds()[TEMP]["directory"]
    cut.editor(change(left_handle=1050))
    (tmp_path / "new").mkdir()
    source = Path(wav(tmp_path / "new" / "handover_temp.wav", 20))
    cut.layout({"do": "pack", "strip": TEMP, "file": str(source)})
    content = source.read_bytes()
    source.unlink()
    cut.build()
    new = cut.sounds()[TEMP]["directory"]
    assert new != old
    files = {f"//sound/{p.name}": p.read_bytes() for p in (tmp_path / "sound").iterdir()}
    assert set(files) == {old, new}
    assert files[new] == content
    assert cut.range() == (1050, 1241)


def test_sound_that_did_not_change_is_left_alone(cut: Cut, tmp_path: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "sound").iterdir()}
    cut.layout()
    cut.build()
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "sound").iterdir()} == before
    assert list(cut.sounds()) == [TEMP]


def test_a_sound_file_that_is_gone_is_said(cut: Cut, tmp_path: Path) -> None:
    path = wav(tmp_path / "gone.wav", 1)
    cut.layout({"do": "sound", "name": "Steps", "file": path, "channel": 4, "start": 1001})
    Path(path).unlink()
    (note,) = cut.build()["notes"]
    assert path in note
    assert "Steps" in note


def test_the_sounds_we_wrote_are_named_and_written_again_when_lost(cut: Cut, tmp_path: Path) -> None:
    (named,) = cut.build()["sound_files"]
    assert (tmp_path / named).is_file()
    (tmp_path / named).unlink()
    cut.build()
    assert (tmp_path / named).is_file()
