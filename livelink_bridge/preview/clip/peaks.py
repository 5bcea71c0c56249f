"""Waveform peaks at every zoom level: minimum and maximum sample of each interval, in tiles, from two hours down to a
phone.

The finest interval is 1/600 s, a tenth of a frame; an interval of each further level is four of the one below. Two
hours are some 24 MB, whatever the file's rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.audio.downmix import mono
from livelink_bridge.core.clock import MonotonicClock
from livelink_bridge.errors import UsageError
from livelink_bridge.sources.audio_file import WavSource, no_warning
from speech_to_face.base import Samples

FINEST_HZ = 600
"""Stretches a second on level 0: ten for each pose."""
FACTOR = 4
TILE = 1024
"""Stretches in a tile."""
_BLOCK_S = 10.0
_FULL = 32767
_Pairs = NDArray[np.int16]
"""int16 (k, 2): lowest and highest, of 32767."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The waveform of one recording."""

    levels: tuple[_Pairs, ...]
    """Finest first; the last fits into one tile."""
    duration_s: float

    @staticmethod
    def of(path: Path) -> Peaks:
        """Of a sound file, in memory that does not grow with its samples. Raises SourceError as the command line
        does."""
        source = WavSource(path, clock=MonotonicClock(), block_s=_BLOCK_S, allow_cut=True, warn=no_warning)
        builder = PeaksBuilder(source.sample_rate)
        for block in source.blocks():
            builder.push(mono(block.samples))
        return builder.finish()

    def tiles(self, level: int) -> int:
        """How many tiles a level has. Raises UsageError where there is no such level."""
        return -(-len(self._level(level)) // TILE)

    def tile(self, level: int, index: int) -> NDArray[np.float32]:
        """float32 (k, 2): lowest and highest in [-1, 1] of stretches `index * TILE` and on; k is TILE but in the last
        tile.

        Raises UsageError for a tile that is not there.
        """
        pairs = self._level(level)
        if not 0 <= index < self.tiles(level):
            raise UsageError(f"got waveform tile {index} of level {level}, expected 0 to {self.tiles(level) - 1}")
        return (pairs[index * TILE : (index + 1) * TILE] / np.float32(_FULL)).astype(np.float32)

    def _level(self, level: int) -> _Pairs:
        if not 0 <= level < len(self.levels):
            raise UsageError(f"got waveform level {level}, expected 0 to {len(self.levels) - 1}")
        return self.levels[level]


class PeaksBuilder:
    """Takes the sound as it is read. Stretch j is of the samples from ceil(j * rate / 600) on; one without a sample
    repeats the last."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._samples = 0
        self._kept = np.zeros(0, np.float32)
        self._pairs: list[_Pairs] = []
        self._stretches = 0
        self._last = np.zeros(2, np.int16)

    def push(self, samples: Samples) -> None:
        """The next samples, float32 (n,) in [-1, 1]; what is no number is silence."""
        sound = np.concatenate([self._kept, np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1, 1)])
        begun = self._samples - len(self._kept)
        self._samples += len(samples)
        whole = self._samples * FINEST_HZ // self._rate
        self._kept = self._take(sound, begun, whole)

    def finish(self) -> Peaks:
        """The waveform; what is left of the last stretch is one of its own."""
        if len(self._kept):
            self._pairs.append(_lowest_highest(self._kept, np.zeros(1, np.intp)))
        levels = [np.concatenate([np.zeros((0, 2), np.int16), *self._pairs])]
        while len(levels[-1]) > TILE:
            levels.append(_coarser(levels[-1]))
        return Peaks(tuple(levels), self._samples / self._rate)

    def _take(self, sound: Samples, begun: int, whole: int) -> Samples:
        """Stretches up to number `whole` from sound that begins at sample `begun`; the sound after them."""
        if whole <= self._stretches:
            return sound
        edges = -(-np.arange(self._stretches, whole + 1, dtype=np.int64) * self._rate // FINEST_HZ) - begun
        if edges[-1] > len(sound):
            whole, edges = whole - 1, edges[:-1]
        if len(edges) < 2:
            return sound
        filled = np.diff(edges) > 0
        pairs = np.zeros((len(edges) - 1, 2), np.int16)
        pairs[filled] = _lowest_highest(sound[: edges[-1]], edges[:-1][filled])
        if not filled.all():  # fewer than 600 samples a second
            known = np.maximum.accumulate(np.where(filled, np.arange(1, len(pairs) + 1), 0))
            pairs = np.concatenate([self._last[None], pairs])[known]
        self._pairs.append(pairs)
        self._last, self._stretches = pairs[-1], whole
        return sound[edges[-1] :].copy()


def _lowest_highest(sound: Samples, starts: NDArray[np.intp]) -> _Pairs:
    low, high = np.minimum.reduceat(sound, starts), np.maximum.reduceat(sound, starts)
    return np.stack([np.floor(low * _FULL), np.ceil(high * _FULL)], 1).astype(np.int16)


def _coarser(pairs: _Pairs) -> _Pairs:
    starts = np.arange(0, len(pairs), FACTOR)
    return np.stack([np.minimum.reduceat(pairs[:, 0], starts), np.maximum.reduceat(pairs[:, 1], starts)], 1)
