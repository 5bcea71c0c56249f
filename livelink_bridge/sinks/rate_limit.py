"""Which poses are due, by their own time."""

from __future__ import annotations

import math

from livelink_bridge.timing.stamp import Stamp

_EARLY = 0.25
"""Part of the interval by which a pose may be early: poses come every 16.7 ms or so, not exactly when one is due."""


def seconds(stamp: Stamp) -> float:
    """When a pose is sent, in seconds of the session's timebase; rises from pose to pose, past midnight too."""
    return (stamp.frame + stamp.subframe) * stamp.rate.denominator / stamp.rate.numerator


class Spacing:
    """Lets a pose through every `interval_s` seconds: that many on average, and after a pause no burst of them."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due_s = -math.inf

    def due(self, at_s: float) -> bool:
        """Whether the pose at this time is one of them. The first is."""
        late_s = at_s - self._due_s
        if late_s < -_EARLY * self._interval_s:
            return False
        self._due_s = self._due_s + self._interval_s if late_s < self._interval_s else at_s + self._interval_s
        return True
