# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of a face by its shape keys in Blender: they sit on the skin that Blender deforms, frame by frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ..conditioning.armatures import NAMES, named_rows
from ..conditioning.test_face_shapes import made, shapes_of
from .conftest import Script

pytestmark = pytest.mark.host

CASES: list[dict[str, Any]] = [
    {}, {"keys": {"eyeBlinkLeft": 1.0, "jawOpen": 0.5}, "nod": 0.4, "at": (2, -1, 0.5), "scale": 1.7},
    {"keys": {"eyeBlinkLeft": 1.0}, "nod": -0.5, "at": (0, 3, 0), "hangs": True},
    {"hidden": True}, {"modifier": "MIRROR"},
    {"keys": {"eyeBlinkLeft": 1.0, "jawOpen": 0.5}, "nod": 0.4, "at": (2, -1, 0.5), "modifier": "SUBSURF"},
    {"keys": {"jawOpen": 0.5}, "modifier": "SUBSURF", "smooth": True},
    {"keys": {"jawOpen": 0.5}, "modifier": "SOLIDIFY", "mode": "EXTRUDE"},
    {"modifier": "SOLIDIFY", "mode": "NON_MANIFOLD"},
]  # fmt: skip


@pytest.fixture
def answers(script: Script, tmp_path: Path) -> Any:
    """What Blender says of each case: a person of Mixamo's names whose head bone carries the made-up face."""
    mixamo = next(names for names in NAMES if names.family == "Mixamo")
    rows = named_rows(mixamo)
    head = next(row for row in rows if row[0].endswith("Head"))
    face = made(0.002)
    # up, forward and left become z, -y and x, where a nose is on somebody with this head joint
    turn = np.array([(0, 0, 1), (0, -1, 0), (1, 0, 0)], np.float64).T
    centre = np.array(head[2]) + np.array([0, 0, 0.06])
    told = {
        "rows": rows, "head": head[0], "vertices": (face.rest @ turn.T + centre).tolist(),
        "keys": {name: (move @ turn.T).tolist() for name, move in face.keys.items()},
        "points": {str(point): vertex for point, vertex in shapes_of(face).points().items()},
    }  # fmt: skip
    (tmp_path / "face.json").write_text(json.dumps(told), encoding="utf-8")
    return script("face", file=str(tmp_path / "face.json"), cases=CASES)


def test_the_points_are_on_the_evaluated_mesh_or_nowhere(answers: Any) -> None:
    for case, answer in zip(CASES, answers, strict=True):
        found = {str(i): place for i, place in enumerate(answer["found"]) if place is not None}
        if "hidden" in case or case.get("modifier") == "MIRROR" or case.get("mode") == "NON_MANIFOLD":
            assert found == {}, case
            continue
        assert sorted(found) == sorted(answer["expected"]), case
        for point, place in answer["expected"].items():
            assert found[point] == pytest.approx(place, abs=1e-5 * max(1.0, case.get("scale", 1.0))), (case, point)
