# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the plan on the rigs: keys on Rigify's IK controls every second frame, and the case from hand to hand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import bpy
import example_plan as plan
from example_bodies import CONTACT, COURIER, Build
from mathutils import Euler, Matrix, Quaternion, Vector

GRIP_M = 0.085
ANKLE_M, BALL_M, HEEL_M = 0.085, -0.109, 0.045
GRIP_HEIGHT_M, GRIP_Y_M, GRIP_APART_M = 0.98, -0.19, 0.06
LIMBS = ("foot_ik.L", "foot_ik.R", "hand_ik.L", "hand_ik.R")
POLES = ("upper_arm_ik_target.L", "upper_arm_ik_target.R")
TURNED = ("chest", "head", "toe_ik.L", "toe_ik.R")


@dataclass(frozen=True, slots=True)
class Actor:
    """A rig with its walk. `case_side` is the hand that holds the case; `gives` tells who has it first."""

    build: Build
    rig: bpy.types.Object
    walk: plan.Walk
    case_side: str
    gives: bool
    keys: dict[str, list[tuple[float, Vector, Quaternion]]] = field(
        default_factory=dict[str, list[tuple[float, Vector, Quaternion]]]
    )

    def carrying(self, frame: float) -> float:
        """How far the case hand is reached out to the other person, 0..1."""
        return plan.ramp(frame, plan.REACH_START, plan.REACH_END) * (
            1 - plan.ramp(frame, plan.RELEASE, plan.RETURN_END)
        )

    def holds(self, frame: float) -> float:
        """1 while the case hangs in this hand, eased over the reach: it stills the arm swing."""
        late = plan.ramp(frame, plan.REACH_END, plan.RELEASE)
        return 1 - late if self.gives else late


def axes(heading: float) -> Matrix:
    """Rotation whose X axis is forward, Y left, Z up for a heading."""
    return Matrix.Rotation(heading, 4, "Z")


def facing(heading: float) -> Matrix:
    """World rotation of a rig (which faces -Y at rest) for a heading."""
    return Matrix.Rotation(heading + math.pi / 2, 4, "Z")


def grip_to_hand(build: Build, side: str) -> Matrix:
    """The hand bone in the axes of the grip (X forward, Y left, Z up): fingers down, thumb forward, palm inwards."""
    hand = Matrix(((0, 0, 1, 0), (-1, 0, 0, 0), (0, -1, 0, 0), (0, 0, 0, 1)))
    outward = 0.028 if side == "L" else -0.028
    hand.translation = Vector((0, outward, GRIP_M + 0.018)) * build.scale
    return hand


def pose(actor: Actor, frame: float, other: Vector) -> None:
    """Pose every control of one actor for `frame`; `other` is the world place of the other person's face."""
    rig, bones = actor.rig, actor.rig.pose.bones
    inverse = rig.matrix_world.inverted()
    body = plan.body_at(actor.walk, frame)
    reach = actor.carrying(frame)
    breath = math.sin(frame / 24 * 2 * math.pi / 3.4 + (0.0 if actor.gives else 1.1))
    idle = 1 - min(1.0, abs(body.gait) * 2)
    _torso(actor, body, frame, reach, idle, inverse)
    sign = 1.0 if actor.case_side == "L" else -1.0
    lean = 0.035 + 0.02 * abs(body.gait) + 0.19 * reach + 0.012 * breath
    yaw = math.radians(10.0) * body.gait * 0.9 - sign * 0.24 * reach
    bones["chest"].rotation_quaternion = Euler((lean, 0.03 * sign * actor.holds(frame), yaw)).to_quaternion()
    for side in "LR":
        _foot(actor, side, frame, inverse)
    bpy.context.view_layer.update()
    _head(actor, body, frame, other, inverse)
    for side in "LR":
        _hand(actor, body, side, frame, inverse)


def _torso(actor: Actor, body: plan.BodyPose, frame: float, reach: float, idle: float, inverse: Matrix) -> None:
    rest = actor.rig.data.bones["torso"].head_local
    shift = 0.012 * idle * math.sin(frame / 24 * 2 * math.pi / 5.3 + (0.5 if actor.gives else 2.0))
    turn = axes(body.heading)
    place = Vector((body.x, body.y, rest.z - body.drop * actor.build.scale)) + turn @ Vector(
        (0.035 * reach - 0.02, body.sway + shift, 0)
    )
    twist = Matrix.Rotation(-math.radians(6.5) * body.gait, 4, "Z")
    tilt = Matrix.Rotation(math.radians(3.0) * body.sway / 0.026, 4, "Y")
    bone = actor.rig.pose.bones["torso"]
    bone.matrix = inverse @ Matrix.Translation(place) @ facing(body.heading) @ twist @ tilt


def _foot(actor: Actor, side: str, frame: float, inverse: Matrix) -> None:
    """Place the ankle; the foot turns about the ball with the heel up and about the heel with the toes up."""
    foot, scale = plan.foot_at(actor.walk, side, frame), actor.build.scale
    pivot = Vector((0, (BALL_M if foot.pitch > 0 else HEEL_M) * scale, -ANKLE_M * scale))
    roll = Matrix.Translation(pivot) @ Matrix.Rotation(foot.pitch, 4, "X") @ Matrix.Translation(-pivot)
    ankle = Matrix.Translation((foot.x, foot.y, ANKLE_M * scale + foot.height))
    bones = actor.rig.pose.bones
    bones[f"foot_ik.{side}"].matrix = inverse @ ankle @ facing(foot.heading) @ roll
    planted = 1 - min(1.0, foot.height / 0.05)
    bones[f"toe_ik.{side}"].rotation_quaternion = Quaternion((1, 0, 0), max(0.0, foot.pitch) * planted)


def _head(actor: Actor, body: plan.BodyPose, frame: float, other: Vector, inverse: Matrix) -> None:
    """Look ahead while walking, at the other person while standing; never more than 65 degrees off the chest."""
    bone = actor.rig.pose.bones["head"]
    here = actor.rig.matrix_world @ bone.matrix.translation
    ahead = plan.body_at(actor.walk, frame + 7).heading
    at = math.atan2(other.y - here.y, other.x - here.x)
    off = (at - body.heading + math.pi) % (2 * math.pi) - math.pi
    meets = plan.ramp(frame, 1017, 1041) if actor.gives else 1 - plan.ramp(frame, 1089, 1103)
    glance = plan.ramp(frame, plan.REACH_START, 1071) * (1 - plan.ramp(frame, 1081, 1091))
    yaw = body.heading + (1 - meets) * (ahead - body.heading) + meets * max(-1.1, min(1.1, off))
    nod = 0.06 + 0.30 * glance + (0.03 if actor.gives else -0.02)
    turned = facing(yaw) @ Matrix.Rotation(math.pi / 2, 4, "X") @ Matrix.Rotation(nod, 4, "X")
    bone.matrix = Matrix.Translation(bone.matrix.translation) @ (inverse.to_3x3() @ turned.to_3x3()).to_4x4()


def _hand(actor: Actor, body: plan.BodyPose, side: str, frame: float, inverse: Matrix) -> None:
    rig, scale = actor.rig, actor.build.scale
    shoulder = rig.matrix_world @ rig.pose.bones[f"ORG-upper_arm.{side}"].head
    out = 1.0 if side == "L" else -1.0
    turn = axes(body.heading)
    held = actor.holds(frame) if side == actor.case_side else 0.0
    swing = out * -body.gait * (1 - 0.72 * held)
    angle = math.radians(25) * swing + math.radians(4) + (0.10 if swing > 0 else 0.0) * swing
    length = (0.525 - 0.03 * max(0.0, swing) + 0.008 * held) * scale
    width = (0.075 + (0.065 if actor.build.coat else 0.03) * held + (0.03 if actor.build.coat else 0.0)) * out
    bend = angle * (1 - held) * 1.2 + 0.25 * (1 - held) + 0.5 * angle * held
    wrist = shoulder + turn @ Vector((math.sin(angle) * length, width, -math.cos(angle) * length))
    hanging = Matrix.Translation(wrist) @ turn @ Matrix.Rotation(-bend, 4, "Y")
    to_hand = grip_to_hand(actor.build, side)
    only_turn = to_hand.to_3x3().to_4x4()
    goal = hanging @ only_turn
    if side == actor.case_side:
        apart = GRIP_APART_M * (-1 if actor.gives else 1)
        offer = Matrix.Translation((apart, GRIP_Y_M, GRIP_HEIGHT_M)) @ axes(0.0 if actor.gives else math.pi) @ to_hand
        reach = actor.carrying(frame)
        goal = blend(goal, offer, reach)
        clear = math.sin(math.pi * reach)
        goal.translation += turn @ Vector((0, (0.10 if actor.build.coat else 0.05) * out * clear, 0.04 * clear))
    rig.pose.bones[f"hand_ik.{side}"].matrix = inverse @ goal
    pole = shoulder + turn @ Vector((-0.75, 0.30 * out, -0.45))
    target = rig.pose.bones[f"upper_arm_ik_target.{side}"]
    target.matrix = Matrix.Translation(inverse @ pole) @ rig.data.bones[target.name].matrix_local.to_3x3().to_4x4()


def blend(a: Matrix, b: Matrix, weight: float) -> Matrix:
    """Between two placements: straight line and shortest turn."""
    turn = a.to_quaternion().slerp(b.to_quaternion(), weight)
    return Matrix.Translation(a.translation.lerp(b.translation, weight)) @ turn.to_matrix().to_4x4()


def record(actor: Actor, frame: float) -> None:
    """Remember the local values of all posed controls."""
    for name in ("torso", *LIMBS, *POLES, *TURNED):
        bone = actor.rig.pose.bones[name]
        turn = bone.rotation_quaternion.copy()
        keys = actor.keys.setdefault(name, [])
        if keys and keys[-1][2].dot(turn) < 0:
            turn.negate()
        keys.append((frame, bone.location.copy(), turn))


def write_keys(actor: Actor) -> None:
    """The remembered values as Bézier curves in one action per rig."""
    rig = actor.rig
    rig.animation_data_create().action = bpy.data.actions.new(f"{actor.build.name}_handover")
    for name, keys in actor.keys.items():
        if name not in TURNED:
            for axis in range(3):
                _curve(rig.animation_data.action, name, "location", axis, [(f, loc[axis]) for f, loc, _ in keys])
        if name not in POLES:
            for axis in range(4):
                _curve(rig.animation_data.action, name, "rotation_quaternion", axis, [(f, q[axis]) for f, _, q in keys])


def _curve(action: bpy.types.Action, bone: str, path: str, axis: int, points: list[tuple[float, float]]) -> None:
    curve = action.fcurves.new(f'pose.bones["{bone}"].{path}', index=axis, action_group=bone)
    kept = [
        p for i, p in enumerate(points) if i in (0, len(points) - 1) or not points[i - 1][1] == p[1] == points[i + 1][1]
    ]
    curve.keyframe_points.add(len(kept))
    for key, (frame, value) in zip(curve.keyframe_points, kept, strict=True):
        key.co = frame, round(value, 5)
        key.interpolation, key.handle_left_type, key.handle_right_type = "BEZIER", "AUTO_CLAMPED", "AUTO_CLAMPED"
    curve.update()


def animate(courier_rig: bpy.types.Object, contact_rig: bpy.types.Object) -> None:
    """Pose both rigs on every keyed frame and write their actions. The rigs stand on their meeting marks."""
    courier = Actor(COURIER, courier_rig, plan.COURIER, "R", gives=True)
    contact = Actor(CONTACT, contact_rig, plan.CONTACT, "L", gives=False)
    for actor, x, heading in ((courier, plan.COURIER_X, 0.0), (contact, plan.CONTACT_X, math.pi)):
        actor.rig.matrix_world = Matrix.Translation((x, 0, 0)) @ facing(heading)
    bpy.context.view_layer.update()
    for frame in range(plan.KEY_FIRST, plan.KEY_LAST + 1, plan.KEY_STEP):
        for actor, partner in ((courier, contact), (contact, courier)):
            body = plan.body_at(partner.walk, frame)
            pose(actor, frame, Vector((body.x, body.y, 1.75 * partner.build.scale)))
        for actor in (courier, contact):
            record(actor, frame)
    for actor in (courier, contact):
        write_keys(actor)


def hand_over(case: bpy.types.Object, courier_rig: bpy.types.Object, contact_rig: bpy.types.Object) -> None:
    """Two Child Of constraints; at the switch frame the influence changes hands in one step."""
    turned = Matrix.Rotation(math.pi, 4, "Z")
    off = Matrix.Translation((GRIP_APART_M, 0, 0))
    for rig, build, side, gives in ((courier_rig, COURIER, "R", True), (contact_rig, CONTACT, "L", False)):
        hold = case.constraints.new("CHILD_OF")
        hold.name = f"Held by {build.name}"
        hold.target, hold.subtarget = rig, f"DEF-hand.{side}"
        hold.inverse_matrix = grip_to_hand(build, side).inverted() @ off @ (Matrix.Identity(4) if gives else turned)
        for frame, value in ((plan.KEY_FIRST, 1.0 if gives else 0.0), (plan.SWITCH, 0.0 if gives else 1.0)):
            hold.influence = value
            hold.keyframe_insert("influence", frame=frame)
    for curve in case.animation_data.action.fcurves:
        for key in curve.keyframe_points:
            key.interpolation = "CONSTANT"
    case.animation_data.action.name = "Case_handover"
