# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live preview draws over a scene is what our own passes are, pixel by pixel. In a Blender application."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from .conftest import EXAMPLE, ROOT, SCRIPTS

pytestmark = pytest.mark.app
WIDTH, HEIGHT, BORDER = 416, 240, 40
CROP = (slice(3, 237), slice(0, 416))
"""Where the delivery frame lies: 16:9 in 416x240."""


@pytest.fixture(scope="module", params=[False, True], ids=["perspective", "orthographic"])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The viewport with each guide, the scene without, and our own pictures of it."""
    if not os.environ.get("BLENDER"):
        pytest.skip("$BLENDER names no application")
    folder = tmp_path_factory.mktemp("preview")
    answer, file = folder / "answer.json", folder / "drawn.npz"
    args = {
        "root": str(ROOT), "answer": str(answer), "file": str(file), "blend": str(EXAMPLE), "frame": 1046,
        "orthographic": request.param,
    }  # fmt: skip
    script = ["-b", "--factory-startup", "--python", str(SCRIPTS / "preview_app.py"), "--", json.dumps(args)]
    done = subprocess.run(
        [*shlex.split(os.environ["BLENDER"]), *script],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(folder / "resources")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.is_file(), f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    print(f"ms of the first draw, when something has changed, and when not: {answer.read_text('utf-8')}")
    with np.load(file) as found:
        return {name: found[name].astype(np.int64) for name in found.files}


def inside(picture: np.ndarray) -> np.ndarray:
    """The model's picture within the viewport, and of that the delivery frame."""
    return picture[BORDER : BORDER + HEIGHT, BORDER : BORDER + WIDTH][CROP]


def above_the_mark(picture: np.ndarray) -> np.ndarray:
    return picture[:140]


def test_only_the_frame_is_drawn_over(drawn: Mapping[str, Any]) -> None:
    for guide in ("pose", "depth", "guide"):
        differs = (drawn[guide] != drawn["scene"]).any(axis=2)
        inside(differs)[:] = False
        assert not differs.any(), guide


def test_pose_is_that_of_the_package(drawn: Mapping[str, Any]) -> None:
    """Every pixel: the same joints, the same visibility, the same drawing."""
    truth = drawn["pose truth"][CROP]
    assert (truth.max(axis=2) > 0).sum() > 1000
    assert np.array_equal(above_the_mark(inside(drawn["pose"])), above_the_mark(truth))


def test_depth_is_that_of_the_package_but_for_edges(drawn: Mapping[str, Any]) -> None:
    truth, found = (above_the_mark(a) for a in (drawn["depth truth"][CROP], inside(drawn["depth"])))
    assert (found == found[:, :, :1]).all()
    off = np.abs(found[:, :, 0] - truth)
    assert len(np.unique(truth)) > 100
    assert np.percentile(off, 98) <= 1
    assert (truth[found[:, :, 0] == 0] <= 1).all()


def test_guide_is_pose_over_depth(drawn: Mapping[str, Any]) -> None:
    pose, depth, guide = (above_the_mark(inside(drawn[name])) for name in ("pose", "depth", "guide"))
    painted = pose.any(axis=2)
    assert np.array_equal(guide[painted], pose[painted])
    assert np.array_equal(guide[~painted], depth[~painted])


def test_it_is_marked(drawn: Mapping[str, Any]) -> None:
    """The lower left corner is not the guide's alone."""
    truth = drawn["pose truth"][CROP]
    differs = (inside(drawn["pose"]) != truth).any(axis=2)
    assert 30 < differs[190:, :160].sum() < 3000
    assert not differs[:, 200:].any()
