"""Levels, equalisers and noise on features are what they would be on the sound."""

import numpy as np
import pytest

from speech_to_face.streaming.features import LogMel
from speech_to_face_lab.training.data import mixing
from speech_to_face_lab.training.data.mixing import BANK_SCALE, mel_of, mixed, only_noise, power_of

SILENCE = LogMel().push(np.zeros(16_000, np.float32))


def voice(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    rng, time = np.random.default_rng(seed), np.arange(int(seconds * 16_000)) / 16_000
    return (0.2 * rng.standard_normal(len(time)) * np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)).astype(np.float32)


def mel(sound: np.ndarray) -> np.ndarray:
    return LogMel().push(sound.astype(np.float32))


def test_power_and_features_are_inverse():
    features = mel(voice())
    np.testing.assert_allclose(mel_of(power_of(features)), features, atol=1e-5)
    stored = features.astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(mel_of(power_of(stored)), stored, atol=1e-5)
    assert power_of(features).dtype == mel_of(features).dtype == np.float32


@pytest.mark.parametrize("db", [-30.0, -12.0, 3.0])
def test_a_gain_on_features_is_a_gain_on_the_sound(db):
    sound = voice()
    wanted = mel(sound * np.float32(10 ** (db / 20)))
    got = mel_of(power_of(mel(sound)) * mixing._gain(db))
    np.testing.assert_allclose(got, wanted, atol=2e-3)


def test_the_gain_holds_for_stored_features_where_there_is_speech():
    stored, wanted = mel(voice()).astype(np.float16).astype(np.float32), mel(voice() * np.float32(0.1))
    loud = wanted > -0.8
    assert 0.2 < loud.mean() < 0.8
    assert np.abs(mel_of(power_of(stored) * mixing._gain(-20.0)) - wanted)[loud].max() < 0.01


def test_noise_added_to_features_is_near_noise_added_to_the_sound():
    sound = voice()
    noise = 0.02 * np.random.default_rng(5).standard_normal(len(sound)).astype(np.float32)
    wanted, got = mel(sound + noise), mel_of(power_of(mel(sound)) + power_of(mel(noise)))
    error = got - wanted
    assert abs(error.mean()) < 0.02, "the cross term has no mean to speak of"
    assert np.sqrt(np.mean(error**2)) < 0.12 < 0.25 < np.sqrt(np.mean((mel(sound) - wanted) ** 2))


def test_silence_stays_silence_at_any_level(noises, monkeypatch):
    monkeypatch.setattr(mixing, "CLEAN_SHARE", 1.0)
    silent = np.tile(SILENCE.astype(np.float16).astype(np.float32), (20, 1, 1))
    assert np.abs(mixed(silent, noises, np.random.default_rng(0)) - SILENCE[0]).max() < 5e-3


def test_speech_keeps_its_shape_and_is_heard_at_many_levels(noises):
    features = np.tile(mel(voice()), (60, 1, 1))
    out = mixed(features, noises, np.random.default_rng(0))
    assert out.shape == features.shape and out.dtype == np.float32 and np.isfinite(out).all()
    assert out.min() >= SILENCE.min() - 1e-3
    level = power_of(out).mean((1, 2)) / power_of(features).mean()
    assert level.min() < 10**-2.5 and level.max() > 0.7
    again = mixed(features, noises, np.random.default_rng(0))
    np.testing.assert_array_equal(out, again)


def test_mixing_leaves_its_argument_alone(noises):
    features = np.tile(mel(voice()), (4, 1, 1))
    before = features.copy()
    mixed(features, noises, np.random.default_rng(0))
    np.testing.assert_array_equal(features, before)


def test_some_windows_get_nothing_but_a_level(noises, monkeypatch):
    monkeypatch.setattr(mixing, "WARP_SHARE", 0.0)
    features = np.tile(mel(voice()), (200, 1, 1))
    ratio = power_of(mixed(features, noises, np.random.default_rng(1))) / np.maximum(power_of(features), 1e-9)
    loud = power_of(features[0]) > 0.05 * power_of(features[0]).max()
    plain = sum(float(row[loud].std() / row[loud].mean()) < 0.02 for row in ratio)
    assert 0.15 < plain / 200 < 0.4


def test_no_speech_has_no_babble_and_now_and_then_no_sound_at_all(noises):
    rows = only_noise(noises, 60, 90, np.random.default_rng(0))
    assert rows.shape == (60, 90, 160) and rows.dtype == np.float32
    power = power_of(rows)
    assert (power[..., :10].mean((1, 2)) <= 3 * power[..., 20:80].mean((1, 2)) + 1e-6).all(), (
        "babble is in the lowest bands alone"
    )
    silent = np.abs(rows - SILENCE[0]).max((1, 2)) < 1e-3
    assert 0.05 < silent.mean() < 0.5


def test_babble_is_drawn_when_there_is_speech_over_it(noises):
    draws = [noises.draw(30, np.random.default_rng(seed)) for seed in range(200)]
    babble = sum(bool(draw[:, 40].max() == 0) for draw in draws)
    assert 0.05 < babble / 200 < 0.3
    assert draws[0].dtype == np.float32 and max(d.max() for d in draws) == pytest.approx(100 * BANK_SCALE)
    assert all(noises.draw(30, np.random.default_rng(seed), talk=False)[:, 40].max() > 0 for seed in range(200))


def test_the_equaliser_is_smooth_and_the_fade_slow():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        bands = 10 * np.log10(mixing._equaliser(rng))
        assert bands.shape == (80,) and np.abs(np.diff(bands)).max() < 6.5
        fade = 10 * np.log10(mixing._fade(270, rng))
        assert fade.shape == (270,) and -12.1 <= fade.min() and fade.max() <= 0.01 and np.abs(np.diff(fade)).max() < 0.2


@pytest.mark.parametrize("factor", mixing.WARPS)
def test_a_longer_or_shorter_vocal_tract_moves_a_tone_by_its_factor(factor):
    time = np.arange(16_000) / 16_000

    def tone(hz):
        return power_of(LogMel().push((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32)))[20:]

    moved, wanted = tone(1500), tone(1500 * factor)
    mixing._warp(moved, factor)
    assert abs(int(moved[:, :80].mean(0).argmax()) - int(wanted[:, :80].mean(0).argmax())) <= 1
