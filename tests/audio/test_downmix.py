from __future__ import annotations

import warnings

import numpy as np
import pytest

from livelink_bridge.audio.downmix import Mixer, mixed_down, mono
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.frames import AudioBlock
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.sources.utterance import NOTHING, Boundary
from livelink_bridge.testing.stand_ins import LoudnessModel

RATE = 48000


def voice(seconds: float, seed: int = 1) -> np.ndarray:
    at_s = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(at_s))
    return (0.3 * np.sin(2 * np.pi * 170 * at_s) + 0.01 * noise).astype(np.float32)


def mixed(samples: np.ndarray, chunk: int = 1 << 20, mixer: Mixer | None = None, rate: int = RATE) -> np.ndarray:
    mixer = mixer or Mixer()
    return np.concatenate([mixer.push(samples[at : at + chunk], rate) for at in range(0, len(samples), chunk)])


def test_channels_are_averaged_and_bad_samples_silenced():
    stereo = np.array([[0.2, 0.4], [np.nan, 0.5], [np.inf, np.inf], [-3.0, -5.0]], np.float32)
    np.testing.assert_allclose(mono(stereo), [0.3, 0.0, 1.0, -1.0], atol=1e-7)
    assert mono(stereo[:, 0]).shape == (4,)


def test_channels_that_cancel_become_the_louder_one_within_30_ms_and_it_is_said_once():
    sound, said = voice(1.0), []
    heard = mixed(np.stack([-0.9 * sound, sound], 1), 480, Mixer(said.append))
    np.testing.assert_array_equal(heard[round(0.031 * RATE) :], sound[round(0.031 * RATE) :])
    assert said == [2]


@pytest.mark.parametrize("chunk", [1, 13, 479, 480, 10_007])
def test_any_chunks_give_the_same(chunk):
    sound = np.concatenate([voice(0.3), voice(0.3, 2)])
    sign = np.repeat([1, -1, 1], [len(sound) // 3] * 3)
    samples = np.stack([sound, 0.95 * sign * sound], 1).astype(np.float32)[: 6000 if chunk == 1 else None]
    np.testing.assert_allclose(mixed(samples, chunk), mixed(samples), atol=1e-6)


def test_what_does_not_cancel_is_the_mean_to_the_last_bit():
    sound, other = voice(0.5), voice(0.5, 7)
    for right in (sound, other, np.zeros_like(sound), -0.3 * sound):
        samples = np.stack([sound, right], 1).astype(np.float32)
        np.testing.assert_array_equal(mixed(samples, 800), mono(samples))


def test_polarity_that_changes_on_the_way_is_followed_without_a_click():
    at_s = np.arange(4 * RATE) / RATE
    sound = (0.3 * np.sin(2 * np.pi * 170 * at_s)).astype(np.float32)
    sign = np.where((at_s > 1) & (at_s < 2.5), -1, 1).astype(np.float32)
    heard = mixed(np.stack([sound, sign * 0.98 * sound], 1), 800)
    inside = np.abs(at_s - 1) > 0.002  # where the sound itself leaps
    inside &= np.abs(at_s - 2.5) > 0.002
    assert np.abs(np.diff(heard))[inside[1:]].max() < 1.5 * np.abs(np.diff(sound)).max()
    level = np.sqrt(np.mean(heard.reshape(-1, RATE // 10) ** 2, axis=1))
    assert level[-5:].min() > 0.2 and level[18:24].min() > 0.2


def test_six_channels_of_which_two_cancel_are_one_of_the_two():
    sound = voice(0.5)
    samples = np.zeros((len(sound), 6), np.float32)
    samples[:, 2], samples[:, 3] = sound, -0.99 * sound
    np.testing.assert_array_equal(mixed(samples)[4000:], sound[4000:])


def test_faint_noise_decides_nothing():
    noise = (1e-5 * np.random.default_rng(3).standard_normal(RATE)).astype(np.float32)
    said = []
    mixed(np.stack([noise, -noise], 1), 480, Mixer(said.append))
    assert said == []


def test_samples_that_are_no_numbers_are_silent_and_warn_of_nothing():
    samples = np.stack([voice(0.2), voice(0.2)], 1)
    samples[100], samples[200, 0], samples[300] = np.nan, np.inf, [np.inf, -np.inf]
    samples[400] = 3e38
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heard = mixed(samples, 480)
    assert np.isfinite(heard).all()
    assert heard[100] == heard[300] == 0


@pytest.mark.parametrize("chain", [None, InputChain(None, gated=False)])
def test_a_face_hears_stereo_that_cancels_and_it_is_said_once(chain, caplog):
    sound = voice(1.0)
    animator = Animator(LoudnessModel(), Face(), chain)
    frames = []
    for at in range(0, len(sound), 800):
        piece = sound[at : at + 800]
        frames += animator.push(AudioBlock(np.stack([piece, -piece], 1), RATE, at, 0.0))
    assert max(frame.weights.max() for frame in frames) > 0.2
    assert [record.message for record in caplog.records] == [
        "the channels cancel each other, having opposite polarity; channel 1, the louder, is taken alone"
    ]


def test_blocks_are_mixed_once_for_all_that_read_them_however_many_channels():
    stereo = np.stack([np.full(480, 0.5), np.full(480, 0.1)], axis=1).astype(np.float32)
    blocks = [
        AudioBlock(stereo, 48000, 0, 0.01),
        AudioBlock(stereo[:, 0], 48000, 480, 0.02),
        Boundary(NOTHING, 48000, 960, 0.02, cut=True),
    ]
    found = list(mixed_down(blocks))
    assert [type(block) for block in found] == [AudioBlock, AudioBlock, Boundary]
    assert [block.samples.shape for block in found] == [(480,), (480,), (0,)]
    np.testing.assert_allclose(found[0].samples, 0.3, atol=1e-7)
    assert (found[0].start, found[0].arrived_s, found[1]) == (0, 0.01, blocks[1])
