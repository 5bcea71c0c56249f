"""OSC messages to poses, whatever their addresses: the last part of an address names a channel, or a list holds them
all.

Senders of faces over OSC do not agree on addresses (protocol.md 5): `/arkit/JawOpen`, `/avatar/parameters/v2/jawOpen`,
`/facejawopen`, `/mouthSmile_L`. So the name at the end decides, in any spelling. One message with 52 or 61 numbers is a
whole pose in wire order, one with 63 (52 shapes, head, eyes, time) counts as its 52 shapes. Head and eye angles are
radians. Face Cap's messages (`wire.facecap`) number the shapes in an order of their own and turn the head in degrees.
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
"""By how many numbers a list has: how many of them are channels in wire order."""
FACE_CAP = {"/W", *FACE_CAP_ANGLES}
MOST_OTHERS = 64
"""Names that are no channel's and are kept with their values."""
LONGEST_NAME = 64

_GREATEST = 3.4e38
_SIDE = {"_l": "left", "_r": "right"}
_INDEX = {name.lower(): at for at, name in enumerate(CHANNELS_61)}


class Message(Protocol):
    """What `osc_decode.decode` gives."""

    @property
    def address(self) -> str: ...

    @property
    def arguments(self) -> Sequence[Any]: ...


class OscPose:
    """Gathers one sender's messages. A channel that comes again begins the next pose, however many datagrams one
    takes."""

    def __init__(self) -> None:
        self.values: NDArray[np.float32] = np.zeros(len(CHANNELS_61), np.float32)
        """The latest of each channel, float32 (61,) in wire order; 0 for those that never came."""
        self.others: dict[str, float] = {}
        """The latest of names that are no channel's, MOST_OTHERS at most."""
        self._heard: set[int] = set()

    def feed(self, messages: Iterable[Message]) -> list[NDArray[np.float32]]:
        """Take a datagram's messages; the poses that they completed, float32 (61,) each. Messages of another kind are
        passed over."""
        return [pose for message in messages for pose in self._take(message)]

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
        begun = [] if self._heard.isdisjoint(channels) else [self.values.copy()]
        if begun:
            self._heard.clear()
        self._heard.update(channels)
        for at, value in channels.items():
            self.values[at] = value
        return begun

    def _take_list(self, numbers: Sequence[float]) -> list[NDArray[np.float32]]:
        self.values[: len(numbers)] = numbers
        self._heard.clear()  # beside its single messages a sender may send the list too: that is one pose, not two
        return [self.values.copy()]


def _face_cap(address: str, numbers: Sequence[float]) -> dict[int, float]:
    """What one of Face Cap's messages sets, by wire index; nothing for one that is not as it should be."""
    if address == "/W":
        known = len(numbers) == 2 and 0 <= numbers[0] < len(FACE_CAP_SHAPES)
        return {index_of(FACE_CAP_SHAPES[int(numbers[0])]): numbers[1]} if known else {}
    names = FACE_CAP_ANGLES[address]
    degrees = numbers if len(numbers) == len(names) else []
    return {index_of(name): math.radians(angle) for name, angle in zip(names, degrees, strict=False)}


def channel_of(name: str) -> int | None:
    """Wire index of a channel in any spelling: JawOpen, jawOpen, jawopen, facejawopen, mouthSmile_L. None for another
    name."""
    lower = name.lower()
    spelled = re.sub(r"_[lr]$", lambda side: _SIDE[side[0]], lower).replace("_", "")
    return _INDEX.get(spelled, _INDEX.get(spelled.removeprefix("face")))


def numbers_of(arguments: Sequence[Any]) -> list[float]:
    """The numbers among a message's arguments, those of lists within it included; truth values are none."""
    flat = [inner for outer in arguments for inner in (outer if isinstance(outer, list | tuple) else [outer])]
    return [_float32(number) for number in flat if isinstance(number, int | float) and not isinstance(number, bool)]


def keep_other(others: dict[str, float], name: str, value: float) -> None:
    """Remember the value of a name that is no channel's, as long as there are few."""
    if len(name) <= LONGEST_NAME and (name in others or len(others) < MOST_OTHERS):
        others[name] = value


def _float32(number: float) -> float:
    """A number beyond a float32's range is infinite, said without numpy's warning."""
    return math.copysign(math.inf, number) if abs(number) > _GREATEST else float(number)
