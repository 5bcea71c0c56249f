"""Live Link Face packets to Unreal's ARKit source, one datagram a pose."""

from __future__ import annotations

import threading
from fractions import Fraction
from weakref import WeakValueDictionary

from arkit_mapping import NEUTRAL
from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import UsageError, WireError
from livelink_bridge.network.udp_target import UDP_OPTIONS, UdpSink
from livelink_bridge.network.uri import number, read_uri
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.wire.livelink import Encoder

LIVELINK_OPTIONS = {**UDP_OPTIONS, "rate": number(1, 60, "Hz")}

_EARLY_S = 0.004
"""By how much a pose may come before its turn: a quarter of a tick at 60 Hz, more than a beat is uneven."""


class LiveLinkSink(UdpSink):
    """`livelink://HOST:PORT?rate=HZ&interface=ADDRESS&ttl=N`. MetaHumans read MouthClose as a ratio, so that is what it
    sends.

    With `rate` a pose equal to the last one is sent that often and no oftener; the first that differs goes out at once.
    Without it every pose is sent: Unreal's smoothing likes an even rate best.
    """

    closure: LipRule = "metahuman"

    def __init__(self, uri: str, *, subject: str, device_id: str) -> None:
        try:
            self._datagrams = datagrams_of(device_id, subject)
        except WireError as error:
            raise UsageError(f"subject {subject!r} cannot be sent: {error.reason}") from error
        address = read_uri(uri, LIVELINK_OPTIONS)
        super().__init__(address)
        self.spared = 0
        """Poses equal to the last one that were not sent."""
        rate = address.options.get("rate")
        self._pause_s = 1 / rate - _EARLY_S if rate else None
        self._last: tuple[bytes, float] = b"", 0.0
        """The last pose sent, and when by its stamp."""

    def send(self, weights: Weights, stamp: Stamp) -> None:
        if self._pause_s is not None and self._rests(weights, stamp, self._pause_s):
            self.spared += 1
        else:
            self.sent += self._deliver([self._datagrams.of(weights, stamp)])

    def _rests(self, weights: Weights, stamp: Stamp, pause_s: float) -> bool:
        pose, at_s = weights.tobytes(), (stamp.frame + stamp.subframe) / float(stamp.rate)
        last, sent_s = self._last
        if pose == last and 0 <= at_s - sent_s < pause_s:
            return True
        self._last = pose, at_s
        return False


class Datagrams:
    """A subject's poses as datagrams, each made once however many receivers it is sent to. Any thread may ask."""

    def __init__(self, device_id: str, subject: str) -> None:
        self._encoder = Encoder(device_id, subject)
        self._encoder.encode(NEUTRAL, 0, 0.0, Fraction(60))
        self._lock = threading.Lock()
        self._last: tuple[Stamp | None, bytes, bytes] = None, b"", b""

    def of(self, weights: Weights, stamp: Stamp) -> bytes:
        """The datagram of a pose, float32 (61,): the last one again where both pose and stamp are the last one's."""
        pose = weights.tobytes()
        last, its_pose, datagram = self._last
        if stamp is last and pose == its_pose:
            return datagram
        with self._lock:
            datagram = self._encoder.encode(weights, stamp.frame, stamp.subframe, stamp.rate)
            self._last = stamp, pose, datagram
        return datagram


_shared: WeakValueDictionary[tuple[str, str], Datagrams] = WeakValueDictionary()
_sharing = threading.Lock()


def datagrams_of(device_id: str, subject: str) -> Datagrams:
    """The one of this subject, for as long as any sink has it. Raises WireError for a name that cannot be sent."""
    with _sharing:
        found = _shared.get((device_id, subject))
        if found is None:
            found = _shared[device_id, subject] = Datagrams(device_id, subject)
        return found
