"""Which poses a rate lets through."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from livelink_bridge.sinks.rate_limit import RateLimit, seconds
from livelink_bridge.timing.stamp import Stamp


@pytest.mark.parametrize("rate", [1, 7, 15, 24, 30, 40, 50, 59.94, 60])
def test_a_rate_is_kept_on_average_whatever_the_poses_jitter(rate: float) -> None:
    spacing, noise = RateLimit(1 / rate), Random(0)
    due = [at for n in range(60 * 60) if spacing.due(at := n / 60 + noise.uniform(-0.001, 0.001))]
    assert len(due) == pytest.approx(60 * rate, abs=1.5)


def test_half_the_rate_is_every_other_pose() -> None:
    spacing = RateLimit(1 / 30)
    assert [spacing.due(n / 60) for n in range(8)] == [True, False] * 4


def test_after_a_pause_there_is_no_burst() -> None:
    spacing = RateLimit(0.1)
    assert [spacing.due(at) for at in (0.0, 5.0, 5.01, 5.05, 5.1)] == [True, True, False, False, True]


def test_a_pose_has_its_time_in_seconds_at_any_rate() -> None:
    assert seconds(Stamp(1001, 0.5, Fraction(30000, 1001))) == pytest.approx(1001.5 * 1001 / 30000)
    assert seconds(Stamp(216000, 0.0, Fraction(60))) == 3600
