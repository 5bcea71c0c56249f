"""Any rate and any number of channels to mono at the model's rate, as the sound arrives.

A polyphase windowed-sinc filter of our own, because it must be early rather than perfect: soxr's streams hand their output
over in blocks, 21 ms late in the middle and 37 ms at worst from 48 kHz (its variable-rate mode 12 ms), which is more than
everything else in the live path after the model's look-ahead may take together. This filter waits for half its length:
1.5 ms above 16 kHz. It is flat to 6.7 kHz and 70 dB down where aliases would fall into speech.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from speech_to_face.base import Samples

_ZERO_CROSSINGS = 24
"""Half the filter's length, in samples of the lower rate."""
_CUTOFF = 0.925
"""Middle of the filter's edge, as a part of the lower rate's Nyquist frequency."""
_KAISER_BETA = 6.76
"""70 dB."""
_SPAN = 4096
"""Output samples computed at a time, so that a large push needs little memory."""


def mono(samples: NDArray[np.float32]) -> Samples:
    """Mean of the channels: float32 (n,) or (n, channels) -> float32 (n,), finite and in [-1, 1]."""
    # Summed column by column: numpy's mean over a short last axis takes fifteen times as long.
    mixed = sum(samples.T[1:], samples.T[0]) / np.float32(samples.shape[1]) if samples.ndim == 2 else samples
    voice: Samples = np.clip(np.nan_to_num(mixed, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    return voice


class Resampler:
    """Streaming rate conversion of one mono voice.

    Output sample i is the sound at input time i / `to_hz`, whatever the chunking; n input samples give
    ceil(n * to_hz / from_hz) after `flush`.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        divisor = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // divisor, from_hz // divisor
        self._half = 0 if from_hz == to_hz else math.ceil(_ZERO_CROSSINGS * from_hz / min(from_hz, to_hz))
        self.lookahead_s = self._half / from_hz
        """Seconds of sound after an output sample's own time that it needs."""
        self._phases = _filter_bank(self._up, self._half, min(1.0, to_hz / from_hz) * _CUTOFF)
        self._span = np.arange(2 * self._half)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard: the next sample is sample 0."""
        self._taken = 0
        self._given = 0
        self._first = 1 - self._half
        """Input index of the oldest sample kept; before 0 there is silence."""
        self._kept = np.zeros(max(0, self._half - 1), np.float32)

    def push(self, samples: Samples) -> Samples:
        """Take float32 (n,), return float32 (m,): the output samples that became ready."""
        self._taken += len(samples)
        if not self._half:
            self._given += len(samples)
            return samples
        self._kept = np.concatenate([self._kept, samples])
        ready = max(0, ((self._taken - self._half) * self._up - 1) // self._down + 1)
        out = np.empty(max(0, ready - self._given), np.float32)
        for start in range(0, len(out), _SPAN):
            part = out[start : start + _SPAN]
            part[:] = self._outputs(self._given + start, len(part))
        self._given += len(out)
        self._forget()
        return out

    def flush(self) -> Samples:
        """The output samples still waiting for sound, as if silence followed."""
        missing = -(-self._taken * self._up // self._down) - self._given
        return self.push(np.zeros(self._half, np.float32))[:missing]

    def _outputs(self, first: int, count: int) -> Samples:
        at = np.arange(first, first + count, dtype=np.int64) * self._down
        # Indexed directly: a sliding view costs more to make than a short block costs to filter.
        around = self._kept[(at // self._up - self._half + 1 - self._first)[:, None] + self._span]
        if self._up == 1:
            out: Samples = np.einsum("nt,t->n", around, self._phases[0])
        else:
            out = np.einsum("nt,nt->n", around, self._phases[at % self._up])
        return out

    def _forget(self) -> None:
        oldest = self._given * self._down // self._up - self._half + 1
        self._kept = self._kept[oldest - self._first :].copy()
        self._first = oldest


def _filter_bank(phases: int, half: int, cutoff: float) -> NDArray[np.float32]:
    """float32 (phases, 2 * half): for an output `phase / phases` after an input sample, the weights of the inputs around it.

    `cutoff` is a part of the input's Nyquist frequency. Each row sums to 1.
    """
    if not half:
        return np.ones((1, 1), np.float32)
    distance = np.arange(1 - half, half + 1)[None, :] - np.arange(phases)[:, None] / phases
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None)))
    taps = np.sinc(cutoff * distance) * window
    bank: NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return bank
