"""When tick n is due and which pose it shows: an even grid that follows the sound's own clock."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

import numpy as np

from livelink_bridge.core.frames import FRAME_RATE, AudioBlock
from livelink_bridge.reporting.metrics import Recent

_FOLLOW_TICKS = 60
"""A tick takes back this part of its distance from the sound's clock: a second of ticks, so that jitter is averaged
away."""
_MAX_SLEW = 0.01
"""Most that an interval may differ from the nominal one: 0.17 ms at 60 Hz."""
_POSES_TO_LOCK = 15
_IGNORED_SECONDS = 2
_USUAL_POSES = 600
"""Ten seconds of poses tell what is usual."""
_USUAL_PERCENT = 90
_BEYOND_S, _BEYOND_SPREAD = 0.0005, 0.35
"""The face waits no longer for a straggler than this beyond the usual, and this part of what lies between the median
and the usual: a device that hands over lumps spreads its poses evenly and is waited for, a machine that stalls all the
time is not."""
_REMEMBERED = 1024
"""Blocks and poses whose arrival is remembered: more than a look-ahead's worth of the smallest blocks."""
_GUARD_S = 0.0003
"""Between the time by which poses have been ready and the tick that shows them."""


class Timing(Protocol):
    """When the poses are due."""

    @property
    def zero_s(self) -> float | None:
        """Clock time at which pose 0 is, or would have been, due; pose k is due k / 60 s later. None: not known yet."""
        ...

    def heard_s(self, index: int) -> float | None:
        """Clock time at which the sound of pose `index` was heard, or handed over by its device; delays are counted
        from here.

        None: not known, or too long ago.
        """
        ...


@dataclass(frozen=True, slots=True)
class FixedTiming:
    """Nothing is heard: the clock itself is the beat."""

    zero_s: float

    def heard_s(self, index: int) -> float:
        return self.zero_s + index / FRAME_RATE


class DelayedTiming:
    """Another timing, everything due `delay_s` later."""

    def __init__(self, timing: Timing, delay_s: float) -> None:
        self._timing, self._delay_s = timing, delay_s

    @property
    def zero_s(self) -> float | None:
        zero_s = self._timing.zero_s
        return None if zero_s is None else zero_s + self._delay_s

    def heard_s(self, index: int) -> float | None:
        return self._timing.heard_s(index)


class WindowedMinMax:
    """The lowest or highest reading of each of the last `parts` parts of a second `part_s` long."""

    def __init__(self, keep: Literal["lowest", "highest"], part_s: float, parts: int) -> None:
        self._pick = min if keep == "lowest" else max
        self._part_s = part_s
        self._parts: deque[tuple[int, float]] = deque(maxlen=parts)

    def add(self, at_s: float, value: float) -> None:
        """A reading taken at clock time `at_s`; times never go back."""
        part = int(at_s / self._part_s)
        if self._parts and self._parts[-1][0] == part:
            self._parts[-1] = (part, self._pick(self._parts[-1][1], value))
        else:
            self._parts.append((part, value))

    @property
    def full(self) -> bool:
        """Whether there are readings of all its parts."""
        return len(self._parts) == self._parts.maxlen

    def clear(self) -> None:
        self._parts.clear()

    def extreme(self, ignored: int = 0) -> float:
        """The most extreme reading kept, but for the worst `ignored` parts (and at most a quarter). Needs at least one
        reading."""
        values = sorted(value for _, value in self._parts)
        ignored = min(ignored, len(values) // 4)
        return values[ignored] if self._pick is min else values[-1 - ignored]


class ArrivalClock:
    """Learns from a live source when its poses are ready, and makes them due just after.

    Two things are measured. Where sample 0 lies on the clock: whatever delays a block's arrival makes it late, never
    early, so the earliest arrivals of the last seconds are the true ones. And how long after its own sound a pose is
    ready (look-ahead, the rest of a block, computing): the longest of the last half minute but for its two worst
    seconds, so that about one pose in a thousand may be late and one hiccup of the machine does not delay all that
    follows. On a machine that stalls more often than that the delay stays near what nine poses of ten need: a pose that
    now and then is held one tick longer is seen by nobody, a face a quarter of a second behind its voice by everybody.

    The model's thread calls `heard`, `ready` and `restart`; the sender's thread reads.
    """

    def __init__(self) -> None:
        self.zero_s: float | None = None
        self._start_s: float | None = None
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._handed_over: list[tuple[int, float]] = [(-1, 0.0)] * _REMEMBERED
        self._arrivals = WindowedMinMax("lowest", 0.5, 8)
        self._lateness = WindowedMinMax("highest", 1.0, 30)
        self._usual = Recent(_USUAL_POSES)
        self._bearable_s = math.inf
        self._poses = 0
        self._warm = False

    def heard(self, block: AudioBlock) -> None:
        self._arrivals.add(block.arrived_s, block.arrived_s - block.end / block.sample_rate)
        self._start_s = self._arrivals.extreme()
        self._blocks.append((block.end / block.sample_rate, block.arrived_s))

    def heard_s(self, index: int) -> float | None:
        """When the block that holds the first sound of pose `index` arrived."""
        known, at_s = self._handed_over[index % _REMEMBERED]
        return at_s if known == index else None

    def ready(self, index: int, now_s: float) -> None:
        """Pose `index` came out of the model at `now_s`."""
        assert self._start_s is not None, "a pose without sound"
        while len(self._blocks) > 1 and self._blocks[0][0] <= index / FRAME_RATE:
            self._blocks.popleft()
        self._handed_over[index % _REMEMBERED] = (index, self._blocks[0][1])
        late_s = now_s - self._start_s - index / FRAME_RATE
        self._lateness.add(now_s, late_s)
        self._usual.add(late_s)
        self._poses += 1
        if self._poses >= _POSES_TO_LOCK:
            if self._poses % _POSES_TO_LOCK == 0:
                self._bearable_s = self._usual_and_a_little()
            self.zero_s = self._start_s + min(self._lateness.extreme(_IGNORED_SECONDS), self._bearable_s) + _GUARD_S
        if self._poses == FRAME_RATE and not self._warm:
            # The first second holds all that is slow only once: caches, page faults, the device settling.
            self._warm = True
            self._relearn()

    def restart(self) -> None:
        """Samples were lost: nobody knows how many exactly, so sample 0 has to be found anew."""
        self._arrivals.clear()
        self._relearn()

    def _usual_and_a_little(self) -> float:
        known = np.sort(self._usual.values())
        median_s, usual_s = float(known[len(known) // 2]), float(known[len(known) * _USUAL_PERCENT // 100])
        return usual_s + _BEYOND_S + _BEYOND_SPREAD * (usual_s - median_s)

    def _relearn(self) -> None:
        self._lateness.clear()
        self._usual = Recent(_USUAL_POSES)
        self._poses = 0


@dataclass(frozen=True, slots=True)
class Tick:
    """One beat of the sender."""

    deadline_s: float
    """Clock time at which it is due, seconds."""
    position: Fraction
    """What it shows, in poses of the source's 60 Hz grid: 2.5 is halfway from pose 2 to pose 3. Negative before the
    first."""


class TickScheduler:
    """Absolute deadlines, evenly spaced, that follow a `Timing`.

    The spacing bends by at most 1 % and slowly; when the timing jumps by more than half an interval the ticks keep
    their spacing and show other poses instead. Ticks that are already past are left out, never made up for.

    A rate that does not divide 60 shows moments between two poses. The later one must be there, so every tick waits for
    as long as the latest of them needs: steps stay even, and the whole is later by `wait_s`.
    """

    def __init__(self, fps: Fraction | int, timing: Timing) -> None:
        fps = Fraction(fps)
        self._poses_a_tick = Fraction(FRAME_RATE) / fps
        self.period_s = float(1 / fps)
        self.wait_s = (1 - 1 / self._poses_a_tick.denominator) / FRAME_RATE
        """What resampling to this rate adds to the delay, seconds: 0 at 60, 30, 20 ...; 8 ms at 24; 13 ms at 25 and
        50."""
        self.late = 0
        """Ticks left out because they were past."""
        self.shifted = 0
        """Poses repeated or left out because the timing jumped."""
        self._timing = timing
        self._number = -1
        """Which multiple of the interval after `zero_s` the tick is."""
        self._deadline_s: float | None = None
        self._locked = False

    @property
    def shown_zero_s(self) -> float | None:
        """Clock time at which the sound of time 0 is, or would have been, shown, by the newest tick; None before the
        first sound."""
        if not self._locked or self._deadline_s is None:
            return None
        return self._deadline_s - float(self._number * self._poses_a_tick) / FRAME_RATE

    @property
    def shown_s(self) -> float | None:
        """Sound time that the newest tick shows, seconds; None before the first sound."""
        return float(self._number * self._poses_a_tick) / FRAME_RATE if self._locked else None

    def next(self, now_s: float) -> Tick:
        """The tick after the one before, not earlier than `now_s`."""
        zero_s = None if self._timing.zero_s is None else self._timing.zero_s + self.wait_s
        if zero_s is not None and not self._locked:
            self._deadline_s = self._lock(zero_s, now_s)
        elif self._deadline_s is None:
            self._deadline_s = now_s
        else:
            self._deadline_s = self._step(self._deadline_s, zero_s, now_s)
        return Tick(self._deadline_s, self._number * self._poses_a_tick)

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
