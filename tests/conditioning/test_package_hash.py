# SPDX-License-Identifier: GPL-3.0-or-later
"""A package has the name of another one only when all of its pictures, and all that is said of them, are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from second_unit.addon.conditioning.package import DepthChoice, PackageOrder
from second_unit.addon.conditioning.passes import USUAL
from second_unit.addon.conditioning.pictures.depth import DepthRange
from second_unit.addon.shot.camera import Crop
from second_unit.addon.shot.profile import Carriage, Transport, load_profile
from second_unit.addon.shot.timing import FrameRange, as_is

SIZE = (64, 48)
FLOWING = (*USUAL, "flow")
Change = Callable[[PackageOrder], PackageOrder]


@pytest.fixture
def order() -> PackageOrder:
    """Five frames with a flow pass, of a model that is sent depth, pose and normals."""
    usual = load_profile("wan-vace-14b")
    profile = replace(usual, controls=("depth", "pose", "normal"), transport=Transport())
    frame_map = as_is(FrameRange(1, 5), (0, 0), profile.rule)
    return PackageOrder(
        "uuid", "SH010", {"blend": "a.blend"}, Fraction(24), frame_map,
        {time: f"frame{time}" for time in frame_map.times}, SIZE, Crop(0, 0, *SIZE), profile, "draft",
        ("Ada", "Ben"), FLOWING, {time: f"after{time}" for time in frame_map.times},
        people_told=({"id": 0, "rig": "Ada", "cast": "ada"}, {"id": 1, "rig": "Ben", "cast": ""}),
        volatile={"made": "today"},
    )  # fmt: skip


def swapped(names: Mapping[Fraction, str]) -> dict[Fraction, str]:
    """Only one frame, in the middle, is another one."""
    return {**names, sorted(names)[2]: "other"}


def profile(**changes: Any) -> Change:
    return lambda order: replace(order, profile=replace(order.profile, **changes))


def depth(**choice: Any) -> Change:
    return lambda order: replace(order, depth=DepthChoice(**choice))


def retimed(order: PackageOrder) -> PackageOrder:
    """The same pictures in the same order, of other frames of the scene."""
    frame_map = as_is(FrameRange(11, 15), (0, 0), order.profile.rule)
    hashes, following = ({time + 10: name for time, name in one.items()} for one in (order.hashes, order.following))
    return replace(order, frame_map=frame_map, hashes=hashes, following=following)


CAST = ({"id": 0, "rig": "Ada", "cast": "eve"}, {"id": 1, "rig": "Ben", "cast": ""})
RECAST = ({"id": 0, "rig": "Ada", "cast": ""}, {"id": 1, "rig": "Ben", "cast": "ada"})
CHANGES: dict[str, Change] = {
    "depth by hand": depth(manual=(1.0, 9.0)),
    "farther by hand": depth(manual=(1.0, 10.0)),
    "depth of another shot": depth(locked=DepthRange(1.0, 9.0)),
    "nearer in another shot": depth(locked=DepthRange(2.0, 9.0)),
    "grey of another shot": depth(locked=DepthRange(1.0, 9.0), grey=DepthRange(1.0, 9.0)),
    "other grey of another shot": depth(locked=DepthRange(1.0, 9.0), grey=DepthRange(1.0, 8.0)),
    "a frame": lambda order: replace(order, hashes=swapped(order.hashes)),
    "a frame after": lambda order: replace(order, following=swapped(order.following)),
    "normal dialect": profile(normal_dialect="opengl"),
    "depth encoding": profile(depth_encoding="linear"),
    "zoe": profile(depth_encoding="zoe"),
    "pose parts": profile(pose_parts=("body", "hands")),
    "pose dialect": profile(pose_dialect="openpose"),
    "transport": profile(transport=Transport(Carriage.FFV1)),
    "transport of one control": profile(transport=Transport(exact=Carriage.FFV1, always_exact=("pose",))),
    "transport below a size": profile(transport=Transport(exact=Carriage.FFV1, exact_below={"depth": 49})),
    "controls": profile(controls=("pose", "depth", "normal")),
    "rate of the model": profile(fps=Fraction(25)),
    "model": profile(name="another"),
    "cast": lambda order: replace(order, people_told=CAST),
    "cast of another": lambda order: replace(order, people_told=RECAST),
    "people": lambda order: replace(order, people=("Ada", "Eve")),
    "width": lambda order: replace(order, size=(80, 48)),
    "height": lambda order: replace(order, size=(64, 64)),
    "passes": lambda order: replace(order, passes=(*FLOWING, "depth_exr")),
    "without flow": lambda order: replace(order, passes=USUAL),
    "quality": lambda order: replace(order, quality="final"),
    "rate of the scene": lambda order: replace(order, fps=Fraction(25)),
    "unit": lambda order: replace(order, metres_per_unit=0.01),
    "guessed classes": lambda order: replace(order, guess_classes=True),
    "timing": retimed,
    "a note": lambda order: replace(order, notes=("The glass of 'Sphere' is drawn as a solid surface.",)),
    "confidence": lambda order: replace(order, people_told=({**order.people_told[0], "confidence": 0.5}, CAST[1])),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_what_shows_in_the_package_shows_in_its_name(order: PackageOrder, name: str) -> None:
    changed = CHANGES[name](order)
    assert changed != order
    others = {order.input_hash, *(change(order).input_hash for other, change in CHANGES.items() if other != name)}
    assert changed.input_hash not in others
    assert changed.folder_name.startswith(f"{changed.profile.name}-")
    assert changed.folder_name != order.folder_name


@pytest.mark.parametrize(
    "change",
    [
        {"shot_name": "SH020"}, {"shot_uuid": "another"}, {"source": {"blend": "b.blend"}},
        {"volatile": {"made": "tomorrow"}}, {"passes": FLOWING[::-1]},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_names_and_clocks_do_not(order: PackageOrder, change: dict[str, Any]) -> None:
    changed = replace(order, **change)
    assert changed != order
    assert (changed.input_hash, changed.folder_name) == (order.input_hash, order.folder_name)


def test_what_follows_counts_only_where_there_is_flow(order: PackageOrder) -> None:
    """A frame after the last one that changes must not make a package without flow anew."""
    still = replace(order, passes=USUAL)
    assert replace(still, following=swapped(order.following)).input_hash == still.input_hash
    assert replace(still, following={}).input_hash == still.input_hash


def test_a_control_that_is_not_sent_has_no_transport(order: PackageOrder) -> None:
    unsent = profile(transport=Transport(exact=Carriage.FFV1, always_exact=("lineart",)))(order)
    assert unsent.profile.transport != order.profile.transport
    assert unsent.input_hash == order.input_hash
