"""Ten seconds each of noises, the same in every run: a mouth should stay still throughout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import Samples
from speech_to_face.streaming.features import SAMPLE_RATE

SECONDS = 10
HISS_DBFS = -50.0
HUM_HZ = 50.0
HUM_PEAK = 0.01
CLICKS, CLICK_SAMPLES, CLICK_DECAY, CLICK_RMS = 40, 200, 30.0, 0.2
CHORDS_HZ = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0), (196.0, 246.9, 293.7))
MUSIC_PEAK = 0.25
NOTE_S = 0.5

_COUNT = SAMPLE_RATE * SECONDS
_TIMES = np.arange(_COUNT) / SAMPLE_RATE


def silence() -> Samples:
    """Zeros."""
    return np.zeros(_COUNT, np.float32)


def hiss() -> Samples:
    """White noise, -50 dBFS."""
    return _hiss(np.random.default_rng(0))


def hum() -> Samples:
    """Mains, -40 dBFS at its peak."""
    return (HUM_PEAK * np.sin(2 * np.pi * HUM_HZ * _TIMES)).astype(np.float32)


def clicks() -> Samples:
    """Forty keys struck at random times: bursts of noise that die within milliseconds."""
    rng = np.random.default_rng(0)
    _hiss(
        rng
    )  # the generator goes on where the hiss left it: then these are the very clicks of other scorers of this set
    sound = np.zeros(_COUNT)
    fading = CLICK_RMS * np.exp(-np.arange(CLICK_SAMPLES) / CLICK_DECAY)
    for start in rng.integers(0, _COUNT - 2 * CLICK_SAMPLES, CLICKS):
        sound[start : start + CLICK_SAMPLES] += rng.standard_normal(CLICK_SAMPLES) * fading
    return sound.astype(np.float32)


def music() -> Samples:
    """Four plucked chords round and round, with overtones, two notes a second, -12 dBFS at the peak."""
    sound = np.zeros(_COUNT)
    note = int(NOTE_S * SAMPLE_RATE)
    for at in range(0, _COUNT, note):
        chord = CHORDS_HZ[at // note // 2 % len(CHORDS_HZ)]
        sound[at : at + note] = sum(_pluck(pitch, _TIMES[: min(note, _COUNT - at)]) for pitch in chord)
    return np.asarray(MUSIC_PEAK * sound / np.abs(sound).max(), np.float32)


NOISES: dict[str, Callable[[], Samples]] = {
    "silence": silence,
    "hiss50": hiss,
    "hum": hum,
    "clicks": clicks,
    "music": music,
}
"""Silence comes first: what a face does in it is its rest."""


def _hiss(rng: np.random.Generator) -> Samples:
    return (rng.standard_normal(_COUNT) * 10 ** (HISS_DBFS / 20)).astype(np.float32)


def _pluck(hz: float, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """A string: six overtones, the higher the sooner gone, after an attack of 5 ms."""
    tones = [np.sin(2 * np.pi * hz * k * times) * np.exp(-2 * k * times) / k for k in range(1, 7)]
    return np.asarray(np.sum(tones, axis=0) * np.minimum(times / 0.005, 1))
