"""OSC: one message `/arkit/JawOpen f` per channel, in bundles that fit an Ethernet frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from arkit_mapping import CHANNELS_61
from livelink_bridge.frames import Weights
from livelink_bridge.sinks.base import Closure, Stamp
from livelink_bridge.sinks.udp import UdpTarget
from livelink_bridge.sinks.uri import read_uri

MAX_BUNDLE = 1400
"""Bytes. More would be cut into fragments on the way, and one lost fragment loses the pose."""

_BUNDLE_HEAD = 16
_SIZE_FIELD = 4


class OscSink:
    """`osc://HOST:PORT`. MouthClose as ARKit means it."""

    closure: Closure = "arkit"

    def __init__(self, uri: str) -> None:
        self.name = uri
        self.sent = 0
        self._bundles = bundles_of(tuple(f"/arkit/{name}" for name in CHANNELS_61))
        self._target = UdpTarget(read_uri(uri))

    @property
    def errors(self) -> int:
        return self._target.refused + self._target.lost

    def send(self, weights: Weights, stamp: Stamp) -> None:
        big_endian = weights.astype(">f4").view(np.uint8).reshape(-1, 4)
        left = [self._target.send(bundle.filled(big_endian)) for bundle in self._bundles]
        self.sent += all(left)

    def close(self) -> None:
        self._target.close()


class Bundle:
    """A bundle of one-float messages, built once; a pose only writes its floats into it.

    Building 61 messages anew takes a millisecond of Python, time in which no other thread of the program runs.
    """

    def __init__(self, messages: list[OscMessage], first: int) -> None:
        builder = OscBundleBuilder(IMMEDIATELY)
        for message in messages:
            builder.add_content(message)
        self._bytes: NDArray[np.uint8] = np.frombuffer(builder.build().dgram, np.uint8).copy()
        ends = _BUNDLE_HEAD + np.cumsum([_SIZE_FIELD + message.size for message in messages])
        self._floats = ends[:, None] + np.arange(-4, 0)
        self._channels = slice(first, first + len(messages))

    def filled(self, big_endian: NDArray[np.uint8]) -> bytes:
        """The datagram for a pose, uint8 (channels, 4)."""
        self._bytes[self._floats] = big_endian[self._channels]
        return self._bytes.tobytes()


def bundles_of(addresses: tuple[str, ...]) -> list[Bundle]:
    """As few bundles as hold a float for each address in datagrams of `MAX_BUNDLE` bytes."""
    bundles: list[Bundle] = []
    messages: list[OscMessage] = []
    size, first = _BUNDLE_HEAD, 0
    for number, address in enumerate(addresses):
        message = _float_message(address)
        if size + _SIZE_FIELD + message.size > MAX_BUNDLE:
            bundles.append(Bundle(messages, first))
            messages, size, first = [], _BUNDLE_HEAD, number
        messages.append(message)
        size += _SIZE_FIELD + message.size
    return [*bundles, Bundle(messages, first)]


def _float_message(address: str) -> OscMessage:
    builder = OscMessageBuilder(address)
    builder.add_arg(0.0, OscMessageBuilder.ARG_TYPE_FLOAT)
    return builder.build()
