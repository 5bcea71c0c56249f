"""How one Live Link subject's packets arrive: rate, jitter, loss, order. Arithmetic on what it is given; no clock, no socket."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from fractions import Fraction

from livelink_bridge.wire.livelink import Packet

RECENT_PACKETS = 3600
"""Intervals kept for jitter: a minute at 60 Hz."""
RESTART_FRAMES = 600
"""A leap of the frame number by this much (10 s at 60 Hz), either way, is a sender that began anew, not packets lost."""
USUAL_STEPS = 8
"""Frame numbers may rise by up to this much from packet to packet as a habit: 2 is 30 packets a second counted at 60."""


class FrameOrder:
    """What the frame numbers say was lost, repeated or out of order."""

    def __init__(self) -> None:
        self.backwards = 0
        """Packets with a lower frame and sub-frame than the one before."""
        self.repeated = 0
        """Packets with the same frame and sub-frame as the one before."""
        self.restarts = 0
        self._last: tuple[int, float] | None = None
        self._advanced = 0
        self._steps = 0
        self._habit = [0] * (USUAL_STEPS + 1)

    def add(self, frame: int, subframe: float) -> None:
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
                self._habit[step] += 1

    @property
    def lost(self) -> int:
        """Frame numbers passed over, at the sender's usual step. A packet that came late fills its gap again."""
        usual = max(range(1, USUAL_STEPS + 1), key=self._habit.__getitem__)
        return max(0, round(self._advanced / usual) - self._steps)


class SubjectStats:
    """Counts and recent intervals of one subject; memory does not grow with the packets."""

    def __init__(self, device_id: str, subject: str) -> None:
        self.device_id = device_id
        self.subject = subject
        self.packets = 0
        self.order = FrameOrder()
        self._intervals: deque[float] = deque(maxlen=RECENT_PACKETS)
        self._first_s = self._last_s = 0.0
        self._packet: Packet | None = None

    def add(self, packet: Packet, arrival_s: float) -> None:
        """Take the next packet, which has values. Arrival times are seconds on any one clock; one that goes back counts as no time."""
        if self._packet is None:
            self._first_s = arrival_s
        else:
            self._intervals.append(max(0.0, arrival_s - self._last_s))
        self.packets += 1
        self.order.add(packet.frame, packet.subframe)
        self._last_s, self._packet = arrival_s, packet

    def summary(self, channels: Sequence[tuple[str, int]], now_s: float | None) -> dict[str, object]:
        """What `json` can write. `channels` are (name, wire index) of values to show. None stands for what two packets would tell."""
        assert self._packet is not None, "a subject begins with a packet"
        values, rate = self._packet.values, self._packet.rate
        assert values is not None, "only packets with values are added"
        return {
            "subject": self.subject,
            "device_id": self.device_id,
            "packets": self.packets,
            "fps": _rate(self.packets - 1, self._last_s - self._first_s),
            "fps_recent": self._recent_fps(),
            **_jitter(self._intervals),
            "lost": self.order.lost,
            "backwards": self.order.backwards,
            "repeated": self.order.repeated,
            "restarts": self.order.restarts,
            "frame": self._packet.frame,
            "rate": _as_text(rate),
            "silent_s": None if now_s is None else round(max(0.0, now_s - self._last_s), 3),
            "values": {name: _finite(float(values[at])) for name, at in channels},
        }

    def _recent_fps(self) -> float | None:
        """Over the last second of arrivals."""
        taken, span_s = 0, 0.0
        for interval in reversed(self._intervals):
            taken, span_s = taken + 1, span_s + interval
            if span_s >= 1:
                break
        return _rate(taken, span_s)


def _rate(intervals: int, span_s: float) -> float | None:
    return round(intervals / span_s, 3) if span_s > 0 else None


def _jitter(intervals: Sequence[float]) -> dict[str, float | None]:
    """Mean, standard deviation and 99th percentile of the intervals, and of how far they are from the mean; milliseconds."""
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


def _as_text(rate: Fraction) -> str | None:
    return f"{rate.numerator}/{rate.denominator}" if rate else None


def _finite(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return round(value, 6) if math.isfinite(value) else None
