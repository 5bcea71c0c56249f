"""Rate limit for frames, by their time stamps."""

from __future__ import annotations

import math

from livelink_bridge.timing.stamp import Stamp

_EARLY = 0.25
"""Fraction of the interval by which a frame may be early: frames are about 16.7 ms apart, not exactly on time."""


def seconds(stamp: Stamp) -> float:
    """Send time of a frame in seconds of the session's timebase; increases monotonically, past midnight too."""
    return (stamp.frame + stamp.subframe) * stamp.rate.denominator / stamp.rate.numerator


class RateLimit:
    """Passes one frame every `interval_s` seconds on average, without a burst after a pause."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due_s = -math.inf

    def due(self, at_s: float) -> bool:
        """Whether to pass the frame at time `at_s`, seconds. The first one passes."""
        late_s = at_s - self._due_s
        if late_s < -_EARLY * self._interval_s:
            return False
        self._due_s = self._due_s + self._interval_s if late_s < self._interval_s else at_s + self._interval_s
        return True
