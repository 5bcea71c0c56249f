"""VMC messages to face frames: values take effect with the next Apply (docs/protocol.md, section 4.1).

`/VMC/Ext/Blend/Val s f` sets one blendshape, `/VMC/Ext/Blend/Apply` applies the values set so far; without it a
receiver shows nothing. The 52 ARKit names are Perfect Sync's; others, such as VRM's A I U E O, are kept separately.
Head and eyes arrive as bone rotations, quaternions x y z w in Unity's axes (x right, y up, z forward, left-handed), the
eyes also as a point looked at (`/VMC/Ext/Set/Eye i 3f`). Angles are those of `wire.vmc`: yaw about y, pitch about x,
roll about z.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61
from livelink_bridge.wire.osc.face import Message, channel_of, keep_other, numbers_of
from livelink_bridge.wire.packet_lint import Oddity

MAX_UNAPPLIED = 256
"""Values without an Apply after which the sender is reported: more than two frames of every known name."""

BONES = {"head": "Head", "lefteye": "LeftEye", "righteye": "RightEye"}
"""Channel name prefix by lower-case bone name."""


class VmcPose:
    """Collects one sender's messages into frames."""

    def __init__(self) -> None:
        self.values: NDArray[np.float32] = np.zeros(len(CHANNELS_61), np.float32)
        """The frame applied last: float32 (61,) in wire order, angles in radians."""
        self.others: dict[str, float] = {}
        """Latest values of blendshapes that are not ARKit's, such as VRM's A I U E O."""
        self._pending = self.values.copy()
        self._unapplied = 0

    def feed(self, messages: Iterable[Message]) -> tuple[list[NDArray[np.float32]], list[Oddity]]:
        """Process the messages of one datagram.

        Returns
        -------
        frames : the frames applied, float32 (61,) in wire order each, angles in radians
        findings : what is wrong with the messages
        """
        frames: list[NDArray[np.float32]] = []
        for message in messages:
            if message.address == "/VMC/Ext/Blend/Val":
                self._set(message)
            elif message.address == "/VMC/Ext/Bone/Pos":
                self._set_rotation(message)
            elif message.address == "/VMC/Ext/Set/Eye":
                self._set_gaze(message)
            elif message.address == "/VMC/Ext/Blend/Apply":
                self._unapplied = 0
                self.values = self._pending.copy()
                frames.append(self.values.copy())
        return frames, self._missing_apply()

    def _set(self, message: Message) -> None:
        numbers = numbers_of(message.arguments)
        if len(message.arguments) != 2 or not isinstance(message.arguments[0], str) or len(numbers) != 1:
            return
        self._unapplied += 1
        name = message.arguments[0]
        at = channel_of(name)
        if at is None:
            keep_other(self.others, name, numbers[0])
        else:
            self._pending[at] = numbers[0]

    def _set_rotation(self, message: Message) -> None:
        numbers = numbers_of(message.arguments)
        bone = str(message.arguments[0]).lower() if message.arguments else ""
        if bone not in BONES or len(numbers) != 7:
            return
        for axis, angle in zip(("Yaw", "Pitch", "Roll"), angles_of(*numbers[3:]), strict=True):
            self._pending[CHANNELS_61.index(BONES[bone] + axis)] = angle

    def _set_gaze(self, message: Message) -> None:
        numbers = numbers_of(message.arguments)
        if len(numbers) != 4 or not numbers[0]:
            return
        x, y, z = numbers[1:]
        for eye in ("LeftEye", "RightEye"):
            self._pending[CHANNELS_61.index(f"{eye}Yaw")] = math.atan2(x, z)
            self._pending[CHANNELS_61.index(f"{eye}Pitch")] = -math.atan2(y, math.hypot(x, z))

    def _missing_apply(self) -> list[Oddity]:
        if self._unapplied <= MAX_UNAPPLIED:
            return []
        self._unapplied = 0
        text = f"{MAX_UNAPPLIED} blendshape values and no /VMC/Ext/Blend/Apply: receivers show nothing"
        return [Oddity("no-apply", text, "make the sender end each frame with /VMC/Ext/Blend/Apply")]


def angles_of(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """Yaw about y, pitch about x and roll about z, in radians and applied in that order, of a quaternion; zeros for a
    quaternion of 0."""
    norm = math.sqrt(x * x + y * y + z * z + w * w)
    if not 1e-6 < norm < math.inf:
        return 0.0, 0.0, 0.0
    x, y, z, w = x / norm, y / norm, z / norm, w / norm
    pitch = math.asin(max(-1.0, min(1.0, 2 * (w * x - y * z))))
    yaw = math.atan2(2 * (w * y + x * z), 1 - 2 * (x * x + y * y))
    roll = math.atan2(2 * (w * z + x * y), 1 - 2 * (x * x + z * z))
    return yaw, pitch, roll
