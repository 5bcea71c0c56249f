"""How one subject's poses arrive: rate, jitter, bursts, loss, order. Arithmetic on what it is given; no clock, no
socket."""

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
"""Intervals kept for jitter: those of the last minute by the clock, at most so many."""
RESTART_FRAMES = 600
"""A leap of the frame number by this much (10 s at 60 Hz), either way, is a sender that began anew, not packets
lost."""
USUAL_STEPS = 8
"""Frame numbers may rise by up to this much from packet to packet as a habit: 2 is 30 packets a second counted at
60."""
BURST_S = 0.008
"""Three poses within this reach Unreal in one of its ticks (16.7 ms at 60 fps) or two, so that at least one is never
seen: it shows what came last (protocol.md 7.1)."""
KEPT_NAMES = 8
"""Names that an `Alternation` remembers."""
OPEN = 0.05
"""A weight above this is seen: a face that stopped there is not at rest."""


class Alternation:
    """Tells two that take turns from one that has changed."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=KEPT_NAMES)
        """The latest last."""

    def add(self, name: str) -> Literal["same", "new", "back"]:
        """`same` as the time before or the first; never seen `new`; or `back` after another."""
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
        """The one before the latest, or nothing."""
        return self._seen[-2] if len(self._seen) > 1 else ""


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

    def __init__(self, device_id: str, subject: str, wire: Wire = "livelink") -> None:
        self.device_id = device_id
        self.subject = subject
        self.wire = wire
        self.packets = 0
        self.bursts = 0
        """Poses that came third within BURST_S."""
        self.order = FrameOrder()
        self.movement = Movement()
        self.values: NDArray[np.float32] = np.zeros(len(CHANNELS_61), np.float32)
        """The latest pose, float32 (61,) in wire order."""
        self.others: dict[str, float] = {}
        """The latest of names that are no ARKit channel's, where the wire has such."""
        self.sender: str | None = None
        self.last_s = 0.0
        self._intervals = Window(RECENT_S, RECENT_PACKETS)
        self._last_interval_s = math.inf
        self._first_s = 0.0
        self._frame: int | None = None
        self._rate = Fraction(0)

    def add(self, packet: Packet, arrival_s: float, sender: str | None = None) -> None:
        """Take the next packet, which has values. Arrival times are seconds on any one clock; one that goes back counts
        as no time."""
        assert packet.values is not None, "only packets with values are added"
        self.order.add(packet.frame, packet.subframe)
        self._frame, self._rate = packet.frame, packet.rate
        self.add_pose(packet.values, arrival_s, sender)

    def add_pose(self, values: NDArray[np.float32], arrival_s: float, sender: str | None = None) -> None:
        """The same for a wire without frame numbers: float32 (61,) in wire order."""
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
        return max(0.0, now_s - self.last_s)

    def widest_open(self) -> tuple[str, float] | None:
        """The channel that the latest pose left furthest open, None when the face is at rest."""
        shapes = np.nan_to_num(self.values[:SHAPE_COUNT])
        at = int(np.argmax(shapes))
        return (CHANNELS_61[at], float(shapes[at])) if shapes[at] > OPEN else None

    def shown(self, channels: Sequence[int] | None, now_s: float | None = None) -> dict[str, float | None]:
        """The latest values by name: of these wire indices, or of those that move and of `others`. None for one that is
        not finite."""
        if channels is None:
            channels = self.movement.moving(self.last_s if now_s is None else now_s)
            return self._values_of(channels) | {name: _finite(value) for name, value in self.others.items()}
        return self._values_of(channels)

    def summary(self, channels: Sequence[int] | None, now_s: float | None) -> dict[str, object]:
        """What `json` can write. `channels` as for `shown`. None stands for what two packets would tell, and what the
        wire does not."""
        counted = self._frame is not None
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
            "lost": self.order.lost if counted else None,
            "backwards": self.order.backwards if counted else None,
            "repeated": self.order.repeated if counted else None,
            "restarts": self.order.restarts if counted else None,
            "frame": self._frame,
            "rate": f"{self._rate.numerator}/{self._rate.denominator}" if self._rate else None,
            "silent_s": None if now_s is None else round(self.silent_s(now_s), 3),
            "values": self.shown(channels, now_s),
        }

    def _values_of(self, channels: Sequence[int]) -> dict[str, float | None]:
        return {CHANNELS_61[at]: _finite(float(self.values[at])) for at in channels}

    def recent_fps(self, now_s: float | None = None) -> float | None:
        """Over the last second before `now_s`, or before the last arrival; 0 after a second of silence, None before two
        packets."""
        if not self._intervals.count:
            return None
        end_s = self.last_s if now_s is None else now_s
        arrivals_s = np.append(self._first_s, self._intervals.times_s(end_s))
        first = max(
            1, int(np.searchsorted(arrivals_s, end_s - 1.0, "right"))
        )  # the interval that ends there began with the one before
        return round(pace(arrivals_s[first - 1 :], end_s), 3)


def _rate(intervals: int, span_s: float) -> float | None:
    return round(intervals / span_s, 3) if span_s > 0 else None


def _jitter(intervals: Sequence[float]) -> dict[str, float | None]:
    """Mean, standard deviation and 99th percentile of the intervals, and of how far they are from the mean;
    milliseconds."""
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
    """JSON has no NaN and no infinity."""
    return round(value, 6) if math.isfinite(value) else None
