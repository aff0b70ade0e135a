# SPDX-License-Identifier: GPL-3.0-or-later
"""Guesses which ADE20K class a thing belongs to by the words in its name. Only whole words count."""

from __future__ import annotations

import re

from .ade20k import ADE20K

SYNONYMS = {
    "wall": "walls brickwall partition", "building": "buildings", "floor": "flooring parquet floorboard tiles",
    "tree": "oak pine birch fir spruce maple willow", "ceiling": "", "road": "street asphalt highway lane", "bed": "",
    "windowpane": "window windowframe", "grass": "lawn turf", "cabinet": "cupboard",
    "sidewalk": "pavement footpath curb kerb", "person": "human man woman boy girl child people pedestrian character",
    "earth": "ground soil dirt mud", "door": "doorway gate", "plant": "bush shrub hedge fern ivy houseplant",
    "curtain": "drape", "car": "sedan suv hatchback automobile taxi", "painting": "picture",
    "sofa": "couch settee loveseat", "shelf": "shelves shelving", "house": "cottage villa", "sea": "ocean",
    "rug": "carpet doormat", "fence": "fencing", "rock": "stone boulder pebble", "lamp": "lantern desklamp floorlamp",
    "bathtub": "bath tub", "railing": "rail guardrail", "box": "crate carton", "column": "pillar",
    "signboard": "sign billboard", "refrigerator": "fridge freezer", "stairs": "staircase", "blind": "jalousie",
    "bookcase": "bookshelf bookshelves", "toilet": "wc", "flower": "rose tulip daisy sunflower", "bench": "pew",
    "countertop": "worktop", "stove": "cooker hob", "computer": "laptop pc", "boat": "canoe dinghy rowboat",
    "light": "downlight spotlight", "truck": "lorry", "streetlight": "streetlamp lamppost",
    "television receiver": "tv television", "airplane": "aeroplane aircraft jet plane",
    "apparel": "jacket coat clothes", "pole": "post flagpole", "bannister": "banister handrail",
    "ottoman": "pouf footstool", "van": "minivan", "ship": "vessel ferry", "washer": "washingmachine",
    "plaything": "toy doll", "bag": "handbag backpack rucksack", "minibike": "motorcycle motorbike moped",
    "bicycle": "bike", "ball": "football basketball", "animal": "dog cat horse cow sheep bird",
    "sculpture": "statue bust", "pot": "planter flowerpot saucepan", "ashcan": "trashcan dustbin wastebasket bin",
    "glass": "wineglass tumbler", "clock": "watch", "pillow": "", "swimming pool": "pool", "crt screen": "crt",
    "bulletin board": "noticeboard pinboard",
}  # fmt: skip
"""Single words that mean a class besides its own name, which always counts."""

PHRASES = {
    "dining table": "table", "side table": "table", "coffee table": "coffee table", "table lamp": "lamp",
    "floor lamp": "lamp", "street lamp": "streetlight", "street light": "streetlight", "lamp post": "streetlight",
    "window glass": "windowpane", "window frame": "windowpane", "arm chair": "armchair",
    "office chair": "swivel chair", "desk chair": "swivel chair", "book shelf": "bookcase", "book case": "bookcase",
    "night stand": "chest of drawers", "chest drawers": "chest of drawers", "bar stool": "stool",
    "washing machine": "washer", "trash can": "ashcan", "garbage can": "ashcan", "waste bin": "ashcan",
    "notice board": "bulletin board", "palm tree": "palm", "flower pot": "pot", "motor cycle": "minibike",
    "arcade cabinet": "arcade machine", "billiard table": "pool table", "garden path": "path",
    "dirt road": "dirt track", "tv stand": "cabinet", "tv screen": "television receiver",
    "computer screen": "monitor", "cooker hood": "hood", "range hood": "hood", "extractor hood": "hood",
    "ceiling fan": "fan", "ceiling light": "light", "dinner plate": "plate", "conveyor belt": "conveyer belt",
    "conveyor": "conveyer belt", "picture frame": "painting", "tree house": "house", "green house": "house",
    "water tank": "tank",
}  # fmt: skip

MEANINGS = {
    **{word: name for name, words in SYNONYMS.items() for word in words.split()},
    **PHRASES,
    **{name: name for name in ADE20K},
}
"""What every known word or phrase means."""

VAGUE = frozenset(
    {
        "base", "case", "step", "stage", "plate", "tank", "hood", "field", "land", "bar", "screen", "fan", "seat",
        "tray", "tower", "canopy", "booth", "food", "counter", "buffet", "runway", "picture", "watch", "lane", "tiles",
        "post", "rail", "bath", "pool", "rose", "jet", "bust",
    }
)  # fmt: skip
"""Words that name a class but in a scene mostly something else (``Wheel_Base``): they count as the whole name of a
thing, or in a phrase."""

DEFAULTS = frozenset({"plane", "light", "path"})
"""Words that Blender itself gives as names: they count in a phrase only."""

MATERIALS = frozenset(
    {"glass", "stone", "rock", "grass", "earth", "soil", "dirt", "water", "sand", "asphalt", "ground"}
)
"""Words that say more often what a thing is made of: they count where no other word does (``Wall_Stone``)."""

NOT_AFTER = frozenset({"of", "on", "in", "with", "for", "under", "by", "at", "from", "to", "and"})
"""What comes after these tells about something else: a glass of water is a glass."""

LONGEST = 3
"""Words in the longest class name worth looking for."""


def guess_class(name: str) -> str | None:
    """The class that ``name`` suggests, or None.

    Words are parted at anything that is no letter and at capitals (``KitchenTable.001``). The last word that says
    something decides, as English puts it (``Table_Lamp`` is a lamp), a phrase of two or three before one.
    """
    everything = _words(name)
    if len(everything) > 1 and (found := MEANINGS.get(" ".join(everything))):
        return found
    words = everything[: next((i for i, word in enumerate(everything) if i and word in NOT_AFTER), len(everything))]
    made_of = None
    for end in range(len(words), 0, -1):
        for count in range(min(LONGEST, end), 0, -1):
            phrase = " ".join(words[end - count : end])
            phrase = phrase if phrase in MEANINGS else _singular(phrase)
            found = MEANINGS.get(phrase)
            if found and phrase in MATERIALS:
                made_of = made_of or found
            elif found and not _is_vague(phrase, words):
                return found
    return made_of


def _is_vague(phrase: str, words: list[str]) -> bool:
    return phrase in DEFAULTS or (phrase in VAGUE and len(words) > 1)


def _words(name: str) -> list[str]:
    """Words in lower case."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word.casefold() for word in re.findall(r"[^\W\d_]+", parted)]


def _singular(phrase: str) -> str:
    if phrase.endswith(("shes", "ches", "xes", "sses")):
        return phrase[:-2]
    return phrase[:-1] if phrase.endswith("s") and not phrase.endswith("ss") else phrase
