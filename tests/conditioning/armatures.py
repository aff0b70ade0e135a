# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures as artists meet them: one body under many names, in several rest poses; and what is no person."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from second_unit.addon.conditioning.rigs.bones import FEET_OF, HANDS_OF, LEFT, RIGHT, Skeleton
from second_unit.addon.shot.people import JOINTS

F64 = npt.NDArray[np.float64]
Row = tuple[str, str | None, tuple[float, float, float], tuple[float, float, float]]
"""Bone, parent, head, tail."""

# Somebody 1.75 m tall at the origin who looks along -y with the arms out; their left is +x. Part -> parent, head, tail.
BODY: dict[str, tuple[str | None, tuple[float, float, float], tuple[float, float, float]]] = {
    "hips": (None, (0, 0.01, 0.97), (0, 0, 1.08)),
    "spine": ("hips", (0, 0, 1.08), (0, 0.01, 1.25)),
    "chest": ("spine", (0, 0.01, 1.25), (0, 0.03, 1.47)),
    "neck": ("chest", (0, 0.03, 1.47), (0, 0.01, 1.57)),
    "head": ("neck", (0, 0.01, 1.57), (0, 0.01, 1.75)),
}
HALF = {
    "eye": ("head", (0.032, -0.08, 1.65), (0.032, -0.1, 1.65)),
    "clavicle": ("chest", (0.02, 0.0, 1.42), (0.17, 0.03, 1.43)),
    "upperarm": ("clavicle", (0.18, 0.03, 1.42), (0.46, 0.04, 1.42)),
    "forearm": ("upperarm", (0.46, 0.04, 1.42), (0.71, 0.02, 1.42)),
    "hand": ("forearm", (0.71, 0.02, 1.42), (0.79, 0.02, 1.42)),
    "thigh": ("hips", (0.1, 0.01, 0.93), (0.1, -0.015, 0.51)),
    "shin": ("thigh", (0.1, -0.015, 0.51), (0.1, 0.03, 0.09)),
    "foot": ("shin", (0.1, 0.03, 0.09), (0.1, -0.09, 0.02)),
    "toe": ("foot", (0.1, -0.09, 0.02), (0.1, -0.16, 0.02)),
}
FINGERS = {"thumb": -0.035, "index": -0.03, "middle": 0.0, "ring": 0.025, "little": 0.05}


def _fingers() -> dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float]]]:
    found: dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float]]] = {}
    for finger, y in FINGERS.items():
        start, step, drift = (0.73, 0.025, -0.02) if finger == "thumb" else (0.8, 0.03, 0.0)
        for n in (1, 2, 3):
            head, tail = ((start + step * k, 0.02 + y + drift * k, 1.415) for k in (n - 1, n))
            found[f"{finger}{n}"] = (f"{finger}{n - 1}" if n > 1 else "hand", head, tail)
    return found


HALF.update(_fingers())
ARM = {"upperarm", "forearm", "hand", *_fingers()}
JOINT_OF = {
    "shoulder": "upperarm", "elbow": "forearm", "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """How a family calls the parts: ``{s}`` is the side. Parts it does not name are not there."""

    family: str
    sides: tuple[str, str]
    parts: dict[str, str]
    extras: dict[str, str]
    """Further bones by the part whose head they share: twists, controls, targets."""


def body(arms: float = 0.0) -> dict[str, Row]:
    """Every part as a row; ``arms`` is how far they hang from the horizontal in degrees."""
    rows: dict[str, Row] = {part: (part, parent, head, tail) for part, (parent, head, tail) in BODY.items()}
    for part, (parent, *ends) in HALF.items():
        head, tail = (_lowered(end, arms) if part in ARM else end for end in ends)
        for side, sign in (("L", 1), ("R", -1)):
            above = f"{parent}.{side}" if parent in HALF else parent
            rows[f"{part}.{side}"] = (f"{part}.{side}", above, _mirrored(head, sign), _mirrored(tail, sign))
    return rows


def _lowered(point: tuple[float, float, float], degrees: float) -> tuple[float, float, float]:
    x, y, z = np.subtract(point, HALF["upperarm"][1])
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y, z = np.add((c * x + s * z, y, c * z - s * x), HALF["upperarm"][1])
    return float(x), float(y), float(z)


def _mirrored(point: tuple[float, float, float], sign: int) -> tuple[float, float, float]:
    return sign * point[0], point[1], point[2]


def named_rows(names: Names, arms: float = 0.0, prefix: str = "") -> list[Row]:
    """The body under a family's names; parts it leaves out are skipped and their children hang on what is above."""
    rows = body(arms)
    called: dict[str, str] = {}
    for key in rows:
        part, _, side = key.partition(".")
        if part in names.parts:
            called[key] = prefix + names.parts[part].replace("{s}", names.sides["LR".index(side)] if side else "")
    found: list[Row] = []
    for key, name in called.items():
        above = rows[key][1]
        while above is not None and above not in called:
            above = rows[above][1]
        found.append((name, called[above] if above else None, *rows[key][2:]))
    return found + [extra for name, part in names.extras.items() for extra in _extra(names, name, part, rows, called)]


def _extra(names: Names, name: str, part: str, rows: dict[str, Row], called: dict[str, str]) -> list[Row]:
    """A twist half way down its part's bone, or a control without a parent where a target is."""
    found: list[Row] = []
    for side, word in zip("LR", names.sides, strict=True):
        key = f"{part}.{side}"
        head, tail = np.array(rows[key][2]), np.array(rows[key][3])
        twist = "twist" in name.lower()
        start = (head + tail) / 2 if twist else head
        found.append((name.replace("{s}", word), called[key] if twist else None, tuple(start), tuple(tail)))
    return found


def skeleton(rows: list[Row]) -> Skeleton:
    """Rows as the package takes them."""
    index = {row[0]: i for i, row in enumerate(rows)}
    parents = [-1 if parent is None else index[parent] for _, parent, *_ in rows]
    heads, tails = (np.array([row[k] for row in rows], np.float64).reshape(-1, 3) for k in (2, 3))
    return Skeleton(tuple(row[0] for row in rows), np.array(parents, np.int64), heads, tails)


def moved(found: Skeleton, matrix: F64, offset: F64 | None = None) -> Skeleton:
    """The skeleton after a linear map and a shift."""
    shift = np.zeros(3) if offset is None else offset
    return replace(found, heads=found.heads @ matrix.T + shift, tails=found.tails @ matrix.T + shift)


def anonymous(found: Skeleton, pattern: str = "Node_{}") -> Skeleton:
    """The same bones under names that say nothing."""
    return replace(found, names=tuple(pattern.format(i) for i in range(len(found.names))))


def truth(arms: float = 0.0) -> F64:
    """(JOINTS, 3) where limbs, fingers and big toes are, NaN elsewhere."""
    rows = body(arms)
    points = np.full((JOINTS, 3), np.nan)
    for side, table, hand, foot in zip("LR", (LEFT, RIGHT), HANDS_OF, FEET_OF, strict=True):
        for joint, part in JOINT_OF.items():
            points[table[joint]] = rows[f"{part}.{side}"][2]
        points[foot] = rows[f"toe.{side}"][3]
        points[hand] = rows[f"hand.{side}"][2]
        for k, finger in enumerate(FINGERS):
            for n in (1, 2, 3):
                points[hand + 4 * k + n] = rows[f"{finger}{n}.{side}"][2]
            points[hand + 4 * k + 4] = rows[f"{finger}3.{side}"][3]
    return points


def _parts(limbs: str, middle: str, fingers: dict[str, str], **more: str) -> dict[str, str]:
    """Names of upper arm, forearm, hand, thigh, shin, foot (toe); of hips, spine, chest, neck, head; of fingers."""
    found = dict(zip(("upperarm", "forearm", "hand", "thigh", "shin", "foot", "toe"), limbs.split("|"), strict=False))
    found |= dict(zip(("hips", "spine", "chest", "neck", "head"), middle.split("|"), strict=True))
    return found | fingers | more


def _numbered(pattern: str, words: str) -> dict[str, str]:
    return {
        f"{finger}{n}": pattern.replace("{f}", word).replace("{n}", str(n))
        for finger, word in zip(FINGERS, words.split(), strict=True)
        for n in (1, 2, 3)
    }


_RIGIFY = "{p}upper_arm.{s}|{p}forearm.{s}|{p}hand.{s}|{p}thigh.{s}|{p}shin.{s}|{p}foot.{s}|{p}toe.{s}"
_RIGIFY_MIDDLE = "{p}spine|{p}spine.001|{p}spine.003|{p}spine.004|{p}spine.006"
_RIGIFY_FINGERS = "thumb f_index f_middle f_ring f_pinky"


def _rigify(family: str, prefix: str, extras: dict[str, str]) -> Names:
    fingers = _numbered(prefix + "{f}.0{n}.{s}", _RIGIFY_FINGERS)
    parts = _parts(_RIGIFY.replace("{p}", prefix), _RIGIFY_MIDDLE.replace("{p}", prefix), fingers)
    return Names(family, ("L", "R"), parts | {"clavicle": f"{prefix}shoulder.{{s}}"}, extras)


def _humanik(family: str, extras: dict[str, str], **more: str) -> Names:
    parts = _parts(
        "{s}Arm|{s}ForeArm|{s}Hand|{s}UpLeg|{s}Leg|{s}Foot|{s}ToeBase", "Hips|Spine|Spine2|Neck|Head",
        _numbered("{s}Hand{f}{n}", "Thumb Index Middle Ring Pinky"), clavicle="{s}Shoulder",
    )  # fmt: skip
    return Names(family, ("Left", "Right"), parts | more, extras)


_UPPER = "Thumb Index Middle Ring Pinky"
_CONTROLS = {
    "upper_arm_fk.{s}": "upperarm", "hand_ik.{s}": "hand", "foot_ik.{s}": "foot", "MCH-forearm_ik.{s}": "forearm",
    "DEF-upper_arm_twist.{s}": "upperarm",
}  # fmt: skip
NAMES: tuple[Names, ...] = (
    _rigify("Rigify", "DEF-", _CONTROLS),
    _rigify("Rigify original bones", "ORG-", {"hand_ik.{s}": "hand"}),
    _rigify("Rigify metarig", "", {}),
    _humanik("Mixamo", {}, eye="{s}Eye"),
    _humanik("CMU BVH", {"{s}FingerBase": "hand"}),
    Names(
        "Unreal mannequin", ("l", "r"),
        _parts(
            "upperarm_{s}|lowerarm_{s}|hand_{s}|thigh_{s}|calf_{s}|foot_{s}|ball_{s}",
            "pelvis|spine_01|spine_03|neck_01|head",
            _numbered("{f}_0{n}_{s}", "thumb index middle ring pinky"), clavicle="clavicle_{s}",
        ),
        {
            "upperarm_twist_01_{s}": "upperarm", "lowerarm_twist_01_{s}": "forearm", "thigh_twist_01_{s}": "thigh",
            "ik_hand_{s}": "hand", "ik_foot_{s}": "foot", "upperarm_correctiveRoot_{s}": "upperarm",
        },
    ),
    Names(
        "VRoid", ("L", "R"),
        _parts(
            "J_Bip_{s}_UpperArm|J_Bip_{s}_LowerArm|J_Bip_{s}_Hand|J_Bip_{s}_UpperLeg|J_Bip_{s}_LowerLeg|J_Bip_{s}_Foot"
            "|J_Bip_{s}_ToeBase",
            "J_Bip_C_Hips|J_Bip_C_Spine|J_Bip_C_Chest|J_Bip_C_Neck|J_Bip_C_Head",
            _numbered("J_Bip_{s}_{f}{n}", "Thumb Index Middle Ring Little"),
            clavicle="J_Bip_{s}_Shoulder", eye="J_Adj_{s}_FaceEye",
        ),
        {"J_Sec_{s}_Sleeve": "forearm"},
    ),
    Names(
        "VRM humanoid", ("left", "right"),
        _parts(
            "{s}UpperArm|{s}LowerArm|{s}Hand|{s}UpperLeg|{s}LowerLeg|{s}Foot|{s}Toes",
            "hips|spine|chest|neck|head",
            {
                f"{finger}{n}": f"{{s}}{finger.title()}{word}"
                for finger in FINGERS
                for n, word in enumerate(
                    ("Metacarpal", "Proximal", "Distal")
                    if finger == "thumb"
                    else ("Proximal", "Intermediate", "Distal"),
                    1,
                )
            },
            clavicle="{s}Shoulder", eye="{s}Eye",
        ),
        {},
    ),
    Names(
        "MakeHuman", ("L", "R"),
        _parts(
            "upperarm01.{s}|lowerarm01.{s}|wrist.{s}|upperleg01.{s}|lowerleg01.{s}|foot.{s}|toe1-1.{s}",
            "root|spine05|spine01|neck01|head",
            {f"{f}{n}": f"finger{k}-{n}.{{s}}" for k, f in enumerate(FINGERS, 1) for n in (1, 2, 3)},
            clavicle="clavicle.{s}", eye="eye.{s}",
        ),
        {},
    ),
    Names(
        "Daz Genesis 3 and 8", ("l", "r"),
        _parts(
            "{s}ShldrBend|{s}ForearmBend|{s}Hand|{s}ThighBend|{s}Shin|{s}Foot|{s}Toe",
            "hip|abdomenLower|chestUpper|neckLower|head",
            _numbered("{s}{f}{n}", "Thumb Index Mid Ring Pinky"), clavicle="{s}Collar", eye="{s}Eye",
        ),
        {"{s}ShldrTwist": "upperarm", "{s}ForearmTwist": "forearm", "{s}ThighTwist": "thigh"},
    ),
    Names(
        "Daz Genesis 9", ("l", "r"),
        _parts(
            "{s}_upperarm|{s}_forearm|{s}_hand|{s}_thigh|{s}_shin|{s}_foot|{s}_toes", "hip|spine1|spine4|neck1|head",
            _numbered("{s}_{f}{n}", "thumb index mid ring pinky"), clavicle="{s}_shoulder", eye="{s}_eye",
        ),
        {"{s}_upperarmtwist1": "upperarm", "{s}_thightwist1": "thigh"},
    ),
    Names(
        "Daz and Poser", ("l", "r"),
        _parts(
            "{s}Shldr|{s}ForeArm|{s}Hand|{s}Thigh|{s}Shin|{s}Foot|{s}Toe", "hip|abdomen|chest|neck|head",
            _numbered("{s}{f}{n}", "Thumb Index Mid Ring Pinky"), clavicle="{s}Collar", eye="{s}Eye",
        ),
        {},
    ),
    Names(
        "Auto-Rig Pro", ("l", "r"),
        _parts(
            "arm.{s}|forearm.{s}|hand.{s}|thigh.{s}|leg.{s}|foot.{s}|toes_01.{s}",
            "root.x|spine_01.x|spine_03.x|neck.x|head.x",
            {f"{f}{n}": f"{'c_' if n > 1 else ''}{w}{n}.{{s}}"
             for f, w in zip(FINGERS, _UPPER.lower().split(), strict=True) for n in (1, 2, 3)},
            clavicle="shoulder.{s}",
        ),
        {"c_arm_fk.{s}": "upperarm", "c_hand_ik.{s}": "hand", "c_foot_ik.{s}": "foot", "c_leg_fk.{s}": "shin"},
    ),
    Names(
        "CloudRig", ("L", "R"),
        _parts(
            "DEF-UpperArm1.{s}|DEF-Forearm1.{s}|DEF-Wrist.{s}|DEF-Thigh1.{s}|DEF-Knee1.{s}|DEF-Foot.{s}|DEF-Toes.{s}",
            "DEF-Hips|DEF-Spine|DEF-Chest|DEF-Neck|DEF-Head", _numbered("DEF-Finger_{f}{n}.{s}", _UPPER),
            clavicle="DEF-Shoulder.{s}",
        ),
        {"FK-UpperArm.{s}": "upperarm", "IK-Wrist.{s}": "hand", "IK-MSTR-Foot.{s}": "foot", "ORG-Thigh.{s}": "thigh"},
    ),
    Names(
        "CloudRig", ("L", "R"),
        _parts(
            "UpperArm.{s}|Forearm.{s}|Hand.{s}|Thigh.{s}|Shin.{s}|Foot.{s}|Toe.{s}", "Hips|Spine|Chest|Neck|Head",
            _numbered("{f}{n}.{s}", _UPPER), clavicle="Clavicle.{s}",
        ),
        {},
    ),
    Names(
        "Character Creator", ("L", "R"),
        _parts(
            "CC_Base_{s}_Upperarm|CC_Base_{s}_Forearm|CC_Base_{s}_Hand|CC_Base_{s}_Thigh|CC_Base_{s}_Calf"
            "|CC_Base_{s}_Foot|CC_Base_{s}_ToeBase",
            "CC_Base_Hip|CC_Base_Waist|CC_Base_Spine02|CC_Base_NeckTwist01|CC_Base_Head",
            _numbered("CC_Base_{s}_{f}{n}", "Thumb Index Mid Ring Pinky"),
            clavicle="CC_Base_{s}_Clavicle", eye="CC_Base_{s}_Eye",
        ),
        {"CC_Base_{s}_UpperarmTwist01": "upperarm", "CC_Base_{s}_CalfTwist01": "shin",
         "CC_Base_{s}_ElbowShareBone": "forearm"},
    ),
    Names(
        "SMPL", ("left", "right"),
        _parts(
            "{s}_shoulder|{s}_elbow|{s}_wrist|{s}_hip|{s}_knee|{s}_ankle", "pelvis|spine1|spine3|neck|head",
            _numbered("{s}_{f}{n}", "thumb index middle ring pinky"), clavicle="{s}_collar", eye="{s}_eye_smplhf",
        ),
        {},
    ),
    Names(
        "BVH", ("Left", "Right"),
        _parts("{s}Shoulder|{s}Elbow|{s}Wrist|{s}Hip|{s}Knee|{s}Ankle", "Hips|Chest|Chest2|Neck|Head", {},
               clavicle="{s}Collar"),
        {},
    ),
    Names(
        "CMU ASF", ("l", "r"),
        _parts("{s}humerus|{s}radius|{s}wrist|{s}femur|{s}tibia|{s}foot|{s}toes",
               "root|lowerback|thorax|upperneck|head", {}, clavicle="{s}clavicle"),
        {},
    ),
    Names(
        "Biped", ("L", "R"),
        _parts(
            "Bip01 {s} UpperArm|Bip01 {s} Forearm|Bip01 {s} Hand|Bip01 {s} Thigh|Bip01 {s} Calf|Bip01 {s} Foot"
            "|Bip01 {s} Toe0",
            "Bip01 Pelvis|Bip01 Spine|Bip01 Spine2|Bip01 Neck|Bip01 Head",
            {f"{f}{n}": f"Bip01 {{s}} Finger{k}{'' if n == 1 else n - 1}"
             for k, f in enumerate(FINGERS) for n in (1, 2, 3)},
            clavicle="Bip01 {s} Clavicle",
        ),
        {"Bip01 {s} ForeTwist": "forearm"},
    ),
    Names(
        "MMD", ("L", "R"),
        _parts(
            "腕.{s}|ひじ.{s}|手首.{s}|足.{s}|ひざ.{s}|足首.{s}", "センター|上半身|上半身2|首|頭",
            {f"{f}{n}": f"{word}{chr(0xFF10 + n - (f == 'thumb'))}.{{s}}"
             for f, word in zip(FINGERS, ("親指", "人指", "中指", "薬指", "小指"), strict=True) for n in (1, 2, 3)},
            clavicle="肩.{s}", eye="目.{s}",
        ),
        {"腕捩.{s}": "upperarm", "足IK.{s}": "foot"},
    ),
    Names(
        "plain words", ("L", "R"),
        _parts("{s} arm|{s} elbow|{s} palm|{s} leg|{s} knee|{s} ankle|{s} toe", "hip|waist|bust|neck|head", {}),
        {"{s} elbow IK": "hand"},
    ),
)  # fmt: skip
