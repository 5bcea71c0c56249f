"""OSC messages of Face Cap, a face-capture app whose format other receivers read: `/W i f` for a shape, `/HR f f f` for
the head, `/ELR f f` and `/ERR f f` for the eyes.

Known: addresses, arguments, that `/HR` is degrees about x, y and z, and that shapes are numbered from "brow inner up"
(bannaflak.com/face-cap/livemode.html); all 52 numbers from the list of the app's Unity receiver, which the
MotionBuilder device of OpenMoBu (github.com/Neill3d/OpenMoBu, device_facecap) has in the same order. Not known: the
sign of the rotations about x, y and z, as no output of the app itself was available. The Unity receiver applies an
eye's two numbers as degrees about x and y, and so does this encoder: pitch, then yaw. OpenMoBu reads the first as yaw.
Positions (`/HT`) and the head as a quaternion (`/HRQ`) are not sent: there is no position, and receivers need one form
of rotation.
"""

from __future__ import annotations

from collections.abc import Collection

from arkit_mapping.channels import index_of
from livelink_bridge.wire.osc.encode import Template, Value, message

SHAPES: tuple[str, ...] = (
    *("browInnerUp", "browDownLeft", "browDownRight", "browOuterUpLeft", "browOuterUpRight"),
    *("eyeLookUpLeft", "eyeLookUpRight", "eyeLookDownLeft", "eyeLookDownRight"),
    *("eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight"),
    *("eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
    *("jawOpen", "jawForward", "jawLeft", "jawRight"),
    *("mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthRollUpper", "mouthRollLower", "mouthShrugUpper", "mouthShrugLower", "mouthClose"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthPressLeft", "mouthPressRight", "mouthStretchLeft", "mouthStretchRight", "tongueOut"),
)
"""The 52 shapes in the order of Face Cap's numbers, 0 to 51."""

ANGLES: dict[str, tuple[str, ...]] = {
    "/HR": ("HeadPitch", "HeadYaw", "HeadRoll"),
    "/ELR": ("LeftEyePitch", "LeftEyeYaw"),
    "/ERR": ("RightEyePitch", "RightEyeYaw"),
}
"""Channels of the angles about x, y and z in each rotation message."""


def messages(channels: Collection[int]) -> list[Template]:
    """Templates of the messages that contain at least one of `channels` (positions in wire order). Fill them from
    weights whose angles are in degrees."""
    shapes = [
        message("/W", number, Value(index_of(name))) for number, name in enumerate(SHAPES) if index_of(name) in channels
    ]
    angles = [(address, [index_of(name) for name in names]) for address, names in ANGLES.items()]
    return shapes + [
        message(address, *map(Value, positions))
        for address, positions in angles
        if not set(positions).isdisjoint(channels)
    ]
