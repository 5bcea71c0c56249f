"""Level meter of the input: RMS, peak, held peak, and whether it clips."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from speech_to_face.base import Samples

FULL_SCALE = 0.999
CLIP_RUN = 3
"""So many samples in a row at full scale are clipped; one or two are a peak that just fits."""

_LOWEST_DBFS = -120.0
_WINDOW_S = 0.1
_HOLD_S = 1.5
_FALL_DB_S = 20.0
"""How fast the held peak falls afterwards, as studio meters do."""


class LevelMeter:
    """One voice's meter, timed by counted samples. Feed it the audio before any gain: gain cannot repair clipping."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Silence, and nothing clipped."""
        self.rms_dbfs = self.peak_dbfs = self.held_peak_dbfs = _LOWEST_DBFS
        """Of the last full 0.1 s; the held peak is the highest, kept for 1.5 s, then falling by 20 dB a second. At
        least -120."""
        self.clipped = 0
        """Clipped samples since `reset`."""
        self._run = 0
        self._heard_s = self._held_s = 0.0
        self._window = (0, 0.0, 0.0)
        self._clips: deque[tuple[float, int]] = deque()

    @property
    def clipped_per_s(self) -> int:
        """Clipped samples in the last second; warn when it is not 0."""
        return sum(count for _, count in tuple(self._clips))  # another thread may be adding

    def push(self, samples: Samples, rate: int) -> None:
        """Take float32 (n,) at `rate` Hz."""
        if not len(samples):
            return
        seconds = len(samples) / rate
        self._heard_s += seconds
        peak = float(max(samples.max(), -samples.min()))
        self._measure(samples, peak, rate)
        self._hold(_dbfs(peak), seconds)
        self._count(samples, peak)

    def _measure(self, samples: Samples, peak: float, rate: int) -> None:
        count, energy, highest = self._window
        self._window = count + len(samples), energy + float(samples @ samples), max(highest, peak)
        if self._window[0] >= _WINDOW_S * rate:
            count, energy, highest = self._window
            self.rms_dbfs, self.peak_dbfs = _dbfs(math.sqrt(energy / count)), _dbfs(highest)
            self._window = (0, 0.0, 0.0)

    def _hold(self, peak_dbfs: float, seconds: float) -> None:
        if self._heard_s - self._held_s > _HOLD_S:
            self.held_peak_dbfs = max(_LOWEST_DBFS, self.held_peak_dbfs - _FALL_DB_S * seconds)
        if peak_dbfs >= self.held_peak_dbfs:
            self.held_peak_dbfs, self._held_s = peak_dbfs, self._heard_s

    def _count(self, samples: Samples, peak: float) -> None:
        count = 0
        if peak >= FULL_SCALE:
            runs = _runs(np.abs(samples), self._run)
            count = int(CLIP_RUN * np.sum(runs == CLIP_RUN) + np.sum(runs > CLIP_RUN))
            self._run = int(runs[-1])
            self.clipped += count
        else:
            self._run = 0
        if count:
            self._clips.append((self._heard_s, count))
        while self._clips and self._clips[0][0] <= self._heard_s - 1.0:
            self._clips.popleft()


def clipped_samples(samples: Samples) -> int:
    """How many of float32 (n,) are clipped."""
    meter = LevelMeter()
    meter.push(samples, rate=len(samples) or 1)
    return meter.clipped


def _runs(size: Samples, before: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """int64 (n,): samples in a row, up to this one, at full scale; `before` of them were in earlier pushes."""
    at = np.arange(len(size))
    return at - np.maximum.accumulate(np.where(size >= FULL_SCALE, -1 - before, at))


def _dbfs(amplitude: float) -> float:
    return max(_LOWEST_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else _LOWEST_DBFS
