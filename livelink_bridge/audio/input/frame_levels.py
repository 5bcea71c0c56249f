"""How loud the audio of each frame is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from speech_to_face.base import Samples

SILENCE_DBFS = -120.0
_NONE: NDArray[np.float32] = np.zeros(0, np.float32)


class FrameLevels:
    """RMS of each 1/60 s of one voice. Frame n is the audio between samples n and n + 1 times rate / 60."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """The next sample is the first of a frame."""
        self._frames = 0
        self._unfinished = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> NDArray[np.float32]:
        """Take float32 (n,), return float32 (k,): dBFS, at least -120, of the frames that are complete now."""
        sound = np.concatenate([self._unfinished, samples])
        first = self._frames * self._rate // FRAME_RATE
        # Frame n is complete with sample floor((n + 1) rate / 60), counted from the first.
        ready = (FRAME_RATE * (first + len(sound) + 1) - 1) // self._rate - self._frames
        self._unfinished = sound
        return self._measured(sound, first, ready) if ready else _NONE

    def _measured(self, sound: Samples, first: int, ready: int) -> NDArray[np.float32]:
        edges = np.arange(self._frames, self._frames + ready + 1) * self._rate // FRAME_RATE - first
        energy = np.add.reduceat(np.square(sound[: edges[-1]], dtype=np.float64), edges[:-1])
        self._unfinished = sound[edges[-1] :]
        self._frames += ready
        levels: NDArray[np.float32] = (10 * np.log10(energy / np.diff(edges) + 1e-12)).astype(np.float32)
        return levels
