"""Preview sink (`preview:`): the live face on this program's own page, with the measured delay to the screen.

It holds only the newest frame. A slow browser gets the newest frame with its next request; frames in between are
skipped, never queued.
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
"""Frames whose send time is kept, four seconds of them: later acknowledgements are ignored."""
_MEASURED_S, _MAX_MEASURED = 60.0, 4096
"""Window of the delay statistics, seconds, and the largest number of delays in it."""
_MAX_FPS = 240
"""Largest measurable rate of drawn frames, per second."""


@dataclass(frozen=True, slots=True)
class LatestPose:
    """The newest frame sent."""

    number: int
    """Number of the frame, counted from 0."""
    weights: Weights
    """float32 (61,) in wire order, MouthClose as predicted; never written again."""
    stamp: Stamp
    """Send time on the session's timebase."""
    sent_s: float
    """Send time on the sink's clock, seconds."""


@dataclass(frozen=True, slots=True)
class ScreenDelay:
    """Delay from `send` to the screen over the last minute, until the page's acknowledgement arrived."""

    poses: int
    """Drawn frames in the statistics."""
    p50_ms: float
    """Median, milliseconds; NaN before the first frame."""
    p95_ms: float
    """95th percentile, milliseconds; NaN before the first frame."""
    fps: float
    """Frames drawn in the last second."""
    skipped: int
    """Frames never drawn, since the first that was."""


class PreviewSink:
    """A sink whose receiver is this program's own page. One thread sends; any thread may read."""

    closure: LipRule = "arkit"
    """The face on the page has the ARKit shapes unchanged."""

    def __init__(self, uri: str = URI, *, subject: str = "", clock: Clock | None = None) -> None:
        """
        Parameters
        ----------
        uri : must be `preview:`; UsageError otherwise
        subject : name shown on the page
        clock : for the delay measurement; default: the machine's
        """
        if uri != URI:
            raise UsageError(f"got receiver {uri!r}, expected {URI} with nothing behind it")
        self.name = uri
        self.subject = subject
        self.sent = 0
        self.errors = 0
        self.closed = False
        self._clock = clock or MonotonicClock()
        self._latest: LatestPose | None = None
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._listeners_lock = threading.Lock()
        """Guards changes of `_listeners`; the sender reads it without the lock."""
        self._sent_s = np.full(REMEMBERED, np.nan)
        self._screen = _Screen()
        OPEN.add(self)

    def send(self, weights: Weights, stamp: Stamp) -> None:
        """Publish one frame; see `Sink.send`."""
        if self.closed:
            return
        latest = LatestPose(self.sent, weights.copy(), stamp, self._clock.now())
        self._sent_s[self.sent % REMEMBERED] = latest.sent_s
        self._latest = latest
        self.sent += 1
        self._notify()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each frame and on `close`, on the thread that sends or closes: it must not block.

        Returns
        -------
        Function that ends the subscription
        """
        with self._listeners_lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._listeners_lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe

    def latest(self) -> LatestPose | None:
        """The newest frame; None before the first and after `close`."""
        return None if self.closed else self._latest

    def acknowledge(self, number: int) -> None:
        """Count frame `number` as drawn by the page. Numbers never sent, or sent too long ago, are ignored: a page may
        send anything."""
        now_s, newest = self._clock.now(), self.sent - 1
        if (
            isinstance(number, bool)
            or not isinstance(number, int)
            or not max(0, newest - REMEMBERED + 1) <= number <= newest
        ):
            return
        self._screen.drawn(number, now_s, now_s - float(self._sent_s[number % REMEMBERED]))

    def delay(self) -> ScreenDelay:
        """Statistics of the delay to the screen over the last minute."""
        return self._screen.figures(self._clock.now())

    def close(self) -> None:
        """End the stream of frames and notify the listeners. Harmless twice."""
        self.closed = True
        OPEN.discard(self)
        self._notify()

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()


class _OpenSinks:
    """The preview sinks open in this process, one per `--to preview:`, for the page to find them."""

    def __init__(self) -> None:
        self._sinks: list[PreviewSink] = []
        self._lock = threading.Lock()

    def add(self, sink: PreviewSink) -> None:
        with self._lock:
            self._sinks.append(sink)

    def discard(self, sink: PreviewSink) -> None:
        with self._lock:
            self._sinks = [other for other in self._sinks if other is not sink]

    def sinks(self) -> tuple[PreviewSink, ...]:
        with self._lock:
            return tuple(self._sinks)


OPEN = _OpenSinks()


class _Screen:
    """Statistics of the frames drawn; each frame counts once, for the first of several tabs."""

    def __init__(self) -> None:
        self._delays_s = Window(_MEASURED_S, _MAX_MEASURED)
        self._drawn_s: deque[float] = deque(maxlen=_MAX_FPS)
        self._first = self._last = -1
        self._count = 0
        self._lock = threading.Lock()

    def drawn(self, number: int, now_s: float, delay_s: float) -> None:
        with self._lock:
            if number <= self._last or not math.isfinite(delay_s):
                return
            self._first = number if self._first < 0 else self._first
            self._last = number
            self._count += 1
            self._delays_s.add(delay_s, now_s)
            self._drawn_s.append(now_s)

    def figures(self, now_s: float) -> ScreenDelay:
        with self._lock:
            delays_ms, drawn_s = 1000 * self._delays_s.values(now_s), np.array(self._drawn_s)
            skipped = self._last - self._first + 1 - self._count if self._count else 0
        if not len(delays_ms):
            return ScreenDelay(0, math.nan, math.nan, 0.0, 0)
        p50, p95 = np.percentile(delays_ms, (50, 95))
        return ScreenDelay(len(delays_ms), float(p50), float(p95), float((drawn_s > now_s - 1.0).sum()), skipped)
