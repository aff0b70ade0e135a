# SPDX-License-Identifier: GPL-3.0-or-later
"""What bones are called in the rigs artists meet. Tables only.

A joint is written ``bone`` (its head), ``bone>`` (its tail) or ``bone^`` (its middle); ``{s}`` stands for the side.
Candidates are listed best first and compared without regard to case. Joints a table leaves out are found otherwise:
the neck is the middle of the shoulders (a rig's neck bone sits about 10 cm from it); nose, eyes and ears come from the
head when there are no face bones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .face_bones import auto_rig_pro_face, daz_9_face, daz_face, makehuman_face, metahuman_face, rigify_face

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Finger = tuple[tuple[str, str, str, str], ...]
"""Alternatives of three bones from the knuckle out and the bone whose head is the tip, "" when there is none."""
Hand = tuple[Finger, ...]
"""Thumb, index, middle, ring, little."""

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")
_MID = ("Thumb", "Index", "Mid", "Ring", "Pinky")
_LITTLE = ("Thumb", "Index", "Middle", "Ring", "Little")


@dataclass(frozen=True, slots=True)
class Family:
    """One naming family: joint part to bone candidates.

    ``marks``: at least one of these bones must be there. ``outermost``: of several shoulders or hips the one farthest
    from the elbow or knee is meant, because the bones of the upper half share a limb. ``face`` says where the 68 points
    are on face bones (see `face_bones`). ``trust`` is the confidence that the names alone give.
    """

    name: str
    sides: tuple[str, str]
    parts: Mapping[str, tuple[str, ...]]
    hand: Hand = ()
    marks: tuple[str, ...] = ()
    outermost: bool = False
    face: Mapping[int, tuple[str, float]] = field(default_factory=dict[int, tuple[str, float]])
    trust: float = 1.0


def _limbs(shoulder: str, elbow: str, wrist: str, hip: str, knee: str, ankle: str) -> dict[str, tuple[str, ...]]:
    """Six limb joints; several candidates of one are parted by ``|``."""
    names = (shoulder, elbow, wrist, hip, knee, ankle)
    return {
        part: tuple(name.split("|"))
        for part, name in zip(("shoulder", "elbow", "wrist", "hip", "knee", "ankle"), names, strict=True)
    }


def _hand(pattern: str, fingers: Iterable[str], *, tip: str = "", numbers: str = "123") -> Hand:
    """Fingers numbered from the knuckle out: ``{f}`` the finger, ``{n}`` the number, ``tip`` that of the end bone."""

    def bone(finger: str, number: str) -> str:
        return pattern.replace("{f}", finger).replace("{n}", number)

    a, b, c = numbers
    return tuple(((bone(f, a), bone(f, b), bone(f, c), bone(f, tip) if tip else ""),) for f in fingers)


def _either(*hands: Hand) -> Hand:
    """Several ways to name a hand, best first."""
    return tuple(tuple(run for finger in fingers for run in finger) for fingers in zip(*hands, strict=True))


def _rigify(name: str, prefix: str) -> Family:
    parts = _limbs(*(f"{prefix}{bone}.{{s}}" for bone in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")))
    hand = _hand(f"{prefix}{{f}}.0{{n}}.{{s}}", ("thumb", "f_index", "f_middle", "f_ring", "f_pinky"))
    return Family(
        name,
        ("L", "R"),
        parts
        | {
            "head": (f"{prefix}spine.006", f"{prefix}head", "DEF-head"),
            "nose": (f"{prefix}nose.001>", "DEF-nose.001>", "ORG-nose.001>"),
            "eye": (f"{prefix}eye.{{s}}", "ORG-eye.{s}", "MCH-eye.{s}", "master_eye.{s}"),
            "ear": (f"{prefix}ear.{{s}}",),
            "big_toe": (f"{prefix}toe.{{s}}>",),
            "heel": (f"{prefix}heel.02.{{s}}^", "ORG-heel.02.{s}^"),
        },
        hand,
        face=rigify_face(prefix),
    )


def _unreal() -> Family:
    return Family(
        "Unreal mannequin",
        ("l", "r"),
        _limbs("upperarm_{s}", "lowerarm_{s}", "hand_{s}", "thigh_{s}", "calf_{s}", "foot_{s}")
        | {
            "head": ("head",),
            "eye": ("eye_{s}", "FACIAL_{s}_Eye"),
            "big_toe": ("bigtoe_02_{s}>", "ball_{s}>"),
            "small_toe": ("littletoe_02_{s}>",),
        },
        _hand("{f}_0{n}_{s}", FINGERS),
        face=metahuman_face(),
    )


def _mixamo_like(name: str, *, marks: tuple[str, ...] = ()) -> Family:
    """Names of Autodesk's HumanIK, which Mixamo, Ready Player Me and many motion capture files share."""
    return Family(
        name,
        ("Left", "Right"),
        _limbs("{s}Arm", "{s}ForeArm", "{s}Hand", "{s}UpLeg", "{s}Leg", "{s}Foot")
        | {
            "head": ("Head",),
            "eye": ("{s}Eye",),
            "big_toe": ("{s}Toe_End", "{s}ToeBase_End", "{s}ToeBase>"),
        },
        _hand("{s}Hand{f}{n}", FINGERS, tip="4"),
        marks=marks,
    )


def _vroid() -> Family:
    bones = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
    return Family(
        "VRoid",
        ("L", "R"),
        _limbs(*(f"J_Bip_{{s}}_{bone}" for bone in bones))
        | {"head": ("J_Bip_C_Head",), "eye": ("J_Adj_{s}_FaceEye",), "big_toe": ("J_Bip_{s}_ToeBase>",)},
        _hand("J_Bip_{s}_{f}{n}", _LITTLE, tip="3_end"),
    )


def _vrm() -> Family:
    hand = tuple(
        tuple(
            (f"{{s}}{finger}{a}", f"{{s}}{finger}{b}", f"{{s}}{finger}{c}", "")
            for a, b, c in (("Metacarpal", "Proximal", "Distal"), ("Proximal", "Intermediate", "Distal"))
            if finger == "Thumb" or a == "Proximal"
        )
        for finger in _LITTLE
    )
    return Family(
        "VRM humanoid",
        ("left", "right"),
        _limbs("{s}UpperArm", "{s}LowerArm", "{s}Hand", "{s}UpperLeg", "{s}LowerLeg", "{s}Foot")
        | {"head": ("head",), "eye": ("{s}Eye",), "big_toe": ("{s}Toes>",)},
        hand,
    )


def _makehuman() -> Family:
    hand = tuple(((*(f"finger{k}-{n}.{{s}}" for n in (1, 2, 3)), ""),) for k in range(1, 6))
    return Family(
        "MakeHuman",
        ("L", "R"),
        _limbs("upperarm01.{s}", "lowerarm01.{s}", "wrist.{s}", "upperleg01.{s}", "lowerleg01.{s}", "foot.{s}")
        | {
            "head": ("head",),
            "eye": ("eye.{s}",),
            "big_toe": ("toe1-2.{s}>", "toe1-1.{s}>"),
            "small_toe": ("toe5-3.{s}>", "toe5-2.{s}>", "toe5-1.{s}>"),
        },
        hand,  # type: ignore[arg-type]
        face=makehuman_face(),
    )


def _daz() -> tuple[Family, ...]:
    face = {"head": ("head",), "eye": ("{s}Eye",), "ear": ("{s}Ear",)}
    toes = {
        "big_toe": ("{s}BigToe_2>", "{s}BigToe>", "{s}Toe>"),
        "small_toe": ("{s}SmallToe4_2>", "{s}SmallToe4>"),
        "heel": ("{s}Heel>",),
    }
    hand = _hand("{s}{f}{n}", _MID)
    bend = _limbs("{s}ShldrBend", "{s}ForearmBend", "{s}Hand", "{s}ThighBend", "{s}Shin", "{s}Foot")
    old = _limbs("{s}Shldr", "{s}ForeArm", "{s}Hand", "{s}Thigh", "{s}Shin", "{s}Foot")
    nine = _limbs("{s}_upperarm", "{s}_forearm", "{s}_hand", "{s}_thigh", "{s}_shin", "{s}_foot") | {
        "head": ("head",), "eye": ("{s}_eye",), "ear": ("{s}_ear",),
        "big_toe": ("{s}_bigtoe2>", "{s}_bigtoe1>", "{s}_toes>"), "small_toe": ("{s}_pinkytoe2>", "{s}_pinkytoe1>"),
        "heel": ("{s}_heel>",),
    }  # fmt: skip
    return (
        Family("Daz Genesis 3 and 8", ("l", "r"), bend | face | toes, hand, face=daz_face()),
        Family("Daz Genesis 9", ("l", "r"), nine, _hand("{s}_{f}{n}", _MID), face=daz_9_face()),
        Family("Daz and Poser", ("l", "r"), old | face | toes, hand),
    )


def _auto_rig_pro() -> Family:
    """The stretch bone of an upper arm or thigh begins half way down, except in rigs exported for engines."""
    return Family(
        "Auto-Rig Pro",
        ("l", "r"),
        _limbs(
            "arm.{s}|c_arm_twist_offset.{s}|arm_twist.{s}|arm_stretch.{s}|c_arm_fk.{s}",
            "forearm.{s}|forearm_stretch.{s}|c_forearm_fk.{s}",
            "hand.{s}|c_hand_fk.{s}",
            "thigh.{s}|thigh_twist.{s}|thigh_stretch.{s}|c_thigh_fk.{s}",
            "leg.{s}|leg_stretch.{s}|c_leg_fk.{s}",
            "foot.{s}|c_foot_fk.{s}",
        )
        | {
            "head": ("head.x", "c_head.x"),
            "eye": ("c_eye.{s}", "c_eye_offset.{s}"),
            "ear": ("c_ear_01.{s}",),
            "big_toe": ("c_toes_thumb2.{s}>", "toes_01.{s}>", "c_toes_fk.{s}>"),
            "small_toe": ("c_toes_pinky3.{s}>", "c_toes_pinky2.{s}>"),
        },
        _arp_hand(),
        marks=("arm_stretch.{s}", "c_arm_fk.{s}", "arm_twist.{s}"),
        outermost=True,
        face=auto_rig_pro_face(),
    )


def _arp_hand() -> Hand:
    """The first bone of a finger may carry the mark of a control or not, whatever the others do."""
    names = tuple(finger.lower() for finger in FINGERS)
    plain = tuple(((f"{f}1.{{s}}", f"c_{f}2.{{s}}", f"c_{f}3.{{s}}", ""),) for f in names)
    return _either(plain, _hand("c_{f}{n}.{s}", names), _hand("{f}{n}.{s}", names))


def _cloudrig(prefix: str) -> Family:
    """Two generations of names; in the newer one the first bone of a finger lies in the palm."""

    def segments(*bones: str) -> str:
        return "|".join(f"{prefix}{bone}{first}.{{s}}" for bone in bones for first in ("1", "_1", ""))

    def ends(*bones: str) -> str:
        return "|".join(f"{prefix}{bone}.{{s}}" for bone in bones)

    palm = _hand(f"{prefix}{{f}}{{n}}.{{s}}", FINGERS, numbers="234")
    thumb = _hand(f"{prefix}{{f}}{{n}}.{{s}}", FINGERS)
    old = _hand(f"{prefix}Finger_{{f}}{{n}}.{{s}}", FINGERS)
    hand = _either((thumb[0], *palm[1:]), thumb, old)
    return Family(
        "CloudRig",
        ("L", "R"),
        _limbs(
            segments("UpperArm"), segments("Forearm", "LowerArm"), ends("Hand", "Wrist"),
            segments("Thigh", "UpperLeg"), segments("Shin", "Knee", "LowerLeg"), ends("Foot"),
        )
        | {
            "head": (f"{prefix}Head", f"{prefix}Head1"), "eye": (f"{prefix}Eye.{{s}}", "Eye.{s}"),
            "ear": (f"{prefix}Ear.{{s}}",),
            "big_toe": (f"{prefix}Toes.{{s}}>", f"{prefix}Toe.{{s}}>"),
        },
        hand,
    )  # fmt: skip


def _reallusion() -> Family:
    bones = ("Upperarm", "Forearm", "Hand", "Thigh", "Calf", "Foot")
    return Family(
        "Character Creator",
        ("L", "R"),
        _limbs(*(f"CC_Base_{{s}}_{bone}" for bone in bones))
        | {
            "head": ("CC_Base_Head",),
            "eye": ("CC_Base_{s}_Eye",),
            "big_toe": ("CC_Base_{s}_BigToe1>", "CC_Base_{s}_ToeBase>"),
            "small_toe": ("CC_Base_{s}_PinkyToe1>",),
        },
        _hand("CC_Base_{s}_{f}{n}", _MID),
    )


def _smpl() -> tuple[Family, ...]:
    long = _limbs("{s}_shoulder", "{s}_elbow", "{s}_wrist", "{s}_hip", "{s}_knee", "{s}_ankle")
    fingers = tuple(f.lower() for f in FINGERS)
    return (
        Family(
            "SMPL",
            ("left", "right"),
            long
            | {
                "head": ("head",),
                "eye": ("{s}_eye_smplhf", "{s}_eye"),
                "big_toe": ("{s}_big_toe", "{s}_foot"),
                "small_toe": ("{s}_small_toe",),
                "heel": ("{s}_heel",),
            },
            _hand("{s}_{f}{n}", fingers),
        ),
        Family("SMPL", ("L", "R"), long | {"head": ("Head",), "big_toe": ("{s}_Foot",)}),
    )


def _bvh() -> tuple[Family, ...]:
    joints = _limbs("{s}Shoulder", "{s}Elbow", "{s}Wrist", "{s}Hip", "{s}Knee", "{s}Ankle")
    bones = _limbs("{s}humerus", "{s}radius", "{s}wrist|{s}hand", "{s}femur", "{s}tibia", "{s}foot")
    return (
        _mixamo_like("CMU BVH", marks=("LHipJoint", "LeftFingerBase")),
        Family("BVH", ("Left", "Right"), joints | {"head": ("Head",), "big_toe": ("{s}Toe", "{s}Ankle>")}),
        Family("CMU ASF", ("l", "r"), bones | {"head": ("head",), "big_toe": ("{s}toes>",)}),
    )


def _biped() -> tuple[Family, ...]:
    """3ds Max's Biped, with blanks or with underscores for them."""

    def family(gap: str) -> Family:
        bones = ("UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot")
        base = f"{{s}}{gap}Finger"
        hand = tuple(((f"{base}{k}", f"{base}{k}1", f"{base}{k}2", f"{base}{k}Nub"),) for k in range(5))
        return Family(
            "Biped",
            ("L", "R"),
            _limbs(*(f"{{s}}{gap}{bone}" for bone in bones))
            | {"head": ("Head",), "big_toe": (f"{{s}}{gap}Toe0Nub", f"{{s}}{gap}Toe0>")},
            hand,
        )

    return family(" "), family("_")


def _mmd(limb: str) -> Family:
    """MikuMikuDance, with the side before the name as there or behind it as imported; its digits are wide ones."""
    joints = (limb.replace("{}", bone) for bone in ("腕", "ひじ", "手首", "足", "ひざ", "足首"))
    fingers = (("親指", "\uff10\uff11\uff12"), *((f"{f}指", "\uff11\uff12\uff13") for f in ("人", "中", "薬", "小")))
    hand = (_hand(limb.replace("{}", f"{finger}{{n}}"), ("",), numbers=numbers)[0] for finger, numbers in fingers)
    toe = limb.replace("{}", "つま先")
    parts = _limbs(*joints) | {"head": ("頭",), "eye": (limb.replace("{}", "目"),), "big_toe": (toe,)}
    return Family("MMD", ("左", "右") if limb.startswith("{s}") else ("L", "R"), parts, tuple(hand))


FAMILIES: tuple[Family, ...] = (
    _rigify("Rigify", "DEF-"),
    _rigify("Rigify original bones", "ORG-"),
    _cloudrig("DEF-"),
    _auto_rig_pro(),
    _rigify("Rigify metarig", ""),
    _makehuman(),
    _cloudrig(""),
    _bvh()[0],
    _mixamo_like("Mixamo"),
    _unreal(),
    _vroid(),
    _vrm(),
    *_daz(),
    _reallusion(),
    *_smpl(),
    *_bvh()[1:],
    *_biped(),
    _mmd("{s}{}"),
    _mmd("{}.{s}"),
)
"""Asked in this order: what is particular before what others use too."""
