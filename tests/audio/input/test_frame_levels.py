import numpy as np
import pytest

from livelink_bridge.audio.input.frame_levels import FrameLevels

RATE = 16000
SOUND = (np.random.default_rng(2).standard_normal(RATE) * np.linspace(0.01, 0.5, RATE)).astype(np.float32)


def expected(hop: int) -> float:
    part = SOUND[hop * RATE // 60 : (hop + 1) * RATE // 60].astype(np.float64)
    return 10 * np.log10(np.mean(part**2))


@pytest.mark.parametrize("chunk", [1, 160, 267, 5000, RATE])
def test_each_pose_has_the_level_of_its_own_sound_however_it_was_cut(chunk):
    levels = FrameLevels(RATE)
    found = [levels.push(SOUND[start : start + chunk]) for start in range(0, RATE, chunk)]
    np.testing.assert_allclose(np.concatenate(found), [expected(hop) for hop in range(60)], atol=1e-3)


def test_after_a_reset_it_counts_from_the_first_sample_again():
    levels = FrameLevels(RATE)
    levels.push(SOUND[5000:9999])
    levels.reset()
    np.testing.assert_allclose(levels.push(SOUND)[:3], [expected(hop) for hop in range(3)], atol=1e-3)
