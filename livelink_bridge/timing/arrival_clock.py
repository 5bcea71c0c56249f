"""When face frames are due: fixed, delayed, or learned from when the blocks of a live source arrive."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.core.readings import Recent

_FRAMES_TO_LOCK = 15
"""Frames seen before their timing is trusted."""
_IGNORED_SECONDS = 2
"""Worst seconds of the last half minute that do not count."""
_USUAL_FRAMES = 600
"""Ten seconds of frames tell what is usual."""
_USUAL_PERCENT = 90
_BEYOND_S, _BEYOND_SPREAD = 0.0005, 0.35
"""The playout delay is at most p90 + 0.5 ms + 0.35 (p90 - p50) of the frames' lateness: a device that delivers in lumps
spreads its frames evenly and is waited for, a machine that stalls all the time is not."""
_REMEMBERED = 1024
"""Blocks and frames whose arrival is remembered: more than a look-ahead's worth of the smallest blocks."""
_GUARD_S = 0.0003
"""Between the time by which frames have been ready and the tick that shows them."""


class Timing(Protocol):
    """When the frames of one source are due."""

    @property
    def zero_s(self) -> float | None:
        """Clock time at which frame 0 is, or would have been, due, seconds; frame k is due k / 60 s later. None: not
        known yet."""
        ...

    def heard_s(self, index: int) -> float | None:
        """Clock time, seconds, at which the audio of frame `index` was played, or delivered by its device. Delays are
        counted from here. None: not known, or too long ago."""
        ...


@dataclass(frozen=True, slots=True)
class FixedTiming:
    """No audio is played: the clock alone paces the frames."""

    zero_s: float

    def heard_s(self, index: int) -> float:
        """The time at which frame `index` is due, clock seconds."""
        return self.zero_s + index / FRAME_RATE


class DelayedTiming:
    """Another timing with everything due `delay_s` seconds later."""

    def __init__(self, timing: Timing, delay_s: float) -> None:
        self._timing, self._delay_s = timing, delay_s

    @property
    def zero_s(self) -> float | None:
        """That of the other timing, later; None: not known yet."""
        zero_s = self._timing.zero_s
        return None if zero_s is None else zero_s + self._delay_s

    def heard_s(self, index: int) -> float | None:
        """That of the other timing: the delay counts as delay."""
        return self._timing.heard_s(index)


class WindowedMinMax:
    """The lowest or highest reading of each of the last `parts` intervals of `part_s` seconds."""

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
        """Whether every interval has a reading."""
        return len(self._parts) == self._parts.maxlen

    def clear(self) -> None:
        """Forget all readings."""
        self._parts.clear()

    def extreme(self, ignored: int = 0) -> float:
        """The most extreme reading, leaving out the worst `ignored` intervals (at most a quarter of them). Needs at
        least one reading."""
        values = sorted(value for _, value in self._parts)
        ignored = min(ignored, len(values) // 4)
        return values[ignored] if self._pick is min else values[-1 - ignored]


class ArrivalClock:
    """Learns from a live source when its frames are ready, and makes them due just after.

    It measures two things. Where sample 0 lies on the clock: whatever delays a block's arrival makes it late, never
    early, so the earliest arrivals of the last seconds are the true ones. And how long after its own audio a frame is
    ready (look-ahead, the rest of a block, computing): the longest of the last half minute without its two worst
    seconds, so that about one frame in a thousand may be late and one stall of the machine does not delay everything
    after it. On a machine that stalls more often, the delay stays near what nine frames of ten need: an occasional
    repeated frame is invisible; 250 ms of extra latency is not.

    The model's thread calls `heard`, `ready` and `restart`; the sender's thread reads.
    """

    def __init__(self) -> None:
        self.zero_s: float | None = None
        self._start_s: float | None = None
        self._blocks: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._delivered_at: list[tuple[int, float]] = [(-1, 0.0)] * _REMEMBERED
        self._arrivals = WindowedMinMax("lowest", 0.5, 8)
        self._lateness = WindowedMinMax("highest", 1.0, 30)
        self._usual = Recent(_USUAL_FRAMES)
        self._bearable_s = math.inf
        self._frames = 0
        self._warm = False

    def heard(self, block: AudioBlock) -> None:
        """A block arrived, at its `arrived_s`."""
        self._arrivals.add(block.arrived_s, block.arrived_s - block.end / block.sample_rate)
        self._start_s = self._arrivals.extreme()
        self._blocks.append((block.end / block.sample_rate, block.arrived_s))

    def heard_s(self, index: int) -> float | None:
        """When the block with the first sample of frame `index` arrived, clock seconds."""
        known, at_s = self._delivered_at[index % _REMEMBERED]
        return at_s if known == index else None

    def ready(self, index: int, now_s: float) -> None:
        """Frame `index` came out of the model at clock time `now_s`, seconds."""
        assert self._start_s is not None, "a frame without audio"
        while len(self._blocks) > 1 and self._blocks[0][0] <= index / FRAME_RATE:
            self._blocks.popleft()
        self._delivered_at[index % _REMEMBERED] = (index, self._blocks[0][1])
        late_s = now_s - self._start_s - index / FRAME_RATE
        self._lateness.add(now_s, late_s)
        self._usual.add(late_s)
        self._frames += 1
        if self._frames >= _FRAMES_TO_LOCK:
            if self._frames % _FRAMES_TO_LOCK == 0:
                self._bearable_s = self._usual_and_a_little()
            self.zero_s = self._start_s + min(self._lateness.extreme(_IGNORED_SECONDS), self._bearable_s) + _GUARD_S
        if self._frames == FRAME_RATE and not self._warm:
            # The first second holds what is slow only once: caches, page faults, the device settling.
            self._warm = True
            self._relearn()

    def restart(self) -> None:
        """Samples were lost, and how many is not exactly known: sample 0 has to be found again."""
        self._arrivals.clear()
        self._relearn()

    def _usual_and_a_little(self) -> float:
        known = np.sort(self._usual.values())
        median_s, usual_s = float(known[len(known) // 2]), float(known[len(known) * _USUAL_PERCENT // 100])
        return usual_s + _BEYOND_S + _BEYOND_SPREAD * (usual_s - median_s)

    def _relearn(self) -> None:
        self._lateness.clear()
        self._usual = Recent(_USUAL_FRAMES)
        self._frames = 0
