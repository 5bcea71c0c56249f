"""The time base of a session: frame numbers of packets and timecode of takes come from it."""

from __future__ import annotations

import logging
import math
from fractions import Fraction

from livelink_bridge.core.clock import Clock
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.timing.timecode import Origin, TimecodeRate

DAY_S = 86400
_LEAST = 2.0**-20
"""Part of a frame between two stamps of one number: far less than can be measured, far more than float32 loses."""
_EARLY = 0.5
"""Frames that a number may be ahead of the clock before it is repeated."""
_BELOW_ONE = 0.99999994
"""The largest float32 below 1: a sub-frame must not be rounded up to the next frame on the wire."""
_LOOK_EVERY_S = 1.0
_SLEW = 1e-3
"""Part by which frames may run fast or slow to return to the system's clock: an invisible millisecond a second."""
_LEAP_S = 0.5
"""A system clock that is off by more was set by hand, not disciplined by NTP."""

_log = logging.getLogger(__name__)


class Timebase:
    """Stamps packets and take rows with frame numbers of one clock.

    Frame numbers run on past midnight. Where one number is counted for each packet, each stamp has the next number:
    ticks that follow an audio device drift through the frames, and their jitter must not repeat or skip numbers at a
    frame boundary. Whenever they have drifted by a whole frame, one number is skipped, or repeated with rising
    sub-frames: a device that is 150 ppm fast does that every two minutes, and timecode stays with the clock all day.
    Where packets are sent faster than frames are counted, several have one number.
    """

    def __init__(
        self, clock: Clock, rate: TimecodeRate, origin: Origin = "time-of-day", *, fps: Fraction | None = None
    ) -> None:
        """
        Parameters
        ----------
        clock : of the session, read once here and, for "ntp", once a second
        rate : how frames are counted
        origin : what frame 0 is
        fps : stamps per second that will be asked for; None is as many as there are frames
        """
        self.rate = rate
        self._clock = clock
        self._origin = origin
        self._midnight_s = clock.now() - clock.time_of_day()
        self._first: tuple[float, float] | None = None
        """Clock time and frame number of the first stamp."""
        self._looked_s = -math.inf
        self._one_each = fps is None or fps <= rate.exact
        self._last = -1, 0.0

    def stamp(self, at_s: float) -> Stamp:
        """The stamp for clock time `at_s`, seconds; times rise from call to call."""
        if self._origin == "ntp":
            self._follow(at_s)
        frames = self._frames(at_s)
        number = self._number(frames)
        subframe = min(max(frames - number, 0.0), _BELOW_ONE)
        if (number, subframe) <= self._last:
            number, subframe = self._last[0], min(self._last[1] + _LEAST, _BELOW_ONE)
        self._last = number, subframe
        return Stamp(number, subframe, self.rate.exact, self.rate.seconds_at(number + subframe) % DAY_S)

    def _number(self, frames: float) -> int:
        """The number of the stamp at the exact position `frames`: the next one, unless that is a frame off."""
        following = self._last[0] + 1
        if not self._one_each or frames >= following + 1:
            return math.floor(frames)
        return following if frames > following - _EARLY else following - 1

    def _frames(self, at_s: float) -> float:
        if self._first is None:
            begun = 0.0 if self._origin == "zero" else self.rate.frames_at(at_s - self._midnight_s)
            self._first = at_s, begun
        begun_s, begun = self._first
        return begun + (at_s - begun_s) * float(self.rate.exact)

    def _follow(self, at_s: float) -> None:
        """Slew towards the system's clock: one disciplined by NTP drifts from a monotonic one by parts per million."""
        if self._first is None or at_s < self._looked_s + _LOOK_EVERY_S:
            return
        passed_s = min(at_s - self._looked_s, 10 * _LOOK_EVERY_S)
        self._looked_s = at_s
        now_s = self._clock.now()
        drifted_s = now_s - self._clock.time_of_day() - self._midnight_s
        off_s = (drifted_s + DAY_S / 2) % DAY_S - DAY_S / 2
        if abs(off_s) > _LEAP_S:
            _log.warning("the system's clock was set by %+.1f s; timecode goes on from where it was", -off_s)
            self._midnight_s += off_s
            return
        bent_s = math.copysign(min(abs(off_s), _SLEW * passed_s), off_s)
        self._midnight_s += bent_s
        begun_s, begun = self._first
        self._first = begun_s + bent_s, begun
