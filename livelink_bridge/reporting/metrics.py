"""What a session counts and measures, readable at any time as a frozen snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.readings import Window, pace

_SILENCE_DBFS = -120.0
_MINUTE_S, _PACE_S = 60.0, 2.0
_MOST_READINGS = 4096
"""A minute at 60 a second, and some for an uneven beat."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where the sound comes from."""

    name: str
    rate_hz: int
    reopened: int = 0
    """Times it was lost and found again."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud the sound is as it comes in. Levels are dBFS: 0 is full scale, -120 and below is silence."""

    rms_dbfs: float | None = None
    """None where no sound comes in."""
    peak_dbfs: float | None = None
    """None where nobody meters peaks."""
    held_peak_dbfs: float | None = None
    """The highest of the last moments, as a meter's mark."""
    clips: int = 0
    """Samples cut off in the last second."""
    gain_db: float | None = None
    """What a level control adds; None where there is none."""


@dataclass(frozen=True, slots=True)
class DelayParts:
    """What the median delay is made of, milliseconds, over the last minute. They add up to it."""

    lookahead_ms: float
    """Sound after its own moment that a pose waits for, network and resampler together."""
    compute_ms: float
    """One pose, median."""
    resampling_ms: float
    """What a packet rate that does not divide 60 takes."""
    added_ms: float
    """What was asked for on top."""
    pacing_ms: float
    """The rest: the block that holds the last sample, the even beat, sending."""


@dataclass(frozen=True, slots=True)
class Delay:
    """From the moment a pose's own sound was handed over (or heard, when playing) to its packet, over the last minute
    by the clock."""

    median_ms: float
    p99_ms: float
    parts: DelayParts | None = None
    """None where poses are made ahead of what is heard."""
    capture_ms: float | None = None
    """Before that: what the sound device says its own buffer holds. Not in the median. None where no device says so."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What went wrong so far, counted."""

    dropped: int = 0
    """Blocks of sound and poses thrown away: the machine is too slow."""
    held: int = 0
    """Ticks that had to repeat a pose while a voice was followed."""
    overflows: int = 0
    """Times the sound device says it lost sound."""
    gaps: int = 0
    """Times the model had to start afresh because sound was lost."""
    bad_poses: int = 0
    """Poses with a value that was not finite, in whose place the channel's last one stands."""
    late_ticks: int = 0
    """Ticks left out because the sender was held up."""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver of poses."""

    name: str
    """Its URI."""
    sent: int
    """Poses that left this machine, or were written."""
    errors: int
    """Poses that were refused, since nobody listens there, or that the system could not send or write."""
    trouble: str | None = None
    """Why they do not arrive just now, one line; None when all is well as far as is known."""


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """The voice on an output, in step with the face."""

    device: str
    offset_ms: float
    """How much later than its pose the voice is heard; negative is earlier."""
    drift_ppm: float
    """How much faster than nominal it is played to stay in step, parts per million."""
    trouble: str | None = None
    """Why nothing is heard, one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A session, as of now. What it does not have is None."""

    state: str
    """What it is doing, in words: "live", "no sound arrives", "playing" ..."""
    trouble: str | None = None
    """Why no sound is followed, one line; None when all is well."""
    fps: float = 0.0
    """Poses sent per second, over the last two seconds; it falls to 0 when none is sent."""
    wanted_fps: float | None = None
    """As many as there should be."""
    sent: int = 0
    """Ticks on which a pose went to every sink."""
    timecode: str | None = None
    """`HH:MM:SS:FF` of the last pose sent."""
    delay: Delay | None = None
    """None where no pose showed its own sound in the last minute."""
    level: Level = Level()
    gate: float | None = None
    """The gate's gain, 0 to 1: what poses are multiplied with. 0 is neutral, 1 the whole pose; None where there is no
    gate."""
    mood: str | None = None
    """None is neutral."""
    device: Device | None = None
    targets: tuple[Target, ...] = ()
    losses: Losses = Losses()
    voice_out: VoiceStatus | None = None


class Metrics:
    """Counters of one session. Each is written by one thread only; the reader gets what was true a moment ago."""

    def __init__(self) -> None:
        self.steps_s = Window(_MINUTE_S, _MOST_READINGS)
        """Seconds that the model took for a pose."""
        self.delays_s = Window(_MINUTE_S, _MOST_READINGS)
        """Seconds from a pose's own sound to its packet."""
        self.sent_s = Window(_PACE_S, _MOST_READINGS)
        """Clock times of packets."""
        self.level_dbfs: float | None = None
        """Of the block of sound that came last; None before the first."""
        self.sound_s = 0.0
        self.heard_at_s: float | None = None
        """Clock time of the last block of sound."""
        self.sent = 0
        self.frame: int | None = None
        """Frame number of the last pose sent, as its stamp has it."""
        self.failure: str | None = None
        """Why a live source ended, when it did."""

    def fps(self, now_s: float) -> float:
        """Poses per second over the two seconds before `now_s`."""
        return pace(self.sent_s.times_s(now_s), now_s)


@dataclass(frozen=True, slots=True)
class Summary:
    """A session, when it is over."""

    sent: int
    """Poses sent, or written to a take."""
    seconds: float
    """Length of the sound that was animated."""
    delay_ms: float | None
    """Median, over the last minute that had poses; see `Delay`."""
    delay_p99_ms: float | None
    """99th percentile, over the same minute."""
    step_ms: float | None
    """Median time of one push into the model that gave poses, milliseconds per pose, over its last minute."""
    step_p99_ms: float | None
    """99th percentile, over the same minute."""
    held: int
    dropped: int
    overflows: int
    gaps: int
    """Times the model had to start afresh because sound was lost."""
    bad_poses: int
    """Poses with a value that was not finite, in whose place the channel's last one stands."""
    sink_errors: int
    """Poses that were not delivered, of all targets together; see `Target`."""
    late_ticks: int
    """Ticks left out because the sender was held up."""
    takes: tuple[str, ...] = ()
    """Files written."""
    troubles: tuple[str, ...] = ()
    """Why poses did not arrive at the end, a line for each target of which that is known."""

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
