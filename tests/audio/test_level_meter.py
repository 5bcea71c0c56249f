from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.audio.level_meter import LevelMeter, clipped_samples

RATE = 48_000


def sine(seconds, amplitude):
    return (amplitude * np.sin(2 * np.pi * 441 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def feed(meter, samples, block=480):
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block], RATE)
    return meter


def test_a_sine_at_half_scale_shows_its_levels():
    meter = feed(LevelMeter(), sine(1, 0.5))
    assert meter.rms_dbfs == pytest.approx(-9.03, abs=0.05)
    assert meter.peak_dbfs == pytest.approx(-6.02, abs=0.05)


def test_silence_is_minus_120():
    meter = feed(LevelMeter(), np.zeros(RATE, np.float32))
    assert meter.rms_dbfs == meter.peak_dbfs == meter.held_peak_dbfs == -120


def test_the_highest_peak_is_held_for_one_and_a_half_seconds_and_then_falls():
    meter = feed(LevelMeter(), sine(0.2, 0.5))
    feed(meter, sine(1.2, 0.01))
    assert meter.held_peak_dbfs == pytest.approx(-6.02, abs=0.05)
    feed(meter, sine(1.3, 0.01))
    assert -30 < meter.held_peak_dbfs < -22
    feed(meter, sine(2, 0.01))
    assert meter.held_peak_dbfs == pytest.approx(-40, abs=0.5)


@pytest.mark.parametrize(
    ("samples", "count"),
    [([1, 1, 0], 0), ([1, 1, 1], 3), ([-1, -1, -1, -1, 0, 1], 4), ([0.998] * 9, 0), ([1, -1, 1], 3)],
)
def test_three_samples_in_a_row_at_full_scale_are_clipping(samples, count):
    assert clipped_samples(np.array(samples, np.float32)) == count


@pytest.mark.parametrize("block", [1, 2, 7, 1000])
def test_clipping_is_counted_the_same_in_any_blocks(block):
    samples = np.clip(sine(0.1, 1.5), -1, 1)
    assert feed(LevelMeter(), samples, block).clipped == clipped_samples(samples) > 1000


def test_the_count_per_second_forgets():
    meter = feed(LevelMeter(), np.clip(sine(0.1, 1.5), -1, 1))
    assert meter.clipped_per_s == meter.clipped > 0
    feed(meter, sine(1.1, 0.5))
    assert meter.clipped_per_s == 0 < meter.clipped
