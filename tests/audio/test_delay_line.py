import numpy as np
import pytest

from livelink_bridge.audio.delay_line import DelayLine, Follower

RATE = 48000


def tone(at: np.ndarray, hz: float = 1000.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.asarray(at) / RATE).astype(np.float32)


def test_what_was_written_is_read_at_its_index_however_it_was_cut():
    line = DelayLine(4800)
    sound = tone(np.arange(4000))
    for start in range(0, 4000, 130):
        line.write(start, sound[start : start + 130])
    np.testing.assert_allclose(line.read(1000.0, 1.0, 500), sound[1000:1500], atol=1e-6)


def test_between_samples_the_sound_is_what_lies_between():
    line = DelayLine(9600)
    line.write(0, tone(np.arange(9000)))
    at = 100.3 + 1.0002 * np.arange(8000)
    np.testing.assert_allclose(line.read(100.3, 1.0002, 8000), tone(at), atol=2e-3)


def test_before_the_first_and_after_the_last_sample_there_is_silence():
    line = DelayLine(1000)
    line.write(0, np.ones(500, np.float32))
    heard = line.read(-100.0, 1.0, 800)
    assert not heard[:90].any() and not heard[620:].any()
    np.testing.assert_allclose(heard[110:590], 1, atol=1e-6)


def test_samples_that_were_lost_are_silence_and_old_ones_are_forgotten():
    line = DelayLine(1000)
    line.write(0, np.ones(300, np.float32))
    line.write(400, np.ones(300, np.float32))
    heard = line.read(0.0, 1.0, 700)
    assert not heard[310:390].any()
    assert heard[450] == 1
    line.write(5000, np.ones(10, np.float32))
    assert not line.read(4100.0, 1.0, 890).any()


@pytest.mark.parametrize(("start", "count"), [(0, 8), (3, 9), (5, 4)])
def test_more_than_it_holds_leaves_the_newest_at_their_indices(start, count):
    line = DelayLine(4)
    line.write(start, np.arange(count, dtype=np.float32))
    assert line.end == start + count
    heard = line.read(float(start), 1.0, count)
    np.testing.assert_array_equal(heard[-4:], np.arange(count)[-4:])
    assert not heard[:-4].any()


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 200.0])
def test_a_clock_that_is_off_is_followed_without_leaps_and_its_drift_is_known(drift_ppm):
    follower, rng = Follower(), np.random.default_rng(3)
    errors_s = []
    for block in range(60_000):
        target = 480 * block * (1 + drift_ppm * 1e-6) + RATE * rng.uniform(0, 0.002)
        position, _ = follower.advance(target, 480, RATE, RATE)
        errors_s.append((480 * block * (1 + drift_ppm * 1e-6) + RATE * 0.001 - position) / RATE)
    settled = np.array(errors_s[6000:])
    assert np.abs(settled).max() < 0.001
    assert follower.drift_ppm == pytest.approx(drift_ppm, abs=30)
    assert follower.leaps == 0


def test_a_target_far_away_is_leapt_to_and_counted():
    follower = Follower()
    follower.advance(0.0, 480, RATE, RATE)
    position, _ = follower.advance(RATE * 2.0, 480, RATE, RATE)
    assert (position, follower.leaps) == (RATE * 2.0, 1)


def test_another_rate_is_read_in_longer_steps():
    follower = Follower()
    _, step = follower.advance(0.0, 480, 44100, 48000)
    assert step == pytest.approx(44100 / 48000)
