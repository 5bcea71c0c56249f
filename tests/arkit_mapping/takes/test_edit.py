"""Takes cut, evened out and put together, by timecode."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping.channels import index_of
from arkit_mapping.takes import edit
from arkit_mapping.takes.csv import Take, TakeError
from arkit_mapping.takes.edit import at_times, gaps, grid, grid_rows, merge, moment, resample, timecode, trim

JAW, BLINK, HEAD = index_of("JawOpen"), index_of("EyeBlinkLeft"), index_of("HeadYaw")
NOON = 12 * 3600.0


def ramp(times_s: np.ndarray, *, rate: int = 60, slope: float = 0.1) -> Take:
    """A take whose every channel rises by `slope` a second: whatever is interpolated by time lies on that line."""
    values = np.repeat(((times_s - times_s[0]) * slope)[:, None], 61, axis=1).astype(np.float32)
    return Take(values, times_s, rate)


def even(count: int, rate: int = 60, start_s: float = NOON) -> np.ndarray:
    return start_s + np.arange(count) / rate


@pytest.mark.parametrize("rate", [24, 25, 30, 60, 120])
@pytest.mark.parametrize("lost", [range(0), range(20, 24), range(5, 55)])
def test_resampling_at_any_rate_follows_the_time_not_the_row(rate, lost):
    times_s = np.delete(even(61), list(lost))
    even_take = resample(ramp(times_s), rate)
    np.testing.assert_allclose(np.diff(even_take.times_s), 1 / rate, atol=1e-9)
    np.testing.assert_allclose(even_take.values[:, JAW], 0.1 * np.arange(rate + 1) / rate, atol=1e-6)
    assert (even_take.rate, even_take.times_s[0], len(even_take.times_s)) == (rate, NOON, rate + 1)


def test_resampling_a_take_at_its_own_rate_changes_no_bit_of_it():
    values = np.random.default_rng(0).random((600, 61)).astype(np.float32)
    trembling = even(600) + np.random.default_rng(1).uniform(-2e-5, 2e-5, 600)
    trembling[0], trembling[-1] = NOON, NOON + 599 / 60
    np.testing.assert_array_equal(resample(Take(values, trembling, 60), 60).values, values)


def test_a_take_of_one_row_resamples_to_one_row():
    only = ramp(even(1))
    assert len(resample(only, 30).values) == 1
    assert gaps(only) == []


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0, 3.7])
def test_a_grid_at_another_speed_covers_the_same_take(speed):
    take = ramp(even(601))
    times_s = np.concatenate(list(grid(take, 60, speed=speed)))
    assert len(times_s) == grid_rows(take, 60, speed=speed) == 1 + int(600 / speed + 0.02)
    np.testing.assert_allclose(np.diff(times_s), speed / 60, atol=1e-9)


def test_long_takes_are_interpolated_in_parts_that_fit_together(monkeypatch):
    take = ramp(even(500))
    whole = resample(take, 100)
    monkeypatch.setattr(edit, "_SPAN", 7)
    np.testing.assert_array_equal(resample(take, 100).values, whole.values)
    np.testing.assert_array_equal(resample(take, 100).times_s, whole.times_s)


def test_before_the_first_row_and_after_the_last_the_face_is_held():
    take = ramp(even(11))
    held = at_times(take, np.array([NOON - 5, NOON, NOON + 10 / 60, NOON + 9]))
    np.testing.assert_allclose(held[:, JAW], [0, 0, 1 / 60, 1 / 60], atol=1e-6)


def test_one_wrong_timecode_does_not_ask_for_all_memory():
    take = ramp(np.array([NOON, NOON + 1 / 60, NOON + 11 * 3600]))
    with pytest.raises(TakeError, match="would have 2376001 rows, expected at most 864000"):
        resample(take, 60)


@pytest.mark.parametrize("rate", [0, -1, 241])
def test_a_rate_that_no_take_has_is_refused(rate):
    with pytest.raises(TakeError, match="expected 1 to 240"):
        resample(ramp(even(3)), rate)


def test_trimming_keeps_rows_and_their_times_as_they_are():
    take = ramp(even(120))
    part = trim(take, NOON + 0.5, NOON + 1.0)
    np.testing.assert_array_equal(part.values, take.values[30:61])
    np.testing.assert_array_equal(part.times_s, take.times_s[30:61])


@pytest.mark.parametrize(
    ("start_s", "end_s", "rows"), [(None, None, 120), (NOON + 1, None, 60), (None, NOON + 0.25, 16)]
)
def test_an_end_left_out_is_the_takes_own(start_s, end_s, rows):
    assert len(trim(ramp(even(120)), start_s, end_s).times_s) == rows


def test_a_part_without_rows_is_refused_and_says_what_there_is():
    with pytest.raises(
        TakeError, match=r"got 5.000 s to 6.000 s, .* rows from 0 s to 1.983 s \(12:00:00:00.000 to 12:00:01:59.000\)"
    ):
        trim(ramp(even(120)), NOON + 5, NOON + 6)


def test_gaps_are_where_rows_are_missing_not_where_timecode_trembles():
    times_s = np.delete(even(121) + np.random.default_rng(0).uniform(-1e-3, 1e-3, 121), range(60, 72))
    ((at_s, gap_s),) = gaps(ramp(times_s))
    assert at_s == pytest.approx(59 / 60, abs=3e-3)
    assert gap_s == pytest.approx(13 / 60, abs=3e-3)
    assert gaps(ramp(even(60, 30), rate=30)) == []


def test_a_merged_take_has_the_mouth_of_one_and_the_upper_face_of_the_other():
    mouth = Take(np.full((60, 61), 0.25, np.float32), even(60), 60)
    upper = Take(np.full((30, 61), 0.75, np.float32), even(30, 30), 30)
    merged = merge(mouth, upper)
    np.testing.assert_array_equal(merged.times_s, mouth.times_s[:59])
    for name in ("JawOpen", "MouthClose", "MouthSmileLeft", "CheekPuff", "NoseSneerRight", "TongueOut"):
        assert (merged.values[:, index_of(name)] == 0.25).all(), name
    for name in ("EyeBlinkLeft", "EyeLookUpRight", "BrowInnerUp", "HeadYaw", "LeftEyePitch"):
        assert (merged.values[:, index_of(name)] == 0.75).all(), name


def test_takes_of_different_hours_are_merged_first_row_on_first_row_only_when_asked():
    mouth, upper = ramp(even(60)), ramp(even(120, start_s=3600.0), slope=0.5)
    with pytest.raises(TakeError, match="no moment in common: 12:00:00:00.000 to 12:00:00:59.000 and 01:00:00:00.000"):
        merge(mouth, upper)
    merged = merge(mouth, upper, "start")
    np.testing.assert_allclose(merged.values[:, BLINK], 0.5 * np.arange(60) / 60, atol=1e-6)
    np.testing.assert_allclose(merged.values[:, JAW], 0.1 * np.arange(60) / 60, atol=1e-6)
    np.testing.assert_array_equal(merged.times_s, mouth.times_s)


def test_merging_by_timecode_meets_at_the_same_moment_of_the_day():
    mouth, upper = ramp(even(60, start_s=NOON + 0.5)), ramp(even(120), slope=0.5)
    np.testing.assert_allclose(merge(mouth, upper).values[:, HEAD], 0.25 + 0.5 * np.arange(60) / 60, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", NOON), ("1.5", NOON + 1.5), ("12:00:01:30", NOON + 1.5), ("12:00:01:30.000", NOON + 1.5)],
)
def test_a_moment_is_seconds_from_the_first_row_or_a_timecode(text, expected):
    assert moment(text, ramp(even(120))) == pytest.approx(expected)


def test_a_moment_after_midnight_belongs_to_a_take_that_began_before():
    assert moment("00:00:01:00", ramp(even(120, start_s=86399.0))) == 86401.0


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "nan", "1:2", "12:00:61:00", "25:00:00:00", "12:00:00:60", "1e9", "inf"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(TakeError, match="expected seconds from the take's first row"):
        moment(text, ramp(even(120)))


@pytest.mark.parametrize(
    ("time_s", "code"),
    [
        (0.0, "00:00:00:00.000"),
        (71716 + 26.689 / 60, "19:55:16:26.689"),
        (86400 + 1 / 60, "00:00:00:01.000"),
        (59.9999999, "00:01:00:00.000"),
    ],
)
def test_timecode_is_written_as_the_app_writes_it(time_s, code):
    assert timecode(time_s) == code
