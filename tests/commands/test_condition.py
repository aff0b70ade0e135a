# SPDX-License-Identifier: GPL-3.0-or-later
"""condition: one package per blocking, made once, never changed, never half."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from second_unit.addon.commands.about import extension_version
from second_unit.addon.commands.condition import Conditioned, ConditionOptions, condition
from second_unit.addon.conditioning.package import PackageOrder
from second_unit.addon.conditioning.passes import USUAL
from second_unit.addon.errors import CancelledByUser, StorageError
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.documents import digest_file
from second_unit.addon.shot.package import load_current, load_manifest
from second_unit.addon.shot.profile import SHIPPED, load_profile
from second_unit.addon.shot.shot import load_shot
from second_unit.addon.shot.timing import FrameRange, as_is

SMALL = ConditionOptions(size=(64, 48))
Make = Callable[..., list[Conditioned]]
Cli = Callable[..., Any]


@pytest.fixture
def make(film: Any, host: Any, open_film: Callable[..., Any]) -> Make:
    """Condition the film as it is now."""
    assert host.tasks == []

    def run(options: ConditionOptions = SMALL, *only: str, dry_run: bool = False) -> list[Conditioned]:
        return condition(open_film(*only, dry_run=dry_run), film.info, options)

    return run


def folders(film: Any, shot: str) -> list[str]:
    root: Path = film.project.shot(shot).packages
    return sorted(p.name for p in root.iterdir()) if root.is_dir() else []


def test_every_shot_gets_one_package_that_says_what_is_in_it(make: Make, film: Any) -> None:
    made = make()
    assert [(item.blocked.shot.name, item.made) for item in made] == [("SH010", True), ("SH020", True)]
    for item in made:
        manifest = load_manifest(item.package)
        paths = film.project.shot(item.blocked.shot.folder)
        assert load_current(paths.current) == item.package.name == manifest.folder_name
        assert load_shot(paths.record) == item.blocked.shot
        assert (manifest.shot_uuid, manifest.size, manifest.fps) == (item.blocked.shot.uuid, (64, 48), 24)
        assert manifest.crop == Crop(0, 2, 64, 44)
        plates = [f.plate or 0 for f in manifest.frame_map.plates]
        assert len(plates) == len(item.blocked.blocking.cut)
        assert set(manifest.passes) == set(USUAL)
        for name in USUAL:
            files = [item.package / manifest.passes[name].file(plate) for plate in plates]
            assert [digest_file(file) for file in files] == list(manifest.passes[name].sha256)
        assert {p.suffix for p in item.package.rglob("*.part")} == set()


def test_the_movie_is_as_long_as_the_model_demands_and_pads_repeat_the_last_frame(make: Make) -> None:
    (item,) = make(SMALL, "SH020")
    video = load_manifest(item.package).video_of("guide", 0)
    frames = json.loads((item.package / video.file).read_text("utf-8"))
    assert len(frames) == video.frames == 13
    (seven,) = make(SMALL, "SH010")
    shown = json.loads((seven.package / load_manifest(seven.package).video_of("guide", 0).file).read_text("utf-8"))
    assert shown == [f"{plate}.png" for plate in (*range(1001, 1008), 1007, 1007)]


def test_near_is_white_and_nothing_is_black(make: Make) -> None:
    """The box is drawn in the middle, the sky around it."""
    (item,) = make(SMALL, "SH010")
    with Image.open(item.package / "depth" / "1001.png") as picture:
        grey = np.asarray(picture)
    assert grey.shape == (48, 64, 3)
    assert grey.max() == 255
    assert grey[0, 0].max() == 0


def test_the_second_time_nothing_is_made_and_nothing_changes(make: Make, film: Any, host: Any) -> None:
    first = [item.package for item in make()]
    before = film.files()
    again = make()
    assert [item.made for item in again] == [False, False]
    assert [item.package for item in again] == first
    assert film.files() == before
    assert host.count("encode") == 2


def test_a_moved_camera_makes_one_new_package_and_the_old_stays_byte_for_byte(make: Make, film: Any, host: Any) -> None:
    old = {item.blocked.shot.name: item.package for item in make()}
    before = {path: data for path, data in film.files().items() if "/packages/" in path}
    host.cameras["Cam SH020"] = 0.5
    moved = make()
    assert [item.made for item in moved] == [False, True]
    assert moved[1].package != old["SH020"]
    assert load_current(film.project.shot("SH020").current) == moved[1].package.name
    after = film.files()
    assert {path: after.get(path) for path in before} == before
    host.cameras.clear()
    back = make()
    assert [item.made for item in back] == [False, False]
    assert load_current(film.project.shot("SH020").current) == old["SH020"].name


def test_frames_narrow_every_shot_and_leave_the_others_out(make: Make, host: Any) -> None:
    made = make(replace(SMALL, frames=FrameRange(1005, 1009)))
    assert [[str(f.scene) for f in item.frame_map.plates] for item in made] == [
        ["1005", "1006", "1007"], ["1008", "1009"],
    ]  # fmt: skip
    asked = {args["camera"]: args["times"] for name, args in host.tasks if name == "condition"}
    assert asked["Cam SH010"] == ["1005", "1006", "1007"]
    (only,) = make(replace(SMALL, frames=FrameRange(1001, 1003)))
    assert only.blocked.shot.name == "SH010"


def test_fewer_passes_make_another_package(make: Make) -> None:
    (whole,) = make(SMALL, "SH010")
    (part,) = make(replace(SMALL, passes=("depth",)), "SH010")
    assert part.package != whole.package
    assert set(load_manifest(part.package).passes) == {"depth"}
    assert not (part.package / "guide").exists()


def test_several_shots_at_once_give_the_same_packages(make: Make, film: Any) -> None:
    names = [item.package.name for item in make(replace(SMALL, jobs=2))]
    assert [item.package.name for item in make()] == names
    assert film.leftovers() == []


def test_final_quality_sees_8_frames_more_on_both_sides(make: Make) -> None:
    (item,) = make(replace(SMALL, quality="final"), "SH010")
    assert [str(f.scene) for f in item.frame_map.plates][:: len(item.frame_map.plates) - 1] == ["993", "1015"]


def test_handles_of_the_scene_count_more_than_those_of_the_quality(make: Make, film: Any) -> None:
    film.info = replace(film.info, shots=(replace(film.info.shots[0], handles=(0, 2)), film.info.shots[1]))
    (item,) = make(replace(SMALL, quality="final"), "SH010")
    assert [f.scene for f in item.frame_map.plates] == list(range(1001, 1010))


def test_a_dry_run_draws_nothing_and_writes_nothing(make: Make, film: Any, host: Any) -> None:
    before = film.files()
    assert make(dry_run=True) == []
    assert host.tasks == []
    assert film.files() == before


def test_a_dry_run_says_what_every_shot_becomes(cli: Cli, film: Any) -> None:
    """Frames, pieces, size, overscan and disk, for people and for programs; the size follows the delivery frame."""
    film.info = replace(film.info, size=(2048, 858))
    heard = cli("condition", str(film.blend), "--dry-run", "--json", "--shot", "SH010")
    (plan,) = [record for record in heard.records if record.get("kind") == "plan"]
    assert (plan["shot"], plan["frames"], plan["chunks"], plan["padding"]) == ("SH010", 7, [9], 2)
    assert (plan["size"], plan["crop"], plan["seconds"]) == ([832, 352], [0, 2, 832, 348], [7, 24])
    assert "SH010: 7 scene frames, 1001 to 1007; 0.29 s at 24 fps." in heard.err
    assert "832x348 of it is the delivery frame" in heard.err


@pytest.mark.parametrize(("aspect", "size"), [((2.0, 1.0), [832, 480]), ((1.0, 1.0), [592, 672])])
def test_a_scene_gets_the_size_of_what_is_looked_at(
    cli: Cli, film: Any, aspect: tuple[float, float], size: list[int]
) -> None:
    """960x1080 is 16:9 when its pixels are twice as wide as high."""
    film.info = replace(film.info, size=(960, 1080), pixel_aspect=aspect)
    heard = cli("condition", str(film.blend), "--dry-run", "--json")
    assert [record["size"] for record in heard.records if record.get("kind") == "plan"] == [size, size]


def test_a_package_for_a_model_without_a_graph_is_made_but_not_sent(
    make: Make, cli: Cli, film: Any, runners: list[Any]
) -> None:
    make(replace(SMALL, profile="wan-fun-control-14b"), "SH010")
    heard = cli("generate", film.blend, "--shot", "SH010")
    assert (heard.code, runners) == (2, [])
    assert "no graph for Wan 2.2 Fun Control 14B yet" in heard.err


def test_a_profile_of_the_project_is_used(make: Make, film: Any) -> None:
    own = json.loads((SHIPPED / "wan-vace-14b.json").read_text("utf-8"))
    own |= {"frames": {"step": 1, "offset": 0, "longest": 4, "overlap": 1}, "context": 1}
    film.project.profiles.mkdir(parents=True)
    (film.project.profiles / "ours.json").write_text(json.dumps(own), "utf-8")
    (item,) = make(replace(SMALL, profile="ours"), "SH010")
    assert [len(chunk) for chunk in item.frame_map.chunks] == [4, 4]
    assert load_manifest(item.package).profile == "ours"


# Nothing half.


def full_disk() -> BaseException:
    return OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("moment", ["condition", "encode"])
@pytest.mark.parametrize(
    ("error", "met"),
    [
        (full_disk(), StorageError), (KeyboardInterrupt(), KeyboardInterrupt),
        (CancelledByUser("Stopped.", "Run it again."), CancelledByUser),
    ],
    ids=["full disk", "interrupt", "cancel"],
)  # fmt: skip
def test_an_end_half_way_leaves_no_half_package(
    moment: str, error: BaseException, met: type[BaseException], make: Make, film: Any, host: Any
) -> None:
    if moment == "condition" and isinstance(error, OSError):
        error = StorageError("The disk is full.", "Free some space.")  # the child says it in our words

    def fail(name: str, _: dict[str, Any]) -> None:
        if name == moment:
            raise error

    host.before = fail
    with pytest.raises(met):
        make(SMALL, "SH010")
    assert folders(film, "SH010") == []
    assert film.leftovers() == []
    assert load_current(film.project.shot("SH010").current) is None
    host.before = lambda _name, _args: None
    (item,) = make(SMALL, "SH010")
    assert item.made


def test_a_disk_that_fills_while_pictures_are_written_leaves_no_half_package(
    make: Make, film: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from second_unit.addon.conditioning import package

    written: list[Path] = []

    def write(path: Path, pixels: Any) -> None:
        written.append(path)
        if len(written) > 9:
            raise full_disk()
        Image.fromarray(pixels).save(path)

    monkeypatch.setattr(package, "write_png", write)
    with pytest.raises(StorageError, match="full"):
        make(SMALL, "SH010")
    assert len(written) > 9
    assert folders(film, "SH010") == []
    assert film.leftovers() == []


def test_an_old_package_survives_a_failed_new_one(make: Make, film: Any, host: Any) -> None:
    (old,) = make(SMALL, "SH010")
    before = {path: data for path, data in film.files().items() if "/cache/" not in path}

    def fail(name: str, _: dict[str, Any]) -> None:
        if name == "encode":
            raise full_disk()

    host.cameras["Cam SH010"], host.before = 1.0, fail
    with pytest.raises(StorageError):
        make(SMALL, "SH010")
    assert {path: data for path, data in film.files().items() if "/cache/" not in path} == before
    assert load_current(film.project.shot("SH010").current) == old.package.name


def test_what_a_killed_run_left_is_swept_by_the_next(make: Make, film: Any) -> None:
    """Half a frame and half a package of a process that is no more; a dry run touches nothing."""
    make(SMALL, "SH010")
    root = film.project.root
    left = [root / "cache" / ".f.0123abcd.part", root / "SH010" / "packages" / ".wan.0123abcd.part"]
    for path in left:
        path.mkdir()
        os.utime(path, (0, 0))
    make(SMALL, "SH010", dry_run=True)
    assert all(path.is_dir() for path in left)
    make(SMALL, "SH010")
    assert film.leftovers() == []


def test_the_manifest_says_which_versions_made_it_and_why_so(make: Make) -> None:
    """The version is no reason to make a package anew, nor is the renderer."""
    (item,) = make(SMALL, "SH010")
    manifest = load_manifest(item.package)
    assert manifest.source == {"blend": "film.blend", "blender": "5.0.1", "second_unit": extension_version()}
    assert manifest.renderer["name"] == "zbuffer"
    assert manifest.renderer["reason"] == "auto"
    assert [again.made for again in make(replace(SMALL, renderer="zbuffer"), "SH010")] == [False]
    (asked,) = make(replace(SMALL, renderer="zbuffer", frames=FrameRange(1001, 1002)), "SH010")
    assert load_manifest(asked.package).renderer == {"name": "zbuffer", "reason": "zbuffer"}


def test_too_little_space_is_refused_before_the_first_frame(
    make: Make, film: Any, host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from second_unit.addon.commands import condition as module

    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    before = film.files()
    with pytest.raises(StorageError, match="MB left"):
        make()
    assert host.tasks == []
    assert film.files() == before


# What makes two packages equal.


def order(**changes: Any) -> PackageOrder:
    frame_map = as_is(FrameRange(1001, 1004), (0, 0), load_profile("wan-vace-14b").rule)
    values: dict[str, Any] = {
        "shot_uuid": "u", "shot_name": "SH010", "source": {"blend": "film.blend", "blender": "5.0.1"},
        "fps": Fraction(24),
        "frame_map": frame_map, "hashes": {t: f"hash {t}" for t in frame_map.times}, "size": (64, 48),
        "crop": Crop(0, 2, 64, 44), "profile": load_profile("wan-vace-14b"), "quality": "draft", "people": ("Ada",),
    }  # fmt: skip
    return PackageOrder(**{**values, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"shot_name": "SH015"}, {"shot_uuid": "other"}, {"source": {"blend": "film_v2.blend"}},
        {"volatile": {"seconds": 9}}, {"renderer": {"name": "cycles"}}, {"source": {"second_unit": "9.9.9"}},
        {"passes": tuple(reversed(USUAL))},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_names_and_clocks_do_not_count(changes: dict[str, Any]) -> None:
    assert order(**changes).input_hash == order().input_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"hashes": {t: f"other {t}" for t in order().frame_map.times}}, {"size": (96, 48)},
        {"fps": Fraction(24000, 1001)},
        {"quality": "final"}, {"people": ("Ada", "Bob")}, {"passes": ("depth",)},
        {"profile": replace(load_profile("wan-vace-14b"), name="other")},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_pictures_timing_and_profile_count(changes: dict[str, Any]) -> None:
    assert order(**changes).input_hash != order().input_hash


def test_the_order_of_frames_counts() -> None:
    swapped = order()
    times = swapped.frame_map.times
    hashes = dict(zip(times, [swapped.hashes[t] for t in reversed(times)], strict=True))
    assert order(hashes=hashes).input_hash != swapped.input_hash


def test_a_damaged_package_is_made_again(make: Make, film: Any) -> None:
    """Whatever is not as its manifest says; the same bytes come back."""
    first = make()[0].package
    for name in ("playblast/1001.png", load_manifest(first).video_of("guide", 0).file):
        file = first / name
        whole = file.read_bytes()
        file.write_bytes(b"")
        again = make()
        assert [item.made for item in again] == [True, False]
        assert (again[0].package, file.read_bytes()) == (first, whole)
    assert film.leftovers() == []
