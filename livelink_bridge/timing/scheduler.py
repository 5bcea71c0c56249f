"""When tick n is due and which moment it shows: evenly spaced ticks that follow the audio's own clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.timing.arrival_clock import Timing
from livelink_bridge.timing.shown import Shown

_FOLLOW_TICKS = 60
"""Loop gain: each tick corrects 1/60 of the phase error, a time constant of about a second, so that jitter is averaged
away."""
_MAX_SLEW = 0.01
"""Most that an interval may differ from the nominal one: 0.17 ms at 60 Hz."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One interval of the sender."""

    deadline_s: float
    """Clock time at which it is due, seconds."""
    position: Fraction
    """What it shows, in frames of the source at 60 Hz: 2.5 is halfway from frame 2 to frame 3. Negative before the
    first."""


def wait_s(fps: Fraction) -> float:
    """How long ticks at `fps` packets per second wait for the later of the two frames around them, seconds."""
    return (1 - 1 / (Fraction(FRAME_RATE) / fps).denominator) / FRAME_RATE


class TickScheduler:
    """Absolute deadlines, evenly spaced, that follow a `Timing`.

    The interval changes slowly and by at most 1 %. When the timing jumps by more than half an interval the ticks keep
    their spacing and show other frames instead. Ticks that are already past are skipped and never sent in a burst.

    A rate that does not divide 60 shows moments between two frames. The later frame must be ready, so every tick waits
    as long as the latest of them needs: steps stay even, and the whole is later by `wait_s`.
    """

    def __init__(self, fps: Fraction | int, timing: Timing, shown: Shown | None = None) -> None:
        """
        Parameters
        ----------
        fps : ticks per second, 1 to 60
        timing : when frames are due
        shown : where each tick is written; None keeps it here alone
        """
        fps = Fraction(fps)
        self.shown = shown or Shown()
        """The newest tick, for other threads."""
        self._frames_a_tick = Fraction(FRAME_RATE) / fps
        self.period_s = float(1 / fps)
        self.wait_s = wait_s(fps)
        """What resampling to this rate adds to the delay, seconds: 0 at 60, 30, 20 ...; 8 ms at 24; 13 ms at 25 and
        50."""
        self.late = 0
        """Ticks skipped because they were past."""
        self.shifted = 0
        """Frames repeated or left out because the timing jumped."""
        self._timing = timing
        self._number = -1
        """Which multiple of the interval after `zero_s` the tick is."""
        self._deadline_s: float | None = None
        self._locked = False

    def next(self, now_s: float) -> Tick:
        """The next tick, not earlier than clock time `now_s`, seconds."""
        zero_s = None if self._timing.zero_s is None else self._timing.zero_s + self.wait_s
        if zero_s is not None and not self._locked:
            self._deadline_s = self._lock(zero_s, now_s)
        elif self._deadline_s is None:
            self._deadline_s = now_s
        else:
            self._deadline_s = self._step(self._deadline_s, zero_s, now_s)
        position = self._number * self._frames_a_tick
        if self._locked:
            self.shown.write(float(position) / FRAME_RATE, self._deadline_s)
        return Tick(self._deadline_s, position)

    def _lock(self, zero_s: float, now_s: float) -> float:
        earliest_s = now_s if self._deadline_s is None else max(now_s, self._deadline_s + self.period_s)
        self._locked = True
        self._number = max(0, math.ceil((earliest_s - zero_s) / self.period_s))
        return zero_s + self._number * self.period_s

    def _step(self, deadline_s: float, zero_s: float | None, now_s: float) -> float:
        deadline_s += self.period_s
        missed = max(0, math.ceil((now_s - deadline_s) / self.period_s))
        self.late += missed
        deadline_s += missed * self.period_s
        if not self._locked or zero_s is None:
            return deadline_s
        self._number += 1 + missed
        error_s = zero_s + self._number * self.period_s - deadline_s
        shift = round(error_s / self.period_s)
        self._number -= shift
        self.shifted += abs(shift)
        limit_s = _MAX_SLEW * self.period_s
        return deadline_s + min(limit_s, max(-limit_s, (error_s - shift * self.period_s) / _FOLLOW_TICKS))
