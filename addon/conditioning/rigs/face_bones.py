# SPDX-License-Identifier: GPL-3.0-or-later
"""Which face bones are which of the 68 points, for the families that have such. Tables only.

A point is a bone and a share of its length (0 its head, 1 its tail). Points of the right half are named with their
mirror images on the left; ``{s}`` stands for the side. Where the sources come from and how far they are to be trusted
is said at each table. Character Creator, VRM, VRoid, Mixamo and SMPL have no face bones beyond jaw and eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    Middle = Mapping[int, tuple[str, float]]
    Half = Mapping[tuple[int, int], tuple[str, float]]
    FaceTable = dict[int, tuple[str, float]]


def _table(sides: tuple[str, str], middle: Middle, half: Half, lips: Mapping[str, tuple[str, float]]) -> FaceTable:
    """Point to bone. ``lips`` names the loop of lips by `_LIPS`; inner and outer lips fall together."""
    points = dict(middle)
    pairs = {pair: end for name, end in lips.items() for pair in _LIPS[name]} | dict(half)
    left_word, right_word = sides
    for (right, left), (bone, along) in pairs.items():
        points[right] = (bone.format(s=right_word), along)
        points[left] = (bone.format(s=left_word), along)
    return points


# the points of the lips that one bone stands for; those in the middle are their own mirror images
_LIPS: dict[str, tuple[tuple[int, int], ...]] = {
    "corner": ((48, 54), (60, 64)), "top": ((51, 51), (62, 62)), "bottom": ((57, 57), (66, 66)),
    "top inner": ((50, 52), (61, 63)), "top outer": ((49, 53),), "bottom inner": ((58, 56), (67, 65)),
    "bottom outer": ((59, 55),),
}  # fmt: skip


def rigify_face(prefix: str) -> FaceTable:
    """Rigify's face bones. Which is which point is our own assignment, by where they lie on the metarig."""
    middle = {
        8: ("chin", 0.0), 27: ("nose", 0.0), 28: ("nose", 0.5), 29: ("nose", 1.0), 30: ("nose.001", 1.0),
        33: ("nose.003", 1.0), 51: ("lip.T.L", 0.0), 57: ("lip.B.L", 0.0), 62: ("lip.T.L", 0.0),
        66: ("lip.B.L", 0.0),
    }  # fmt: skip
    half = {
        (0, 16): ("jaw.{s}", 0.0), (1, 15): ("jaw.{s}", 0.25), (2, 14): ("jaw.{s}", 0.5), (3, 13): ("jaw.{s}", 0.75),
        (4, 12): ("jaw.{s}.001", 0.0), (5, 11): ("jaw.{s}.001", 0.5), (6, 10): ("jaw.{s}.001", 0.8),
        (7, 9): ("jaw.{s}.001", 1.0),
        (17, 26): ("brow.T.{s}", 1.0), (18, 25): ("brow.T.{s}.001", 0.5), (19, 24): ("brow.T.{s}.001", 1.0),
        (20, 23): ("brow.T.{s}.002", 0.5), (21, 22): ("brow.T.{s}.002", 1.0),
        (31, 35): ("nose.{s}", 1.0), (32, 34): ("nose.{s}.001", 0.5),
        (36, 45): ("lid.T.{s}", 0.0), (37, 44): ("lid.T.{s}.001", 0.3), (38, 43): ("lid.T.{s}.002", 0.7),
        (39, 42): ("lid.T.{s}.003", 1.0), (40, 47): ("lid.B.{s}.001", 0.2), (41, 46): ("lid.B.{s}.002", 0.3),
        (48, 54): ("lip.T.{s}.001", 1.0), (49, 53): ("lip.T.{s}.001", 0.35), (50, 52): ("lip.T.{s}", 0.6),
        (59, 55): ("lip.B.{s}.001", 0.35), (58, 56): ("lip.B.{s}", 0.6),
        (60, 64): ("lip.T.{s}.001", 1.0), (61, 63): ("lip.T.{s}", 0.8), (67, 65): ("lip.B.{s}", 0.8),
    }  # fmt: skip
    points = _table(("L", "R"), middle, half, {})
    return {point: (f"{prefix}{bone}", along) for point, (bone, along) in points.items()}


def makehuman_face() -> FaceTable:
    """MakeHuman's and MPFB's default rig, from the places in MPFB's own ``rig.default.json``. Certain.

    It has one bone for a whole lid, at its middle, where none of the 68 points is.
    """
    middle = {8: ("special04", 0.0), 30: ("special03", 1.0)}
    half = {
        (17, 26): ("oculi02.{s}", 0.0), (18, 25): ("oculi02.{s}", 0.5), (19, 24): ("oculi02.{s}", 1.0),
        (20, 23): ("oculi01.{s}", 0.5), (21, 22): ("oculi01.{s}", 1.0), (31, 35): ("levator06.{s}", 1.0),
        (61, 63): ("oris03.{s}", 1.0), (67, 65): ("oris07.{s}", 1.0),
    }  # fmt: skip
    lips = {
        "corner": ("levator05.{s}", 1.0), "top": ("oris05", 1.0), "bottom": ("oris01", 1.0),
        "top outer": ("oris03.{s}", 1.0), "bottom outer": ("oris07.{s}", 1.0),
    }  # fmt: skip
    return _table(("L", "R"), middle, half, lips)


def daz_face() -> FaceTable:
    """Genesis 3 and 8, from their published names and rest places. Certain, but for the lids.

    Lid bones begin in the middle of the eye and end on the lid; three of a lid lie within two millimetres, so that a
    lid's points are in its middle. Importers that do not keep the ends of bones lose them: see `eyelids.settled`.
    """
    middle = {8: ("Chin", 0.0), 27: ("MidNoseBridge", 0.0), 30: ("Nose", 0.0)}
    half = {
        (4, 12): ("{s}JawClench", 0.0), (17, 26): ("{s}BrowOuter", 0.0), (19, 24): ("{s}BrowMid", 0.0),
        (21, 22): ("{s}BrowInner", 0.0), (32, 34): ("{s}Nostril", 0.0),
        (36, 45): ("{s}EyelidOuter", 1.0), (39, 42): ("{s}EyelidInner", 1.0),
        (37, 44): ("{s}EyelidUpperOuter", 1.0), (38, 43): ("{s}EyelidUpperInner", 1.0),
        (41, 46): ("{s}EyelidLowerOuter", 1.0), (40, 47): ("{s}EyelidLowerInner", 1.0),
    }  # fmt: skip
    lips = {
        "corner": ("{s}LipCorner", 0.0), "top": ("LipUpperMiddle", 0.0), "bottom": ("LipLowerMiddle", 0.0),
        "top inner": ("{s}LipUpperInner", 0.0), "top outer": ("{s}LipUpperOuter", 0.0),
        "bottom inner": ("{s}LipLowerInner", 0.0), "bottom outer": ("{s}LipLowerOuter", 0.0),
    }  # fmt: skip
    return _table(("l", "r"), middle, half, lips)


def daz_9_face() -> FaceTable:
    """Genesis 9. The names are certain, the places taken from what the names say; its lids are left out."""
    half = {(18, 25): ("{s}_browouter", 0.0), (20, 23): ("{s}_browinner", 0.0), (32, 34): ("{s}_nostril", 0.0)}
    lips = {
        "corner": ("{s}_lipcorner", 0.0), "top": ("lipuppermiddle", 0.0), "bottom": ("liplowermiddle", 0.0),
        "top inner": ("{s}_lipupper", 0.0),
    }  # fmt: skip
    return _table(("l", "r"), {8: ("chin", 0.0)}, half, lips)


def auto_rig_pro_face() -> FaceTable:
    """Auto-Rig Pro. The names are certain; lids begin in the middle of the eye, and end on the lid.

    Which of the numbered lids is the inner one the rest pose tells. Nose and chin are left out: what their numbers mean
    is not known. The jaw ends at the chin.
    """
    half = {
        (17, 26): ("c_eyebrow_03.{s}", 0.0), (18, 25): ("c_eyebrow_02.{s}", 0.0), (20, 23): ("c_eyebrow_01.{s}", 0.0),
        (21, 22): ("c_eyebrow_01_end.{s}", 0.0),
        (36, 45): ("c_eyelid_corner_01.{s}", 1.0), (39, 42): ("c_eyelid_corner_02.{s}", 1.0),
        (37, 44): ("c_eyelid_top_01.{s}", 1.0), (38, 43): ("c_eyelid_top_03.{s}", 1.0),
        (41, 46): ("c_eyelid_bot_01.{s}", 1.0), (40, 47): ("c_eyelid_bot_03.{s}", 1.0),
    }  # fmt: skip
    lips = {
        "corner": ("c_lips_smile.{s}", 0.0), "top": ("c_lips_top.x", 0.0), "bottom": ("c_lips_bot.x", 0.0),
        "top inner": ("c_lips_top.{s}", 0.0), "top outer": ("c_lips_top_01.{s}", 0.0),
        "bottom inner": ("c_lips_bot.{s}", 0.0), "bottom outer": ("c_lips_bot_01.{s}", 0.0),
    }  # fmt: skip
    return _table(("l", "r"), {8: ("jawbone.x", 1.0)}, half, lips)


def metahuman_face() -> FaceTable:
    """MetaHuman. The names are certain, the places what the names say; the joints lie on the skin.

    Its brows are moved by a field of joints from the brow to the hair, and are left out.
    """
    middle = {8: ("FACIAL_C_Chin", 0.0), 30: ("FACIAL_C_NoseTip", 0.0)}
    half = {
        (31, 35): ("FACIAL_{s}_Nostril", 0.0),
        (36, 45): ("FACIAL_{s}_EyeCornerOuter1", 0.0), (39, 42): ("FACIAL_{s}_EyeCornerInner1", 0.0),
        (37, 44): ("FACIAL_{s}_EyelidUpperA1", 0.0), (38, 43): ("FACIAL_{s}_EyelidUpperA3", 0.0),
        (41, 46): ("FACIAL_{s}_EyelidLowerA1", 0.0), (40, 47): ("FACIAL_{s}_EyelidLowerA3", 0.0),
    }  # fmt: skip
    lips = {
        "corner": ("FACIAL_{s}_LipCorner", 0.0), "top": ("FACIAL_C_LipUpper", 0.0),
        "bottom": ("FACIAL_C_LipLower", 0.0), "top inner": ("FACIAL_{s}_LipUpper", 0.0),
        "top outer": ("FACIAL_{s}_LipUpperOuter", 0.0), "bottom inner": ("FACIAL_{s}_LipLower", 0.0),
        "bottom outer": ("FACIAL_{s}_LipLowerOuter", 0.0),
    }  # fmt: skip
    return _table(("L", "R"), middle, half, lips)
