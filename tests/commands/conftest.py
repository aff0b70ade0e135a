# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny film on disk, a command line that is heard, and a host that is no Blender."""

from __future__ import annotations

import functools
import io
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from second_unit.addon.cli import main
from second_unit.addon.commands import comp, console, context, drawing, generate, timeline
from second_unit.addon.conditioning.cache import FrameCache
from second_unit.addon.conditioning.drawing.exposure import Exposure
from second_unit.addon.conditioning.drawing.frame import draw
from second_unit.addon.host import codec
from second_unit.addon.host.blender import Blender
from second_unit.addon.shot.camera import Camera, Crop
from second_unit.addon.shot.documents import digest, digest_file
from second_unit.addon.shot.geometry import FrameGeometry, Instance, Mesh
from second_unit.addon.shot.package import DepthInfo, Manifest, Pass, Video, save_current, save_manifest
from second_unit.addon.shot.profile import load_profile
from second_unit.addon.shot.project import Project
from second_unit.addon.shot.shot import Blocking, Brief, SceneInfo, Shot, save_shot
from second_unit.addon.shot.take import Take, save_take
from second_unit.addon.shot.timing import FrameRange, as_is

SCENE = FrameRange(1001, 1020)
CUTS = {"SH010": FrameRange(1001, 1007), "SH020": FrameRange(1008, 1020)}
FOX = Brief("a red fox runs", "blurry, grey", 7)


def small_exr(content: bytes = b"") -> bytes:
    """One black pixel; ``content`` behind it tells files apart."""
    header = b"\x76\x2f\x31\x01\x02\0\0\0compression\0compression\0\x01\0\0\0\0"
    header += b"dataWindow\0box2i\0" + struct.pack("<i4i", 16, 0, 0, 0, 0) + b"\0"
    return header + struct.pack("<Qii4x", len(header) + 8, 0, 4) + content


def small_png(content: bytes = b"") -> bytes:
    """What begins and ends as a PNG does."""
    return b"\x89PNG\r\n\x1a\n" + content + b"\0\0\0\0IEND\xae\x42\x60\x82"


@dataclass(frozen=True)
class Heard:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Film:
    """A .blend that is none, its project beside it, and what the scene is said to hold."""

    blend: Path
    info: SceneInfo

    @property
    def project(self) -> Project:
        return Project(self.blend.parent / "second_unit" / self.blend.stem)

    def rename(self, old: str, new: str) -> None:
        shots = tuple(replace(s, name=new) if s.name == old else s for s in self.info.shots)
        self.info = replace(self.info, shots=shots)

    def files(self) -> dict[str, bytes]:
        """Everything there is, to be compared."""
        root = self.blend.parent
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}

    def leftovers(self) -> list[str]:
        return [str(p) for p in self.blend.parent.rglob("*") if p.name.endswith(".part")]

    def shoot(self, name: str) -> Manifest:
        """Give a shot its record and a control package with a movie that is none."""
        profile, cut = load_profile("wan-vace-14b"), next(s for s in self.info.shots if s.name == name)
        paths = self.project.shot(name)
        save_shot(paths.record, replace(Shot.born(cut, FOX), uuid=f"uuid-of-{name}"))
        frame_map, sha = as_is(cut.cut, (0, 0), profile.rule), digest(name.encode())
        folder = paths.packages / f"{profile.name}-{sha[:8]}"
        movie = folder / "video" / "guide.0.mp4"
        movie.parent.mkdir(parents=True)
        movie.write_bytes(b"the movie of " + name.encode())
        length = len(frame_map.chunks[0])
        passes = {
            name: Pass(f"{name}/{{frame:04d}}.png", 8, 3, "x", ()) for name in ("playblast", "depth", "pose", "depth16")
        }
        manifest = Manifest(
            shot_uuid=f"uuid-of-{name}", shot_name=name, source={"blend": "film.blend"}, fps=Fraction(24),
            frame_map=frame_map, size=(832, 480), crop=Crop(0, 6, 832, 468), profile=profile.name, quality="draft",
            renderer={"name": "zbuffer"}, depth=DepthInfo(1.0, 9.0, 0.0), passes=passes,
            videos={"guide.0": Video("video/guide.0.mp4", "guide", 0, profile.fps, length, "h264", digest_file(movie))},
            people=(), camera="camera/camera.json", input_hash=sha,
        )  # fmt: skip
        save_manifest(folder, manifest)
        save_current(paths.current, folder.name)
        return manifest

    def take(self, shot: str, number: int = 1) -> Take:
        """A finished take of a shot that was shot."""
        manifest = self.shoot(shot) if not self.project.shot(shot).current.is_file() else None
        sha = digest(shot.encode())
        cut = next(s for s in self.info.shots if s.name == shot).cut
        plates = tuple(range(1001, 1001 + len(cut)))
        take = Take(
            f"take-{shot}-{number}", f"t{number:03d}", f"uuid-of-{shot}", shot, f"wan-vace-14b-{sha[:8]}", sha, "job",
            "rehearsal", "wan-vace-14b", "wan_vace_guide", replace(FOX, seed=number), (832, 480), plates,
            (digest(b"frame"),) * len(plates),
        )  # fmt: skip
        folder = self.project.shot(shot).takes / take.name
        (folder / "frames").mkdir(parents=True)
        for plate in plates:
            take.frame_file(folder, plate).write_bytes(b"frame")
        save_take(folder, take)
        assert manifest is None or manifest.folder_name == take.package
        return take


def wooden_box(aside: float) -> Mesh:
    corners = np.array([(x + aside, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Mesh(corners.astype(np.float32), np.array(triangles, np.int32))


@dataclass
class Host:
    """Draws a box instead of evaluating a .blend, writes movies that are none. ``cameras`` says where each stands."""

    cameras: dict[str, float] = field(default_factory=dict[str, float])
    tasks: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    before: Callable[[str, dict[str, Any]], None] = lambda _name, _args: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, blender: Blender, name: str, args: dict[str, Any], progress: Callable[..., None] = lambda *_: None
    ) -> dict[str, Any]:
        del blender
        with self.lock:
            self.tasks.append((name, args))
        self.before(name, args)
        progress(1, 1, "")
        return getattr(self, f"_{name}")(args)

    def count(self, name: str) -> int:
        return sum(task == name for task, _ in self.tasks)

    def _condition(self, args: dict[str, Any]) -> dict[str, Any]:
        at, (width, height) = self.cameras.get(args["camera"], 0.0), args["size"]
        cache, hashes = FrameCache(Path(args["cache"])), []
        for time in args["times"]:
            hashes.append(digest(f"{at} {time} {args['size']}".encode()))
            extras = [layer for layer in args["layers"] if layer != "flow"]
            if not cache.holds(hashes[-1], extras):
                matrix = np.eye(4)
                matrix[2, 3] = 3.0 + at
                camera = Camera(width, height, width, width, width / 2, height / 2, 0.1, 100.0, matrix)
                box = Instance("box", 0, np.eye(4))
                mesh = wooden_box(float(Fraction(time)) / 1000 - 1)
                frame = FrameGeometry(Fraction(time), camera, (mesh,), (box,), (), ())
                cache.store(hashes[-1], draw(frame, Exposure(), extras), camera)
        renderer = {"name": "zbuffer", "reason": args["renderer"]}
        return {"hashes": hashes, "crop": [0, 2, width, height - 4], "people": [], "renderer": renderer}

    def _encode(self, args: dict[str, Any]) -> dict[str, Any]:
        for movie in args["movies"]:
            assert all(Path(frame).is_file() for frame in movie["frames"])
            Path(movie["movie"]).write_bytes(json.dumps([Path(f).name for f in movie["frames"]]).encode())
        return {}

    def _comp(self, args: dict[str, Any]) -> dict[str, Any]:
        for order in filter(itemgetter("render"), args["comps"]):
            first, last = order["frames"]
            for frame in range(first, last + 1):
                (Path(order["folder"]) / f"{order['stem']}.{frame}.exr").write_bytes(small_exr())
            for name in order["thumbnails"].values():
                (Path(order["folder"]) / name).write_bytes(small_png())
            Path(order["movie"]).write_bytes(b"movie")
        return {}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects to anything here has failed."""

    def refuse(_: socket.socket, address: object) -> None:
        pytest.fail(f"a connection to {address} was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here pulls the plug, so none waits for the platters."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Film:
    blend = tmp_path / "shoot" / "film.blend"
    blend.parent.mkdir()
    blend.write_bytes(b"BLENDER-v402")
    shots = tuple(Blocking(name, f"Cam {name}", cut) for name, cut in CUTS.items())
    made = Film(blend, SceneInfo("Layout", Fraction(24), (1920, 1080), SCENE, shots, "5.0.1"))
    monkeypatch.setattr(context.Context, "read_scene", lambda _: made.info)
    return made


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """In place of every child Blender."""
    made = Host()
    monkeypatch.setattr(context.Context, "blender", lambda _: Blender(("no-blender",), is_app=False))
    for module in (comp, drawing, timeline, codec):
        monkeypatch.setattr(module, "run_task", made)
    return made


@pytest.fixture
def runners(monkeypatch: pytest.MonkeyPatch) -> list[Project]:
    """The projects for which a runner would have been started."""
    started: list[Project] = []
    monkeypatch.setattr(generate, "start_runner", lambda project, _argv=None: started.append(project))
    return started


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Heard]:
    """Run a command in this process and hear it out."""

    def run(*argv: str | Path) -> Heard:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(console, "Console", functools.partial(console.Console, out=out, err=err))
            try:
                code = main([str(word) for word in argv])
            except SystemExit as ended:
                code = int(ended.code or 0)
        shown = capsys.readouterr()
        return Heard(code, out.getvalue() + shown.out, err.getvalue() + shown.err)

    return run


@pytest.fixture
def open_film(film: Film) -> Callable[..., context.Context]:
    """The context of a command on the film, without the command line."""

    def make(*only: str, dry_run: bool = False) -> context.Context:
        quiet = console.Console(quiet=True, out=io.StringIO(), err=io.StringIO())
        return context.open_context(
            quiet, scene_file=str(film.blend), scene=None, project=None, blender=None, shots=only, dry_run=dry_run
        )

    return make
