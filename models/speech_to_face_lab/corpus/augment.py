"""Speeds, rooms, codecs and noises: augmentation of audio before features are made of it.

Levels, equalisers and the mixing of noise follow on the features (`speech_to_face_lab.training.data.mixing`).
"""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speech_to_face_lab.corpus.engines import SAMPLE_RATE

Samples = NDArray[np.float32]
RATES = (0.85, 1.18)
"""Playback speeds: pitch, formants and tempo change together, which gives other speakers from one voice."""
ROOM_SHARE, CODEC_SHARE = 0.15, 0.1
NOTE_SAMPLES = 2 * SAMPLE_RATE
"""Longest note of the music, in seconds."""


def resped(samples: NDArray[np.float32], rate: float) -> Samples:
    """`samples` played `rate` times as fast."""
    return np.asarray(soxr.resample(samples, SAMPLE_RATE * rate, SAMPLE_RATE, quality="LQ"), np.float32)


def through(samples: Samples, rng: np.random.Generator) -> Samples:
    """The same speech, sometimes in a room or through a codec; length kept."""
    if rng.random() < ROOM_SHARE:
        samples = _room(samples, rng)
    return _codec(samples, rng) if rng.random() < CODEC_SHARE else samples


def no_speech(count: int, kind: str, rng: np.random.Generator) -> Samples:
    """`count` samples of a noise from `NOISES`, at 0 dBFS RMS; silence for one without a signal."""
    sound = NOISES[kind](count, rng)
    return (sound / max(float(np.sqrt(np.mean(sound**2))), 1e-6)).astype(np.float32)


def babble(voices: list[Samples], rng: np.random.Generator) -> Samples:
    """Many people talking at once, at 0 dBFS RMS: every voice at a level of its own."""
    mixture = sum(voice * np.float32(rng.uniform(0.3, 1.0)) for voice in voices)
    return np.asarray(mixture / max(float(np.sqrt(np.mean(np.square(mixture)))), 1e-6), np.float32)


def _white(count: int, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(count, dtype=np.float32)


def _coloured(samples: Samples, rng: np.random.Generator) -> Samples:
    """A smooth random equaliser of up to about 6 dB, and sometimes a band limit."""
    spectrum = np.fft.rfft(samples)
    hz = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
    gain_db = np.interp(np.log2(hz + 50), np.log2(np.array([50, 200, 600, 1500, 3500, 8050])), rng.normal(0, 3, 6))
    if rng.random() < 0.25:
        gain_db -= 30 * np.clip((hz - rng.uniform(3000, 6500)) / 500, 0, 1) + 30 * np.clip(
            (rng.uniform(60, 250) - hz) / 60, 0, 1
        )
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(samples)).astype(np.float32)


def _room(samples: Samples, rng: np.random.Generator) -> Samples:
    """Exponentially decaying noise as impulse response, 0.1 to 0.4 s, well below the direct sound."""
    length = int(rng.uniform(0.1, 0.4) * SAMPLE_RATE)
    tail = _white(length, rng) * np.exp(-6.9 * np.arange(length) / length).astype(np.float32)
    tail *= rng.uniform(0.1, 0.35) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = 1 << (len(samples) + length - 1).bit_length()  # a power of two: other lengths take up to ten times as long
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)].astype(np.float32)


def _codec(samples: Samples, rng: np.random.Generator) -> Samples:
    """A telephone (8 kHz, mu-law) or a low-rate Vorbis stream, decoded again."""
    if rng.random() < 0.5:
        narrow = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE / 2)
        return _fit(
            soxr.resample(_stored(narrow, SAMPLE_RATE // 2, "WAV", "ULAW"), SAMPLE_RATE / 2, SAMPLE_RATE), len(samples)
        )
    return _fit(_stored(samples, SAMPLE_RATE, "OGG", "VORBIS"), len(samples))


def _stored(samples: Samples, rate: int, container: str, subtype: str) -> Samples:
    """What is left of `samples` after being written and read in a lossy format."""
    memory = io.BytesIO()
    soundfile.write(memory, np.clip(samples, -1, 1), rate, format=container, subtype=subtype)
    memory.seek(0)
    return np.asarray(soundfile.read(memory, dtype="float32")[0])


def _fit(samples: Samples, count: int) -> Samples:
    return np.pad(samples, (0, max(0, count - len(samples))))[:count].astype(np.float32)


def _hiss(count: int, rng: np.random.Generator) -> Samples:
    return _coloured(_white(count, rng), rng)


def _rumble(count: int, rng: np.random.Generator) -> Samples:
    """Noise that falls by 3 to 9 dB an octave: wind, traffic, a fan."""
    spectrum = np.fft.rfft(_white(count, rng))
    hz = np.linspace(1, SAMPLE_RATE / 2, len(spectrum))
    return np.fft.irfft(spectrum * (hz + 20) ** -rng.uniform(0.5, 1.5), count).astype(np.float32)


def _hum(count: int, rng: np.random.Generator) -> Samples:
    """Mains: 50 or 60 Hz and some of its harmonics."""
    time, base = np.arange(count) / SAMPLE_RATE, rng.choice([50.0, 60.0])
    harmonics = (1, *rng.choice(np.arange(2, 12), rng.integers(0, 5), replace=False))
    wave = sum(np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6)) * rng.uniform(0.1, 1) / k for k in harmonics)
    return np.asarray(wave, np.float32)


def _clicks(count: int, rng: np.random.Generator) -> Samples:
    """Keys and mouse buttons: short bursts over almost nothing."""
    out = _white(count, rng) * np.float32(1e-3)
    for start in rng.integers(0, max(1, count - 400), max(1, count * int(rng.integers(1, 8)) // SAMPLE_RATE)):
        length = min(int(rng.integers(60, 400)), count - start)
        out[start : start + length] += (
            _white(length, rng) * np.exp(-np.arange(length) / rng.uniform(10, 80)) * rng.uniform(0.1, 1)
        )
    return out.astype(np.float32)


def _tones(count: int, rng: np.random.Generator) -> Samples:
    """Music-like: notes and chords with overtones and decays, a beat."""
    out, beat = np.zeros(count), rng.uniform(0.2, 0.7)
    for start in range(0, count, int(beat * SAMPLE_RATE)):
        note = _notes(min(NOTE_SAMPLES, count - start), rng)
        out[start : start + len(note)] += note
    return out.astype(np.float32)


def _notes(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One to four notes struck together, and perhaps a drum."""
    after = np.arange(count) / SAMPLE_RATE
    out = np.zeros(count)
    for _ in range(int(rng.integers(1, 5))):
        hz, overtones, steep = 55 * 2 ** (rng.integers(0, 48) / 12), int(rng.integers(1, 9)), rng.uniform(0.5, 2)
        out += sum(
            np.sin(2 * np.pi * hz * k * after) / k**steep for k in range(1, overtones + 1) if hz * k < SAMPLE_RATE / 2
        )
    out *= np.exp(-after / rng.uniform(0.1, 0.6)) * np.minimum(after / 0.01, 1)
    return out + np.exp(-after / 0.03) * rng.standard_normal(count) * rng.uniform(0, 2) * (rng.random() < 0.5)


NOISES = {"hiss": _hiss, "rumble": _rumble, "hum": _hum, "clicks": _clicks, "tones": _tones}
