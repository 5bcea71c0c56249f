"""Sends what the page plays to receivers, in step with it: the page tells where it is, a clock goes on from there."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from arkit_mapping.character.closure import closed_lips
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import BridgeError
from livelink_bridge.face.jitter_buffer import EASE_POSES, HOLD_POSES, REST_POSES, fade
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.sinks import Sink
from livelink_bridge.timing.timebase import Timebase

PoseAt = Callable[[str, float], Weights | None]
_LONGEST_END_S = 3.0
_UNINTERRUPTED = threading.Event()
"""Never set: the way back to neutral is not cut short."""

_log = logging.getLogger(__name__)


class Unreal:
    """The receivers of the settings, fed while `running`. A pause holds the pose; stopping eases to neutral."""

    def __init__(self, outputs: Outputs, clock: Clock) -> None:
        self.targets = outputs.targets
        self.failures = 0
        """Times that sending ended by itself."""
        self.trouble = ""
        """Why it did the last time, one line."""
        self._outputs, self._clock = outputs, clock
        self._told = (0.0, 0.0, 0.0, "a")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._changing = threading.Lock()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def moved(self, time_s: float, speed: float, side: str) -> None:
        """The page is at `time_s` and goes on at `speed`, 0 where it is paused. From any thread."""
        self._told = (self._clock.now(), time_s, speed, side)

    def start(self, pose_at: PoseAt) -> None:
        """Open the receivers and send; harmless twice. It asks for hosts' addresses: for a worker thread.

        Raises SinkError for a host that nobody knows, UsageError for a URI that is none.
        """
        with self._changing:
            if self.running:
                return
            with open_sinks(self._outputs):  # what is wrong with them is said here, not in the thread
                pass
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(pose_at,), name="unreal", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ease to neutral, which is waited for, and close. Harmless twice. For a worker thread."""
        with self._changing:
            self._stop.set()
            if self._thread:
                self._thread.join(_LONGEST_END_S)

    def _run(self, pose_at: PoseAt) -> None:
        try:
            with open_sinks(self._outputs) as sinks:
                self._send_until_stopped(pose_at, sinks)
        except Exception as error:  # the thread's end: whatever it is, the page and the log have to say it
            why = str(error) if isinstance(error, BridgeError) else f"{type(error).__name__}: {error}"
            self.trouble = f"nothing is sent to {', '.join(self.targets)} any more: {why}"
            self.failures += 1
            _log.error("%s", self.trouble, exc_info=not isinstance(error, BridgeError))

    def _send_until_stopped(self, pose_at: PoseAt, sinks: list[Sink]) -> None:
        timebase, period_s = self._outputs.timebase(self._clock), 1 / float(self._outputs.fps)
        deadline_s, pose = self._clock.now(), None
        while self._clock.wait_until(deadline_s, self._stop):
            pose = pose_at(*self._place(deadline_s))
            if pose is not None:
                _send(sinks, pose, timebase, deadline_s)
            deadline_s = max(deadline_s + period_s, self._clock.now())
        for last in _tail(pose, period_s) if pose is not None else ():
            self._clock.wait_until(deadline_s, _UNINTERRUPTED)
            _send(sinks, last, timebase, deadline_s)
            deadline_s += period_s

    def _place(self, now_s: float) -> tuple[str, float]:
        """Which side, and where in the clip."""
        told_s, time_s, speed, side = self._told
        return side, time_s + speed * (now_s - told_s)


def _tail(last: Weights, period_s: float) -> Iterator[Weights]:
    """From the pose `last`, float32 (61,), to neutral and resting there, in the same time at any rate; neutral at least
    twice."""
    step = period_s * FRAME_RATE
    ages = np.arange(step, HOLD_POSES + EASE_POSES, step)
    for left in (*fade(ages), *[np.float32(0)] * max(2, math.ceil(REST_POSES / step))):
        yield np.asarray(left * last, np.float32)


def _send(sinks: list[Sink], pose: Weights, timebase: Timebase, at_s: float) -> None:
    stamp = timebase.stamp(at_s)
    for sink in sinks:
        sink.send(np.asarray(closed_lips(pose, sink.closure), np.float32), stamp)
