"""OSC messages to face frames, under any address: the last part of an address names a channel, or one message lists
all channels.

Senders of faces over OSC use different addresses (docs/protocol.md, section 5): `/arkit/JawOpen`,
`/avatar/parameters/v2/jawOpen`, `/facejawopen`, `/mouthSmile_L`. Only the name at the end counts, in any spelling. One
message with 52 or 61 numbers is a whole frame in wire order, one with 63 (52 shapes, head, eyes, time) counts as its 52
shapes. Head and eye angles are radians. Face Cap's messages (`wire.facecap`) number the shapes in their own order and
give angles in degrees.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, index_of
from livelink_bridge.wire.osc.facecap import ANGLES as FACE_CAP_ANGLES
from livelink_bridge.wire.osc.facecap import SHAPES as FACE_CAP_SHAPES

LISTS = {len(CHANNELS_61): len(CHANNELS_61), SHAPE_COUNT: SHAPE_COUNT, 63: SHAPE_COUNT}
"""Length of a list -> how many of its numbers are channels in wire order."""
FACE_CAP = {"/W", *FACE_CAP_ANGLES}
"""Addresses of Face Cap's messages."""
MAX_OTHERS = 64
"""Largest number of names kept that are not channels."""
LONGEST_NAME = 64
"""Characters of such a name."""

_GREATEST = 3.4e38
_SIDE = {"_l": "left", "_r": "right"}
_INDEX = {name.lower(): at for at, name in enumerate(CHANNELS_61)}


class Message(Protocol):
    """An OSC message as `wire.osc.decode.decode` returns it."""

    @property
    def address(self) -> str:
        """OSC address, begins with "/"."""
        ...

    @property
    def arguments(self) -> Sequence[Any]:
        """Arguments in order."""
        ...


class OscPose:
    """Collects one sender's messages into frames. A repeated channel starts the next frame, however many datagrams a
    frame takes."""

    def __init__(self) -> None:
        self.values: NDArray[np.float32] = np.zeros(len(CHANNELS_61), np.float32)
        """Latest value of each channel, float32 (61,) in wire order; 0 for channels not received yet."""
        self.others: dict[str, float] = {}
        """Latest values of names that are not channels, MAX_OTHERS at most."""
        self._received: set[int] = set()

    def feed(self, messages: Iterable[Message]) -> list[NDArray[np.float32]]:
        """Process the messages of one datagram; returns the frames they completed, float32 (61,) each. Other messages
        are skipped."""
        return [frame for message in messages for frame in self._take(message)]

    def _take(self, message: Message) -> list[NDArray[np.float32]]:
        numbers = numbers_of(message.arguments)
        if message.address in FACE_CAP:
            return self._set(_face_cap(message.address, numbers))
        if len(numbers) in LISTS:
            return self._take_list(numbers[: LISTS[len(numbers)]])
        if len(numbers) != 1 or len(message.arguments) != 1:
            return []
        name = message.address.rpartition("/")[2]
        at = channel_of(name)
        if at is None:
            keep_other(self.others, name, numbers[0])
            return []
        return self._set({at: numbers[0]})

    def _set(self, channels: dict[int, float]) -> list[NDArray[np.float32]]:
        completed = [] if self._received.isdisjoint(channels) else [self.values.copy()]
        if completed:
            self._received.clear()
        self._received.update(channels)
        for at, value in channels.items():
            self.values[at] = value
        return completed

    def _take_list(self, numbers: Sequence[float]) -> list[NDArray[np.float32]]:
        self.values[: len(numbers)] = numbers
        self._received.clear()  # a sender may send the list besides single messages: that is one frame, not two
        return [self.values.copy()]


def _face_cap(address: str, numbers: Sequence[float]) -> dict[int, float]:
    """Values that one of Face Cap's messages sets, by wire index; empty for a malformed one."""
    if address == "/W":
        valid = len(numbers) == 2 and 0 <= numbers[0] < len(FACE_CAP_SHAPES)
        return {index_of(FACE_CAP_SHAPES[int(numbers[0])]): numbers[1]} if valid else {}
    names = FACE_CAP_ANGLES[address]
    degrees = numbers if len(numbers) == len(names) else []
    return {index_of(name): math.radians(angle) for name, angle in zip(names, degrees, strict=False)}


def channel_of(name: str) -> int | None:
    """Wire index of a channel in any spelling: JawOpen, jawOpen, jawopen, facejawopen, mouthSmile_L. None for any other
    name."""
    lower = name.lower()
    key = re.sub(r"_[lr]$", lambda side: _SIDE[side[0]], lower).replace("_", "")
    return _INDEX.get(key, _INDEX.get(key.removeprefix("face")))


def numbers_of(arguments: Sequence[Any]) -> list[float]:
    """The numbers among a message's arguments, nested lists included; booleans are skipped."""
    flat = [inner for outer in arguments for inner in (outer if isinstance(outer, list | tuple) else [outer])]
    return [_float32(number) for number in flat if isinstance(number, int | float) and not isinstance(number, bool)]


def keep_other(others: dict[str, float], name: str, value: float) -> None:
    """Store the value of a name that is not a channel, within LONGEST_NAME and MAX_OTHERS."""
    if len(name) <= LONGEST_NAME and (name in others or len(others) < MAX_OTHERS):
        others[name] = value


def _float32(number: float) -> float:
    """A number beyond the range of float32 becomes infinite, without numpy's warning."""
    return math.copysign(math.inf, number) if abs(number) > _GREATEST else float(number)
