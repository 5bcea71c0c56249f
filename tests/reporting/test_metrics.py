import numpy as np
import pytest

from livelink_bridge.reporting.metrics import Metrics, Recent, Window, level_dbfs, to_ms


def test_only_the_last_readings_count():
    recent = Recent(10)
    assert recent.percentile(50) is None
    for value in range(100):
        recent.add(value)
    assert recent.count == 100
    assert recent.percentile(0) == 90
    assert recent.percentile(50) == pytest.approx(94.5)


def test_a_window_holds_the_readings_of_its_seconds_whatever_their_rate():
    for rate in (24, 60):
        window = Window(60.0, 4096)
        assert window.percentile(50, 0.0) is None and window.percentile(50) is None
        for reading in range(rate * 150):
            window.add(reading / rate, reading / rate)
        assert window.percentile(0, 150.0) == pytest.approx(90, abs=0.1)
        assert window.percentile(0, 180.0) == pytest.approx(120, abs=0.1)
        assert window.percentile(50, 240.0) is None
        assert window.percentile(0) == pytest.approx(90, abs=0.1), "without a time, up to the newest reading"
        assert window.count == rate * 150


def test_a_window_is_bounded():
    window = Window(60.0, 100)
    for reading in range(1000):
        window.add(reading, 1.0)
    assert (len(window.values(1.0)), window.percentile(0, 1.0)) == (100, 900)


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
