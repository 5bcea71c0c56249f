"""What the level of a voice says."""

from __future__ import annotations

import numpy as np
import pytest

from arkit_mapping.liveliness.prosody import BEGIN_POSES, PAUSE_POSES, Prosody, VoiceEvents


def levels(*runs: tuple[float, int]) -> np.ndarray:
    """dBFS: runs of (level, poses)."""
    return np.concatenate([np.full(poses, level) for level, poses in runs])


def hear(*runs: tuple[float, int]) -> VoiceEvents:
    return Prosody().push(0, levels(*runs))


def test_speech_begins_after_50_ms_and_ends_after_200_ms_without_it() -> None:
    heard = hear((-70, 60), (-25, 60), (-70, 60))
    assert heard.starts == [60 + BEGIN_POSES - 1]
    assert heard.pauses == [120 + PAUSE_POSES - 1]
    assert heard.speaking.sum() == 60 + PAUSE_POSES - BEGIN_POSES


def test_the_closure_of_a_p_is_no_pause_and_a_click_is_no_speech() -> None:
    heard = hear((-70, 60), (-25, 40), (-65, 9), (-25, 40), (-70, 60), (-20, 2), (-70, 60))
    assert len(heard.starts) == 1
    assert len(heard.pauses) == 1


@pytest.mark.parametrize("offset_db", [-18.0, 0.0, 12.0])
def test_quiet_and_loud_microphones_hear_the_same_speech(offset_db: float) -> None:
    rng = np.random.default_rng(1)
    syllables = -32 + 8 * np.sin(np.arange(600) * 2 * np.pi / 15) + rng.normal(0, 1, 600)
    level = np.concatenate([levels((-62, 60)), syllables, levels((-62, 60))]) + offset_db
    heard = Prosody().push(0, level)
    assert len(heard.starts) == len(heard.pauses) == 1


def test_a_noise_that_stays_becomes_background() -> None:
    heard = hear((-60, 60), (-42, 1200))
    assert heard.speaking[:200].any()
    assert not heard.speaking[-300:].any()


def test_a_louder_syllable_stands_out_once_and_even_ones_do_not() -> None:
    even = [(-25.0, 10), (-40.0, 5)] * 40
    assert [pose for pose, _ in hear((-70, 30), *even).stresses if pose > 120] == []  # by then the voice is known
    heard = hear((-70, 30), *even, (-14, 10), (-40, 5), *even)
    [(pose, strength)] = [stress for stress in heard.stresses if stress[0] > 500]
    assert 630 <= pose <= 640
    assert strength > 0.3


def test_a_voice_detector_is_believed_over_the_level() -> None:
    voiced = np.zeros(120, np.bool_)
    voiced[40:80] = True
    heard = Prosody().push(0, np.full(120, -90.0), voiced)
    assert heard.starts == [42]
    assert heard.pauses == [91]


def test_any_portions_hear_the_same() -> None:
    level = np.random.default_rng(2).uniform(-70, -10, 600)
    whole, prosody = Prosody().push(0, level), Prosody()
    parts = [prosody.push(start, level[start : start + 7]) for start in range(0, 600, 7)]
    np.testing.assert_array_equal(np.concatenate([part.speaking for part in parts]), whole.speaking)
    assert [pose for part in parts for pose in part.pauses] == whole.pauses
    assert [stress for part in parts for stress in part.stresses] == whole.stresses
