# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot drawn in one piece, in several, or in several goes: the same package. How it ends when one part fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.commands.condition import Conditioned, ConditionOptions, condition
from second_unit.addon.commands.drawing import balanced, settled
from second_unit.addon.errors import CancelledByUser, HostError, SecondUnitError, UsageError
from second_unit.addon.shot.package import load_manifest
from second_unit.addon.shot.shot import Blocking
from second_unit.addon.shot.timing import FrameRange

ALL = ConditionOptions(
    size=(32, 32), passes=("depth", "depth16", "pose", "guide", "normal", "lineart", "segmentation", "playblast")
)
LONG = FrameRange(1001, 1033)
Make = Callable[..., list[Conditioned]]


@pytest.fixture
def make(film: Any, host: Any, open_film: Callable[..., Any]) -> Make:
    """Condition the film as it is now."""
    assert host.tasks == []

    def run(options: ConditionOptions = ALL, *only: str) -> list[Conditioned]:
        return condition(open_film(*only), film.info, options)

    return run


@pytest.fixture
def long_film(film: Any) -> Any:
    """One shot of 33 frames."""
    film.info = replace(film.info, frames=LONG, shots=(Blocking("SH010", "Cam SH010", LONG),))
    return film


def packages(film: Any) -> dict[str, bytes]:
    return {name: data for name, data in film.files().items() if "/packages/" in name}


def forget(film: Any, part: str) -> None:
    for path in sorted(film.project.root.rglob("*"), reverse=True):
        if part in path.relative_to(film.project.root).parts:
            path.rmdir() if path.is_dir() else path.unlink()


def drawn(host: Any) -> list[list[str]]:
    return sorted(args["times"] for name, args in host.tasks if name == "condition")


@given(count=st.integers(1, 999), parts=st.integers(1, 64))
def test_parts_are_balanced_and_whole(count: int, parts: int) -> None:
    spans = balanced(count, parts)
    assert [i for first, stop in spans for i in range(first, stop)] == list(range(count))
    sizes = [stop - first for first, stop in spans]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("jobs", [2, 3, 4, 9])
def test_parts_at_once_give_the_bytes_of_the_whole(jobs: int, make: Make, long_film: Any, host: Any) -> None:
    make()
    whole = packages(long_film)
    assert len(whole) > 8 * len(LONG)
    forget(long_film, "cache")
    forget(long_film, "packages")
    host.tasks.clear()
    make(replace(ALL, jobs=jobs))
    assert packages(long_film) == whole
    assert len(drawn(host)) == min(jobs, 4)
    assert [time for times in drawn(host) for time in times] == [str(frame) for frame in range(1001, 1034)]


def test_parts_lead_into_each_other_and_are_lit_alike(make: Make, long_film: Any, host: Any) -> None:
    """The flow of a part's last frame leads to the first of the next; all meter the same frame."""
    make(replace(ALL, jobs=4))
    told = sorted((args for name, args in host.tasks if name == "condition"), key=lambda args: args["times"])
    assert [args["after"] for args in told] == [*(args["times"][0] for args in told[1:]), "1034"]
    assert {args["meter"] for args in told} == {1001}
    assert long_film.leftovers() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), HostError("Blender was killed.", "Try again.")])
@pytest.mark.parametrize("jobs", [1, 4])
def test_stopped_half_way_and_resumed_gives_the_bytes_of_the_whole(
    error: BaseException, jobs: int, make: Make, long_film: Any, host: Any
) -> None:
    make()
    whole = packages(long_film)
    forget(long_film, "cache")
    forget(long_film, "packages")
    draw, seen = host._condition, threading.Event()

    def half(args: dict[str, Any]) -> dict[str, Any]:
        times = args["times"]
        draw({**args, "times": times[: len(times) // 2]})
        if not seen.is_set():
            seen.set()
            raise error
        return draw(args)

    host._condition = half
    with pytest.raises(type(error)):
        make(replace(ALL, jobs=jobs))
    assert packages(long_film) == {}
    assert long_film.leftovers() == []
    host._condition = draw
    make(replace(ALL, jobs=jobs))
    assert packages(long_film) == whole


@pytest.mark.parametrize("damage", ["gone", "empty", "turned", "half"])
def test_a_damaged_cache_gives_the_bytes_of_the_whole(damage: str, make: Make, long_film: Any) -> None:
    """Every third file of it."""
    make()
    whole = packages(long_film)
    forget(long_film, "packages")
    for file in sorted(path for path in long_film.project.cache.rglob("*") if path.is_file())[::3]:
        data = file.read_bytes()
        if damage == "gone":
            file.unlink()
        else:
            middle = len(data) // 2
            turned = data[:middle] + bytes([data[middle] ^ 64]) + data[middle + 1 :]
            file.write_bytes({"empty": b"", "turned": turned, "half": data[:middle]}[damage])
    make()
    assert packages(long_film) == whole


def test_the_cause_is_told_and_not_that_the_others_stopped(make: Make, host: Any, film: Any) -> None:
    """The first shot is still at work when the second one fails."""
    failed = threading.Event()

    def fail(name: str, args: dict[str, Any]) -> None:
        if args.get("camera") == "Cam SH020":
            failed.set()
            raise HostError("The second camera is broken.", "Mend it.")
        if name == "condition":
            failed.wait(10)

    host.before = fail
    with pytest.raises(HostError, match="second camera"):
        make(replace(ALL, jobs=2))
    assert packages(film) == {}


def test_an_interruption_ends_although_parts_are_still_waiting(make: Make, host: Any, film: Any) -> None:
    """Three shots in two parts each, for four children: two parts wait. None of them is begun."""
    shots = [Blocking(f"SH0{n}0", f"Cam {n}", FrameRange(1000 * n, 1000 * n + 20)) for n in (1, 2, 3)]
    film.info = replace(film.info, frames=FrameRange(1000, 3020), shots=tuple(shots))
    begun, ended = threading.Barrier(4), []

    def fail(name: str, _: dict[str, Any]) -> None:
        if name == "condition":
            begun.wait(20)
            raise KeyboardInterrupt

    def run() -> None:
        with pytest.raises(KeyboardInterrupt):
            make(replace(ALL, jobs=4))
        ended.append(True)

    host.before = fail
    # a thread of its own: what hangs is to fail, not to hang
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60)
    assert ended == [True]
    assert host.count("condition") == 4


def test_what_is_settled_keeps_its_order() -> None:
    with ThreadPoolExecutor(3) as pool:
        gate = threading.Event()
        slow: Future[int] = pool.submit(lambda: int(gate.wait(10)))
        quick = pool.submit(lambda: gate.set() or 2)
        assert settled([slow, quick], threading.Event()) == [1, 2]


def test_a_cause_comes_before_those_it_stopped() -> None:
    stop = threading.Event()

    def stopped() -> None:
        stop.wait(10)
        raise CancelledByUser("Stopped.", "Again.")

    def fails() -> None:
        raise ValueError

    with ThreadPoolExecutor(3) as pool, pytest.raises(ValueError):  # noqa: PT011
        settled([pool.submit(stopped), pool.submit(fails), pool.submit(stopped)], stop)


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("frame.json", b"{"), ("frame.json", b"{}"), ("frame.json", b"[]"), ("depth.npy", b""), ("depth.npy", b"junk"),
        ("person.npz", b""), ("person.npz", b"PK junk"),
        ("depth.npy", None), ("person.npz", None), ("playblast.png", None),
    ],
)  # fmt: skip
def test_a_damaged_frame_of_the_cache_is_a_sentence_and_leaves_no_half_package(
    file: str, data: bytes | None, make: Make, film: Any, host: Any
) -> None:
    draw = host._condition

    def draw_and_damage(args: dict[str, Any]) -> dict[str, Any]:
        drawn = draw(args)
        victim = min(film.project.cache.iterdir()) / file
        victim.unlink()
        if data is not None:
            victim.write_bytes(data)
        return drawn

    host._condition = draw_and_damage
    with pytest.raises(SecondUnitError):
        make(replace(ALL, passes=None), "SH010")
    assert packages(film) == {}
    assert film.leftovers() == []
    host._condition = draw
    assert [item.made for item in make(replace(ALL, passes=None), "SH010")] == [True]


# Which passes, and which depth.


def config(film: Any, text: str) -> None:
    film.project.config.parent.mkdir(parents=True, exist_ok=True)
    film.project.config.write_text(f'schema = "second_unit.project/1"\n{text}', "utf-8")


SMALL = replace(ALL, passes=None)


@pytest.fixture
def two_distances(host: Any) -> None:
    """The cameras of the two shots stand at different distances."""
    host.cameras |= {"Cam SH010": 0.25, "Cam SH020": 1.0}


def depth_of(item: Conditioned) -> tuple[float, float]:
    found = load_manifest(item.package).depth
    return found.near, found.far


def test_more_passes_of_the_project_are_made_and_are_the_shots_own(make: Make, film: Any) -> None:
    config(film, '[defaults]\npasses = ["lineart", "normal"]\n')
    (item,) = make(SMALL, "SH010")
    assert {"lineart", "normal", "guide"} <= set(load_manifest(item.package).passes)
    assert film.project.shot("SH010").current.is_file()


def test_a_pass_of_the_project_that_there_is_not_is_named(make: Make, film: Any, host: Any) -> None:
    config(film, '[defaults]\npasses = ["normals"]\n')
    with pytest.raises(UsageError, match="no control pass 'normals'"):
        make(SMALL)
    assert host.tasks == []


@pytest.mark.usefixtures("two_distances")
def test_a_fixed_range_comes_from_the_project_or_before_it_from_the_command_line(make: Make, film: Any) -> None:
    own = [depth_of(item) for item in make(SMALL)]
    assert own[0] != own[1]
    config(film, "[depth]\nnear = 0.5\nfar = 20\n")
    assert [depth_of(item) for item in make(SMALL)] == [(0.5, 20), (0.5, 20)]
    assert [depth_of(item) for item in make(replace(SMALL, depth=(1, 9)))] == [(1, 9), (1, 9)]


@pytest.mark.parametrize(
    "depth", [(20, 0.5), (0, 5), (-1, 5), (3, 3), (float("nan"), 5), (1, float("inf")), (1, float("nan"))]
)
def test_what_is_no_range_is_said_before_anything_is_drawn(
    depth: tuple[float, float], make: Make, host: Any, film: Any
) -> None:
    with pytest.raises(UsageError, match="depth range"):
        make(replace(SMALL, depth=depth))
    assert host.tasks == []
    assert not film.project.root.exists()


def test_half_a_range_is_none(make: Make, film: Any) -> None:
    config(film, "[depth]\nnear = 0.5\n")
    with pytest.raises(UsageError, match=r"from 0\.5 to 0 "):
        make(SMALL)


@pytest.mark.usefixtures("two_distances")
@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("lender", ["SH010", "SH020"])
def test_one_shot_lends_its_range_to_all_in_one_go(lender: str, jobs: int, make: Make, film: Any, host: Any) -> None:
    """Also when it moves: its own range is found anew, and the others follow."""
    own = {item.blocked.shot.name: depth_of(item) for item in make(SMALL)}
    assert own["SH010"] != own["SH020"]
    config(film, f'[depth]\nlock = "{lender}"\n')
    made = make(replace(SMALL, jobs=jobs))
    assert [item.blocked.shot.name for item in made] == ["SH010", "SH020"]
    assert [depth_of(item) for item in made] == [own[lender]] * 2
    host.cameras[f"Cam {lender}"] = 3.0
    moved = [depth_of(item) for item in make(replace(SMALL, jobs=jobs))]
    assert moved[0] == moved[1] != own[lender]


@pytest.mark.usefixtures("two_distances")
def test_a_lock_on_the_command_line_goes_before_a_range_of_the_project(make: Make, film: Any) -> None:
    own = {item.blocked.shot.name: depth_of(item) for item in make(SMALL)}
    config(film, "[depth]\nnear = 0.5\nfar = 20\n")
    (item,) = make(replace(SMALL, lock_depth="SH010"), "SH020")
    assert depth_of(item) == own["SH010"]
    with pytest.raises(UsageError, match="not both"):
        make(replace(SMALL, lock_depth="SH010", depth=(1, 2)))


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("SH010", "The shot 'SH010' has no package"), ("SH999", "There is no shot 'SH999'.* has: SH010, SH020"),
        ("../x", r"There is no shot '\.\./x'"),
    ],
)  # fmt: skip
def test_a_shot_that_has_nothing_to_lend_is_named_before_anything_is_drawn(
    lock: str, said: str, make: Make, host: Any, film: Any
) -> None:
    with pytest.raises(UsageError, match=said):
        make(replace(SMALL, lock_depth=lock), "SH020")
    assert host.tasks == []
    assert packages(film) == {}


def test_a_shot_whose_packages_were_removed_lends_nothing(make: Make, film: Any) -> None:
    (lender,) = make(SMALL, "SH010")
    shutil.rmtree(lender.package)
    with pytest.raises(UsageError, match=r"'SH010' has no package .* Condition 'SH010' first\."):
        make(replace(SMALL, lock_depth="SH010"), "SH020")
    assert film.project.root.is_dir()


def test_a_project_that_fixes_and_shares_depth_is_refused(make: Make, film: Any, host: Any) -> None:
    config(film, '[depth]\nnear = 0.5\nfar = 20\nlock = "SH999"\n')
    with pytest.raises(UsageError, match="fixes a range and shares one"):
        make(SMALL)
    assert host.tasks == []


def test_a_look_at_a_few_frames_lends_nothing(make: Make, host: Any) -> None:
    with pytest.raises(UsageError, match="'SH010' has no package"):
        make(replace(SMALL, lock_depth="SH010", frames=FrameRange(1005, 1009)))
    assert host.tasks == []


@pytest.mark.usefixtures("two_distances")
@pytest.mark.parametrize("encoding", ["linear", "zoe"])
def test_the_8_bit_pictures_of_other_encodings_are_locked_too(encoding: str, make: Make, film: Any) -> None:
    from second_unit.addon.shot.profile import SHIPPED

    text = (SHIPPED / "wan-vace-14b.json").read_text("utf-8")
    film.project.profiles.mkdir(parents=True)
    own = text.replace('"disparity"', f'"{encoding}"')
    (film.project.profiles / "ours.json").write_text(own, "utf-8")
    made = make(replace(SMALL, profile="ours", lock_depth="SH010"))
    first, second = (load_manifest(item.package).depth.grey for item in made)
    assert first.encoding == second.encoding == encoding
    assert (first.near, first.far) == (second.near, second.far)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("0.5-20", 0, ""), ("5", 2, "not two distances"), ("a-b", 2, "not two distances"), ("1-2-3", 2, "distances"),
        ("20-0.5", 2, "not possible"), ("nan-5", 2, "not possible"), ("", 2, "not two distances"),
    ],
)  # fmt: skip
def test_the_range_on_the_command_line(text: str, code: int, said: str, cli: Any, film: Any, host: Any) -> None:
    heard = cli("condition", film.blend, "--size", "32x32", "--shot", "SH010", f"--depth={text}")
    assert heard.code == code
    assert said in heard.err
    assert "Traceback" not in heard.err
    assert (host.count("condition") > 0) == (code == 0)
    assert (Path(film.project.root) / "cache").exists() == (code == 0)
