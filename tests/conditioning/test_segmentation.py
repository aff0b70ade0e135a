# SPDX-License-Identifier: GPL-3.0-or-later
"""ADE20K colours by assignment, person for people, guesses on request, and nothing blended."""

from __future__ import annotations

import hashlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.conditioning.pictures.ade20k import ADE20K
from second_unit.addon.conditioning.pictures.class_names import MEANINGS, SYNONYMS, guess_class
from second_unit.addon.conditioning.pictures.segmentation import UNASSIGNED, check_class, class_name, segmentation
from second_unit.addon.errors import UsageError
from second_unit.addon.shot.geometry import Tag

# all 150 colours as published, in order
PALETTE_SHA256 = "ce475c9151035eff51f4cf27fd7d906959b1480f6d15b9423ae2417c1b23a0ed"


def numbers(*rows: list[int]) -> npt.NDArray[np.uint16]:
    return np.array(rows, np.uint16)


def test_a_class_that_does_not_exist_names_the_object() -> None:
    """Of two thousand objects, one has a typo."""
    with pytest.raises(UsageError, match=r"Stool.*chiar"):
        segmentation(np.ones((1, 1), np.uint16), [Tag("Stool", label="chiar")])


def test_the_palette_is_the_published_one() -> None:
    names, colours = list(ADE20K), list(ADE20K.values())
    assert len(names) == 150
    assert len(set(colours)) == 149
    assert ADE20K["road"] == ADE20K["skyscraper"] == (140, 140, 140)
    known = {0: ("wall", (120, 120, 120)), 12: ("person", (150, 5, 61)), 2: ("sky", (6, 230, 230))}
    known |= {50: ("refrigerator", (20, 255, 0)), 100: ("poster", (143, 255, 0)), 149: ("flag", (92, 0, 255))}
    assert {i: (names[i], colours[i]) for i in known} == known
    assert hashlib.sha256(bytes(c for colour in colours for c in colour)).hexdigest() == PALETTE_SHA256


def test_assigned_classes_have_their_colour_and_bgr_is_told_apart() -> None:
    tags = [Tag("a", label="tree"), Tag("b", label="Swivel_Chair"), Tag("c")]
    picture = segmentation(numbers([0, 1, 2, 3]), tags)
    expected = [[0, 0, 0], [4, 200, 3], [10, 0, 255], [0, 0, 0]]
    assert picture.tolist() == [expected]
    assert picture[..., ::-1].tolist() != [expected]
    assert UNASSIGNED not in ADE20K.values()


def test_people_are_persons_unless_assigned_otherwise_and_only_people() -> None:
    tags = [Tag("Body"), Tag("Robot", label="sculpture"), Tag("Box")]
    person = np.array([[0, 1, 2, 0]], np.uint8)
    picture = segmentation(numbers([0, 1, 2, 3]), tags, person, guess=True)
    assert [tuple(colour) for colour in picture[0].tolist()] == [
        UNASSIGNED, ADE20K["person"], ADE20K["sculpture"], ADE20K["box"],
    ]  # fmt: skip


def test_the_sky_is_painted_only_when_asked_for_and_only_where_nothing_is() -> None:
    where = numbers([0, 1], [1, 0])
    assert segmentation(where, [Tag("x")]).max() == 0
    picture = segmentation(where, [Tag("x")], sky=True)
    assert (picture[where == 0] == ADE20K["sky"]).all()
    assert (picture[where == 1] == UNASSIGNED).all()


def test_guesses_are_made_on_request_from_the_object_before_its_collections() -> None:
    tags = [Tag("Kitchen_Table", ("Walls",)), Tag("Cube.003", ("House", "Floor")), Tag("Cube", ("House", "Misc"))]
    everything = numbers([1, 2, 3])
    assert segmentation(everything, tags).max() == 0
    guessed = [tuple(colour) for colour in segmentation(everything, tags, guess=True)[0].tolist()]
    assert guessed == [ADE20K["table"], ADE20K["floor"], ADE20K["house"]]


@given(st.integers(0, 2**32 - 1))
def test_no_colour_is_there_that_is_no_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tags = [Tag(str(i), label=str(rng.choice(list(ADE20K)))) for i in range(5)]
    where = rng.integers(0, 6, (20, 30)).astype(np.uint16)
    allowed = {UNASSIGNED, *(ADE20K[tag.label] for tag in tags)}

    def accepted(picture: Any) -> bool:
        return {tuple(colour) for colour in picture.reshape(-1, 3).tolist()} <= allowed

    picture = segmentation(where, tags)
    assert accepted(picture)
    small = cv2.resize(picture, (13, 9), interpolation=cv2.INTER_AREA)
    assert not accepted(small), "blended edges are told apart"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "wall"), (12, "person"), (149, "flag"), (19.0, "chair"), (" Chair ", "Chair"), ("", ""), (150, "150"),
        (-1, "-1"), (0.5, "0.5"), (float("nan"), "nan"), (float("inf"), "inf"), (True, "True"), (False, "False"),
    ],
)  # fmt: skip
def test_a_class_may_be_its_number_in_ade20k_where_wall_is_0(value: str | float, expected: str) -> None:
    assert class_name(value) == expected


@pytest.mark.parametrize(("wrong", "hint"), [("chairs", "chair"), ("persn", "person"), ("xyzzy", "wall")])
def test_what_is_no_class_is_refused_with_a_hint(wrong: str, hint: str) -> None:
    with pytest.raises(UsageError, match="not a class of ADE20K") as error:
        segmentation(numbers([1]), [Tag("a", label=wrong)])
    assert hint in error.value.fix
    assert check_class("") == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Wall.001", "wall"), ("wall", "wall"), ("WALL_Brick", "wall"), ("Kitchen_Table", "table"),
        ("KitchenTable", "table"), ("table lamp", "lamp"), ("Table_Lamp.012", "lamp"), ("Chairs", "chair"),
        ("SM_Bench_02", "bench"), ("OfficeChair", "swivel chair"), ("carpet", "rug"), ("Carpet.002", "rug"),
        ("glass_of_water", "glass"), ("Window_Glass", "windowpane"), ("Wall_Stone", "wall"), ("Stone.004", "rock"),
        ("TVScreen", "television receiver"), ("Street Lamp", "streetlight"), ("Bookshelves", "bookcase"),
        ("Boxes", "box"), ("bushes", "plant"), ("CAR_body_paint", "car"), ("Dog", "animal"), ("Counter", "counter"),
        ("Coffee-Table", "coffee table"), ("Glasses", "glass"), ("stairs", "stairs"), ("Stairs_Left", "stairs"),
        ("Grass_Field", "grass"), ("traffic light.003", "traffic light"), ("Lampe", None), ("Fußboden", None),
        ("cargo", None), ("scar", None), ("Armature", None), ("Plane", None), ("Plane.001", None), ("NurbsPath", None),
        ("Cube", None), ("Light", None), ("Key_Light", None), ("tablet", None), ("chairman", None), ("Wallpaper", None),
        ("carpenter", None), ("Wheel_Base", None), ("Upper_Case", None), ("", None), ("...", None), ("_.001", None),
        ("Suzanne", None), ("Sealed", None), ("bedrock", None), ("rugby", None), ("Floorplan", None),
        ("person", "person"),
    ],
)  # fmt: skip
def test_names_are_guessed_by_whole_words(name: str, expected: str | None) -> None:
    assert guess_class(name) == expected


def test_every_meaning_is_a_class_and_every_class_is_found_by_its_own_name() -> None:
    assert set(MEANINGS.values()) == set(ADE20K)
    assert set(SYNONYMS) <= set(ADE20K)
    silent = {name for name in ADE20K if guess_class(name) != name}
    assert silent == {"light", "path"}, "Blender's own names say nothing"


@given(st.text(max_size=40))
def test_any_name_is_answered(name: str) -> None:
    assert guess_class(name) in {None, *ADE20K}
