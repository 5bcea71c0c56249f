"""Metrics of a session: counters, delays and levels, and frozen snapshots of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livelink_bridge.core.readings import Window, pace

_SILENCE_DBFS = -120.0
_MINUTE_S, _PACE_S = 60.0, 2.0
_MAX_READINGS = 4096
"""One minute at 60 per second, plus a margin for uneven ticks."""


@dataclass(frozen=True, slots=True)
class Device:
    """The audio input."""

    name: str
    """Name of the device or file."""
    rate_hz: int
    """Sample rate, Hz."""
    reopened: int = 0
    """Times it was lost and opened again."""


@dataclass(frozen=True, slots=True)
class Level:
    """Input level in dBFS: 0 is full scale, -120 and below is silence."""

    rms_dbfs: float | None = None
    """RMS; None without input."""
    peak_dbfs: float | None = None
    """Peak; None when not metered."""
    held_peak_dbfs: float | None = None
    """Peak hold, as on a level meter; None when not metered."""
    clips: int = 0
    """Clipped samples in the last second."""
    gain_db: float | None = None
    """Gain of the AGC, dB; None without AGC."""


@dataclass(frozen=True, slots=True)
class DelayParts:
    """Components of the median delay over the last minute, milliseconds; they add up to it."""

    lookahead_ms: float
    """Audio after its own time that a frame needs: look-ahead of network and resampler."""
    compute_ms: float
    """Inference time of one frame, median."""
    resampling_ms: float
    """Delay of a packet rate that does not divide 60."""
    added_ms: float
    """Delay requested by the user."""
    pacing_ms: float
    """Remainder: the block with the last sample, the tick, sending."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Delay from the arrival of a frame's audio (or its playback) to its packet, over the last minute of the clock."""

    median_ms: float
    """Milliseconds."""
    p99_ms: float
    """99th percentile, milliseconds."""
    parts: DelayParts | None = None
    """None when frames are computed ahead of playback."""
    capture_ms: float | None = None
    """Latency of the audio device's own buffer, before the delay and not part of it; None when unknown."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Counters of losses so far."""

    dropped: int = 0
    """Audio blocks and frames dropped: the machine is too slow."""
    held: int = 0
    """Ticks that repeated a frame during speech (underrun)."""
    overflows: int = 0
    """Input overflows reported by the audio device."""
    gaps: int = 0
    """Resets of the model because audio was lost."""
    bad_poses: int = 0
    """Frames with a value that was not finite; the channel's last valid value replaces it."""
    late_ticks: int = 0
    """Ticks skipped because the sender was delayed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver of frames."""

    name: str
    """Its URI."""
    sent: int
    """Frames that left this machine, or were written."""
    errors: int
    """Frames that could not be sent (ICMP port unreachable or OS error) or written."""
    trouble: str | None = None
    """Why frames do not arrive at present, one line; None when no problem is known."""


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """The monitor output: the voice on an output device, in sync with the face."""

    device: str
    """Name of the output device."""
    offset_ms: float
    """Delay of the voice after its frame; negative is earlier."""
    drift_ppm: float
    """Correction of the playback speed, parts per million."""
    trouble: str | None = None
    """Why nothing is audible, one line; None when all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Snapshot of a session. None stands for parts that it does not have."""

    state: str
    """Current activity, in words: "live", "no sound arrives", "playing" ..."""
    trouble: str | None = None
    """Why no audio is processed, one line; None when all is well."""
    fps: float = 0.0
    """Frames sent per second, over the last two seconds; falls to 0 when none is sent."""
    wanted_fps: float | None = None
    """Nominal frames per second."""
    sent: int = 0
    """Ticks on which a frame was sent to every sink."""
    timecode: str | None = None
    """`HH:MM:SS:FF` of the last frame sent."""
    delay: Delay | None = None
    """None when no frame showed its own audio in the last minute."""
    level: Level = Level()
    """Input level."""
    gate: float | None = None
    """Gain of the noise gate, 0 to 1, by which frames are multiplied: 0 closed (neutral), 1 open; None without gate."""
    mood: str | None = None
    """None is neutral."""
    device: Device | None = None
    """The audio input."""
    targets: tuple[Target, ...] = ()
    """The receivers."""
    losses: Losses = Losses()
    """Counters of losses."""
    voice_out: VoiceStatus | None = None
    """The monitor output."""


class Metrics:
    """Counters of one session. Each is written by one thread only; readers may see slightly old values."""

    def __init__(self) -> None:
        self.steps_s = Window(_MINUTE_S, _MAX_READINGS)
        """Inference time per frame, seconds."""
        self.delays_s = Window(_MINUTE_S, _MAX_READINGS)
        """Delay from a frame's own audio to its packet, seconds."""
        self.sent_s = Window(_PACE_S, _MAX_READINGS)
        """Clock times of packets, seconds."""
        self.level_dbfs: float | None = None
        """RMS of the last audio block; None before the first."""
        self.sound_s = 0.0
        """Duration of the audio processed, seconds."""
        self.heard_at_s: float | None = None
        """Clock time of the last audio block, seconds; None before the first."""
        self.sent = 0
        """Ticks on which a frame was sent to every sink."""
        self.frame: int | None = None
        """Frame number of the last frame sent, from its stamp."""
        self.failure: str | None = None
        """Why a live source ended; None while it runs."""

    def fps(self, now_s: float) -> float:
        """Frames per second over the two seconds before `now_s`, seconds of the session's clock."""
        return pace(self.sent_s.times_s(now_s), now_s)


@dataclass(frozen=True, slots=True)
class Summary:
    """Final figures of a session."""

    sent: int
    """Frames sent, or written to a take."""
    seconds: float
    """Duration of the animated audio."""
    delay_ms: float | None
    """Median delay over the last minute with frames; see `Delay`."""
    delay_p99_ms: float | None
    """99th percentile over the same minute."""
    step_ms: float | None
    """Median inference time, milliseconds per frame, over its last minute."""
    step_p99_ms: float | None
    """99th percentile over the same minute."""
    held: int
    """Ticks that repeated a frame during speech (underrun)."""
    dropped: int
    """Audio blocks and frames dropped."""
    overflows: int
    """Input overflows reported by the audio device."""
    gaps: int
    """Resets of the model because audio was lost."""
    bad_poses: int
    """Frames with a value that was not finite; the channel's last valid value replaces it."""
    sink_errors: int
    """Frames that were not delivered, over all targets; see `Target`."""
    late_ticks: int
    """Ticks skipped because the sender was delayed."""
    takes: tuple[str, ...] = ()
    """Files written."""
    troubles: tuple[str, ...] = ()
    """Why frames did not arrive at the end, one line per target where that is known."""

    @classmethod
    def of_take(cls, path: str, rows: int, metrics: Metrics, bad_poses: int) -> Summary:
        """Summary of a recording converted to a take, without pacing.

        Parameters
        ----------
        path : the take
        rows : frames written
        metrics : duration and inference times
        bad_poses : see the field
        """
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
    """RMS of float32 samples, in [-1, 1] and of any shape, in dBFS, at least -120."""
    power = float(np.mean(np.square(samples))) if samples.size else 0.0
    return max(_SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else _SILENCE_DBFS


def to_ms(seconds: float | None) -> float | None:
    """Seconds to milliseconds; None stays None."""
    return None if seconds is None else 1000 * seconds
