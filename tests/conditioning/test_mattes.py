# SPDX-License-Identifier: GPL-3.0-or-later
"""Mattes: numbers and colours that belong to names, the same in every frame."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from second_unit.addon.conditioning.files.png import encode_png
from second_unit.addon.conditioning.pictures import mattes
from second_unit.addon.conditioning.pictures.mattes import (
    MatteBy,
    colour_picture,
    id_picture,
    matte_colours,
    matte_ids,
    opaque_matte,
)  # fmt: skip
from second_unit.addon.errors import SceneError
from second_unit.addon.shot.geometry import Tag

CHAIR = Tag("Chair", ("Set", "Furniture"))
TABLE = Tag("Table", ("Set", "Furniture"))
WALL = Tag("Wall", ("Set",))
ANN = Tag("AnnBody", ("People",), cast="Ann")
HAIR = Tag("AnnHair", ("People",), cast="Ann")
SHOT = [WALL, ANN, CHAIR, HAIR, TABLE, CHAIR]

names = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40)


def row(*values: int) -> npt.NDArray[np.uint16]:
    return np.array([values], np.uint16)


def test_ids_are_those_of_sorted_names_over_the_whole_shot() -> None:
    assert matte_ids(SHOT, MatteBy.OBJECT) == {"AnnBody": 1, "AnnHair": 2, "Chair": 3, "Table": 4, "Wall": 5}
    assert matte_ids(SHOT, MatteBy.COLLECTION) == {"Furniture": 1, "People": 2, "Set": 3}
    assert matte_ids(SHOT, MatteBy.CAST) == {"Ann": 1}
    assert matte_ids([], MatteBy.CAST) == {}


def test_a_thing_keeps_its_id_and_colour_when_the_frame_shows_others() -> None:
    ids = matte_ids(SHOT, MatteBy.OBJECT)
    first = id_picture(row(0, 1, 2), [WALL, CHAIR], MatteBy.OBJECT, ids)
    later = id_picture(row(0, 3, 1), [CHAIR, ANN, WALL], MatteBy.OBJECT, ids)
    assert first.tolist() == later.tolist() == [[0, 5, 3]]
    np.testing.assert_array_equal(colour_picture(first, ids), colour_picture(later, ids))
    alone = matte_ids([WALL, CHAIR], MatteBy.OBJECT)
    assert alone != ids, "ids of the frame's own names would be told apart"


def test_the_closest_name_counts_in_a_picture_and_all_of_them_in_opaque_mattes() -> None:
    tags = [WALL, CHAIR, ANN, Tag("Loose")]
    where = row(0, 1, 2, 3, 4)
    ids = matte_ids(SHOT, MatteBy.COLLECTION)
    assert id_picture(where, tags, MatteBy.COLLECTION, ids).tolist() == [[0, 3, 1, 2, 0]]
    mattes_ = {name: opaque_matte(where, tags, MatteBy.COLLECTION, name) for name in ids}
    assert {name: matte.tolist() for name, matte in mattes_.items()} == {
        "Furniture": [[0, 0, 1, 0, 0]], "People": [[0, 0, 0, 1, 0]], "Set": [[0, 1, 1, 0, 0]],
    }  # fmt: skip
    assert {matte.dtype.name for matte in mattes_.values()} == {"float32"}
    assert opaque_matte(where, tags, MatteBy.CAST, "Ann").tolist() == [[0, 0, 0, 1, 0]]
    assert not opaque_matte(where, tags, MatteBy.CAST, "").any(), "nobody is not a name"


def test_ids_survive_a_16_bit_png() -> None:
    picture = row(0, 1, 255, 256, 65535)
    assert np.asarray(Image.open(io.BytesIO(encode_png(picture)))).tolist() == picture.tolist()


@given(names, st.text(min_size=1, max_size=8))
def test_colours_are_distinct_bright_and_belong_to_the_name(known: list[str], more: str) -> None:
    colours = matte_colours(known)
    assert set(colours) == set(known)
    assert len(set(colours.values())) == len(known)
    assert all(max(colour) >= 96 and 0 <= min(colour) <= max(colour) <= 255 for colour in colours.values())
    assert matte_colours(reversed(known)) == colours
    changed = [name for name in known if matte_colours([*known, more])[name] != colours[name]]
    assert not changed or colours[changed[0]] == matte_colours([more])[more]


def test_two_names_that_want_one_colour_get_two(monkeypatch: pytest.MonkeyPatch) -> None:
    wished = iter([(200, 0, 0), (200, 0, 0), (0, 0, 0), (0, 200, 0)])
    monkeypatch.setattr(mattes, "_colour", lambda _seed, _attempt: next(wished))
    assert matte_colours(["b", "a"]) == {"a": (200, 0, 0), "b": (0, 200, 0)}


def test_many_names_have_colours_too() -> None:
    assert len(set(matte_colours(str(i) for i in range(6000)).values())) == 6000


def test_the_flat_picture_has_no_other_colours_and_black_for_nothing() -> None:
    ids = matte_ids(SHOT, MatteBy.OBJECT)
    picture = colour_picture(row(0, 1, 2, 3, 4, 5), ids)
    colours = matte_colours(ids)
    assert [tuple(c) for c in picture[0].tolist()] == [(0, 0, 0), *(colours[name] for name in ids)]
    assert colour_picture(row(0, 0), {}).tolist() == [[[0, 0, 0], [0, 0, 0]]]


def test_more_names_than_numbers_are_told() -> None:
    many = [Tag(str(i), ("All",)) for i in range(65536)]
    with pytest.raises(SceneError, match="65536 names by object"):
        matte_ids(many, MatteBy.OBJECT)
    assert len(matte_ids(many[1:], MatteBy.OBJECT)) == 65535
    assert matte_ids(many, MatteBy.COLLECTION) == {"All": 1}
