"""Detects which channels of a face are moving."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61

STEP = 0.01
"""A channel moves when it differs by more than this, a hundredth of a weight or of a radian, from its value at its last
move."""
RECENT_S = 3.0
"""How long after its last move a channel counts as moving: longer than the gap between two mouth movements of most
talkers, shorter than a pause."""


class Movement:
    """Tracks the movement of each channel, in constant memory."""

    def __init__(self) -> None:
        self._reference: NDArray[np.float32] | None = None
        self._moved_s = np.full(len(CHANNELS_61), -math.inf)

    def add(self, values: NDArray[np.float32], at_s: float) -> None:
        """Process the next frame.

        Parameters
        ----------
        values : float32 (61,) in wire order
        at_s : arrival time, seconds
        """
        if self._reference is None:
            self._reference = np.zeros_like(values)
        with np.errstate(invalid="ignore"):
            moved = np.abs(values - self._reference) > STEP
        self._reference[moved] = values[moved]
        self._moved_s[moved] = at_s

    def moving(self, now_s: float) -> list[int]:
        """Wire indices of the channels that moved within RECENT_S before `now_s`, ascending."""
        recent: list[int] = np.flatnonzero(self._moved_s >= now_s - RECENT_S).tolist()
        return recent
