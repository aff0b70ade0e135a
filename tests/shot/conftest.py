# SPDX-License-Identifier: GPL-3.0-or-later
"""One example of every document on disk, and how to write and read it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.job import (
    Chunk,
    JobState,
    Parcel,
    Request,
    SentFile,
    SentText,
    State,
    Submission,
    SubmissionState,
    load_request,
    load_state,
    load_submission,
    save_request,
    save_state,
    save_submission,
)
from second_unit.addon.shot.package import (
    DepthInfo,
    Manifest,
    Pass,
    Video,
    load_current,
    load_manifest,
    save_current,
    save_manifest,
)
from second_unit.addon.shot.shot import Brief, Marker, Shot, load_shot, save_shot
from second_unit.addon.shot.take import Take, load_take, save_take
from second_unit.addon.shot.timing import FrameRange, FrameRule, as_is
from second_unit.addon.timeline.cdl import Cdl
from second_unit.addon.timeline.comp_recipe import Atmosphere, Comp, CompRecipe, load_comp, save_comp

SHA = "ab" * 32
BRIEF = Brief("a red fox", "blurry", 7, (("style", "refs/fox.png"),))
SHOT = Shot(
    "9f1c", "SH015", "SH010", Marker("SH015", 1001, "Camera.A"), BRIEF, ({"person": 0, "name": "Ada"},), "t002",
    {"t001": 2}, "slower",
)  # fmt: skip
MAP = as_is(FrameRange(1001, 1007), (1, 1), FrameRule(4, 1, 5, 1))
MANIFEST = Manifest(
    shot_uuid="9f1c", shot_name="SH015", source={"blend": "film.blend"}, fps=Fraction(24000, 1001), frame_map=MAP,
    size=(832, 480), crop=Crop(0, 6, 832, 468), profile="wan-vace-14b", quality="draft",
    renderer={"name": "zbuffer", "reason": "surfaces only"}, depth=DepthInfo(1.25, 40.0, 0.004),
    passes={"depth": Pass("depth/{frame:04d}.png", 8, 3, "disparity", (SHA,) * 9)},
    videos={"guide.0": Video("video/guide.0.mp4", "guide", 0, Fraction(16), 5, "h264", SHA)},
    people=({"id": 0, "rig": "Ada"},), camera="camera/camera.json", input_hash=SHA, volatile={"seconds": 1.5},
)  # fmt: skip
REQUEST = Request(
    "3f0e", "9f1c", "SH015", "SH010", "SH010/packages/wan-vace-14b-abababab", SHA, "comfyui", "http://127.0.0.1:8188",
    "wan-vace-14b", "draft", "wan_vace_guide", BRIEF, (Chunk(0, 81), Chunk(1, 45)), {"created": "today"},
)  # fmt: skip
SUBMISSION = Submission(
    "gpu.example.org",
    (Parcel(0, (SentFile("control.guide", "a/b.mp4", "su_1/c0.mp4", SHA, 9),), (SentText("prompt", "fox"),),
    {"seed": 7}),),
)  # fmt: skip
STATE = State(
    JobState.RUNNING, (SubmissionState(0, JobState.RUNNING, {"id": "77"}, 2), SubmissionState(1)), "t001", 0.5,
    "It runs.",
    "Wait.", "2026-11-21T10:00:00Z",
)  # fmt: skip
TAKE = Take(
    "77aa", "t001", "9f1c", "SH015", "wan-vace-14b-abababab", SHA, "3f0e", "comfyui", "wan-vace-14b", "wan_vace_guide",
    BRIEF, (832, 480), (1001, 1002), (SHA, SHA), volatile={"host": "x"},
)  # fmt: skip
COMP = Comp("9f1c", "77aa", CompRecipe(Atmosphere(1.0, 9.5, 0.5, (0.1, 0.2, 0.3)), Cdl()), (1001, 1002))


@dataclass(frozen=True)
class Kind:
    """One kind of document: how to write its example and how to read it. ``free`` are places nobody checks."""

    file: str
    noun: Any
    save: Callable[[Path, Any], None]
    load: Callable[[Path], Any]
    free: str = "(?!)"
    keeps_unknown: bool = True

    def document(self, folder: Path) -> dict[str, Any]:
        """The example as JSON; it is written on the way."""
        self.save(folder, self.noun)
        return json.loads((folder / self.file).read_text("utf-8"))

    def put(self, folder: Path, document: object) -> None:
        """Write whatever it is in the document's place."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / self.file).write_text(json.dumps(document), "utf-8")


KINDS = {
    "shot": Kind(
        "shot.json", SHOT, lambda d, n: save_shot(d / "shot.json", n), lambda d: load_shot(d / "shot.json"),
        r"cast\.0\..*|ratings\..*",
    ),
    "manifest": Kind(
        "manifest.json", MANIFEST, save_manifest, load_manifest,
        r"(source|renderer|volatile|people\.0)\..*|(frames|cast)(\..*)?|depth\.(encoding|unit)|videos\..*\.(range|matrix)",
    ),
    "request": Kind("request.json", REQUEST, save_request, load_request, r"volatile\..*"),
    "submission": Kind("submission.json", SUBMISSION, save_submission, load_submission, r"parcels\.0\.values\..*"),
    "state": Kind("state.json", STATE, save_state, load_state, r"submissions\.0\.ticket\..*|take"),
    "take": Kind("take.json", TAKE, save_take, load_take, r"volatile\..*"),
    "package": Kind(
        "package.json", "wan-vace-14b-abababab", lambda d, n: save_current(d / "package.json", n),
        lambda d: load_current(d / "package.json"), keeps_unknown=False,
    ),
    "comp": Kind("comp.json", COMP, save_comp, load_comp, "key|encoding", keeps_unknown=False),
}  # fmt: skip


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Every kind of document in turn."""
    return request.param


@pytest.fixture(scope="session")
def kinds() -> Mapping[str, Kind]:
    """Every kind by name."""
    return KINDS


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here pulls the plug, so none waits for the platters."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a shot would live."""
    return tmp_path / "SH010"
