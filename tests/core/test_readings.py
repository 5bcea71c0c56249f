"""The last readings of one quantity."""

from __future__ import annotations

import pytest

from livelink_bridge.core.readings import Recent, Window


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
