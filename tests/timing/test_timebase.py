from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from livelink_bridge.testing.stand_ins import ManualClock
from livelink_bridge.timing.timebase import Timebase
from livelink_bridge.timing.timecode import RATES

SIXTY = RATES["60"]


def test_stamps_are_the_local_time_of_day_in_sixtieths():
    clock = ManualClock(7.0, time_of_day_s=43200.0)
    base = Timebase(clock, SIXTY)
    first = base.stamp(7.0 + 0.5 / 60)
    assert (first.frame, first.rate) == (43200 * 60, Fraction(60))
    assert first.subframe == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("tempo", [0.9999, 1.0, 1.0001])
def test_frame_numbers_stay_with_the_clock_whatever_the_beat_and_stamps_rise(tempo):
    base = Timebase(ManualClock(0.0, time_of_day_s=3600.0), SIXTY)
    dice = np.random.default_rng(0)
    times_s = 0.1234 + np.arange(40000) * tempo / 60 + dice.uniform(-0.001, 0.001, 40000)
    stamps = [base.stamp(at_s) for at_s in times_s]
    numbers = np.array([stamp.frame for stamp in stamps])
    steps = np.diff(numbers)
    assert all(one < other for one, other in pairwise((stamp.frame, stamp.subframe) for stamp in stamps))
    assert np.abs(numbers - 60 * (3600 + times_s)).max() < 1.2
    assert (steps != 1).sum() <= 1 + abs(round(40000 * (1 - tempo))), (
        "as many as the beat wanders by, not one for each jitter"
    )


def test_a_subframe_is_never_rounded_up_to_a_whole_frame():
    assert np.float32(Timebase(ManualClock(), SIXTY).stamp((1 - 1e-12) / 60).subframe) < 1


@pytest.mark.parametrize("name", list(RATES))
def test_every_rate_counts_its_own_frames_in_ten_minutes(name):
    base = Timebase(ManualClock(50.0, time_of_day_s=36000.0), RATES[name])
    first, last = base.stamp(50.0), base.stamp(650.0)
    counted = last.frame + last.subframe - first.frame - first.subframe
    assert counted == pytest.approx(600 * float(RATES[name].exact), abs=1e-3)
    assert first.of_day_s == pytest.approx(36000.0, abs=1e-6)


def test_a_zero_based_timecode_begins_with_the_first_frame():
    base = Timebase(ManualClock(7.0, time_of_day_s=43200.0), SIXTY, "zero")
    first, second = base.stamp(9.3), base.stamp(10.3)
    assert (first.frame, first.of_day_s) == (0, 0.0)
    assert second.frame == 60


def disciplined(seconds: int, parts_per_million: float, leap_s: float = 0.0):
    """Stamps, once a second, on a machine whose system clock runs so much faster than its monotonic one."""
    clock = ManualClock(0.0, time_of_day_s=3600.0)
    day_s = clock.time_of_day
    clock.time_of_day = lambda: (
        day_s() * (1 + parts_per_million * 1e-6) - 3600 * parts_per_million * 1e-6 + leap_s * (clock.now() > 30)
    )
    base = Timebase(clock, SIXTY, "ntp")
    stamps = []
    for _ in range(seconds):
        stamps.append(base.stamp(clock.now()))
        clock.advance(1.0)
    return stamps, clock


@pytest.mark.parametrize("parts_per_million", [-200.0, 200.0])
def test_an_ntp_disciplined_system_clock_is_followed_without_leaps(parts_per_million):
    stamps, clock = disciplined(1800, parts_per_million)
    shown_s = np.array([stamp.of_day_s for stamp in stamps])
    assert shown_s[-1] == pytest.approx(3600 + 1799 * (1 + parts_per_million * 1e-6), abs=0.002)
    assert np.abs(np.diff(shown_s) - 1).max() < 0.0011


def test_a_system_clock_that_was_set_is_said_once_and_not_followed(caplog):
    stamps, _ = disciplined(120, 0.0, leap_s=-1800.0)
    assert (np.diff([stamp.frame for stamp in stamps]) == 60).all()
    assert [record.message for record in caplog.records] == [
        "the system's clock was set by -1800.0 s; timecode goes on from where it was"
    ]


def test_past_midnight_frame_numbers_go_on_and_the_timecode_begins_anew():
    base = Timebase(ManualClock(0.0, time_of_day_s=86399.0), SIXTY)
    before, after = base.stamp(0.5), base.stamp(1.5)
    assert after.frame - before.frame == 60
    assert after.of_day_s == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["24", "25", "29.97df", "50"])
def test_more_poses_than_frames_a_second_leave_the_timecode_in_time(name):
    base = Timebase(ManualClock(0.0, time_of_day_s=3600.0), RATES[name], fps=Fraction(60))
    stamps = [base.stamp(number / 60) for number in range(600)]
    assert stamps[-1].of_day_s - stamps[0].of_day_s == pytest.approx(599 / 60, abs=0.01)
    positions = [stamp.frame + stamp.subframe for stamp in stamps]
    assert (np.diff(positions) > 0).all()
    assert all(0 <= stamp.subframe < 1 for stamp in stamps)
