"""Live Link Face packets to Unreal's ARKit source, one datagram a pose."""

from __future__ import annotations

from fractions import Fraction

from arkit_mapping import NEUTRAL
from livelink_bridge.errors import UsageError, WireError
from livelink_bridge.frames import Weights
from livelink_bridge.sinks.base import Closure, Stamp
from livelink_bridge.sinks.udp import UdpTarget
from livelink_bridge.sinks.uri import read_uri
from livelink_bridge.wire.livelink import Packet, encode


class LiveLinkSink:
    """`livelink://HOST:PORT`. MetaHumans read MouthClose as a ratio, so that is what it sends."""

    closure: Closure = "metahuman"

    def __init__(self, uri: str, *, subject: str, device_id: str) -> None:
        try:
            encode(Packet(device_id, subject, 0, 0.0, Fraction(60), NEUTRAL))
        except WireError as error:
            raise UsageError(f"subject {subject!r} cannot be sent: {error.reason}") from error
        self.name = uri
        self.sent = 0
        self._subject = subject
        self._device_id = device_id
        self._target = UdpTarget(read_uri(uri))

    @property
    def errors(self) -> int:
        return self._target.refused + self._target.lost

    def send(self, weights: Weights, stamp: Stamp) -> None:
        packet = Packet(self._device_id, self._subject, stamp.frame, stamp.subframe, stamp.rate, weights)
        self.sent += self._target.send(encode(packet))

    def close(self) -> None:
        self._target.close()
