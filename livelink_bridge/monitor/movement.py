"""Which channels of a face are moving."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import CHANNELS_61

STEP = 0.01
"""A channel has moved when it is further than this, a hundredth of a weight or of a radian, from where it was last seen
to move to."""
RECENT_S = 3.0
"""How long after its last move a channel counts as moving: longer than between two blinks of most talkers' mouths,
shorter than a pause."""


class Movement:
    """Watches poses go by. Memory does not grow."""

    def __init__(self) -> None:
        self._rest: NDArray[np.float32] | None = None
        self._moved_s = np.full(len(CHANNELS_61), -math.inf)

    def add(self, values: NDArray[np.float32], at_s: float) -> None:
        """The next pose, float32 (61,) in wire order, and when it came."""
        if self._rest is None:
            self._rest = np.zeros_like(values)
        with np.errstate(invalid="ignore"):
            moved = np.abs(values - self._rest) > STEP
        self._rest[moved] = values[moved]
        self._moved_s[moved] = at_s

    def moving(self, now_s: float) -> list[int]:
        """Wire indices of the channels that moved within RECENT_S before `now_s`, rising."""
        recent: list[int] = np.flatnonzero(self._moved_s >= now_s - RECENT_S).tolist()
        return recent
