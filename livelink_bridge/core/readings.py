"""Sliding windows of readings: the last N, or those of the last seconds; and the rate of events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OVERDUE = 1.5
"""An event counts as missing after this many spacings."""


class Recent:
    """The last `capacity` readings of one quantity. One thread adds, any thread reads."""

    def __init__(self, capacity: int) -> None:
        self._values = np.zeros(capacity)
        self.count = 0
        """Number of readings ever added."""

    def add(self, value: float) -> None:
        """Add a reading, in the quantity's unit."""
        self._values[self.count % len(self._values)] = value
        self.count += 1

    def values(self) -> NDArray[np.float64]:
        """float64 (n,), in no particular order."""
        return self._values[: self.count].copy()

    def percentile(self, percent: float) -> float | None:
        """Percentile of the readings, `percent` from 0 to 100; None before the first one."""
        known = self._values[: self.count]
        return float(np.percentile(known, percent)) if len(known) else None


class Window:
    """The readings of the last `seconds` of one quantity, at most the newest `capacity`. One thread adds, any thread
    reads."""

    def __init__(self, seconds: float, capacity: int) -> None:
        self._seconds = seconds
        self._readings = np.zeros((capacity, 2))
        """Clock time and value of each reading, unordered."""
        self.count = 0
        """Number of readings ever added."""

    def add(self, value: float, at_s: float) -> None:
        """Add a reading.

        Parameters
        ----------
        value : in the quantity's unit
        at_s : clock time, seconds; must not decrease
        """
        self._readings[self.count % len(self._readings)] = at_s, value
        self.count += 1

    def times_s(self, now_s: float) -> NDArray[np.float64]:
        """float64 (n,), ascending: clock times of the readings of the `seconds` before `now_s`."""
        return np.sort(self._within(now_s)[:, 0])

    def values(self, now_s: float | None = None) -> NDArray[np.float64]:
        """float64 (n,), unordered: the readings of the `seconds` before `now_s`, default: before the newest one."""
        return self._within(now_s)[:, 1]

    def percentile(self, percent: float, now_s: float | None = None) -> float | None:
        """Percentile of `values(now_s)`, `percent` from 0 to 100; None when there are none."""
        values = self.values(now_s)
        return float(np.percentile(values, percent)) if len(values) else None

    def _within(self, now_s: float | None) -> NDArray[np.float64]:
        known = self._readings[: self.count].copy()
        if not len(known):
            return known
        end_s = float(known[:, 0].max()) if now_s is None else now_s
        return known[known[:, 0] > end_s - self._seconds]


def pace(times_s: NDArray[np.float64], now_s: float) -> float:
    """Rate of events, per second; it decreases towards 0 once they have stopped.

    Parameters
    ----------
    times_s : float64 (n,), ascending, times of the last events, seconds
    now_s : current time, seconds
    """
    if len(times_s) < 2:
        return 0.0
    spacing_s = float(times_s[-1] - times_s[0]) / (len(times_s) - 1)
    overdue = now_s - times_s[-1] > _OVERDUE * spacing_s
    span_s = now_s - times_s[0] if overdue else times_s[-1] - times_s[0]
    return float((len(times_s) - (not overdue)) / span_s) if span_s > 0 else 0.0
