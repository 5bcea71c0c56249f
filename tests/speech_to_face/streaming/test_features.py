import numpy as np
import pytest

from speech_to_face.streaming.features import MELS, STEP_WIDTH, LogMel, frame_count, step_end


def noise(count: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def test_steps_lie_on_an_integer_grid_without_drift():
    assert [step_end(n) for n in range(4)] == [266, 533, 800, 1066]
    assert step_end(60 * 3600 * 24 - 1) == 16_000 * 3600 * 24


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (266, 1), (267, 2), (16_000, 60), (16_001, 61)])
def test_a_recording_has_a_frame_for_every_frame_time_inside_it(samples, frames):
    assert frame_count(samples) == frames


@pytest.mark.parametrize("chunk", [1, 3, 7, 160, 267, 4000])
def test_any_chunking_gives_the_same_steps(chunk):
    sound = noise(4000)
    whole, mel = LogMel().push(sound), LogMel()
    parts = np.concatenate([mel.push(sound[at : at + chunk]) for at in range(0, len(sound), chunk)])
    assert parts.shape == whole.shape == (15, STEP_WIDTH)
    np.testing.assert_allclose(parts, whole, atol=2e-6)


def test_a_step_appears_with_the_sample_that_completes_it_and_not_before():
    mel = LogMel()
    assert len(mel.push(noise(265))) == 0
    assert len(mel.push(noise(1))) == 1


def test_samples_after_a_step_do_not_change_it():
    sound = noise(1600)
    other = sound.copy()
    other[800:] = noise(800, seed=1)
    np.testing.assert_array_equal(LogMel().push(sound)[:3], LogMel().push(other)[:3])
    assert not np.array_equal(LogMel().push(sound)[3], LogMel().push(other)[3])


def test_a_tone_is_loudest_in_the_band_that_holds_it():
    time = np.arange(16_000) / 16_000
    bands = LogMel().push(np.sin(2 * np.pi * 1000 * time).astype(np.float32)).reshape(-1, MELS)[20]
    mel = 2595 * np.log10(1 + 1000 / 700)
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (20.0, 7900.0))
    assert abs(int(bands.argmax()) - round((mel - low) / (high - low) * (MELS + 1) - 1)) <= 1


def test_reset_equals_new():
    sound, mel = noise(1000), LogMel()
    mel.push(noise(777, seed=2))
    mel.reset()
    np.testing.assert_array_equal(mel.push(sound), LogMel().push(sound))


def test_memory_does_not_grow_with_the_sound():
    mel = LogMel()
    for seed in range(50):
        mel.push(noise(1000, seed))
    assert mel._kept.size < 1000
