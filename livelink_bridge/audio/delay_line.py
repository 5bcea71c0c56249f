"""A delay line read at a variable rate: keeps a voice in step with its face while the clocks drift."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from speech_to_face.base import Samples

_BEND = 0.005
"""Most that the rate may differ from nominal: a twelfth of a semitone, inaudible in speech."""
_LEAP_S = 0.15
"""Further off than this the position jumps instead: after a lost device, not for a clock's drift."""
_PULL, _LEARN = 0.4, 0.04
"""Loop gains: part of the error corrected per second, and part per second squared that is learned as drift. Jitter of
milliseconds is averaged over seconds, and an oscillator that is 200 ppm off ends with no error."""


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
        """Write float32 (n,) from index `start` on; samples that were skipped since the last ones are silence."""
        forgotten = max(0, len(samples) - len(self._ring))
        start, samples = start + forgotten, samples[forgotten:]
        with self._lock:
            first = max(self._end, start - len(self._ring))
            if start > first:
                self._ring[np.arange(first, start) % len(self._ring)] = 0
            self._ring[np.arange(start, start + len(samples)) % len(self._ring)] = samples
            self._end = start + len(samples)

    def read(self, position: float, step: float, count: int) -> Samples:
        """float32 (count,): the audio at `position`, `position + step` ..., in samples; silence where there is none any
        more, or yet. Between samples a cubic through the four around (Catmull-Rom).
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
    """A read position that moves evenly; its rate alone steers it to where it should be."""

    def __init__(self) -> None:
        self.error_s = 0.0
        """How far behind the position was at the last `advance`, seconds of audio."""
        self.leaps = 0
        self._position: float | None = None
        self._drift = 0.0

    @property
    def drift_ppm(self) -> float:
        """How much faster than nominal it goes in the long run, parts per million."""
        return 1e6 * self._drift

    def lost(self) -> None:
        """The next position begins anew."""
        self._position = None

    def advance(self, target: float, count: int, from_hz: int, to_hz: int) -> tuple[float, float]:
        """Position of the first of `count` output samples and the step between them, in samples at `from_hz`.

        Parameters
        ----------
        target : where the first one should be, in samples at `from_hz`
        count : output samples that will be read
        from_hz, to_hz : rates of the line and of the output
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
