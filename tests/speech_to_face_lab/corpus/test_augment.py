"""What is done to sound before features are made of it."""

import numpy as np
import pytest

from speech_to_face_lab.corpus import augment
from speech_to_face_lab.corpus.augment import NOISES, RATES, babble, no_speech, resped, through
from speech_to_face_lab.corpus.engines import SAMPLE_RATE


def tone(seconds: float = 1.0, hz: float = 200.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def loudest_hz(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(spectrum.argmax() * SAMPLE_RATE / len(sound))


@pytest.mark.parametrize("rate", RATES)
def test_a_faster_voice_is_shorter_and_higher_by_the_same_factor(rate):
    out = resped(tone(2.0), rate)
    assert len(out) == pytest.approx(2.0 * SAMPLE_RATE / rate, abs=2) and out.dtype == np.float32
    assert loudest_hz(out) == pytest.approx(200 * rate, rel=0.01)


def test_rooms_and_codecs_keep_length_and_speech(monkeypatch):
    monkeypatch.setattr(augment, "ROOM_SHARE", 0.5)
    monkeypatch.setattr(augment, "CODEC_SHARE", 0.5)
    rng, sound, kinds = np.random.default_rng(0), tone(0.7), set()
    for _ in range(40):
        out = through(sound, rng)
        assert out.shape == sound.shape and out.dtype == np.float32 and np.isfinite(out).all()
        assert 0.5 * rms(sound) < rms(out) < 2 * rms(sound) and np.corrcoef(out, sound)[0, 1] > 0.8
        kinds.add(round(rms(out - sound), 4))
    assert 0.0 in kinds and len(kinds) > 10, "now and then nothing is done, mostly something else every time"


def test_most_speech_is_left_alone():
    rng, sound = np.random.default_rng(1), tone(0.3)
    alone = sum(through(sound, rng) is sound for _ in range(200))
    assert 0.68 < alone / 200 < 0.85


def test_a_room_leaves_a_tail_and_the_direct_sound_in_place():
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[4000] = 1.0
    out = augment._room(click, np.random.default_rng(0))
    assert np.abs(out).argmax() == 4000 and rms(out[:4000]) < 1e-6
    assert rms(out[4100:5000]) > 1e-4 and rms(out[12_000:]) < 1e-6
    energy_after = np.sum(np.square(out[4001:]))
    assert 0.05**2 < energy_after < 0.4**2


def test_codecs_take_away_what_they_do_not_carry():
    high, kept = tone(1.0, 6000), []
    for seed in range(12):
        kept.append(rms(augment._codec(high, np.random.default_rng(seed))) / rms(high))
    assert min(kept) < 0.02, "a telephone has nothing above 4 kHz"
    assert max(kept) > 0.5, "a music codec has"


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("count", [800, SAMPLE_RATE, 33_333])
def test_every_noise_is_finite_and_at_full_level(kind, count):
    for seed in range(3):
        sound = no_speech(count, kind, np.random.default_rng(seed))
        assert sound.shape == (count,) and sound.dtype == np.float32 and np.isfinite(sound).all()
        assert rms(sound) == pytest.approx(1.0, rel=1e-3)


def test_noises_are_of_different_kinds():
    def centre(kind):
        power = np.square(np.abs(np.fft.rfft(no_speech(SAMPLE_RATE, kind, np.random.default_rng(0)))))
        return float((power * np.linspace(0, 8000, len(power))).sum() / power.sum())

    assert centre("hum") < 200 and centre("rumble") < centre("hiss") and centre("clicks") > 2000
    loud = np.sort(np.abs(no_speech(SAMPLE_RATE, "clicks", np.random.default_rng(0))))
    assert loud[-1] > 20 * loud[len(loud) // 2], "clicks are rare"


def test_babble_holds_all_voices_at_full_level():
    voices = [tone(1.0, hz) for hz in (150, 440, 1250)]
    out = babble(voices, np.random.default_rng(0))
    assert rms(out) == pytest.approx(1.0, rel=1e-3) and out.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(out))
    peaks = {hz: spectrum[hz] for hz in (150, 440, 1250)}
    assert min(peaks.values()) > 0.2 * max(peaks.values()) and min(peaks.values()) > 100 * spectrum[700]
    assert len({round(float(v)) for v in peaks.values()}) == 3, "everybody has a level of their own"


def test_silent_voices_make_silent_babble():
    assert not babble([np.zeros(800, np.float32)] * 3, np.random.default_rng(0)).any()
