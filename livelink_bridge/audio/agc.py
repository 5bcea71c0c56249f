"""Automatic gain control: brings every speaker to one level, whatever the microphone and the distance."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.noise_gate import Flags, Levels
from livelink_bridge.errors import UsageError
from speech_to_face.base import Samples
from speech_to_face.streaming.features import SAMPLE_RATE

_SHORT_S, _LONG_S = 0.2, 1.0
"""Power is averaged over the first, its level in decibels over the second: so the gain finds a whisper after a shout as
soon as the reverse."""
_RISE_DB_S, _FALL_DB_S = 12.0, 24.0
_LIMIT = 0.98
_RELEASE_S = 0.5
_SPAN = 4096
"""Samples limited at a time: the decay over more would underflow."""
_DECAY = math.exp(-1 / (_RELEASE_S * SAMPLE_RATE))


class AGC:
    """One voice's gain. It moves only while speech is sure and otherwise stays as it is: the AGC never amplifies room
    noise."""

    def __init__(self, target_dbfs: float = -20.0, range_db: float = 24.0) -> None:
        """
        Parameters
        ----------
        target_dbfs : RMS of speech to reach, -40 to -10 dBFS
        range_db : most that it amplifies or attenuates, 0 to 30 dB

        Raises
        ------
        UsageError outside these.
        """
        if not (-40 <= target_dbfs <= -10 and 0 <= range_db <= 30):
            raise UsageError(
                f"level control got {target_dbfs:g} dBFS within {range_db:g} dB, expected -40 to -10 and 0 to 30"
            )
        self._target_dbfs, self._range_db = target_dbfs, range_db
        self.reset()

    def reset(self) -> None:
        """Forget the voice: the gain is 0 dB again."""
        self.gain_db = 0.0
        """After the newest step."""
        self._steps = 0
        self._power = 0.0
        self._level_db = 0.0
        self._peak = 0.0
        self.resume()

    def resume(self) -> None:
        """Audio was lost: the next sample is the first of a step again. The gain stays."""
        self._gains = deque([self._gain()] * 2)
        self._oldest = -2
        self._position = 0

    def observe(self, levels: Levels, speech: Flags) -> None:
        """Learn from the next steps.

        Parameters
        ----------
        levels : float64 (n,), dBFS of the audio before this gain, one per step of 1/60 s
        speech : bool (n,), whether the step is surely speech
        """
        for level_dbfs, is_speech in zip(levels.tolist(), speech.tolist(), strict=True):
            if is_speech:
                self._learn(level_dbfs)
            self._gains.append(self._gain())

    def push(self, samples: Samples) -> Samples:
        """Amplify float32 (n,) at 16 kHz: float32 (n,) in [-1, 1], without delay.

        Within step h the gain goes from that known after step h - 2 to that after step h - 1; call `observe` first.
        """
        gains = np.array(self._gains)
        if gains.min() == gains.max():
            loud = samples.astype(np.float64) * gains[0]
        else:
            at = (self._position + np.arange(len(samples))) * (FRAME_RATE / SAMPLE_RATE) - (2 + self._oldest)
            loud = samples * np.interp(at, np.arange(len(gains)), gains)
        self._position += len(samples)
        self._forget(self._position * FRAME_RATE // SAMPLE_RATE - 2)
        for start in range(0, len(loud), _SPAN):
            self._limit(loud[start : start + _SPAN])
        return np.asarray(loud, np.float32)

    def _gain(self) -> float:
        return float(10 ** (self.gain_db / 20))

    def _learn(self, level_dbfs: float) -> None:
        self._steps += 1
        share = max(1 / self._steps, 1 / (_SHORT_S * FRAME_RATE))
        self._power += share * (10 ** (level_dbfs / 10) - self._power)
        share = max(1 / self._steps, 1 / (_LONG_S * FRAME_RATE))
        self._level_db += share * (10 * math.log10(self._power + 1e-12) - self._level_db)
        wanted_db = min(self._range_db, max(-self._range_db, self._target_dbfs - self._level_db))
        self.gain_db += min(_RISE_DB_S / FRAME_RATE, max(-_FALL_DB_S / FRAME_RATE, wanted_db - self.gain_db))

    def _limit(self, loud: NDArray[np.float64]) -> None:
        """Limiter: attenuate, in place, where a recent peak would leave the range; it recovers in about a second."""
        size = np.abs(loud)
        if max(self._peak, float(size.max())) <= _LIMIT:
            self._peak = 0.0  # peaks within the range change nothing, now or later
            return
        powers = _DECAY ** np.arange(1, len(loud) + 1)
        peaks = np.maximum(self._peak, np.maximum.accumulate(size / powers)) * powers
        loud *= np.minimum(1.0, _LIMIT / np.maximum(peaks, _LIMIT))
        self._peak = float(peaks[-1])

    def _forget(self, step: int) -> None:
        """Drop the gains known before step `step`."""
        while self._oldest < step and len(self._gains) > 2:
            self._gains.popleft()
            self._oldest += 1
