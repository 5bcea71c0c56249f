"""Curves written ahead."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from arkit_mapping.liveliness.track import Track, glide, lognormal


def ramp(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_a_track_rests_on_the_end_of_its_curve_and_a_later_curve_takes_over() -> None:
    track = Track(1)
    track.follow(2, ramp(1, 2, 3))
    track.follow(6, ramp(9, 8, 7, 6))
    track.follow(8, ramp(5))
    assert track.read(0, 10)[:, 0].tolist() == [0, 0, 1, 2, 3, 3, 9, 8, 5, 5]


@pytest.mark.parametrize("portion", [1, 2, 3])
def test_reading_in_portions_gives_the_same(portion: int) -> None:
    def planned() -> Track:
        track = Track(1)
        track.follow(1, ramp(1, 2, 3, 4, 5, 6))
        return track

    whole, track = planned().read(0, 12), planned()
    np.testing.assert_array_equal(
        np.concatenate([track.read(start, portion) for start in range(0, 12, portion)]), whole
    )


def test_the_value_before_a_new_curve_is_still_the_old_one() -> None:
    track = Track(1)
    track.follow(0, ramp(1, 2, 3))
    track.read(0, 5)
    track.follow(6, ramp(4))
    assert (track.value(5), track.value(6), track.value(99)) == (3, 4, 4)


def test_a_glide_arrives_flat_and_keeps_its_first_speed() -> None:
    curve = glide(0.0, 1.0, 20, 0.1)[:, 0]
    assert curve[0] == pytest.approx(0.1, abs=0.01)
    assert curve[-1] == 1
    assert abs(curve[-1] - curve[-2]) < 0.01


def test_drawn_durations_have_the_mean_and_spread_asked_for() -> None:
    rng = Random(4)
    drawn = np.array([lognormal(rng, 0.93, 0.8) for _ in range(20_000)])
    assert drawn.min() > 0
    assert drawn.mean() == pytest.approx(0.93, rel=0.03)
    assert drawn.std() == pytest.approx(0.8, rel=0.08)
