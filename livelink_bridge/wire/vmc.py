"""Virtual Motion Capture protocol: OSC messages for an avatar's face (protocol.vmc.info, versions 2.0 to 2.8;
docs/protocol.md, section 4.1).

    /VMC/Ext/OK i             1: the sender's model is loaded
    /VMC/Ext/T f              the sender's time, seconds; shows that it is alive
    /VMC/Ext/Bone/Pos s 7f    a bone of Unity's HumanBodyBones: position in metres, rotation as quaternion x y z w,
                              both local
    /VMC/Ext/Set/Eye i 3f     1 and the point looked at, metres from the head (before 2.8: in the room)
    /VMC/Ext/Blend/Val s f    one blend shape of the avatar, 0 to 1; names are case-sensitive
    /VMC/Ext/Blend/Apply      applies the values to the face; nothing moves without it

Unity's axes are x right, y up, z forward, left-handed. Positive angles here have the signs of this program's eye
channels: yaw to the face's own right (about y), pitch down (about x), roll about z as Unity rotates, the face's right
side up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from arkit_mapping.channels import CHANNELS_61, camel
from arkit_mapping.vrm import EXPRESSIONS
from livelink_bridge.wire.osc.encode import Template, Value, message

TIME = len(CHANNELS_61)
HEAD = slice(TIME + 1, TIME + 5)
EYES = slice(HEAD.stop, HEAD.stop + 3)
VRM = slice(EYES.stop, EYES.stop + len(EXPRESSIONS))
VALUES = VRM.stop
"""Messages are filled from float32 (VALUES,): the 61 channels in wire order, then the sender's time, the head's
quaternion, the point looked at, and VRM's expressions."""

APPLY = message("/VMC/Ext/Blend/Apply")


def alive() -> list[Template]:
    """Messages of the sender's state and time."""
    return [message("/VMC/Ext/OK", 1), message("/VMC/Ext/T", Value(TIME))]


def head() -> list[Template]:
    """Messages of the head's rotation and the point looked at.

    The head's position is 0; set receivers that use positions to ignore it. The head bone gets the whole rotation and
    the neck none, as an avatar need not have a neck bone.
    """
    rotation = map(Value, range(HEAD.start, HEAD.stop))
    point = map(Value, range(EYES.start, EYES.stop))
    return [message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, *rotation), message("/VMC/Ext/Set/Eye", 1, *point)]


def shapes(channels: Iterable[int], *, camel_case: bool) -> list[Template]:
    """One value message per channel, under its Perfect Sync name.

    Parameters
    ----------
    channels : positions in wire order
    camel_case : ARKit's own spelling (jawOpen) instead of PascalCase (JawOpen)
    """
    names = [(camel(CHANNELS_61[channel]) if camel_case else CHANNELS_61[channel], channel) for channel in channels]
    return [message("/VMC/Ext/Blend/Val", name, Value(channel)) for name, channel in names]


def vrm_expressions() -> list[Template]:
    """One value message per VRM expression (A, I, U, E, O and others)."""
    return [message("/VMC/Ext/Blend/Val", name, Value(VRM.start + number)) for number, name in enumerate(EXPRESSIONS)]


def quaternion(yaw: float, pitch: float, roll: float) -> tuple[float, float, float, float]:
    """Quaternion (x, y, z, w) of angles in radians, rotated about z, then x, then y, as Unity's Euler angles."""
    cos_y, sin_y = math.cos(yaw / 2), math.sin(yaw / 2)
    cos_x, sin_x = math.cos(pitch / 2), math.sin(pitch / 2)
    cos_z, sin_z = math.cos(roll / 2), math.sin(roll / 2)
    return (
        cos_y * sin_x * cos_z + sin_y * cos_x * sin_z,
        sin_y * cos_x * cos_z - cos_y * sin_x * sin_z,
        cos_y * cos_x * sin_z - sin_y * sin_x * cos_z,
        cos_y * cos_x * cos_z + sin_y * sin_x * sin_z,
    )


def looked_at(yaw: float, pitch: float) -> tuple[float, float, float]:
    """The point that eyes with these angles (radians) look at, one metre from the head: x, y, z in metres."""
    return math.sin(yaw) * math.cos(pitch), -math.sin(pitch), math.cos(yaw) * math.cos(pitch)
