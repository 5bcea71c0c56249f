"""OSC: `/arkit/JawOpen f` for each channel, or one list of them, in bundles that fit an Ethernet frame. See
docs/wires-osc-vmc.md."""

from __future__ import annotations

import time
from collections.abc import Callable

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.network.udp_target import UdpSink
from livelink_bridge.network.uri import read_uri
from livelink_bridge.sinks.osc_options import OPTIONS, completed, factors, messages
from livelink_bridge.sinks.rate_limit import Spacing, seconds
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.osc.deadband import Deadband
from livelink_bridge.wire.osc.encode import IMMEDIATELY, bundles_of, timetag

REFRESH_S = 1.0
"""With a dead band, everything is sent this often all the same: a receiver that starts late, or lost a datagram, has it
by then."""


class OscSink(UdpSink):
    """`osc://HOST:PORT?OPTION=VALUE&...`. MouthClose as ARKit means it.

    `unix_ns` is the time of day for time tags, nanoseconds since 1970.
    """

    closure: LipRule = "arkit"

    def __init__(self, uri: str, *, unix_ns: Callable[[], int] = time.time_ns) -> None:
        address = read_uri(uri, OPTIONS)
        options = completed(uri, address.options)
        self._factors = factors(options)
        self._bundles = bundles_of(messages(options))
        self._spacing = Spacing(1 / options["rate"]) if options["rate"] else None
        self._deadbands = (
            [Deadband(bundle, options["deadband"]) for bundle in self._bundles]
            if options["deadband"] is not None
            else []
        )
        self._refresh = Spacing(REFRESH_S)
        self._unix_ns = unix_ns if options["timetag"] == "now" else None
        self._unsent: Weights | None = None
        """The latest pose where not all of it was sent."""
        super().__init__(address)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """A pose that `rate` leaves out is not counted as sent; one of which `deadband` leaves out messages, or all,
        is."""
        if self._spacing is not None and not self._spacing.due(seconds(stamp)):
            self._unsent = weights.copy()
            return
        whole = not self._deadbands or self._refresh.due(seconds(stamp))
        self._unsent = None if whole else weights.copy()
        self.sent += self._send(weights, whole=whole)

    def close(self) -> None:
        """Send what `rate` and `deadband` kept back of the last pose: nobody is left with a mouth that is a little
        open."""
        if self._unsent is not None:
            self._send(self._unsent, whole=True)
            self._unsent = None
        super().close()

    def _send(self, weights: Weights, *, whole: bool) -> bool:
        """False when a datagram of the pose did not leave this machine."""
        pose = weights if self._factors is None else weights * self._factors
        tag = IMMEDIATELY if self._unix_ns is None else timetag(self._unix_ns())
        datagrams: list[bytes | None] = [bundle.filled(pose, tag) for bundle in self._bundles if not self._deadbands]
        datagrams += [deadband.filled(pose, tag, whole=whole) for deadband in self._deadbands]
        return self._deliver([datagram for datagram in datagrams if datagram is not None])
