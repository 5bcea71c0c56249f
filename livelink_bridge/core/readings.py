"""The last readings of one quantity: a number of them, or those of the last seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OVERDUE = 1.5
"""Spacings after which one that has not come counts as missing."""


class Recent:
    """The last `capacity` readings of one quantity. One thread adds, any reads."""

    def __init__(self, capacity: int) -> None:
        self._values = np.zeros(capacity)
        self.count = 0
        """Readings ever taken."""

    def add(self, value: float) -> None:
        """Take a reading, in the unit of the quantity; the oldest is dropped where there are more than `capacity`."""
        self._values[self.count % len(self._values)] = value
        self.count += 1

    def values(self) -> NDArray[np.float64]:
        """float64 (n,), in no particular order."""
        return self._values[: self.count].copy()

    def percentile(self, percent: float) -> float | None:
        """None before the first reading."""
        known = self._values[: self.count]
        return float(np.percentile(known, percent)) if len(known) else None


class Window:
    """The readings of the last `seconds` of one quantity, the newest `capacity` at most. One thread adds, any reads."""

    def __init__(self, seconds: float, capacity: int) -> None:
        self._seconds = seconds
        self._readings = np.zeros((capacity, 2))
        """When each was taken, and its value; in no particular order."""
        self.count = 0
        """Readings ever taken."""

    def add(self, value: float, at_s: float) -> None:
        """`at_s` is the clock time of the reading; it never goes back."""
        self._readings[self.count % len(self._readings)] = at_s, value
        self.count += 1

    def times_s(self, now_s: float) -> NDArray[np.float64]:
        """float64 (n,), rising: the clock times of the readings of the `seconds` before `now_s`."""
        return np.sort(self._within(now_s)[:, 0])

    def values(self, now_s: float | None = None) -> NDArray[np.float64]:
        """float64 (n,), in no particular order: the readings of the `seconds` before `now_s`, or before the newest
        reading."""
        return self._within(now_s)[:, 1]

    def percentile(self, percent: float, now_s: float | None = None) -> float | None:
        """Of the readings of the `seconds` before `now_s`, or before the newest reading. None where there are none."""
        values = self.values(now_s)
        return float(np.percentile(values, percent)) if len(values) else None

    def _within(self, now_s: float | None) -> NDArray[np.float64]:
        known = self._readings[: self.count].copy()
        if not len(known):
            return known
        end_s = float(known[:, 0].max()) if now_s is None else now_s
        return known[known[:, 0] > end_s - self._seconds]


def pace(times_s: NDArray[np.float64], now_s: float) -> float:
    """How often something happens, per second, from float64 (n,) of its last times, rising: 60.0 while it comes evenly,
    less and less once it has stopped.
    """
    if len(times_s) < 2:
        return 0.0
    spacing_s = float(times_s[-1] - times_s[0]) / (len(times_s) - 1)
    overdue = now_s - times_s[-1] > _OVERDUE * spacing_s
    span_s = now_s - times_s[0] if overdue else times_s[-1] - times_s[0]
    return float((len(times_s) - (not overdue)) / span_s) if span_s > 0 else 0.0
