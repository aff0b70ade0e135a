# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours, light and wardrobe of a rehearsal, and who wears what.

Chosen by words of the prompt and by hashes, the same for all frames. Clothes and the side of the light follow from
the seed alone: shots of one place share them.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from .sticks import middle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .relief import Plane
    from .sticks import Person, Point

Colour = tuple[float, float, float]
"""sRGB, 0 … 1."""
_Choice = TypeVar("_Choice")
_STEADY = 0.75
_PATIENCE = 24
_SURE = 3
_TRUNK = (1, 8, 11, 2, 5)
_MANY = 4


@dataclass(frozen=True, slots=True)
class Palette:
    """``sky`` is the top of the frame and ``fog`` its horizon; ``ground`` tints what faces up.

    ``haze`` 0 … 1 is its strength.
    """

    shadow: Colour
    mid: Colour
    light: Colour
    ground: Colour
    sky: Colour
    fog: Colour
    haze: float = 0.6


def _hex(text: str, haze: float = 0.6) -> Palette:
    colours = [tuple(int(word[i : i + 2], 16) / 255 for i in (0, 2, 4)) for word in text.split()]
    shadow, mid, light, ground, sky, fog = ((r, g, b) for r, g, b in colours)
    return Palette(shadow, mid, light, ground, sky, fog, haze)


#                      shadow mid    light  ground sky    fog
PALETTES: Mapping[str, Palette] = {
    "teal": _hex("10222e 4f7480 f2dcb4 8a8a72 5f8fa3 c9d6cf"),
    "amber": _hex("2a1a24 9a6248 ffdf9e a07a52 7d90a8 f0cfa0"),
    "dusk": _hex("191a38 6a4f74 ffb68a 5c4a63 3d3c74 f29a7c", 0.7),
    "dawn": _hex("26263f 8a7a8f ffe0c0 8c8078 8fa7d0 f7d3c4", 0.75),
    "night": _hex("070b1a 22355a 9fc0e8 1d2c46 0a1230 2f4a78", 0.65),
    "rain": _hex("161d22 4c5a60 c3d0d0 46525a 5c6a72 9aa8ac", 0.8),
    "snow": _hex("2c3a4e 8fa3b5 ffffff e6edf2 9db4cc e8eff4", 0.7),
    "desert": _hex("3a1c1a b06a3e ffe6b0 d09a5e 5f9fc4 f4d7a8", 0.55),
    "neon": _hex("0d0620 3b2a78 3ff0e0 2a1a4a 140a38 d23fa8", 0.6),
    "noir": _hex("08090b 45484d e9e6df 3a3c40 1c1e22 8d9094", 0.6),
    "forest": _hex("0e1c14 3f6140 e6e6a0 4a5a34 7fa898 b9cfae", 0.7),
    "ember": _hex("1c0d10 6e2f2a ffb45a 4a2b26 2a1a24 c2603a", 0.6),
}
_CHANCE = ("teal", "amber", "dusk", "dawn", "ember", "forest")
_WORDS: Mapping[str, str] = {
    "night": "night|midnight|moon(?:lit|light)?|nocturnal",
    "dusk": "dusk|sunset|twilight|evening|golden hour",
    "dawn": "dawn|sunrise|morning",
    "rain": "rain(?:y|ing)?|storm(?:y)?|overcast|drizzle|fog(?:gy)?|mist(?:y)?",
    "snow": "snow(?:y|ing)?|winter|ice|arctic|blizzard",
    "desert": "desert|dune|dunes|sand|canyon|mars",
    "neon": "neon|cyberpunk|nightclub|synthwave",
    "noir": "noir|black and white|monochrome",
    "forest": "forest|woods|jungle|meadow|garden",
    "ember": "fire|lava|burning|candle(?:light)?|inferno",
    "amber": "warm|summer|autumn|sunny|interior",
}
# A lamp warms what is near; the mood keeps its shade. Light, share of it in the half tones.
_LAMPS: Mapping[str, tuple[str, float]] = {
    "lamp(?:s|light|lit|post)?|lantern(?:s)?|candle(?:s|light|lit)?|torch(?:es|light)?|firelight": ("ffc878", 0.42),
    "sunset|golden hour|tungsten|sodium|headlight(?:s)?": ("ffb066", 0.34),
    "streetlight(?:s)?|street light(?:s)?|window light": ("ffd29a", 0.3),
}


@dataclass(frozen=True, slots=True)
class Outfit:
    """Clothes of one person. ``hem`` is where the top ends, in units of the body below the hips."""

    top: Colour
    legs: Colour
    hat: Colour
    skin: Colour
    hair: Colour
    hem: float


def _colour(text: str) -> Colour:
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def _outfit(text: str, hem: float) -> Outfit:
    top, legs, hat, skin, hair = (_colour(word) for word in text.split())
    return Outfit(top, legs, hat, skin, hair, hem)


# Pairs that differ in hue and in value.      top    legs   hat    skin   hair
PAIRS: tuple[tuple[Outfit, Outfit], ...] = (
    (_outfit("dca23c 3c4a63 b5532f d29e7d 2b1c14", 0.12), _outfit("2c4f6b 23262e 1c2a3a edc2a6 59402a", 1.3)),
    (_outfit("cf5a38 43403f 7a2f22 9e6e52 1d1613", 0.12), _outfit("cfc6b0 4b5563 6d6656 edc2a6 6b4a2a", 1.3)),
    (_outfit("3f8f8a 4a3d33 22575a edc2a6 4a2f1c", 0.12), _outfit("5d2e46 2a2530 341a2a d29e7d 1f1714", 1.3)),
    (_outfit("e0d5bd 56493d a8763f 73503d 1b1512", 0.12), _outfit("7b3326 2b2a30 3c1b18 d29e7d 3a2a1e", 1.3)),
)
_EXTRAS: tuple[Outfit, ...] = (
    _outfit("6d7f45 4a3d33 48562e d29e7d 2b1c14", 0.12),
    _outfit("7a4b78 2c2f3a 4b2c4c edc2a6 59402a", 0.12),
    _outfit("8a8f98 333d3a 55595f 9e6e52 1d1613", 0.12),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What stays the same over all frames.

    ``light`` points from the picture towards the key light: x right, y down, z to us. ``key`` is its colour;
    ``warmth`` 0 … 1 is how much a lamp colours the half tones.
    """

    palette: Palette
    key: Colour
    warmth: float
    light: npt.NDArray[np.float32]
    number: int
    place: int

    def outfit(self, person: int) -> Outfit:
        """Clothes of the n-th person: the first two wear a pair that contrasts."""
        if person < 2:
            return PAIRS[self.place % len(PAIRS)][person]
        return _EXTRAS[(self.place + person) % len(_EXTRAS)]


def choose_look(prompt: str, seed: int) -> Look:
    """The look of a prompt and a seed. The first word that names a mood decides, else chance does."""
    number, place = _number(f"{prompt}\0{seed}"), _number(f"{seed}")
    name = _first(_WORDS.items(), prompt) or _CHANCE[number % len(_CHANCE)]
    side = -1.0 if (place >> 8) & 1 else 1.0
    turn = math.radians(40 + (place >> 16) % 20)
    light = np.array([side * math.sin(turn), -0.75, math.cos(turn) * 0.75], np.float32)
    lamp = _first(((value, words) for words, value in _LAMPS.items()), prompt)
    palette = PALETTES[name]
    key = (palette.light, 0.0) if lamp is None else (_colour(lamp[0]), lamp[1])
    return Look(palette, *key, light / np.linalg.norm(light).astype(np.float32), number, place)


def _first(choices: Iterable[tuple[_Choice, str]], prompt: str) -> _Choice | None:
    """What belongs to the words found first in the prompt."""
    hits = [
        (found.start(), index, value)
        for index, (value, words) in enumerate(choices)
        if (found := re.search(rf"\b(?:{words})\b", prompt.lower()))
    ]
    return min(hits, key=lambda hit: hit[:2])[2] if hits else None


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


@dataclass(slots=True)
class Actor:
    """A person over time: which number, where, how large, how near."""

    number: int
    joints: dict[int, Point]
    unit: float
    near: float
    is_first: bool = False
    speed: Point = (0.0, 0.0)
    seen: int = 0
    missed: int = 0

    def drift(self) -> None:
        """Where it should be by now: people who pass each other keep their way. Lost ones slow down."""
        self.joints = {joint: (x + self.speed[0], y + self.speed[1]) for joint, (x, y) in self.joints.items()}
        self.missed += 1
        if self.missed > 2:
            self.speed = (0.9 * self.speed[0], 0.9 * self.speed[1])

    def move(self, joints: dict[int, Point], unit: float, near: float) -> None:
        """Take the place; follow size and depth slowly, so that a reading that jumps does not show."""
        steps = _steps(self.joints, joints)
        rate = 0.5 if self.seen else 0.0
        x, y = (float(np.median([step[axis] for step in steps])) for axis in (0, 1))
        self.speed = (self.speed[0] + rate * x, self.speed[1] + rate * y)
        self.joints = joints
        self.seen, self.missed = self.seen + 1, 0
        self.unit += (1 - _STEADY) * (unit - self.unit)
        self.near += (1 - _STEADY) * (near - self.near)

    def misfit(self, joints: dict[int, Point], unit: float) -> float:
        """How little a person looks like this actor, in pixels: joints that come and go do not count."""
        return float(np.median([np.hypot(x, y) for x, y in _steps(self.joints, joints)])) + abs(self.unit - unit)


def _steps(before: dict[int, Point], after: dict[int, Point]) -> list[Point]:
    """Ways of the joints that both have, the trunk's if there are any; else the way of the middle."""
    common = before.keys() & after.keys()
    pairs = [(before[joint], after[joint]) for joint in sorted(common & set(_TRUNK) or common)]
    pairs = pairs or [(middle(list(before.values())), middle(list(after.values())))]
    return [(q[0] - p[0], q[1] - p[1]) for p, q in pairs]


@dataclass(slots=True)
class Cast:
    """Follows people from frame to frame so that they keep clothes and size.

    In the first frame they are numbered from left to right. Who comes while somebody is missing is taken for the
    missing one: two people never wear more than two sets of clothes.
    """

    actors: list[Actor] = field(default_factory=list[Actor])
    _frames: int = 0

    def follow(self, people: list[Person], near: Plane) -> list[tuple[int, Actor]]:
        """Index of each person with its actor, the farthest first: the nearer are drawn over them."""
        for actor in self.actors:
            actor.drift()
        units = [max(person.unit(), 6.0) for person in people]
        chosen = self._matches(people, units, near.shape[1])
        for index in sorted(range(len(people)), key=lambda index: _anchor(people[index])):
            depth = _depth_at_feet(people[index], units[index], near)
            if index not in chosen:
                chosen[index] = self._newcomer(people[index], units[index], depth)
            chosen[index].move(dict(people[index].joints), units[index], depth)
        self._frames += 1
        self.actors = [actor for actor in self.actors if actor.number < 2 or actor.missed < min(actor.seen, _PATIENCE)]
        # A reading of one person as two lives for a frame or two.
        pairs = [(index, actor) for index, actor in chosen.items() if actor.is_first or actor.seen >= _SURE]
        return sorted(pairs, key=lambda pair: pair[1].near)

    def _newcomer(self, person: Person, unit: float, depth: float) -> Actor:
        lost = [actor for actor in self.actors if actor.missed]
        if lost and len(self.actors) > 1:
            actor = max(lost, key=lambda actor: actor.missed)
            actor.joints, actor.speed, actor.unit, actor.near = dict(person.joints), (0.0, 0.0), unit, depth
            return actor
        used = {actor.number for actor in self.actors}
        number = next(number for number in range(len(used) + 1) if number not in used)
        self.actors.append(Actor(number, dict(person.joints), unit, depth, self._frames == 0))
        return self.actors[-1]

    def _matches(self, people: list[Person], units: list[float], width: int) -> dict[int, Actor]:
        """Who is who: the way of least total distance. Too far away is somebody else."""
        actors = sorted(self.actors, key=lambda actor: actor.missed)
        gates = [1.5 * actor.unit + (0.08 + 0.02 * actor.missed) * width for actor in actors]
        gaps = [
            [actor.misfit(person.joints, unit) for person, unit in zip(people, units, strict=True)] for actor in actors
        ]
        pairs = _least(gaps, gates, frozenset(range(len(people))))[1]
        return {index: actors[row] for row, index in pairs.items()}


def _least(
    gaps: list[list[float]], gates: list[float], free: frozenset[int], row: int = 0
) -> tuple[float, dict[int, int]]:
    """Rows with their columns for the least sum; a row without a column costs its gate.

    All ways are tried for a few, the nearest first for many.
    """
    if row == len(gaps):
        return 0.0, {}
    options = sorted((gaps[row][column], column) for column in free if gaps[row][column] < gates[row])
    is_crowd = len(gaps) > _MANY or len(free) > _MANY
    ways: list[tuple[float, dict[int, int]]] = []
    for gap, column in options[:1] if is_crowd else options:
        total, pairs = _least(gaps, gates, free - {column}, row + 1)
        ways.append((gap + total, {row: column} | pairs))
    if not (is_crowd and options):
        total, pairs = _least(gaps, gates, free, row + 1)
        ways.append((gates[row] + total, pairs))
    return min(ways, key=lambda way: way[0])


def _anchor(person: Person) -> float:
    """Where a person stands from left to right: the neck, for arms and legs swing."""
    return person.joints.get(1, person.mean())[0]


def _depth_at_feet(person: Person, unit: float, near: Plane) -> float:
    """Depth of the ground just below the lowest joint; out of frame: as near as the body is large."""
    height, width = near.shape
    x, y = max(person.joints.values(), key=lambda point: point[1])
    row = int(y + 0.25 * unit)
    if row >= height:
        return float(np.clip(unit / height * 1.6, 0.2, 1.0))
    return float(near[max(row, 0), int(np.clip(x, 0, width - 1))])
