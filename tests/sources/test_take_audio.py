"""A take's sound: the right part of the file, as long as the take is played."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from livelink_bridge.errors import SourceError
from livelink_bridge.sources.take_audio import TakeAudioSource
from livelink_bridge.testing.stand_ins import ManualClock

RATE = 8000


@pytest.fixture
def ramp(tmp_path):
    """Two seconds, two channels: sample n is n / 16000."""
    samples = np.arange(2 * RATE) / (2 * RATE)
    soundfile.write(tmp_path / "ramp.wav", np.stack([samples, samples], axis=1), RATE, subtype="FLOAT")
    return tmp_path / "ramp.wav"


def heard(path, *, most=10**9, **options):
    """float32 (n,) of the first channel, at most `most` samples, and whether blocks follow each other without a
    hole."""
    sound = TakeAudioSource(path, clock=ManualClock(), block_s=0.1, **options)
    blocks, count = [], 0
    for block in sound.blocks():
        assert block.start == count
        count += len(block.samples)
        blocks.append(block.samples.reshape(len(block.samples), -1)[:, 0])
        if count >= most:
            sound.close()
    return np.concatenate(blocks)


def test_only_the_takes_part_of_the_file_is_heard(ramp):
    np.testing.assert_allclose(heard(ramp, pass_s=0.75, from_s=0.55), np.arange(4400, 10400) / 16000, atol=1e-6)


def test_a_file_that_is_shorter_ends_where_it_ends(ramp):
    assert len(heard(ramp, pass_s=9.0)) == 2 * RATE


def test_a_loop_begins_again_after_exactly_a_pass_and_its_pause(ramp):
    sound = heard(ramp, pass_s=1.0, from_s=0.5, loop=True, pause_s=0.2, most=3 * 9600)
    one = np.concatenate([np.arange(4000, 12000) / 16000, np.zeros(1600)])
    np.testing.assert_allclose(sound[: 3 * 9600], np.tile(one, 3), atol=1e-6)


def test_a_loop_longer_than_its_file_is_filled_with_silence(ramp):
    sound = heard(ramp, pass_s=3.0, loop=True, pause_s=0.0, most=6 * RATE)
    np.testing.assert_allclose(sound[3 * RATE : 5 * RATE], np.arange(2 * RATE) / 16000, atol=1e-6)
    assert not sound[2 * RATE : 3 * RATE].any()


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_at_another_speed_it_is_over_when_the_face_is(ramp, speed):
    sound = heard(ramp, pass_s=1.0 / speed, speed=speed)
    assert len(sound) == RATE / speed
    middle = np.arange(100, RATE / speed - 100, dtype=int)
    np.testing.assert_allclose(sound[middle], middle * speed / 16000, atol=2e-3)


def test_closing_ends_a_loop_and_is_harmless_twice(ramp):
    sound = TakeAudioSource(ramp, clock=ManualClock(), block_s=0.1, pass_s=1.0, loop=True)
    blocks = sound.blocks()
    next(blocks)
    sound.close()
    sound.close()
    assert list(blocks) == []


def test_sound_that_cannot_be_read_is_said_when_it_is_opened(tmp_path):
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(SourceError, match="is not audio"):
        TakeAudioSource(tmp_path / "text.wav", clock=ManualClock(), block_s=0.1, pass_s=1.0)
