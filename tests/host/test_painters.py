# SPDX-License-Identifier: GPL-3.0-or-later
"""Who draws what: nothing twice, and the same frames whoever draws which part of a shot. No Blender is needed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw_flow, find_surfaces
from second_unit.addon.host import painters
from second_unit.addon.host.painters import CyclesPainter, Drawing, Painter, ZbufferPainter
from second_unit.addon.shot.camera import Camera, Crop
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh

CAMERA = Camera(32, 32, 30, 30, 16, 16, 0.1, 100.0, np.diag([1.0, -1.0, -1.0, 1.0]))
TRIANGLE = Mesh(np.array([(-1, -1, -3), (1, -1, -4), (0, 1, -5)], np.float32), np.array([(0, 1, 2)], np.int32))
ASIDE = np.array([(1.0, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)])
FRAMES = range(1, 9)


def geometry(frame: int) -> FrameGeometry:
    matrix = np.eye(4)
    matrix[0, 3] = 0.05 * frame
    return FrameGeometry(Fraction(frame), CAMERA, (TRIANGLE,), (Instance("t", 0, matrix),), (), ())


class Eye:
    """Cycles, which sees what the z-buffer sees."""

    def __init__(self) -> None:
        self.looks: list[Fraction] = []

    def look(self, geometry: FrameGeometry, time: Fraction, following: FrameGeometry, crop: Crop) -> Any:
        del following, crop
        self.looks.append(time)
        after = replace(geometry, instances=(replace(geometry.instances[0], matrix=np.eye(4) * float(time)),))
        surfaces = find_surfaces(geometry)
        return SimpleNamespace(geometry=geometry, surfaces=surfaces, flow=draw_flow(geometry, after, surfaces))


def drawing(cache: Path, *extras: str, flow: bool = True) -> Drawing:
    return Drawing(FrameCache(cache), Exposure(), (32, 32), extras, flow)


def paint(painter: Painter, frames: range) -> tuple[list[str], list[str]]:
    for frame in frames:
        painter.take(Fraction(frame), geometry(frame), f"digest {frame}")
    if painter.needs_next:
        painter.follow(geometry(frames.stop), f"digest {frames.stop}")
    return painter.finish()


def make(kind: str, drawing: Drawing) -> Painter:
    if kind == "zbuffer":
        return ZbufferPainter(drawing)
    return CyclesPainter(drawing, Eye(), lambda: Crop(0, 0, 32, 32))


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("kind", ["zbuffer", "cycles"])
@pytest.mark.parametrize("parts", [[range(1, 4), range(4, 9)], [range(n, n + 1) for n in FRAMES]])
def test_parts_of_a_shot_are_the_shot(kind: str, parts: list[range], tmp_path: Path) -> None:
    """Hashes, what follows them, and every byte in the cache; also in any order."""
    whole = paint(make(kind, drawing(tmp_path / "whole", "normal", "tag")), FRAMES)
    found = {part: paint(make(kind, drawing(tmp_path / "parts", "normal", "tag")), part) for part in reversed(parts)}
    assert [key for part in parts for key in found[part][0]] == whole[0]
    assert [key for part in parts for key in found[part][1]] == whole[1]
    assert len(set(whole[0])) == len(whole[1]) == len(FRAMES)
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


@pytest.mark.parametrize("kind", ["zbuffer", "cycles"])
def test_a_frame_alone_needs_no_next_one_without_flow(kind: str, tmp_path: Path) -> None:
    painter = make(kind, drawing(tmp_path, flow=False))
    assert not painter.needs_next
    keys, following = paint(painter, FRAMES)
    assert (len(keys), following) == (len(FRAMES), [])


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every call that draws, by name and the layers it draws."""
    calls: list[Any] = []
    for name in ("find_surfaces", "draw", "draw_flow"):
        function = getattr(painters, name)

        def spy(*args: Any, _name: str = name, _function: Any = function) -> Any:
            calls.append((_name, args[2]) if _name == "draw" else _name)
            return _function(*args)

        monkeypatch.setattr(painters, name, spy)
    return calls


def test_what_is_known_is_not_drawn_and_more_adds_only_what_is_missing(tmp_path: Path, counted: list[Any]) -> None:
    paint(ZbufferPainter(drawing(tmp_path, "playblast", flow=False)), FRAMES)
    assert counted == ["find_surfaces", ("draw", ("playblast",))] * len(FRAMES)
    for extras in (("playblast",), ()):
        counted.clear()
        paint(ZbufferPainter(drawing(tmp_path, *extras, flow=False)), FRAMES)
        assert counted == []
    before = content(tmp_path)
    paint(ZbufferPainter(drawing(tmp_path, "normal", "playblast", flow=False)), FRAMES)
    assert counted == ["find_surfaces", ("draw", ("normal",))] * len(FRAMES)
    after = content(tmp_path)
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[1] for name in after.keys() - before.keys()} == {"normal.npy"}
    counted.clear()
    paint(ZbufferPainter(drawing(tmp_path, "normal", "playblast")), FRAMES)
    assert counted == ["draw_flow"] * len(FRAMES)


def test_equal_pictures_of_cycles_are_one_frame(tmp_path: Path, counted: list[Any]) -> None:
    """It looks every time, because nobody knows beforehand; what it saw before is not drawn again."""
    eye = Eye()
    painter = CyclesPainter(drawing(tmp_path, "tag", flow=False), eye, lambda: Crop(0, 0, 32, 32))
    first = paint(painter, FRAMES)
    assert len(eye.looks) == len(FRAMES) == len(counted)
    counted.clear()
    painter = CyclesPainter(drawing(tmp_path, "tag", flow=False), eye, lambda: Crop(0, 0, 32, 32))
    assert paint(painter, FRAMES) == first
    assert counted == []
    assert len(list(tmp_path.iterdir())) == len(FRAMES)


class Blind(Eye):
    """Says that everything moves, what is held out too."""

    def look(self, geometry: FrameGeometry, time: Fraction, following: FrameGeometry, crop: Crop) -> Any:
        looked = super().look(geometry, time, following, crop)
        return SimpleNamespace(**{**vars(looked), "flow": np.ones((32, 32, 2), np.float32)})


@pytest.mark.parametrize("kind", ["zbuffer", "cycles"])
def test_what_is_held_out_is_kept_without_motion(kind: str, tmp_path: Path) -> None:
    def held_out(frame: int) -> FrameGeometry:
        shown = geometry(frame)
        aside = replace(shown.instances[0], key="u", matrix=shown.instances[0].matrix @ ASIDE)
        return replace(shown, instances=(replace(shown.instances[0], holdout=True), aside))

    work = drawing(tmp_path)
    painter = ZbufferPainter(work) if kind == "zbuffer" else CyclesPainter(work, Blind(), lambda: Crop(0, 0, 32, 32))
    painter.take(Fraction(1), held_out(1), "digest 1")
    painter.follow(held_out(2), "digest 2")
    (key,), (following,) = painter.finish()
    ids = find_surfaces(held_out(1)).ids
    motion = work.cache.load(key).flow(following)
    assert min((ids == 0).sum(), (ids == 1).sum()) > 20
    assert (motion[ids == 0] == 0).all()
    assert (motion[ids == 1][:, 0] > 0).all()
