"""Rooms, microphones and noises for clean speech. Mild, and a quarter of the time nothing: strong reverb and noise erase the burst
and closure cues of p, b and m, and a network trained on them stops closing the lips."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from models.corpus.engines import SAMPLE_RATE

Samples = NDArray[np.float32]
RATES = (0.85, 1.18)
"""Playback speeds: pitch, formants and tempo move together, which makes other speakers of one voice."""
CLEAN_SHARE = 0.25
PEAK_DB = (-30.0, 0.0)


def resped(samples: NDArray[np.float32], rate: float) -> Samples:
    """`samples` played `rate` times as fast."""
    return np.asarray(soxr.resample(samples, SAMPLE_RATE * rate, SAMPLE_RATE, quality="LQ"), np.float32)


def augment(samples: Samples, rng: np.random.Generator) -> Samples:
    """The same speech through another microphone in another room, at another level; length kept."""
    if rng.random() > CLEAN_SHARE:
        for share, effect in ((0.5, _coloured), (0.15, _room), (0.6, _noisy), (0.12, _hum), (0.12, _clicks)):
            if rng.random() < share:
                samples = effect(samples, rng)
    peak = 10 ** (rng.uniform(*PEAK_DB) / 20)
    return (samples * (peak / max(float(np.abs(samples).max()), 1e-4))).astype(np.float32)


def no_speech(count: int, rng: np.random.Generator) -> Samples:
    """`count` samples of silence or of what is not speech, at the levels a quiet room has."""
    quiet = np.zeros(count, np.float32)
    kind = rng.integers(0, 5)
    if kind == 0:
        return quiet
    sound = (_coloured(_white(count, rng), rng), _hum(quiet, rng), _clicks(quiet, rng), _tones(count, rng))[kind - 1]
    level = 10 ** (rng.uniform(-65, -30) / 20)
    return (sound * (level / max(float(np.sqrt(np.mean(sound**2))), 1e-6))).clip(-1, 1).astype(np.float32)


def _white(count: int, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(count, dtype=np.float32)


def _coloured(samples: Samples, rng: np.random.Generator) -> Samples:
    """A smooth random equaliser of up to about 6 dB, and sometimes a band limit."""
    spectrum = np.fft.rfft(samples)
    hz = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    gain_db = np.interp(np.log2(hz + 50), np.log2(np.array([50, 200, 600, 1500, 3500, 8050])), rng.normal(0, 3, 6))
    if rng.random() < 0.25:
        gain_db -= 30 * np.clip((hz - rng.uniform(3000, 6500)) / 500, 0, 1) + 30 * np.clip((rng.uniform(60, 250) - hz) / 60, 0, 1)
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(samples)).astype(np.float32)


def _room(samples: Samples, rng: np.random.Generator) -> Samples:
    """Exponentially decaying noise as impulse response, 0.1 to 0.4 s, well below the direct sound."""
    length = int(rng.uniform(0.1, 0.4) * SAMPLE_RATE)
    tail = _white(length, rng) * np.exp(-6.9 * np.arange(length) / length).astype(np.float32)
    tail *= rng.uniform(0.1, 0.35) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = len(samples) + length
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)].astype(np.float32)


def _noisy(samples: Samples, rng: np.random.Generator) -> Samples:
    """Coloured noise 12 to 45 dB below the speech."""
    noise = _coloured(_white(len(samples), rng), rng)
    wanted = float(np.sqrt(np.mean(samples**2))) * 10 ** (-rng.uniform(12, 45) / 20)
    return samples + noise * (wanted / float(np.sqrt(np.mean(noise**2))))


def _hum(samples: Samples, rng: np.random.Generator) -> Samples:
    time = np.arange(len(samples)) / SAMPLE_RATE
    base = rng.choice([50.0, 60.0])
    wave = sum(np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6)) / k for k in (1, 2, 3))
    return np.asarray(samples + wave * 10 ** (rng.uniform(-55, -35) / 20), np.float32)


def _clicks(samples: Samples, rng: np.random.Generator) -> Samples:
    out = samples.copy()
    for start in rng.integers(0, max(1, len(out) - 400), rng.integers(1, 12)):
        count = min(300, len(out) - start)
        out[start : start + count] += _white(count, rng) * np.exp(-np.arange(count) / 30) * rng.uniform(0.005, 0.08)
    return out


def _tones(count: int, rng: np.random.Generator) -> Samples:
    """Chords that fade in and out: music-like, no speech."""
    time = np.arange(count) / SAMPLE_RATE
    out = np.zeros(count)
    for _ in range(6):
        start, hz = rng.uniform(0, time[-1]), 110 * 2 ** rng.uniform(0, 4)
        out += np.exp(-np.abs(time - start) / 0.4) * np.sin(2 * np.pi * hz * time)
    return out.astype(np.float32)
