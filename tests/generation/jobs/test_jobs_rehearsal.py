# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way over a real connection: runner, ComfyUI client, rehearsal server."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from second_unit.addon.generation.jobs.store import Job
from second_unit.addon.generation.rehearsal.server import RehearsalServer
from second_unit.addon.generation.services.comfyui.client import ComfyService
from second_unit.addon.generation.services.comfyui.graph import load_template
from second_unit.addon.shot.documents import digest_file
from second_unit.addon.shot.job import JobState, Request


class ZipCodec:
    """Movies that are archives of their frames."""

    def encode(self, frames: list[Path], movie: Path, fps: Fraction, *, crf: str = "HIGH") -> None:
        del fps, crf
        with zipfile.ZipFile(movie, "w") as archive:
            for i, frame in enumerate(frames):
                archive.write(frame, f"{i:05d}.png")

    def decode(self, movie: Path, folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(movie) as archive:
            archive.extractall(folder)
            return [folder / name for name in archive.namelist()]


@pytest.fixture
def filmed(stage: Any, draw: Any, tmp_path: Path) -> Any:
    """The stage with movies that can be decoded."""
    videos: dict[str, Any] = {}
    for name, video in stage.manifest.videos.items():
        frames = [tmp_path / f"{name}{i}.png" for i in range(video.frames)]
        for i, frame in enumerate(frames):
            frame.write_bytes(draw(10 * i + 40))
        movie = stage.order.package / video.file
        ZipCodec().encode(frames, movie, Fraction(24))
        videos[name] = replace(video, sha256=digest_file(movie))
    stage.order = replace(stage.order, manifest=replace(stage.manifest, videos=videos), service="rehearsal")
    return stage


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RehearsalServer]:
    with RehearsalServer(ZipCodec(), tmp_path / "service") as running:
        yield running


def services(server: RehearsalServer) -> Callable[[Request], ComfyService]:
    return lambda request: ComfyService(server.url, load_template(request.graph), any_model=True)


def test_a_take_comes_back_from_the_rehearsal_service(filmed: Any, server: RehearsalServer) -> None:
    from time import sleep

    job: Job = filmed.generate()
    runner = filmed.runner(services(server))
    runner._desk = replace(runner._desk, sleep=lambda _: sleep(0.02))
    runner.run_until_idle()
    state = filmed.store.load(job.uuid).state
    assert (state.state, state.what) == (JobState.DONE, "")
    (take,) = filmed.takes()
    assert len(take.plates) == 7
    assert len(set(take.sha256)) > 1
