# SPDX-License-Identifier: GPL-3.0-or-later
"""The joints of a person in one array: body, feet, hands, face, in the orders pose models were trained on.

R is the person's own right. Body is COCO-18, feet are OpenPose's six, hands 21 each from the wrist out (thumb, index,
middle, ring, little), the face iBUG's 68 (its two further points, the eyes, are joints of the body).
"""

from __future__ import annotations

BODY = slice(0, 18)
"""Nose, neck, right shoulder, elbow, wrist, left ones, right hip, knee, ankle, left ones, eyes and ears (R, L)."""

FEET = slice(18, 24)
"""Left big toe, left small toe, left heel, then the right ones."""

LEFT_HAND = slice(24, 45)
RIGHT_HAND = slice(45, 66)
FACE = slice(66, 134)

JOINTS = 134
"""Length of a person's array."""

COCO18 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "RHip",
    "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
)  # fmt: skip
FOOT_JOINTS = ("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel")
