# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks which instance is at a place, where our own z-buffer has told it before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geometry as reading
import judged_scenes
import numpy as np
import numpy.typing as npt

from second_unit.addon.conditioning.drawing.frame import find_surfaces
from second_unit.addon.host.cycles_nearest import Nearest
from second_unit.addon.host.cycles_who import Seen, Who
from second_unit.addon.shot.camera import Camera
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh


def run(args: dict[str, Any]) -> Any:
    """Per scene, per way of asking: how many pixels were seen, how many of them doubtful, how many told wrong."""
    answers: dict[str, Any] = {"straws": _straws()}
    for name in args["scenes"]:
        told: list[dict[str, Any]] = []
        reading.read(judged_scenes.build(name), [5], lambda frame, told=told: told.append(_ask(frame)))
        answers[name] = told[0]
    return answers


def _ask(frame: FrameGeometry) -> dict[str, Any]:
    surfaces = find_surfaces(frame)
    depth, truth = surfaces.hits.depth, surfaces.ids
    names = sorted({one.tag.object for one in frame.instances})
    numbers = {name: number for number, name in enumerate(names, start=1)}
    index = np.array([*(numbers[one.tag.object] for one in frame.instances), 0], np.int32)[truth]
    position = _positions(frame.camera, depth)
    things = {number: SimpleNamespace(name_full=name) for name, number in numbers.items()}

    def wrong(known: dict[int, Any], numbered: npt.NDArray[np.int32], *, panoramic: bool) -> int:
        _, ids = Who(known, _nobody).identify(frame, [], Seen(numbered, depth, position), panoramic=panoramic)
        return int((ids != truth).sum())

    return {
        "seen": int((truth >= 0).sum()),
        "instances": len(np.unique(truth[truth >= 0])),
        "objects": len(np.unique(index[truth >= 0])),
        "by search": wrong(things, index, panoramic=True),
        "by drawing": wrong(things, index, panoramic=False),
        "without numbers": wrong({}, np.zeros_like(index), panoramic=True),
    }


def _nobody(thing: Any) -> Instance:
    raise AssertionError(thing.name_full)


def _positions(camera: Camera, depth: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """World places (H, W, 3) of pixel centres."""
    z = np.where(np.isfinite(depth), depth, 1.0).astype(np.float64)
    rows, columns = np.mgrid[: camera.height, : camera.width] + 0.5
    far = 1.0 if camera.orthographic else z
    seen = np.stack([(columns - camera.cx) / camera.fx * far, (rows - camera.cy) / camera.fy * far, z, np.ones_like(z)])
    return np.einsum("ij,jhw->hwi", np.linalg.inv(camera.world_to_camera), seen)[..., :3].astype(np.float32)


def _straws() -> dict[str, int]:
    """Points of two tufts without faces, which stand in each other's box."""
    chance = np.random.default_rng(3)
    mesh = Mesh(chance.uniform(-1, 1, (400, 3)).astype(np.float32), np.zeros((0, 3), np.int32))
    tufts = [Instance(f"|Tuft|{i}", 0, _placed(angle, i * 0.3)) for i, angle in enumerate((0.0, 0.5, 1.1))]
    truth = np.repeat(np.arange(3), 400)
    places = np.concatenate([mesh.positions @ one.matrix[:3, :3].T + one.matrix[:3, 3] for one in tufts])
    order = chance.permutation(len(places))
    return {"seen": len(places), "wrong": int((Nearest().of(places[order], tufts, [mesh]) != truth[order]).sum())}


def _placed(angle: float, aside: float) -> npt.NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), 2 * np.cos(angle)]]
    matrix[0, 3] = aside
    return matrix
