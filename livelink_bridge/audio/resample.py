"""Streaming resampler, from any rate to the network's.

A polyphase windowed-sinc filter of our own, because low delay matters more than a perfect response: soxr's streams
deliver their output in blocks, 21 ms late at the median and 37 ms at worst from 48 kHz (its variable-rate mode 12 ms),
more than everything else in the live path after the model's look-ahead may take together. This filter waits for half
its length: 1.5 ms above 16 kHz. It is flat to 6.7 kHz and 70 dB down where aliases would fall into speech.

Rates in a simple ratio have a row of weights for each phase. Others, 47,999 Hz say, would need 16,000 long rows: for
them the weights are interpolated between the rows of a table of bounded size. Either is made once for each pair of
rates and kept; see `prepare`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import Samples
from speech_to_face.streaming.features import SAMPLE_RATE

_ZERO_CROSSINGS = 24
"""Half the filter's length, in samples of the lower rate."""
_CUTOFF = 0.925
"""Middle of the filter's edge, as a part of the lower rate's Nyquist frequency."""
_KAISER_BETA = 6.76
"""70 dB."""
_SPAN, _SPAN_WEIGHTS = 4096, 1 << 21
"""Output samples, and weights, computed at a time, so that a large push needs little memory."""
_MAX_WEIGHTS = 1 << 15
"""Largest bank with a row for each phase. All rates in common use, 8 to 192 kHz, stay below it."""
_ROWS = 1024
"""Rows for each sample of the lower rate where weights are interpolated. A straight line between neighbours is at most
(pi / 1024)^2 / 8 from the curve, which is 118 dB below the sound."""
_BANKS = 32
"""Banks that are kept, 200 kB at most each."""


class Resampler:
    """Streaming rate conversion of one mono voice.

    Output sample i is the audio at input time i / `to_hz`, whatever the chunking; n input samples give
    ceil(n * to_hz / from_hz) after `flush`.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = from_hz
        divisor = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // divisor, from_hz // divisor
        self._bank = _bank(self._up, self._down)
        self._half = self._bank.half
        self.lookahead_s = self._half / from_hz
        """Seconds of audio after an output sample's own time that it needs."""
        self._offsets = np.arange(2 * self._half)
        self._span = max(1, min(_SPAN, _SPAN_WEIGHTS // max(1, 2 * self._half)))
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0."""
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
        for start in range(0, len(out), self._span):
            part = out[start : start + self._span]
            part[:] = self._outputs(self._given + start, len(part))
        self._given += len(out)
        self._forget()
        return out

    def flush(self) -> Samples:
        """The output samples still waiting for input, as if silence followed."""
        missing = -(-self._taken * self._up // self._down) - self._given
        return self.push(np.zeros(self._half, np.float32))[:missing]

    def _outputs(self, first: int, count: int) -> Samples:
        at = np.arange(first, first + count, dtype=np.int64) * self._down
        # Indexed directly: a sliding view costs more to make than a short block costs to filter.
        around = self._kept[(at // self._up - self._half + 1 - self._first)[:, None] + self._offsets]
        return self._bank.filtered(around, at % self._up)

    def _forget(self) -> None:
        oldest = self._given * self._down // self._up - self._half + 1
        self._kept = self._kept[oldest - self._first :].copy()
        self._first = oldest


def prepare(from_hz: int, to_hz: int = SAMPLE_RATE) -> None:
    """Compute the filter for these rates, so that a `Resampler` made later takes no time: call it where a rate becomes
    known."""
    divisor = math.gcd(from_hz, to_hz)
    _bank(to_hz // divisor, from_hz // divisor)


@dataclass(frozen=True, slots=True)
class _Bank:
    """The filter for `up / down`, as rows of weights for outputs between two input samples."""

    half: int
    """Input samples before and after an output sample that it takes; 0 where both rates are the same."""
    up: int
    rows: NDArray[np.float32]
    """float32 (rows, 2 * half): row r is for a sample r / `steps` after an input sample."""
    steps: int
    """`up` where each phase has its row, else rows for each input sample; then there is one more, to interpolate to."""

    def filtered(self, around: NDArray[np.float32], phases: NDArray[np.int64]) -> Samples:
        """float32 (n, 2 * half) inputs, int64 (n,) phases in units of 1 / `up` input samples -> float32 (n,)."""
        if self.up == 1:
            out: Samples = np.einsum("nt,t->n", around, self.rows[0])
            return out
        if self.steps == self.up:
            out = np.einsum("nt,nt->n", around, self.rows[phases])
            return out
        row, rest = np.divmod(phases * self.steps, self.up)
        share = (rest / self.up).astype(np.float32)
        before = np.einsum("nt,nt->n", around, self.rows[row])
        out = before + share * (np.einsum("nt,nt->n", around, self.rows[row + 1]) - before)
        return out


@functools.lru_cache(maxsize=_BANKS)
def _bank(up: int, down: int) -> _Bank:
    if up == down:
        return _Bank(0, up, np.ones((1, 1), np.float32), up)
    wider = max(1.0, down / up)
    half = math.ceil(_ZERO_CROSSINGS * wider)
    cutoff = min(1.0, up / down) * _CUTOFF
    if up * 2 * half <= _MAX_WEIGHTS:
        return _Bank(half, up, _weights(np.arange(up)[:, None] / up, half, cutoff), up)
    steps = math.ceil(_ROWS / wider)
    return _Bank(half, up, _weights(np.arange(steps + 1)[:, None] / steps, half, cutoff), steps)


def _weights(phase: NDArray[np.float64], half: int, cutoff: float) -> NDArray[np.float32]:
    """float32 (rows, 2 * half): for outputs `phase` (rows, 1) after an input sample, the weights of the inputs around
    them.

    `cutoff` is a part of the input's Nyquist frequency. Each row sums to 1.
    """
    distance = np.arange(1 - half, half + 1)[None, :] - phase
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None)))
    taps = np.sinc(cutoff * distance) * window
    weights: NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    weights.flags.writeable = False
    return weights
