"""The steady beat that sends poses: whatever the model does, a packet leaves at every tick, and the face ends neutral."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from fractions import Fraction

from arkit_mapping.character import closed_lips
from livelink_bridge.clock import Clock
from livelink_bridge.frames import FRAME_RATE, Weights
from livelink_bridge.grid import Grid, Tick, Timing
from livelink_bridge.metrics import Metrics
from livelink_bridge.poses import Poses
from livelink_bridge.sinks.base import Sink, Stamp

_BELOW_ONE = 0.99999994
"""The largest float32 below 1: a sub-frame must not be rounded up to the next frame on the wire."""


class Timebase:
    """Packet times: local time of day in frames, counted on from the moment it was made.

    Frame numbers rise with every stamp. A beat that follows a sound device a little faster than 60 Hz therefore drifts from
    the time of day by as much as the device does.
    """

    def __init__(self, clock: Clock, rate: int) -> None:
        self._midnight_s = clock.now() - clock.time_of_day()
        self._rate = Fraction(rate)
        self._last = -1

    def stamp(self, at_s: float) -> Stamp:
        """The stamp for clock time `at_s`."""
        frames = (at_s - self._midnight_s) * self._rate.numerator
        whole = math.floor(frames)
        subframe = min(frames - whole, _BELOW_ONE) if whole > self._last else 0.0
        self._last = max(whole, self._last + 1)
        return Stamp(self._last, subframe, self._rate)


class Sender:
    """The sender thread's body.

    It runs until `stop` is set, the poses end or a sink fails, then lets the face ease to neutral and rest there, still on the
    beat. A sink that fails, then or during that, is left out and the first error raised afterwards.
    """

    def __init__(self, poses: Poses, sinks: Sequence[Sink], timing: Timing, *, fps: int, clock: Clock, stop: threading.Event,
                 metrics: Metrics) -> None:  # fmt: skip
        self.poses = poses
        self.grid = Grid(fps, timing)
        self._sinks = list(sinks)
        self._timing = timing
        self._fps = fps
        self._clock = clock
        self._stop = stop
        self._metrics = metrics
        self._timebase = Timebase(clock, fps)
        self._rules = sorted({sink.closure for sink in sinks})
        self._failures: list[BaseException] = []

    def run(self) -> None:
        tick = self._next()
        try:
            while self._clock.wait_until(tick.deadline_s, self._stop):
                index = tick.index
                self._send(tick)
                tick = self._next()
                if self._failures or self.poses.finished(index):
                    break
        finally:
            self._rest(tick)
        if self._failures:
            raise self._failures[0]

    def _rest(self, tick: Tick) -> None:
        """Nothing interrupts this: it takes half a second, and without it the face would stay mid-vowel for ever."""
        self.poses.freeze()
        uninterrupted = threading.Event()
        for _ in range(math.ceil(self.poses.rest_from(tick.index) * self._fps / FRAME_RATE)):
            self._clock.wait_until(tick.deadline_s, uninterrupted)
            self._send(tick)
            tick = self._next()

    def _next(self) -> Tick:
        return self.grid.next(self._clock.now())

    def _send(self, tick: Tick) -> None:
        weights = self.poses.at(tick.index)
        stamp = self._timebase.stamp(tick.deadline_s)
        by_rule = {rule: closed_lips(weights, rule) for rule in self._rules}
        for sink in tuple(self._sinks):
            self._send_to(sink, by_rule[sink.closure], stamp)
        self._measure(tick)

    def _send_to(self, sink: Sink, weights: Weights, stamp: Stamp) -> None:
        try:
            sink.send(weights, stamp)
        except BaseException as failure:  # kept for the end: the other sinks still have a face to bring to rest
            self._sinks.remove(sink)
            self._failures.append(failure)

    def _measure(self, tick: Tick) -> None:
        now_s = self._clock.now()
        self._metrics.sent += 1
        self._metrics.sent_at_s.add(now_s)
        heard_s = self._timing.heard_s(tick.index)
        if heard_s is not None and self.poses.shows(tick.index):
            self._metrics.delays_s.add(now_s - heard_s)
