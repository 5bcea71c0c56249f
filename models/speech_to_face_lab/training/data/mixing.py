"""Level, equaliser and noise applied to features: on power spectra a gain is a product and a second signal a sum.

The cross term between two signals is left out; its mean is zero. Mild, and a quarter of the time nothing but a level:
strong noise erases the burst and closure cues of p, b and m, and a network trained on it stops closing the lips.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from speech_to_face.streaming.features import FLOOR, HIGH_HZ, LOW_HZ, MEAN, MELS, SCALE

Mel = NDArray[np.float32]
"""float32 (windows, steps, 160), normalised as `speech_to_face.streaming.features.LogMel` gives it."""

LEVEL_DB = (-38.0, 3.0)
"""Against the corpus's own peak of -3 dBFS: from a whisper across the room to a hot input."""
CLEAN_SHARE = 0.25
NOISE_DB = (-62.0, -28.0)
"""RMS of a noise; speech here has about -20 dBFS, before a common level is applied."""
BABBLE_SHARE = 0.15
"""Share of babble among the noises."""
EQUALISER_DB = 3.0
"""Standard deviation of the equaliser's knots."""
FADE_SHARE = 0.15
WARP_SHARE = 0.5
WARPS = (0.89, 0.92, 0.95, 0.98, 1.02, 1.05, 1.08, 1.12)
"""Shorter and longer vocal tracts: formants move while pitch and tempo stay, which gives more speakers than there
are."""
BANK_SCALE = 256
"""Banks hold power divided by this, which keeps it inside float16."""


@dataclass(frozen=True, slots=True)
class Noises:
    """Banks of power features at 0 dBFS RMS, (steps, 160) float16: noises, and many people at once."""

    noise: NDArray[np.float16]
    babble: NDArray[np.float16]

    def draw(self, steps: int, rng: np.random.Generator, talk: bool = True) -> NDArray[np.float32]:
        """float32 (steps, 160): power features from a random place of a bank; talk=False: no babble."""
        bank = self.babble if talk and rng.random() < BABBLE_SHARE else self.noise
        first = int(rng.integers(0, len(bank) - steps + 1))
        return np.asarray(bank[first : first + steps], np.float32) * np.float32(BANK_SCALE)


def power_of(mel: Mel) -> Mel:
    """Log-mel features as power, of any shape."""
    return np.asarray(np.exp(mel * np.float32(SCALE) + np.float32(MEAN)) - np.float32(FLOOR), np.float32)


def mel_of(power: Mel) -> Mel:
    """Power as log-mel features: the inverse of `power_of`."""
    return np.asarray(
        (np.log(np.maximum(power, 0) + np.float32(FLOOR)) - np.float32(MEAN)) / np.float32(SCALE), np.float32
    )


def mixed(mel: Mel, noises: Noises, rng: np.random.Generator) -> Mel:
    """The same speech at another level, mostly through another microphone and in noise."""
    power = power_of(mel)
    for row in power:
        if rng.random() < WARP_SHARE:
            _warp(row, float(rng.choice(WARPS)))
        if rng.random() > CLEAN_SHARE:
            _over(row, noises, rng)
        row *= _gain(rng.uniform(*LEVEL_DB))
    return mel_of(power)


def only_noise(noises: Noises, windows: int, steps: int, rng: np.random.Generator) -> Mel:
    """Windows without any speech: silence, or a noise at the level of a room."""
    rows = [noises.draw(steps, rng, talk=False) * _room_gain(rng) for _ in range(windows)]
    return mel_of(np.stack(rows))


def _room_gain(rng: np.random.Generator) -> np.float32:
    return _gain(rng.uniform(-75, -12)) if rng.random() < 0.8 else np.float32(0)


def _over(row: NDArray[np.float32], noises: Noises, rng: np.random.Generator) -> None:
    """Equaliser, perhaps a slow fade, perhaps a noise, in place."""
    row *= np.tile(_equaliser(rng), row.shape[1] // MELS)
    if rng.random() < FADE_SHARE:
        row *= _fade(len(row), rng)[:, None]
    if rng.random() < 0.6:
        row += noises.draw(len(row), rng) * _gain(rng.uniform(*NOISE_DB))


def _warp(row: NDArray[np.float32], factor: float) -> None:
    """Scale the frequency axis in place: the energy at f / factor moves to f."""
    row[:] = (row.reshape(-1, MELS) @ _warping(factor)).reshape(row.shape)


@cache
def _warping(factor: float) -> NDArray[np.float32]:
    """(80, 80): each band's share of the bands it is read from, linear between neighbours on the mel axis."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    step = (high - low) / (MELS + 1)
    hz = 700 * (10 ** ((low + step * np.arange(1, MELS + 1)) / 2595) - 1)
    at = np.clip((2595 * np.log10(1 + hz / factor / 700) - low) / step - 1, 0, MELS - 1)
    first = np.minimum(at.astype(int), MELS - 2)
    matrix = np.zeros((MELS, MELS), np.float32)
    matrix[first, np.arange(MELS)] = 1 - (at - first)
    matrix[first + 1, np.arange(MELS)] += at - first
    return matrix


def _gain(db: float) -> np.float32:
    return np.float32(10 ** (db / 10))


def _equaliser(rng: np.random.Generator) -> NDArray[np.float32]:
    """(80,) power gains: a smooth curve of a few decibels, sometimes with the bands of a telephone or a small
    loudspeaker."""
    at = np.arange(MELS)
    gain_db = np.interp(at, np.linspace(0, MELS - 1, 7), rng.normal(0, EQUALISER_DB, 7))
    if rng.random() < 0.2:
        gain_db -= 4.0 * np.clip(at - rng.uniform(55, 78), 0, 10) + 4.0 * np.clip(rng.uniform(2, 9) - at, 0, 10)
    return np.asarray(10 ** (gain_db / 10), np.float32)


def _fade(steps: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(steps,) power gain that drifts within 12 dB over seconds."""
    knots = rng.uniform(-12, 0, max(2, steps // 90))
    return np.asarray(10 ** (np.interp(np.arange(steps), np.linspace(0, steps, len(knots)), knots) / 10), np.float32)
