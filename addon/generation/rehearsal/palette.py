# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours and light of a rehearsal.

Chosen by words of the prompt and by a hash of prompt and seed, the same for all frames.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Colour = tuple[float, float, float]
"""sRGB, 0 … 1."""


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
OUTFITS: tuple[tuple[Colour, Colour], ...] = tuple(
    (tuple(int(top[i : i + 2], 16) / 255 for i in (0, 2, 4)), tuple(int(legs[i : i + 2], 16) / 255 for i in (0, 2, 4)))  # type: ignore[misc]
    for top, legs in (
        ("b8452f", "2f3542"), ("2f6d7c", "3b3a3a"), ("d9a441", "38485c"), ("6d7f45", "4a3d33"),
        ("7a4b78", "2c2f3a"), ("d8d2c4", "4b5563"), ("34507e", "6b5b48"), ("c9764a", "333d3a"),
    )
)  # fmt: skip
SKINS: tuple[Colour, ...] = ((0.93, 0.76, 0.65), (0.82, 0.62, 0.49), (0.62, 0.43, 0.32), (0.45, 0.31, 0.24))
HAIRS: tuple[Colour, ...] = ((0.13, 0.10, 0.09), (0.28, 0.18, 0.11), (0.55, 0.40, 0.22), (0.35, 0.33, 0.32))


@dataclass(frozen=True, slots=True)
class Look:
    """What stays the same over all frames.

    ``light`` points from the picture towards the key light: x right, y down, z to us.
    """

    palette: Palette
    light: npt.NDArray[np.float32]
    number: int

    def outfit(self, person: int) -> tuple[Colour, Colour, Colour, Colour]:
        """Top, legs, skin and hair of the n-th person."""
        number = _number(f"{self.number}/{person}")
        # Steps of an odd number visit every outfit before one comes again.
        top, legs = OUTFITS[(self.number + 3 * person) % len(OUTFITS)]
        return top, legs, SKINS[number % len(SKINS)], HAIRS[(number // 7) % len(HAIRS)]


def choose_look(prompt: str, seed: int) -> Look:
    """The look of a prompt and a seed. The first word that names a mood decides, else chance does."""
    number = _number(f"{prompt}\0{seed}")
    hits = [
        (found.start(), name)
        for name, words in _WORDS.items()
        if (found := re.search(rf"\b(?:{words})\b", prompt.lower()))
    ]
    name = min(hits)[1] if hits else _CHANCE[number % len(_CHANCE)]
    side = -1.0 if (number >> 8) & 1 else 1.0
    turn = math.radians(35 + (number >> 16) % 30)
    light = np.array([side * math.sin(turn), -0.62, math.cos(turn) * 0.8], np.float32)
    return Look(PALETTES[name], light / np.linalg.norm(light).astype(np.float32), number)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
