"""Streaming downmix of any number of audio channels to mono, also where channels cancel each other.

A cable with swapped wires inverts one channel, and the mean of both is silence. Whether channels cancel is decided by
the power of the last 0.1 s, in steps of 10 ms counted from the first sample, so the chunking changes nothing. Changing
from one mix to the other takes 20 ms, so nothing clicks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.frames import AudioBlock
from speech_to_face.audio_files.channels import CANCELLED, FAINT, mean_of, share_left
from speech_to_face.base import Samples

_STEPS_PER_S = 100
_MEMORY_S = 0.1
"""Over which power is averaged, exponentially."""
_KEPT = math.exp(-1 / (_STEPS_PER_S * _MEMORY_S))
_GOOD_AGAIN = 0.4
"""Part of the power that unrelated channels would leave in the mean: above it the mean is taken again."""
_FADE_STEPS = 2

_log = logging.getLogger(__name__)


def mono(samples: NDArray[np.float32]) -> Samples:
    """Mean of the channels: float32 (n,) or (n, channels) -> float32 (n,), finite and in [-1, 1]."""
    return _clean(mean_of(samples) if samples.ndim == 2 else samples)


def warn_of_polarity(channel: int) -> None:
    """Warn in the log that audio channels cancel; `channel` is the one that is taken, from 1."""
    _log.warning(
        "the channels cancel each other, having opposite polarity; channel %d, the louder, is taken alone", channel
    )


class Mixer:
    """Mixes one voice's audio channels to mono, without delay, in memory that does not grow.

    `say` is called once when channels cancel, with the number of the one that is taken, from 1.
    """

    def __init__(self, say: Callable[[int], None] = lambda _channel: None) -> None:
        self._say, self._said = say, False
        self._layout = (0, 0)

    def reset(self) -> None:
        """Forget everything: the next sample begins a step."""
        self._layout = (0, 0)

    def push(self, samples: NDArray[np.float32], rate: int) -> Samples:
        """Take float32 (n,) or (n, channels) at `rate` Hz, return float32 (n,), finite and in [-1, 1]: the mean, or the
        louder channel where they cancel."""
        if samples.ndim == 1 or samples.shape[1] == 1 or not len(samples):
            return mono(samples)
        if self._layout != (samples.shape[1], rate):
            self._begin(samples.shape[1], rate)
        starts = [0, *range(self._step - self._filled, len(samples), self._step)]
        out, since = np.empty(len(samples), np.float32), 0
        for start, end, energies in zip(starts, [*starts[1:], len(samples)], _energies(samples, starts), strict=True):
            before, fading, filled = self._channel, self._fading, self._filled
            if fading:
                out[start:end] = self._between(samples[start:end], filled)
                since = end
            self._count(energies, end - start)
            if self._fading and not fading:
                out[since:end] = _one(samples[since:end], before)
                since = end
        out[since:] = _one(samples[since:], self._channel)
        return out

    def _begin(self, channels: int, rate: int) -> None:
        self._layout = (channels, rate)
        self._step, self._filled = max(1, rate // _STEPS_PER_S), 0
        self._sums, self._powers = [0.0] * (channels + 1), [0.0] * (channels + 1)
        self._channel: int | None = None
        """The channel that is taken; None is the mean."""
        self._from: int | None = None
        self._fading = 0
        """Steps until all of the audio is from `_channel`."""

    def _count(self, energies: list[float], count: int) -> None:
        self._sums = [before + more for before, more in zip(self._sums, energies, strict=True)]
        self._filled += count
        if self._filled < self._step:
            return
        self._powers = [
            _KEPT * power + (1 - _KEPT) * sum_ / self._step
            for power, sum_ in zip(self._powers, self._sums, strict=True)
        ]
        self._filled, self._sums = 0, [0.0] * len(self._sums)
        if self._fading:
            self._fading -= 1
        else:
            self._decide()

    def _decide(self) -> None:
        *each, mixed = self._powers
        if max(each) <= FAINT:
            return
        left = share_left(each, mixed)
        if self._channel is None and left < CANCELLED:
            self._change(each.index(max(each)))
        elif self._channel is not None and left > _GOOD_AGAIN:
            self._change(None)

    def _change(self, channel: int | None) -> None:
        self._from, self._channel, self._fading = self._channel, channel, _FADE_STEPS
        if channel is not None and not self._said:
            self._said = True
            self._say(channel + 1)

    def _between(self, samples: NDArray[np.float32], filled: int) -> Samples:
        done = (_FADE_STEPS - self._fading) * self._step + filled
        share = ((done + np.arange(len(samples))) / (_FADE_STEPS * self._step)).astype(np.float32)
        before, after = _one(samples, self._from), _one(samples, self._channel)
        mixed: Samples = before + share * (after - before)
        return mixed


def mixed_down(blocks: Iterable[AudioBlock]) -> Iterator[AudioBlock]:
    """The same blocks with one channel each, float32 (n,), mixed once for all that read them."""
    mixer, expected = Mixer(warn_of_polarity), 0
    for block in blocks:
        if block.samples.ndim == 2:
            if block.start != expected or not len(block.samples):
                mixer.reset()
            expected = block.end
            block = replace(block, samples=mixer.push(block.samples, block.sample_rate))
        yield block


def _one(samples: NDArray[np.float32], channel: int | None) -> Samples:
    return mono(samples) if channel is None else _clean(samples[:, channel])


def _clean(voice: NDArray[np.float32]) -> Samples:
    if not len(voice) or -1.0 <= voice.min() <= voice.max() <= 1.0:  # False where one is not a number
        return voice
    found: Samples = np.clip(np.nan_to_num(voice, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    return found


def _energies(samples: NDArray[np.float32], starts: list[int]) -> list[list[float]]:
    """Energy of each channel and of the mean, for each segment that begins at one of `starts`."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square(np.column_stack([samples, mean_of(samples)]), dtype=np.float64)
    found: list[list[float]] = np.nan_to_num(np.add.reduceat(squares, starts, axis=0), posinf=0.0).tolist()
    return found
