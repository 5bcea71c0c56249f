"""The steady beat that sends poses: whatever the model does, a packet leaves at every tick, and the face ends
neutral."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction

from arkit_mapping.character.character import Closure as LipChoice
from arkit_mapping.character.character import closed_lips
from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FRAME_RATE, Weights
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.sinks.base import Sink
from livelink_bridge.timing.scheduler import Tick, TickScheduler, Timing
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.timing.timebase import Timebase


class Sender:
    """The sender thread's body.

    It runs until `stop` is set, the poses end or a sink fails, then lets the face ease to neutral and rest there, still
    on the beat. A sink that fails, then or during that, is left out and the first error raised afterwards.
    """

    def __init__(
        self,
        poses: JitterBuffer,
        sinks: Sequence[Sink],
        timing: Timing,
        *,
        fps: Fraction,
        clock: Clock,
        stop: threading.Event,
        metrics: Metrics,
        timebase: Timebase,
        closure: Callable[[], LipChoice] = lambda: "auto",
    ) -> None:
        """`closure` is the lip rule that the character asks for at this moment; `auto` leaves it to each sink."""
        self.poses = poses
        self.grid = TickScheduler(fps, timing)
        self._sinks = list(sinks)
        self._timing = timing
        self._fps = fps
        self._clock = clock
        self._stop = stop
        self._metrics = metrics
        self._timebase = timebase
        self._closure = closure
        self._failures: list[BaseException] = []

    def run(self) -> None:
        tick = self._next()
        try:
            while self._clock.wait_until(tick.deadline_s, self._stop):
                shown = tick.position
                self._send(tick)
                tick = self._next()
                if self._failures or self.poses.finished(shown):
                    break
        finally:
            self._rest(tick)
        if self._failures:
            raise self._failures[0]

    def _rest(self, tick: Tick) -> None:
        """Nothing interrupts this: it takes half a second, and without it the face would stay mid-vowel for ever."""
        self.poses.freeze()
        uninterrupted = threading.Event()
        for _ in range(math.ceil(self.poses.rest_from(tick.position) * self._fps / FRAME_RATE)):
            self._clock.wait_until(tick.deadline_s, uninterrupted)
            self._send(tick)
            tick = self._next()

    def _next(self) -> Tick:
        return self.grid.next(self._clock.now())

    def _send(self, tick: Tick) -> None:
        weights = self.poses.at(tick.position)
        stamp = self._timebase.stamp(tick.deadline_s)
        self._metrics.frame = stamp.frame
        asked, by_rule = self._closure(), dict[LipRule, Weights]()
        for sink in tuple(self._sinks):
            rule = sink.closure if asked == "auto" else asked
            if rule not in by_rule:
                by_rule[rule] = closed_lips(weights, rule)
            self._send_to(sink, by_rule[rule], stamp)
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
        self._metrics.sent_s.add(1.0, now_s)
        index = math.floor(tick.position)
        heard_s = self._timing.heard_s(index)
        if heard_s is not None and self.poses.shows(index):
            self._metrics.delays_s.add(now_s - heard_s - float(tick.position - index) / FRAME_RATE, now_s)
