"""How loud the sound of each pose is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import Samples

_SILENCE_DBFS = -120.0


class FrameLevels:
    """RMS of each 1/60 s of one voice, kept until its pose asks for it. Hop n is the sound between samples n and n + 1
    times rate / 60."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """The next sample is the first of pose 0's."""
        self._hops = self._given = 0
        self._unfinished = np.zeros(0, np.float32)
        self._levels: NDArray[np.float32] = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> None:
        """The next samples, float32 (n,)."""
        sound = np.concatenate([self._unfinished, samples])
        first = self._edge(self._hops)
        # Hop n is complete with sample floor((n + 1) rate / 60): so many are, counted from the source's first sample.
        ready = (FRAME_RATE * (first + len(sound) + 1) - 1) // self._rate - self._hops
        self._unfinished = sound
        if ready:
            self._measure(sound, first, ready)

    def take(self, count: int) -> NDArray[np.float32]:
        """float32 (count,) dBFS of the next poses, at least -120; poses after the last sound are silent."""
        taken, self._levels = self._levels[:count], self._levels[count:]
        return np.concatenate([taken, np.full(count - len(taken), _SILENCE_DBFS, np.float32)])

    def _measure(self, sound: Samples, first: int, ready: int) -> None:
        edges = np.arange(self._hops, self._hops + ready + 1) * self._rate // FRAME_RATE - first
        energy = np.add.reduceat(np.square(sound[: edges[-1]], dtype=np.float64), edges[:-1])
        levels = 10 * np.log10(energy / np.diff(edges) + 1e-12)
        self._levels = np.concatenate([self._levels, levels.astype(np.float32)])
        self._unfinished = sound[edges[-1] :]
        self._hops += ready

    def _edge(self, hop: int) -> int:
        return hop * self._rate // FRAME_RATE
