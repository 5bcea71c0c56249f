from __future__ import annotations

import numpy as np
import pytest

from livelink_bridge.audio.agc import AGC
from livelink_bridge.errors import UsageError
from speech_to_face.streaming.features import step_end


def speech_like(seconds, dbfs, seed=0):
    """Noise that swells four times a second, at an RMS."""
    rng, count = np.random.default_rng(seed), int(seconds * 16_000)
    sound = rng.standard_normal(count) * (1 + 0.8 * np.sin(2 * np.pi * 4 * np.arange(count) / 16_000))
    return (sound * 10 ** (dbfs / 20) / np.sqrt(np.mean(sound**2))).astype(np.float32)


def rms_dbfs(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=float)) + 1e-12)


def run(control, samples, speech=True, chunks=(160,)):
    """Push as a chain does: judged steps first."""
    out, steps, at, turn = [], 0, 0, 0
    while at < len(samples):
        piece = samples[at : at + chunks[turn % len(chunks)]]
        at, turn = at + len(piece), turn + 1
        ready = (3 * at + 2) // 800
        levels = [rms_dbfs(samples[step_end(n - 1) : step_end(n)]) for n in range(steps, ready)]
        control.observe(np.array(levels), np.full(ready - steps, speech))
        steps = ready
        out.append(control.push(piece))
    return np.concatenate(out)


@pytest.mark.parametrize("dbfs", [-43, -30, -20, -6])
def test_every_voice_is_within_4_db_of_the_target_after_3_s(dbfs):
    out = run(AGC(), np.clip(speech_like(6, dbfs), -1, 1))
    assert abs(rms_dbfs(out[3 * 16_000 :]) + 20) < 4


def test_a_whisper_after_a_shout_is_found_too():
    out = run(AGC(), np.clip(np.concatenate([speech_like(5, -8), speech_like(7, -42)]), -1, 1))
    assert abs(rms_dbfs(out[-2 * 16_000 :]) + 20) < 4


def test_it_adds_no_more_than_its_range():
    control = AGC(range_db=6)
    run(control, speech_like(5, -50))
    assert control.gain_db == pytest.approx(6)


def test_noise_is_not_pulled_up():
    control = AGC()
    samples = speech_like(5, -60)
    np.testing.assert_array_equal(run(control, samples, speech=False), samples)


def test_the_gain_stays_in_pauses():
    control = AGC()
    run(control, speech_like(4, -35))
    gain_db = control.gain_db
    control.resume()
    run(control, speech_like(4, -70), speech=False)
    assert control.gain_db == gain_db > 10


def test_the_gain_glides():
    control = AGC()
    level = np.full(5 * 16_000, 0.01, np.float32)
    gains_db = 20 * np.log10(run(control, level) / level)
    assert np.max(np.abs(np.diff(gains_db))) < 0.002  # 12 dB/s are 0.00075 dB a sample
    assert np.max(np.abs(gains_db[16_000:] - gains_db[:-16_000])) < 12.1


def test_nothing_leaves_the_range_when_a_shout_follows_a_whisper():
    out = run(AGC(), np.clip(np.concatenate([speech_like(4, -45), speech_like(2, -4)]), -1, 1))
    assert np.max(np.abs(out)) <= 0.981
    assert np.mean(np.abs(out[4 * 16_000 : 5 * 16_000]) > 0.97) < 0.05  # turned down, not cut off


@pytest.mark.parametrize("chunks", [(1, 7, 160, 333), (5000,), (96_000,)])
def test_sound_is_the_same_for_any_chunks(chunks):
    samples = np.clip(np.concatenate([speech_like(3, -40), speech_like(2, -4)]), -1, 1)
    whole = run(AGC(), samples)
    np.testing.assert_allclose(run(AGC(), samples, chunks=chunks), whole, atol=2e-7)


def test_reset_equals_new():
    control, samples = AGC(), speech_like(2, -40)
    first = run(control, samples)
    control.reset()
    np.testing.assert_array_equal(run(control, samples), first)


@pytest.mark.parametrize(("target", "span"), [(-41, 10), (-9, 10), (-20, 31), (-20, -1), (float("nan"), 10)])
def test_settings_that_cannot_be_are_refused(target, span):
    with pytest.raises(UsageError, match="expected -40 to -10"):
        AGC(target, span)
