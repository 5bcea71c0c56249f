"""Receive as Unreal's ARKit source does, and say what arrives and what Unreal would make of it.

`Monitor` is fed datagrams with their arrival times and knows no socket; `listen` opens a port and feeds one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT, index_of
from livelink_bridge.arrivals import Arrivals
from livelink_bridge.errors import UsageError, WireError
from livelink_bridge.subject_stats import SubjectStats
from livelink_bridge.wire.livelink import COUNT, Packet, decode
from livelink_bridge.wire.unreal import why_ignored

DEFAULT_PORT = 11111
MAX_SUBJECTS = 64
"""Subjects told apart; packets of further ones are counted under the warning `too-many-subjects`."""
SHOWN_CHANNELS = ("JawOpen", "MouthClose", "MouthFunnel", "MouthPucker", "MouthSmileLeft", "HeadYaw")
ID_BYTES = 36
"""A UUID's text. Several receivers other than Unreal read no other length."""

_HEADER_AND_VALUES = 1 + 4 + 4 + 16 + 1 + 4 * COUNT
_WAIT_S = 0.1
"""How long a stop request may go unseen."""

Summary = dict[str, object]
"""Made of str, int, float, bool, None, list and dict alone, so `json` writes it. The keys stand in `Monitor.summary`."""


class Monitor:
    """Counts what arrived. Memory is bounded however long and whatever arrives."""

    def __init__(self, channels: Sequence[str] = SHOWN_CHANNELS) -> None:
        self._channels = [(name, index_of(name)) for name in channels]
        self._datagrams = 0
        self._header_only = 0
        self._shown = 0
        self._ignored: dict[str, tuple[int, str]] = {}
        self._warnings: dict[str, tuple[int, str]] = {}
        self._subjects: dict[tuple[str, str], SubjectStats] = {}
        self._name_of_id: dict[str, str] = {}
        self._id_of_name: dict[str, str] = {}

    def feed(self, datagram: bytes, arrival_s: float) -> None:
        """Take the next datagram and when it arrived, seconds on any one clock. Any bytes are fine."""
        self._datagrams += 1
        ignored = why_ignored(datagram)
        if ignored is not None:
            self._header_only += ignored.reason == "no-face"
            _count(self._ignored, ignored.reason, ignored.text)
            return
        self._shown += 1
        try:
            packet = decode(datagram)
        except WireError as error:  # only text that is not UTF-8 is left; Unreal shows the subject under a garbled name
            self.warn("not-utf8", f"{error}: Unreal shows another name than the sender means")
            return
        self._judge(packet, len(datagram))
        self._track(packet, arrival_s)

    def warn(self, reason: str, text: str) -> None:
        """Count something that Unreal shows but the user should know. `reason` is one of a few fixed keys."""
        _count(self._warnings, reason, text)

    def summary(self, now_s: float | None = None) -> Summary:
        """Everything so far; `now_s`, on the arrivals' clock, adds how long each subject has been silent.

        datagrams, shown (those Unreal would publish), header_only: counts. ignored, warnings: lists of {reason, count, text},
        the text that of the latest; ignored includes header-only packets as no-face. subjects: a list of {subject, device_id,
        packets, fps (whole run), fps_recent (last second), interval_mean_ms, interval_sd_ms, interval_p99_ms,
        interval_p99_error_ms (from the mean; all four over the last minute), lost, backwards, repeated, restarts, frame,
        rate ("60/1"), silent_s, values {channel: latest}}. None stands where nothing can be said yet.
        """
        return {
            "datagrams": self._datagrams,
            "shown": self._shown,
            "header_only": self._header_only,
            "ignored": _listed(self._ignored),
            "warnings": _listed(self._warnings),
            "subjects": [stats.summary(self._channels, now_s) for stats in self._subjects.values()],
        }

    def _track(self, packet: Packet, arrival_s: float) -> None:
        name = packet.subject.lower()  # Unreal's names ignore case
        stats = self._subjects.get((packet.device_id, name))
        if stats is None:
            if len(self._subjects) == MAX_SUBJECTS:
                self.warn("too-many-subjects", f"more than {MAX_SUBJECTS} subjects; {packet.subject!r} is counted here only")
                return
            stats = self._subjects[packet.device_id, name] = SubjectStats(packet.device_id, packet.subject)
        stats.add(packet, arrival_s)
        self._compare(packet, name)

    def _compare(self, packet: Packet, name: str) -> None:
        """Two senders that get in each other's way: counted at every change from one to the other."""
        before = self._name_of_id.get(packet.device_id, name)
        if before != name:
            text = f"device id {packet.device_id} sends as {before!r} and {packet.subject!r}: Unreal removes one subject for the other"
            self.warn("shared-id", text)
        other = self._id_of_name.get(name, packet.device_id)
        if other != packet.device_id:
            self.warn("shared-name", f"{packet.subject!r} comes from device ids {other} and {packet.device_id}: both move one face")
        self._name_of_id[packet.device_id], self._id_of_name[name] = name, packet.device_id

    def _judge(self, packet: Packet, size: int) -> None:
        id_bytes, name_bytes = len(packet.device_id.encode()), len(packet.subject.encode())
        if id_bytes != ID_BYTES:
            self.warn("id-length", f"device id {packet.device_id!r} is {id_bytes} bytes, some receivers read only {ID_BYTES}")
        if not packet.subject or packet.subject.lower() == "none":
            self.warn("no-name", f"subject name {packet.subject!r} is no name to Unreal")
        if "\0" in packet.subject + packet.device_id:
            self.warn("nul", f"{packet.subject!r}: Unreal cuts a name or id at its NUL")
        if not packet.rate:
            self.warn("rate", "frame rate has a zero or negative part: unusable for timecode and Take Recorder")
        if packet.frame < 0 or not 0 <= packet.subframe < 1:
            self.warn("time", f"frame {packet.frame}, sub-frame {packet.subframe:g}: expected 0 or more, and [0, 1)")
        if size > _HEADER_AND_VALUES + id_bytes + name_bytes:
            self.warn("trailing-bytes", f"{size - _HEADER_AND_VALUES - id_bytes - name_bytes} bytes after the values: Unreal ignores them")
        assert packet.values is not None, "Unreal shows nothing without values"
        self._judge_values(packet.values)

    def _judge_values(self, values: NDArray[np.float32]) -> None:
        finite = np.isfinite(values)
        if not finite.all():
            self.warn("not-finite", f"{CHANNELS_61[int(np.argmin(finite))]} is not a finite number: Unreal passes it to the rig")
        shapes, angles = values[:SHAPE_COUNT], values[SHAPE_COUNT:]
        outside = (shapes < 0) | (shapes > 1)
        if outside.any():
            at = int(np.argmax(outside))
            self.warn("out-of-range", f"{CHANNELS_61[at]} is {shapes[at]:g}, expected 0 to 1: Unreal clamps nothing")
        wide = np.abs(angles) > math.pi
        if wide.any():
            at = int(np.argmax(wide))
            self.warn("angle", f"{CHANNELS_61[SHAPE_COUNT + at]} is {angles[at]:g}, expected radians: degrees spin the head")


def listen(
    port: int = DEFAULT_PORT,
    seconds: float | None = None,
    on_second: Callable[[Summary], None] | None = None,
    *,
    host: str = "0.0.0.0",
    stop: threading.Event | None = None,
) -> Summary:
    """Listen on a UDP port for `seconds` (None: until `stop` is set) and return the last summary.

    `on_second` gets a summary once a second. To `Monitor.summary`, `port` and `listened_s` are added; a port that another
    program has open too is the warning `port-shared`. Raises UsageError for a port outside 1-65535, BridgeError for one that
    cannot be opened.
    """
    if not 1 <= port <= 65535:
        raise UsageError(f"got port {port}, expected 1 to 65535")
    with Arrivals(port, host) as arrivals:
        return watch(arrivals, seconds, on_second, stop=stop or threading.Event())


def watch(
    arrivals: Arrivals,
    seconds: float | None,
    on_second: Callable[[Summary], None] | None,
    *,
    stop: threading.Event,
    now: Callable[[], float] = time.monotonic,
) -> Summary:
    """`listen` on a port that is open already. `now` is the clock that `seconds` are measured on."""
    monitor = Monitor()
    if arrivals.shared:
        monitor.warn("port-shared", f"another program has UDP port {arrivals.port} open: each datagram reaches only one of you")
    begin_s = last_s = now()
    next_s = begin_s + 1

    def summary() -> Summary:
        return {"port": arrivals.port, "listened_s": round(last_s - begin_s, 3), **monitor.summary(arrivals.now())}

    while not stop.is_set() and (seconds is None or last_s - begin_s < seconds):
        received = arrivals.receive(_WAIT_S)
        if received is not None:
            monitor.feed(*received)
        last_s = now()
        if last_s >= next_s:
            next_s += math.floor(last_s - next_s) + 1  # a stall is one late summary, not a burst of them
            if on_second is not None:
                on_second(summary())
    return summary()


def _count(tally: dict[str, tuple[int, str]], reason: str, text: str) -> None:
    tally[reason] = (tally.get(reason, (0, ""))[0] + 1, text)


def _listed(tally: dict[str, tuple[int, str]]) -> list[Summary]:
    return [{"reason": reason, "count": count, "text": text} for reason, (count, text) in tally.items()]
