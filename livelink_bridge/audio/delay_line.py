"""Sound that is written now and read later, at a pace that bends: how a voice is kept in step with its face."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import Samples

_BEND = 0.005
"""Most that the pace may differ: a twelfth of a semitone, which nobody hears in speech."""
_LEAP_S = 0.15
"""Further off than this the position leaps instead: after a lost device, not for a clock's drift."""
_PULL, _LEARN = 0.4, 0.04
"""Of the loop that follows: part of the error taken back a second, and part a second squared that is learnt as drift.
Both clocks' jitter of milliseconds is averaged over seconds, and an oscillator 200 parts per million off ends with no
error."""


class DelayLine:
    """The last seconds of one voice. One thread writes, one reads."""

    def __init__(self, capacity: int) -> None:
        self._ring: NDArray[np.float32] = np.zeros(capacity, np.float32)
        self._end = 0
        self._lock = threading.Lock()

    @property
    def end(self) -> int:
        """Index after the newest sample."""
        return self._end

    def write(self, start: int, samples: Samples) -> None:
        """Samples from index `start` on; what was left out since the last ones is silence."""
        forgotten = max(0, len(samples) - len(self._ring))
        start, samples = start + forgotten, samples[forgotten:]
        with self._lock:
            first = max(self._end, start - len(self._ring))
            if start > first:
                self._ring[np.arange(first, start) % len(self._ring)] = 0
            self._ring[np.arange(start, start + len(samples)) % len(self._ring)] = samples
            self._end = start + len(samples)

    def read(self, position: float, step: float, count: int) -> Samples:
        """float32 (count,): the sound at `position`, `position + step` ..., silence where there is none (any more, or
        yet).

        Between samples a cubic through the four around (Catmull-Rom).
        """
        at = position + step * np.arange(count)
        whole = np.floor(at).astype(np.int64)
        part = (at - whole).astype(np.float32)
        with self._lock:
            around = whole[:, None] + np.arange(-1, 3)
            known = (around >= max(0, self._end - len(self._ring))) & (around < self._end)
            a, b, c, d = np.where(known, self._ring[around % len(self._ring)], np.float32(0)).T
        out: Samples = b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)))
        return out


class Follower:
    """A position that moves evenly and is led, by its pace alone, to where it should be."""

    def __init__(self) -> None:
        self.error_s = 0.0
        """How far behind the position was when it was last asked for, seconds of sound."""
        self.leaps = 0
        self._position: float | None = None
        self._drift = 0.0

    @property
    def drift_ppm(self) -> float:
        """How much faster than nominal it goes in the long run, parts per million."""
        return 1e6 * self._drift

    def lost(self) -> None:
        """Whatever comes next begins anew."""
        self._position = None

    def advance(self, target: float, count: int, from_hz: int, to_hz: int) -> tuple[float, float]:
        """Position of the first of `count` output samples and the step between them, in samples at `from_hz`.

        `target` is where the first one should be.
        """
        if self._position is None or abs(target - self._position) > _LEAP_S * from_hz:
            self.leaps += self._position is not None
            self._position = target
        self.error_s = (target - self._position) / from_hz
        passed_s = count / to_hz
        self._drift = _within(self._drift + _LEARN * self.error_s * passed_s)
        step = from_hz / to_hz * (1 + _within(self._drift + _PULL * self.error_s))
        first = self._position
        self._position += step * count
        return first, step


def _within(bend: float) -> float:
    return min(_BEND, max(-_BEND, bend))
