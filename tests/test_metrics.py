import numpy as np
import pytest

from livelink_bridge.metrics import Metrics, Recent, level_dbfs, to_ms


def test_only_the_last_readings_count():
    recent = Recent(10)
    assert recent.percentile(50) is None
    for value in range(100):
        recent.add(value)
    assert recent.count == 100
    assert recent.percentile(0) == 90
    assert recent.percentile(50) == pytest.approx(94.5)


def test_the_rate_is_that_of_the_last_poses():
    metrics = Metrics()
    assert metrics.fps() == 0
    for tick in range(500):
        metrics.sent_at_s.add(tick / 60 if tick < 300 else 5 + (tick - 300) / 30)
    assert metrics.fps() == pytest.approx(30)


@pytest.mark.parametrize(("amplitude", "expected"), [(1.0, 0.0), (0.1, -20.0), (0.0, -120.0)])
def test_loudness_is_in_decibels_below_full_scale(amplitude, expected):
    assert level_dbfs(np.full(100, amplitude, np.float32)) == pytest.approx(expected, abs=1e-4)


def test_no_samples_are_silence_and_no_reading_has_no_milliseconds():
    assert level_dbfs(np.zeros(0, np.float32)) == -120
    assert to_ms(None) is None
    assert to_ms(0.5) == 500
