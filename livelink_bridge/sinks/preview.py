"""`preview:`, the live face on the page: only ever the newest pose, and how long it takes to be seen.

A browser that is slow is shown the newest pose when it asks again; the ones between are skipped, never kept.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arkit_mapping.character.closure import LipRule
from livelink_bridge.core.clock import Clock, MonotonicClock
from livelink_bridge.core.frames import Weights
from livelink_bridge.core.readings import Window
from livelink_bridge.errors import UsageError
from livelink_bridge.timing.stamp import Stamp

URI = "preview:"
REMEMBERED = 256
"""Poses whose time of sending is known, four seconds: an acknowledgement that comes later tells nothing of a delay."""
_MEASURED_S, _MOST_MEASURED = 60.0, 4096
"""Delays that figures are of: the last minute's, at most so many."""
_FASTEST = 240
"""Most poses drawn a second that are told apart."""


@dataclass(frozen=True, slots=True)
class LatestPose:
    """The newest pose that was sent."""

    number: int
    """Of poses sent, from 0."""
    weights: Weights
    """float32 (61,) in wire order, MouthClose as predicted; never written again."""
    stamp: Stamp
    sent_s: float
    """By the sink's clock."""


@dataclass(frozen=True, slots=True)
class ScreenDelay:
    """Pose to screen, over the last minute: from `send` until the page had drawn the pose and said so, its way back
    included."""

    poses: int
    """That were drawn and are measured."""
    p50_ms: float
    p95_ms: float
    """NaN before the first."""
    fps: float
    """Poses drawn in the last second."""
    skipped: int
    """Poses that were never drawn, since the first that was."""


class PreviewSink:
    """A sink whose receiver is a page of this program. One thread sends; any may ask."""

    closure: LipRule = "arkit"
    """The face on the page has the ARKit shapes as they are."""

    def __init__(self, uri: str = URI, *, subject: str = "", clock: Clock | None = None) -> None:
        """Raises UsageError for a URI with anything behind the colon."""
        if uri != URI:
            raise UsageError(f"got receiver {uri!r}, expected {URI} with nothing behind it")
        self.name = uri
        self.subject = subject
        self.sent = 0
        self.errors = 0
        self.closed = False
        self._clock = clock or MonotonicClock()
        self._latest: LatestPose | None = None
        self._told: tuple[Callable[[], None], ...] = ()
        self._telling = threading.Lock()
        """Over changes of `_told`, which the sender reads as it is."""
        self._sent_s = np.full(REMEMBERED, np.nan)
        self._screen = _Screen()
        OPEN.add(self)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        if self.closed:
            return
        pose = LatestPose(self.sent, weights.copy(), stamp, self._clock.now())
        self._sent_s[self.sent % REMEMBERED] = pose.sent_s
        self._latest = pose
        self.sent += 1
        self._tell()

    def on_news(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Have `tell` called after each pose and at the end, by whoever sends and closes: it must not wait. What is
        returned ends that."""
        with self._telling:
            self._told = (*self._told, tell)

        def end() -> None:
            with self._telling:
                self._told = tuple(one for one in self._told if one is not tell)

        return end

    def latest(self) -> LatestPose | None:
        """The newest pose; None before the first, and after the end."""
        return None if self.closed else self._latest

    def acknowledge(self, number: int) -> None:
        """The page has drawn pose `number`. What was never sent, or too long ago, is not counted: pages may say
        anything."""
        now_s, newest = self._clock.now(), self.sent - 1
        if (
            isinstance(number, bool)
            or not isinstance(number, int)
            or not max(0, newest - REMEMBERED + 1) <= number <= newest
        ):
            return
        self._screen.drawn(number, now_s, now_s - float(self._sent_s[number % REMEMBERED]))

    def delay(self) -> ScreenDelay:
        return self._screen.figures(self._clock.now())

    def close(self) -> None:
        self.closed = True
        OPEN.discard(self)
        self._tell()

    def _tell(self) -> None:
        for tell in self._told:
            tell()


class _Open:
    """The sinks that are open in this process, for the page to find them. There are as many as `--to preview:` was
    said."""

    def __init__(self) -> None:
        self._sinks: list[PreviewSink] = []
        self._changing = threading.Lock()

    def add(self, sink: PreviewSink) -> None:
        with self._changing:
            self._sinks.append(sink)

    def discard(self, sink: PreviewSink) -> None:
        with self._changing:
            self._sinks = [other for other in self._sinks if other is not sink]

    def sinks(self) -> tuple[PreviewSink, ...]:
        with self._changing:
            return tuple(self._sinks)


OPEN = _Open()


class _Screen:
    """What the page says it has drawn; each pose counts once, with several tabs for the first."""

    def __init__(self) -> None:
        self._delays_s = Window(_MEASURED_S, _MOST_MEASURED)
        self._drawn_s: deque[float] = deque(maxlen=_FASTEST)
        self._first = self._last = -1
        self._count = 0
        self._changing = threading.Lock()

    def drawn(self, number: int, now_s: float, delay_s: float) -> None:
        with self._changing:
            if number <= self._last or not math.isfinite(delay_s):
                return
            self._first = number if self._first < 0 else self._first
            self._last = number
            self._count += 1
            self._delays_s.add(delay_s, now_s)
            self._drawn_s.append(now_s)

    def figures(self, now_s: float) -> ScreenDelay:
        with self._changing:
            delays_ms, drawn_s = 1000 * self._delays_s.values(now_s), np.array(self._drawn_s)
            skipped = self._last - self._first + 1 - self._count if self._count else 0
        if not len(delays_ms):
            return ScreenDelay(0, math.nan, math.nan, 0.0, 0)
        p50, p95 = np.percentile(delays_ms, (50, 95))
        return ScreenDelay(len(delays_ms), float(p50), float(p95), float((drawn_s > now_s - 1.0).sum()), skipped)
