# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rehearsal paints: people where the guide has them, depth as depth, steady from frame to frame."""

from __future__ import annotations

import colorsys
import io
import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from second_unit.addon.generation.rehearsal.palette import PALETTES, choose_look
from second_unit.addon.generation.rehearsal.shade import Painter
from second_unit.addon.generation.rehearsal.stamp import word_mask
from second_unit.addon.generation.rehearsal.sticks import LIMBS, Person, colour_mask, read_drawing, read_people

Picture = npt.NDArray[np.uint8]
Joints = dict[int, tuple[float, float]]
SIZE = (416, 240)
COLOURS = [tuple(round(255 * part) for part in colorsys.hsv_to_rgb(index / 18, 1, 1)) for index in range(18)]
# A standing body, one unit of trunk high, neck at the origin; x right, y down.
BODY: Joints = {
    0: (0.04, -0.34), 1: (0, 0), 2: (-0.38, 0.04), 3: (-0.48, 0.6), 4: (-0.5, 1.1), 5: (0.38, 0.04), 6: (0.5, 0.58),
    7: (0.42, 1.05), 8: (-0.22, 1.0), 9: (-0.3, 1.9), 10: (-0.32, 2.75), 11: (0.22, 1.0), 12: (0.26, 1.88),
    13: (0.3, 2.7), 14: (-0.06, -0.42), 15: (0.13, -0.42), 16: (-0.16, -0.38), 17: (0.22, -0.38),
}  # fmt: skip


def body(x: float, y: float, unit: float) -> Joints:
    return {joint: (x + dx * unit, y + dy * unit) for joint, (dx, dy) in BODY.items()}


def wall_and_floor() -> Picture:
    """Sky, a wall from x = 60 to 200, a floor that comes nearer to the bottom."""
    width, height = SIZE
    grey = np.zeros((height, width), np.uint8)
    grey[120:] = np.linspace(20, 230, height - 120).astype(np.uint8)[:, None]
    grey[40:150, 60:200] = 70
    return np.repeat(grey[..., None], 3, axis=2)


def draw(people: list[Joints], canvas: Picture, *, is_swapped: bool = False, dark: float = 0.6) -> Picture:
    """COCO-18 as ControlNet draws it, over black shapes of the bodies."""
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    for joints in people:
        for a, b in LIMBS[:13]:
            pen.line([joints[a], joints[b]], (0, 0, 0), 14)
    for joints in people:
        for index, (a, b) in enumerate(LIMBS):
            pen.polygon(ellipse(joints[a], joints[b]), tinted(index, is_swapped=is_swapped, dark=dark))
        for joint, (x, y) in joints.items():
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], tinted(joint, is_swapped=is_swapped, dark=1))
    return np.asarray(image)


def tinted(index: int, *, is_swapped: bool, dark: float) -> tuple[int, ...]:
    colour = COLOURS[index][::-1] if is_swapped else COLOURS[index]
    return tuple(int(part * dark) for part in colour)


def ellipse(a: tuple[float, float], b: tuple[float, float]) -> list[tuple[float, float]]:
    x, y, turn = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, math.atan2(b[1] - a[1], b[0] - a[0])
    half = math.hypot(a[0] - b[0], a[1] - b[1]) / 2
    points: list[tuple[float, float]] = []
    for step in range(36):
        u, v = half * math.cos(step * math.pi / 18), 4 * math.sin(step * math.pi / 18)
        points.append((x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)))
    return points


def lossy(picture: Picture) -> Picture:
    """Colour at half size and small errors, as a movie brings them."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=92, subsampling=2)
    return np.asarray(Image.open(data).convert("RGB"))


def read(picture: Picture, *, is_swapped: bool = False) -> list[Person]:
    return read_people(read_drawing(picture, colour_mask(picture)), is_swapped=is_swapped).people


BODIES = [body(90, 70, 45), body(250, 60, 60)]


@pytest.mark.parametrize("is_lossy", [False, True])
@pytest.mark.parametrize("is_swapped", [False, True])
def test_people_are_read_back_where_they_were_drawn(is_swapped: bool, is_lossy: bool) -> None:
    picture = draw(BODIES, wall_and_floor(), is_swapped=is_swapped)
    people = read(lossy(picture) if is_lossy else picture, is_swapped=is_swapped)
    assert len(people) == 2
    for person, truth in zip(people, BODIES, strict=True):
        # The nose of a small figure is under its eyes.
        for joint in range(1, 14):
            assert math.dist(person.joints[joint], truth[joint]) < 4, joint


@pytest.mark.parametrize("is_swapped", [False, True])
def test_the_order_of_colours_shows_in_the_drawing(is_swapped: bool) -> None:
    drawing = read_drawing(
        picture := lossy(draw(BODIES, wall_and_floor(), is_swapped=is_swapped)), colour_mask(picture)
    )
    right, wrong = (read_people(drawing, is_swapped=flag).score for flag in (is_swapped, not is_swapped))
    assert right > 2 * wrong


def test_limbs_that_are_not_darkened_are_read_too() -> None:
    people = read(draw([BODIES[1]], wall_and_floor(), dark=1.0))
    assert len(people) == 1
    for joint in (2, 3, 4, 8, 9, 10):
        assert math.dist(people[0].joints[joint], BODIES[1][joint]) < 8, joint


def test_a_depth_guide_without_people_has_none() -> None:
    assert read(lossy(wall_and_floor())) == []


def paint(guides: list[list[Picture]], prompt: str = "desert", seed: int = 1) -> list[Picture]:
    painter = Painter(prompt, seed, SIZE)
    return [painter.paint(guide, index) for index, guide in enumerate(guides)]


def gap(a: Picture, b: Picture) -> float:
    """Mean difference of slightly blurred pictures: grain does not count."""
    small = [Image.fromarray(picture).resize((SIZE[0] // 8, SIZE[1] // 8), Image.Resampling.BOX) for picture in (a, b)]
    return float(np.abs(np.asarray(small[0], np.float32) - np.asarray(small[1], np.float32)).mean())


def test_the_same_input_gives_the_same_pixels() -> None:
    guide = draw(BODIES, wall_and_floor())
    np.testing.assert_array_equal(paint([[guide]])[0], paint([[guide]])[0])


def test_a_still_guide_stands_still_but_for_grain() -> None:
    guide = draw(BODIES, wall_and_floor())
    frames = paint([[guide]] * 4)
    assert max(gap(frames[0], frame) for frame in frames) < 0.8
    assert not np.array_equal(frames[0], frames[1])


def test_a_slow_move_does_not_flicker() -> None:
    guides = [[lossy(draw([body(90 + step, 70, 45), body(250 - step, 60, 60)], wall_and_floor()))] for step in range(8)]
    frames = paint(guides)
    steps = [gap(a, b) for a, b in itertools.pairwise(frames)]
    assert max(steps) < 4
    assert max(steps) < 2.5 * float(np.median(steps)) + 0.5


def shirt(frame: Picture, joints: Joints) -> npt.NDArray[np.float64]:
    x, y = joints[1][0], (joints[1][1] + joints[8][1]) / 2
    return frame[int(y) - 4 : int(y) + 4, int(x) - 3 : int(x) + 3].reshape(-1, 3).mean(axis=0)


def test_people_keep_their_clothes_when_they_pass_each_other() -> None:
    paths = [[body(100 + 12 * step, 80, 40), body(300 - 12 * step, 66, 60)] for step in range(17)]
    frames = paint([[draw(people, wall_and_floor())] for people in paths], prompt="snow")
    for person in (0, 1):
        before, after = shirt(frames[0], paths[0][person]), shirt(frames[-1], paths[-1][person])
        other = shirt(frames[0], paths[0][1 - person])
        assert np.abs(before - after).sum() < np.abs(before - other).sum()


def shirts(paths: list[list[Joints]], frames: list[Picture], person: int) -> npt.NDArray[np.float64]:
    return np.stack([shirt(frame, people[person]) for frame, people in zip(frames, paths, strict=True)])


def walk(steps: range) -> list[list[Joints]]:
    """Two people: one walks to the right; the other leaves over the right edge, half of it, and passes the first."""
    return [[body(80 + 8 * step, 66, 45), body(returning(step), 56, 55)] for step in steps]


def returning(step: int) -> float:
    return 350 + 66 * math.sin(step / 5) if step < 16 else 350 - 13 * (step - 15.7)


def clipped(people: list[Joints]) -> list[Joints]:
    """No pose beyond the edge, as drawers of poses leave it out."""
    return [{joint: place for joint, place in joints.items() if place[0] < SIZE[0]} for joints in people]


def draw_seen(people: list[Joints]) -> Picture:
    """Limbs whose joints are both in the picture, over whole black shapes."""
    image = Image.fromarray(wall_and_floor())
    pen = ImageDraw.Draw(image)
    for joints in people:
        for a, b in LIMBS[:13]:
            pen.line([joints[a], joints[b]], (0, 0, 0), 14)
    for joints in clipped(people):
        for index, (a, b) in enumerate(LIMBS):
            if a in joints and b in joints:
                pen.polygon(ellipse(joints[a], joints[b]), tinted(index, is_swapped=False, dark=0.6))
        for joint, (x, y) in joints.items():
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], tinted(joint, is_swapped=False, dark=1))
    return lossy(np.asarray(image))


def test_clothes_stay_on_while_somebody_partly_leaves_and_comes_back_past_the_other() -> None:
    paths = walk(range(32))
    frames = paint([[draw_seen(people)] for people in paths], prompt="snow")
    first, second = (shirts(paths, frames, person) for person in (0, 1))
    apart = np.abs(first[0] - second[0]).sum()
    assert apart > 60
    necks = np.array([[joints[1][0] for joints in people] for people in paths])
    is_clear = np.abs(necks[:, 0] - necks[:, 1]) > 60
    is_inside = is_clear & (necks[:, 1] < SIZE[0] - 12)
    assert necks[-1, 0] > necks[-1, 1] + 60
    assert is_inside.sum() < is_clear.sum()
    assert np.abs(first[is_clear] - first[0]).sum(axis=1).max() < 0.5 * apart
    assert np.abs(second[is_inside] - second[0]).sum(axis=1).max() < 0.5 * apart


def test_a_later_piece_of_a_shot_dresses_people_as_the_first_did() -> None:
    paths = walk(range(16))
    whole = paint([[draw_seen(people)] for people in paths[:3]], prompt="snow")
    later = paint([[draw_seen(people)] for people in paths[13:]], prompt="snow")
    apart = np.abs(shirt(whole[0], paths[0][0]) - shirt(whole[0], paths[0][1])).sum()
    for person in (0, 1):
        change = np.abs(shirt(whole[0], paths[0][person]) - shirt(later[-1], paths[15][person])).sum()
        assert change < 0.5 * apart


def test_shots_of_one_seed_share_clothes_and_the_first_two_contrast() -> None:
    for seed in range(12):
        looks = [choose_look(prompt, seed) for prompt in ("a night", "a dawn")]
        assert looks[0].outfit(0) == looks[1].outfit(0)
        first, second = (np.array(looks[0].outfit(person).top) for person in (0, 1))
        assert np.abs(first - second).sum() > 0.5


def test_what_stands_still_does_not_flicker_while_people_walk() -> None:
    guides = [lossy(draw([body(200 + 3 * step, 60, 45)], wall_and_floor())) for step in range(10)]
    frames = paint([[guide] for guide in guides])
    for (before, after), (old, new) in zip(itertools.pairwise(frames), itertools.pairwise(guides), strict=True):
        change = np.abs(old.astype(int) - new).max(axis=2).astype(np.uint8)
        is_still = np.asarray(Image.fromarray(change).reduce(8)) == 0
        means = [np.asarray(Image.fromarray(frame).reduce(8)).astype(int) for frame in (before, after)]
        assert is_still.mean() > 0.3
        assert np.abs(means[0] - means[1])[is_still].mean() < 1.5


def test_no_stick_and_no_black_shape_is_left() -> None:
    guide = draw(BODIES, wall_and_floor())
    frame = paint([[guide]])[0]
    stamp = np.zeros(frame.shape[:2], np.bool_)
    stamp[-30:, :90] = True
    high, low = frame.max(axis=2).astype(int), frame.min(axis=2).astype(int)
    assert not ((high - low > 200) & ~stamp).any()
    assert ((high < 12) & ~stamp).mean() < 0.002


def test_the_sky_is_sky_and_the_far_is_hazier_than_the_near() -> None:
    near, far = (np.full((*SIZE[::-1], 3), level, np.uint8) for level in (220, 15))
    sky = np.zeros((*SIZE[::-1], 3), np.uint8)
    middle = np.s_[60:160, 100:300]
    pictures = [paint([[guide]], prompt="night")[0][middle] for guide in (near, far, sky)]
    assert gap_of(pictures[1], pictures[2]) < gap_of(pictures[0], pictures[2])


def gap_of(a: Picture, b: Picture) -> float:
    return float(np.abs(a.astype(np.float32) - b.astype(np.float32)).mean())


def test_two_movies_paint_nearly_what_one_composite_does() -> None:
    composite = paint([[draw(BODIES, wall_and_floor())]])[0]
    pose = draw(BODIES, np.zeros_like(wall_and_floor()))
    split = paint([[wall_and_floor(), pose]])[0]
    # Only the composite shows the outline of clothes.
    assert gap(composite, split) < 8
    assert gap(split, paint([[wall_and_floor()]])[0]) > 1


def test_without_any_guide_there_is_still_a_picture() -> None:
    frame = paint([[]])[0]
    assert frame.shape == (SIZE[1], SIZE[0], 3)
    assert frame.std() > 3


@pytest.mark.parametrize("size", [(832, 480), (1280, 720), (480, 832), (416, 240)])
def test_rehearsal_is_burnt_in_bottom_left(size: tuple[int, int]) -> None:
    frame = Painter("snow", 1, size).paint([np.full((size[1], size[0], 3), 90, np.uint8)], 0)
    scale = max(1, size[1] // 300)
    mask = word_mask(scale)
    corner = frame[size[1] - 40 * scale :, : 90 * scale].max(axis=2)
    best = max(
        float(window[mask].mean() - window[~mask].mean())
        for top in range(corner.shape[0] - mask.shape[0])
        for left in range(12 * scale)
        if (window := corner[top : top + mask.shape[0], left : left + mask.shape[1]].astype(np.float32)).shape
        == mask.shape
    )
    assert best > 60


@pytest.mark.parametrize(
    ("prompt", "name"),
    [("INT. NIGHT, rain", "night"), ("rain at night", "rain"), ("a neon alley", "neon"), ("Snowy peaks", "snow")],
)
def test_words_choose_the_palette(prompt: str, name: str) -> None:
    assert choose_look(prompt, 1).palette is PALETTES[name]


def test_words_inside_words_do_not() -> None:
    palettes = {id(choose_look("training a brainy knight", seed).palette) for seed in range(40)}
    assert len(palettes) > 2


def test_hostile_words_are_only_words() -> None:
    for prompt in ("(" * 5000, "\\", "\0", "[a-", "%s{0}"):
        look: Any = choose_look(prompt, 0)
        assert np.isclose(np.linalg.norm(look.light), 1)
