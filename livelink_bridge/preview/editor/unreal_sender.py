"""Sends what the page plays to receivers in step with it: the page reports its position, a clock goes on from there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import Weights
from livelink_bridge.errors import BridgeError
from livelink_bridge.face.jitter_buffer import DECAY_FRAMES, HOLD_FRAMES, NEUTRAL_FRAMES, fade
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.subject import SubjectOutput
from livelink_bridge.sinks import Sink
from livelink_bridge.timing.arrival_clock import FixedTiming
from livelink_bridge.timing.scheduler import wait_s

PoseAt = Callable[[str, float], Weights | None]
"""Side and seconds in the clip -> float32 (61,), MouthClose as predicted; None where there is nothing to send."""
_LONGEST_END_S = 3.0
"""How long stopping waits for the decay to neutral."""

_log = logging.getLogger(__name__)


class Unreal:
    """Sends to the receivers of the settings while `running`. A pause holds the pose; stopping decays to neutral."""

    def __init__(self, outputs: Outputs, clock: Clock) -> None:
        self.targets = outputs.targets
        self.failures = 0
        """Times that sending ended by itself."""
        self.trouble = ""
        """Why it did the last time, one line."""
        self._outputs, self._clock = outputs, clock
        self._reported = (0.0, 0.0, 0.0, "a")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._changing = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether it sends, or is decaying to neutral."""
        return self._thread is not None and self._thread.is_alive()

    def moved(self, time_s: float, speed: float, side: str) -> None:
        """The page reports its position. From any thread.

        Parameters
        ----------
        time_s : where in the clip it is, seconds
        speed : at which it goes on, 1 is real time, 0 paused
        side : which of two compared faces it shows
        """
        self._reported = (self._clock.now(), time_s, speed, side)

    def start(self, pose_at: PoseAt) -> None:
        """Open the receivers and send; harmless twice. It asks for hosts' addresses: for a worker thread.

        Raises SinkError for an unknown host, UsageError for a malformed URI.
        """
        with self._changing:
            if self.running:
                return
            with open_sinks(self._outputs):  # their errors are raised here, not in the thread
                pass
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, args=(pose_at,), name="unreal", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Decay to neutral, which is waited for, and close. Harmless twice. For a worker thread."""
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
        # The page's poses need no waiting for, at any rate: what a tick shows is what plays when it is due.
        waits_s = wait_s(self._outputs.fps)
        timing = FixedTiming(self._clock.now() - waits_s)

        def at(position: Fraction) -> Weights | None:
            return pose_at(*self._place(timing.zero_s + waits_s + float(position) / FRAME_RATE))

        output = SubjectOutput(
            PlayedFrames(at, self._outputs.fps),
            self._outputs,
            sinks,
            timing,
            clock=self._clock,
            stop=self._stop,
            metrics=Metrics(),
        )
        output.sender.run()

    def _place(self, now_s: float) -> tuple[str, float]:
        """Which side, and where in the clip."""
        at_s, time_s, speed, side = self._reported
        return side, time_s + speed * (now_s - at_s)


class PlayedFrames:
    """What the page shows, as a `FrameBuffer`: made for each tick, and neutral by steps when it is stopped."""

    held = skipped = 0

    def __init__(self, pose_at: Callable[[Fraction], Weights | None], fps: Fraction) -> None:
        """`pose_at` gives the pose, float32 (61,), at a position in frames of 60 Hz; None where there is none to
        send."""
        self._pose_at, self._fps = pose_at, fps
        self._last: Weights | None = None
        self._shown: Fraction = Fraction(0)
        self._frozen = False

    def at(self, position: Fraction) -> Weights | None:
        """The pose of this moment; once frozen, what is left of the last one."""
        if not self._frozen:
            self._last, self._shown = self._pose_at(position), position
            return self._last
        return None if self._last is None else np.asarray(fade(float(position - self._shown)) * self._last, np.float32)

    def shows(self, index: int) -> bool:
        """No delay is measured: there is no input audio to measure from."""
        return False

    def finished(self, position: Fraction) -> bool:
        """It plays until it is stopped."""
        return False

    def freeze(self) -> None:
        """Ask for no more poses."""
        self._frozen = True

    def rest_from(self, position: Fraction) -> Fraction:
        """The decay and the neutral tail take the same time at any rate; at least two packets are neutral. Where
        nothing was shown there is nothing to end."""
        if self._last is None:
            return Fraction(0)
        eases = max(Fraction(0), HOLD_FRAMES + DECAY_FRAMES - (position - self._shown))
        return eases + max(Fraction(NEUTRAL_FRAMES), 2 * FRAME_RATE / self._fps)
