"""OSC sink: `/arkit/JawOpen f` per channel, or one list of all channels, in bundles that fit an Ethernet frame. See
docs/wires-osc-vmc.md."""

from __future__ import annotations

import time
from collections.abc import Callable

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.network.udp_target import UdpSink
from livelink_bridge.network.uri import read_uri
from livelink_bridge.sinks.osc_options import OPTIONS, completed, factors, messages
from livelink_bridge.sinks.rate_limit import RateLimit, seconds
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.osc.deadband import Deadband
from livelink_bridge.wire.osc.encode import IMMEDIATELY, bundles_of, timetag

REFRESH_S = 1.0
"""With a dead band, a full frame is still sent at this interval, for receivers that start late or lost a datagram."""


class OscSink(UdpSink):
    """`osc://HOST:PORT?OPTION=VALUE&...`. MouthClose as ARKit defines it."""

    closure: LipRule = "arkit"

    def __init__(self, uri: str, *, unix_ns: Callable[[], int] = time.time_ns) -> None:
        """
        Parameters
        ----------
        uri : see the class
        unix_ns : clock for time tags, nanoseconds since 1970

        Raises
        ------
        UsageError : malformed URI or options
        SinkError : unknown host
        """
        address = read_uri(uri, OPTIONS)
        options = completed(uri, address.options)
        self._factors = factors(options)
        self._bundles = bundles_of(messages(options))
        self._rate_limit = RateLimit(1 / options["rate"]) if options["rate"] else None
        self._deadbands = (
            [Deadband(bundle, options["deadband"]) for bundle in self._bundles]
            if options["deadband"] is not None
            else []
        )
        self._refresh = RateLimit(REFRESH_S)
        self._unix_ns = unix_ns if options["timetag"] == "now" else None
        self._unsent: Weights | None = None
        """The latest frame, if not all of it was sent."""
        super().__init__(address)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Send one frame; see `Sink.send`. A frame that `rate` skips is not counted as sent; one of which `deadband`
        omits some or all messages is."""
        if self._rate_limit is not None and not self._rate_limit.due(seconds(stamp)):
            self._unsent = weights.copy()
            return
        whole = not self._deadbands or self._refresh.due(seconds(stamp))
        self._unsent = None if whole else weights.copy()
        self.sent += self._send(weights, whole=whole)

    def close(self) -> None:
        """Send what `rate` and `deadband` withheld of the last frame, so that no mouth stays slightly open, then
        close."""
        if self._unsent is not None:
            self._send(self._unsent, whole=True)
            self._unsent = None
        super().close()

    def _send(self, weights: Weights, *, whole: bool) -> bool:
        """False when a datagram of the frame did not leave this machine."""
        values = weights if self._factors is None else weights * self._factors
        tag = IMMEDIATELY if self._unix_ns is None else timetag(self._unix_ns())
        datagrams: list[bytes | None] = [bundle.filled(values, tag) for bundle in self._bundles if not self._deadbands]
        datagrams += [deadband.filled(values, tag, whole=whole) for deadband in self._deadbands]
        return self._deliver([datagram for datagram in datagrams if datagram is not None])
