# SPDX-License-Identifier: GPL-3.0-or-later
"""Normals in the dialects of BAE and OpenGL; every other sign and order of channels is told apart."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

from second_unit.addon.conditioning.drawing.raster import rasterize
from second_unit.addon.conditioning.drawing.soup import triangle_soup
from second_unit.addon.conditioning.pictures.normal_map import BLACK, NEUTRAL, NormalDialect, normal_map

# Surfaces by where they face, in camera space (x right, y down, z forward) and as each dialect paints them.
FACES = {
    "viewer": ((0, 0, -1), (128, 128, 255), (128, 128, 255)),
    "up": ((0, -1, 0), (128, 255, 128), (128, 255, 128)),
    "right": ((1, 0, 0), (0, 128, 128), (255, 128, 128)),
    "left": ((-1, 0, 0), (255, 128, 128), (0, 128, 128)),
    "down": ((0, 1, 0), (128, 0, 128), (128, 0, 128)),
}


def facing(*normals: tuple[float, ...]) -> Any:
    return np.array([normals], np.float32)


@pytest.mark.parametrize("face", FACES)
def test_faces_have_the_published_colours(face: str) -> None:
    normal, bae, opengl = FACES[face]
    for dialect, colour in ((NormalDialect.BAE, bae), (NormalDialect.OPENGL, opengl)):
        assert np.abs(normal_map(facing(normal), dialect)[0, 0].astype(int) - colour).max() <= 1


@pytest.mark.parametrize("dialect", NormalDialect)
def test_every_other_sign_and_order_of_channels_is_rejected(dialect: NormalDialect) -> None:
    ours = normal_map(facing(*(face[0] for face in FACES.values())), dialect)[0].astype(int)
    column = 1 if dialect is NormalDialect.BAE else 2
    expected = np.array([face[column] for face in FACES.values()])

    def accepted(colours: Any) -> bool:
        return bool(np.abs(colours - expected).max() <= 1)

    assert accepted(ours)
    others = [
        np.where(np.array(signs) > 0, ours, 255 - ours)[:, list(order)]
        for signs in product((1, -1), repeat=3)
        for order in permutations(range(3))
        if (signs, order) != ((1, 1, 1), (0, 1, 2))
    ]
    assert len(others) == 47, "X not flipped, OpenCV's y down and z forward, BGR and all the others"
    assert not [colours for colours in others if accepted(colours)]


def test_a_ball_is_red_on_the_left_for_bae_and_on_the_right_for_opengl(scenes: Any) -> None:
    from second_unit.addon.conditioning.drawing.normal import normals

    camera = scenes.straight((96, 96))
    soup = triangle_soup(scenes.frame(camera, (scenes.sphere(48, 96), scenes.placed((0, 0, 4)))))
    hits = rasterize(soup, camera)
    normal = normals(hits, soup, camera)
    bae, opengl = (normal_map(normal, dialect).astype(int) for dialect in NormalDialect)
    rows, columns = np.nonzero(hits.triangle >= 0)
    left, right = columns.min() + 3, columns.max() - 3
    assert bae[48, left, 0] > bae[48, right, 0] + 150
    assert opengl[48, right, 0] > opengl[48, left, 0] + 150
    for picture in (bae, opengl):
        assert picture[rows.min() + 3, 48, 1] > picture[rows.max() - 3, 48, 1] + 150
        assert picture[48, 48, 2] > 250


def test_nothing_is_the_background_that_was_chosen_and_does_not_blend() -> None:
    half = np.zeros((4, 6, 3), np.float32)
    half[:, :3] = (1, 0, 0)
    for background in (NEUTRAL, BLACK):
        picture = normal_map(half, NormalDialect.OPENGL, background)
        assert (picture[:, 3:] == background).all()
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 2
    assert (normal_map(half, NormalDialect.BAE)[:, 3:] == (128, 128, 255)).all()


def test_linear_values_without_gamma_and_without_overflow() -> None:
    steps = np.linspace(-1, 1, 201).astype(np.float32)
    normal = np.stack([steps, 0 * steps, -np.sqrt(1 - steps**2)], axis=-1)[None]
    red = normal_map(normal, NormalDialect.OPENGL)[0, :, 0].astype(float)
    np.testing.assert_allclose(red, (steps + 1) / 2 * 255, atol=0.51)
    long = normal_map(facing((1.01, -1.01, -1.01)), NormalDialect.OPENGL)
    assert (long == 255).all(), "a normal a little too long does not wrap around"
