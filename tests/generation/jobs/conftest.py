# SPDX-License-Identifier: GPL-3.0-or-later
"""A small package, and a service with a memory of its own that survives every runner."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from second_unit.addon.errors import ServiceError, ServiceFault
from second_unit.addon.generation.jobs.parcels import Order, make_submission
from second_unit.addon.generation.jobs.patience import Patience
from second_unit.addon.generation.jobs.runner import Report, Runner
from second_unit.addon.generation.jobs.store import Job, JobStore
from second_unit.addon.generation.services.comfyui.graph import load_template
from second_unit.addon.generation.services.port import Answer, Status
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.documents import digest_file
from second_unit.addon.shot.job import Parcel, Request
from second_unit.addon.shot.package import DepthInfo, Manifest, Video, load_manifest, save_manifest
from second_unit.addon.shot.profile import Profile, Quality
from second_unit.addon.shot.project import Project
from second_unit.addon.shot.shot import Brief, Marker, Shot
from second_unit.addon.shot.take import Take, list_takes
from second_unit.addon.shot.timing import FrameRange, FrameRule, as_is

SIZE = (48, 32)
RULE = FrameRule(step=4, offset=1, longest=5, overlap=1)
URL = "http://127.0.0.1:8188"


def picture(value: int, size: tuple[int, int] = SIZE, form: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, (value, 255 - value, 128)).save(data, form)
    return data.getvalue()


@dataclass
class Cloud:
    """What the service remembers. ``frame`` makes the bytes of one frame from its chunk and index."""

    frame: Callable[[int, int], bytes] = lambda chunk, index: picture(20 * chunk + index + 1)
    polls_needed: int = 2
    end: Answer | None = None
    uploads: dict[str, bytes] = field(default_factory=dict)
    creates: Counter[int] = field(default_factory=Counter)
    known: dict[str, tuple[Parcel, int]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    largest: int = 0
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    moment: Callable[[], None] = lambda: None

    def enter(self, name: str) -> None:
        self.moment()
        self.calls.append(name)
        if self.faults.get(name):
            raise self.faults[name].pop(0)


class CloudService:
    """The adapter: holds nothing itself."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def preflight(self, parcel: Parcel) -> None:  # noqa: ARG002 - the port has it
        self.cloud.enter("preflight")

    def upload(self, parcel: Parcel, files: Mapping[str, Path]) -> dict[str, str]:
        self.cloud.enter("upload")
        for file in parcel.files:
            self.cloud.uploads[file.name] = files[file.role].read_bytes()
            self.cloud.moment()
        return {file.role: file.name for file in parcel.files}

    def ticket(self, parcel: Parcel, names: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002 - the port has it
        return {"id": str(uuid4()), "names": dict(names)}

    def submit(self, ticket: dict[str, Any], parcel: Parcel) -> None:
        self.cloud.enter("submit")
        if ticket["id"] not in self.cloud.known:
            self.cloud.known[ticket["id"]] = (parcel, 0)
            self.cloud.creates[parcel.chunk] += 1
        self.cloud.moment()
        if self.cloud.faults.get("after submit"):
            raise self.cloud.faults["after submit"].pop(0)

    def poll(self, ticket: dict[str, Any]) -> Answer:
        self.cloud.enter("poll")
        if ticket["id"] not in self.cloud.known:
            return Answer(Status.LOST)
        parcel, polls = self.cloud.known[ticket["id"]]
        self.cloud.known[ticket["id"]] = (parcel, polls + 1)
        if polls < self.cloud.polls_needed:
            return Answer(Status.RUNNING, progress=polls / self.cloud.polls_needed)
        count = int(parcel.values["length"])
        return self.cloud.end or Answer(
            Status.SUCCEEDED, outputs=tuple({"chunk": str(parcel.chunk), "index": str(i)} for i in range(count))
        )

    def fetch(
        self,
        ticket: dict[str, Any],  # noqa: ARG002 - the port has it
        outputs: Sequence[Mapping[str, str]],
        folder: Path,
        on_bytes: Callable[[int], None],
        largest: int,
    ) -> list[Path]:
        self.cloud.enter("fetch")
        self.cloud.largest = largest
        files = [folder / f"{i:05d}.part" for i in range(len(outputs))]
        for file, output in zip(files, outputs, strict=True):
            if not file.exists():  # a file that is there is taken up where it ends
                file.write_bytes(self.cloud.frame(int(output["chunk"]), int(output["index"])))
            on_bytes(1)
            self.cloud.moment()
        return files

    def cancel(self, ticket: dict[str, Any]) -> None:
        self.cloud.enter("cancel")
        self.cloud.cancelled.append(ticket["id"])

    def close(self) -> None:
        pass


@dataclass
class Stage:
    """A project with one package, a cloud, and what a command would do with them."""

    project: Project
    order: Order
    cloud: Cloud = field(default_factory=Cloud)
    slept: list[float] = field(default_factory=list)
    passed: float = 0.0

    @property
    def manifest(self) -> Manifest:
        return self.order.manifest

    @property
    def store(self) -> JobStore:
        return JobStore(self.project)

    def generate(self, **changes: Any) -> Job:
        """Order a take as the command does."""
        from dataclasses import replace

        return self.store.ensure(*make_submission(replace(self.order, **changes)))[0]

    def runner(self, services: Callable[[Request], Any] | None = None, *, local_only: bool = False) -> Runner:
        return Runner(
            self.project,
            services or (lambda _: CloudService(self.cloud)),
            sleep=self.slept.append,
            clock=lambda: sum(self.slept) + self.passed,
            patience=Patience(attempts=4),
            local_only=local_only,
        )

    def run(self) -> Report:
        return self.runner().run_until_idle()

    @property
    def takes_folder(self) -> Path:
        return self.project.shot("SH010").takes

    def takes(self) -> list[Take]:
        return list_takes(self.takes_folder)

    def assert_one_whole_take(self) -> None:
        """There is one take, complete, and nothing beside it."""
        (take,) = self.takes()
        folder = self.takes_folder / take.name
        assert take.plates == tuple(f.plate for f in self.manifest.frame_map.plates)
        files = [folder / "frames" / f"SH010.t001.{plate}.png" for plate in take.plates]
        assert sorted((folder / "frames").iterdir()) == files
        assert [digest_file(file) for file in files] == list(take.sha256)
        assert sorted(path.name for path in self.takes_folder.iterdir()) == ["t001"]
        assert sorted(path.name for path in folder.iterdir()) == ["frames", "take.json", "thumbnails"]

    def the_job(self) -> Job:
        (job,) = self.store.list()
        return job


def build_stage(root: Path, cut: FrameRange | None = None) -> Stage:
    """A shot of 7 frames in two chunks of 5, with an overlap and pads, and movies that are no movies."""
    project = Project(root)
    frame_map = as_is(cut or FrameRange(1001, 1007), (0, 0), RULE)
    package = project.shot("SH010").packages / "tiny-0123abcd"
    (package / "video").mkdir(parents=True)
    videos: dict[str, Video] = {}
    for chunk, frames in enumerate(frame_map.chunks):
        movie = package / "video" / f"guide_{chunk}.mp4"
        movie.write_bytes(b"movie of SH010 chunk %d" % chunk)
        videos[f"guide_{chunk}"] = Video(
            f"video/guide_{chunk}.mp4", "guide", chunk, Fraction(24), len(frames), "h264", digest_file(movie)
        )
    manifest = Manifest(
        shot_uuid="2b1c", shot_name="SH010", source={"blend": "secret_film.blend"}, fps=Fraction(24),
        frame_map=frame_map, size=SIZE, crop=Crop(0, 0, *SIZE), profile="tiny", quality="draft",
        renderer={"name": "zbuffer"},
        depth=DepthInfo(1.0, 9.0, 0.0), passes={}, videos=videos, people=(), camera="camera.json",
        input_hash="0123abcd" * 8,
    )  # fmt: skip
    save_manifest(package, manifest)
    profile = Profile(
        "tiny", "Tiny", 16, Fraction(16), RULE, ("guide",), "openpose", "wan_vace_guide",
        (Quality("draft", SIZE, (0, 0), 7),),
    )  # fmt: skip
    shot = Shot("2b1c", "SH010", "SH010", Marker("SH010", 1001, "Camera of Hero"))
    order = Order(
        project, shot, package, load_manifest(package), profile, "draft", Brief("a red fox", "blurry", 5),
        load_template("wan_vace_guide"), "comfyui", URL,
    )  # fmt: skip
    return Stage(project, order)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here pulls the plug, so none waits for the platters."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return build_stage(tmp_path / "film")


@pytest.fixture
def new_stage() -> Callable[[Path], Stage]:
    return build_stage


@pytest.fixture
def draw() -> Callable[..., bytes]:
    """Bytes of a picture of one colour."""
    return picture


@pytest.fixture
def fault() -> Callable[..., ServiceError]:
    def make(kind: str, retry_after_s: float | None = None) -> ServiceError:
        return ServiceError(f"It was {kind}.", "Do this.", fault=ServiceFault(kind), retry_after_s=retry_after_s)

    return make
