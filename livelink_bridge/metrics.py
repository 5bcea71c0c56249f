"""What a session counts and measures, readable at any time as a frozen snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SILENCE_DBFS = -120.0


class Recent:
    """The last `capacity` readings of one quantity. One thread adds, any reads."""

    def __init__(self, capacity: int) -> None:
        self._values = np.zeros(capacity)
        self.count = 0
        """Readings ever taken."""

    def add(self, value: float) -> None:
        self._values[self.count % len(self._values)] = value
        self.count += 1

    def values(self) -> NDArray[np.float64]:
        """float64 (n,), in no particular order."""
        return self._values[: self.count].copy()

    def percentile(self, percent: float) -> float | None:
        """None before the first reading."""
        known = self._values[: self.count]
        return float(np.percentile(known, percent)) if len(known) else None


@dataclass(frozen=True, slots=True)
class Status:
    """A session, as of now."""

    state: str
    """What it is doing, in words: "live", "no sound arrives", "playing" ..."""
    fps: float
    """Poses sent per second, over the last seconds."""
    delay_ms: float | None
    """Median of the last minute, from the moment a pose's own sound was handed over (or heard, when playing) to its packet."""
    delay_p99_ms: float | None
    level_dbfs: float
    """Loudness of the last block of sound, RMS, 0 is full scale."""
    sent: int
    """Ticks on which a pose went to every sink."""
    dropped: int
    """Blocks of sound and poses thrown away: the machine is too slow."""
    held: int
    """Ticks that had to repeat a pose while a voice was followed."""
    overflows: int
    """Times the sound device says it lost sound."""


class Metrics:
    """Counters of one session. Each is written by one thread only; the reader gets what was true a moment ago."""

    def __init__(self) -> None:
        self.steps_s = Recent(3600)
        self.delays_s = Recent(3600)
        self.sent_at_s = Recent(120)
        self.level_dbfs = _SILENCE_DBFS
        self.sound_s = 0.0
        self.heard_at_s: float | None = None
        """Clock time of the last block of sound."""
        self.sent = 0
        self.failure: str | None = None
        """Why a live source ended, when it did."""

    def fps(self) -> float:
        """Poses per second over the last two seconds' worth of them."""
        known = np.sort(self.sent_at_s.values())
        return float((len(known) - 1) / (known[-1] - known[0])) if len(known) > 1 and known[-1] > known[0] else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """A session, when it is over."""

    sent: int
    """Poses sent, or written to a take."""
    seconds: float
    """Length of the sound that was animated."""
    delay_ms: float | None
    """Median; see `Status`."""
    delay_p99_ms: float | None
    step_ms: float | None
    """Median time of one push into the model that gave poses, milliseconds per pose."""
    step_p99_ms: float | None
    held: int
    dropped: int
    overflows: int
    gaps: int
    """Times the model had to start afresh because sound was lost."""
    bad_poses: int
    """Poses replaced because the model gave nonsense."""
    sink_errors: int
    """Poses that a receiver refused or the system could not send."""
    late_ticks: int
    """Ticks left out because the sender was held up."""
    takes: tuple[str, ...] = ()
    """Files written."""

    @classmethod
    def of_take(cls, path: str, rows: int, metrics: Metrics, bad_poses: int) -> Summary:
        """For a recording that was written as a take: nothing was paced, nothing could be late."""
        return cls(
            sent=rows,
            seconds=metrics.sound_s,
            delay_ms=None,
            delay_p99_ms=None,
            step_ms=to_ms(metrics.steps_s.percentile(50)),
            step_p99_ms=to_ms(metrics.steps_s.percentile(99)),
            held=0,
            dropped=0,
            overflows=0,
            gaps=0,
            bad_poses=bad_poses,
            sink_errors=0,
            late_ticks=0,
            takes=(path,),
        )


def level_dbfs(samples: NDArray[np.float32]) -> float:
    """RMS of float32 samples in decibels below full scale, at least -120."""
    power = float(np.mean(np.square(samples))) if samples.size else 0.0
    return max(_SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else _SILENCE_DBFS


def to_ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
