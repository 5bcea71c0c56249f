"""The sender: whatever the model does, a packet leaves at every tick, and the face ends neutral."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.character import Closure as LipChoice
from arkit_mapping.character.character import closed_lips
from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import Weights
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.sinks.base import Sink
from livelink_bridge.timing.arrival_clock import Timing
from livelink_bridge.timing.scheduler import Tick, TickScheduler
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.timing.timebase import Timebase


class FrameBuffer(Protocol):
    """Where the sender gets what each tick shows: a `JitterBuffer`, or another source of frames by position.

    Positions are in frames of 60 Hz from frame 0 on.
    """

    @property
    def held(self) -> int:
        """Ticks that repeated a frame because no new one was ready."""
        ...

    @property
    def skipped(self) -> int:
        """Frames that came too late to be shown."""
        ...

    def at(self, position: Fraction) -> Weights | None:
        """float32 (61,) in wire order, MouthClose as predicted; None where nothing is to be sent."""
        ...

    def shows(self, index: int) -> bool:
        """Whether frame `index` itself is shown."""
        ...

    def finished(self, position: Fraction) -> bool:
        """Whether `position` was the last moment there will be."""
        ...

    def freeze(self) -> None:
        """Take no more frames: what is shown decays to neutral."""
        ...

    def rest_from(self, position: Fraction) -> Fraction | float:
        """Frames of 60 Hz from `position` on until the neutral tail is over."""
        ...


class HasLipRule(Protocol):
    """What knows the lip rule that a character asks for; `auto` leaves it to each sink."""

    @property
    def closure(self) -> LipChoice:
        """The rule asked for now."""
        ...


class Sender:
    """The sender thread's body.

    It runs until `stop` is set, the frames end or a sink fails, then sends the decay to neutral and the neutral tail,
    still tick by tick. A sink that fails, then or during that, is left out and the first error raised afterwards.
    """

    def __init__(
        self,
        poses: FrameBuffer,
        sinks: Sequence[Sink],
        timing: Timing,
        *,
        fps: Fraction,
        clock: Clock,
        stop: threading.Event,
        metrics: Metrics,
        timebase: Timebase,
        lips: HasLipRule | None = None,
        shown: Shown | None = None,
    ) -> None:
        """
        Parameters
        ----------
        poses : what each tick shows
        sinks : each gets every packet, under its own lip rule
        timing : when frame k is due
        fps : packets per second, 1 to 60
        metrics : packets and delays are counted there
        timebase : stamps the packets
        lips : whose lip rule goes before the sinks' own; None leaves it to the sinks
        shown : where each tick is written for other threads; None keeps it here
        """
        self.poses = poses
        self.grid = TickScheduler(fps, timing, shown)
        self._sinks = list(sinks)
        self._timing = timing
        self._fps = fps
        self._clock = clock
        self._stop = stop
        self._metrics = metrics
        self._timebase = timebase
        self._lips = lips
        self._failures: list[BaseException] = []

    def run(self) -> None:
        """Send until the end. Raises the first error of a sink."""
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
        """Nothing interrupts this: it takes half a second, and without it the face would stay mid-vowel."""
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
        if weights is None:
            return
        stamp = self._timebase.stamp(tick.deadline_s)
        self._metrics.frame = stamp.frame
        asked, by_rule = self._lips.closure if self._lips else "auto", dict[LipRule, Weights]()
        for sink in tuple(self._sinks):
            rule = sink.closure if asked == "auto" else asked
            if rule not in by_rule:
                by_rule[rule] = closed_lips(weights, rule)
            self._send_to(sink, by_rule[rule], stamp)
        self._measure(tick)

    def _send_to(self, sink: Sink, weights: Weights, stamp: Stamp) -> None:
        try:
            sink.send(weights, stamp)
        except BaseException as failure:  # raised at the end: the other sinks still need the decay to neutral
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
