"""Arrival statistics of one subject: rate, jitter, bursts, loss, order. No clock, no socket."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61, SHAPE_COUNT
from livelink_bridge.core.readings import Window, pace
from livelink_bridge.monitor.movement import Movement
from livelink_bridge.wire.livelink import Packet
from livelink_bridge.wire.sniff import Wire

RECENT_S, RECENT_PACKETS = 60.0, 7200
"""Intervals for the jitter: those of the last minute, at most this many."""
RESTART_FRAMES = 600
"""A jump of the frame number by this much (10 s at 60 Hz), either way, is a restart of the sender, not packet loss."""
USUAL_STEPS = 8
"""Largest regular increment of the frame number from packet to packet: 2 is 30 packets a second counted at 60."""
BURST_S = 0.008
"""Three frames within this time reach Unreal in one or two of its ticks (16.7 ms at 60 fps), so that at least one is
never shown: Unreal shows the last one (docs/protocol.md, section 7.1)."""
KEPT_NAMES = 8
"""Names that an `Alternation` remembers."""
OPEN = 0.05
"""A weight above this is visible: a face that stopped there is not neutral."""


class Alternation:
    """Distinguishes names that alternate from a name that has changed."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=KEPT_NAMES)
        """The latest is last."""

    def add(self, name: str) -> Literal["same", "new", "back"]:
        """Add the next name.

        Returns
        -------
        `same` as the previous one, or the first; `new` for one never seen; `back` for one seen before another
        """
        if not self._seen:
            self._seen.append(name)
        if name == self._seen[-1]:
            return "same"
        back = name in self._seen
        if back:
            self._seen.remove(name)
        self._seen.append(name)
        return "back" if back else "new"

    @property
    def before(self) -> str:
        """The name before the latest; empty when there is none."""
        return self._seen[-2] if len(self._seen) > 1 else ""


class FrameOrder:
    """Detects lost, repeated and reordered packets by their frame numbers."""

    def __init__(self) -> None:
        self.backwards = 0
        """Packets with a lower frame and sub-frame than the one before."""
        self.repeated = 0
        """Packets with the same frame and sub-frame as the one before."""
        self.restarts = 0
        """Jumps of the frame number by RESTART_FRAMES or more."""
        self._last: tuple[int, float] | None = None
        self._advanced = 0
        self._steps = 0
        self._step_counts = [0] * (USUAL_STEPS + 1)

    def add(self, frame: int, subframe: float) -> None:
        """Process the next packet.

        Parameters
        ----------
        frame : frame number, as sent
        subframe : fraction of a frame
        """
        last, self._last = self._last, (frame, subframe)
        if last is None:
            return
        step = frame - last[0]
        if (frame, subframe) == last:
            self.repeated += 1
        elif abs(step) >= RESTART_FRAMES:
            self.restarts += 1
        else:
            self.backwards += (frame, subframe) < last
            self._advanced += step
            self._steps += 1
            if 0 < step <= USUAL_STEPS:
                self._step_counts[step] += 1

    @property
    def lost(self) -> int:
        """Missing frame numbers, at the sender's usual increment. A late packet fills its gap again."""
        usual = max(range(1, USUAL_STEPS + 1), key=self._step_counts.__getitem__)
        return max(0, round(self._advanced / usual) - self._steps)


class SubjectStats:
    """Counters and recent intervals of one subject, in constant memory."""

    def __init__(self, device_id: str, subject: str, wire: Wire = "livelink") -> None:
        self.device_id = device_id
        self.subject = subject
        self.wire = wire
        self.packets = 0
        self.bursts = 0
        """Frames that arrived third within BURST_S."""
        self.order = FrameOrder()
        self.movement = Movement()
        self.values: NDArray[np.float32] = np.zeros(len(CHANNELS_61), np.float32)
        """The latest frame, float32 (61,) in wire order."""
        self.others: dict[str, float] = {}
        """Latest values of names that are not ARKit channels, if the protocol has any."""
        self.sender: str | None = None
        """HOST:PORT of the latest frame."""
        self.last_s = 0.0
        """Arrival time of the latest frame, seconds."""
        self._intervals = Window(RECENT_S, RECENT_PACKETS)
        self._last_interval_s = math.inf
        self._first_s = 0.0
        self._frame: int | None = None
        self._rate = Fraction(0)

    def add(self, packet: Packet, arrival_s: float, sender: str | None = None) -> None:
        """Process the next packet.

        Parameters
        ----------
        packet : must have values
        arrival_s : seconds of one clock; going back counts as no time
        sender : HOST:PORT, if known
        """
        assert packet.values is not None, "only packets with values are added"
        self.order.add(packet.frame, packet.subframe)
        self._frame, self._rate = packet.frame, packet.rate
        self.add_pose(packet.values, arrival_s, sender)

    def add_pose(self, values: NDArray[np.float32], arrival_s: float, sender: str | None = None) -> None:
        """`add` for a protocol without frame numbers; `values` are float32 (61,) in wire order."""
        if self.packets == 0:
            self._first_s = arrival_s
        else:
            interval_s = max(0.0, arrival_s - self.last_s)
            self._intervals.add(interval_s, arrival_s)
            self.bursts += self._last_interval_s + interval_s < BURST_S
            self._last_interval_s = interval_s
        self.packets += 1
        self.movement.add(values, arrival_s)
        self.values, self.last_s, self.sender = values, arrival_s, sender

    def silent_s(self, now_s: float) -> float:
        """Seconds from the latest frame to `now_s`, at least 0."""
        return max(0.0, now_s - self.last_s)

    def widest_open(self) -> tuple[str, float] | None:
        """Name and weight of the largest shape of the latest frame; None when the face is neutral."""
        shapes = np.nan_to_num(self.values[:SHAPE_COUNT])
        at = int(np.argmax(shapes))
        return (CHANNELS_61[at], float(shapes[at])) if shapes[at] > OPEN else None

    def shown(self, channels: Sequence[int] | None, now_s: float | None = None) -> dict[str, float | None]:
        """The latest values by name; None for one that is not finite.

        Parameters
        ----------
        channels : wire indices; None: the channels that move, and `others`
        now_s : current time, seconds; default: the latest arrival
        """
        if channels is None:
            channels = self.movement.moving(self.last_s if now_s is None else now_s)
            return self._values_of(channels) | {name: _finite(value) for name, value in self.others.items()}
        return self._values_of(channels)

    def summary(self, channels: Sequence[int] | None, now_s: float | None) -> dict[str, object]:
        """JSON-serializable summary; see `Monitor.summary`. None for values that need two packets, or that the protocol
        lacks.

        Parameters
        ----------
        channels, now_s : as for `shown`
        """
        numbered = self._frame is not None
        return {
            "subject": self.subject,
            "device_id": self.device_id,
            "wire": self.wire,
            "sender": self.sender,
            "packets": self.packets,
            "fps": _rate(self.packets - 1, self.last_s - self._first_s),
            "fps_recent": self.recent_fps(now_s),
            **_jitter(self._intervals.values(now_s).tolist()),
            "bursts": self.bursts,
            "lost": self.order.lost if numbered else None,
            "backwards": self.order.backwards if numbered else None,
            "repeated": self.order.repeated if numbered else None,
            "restarts": self.order.restarts if numbered else None,
            "frame": self._frame,
            "rate": f"{self._rate.numerator}/{self._rate.denominator}" if self._rate else None,
            "silent_s": None if now_s is None else round(self.silent_s(now_s), 3),
            "values": self.shown(channels, now_s),
        }

    def _values_of(self, channels: Sequence[int]) -> dict[str, float | None]:
        return {CHANNELS_61[at]: _finite(float(self.values[at])) for at in channels}

    def recent_fps(self, now_s: float | None = None) -> float | None:
        """Frames per second over the second before `now_s`, or before the last arrival; 0 after a second of silence,
        None before two packets."""
        if not self._intervals.count:
            return None
        end_s = self.last_s if now_s is None else now_s
        arrivals_s = np.append(self._first_s, self._intervals.times_s(end_s))
        # The interval that ends there began with the previous arrival.
        first = max(1, int(np.searchsorted(arrivals_s, end_s - 1.0, "right")))
        return round(pace(arrivals_s[first - 1 :], end_s), 3)


def _rate(intervals: int, span_s: float) -> float | None:
    return round(intervals / span_s, 3) if span_s > 0 else None


def _jitter(intervals: Sequence[float]) -> dict[str, float | None]:
    """Mean, standard deviation and 99th percentile of the intervals, and 99th percentile of their distance from the
    mean; milliseconds."""
    names = ("interval_mean_ms", "interval_sd_ms", "interval_p99_ms", "interval_p99_error_ms")
    if not intervals:
        return dict.fromkeys(names)
    mean = math.fsum(intervals) / len(intervals)
    errors = [abs(interval - mean) for interval in intervals]
    sd = math.sqrt(math.fsum(error * error for error in errors) / len(errors))
    figures = (mean, sd, _p99(intervals), _p99(errors))
    return {name: round(1000 * figure, 3) for name, figure in zip(names, figures, strict=True)}


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def _finite(value: float) -> float | None:
    """None for NaN and infinity, which JSON does not have."""
    return round(value, 6) if math.isfinite(value) else None
