"""Log-mel features on an integer, drift-free grid.

Mel frame m ends at sample floor((m + 1) * 400 / 3) (120 Hz) and never looks past it; two mel frames make one 60 Hz
step, which therefore consumes sound up to sample floor((n + 1) * 800 / 3). No centre padding, no statistics of the
utterance: constants only.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE

SAMPLE_RATE = 16_000
MEL_PER_STEP = 2
MELS = 80
WINDOW = 400
"""25 ms, Hann."""
FFT = 512
LOW_HZ, HIGH_HZ = 20.0, 7900.0
FLOOR = 1e-5
MEAN, SCALE = -5.0, 4.0
"""Fixed normalisation of log(mel + FLOOR): speech lies within about -1.6 (silence) and 2."""
STEP_WIDTH = MELS * MEL_PER_STEP


def step_end(step: int) -> int:
    """Samples that step `step` (0, 1, ...) has consumed when it runs."""
    return (step + 1) * SAMPLE_RATE // FRAME_RATE


def frame_count(samples: int) -> int:
    """Frames of a recording: every frame time k / 60 that lies inside it."""
    return -(-samples * FRAME_RATE // SAMPLE_RATE)


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


@cache
def mel_filters() -> NDArray[np.float32]:
    """float32 (257, 80): triangles on the HTK mel scale, unit height."""
    low, high = 2595 * np.log10(1 + np.array([LOW_HZ, HIGH_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


class LogMel:
    """Samples in, steps out; keeps the window's worth of samples that the next step still needs."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all audio: the next sample is sample 0."""
        self._kept = np.zeros(WINDOW, np.float32)
        self._kept_from = -WINDOW
        self._waiting: list[NDArray[np.float32]] = []
        self._received = 0
        self.steps = 0
        """Steps given so far."""

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (k, 160): the steps that `samples` (n,) completed, perhaps none."""
        self._waiting.append(samples)
        self._received += len(samples)
        ready = _steps_in(self._received) - self.steps
        if ready <= 0:
            return np.empty((0, STEP_WIDTH), np.float32)
        self._kept = np.concatenate([self._kept, *self._waiting])
        self._waiting.clear()
        first = self.steps * MEL_PER_STEP
        ends = (np.arange(first, first + ready * MEL_PER_STEP) + 1) * 400 // 3
        windows = self._kept[(ends - WINDOW - self._kept_from)[:, None] + np.arange(WINDOW)]
        self.steps += ready
        self._forget(step_end(self.steps - 1) - WINDOW)
        return _log_mel(windows).reshape(ready, STEP_WIDTH)

    def _forget(self, before: int) -> None:
        """Drop samples before absolute index `before`."""
        cut = before - self._kept_from
        if cut > 0:
            self._kept = self._kept[cut:].copy()
            self._kept_from = before


def _steps_in(samples: int) -> int:
    """Steps whose last sample is among the first `samples`: the largest n with floor(n * 800 / 3) <= samples."""
    return (3 * samples + 2) // 800 if samples >= 0 else 0


def _log_mel(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (m, 400) -> (m, 80), normalised."""
    spectrum = np.fft.rfft(windows * _window(), FFT)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    mel = np.log(power @ mel_filters() + np.float32(FLOOR))
    return np.asarray((mel - np.float32(MEAN)) / np.float32(SCALE), np.float32)
