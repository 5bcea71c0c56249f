"""Blinks and gaze as people have them, and as shapes and angles that agree."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from arkit_mapping import CHANNELS_61
from arkit_mapping.liveliness import Amounts, Liveliness
from arkit_mapping.liveliness.blinks import one_blink
from arkit_mapping.liveliness.eyes import RAD_PER_LOOK

MINUTES = 20
POSES = MINUTES * 3600


def phrases() -> np.ndarray:
    """bool (POSES,): speech in phrases of 1.5 to 5 s with pauses of 0.3 to 1 s between them."""
    rng, talks = np.random.default_rng(8), np.zeros(POSES, np.bool_)
    at = 60
    while at < POSES:
        lasts = int(rng.uniform(1.5, 5) * 60)
        talks[at : at + lasts] = True
        at += lasts + int(rng.uniform(0.3, 1.0) * 60)
    return talks


def face(talks: np.ndarray, **parts: float) -> np.ndarray:
    poses = np.zeros((len(talks), 61), np.float32)
    return Liveliness(3, amounts=Amounts(**parts)).apply(poses, np.where(talks, -25.0, -70.0), talks)


@pytest.fixture(scope="module")
def talking() -> np.ndarray:
    return face(phrases())


@pytest.fixture(scope="module")
def silent() -> np.ndarray:
    return face(np.zeros(POSES, np.bool_))


def channel(poses: np.ndarray, name: str) -> np.ndarray:
    return poses[:, CHANNELS_61.index(name)]


def blinks(poses: np.ndarray) -> np.ndarray:
    """Poses at which the left lid passes the middle on its way down."""
    lid = channel(poses, "EyeBlinkLeft")
    return np.flatnonzero((lid[1:] > 0.45) & (lid[:-1] <= 0.45)) + 1


def test_people_blink_17_times_a_minute_at_rest_and_26_times_talking(talking: np.ndarray, silent: np.ndarray) -> None:
    assert len(blinks(silent)) / MINUTES == pytest.approx(17, abs=2.5)
    assert len(blinks(talking)) / MINUTES == pytest.approx(26, abs=2.5)


def test_intervals_between_blinks_are_skewed_with_many_short_and_few_long(silent: np.ndarray) -> None:
    intervals = np.diff(blinks(silent)) / 60
    assert np.median(intervals) < 0.95 * intervals.mean()
    assert 0.4 < intervals.std() / intervals.mean() < 0.9
    assert intervals.max() < 20


def test_blinks_gather_where_pauses_begin(talking: np.ndarray) -> None:
    talks, at = phrases(), blinks(talking)
    pauses = np.flatnonzero(talks[:-1] & ~talks[1:]) + 1
    after = sum(((at >= pause + 12) & (at < pause + 45)).any() for pause in pauses)
    before = sum(((at >= pause - 45) & (at < pause - 12)).any() for pause in pauses)
    assert after > 0.6 * len(pauses)
    assert after > 2 * before


def test_lids_close_faster_than_they_open_and_are_seen_closed() -> None:
    closing, opening, deepest = [], [], []
    for seed in range(200):
        lid = one_blink(Random(seed))[:, 0]
        shut = int(lid.argmax())
        closing.append(shut - np.argmax(lid > 0.1 * lid.max()))
        opening.append(len(lid) - 1 - np.argmax(lid[::-1] > 0.1 * lid.max()) - shut)
        deepest.append(lid.max())
        assert lid[-1] == 0
    assert 0.03 < np.mean(closing) / 60 < 0.1
    assert 0.1 < np.mean(opening) / 60 < 0.22
    assert np.mean(np.array(deepest) > 0.95) == pytest.approx(0.85, abs=0.08)


def test_both_eyes_blink_together_but_not_as_one(talking: np.ndarray) -> None:
    left, right = channel(talking, "EyeBlinkLeft"), channel(talking, "EyeBlinkRight")
    assert 0.01 < np.abs(left - right).max() < 0.35
    assert np.corrcoef(left, right)[0, 1] > 0.99


def test_the_rate_follows_its_amount_and_can_be_none() -> None:
    talks = phrases()[: 5 * 3600]
    assert len(blinks(face(talks, blinks=0))) == 0
    assert len(blinks(face(talks, blinks=0.5))) < 0.75 * len(blinks(face(talks)))


def test_eyes_look_at_the_partner_most_of_the_time_and_more_when_silent(
    talking: np.ndarray, silent: np.ndarray
) -> None:
    def at_partner(poses: np.ndarray) -> float:
        return float(np.mean(np.hypot(channel(poses, "LeftEyeYaw"), channel(poses, "LeftEyePitch")) < np.radians(3)))

    assert 0.6 < at_partner(talking) < at_partner(silent) < 1


def test_eyes_jump_at_the_speed_of_the_main_sequence(talking: np.ndarray) -> None:
    yaw = np.degrees(channel(talking, "LeftEyeYaw"))
    speed = np.abs(np.diff(yaw)) * 60
    assert np.mean(speed == 0) > 0.9  # fixations
    assert 100 < speed.max() < 600  # degrees per second; a jump of 11 degrees takes 51 ms
    assert np.abs(yaw).max() < 16


def test_both_eyes_look_the_same_way_and_shapes_agree_with_angles(talking: np.ndarray) -> None:
    def value(name: str) -> np.ndarray:
        return channel(talking, name)

    np.testing.assert_array_equal(value("LeftEyeYaw"), value("RightEyeYaw"))
    np.testing.assert_array_equal(value("EyeLookInLeft"), value("EyeLookOutRight"))
    np.testing.assert_array_equal(value("EyeLookOutLeft"), value("EyeLookInRight"))
    np.testing.assert_allclose(
        RAD_PER_LOOK * (value("EyeLookInLeft") - value("EyeLookOutLeft")), value("LeftEyeYaw"), atol=1e-6
    )
    np.testing.assert_allclose(
        RAD_PER_LOOK * (value("EyeLookOutRight") - value("EyeLookInRight")), value("RightEyeYaw"), atol=1e-6
    )
    np.testing.assert_allclose(
        RAD_PER_LOOK * (value("EyeLookDownLeft") - value("EyeLookUpLeft")), value("LeftEyePitch"), atol=1e-6
    )
    assert (np.minimum(value("EyeLookInLeft"), value("EyeLookOutLeft")) == 0).all()


def test_upper_lids_follow_the_gaze() -> None:
    poses = face(phrases()[: 5 * 3600], blinks=0, gaze=2)
    down, up = channel(poses, "EyeLookDownLeft"), channel(poses, "EyeLookUpLeft")
    lid, wide = channel(poses, "EyeBlinkLeft"), channel(poses, "EyeWideLeft")
    assert np.corrcoef(down, lid)[0, 1] > 0.99
    assert np.corrcoef(up, wide)[0, 1] > 0.99
    assert lid[down == 0].max() == wide[up == 0].max() == 0


def test_a_closed_eye_is_not_wide(talking: np.ndarray) -> None:
    closed = channel(talking, "EyeBlinkLeft") > 0.99
    assert closed.any()
    assert channel(talking, "EyeWideLeft")[closed].max() < 0.005
    assert channel(talking, "EyeSquintLeft")[closed].min() > 0.1
