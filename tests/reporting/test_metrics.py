import numpy as np
import pytest

from livelink_bridge.reporting.metrics import Metrics, level_dbfs, to_ms


def test_the_rate_is_that_of_the_last_two_seconds():
    metrics = Metrics()
    assert metrics.fps(0.0) == 0
    for tick in range(500):
        metrics.sent_s.add(1.0, tick / 60 if tick < 300 else 5 + (tick - 300) / 30)
    assert metrics.fps(5 + 199 / 30) == pytest.approx(30)


@pytest.mark.parametrize("rate", [1, 24, 60])
def test_the_rate_falls_when_nothing_is_sent_any_more(rate):
    metrics = Metrics()
    for tick in range(10 * rate):
        metrics.sent_s.add(1.0, tick / rate)
    last_s = 10 - 1 / rate
    assert metrics.fps(last_s + 0.9 / rate) == pytest.approx(rate)
    rates = [metrics.fps(last_s + silence_s) for silence_s in np.arange(0, 2.1, 0.05)]
    assert (np.diff(rates) <= 1e-9).all() and rates[-1] == 0.0
    assert rates[20] < 0.6 * rate or rate == 1


@pytest.mark.parametrize(("amplitude", "expected"), [(1.0, 0.0), (0.1, -20.0), (0.0, -120.0)])
def test_loudness_is_in_decibels_below_full_scale(amplitude, expected):
    assert level_dbfs(np.full(100, amplitude, np.float32)) == pytest.approx(expected, abs=1e-4)


def test_no_samples_are_silence_and_no_reading_has_no_milliseconds():
    assert level_dbfs(np.zeros(0, np.float32)) == -120
    assert to_ms(None) is None
    assert to_ms(0.5) == 500
