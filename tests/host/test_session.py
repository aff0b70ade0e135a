# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child takes over from the artist's Blender, and what it never does: run scripts nobody trusts."""

from __future__ import annotations

from pathlib import Path

import pytest

from second_unit.addon.errors import DocumentError
from second_unit.addon.host import session
from second_unit.addon.host.blender import SESSION, Blender, run_task
from second_unit.addon.host.session import Session, load_session, save_session

from .conftest import EXAMPLE, Script

ADDON = """bl_info = {"name": "Marking", "blender": (4, 2, 0), "category": "Object"}
import bpy
def register():
    bpy.app.driver_namespace["mark"] = float
def unregister():
    bpy.app.driver_namespace.pop("mark", None)
"""
BROKEN = 'bl_info = {"name": "Broken", "blender": (4, 2, 0), "category": "Object"}\nimport no_such_module_here\n'


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    """The user's folder as `script` sets it, with two add-ons."""
    addons = tmp_path / "resources" / "scripts" / "addons"
    addons.mkdir(parents=True)
    (addons / "marking.py").write_text(ADDON, "utf-8")
    (addons / "broken.py").write_text(BROKEN, "utf-8")
    return tmp_path / "resources"


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the list of extensions that Blender keeps for itself."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.parent.name != ".cache"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.mark.host
def test_a_child_joins_the_session(
    script: Script, resources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "session.json"
    gathered = script("joining", what="gather", file=str(file), temp=str(tmp_path))
    before = contents(resources)
    assert "marking" in gathered["addons"]
    assert "io_anim_bvh" not in gathered["addons"]
    assert gathered["preferences"]["edit.keyframe_new_interpolation_type"] == "LINEAR"
    alone = script("joining", what="join")
    assert (alone["marked"], alone["bvh"], alone["online"], alone["notes"]) == (False, True, False, [])
    monkeypatch.setenv(SESSION, str(file))
    joined = script("joining", what="join")
    assert (joined["loaded"], joined["marked"], joined["bvh"], joined["online"]) == (True, True, False, True)
    assert (joined["interpolation"], joined["temp"].rstrip("/")) == ("LINEAR", str(tmp_path))
    assert (joined["channels"], joined["kept"]) == (["LOCATION", "SCALE"], False)
    assert "marking" not in joined["saved"]
    missing, broken = joined["notes"]
    assert "'no_such_add_on' could not be enabled" in missing
    assert "'broken' could not be enabled (No module named 'no_such_module_here')" in broken
    assert contents(resources) == before, "somebody wrote into the user's folder"


@pytest.mark.host
def test_a_child_says_what_it_could_not_take_over_once(
    blender: Blender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the answer of the task that every command begins with."""
    save_session(tmp_path / "s.json", Session(("no_such_add_on",)))
    monkeypatch.setenv(SESSION, str(tmp_path / "s.json"))
    (note,) = run_task(blender, "read", {"blend": str(EXAMPLE), "scene": None})["notes"]
    assert "'no_such_add_on' could not be enabled" in note
    (tmp_path / "s.json").write_text("{", "utf-8")
    with pytest.raises(DocumentError, match=r"s\.json' is damaged"):
        run_task(blender, "read", {"blend": str(EXAMPLE), "scene": None})


@pytest.mark.host
def test_trust_is_what_ran_else_what_is_allowed(script: Script, tmp_path: Path) -> None:
    """Nothing that was blocked, and nothing that only might have been allowed, becomes trusted by the way."""
    (tmp_path / "shoot").mkdir()
    found = script("trusting", folder=str(tmp_path / "shoot"))
    assert {name for name, is_trusted in found.items() if is_trusted} == {
        "text/True", "driver/True", "hidden/preference", "hidden/allowed on the command line",
        "text/excluded",  # but trusted by hand all the same, and run
    }  # fmt: skip
    assert len(found) == 17


def test_a_session_comes_back_as_it_was_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    now = Session(("cycles", "marking"), trusted=True, online=False, preferences={"edit.undo_steps": 32})
    save_session(tmp_path / "s.json", now)
    assert load_session(tmp_path / "s.json") == now
    assert (tmp_path / "s.json").stat().st_mode & 0o777 == 0o600


class _Prop:
    def __init__(self, name: str, kind: str = "STRING", subtype: str = "NONE", *, readonly: bool = False) -> None:
        self.identifier, self.type, self.subtype, self.is_readonly = name, kind, subtype, readonly
        self.is_enum_flag = False


class _Group:
    """A group of preferences as RNA shows it."""

    def __init__(self, *props: _Prop) -> None:
        self.bl_rna = self
        self.properties = props
        for prop in props:
            setattr(self, prop.identifier, f"the {prop.identifier}")


class _Preferences:
    system = _Group(
        _Prop("access_token"), _Prop("account_path"), _Prop("anything", subtype="PASSWORD"), _Prop("password"),
        _Prop("api_secret"), _Prop("use_online_access"), _Prop("audio_device"), _Prop("solid_lights", "COLLECTION"),
        _Prop("dpi", readonly=True), _Prop("memory_cache_limit"),
    )  # fmt: skip
    edit = _Group(_Prop("keyframe_new_handle_type"), _Prop("use_insertkey_xyz_to_rgb"))
    addons = _Group(_Prop("theirs"))


def test_no_secret_and_no_settings_of_add_ons_are_handed_over() -> None:
    kept = {"system.memory_cache_limit", "edit.keyframe_new_handle_type", "edit.use_insertkey_xyz_to_rgb"}
    assert dict(session._values(_Preferences())).keys() == kept
