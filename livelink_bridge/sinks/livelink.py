"""Live Link sink: Live Link Face packets to Unreal's ARKit source, one datagram per frame."""

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
"""How early a repeated frame may be: a quarter of a tick at 60 Hz, more than the jitter of a tick."""


class LiveLinkSink(UdpSink):
    """`livelink://HOST:PORT?rate=HZ&interface=ADDRESS&ttl=N`. Sends MouthClose as a ratio, as MetaHumans read it.

    With `rate`, frames equal to the last one are sent at that rate at most; the first that differs is sent at once.
    Without it every frame is sent: Unreal's smoothing works best at an even rate.
    """

    closure: LipRule = "metahuman"

    def __init__(self, uri: str, *, subject: str, device_id: str) -> None:
        """
        Parameters
        ----------
        uri : see the class
        subject : name of the Live Link subject
        device_id : its UUID

        Raises
        ------
        UsageError : malformed URI, or a subject that cannot be sent
        SinkError : unknown host
        """
        try:
            self._datagrams = shared_datagrams(device_id, subject)
        except WireError as error:
            raise UsageError(f"subject {subject!r} cannot be sent: {error.reason}") from error
        address = read_uri(uri, LIVELINK_OPTIONS)
        super().__init__(address)
        self.spared = 0
        """Repeated frames that were not sent."""
        rate = address.options.get("rate")
        self._pause_s = 1 / rate - _EARLY_S if rate else None
        self._last: tuple[bytes, float] = b"", 0.0
        """Bytes of the last frame sent, and its time in seconds."""

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Send one frame unless `rate` skips it; see `Sink.send`."""
        if self._pause_s is not None and self._is_repeat(weights, stamp, self._pause_s):
            self.spared += 1
        else:
            self.sent += self._deliver([self._datagrams.of(weights, stamp)])

    def _is_repeat(self, weights: Weights, stamp: Stamp, pause_s: float) -> bool:
        frame, at_s = weights.tobytes(), (stamp.frame + stamp.subframe) / float(stamp.rate)
        last, sent_s = self._last
        if frame == last and 0 <= at_s - sent_s < pause_s:
            return True
        self._last = frame, at_s
        return False


class Datagrams:
    """Encodes the frames of one subject, each once for any number of receivers. Thread-safe."""

    def __init__(self, device_id: str, subject: str) -> None:
        self._encoder = Encoder(device_id, subject)
        self._encoder.encode(NEUTRAL, 0, 0.0, Fraction(60))
        self._lock = threading.Lock()
        self._last: tuple[Stamp | None, bytes, bytes] = None, b"", b""

    def of(self, weights: Weights, stamp: Stamp) -> bytes:
        """The datagram of a frame, cached while both weights and stamp stay the same.

        Parameters
        ----------
        weights : float32 (61,) in wire order
        stamp : send time
        """
        frame = weights.tobytes()
        last_stamp, last_frame, datagram = self._last
        if stamp is last_stamp and frame == last_frame:
            return datagram
        with self._lock:
            datagram = self._encoder.encode(weights, stamp.frame, stamp.subframe, stamp.rate)
            self._last = stamp, frame, datagram
        return datagram


_shared: WeakValueDictionary[tuple[str, str], Datagrams] = WeakValueDictionary()
_shared_lock = threading.Lock()


def shared_datagrams(device_id: str, subject: str) -> Datagrams:
    """The encoder of a subject, shared by all sinks that use it. Raises WireError for a name that cannot be sent."""
    with _shared_lock:
        found = _shared.get((device_id, subject))
        if found is None:
            found = _shared[device_id, subject] = Datagrams(device_id, subject)
        return found
