"""Status and summary of one session, read from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from livelink_bridge.audio.level_meter import LevelMeter
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.face import Face
from livelink_bridge.reporting.metrics import (
    Delay,
    DelayParts,
    Device,
    Level,
    Losses,
    Metrics,
    Status,
    Summary,
    Target,
    VoiceStatus,
    to_ms,
)
from livelink_bridge.session.playback.voice_monitor import VoiceMonitor
from livelink_bridge.session.sender import Sender
from livelink_bridge.sinks.base import HearsBack, SeveralSinks, Sink
from livelink_bridge.sources.base import Captured, Source
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.timing.timebase import Timebase

_SILENT_S = 1.0
"""A live source that delivers nothing for so long is reported as silent."""


class Chain(Protocol):
    """An input chain, as far as it is shown."""

    @property
    def meter(self) -> LevelMeter:
        """Of the input, before any gain."""
        ...

    @property
    def gain_db(self) -> float:
        """What the AGC adds now, dB."""
        ...

    @property
    def gated(self) -> bool:
        """Whether the gate acts on the face."""
        ...

    @property
    def gate(self) -> float:
        """Gate gain, 0 closed to 1 open."""
        ...


class Inference(Protocol):
    """What makes the frames, as far as it is shown: an `Animator`, or nothing where a take is played."""

    @property
    def gaps(self) -> int:
        """Times that samples were missing."""
        ...

    @property
    def bad_poses(self) -> int:
        """Frames with a value that was not finite."""
        ...

    @property
    def lookahead_s(self) -> float:
        """Seconds of audio after a frame's own time that it needs."""
        ...


@dataclass(frozen=True, slots=True)
class StatusReporter:
    """Reads the parts of a running session that count something."""

    source: Source
    animator: Inference
    poses: Channel[FaceFrame]
    sender: Sender
    sinks: Sequence[Sink]
    metrics: Metrics
    clock: Clock
    chain: Chain | None = None
    voice_out: VoiceMonitor | None = None
    face: Face | None = None
    """Whose mood is reported."""
    timebase: Timebase | None = None
    """That of the sender, for its timecode."""
    added_s: float = 0.0
    """Extra delay that was asked for, seconds."""

    def status(self) -> Status:
        """What is happening now. From any thread."""
        trouble = self._trouble()
        return Status(
            state=trouble or ("live" if self.source.live else "playing"),
            trouble=trouble,
            fps=self.metrics.fps(self.clock.now()),
            wanted_fps=1 / self.sender.grid.period_s,
            sent=self.metrics.sent,
            timecode=self.timecode,
            delay=self._delay(),
            level=self._level(),
            gate=self.chain.gate if self.chain and self.chain.gated else None,
            mood=str(self.face.mood) if self.face and self.face.mood.offsets.any() else None,
            device=Device(
                self.source.name,
                self.source.sample_rate,
                self.source.reopened if isinstance(self.source, Captured) else 0,
            ),
            targets=tuple(_target(part) for sink in self.sinks for part in _parts(sink)),
            losses=self._losses(),
            voice_out=_voice_status(self.voice_out) if self.voice_out else None,
        )

    def _device(self) -> Device:
        reopened = self.source.reopened if isinstance(self.source, Captured) else 0
        return Device(self.source.name, self.source.sample_rate, reopened)

    def summary(self) -> Summary:
        """The figures at the end; losses are those of the whole session."""
        metrics, losses = self.metrics, self._losses()
        return Summary(
            sent=metrics.sent,
            seconds=metrics.sound_s,
            delay_ms=to_ms(metrics.delays_s.percentile(50)),
            delay_p99_ms=to_ms(metrics.delays_s.percentile(99)),
            step_ms=to_ms(metrics.steps_s.percentile(50)),
            step_p99_ms=to_ms(metrics.steps_s.percentile(99)),
            held=losses.held,
            dropped=losses.dropped,
            overflows=losses.overflows,
            gaps=losses.gaps,
            bad_poses=losses.bad_poses,
            sink_errors=sum(sink.errors for sink in self.sinks),
            late_ticks=losses.late_ticks,
            troubles=tuple(
                f"{part.name}: {trouble}"
                for sink in self.sinks
                for part in _parts(sink)
                if (trouble := _target(part).trouble)
            ),
            takes=tuple(str(take) for sink in self.sinks if isinstance(sink, Recorder) for take in sink.takes),
        )

    def _losses(self) -> Losses:
        return Losses(
            dropped=self.source.dropped + self.poses.dropped + self.sender.poses.skipped,
            held=self.sender.poses.held,
            overflows=self.source.overflows,
            gaps=self.animator.gaps,
            bad_poses=self.animator.bad_poses,
            late_ticks=self.sender.grid.late,
        )

    def _delay(self) -> Delay | None:
        now_s = self.clock.now()
        median_s, p99_s = self.metrics.delays_s.percentile(50, now_s), self.metrics.delays_s.percentile(99, now_s)
        if median_s is None or p99_s is None:
            return None
        capture_s = self.source.latency_s if isinstance(self.source, Captured) else None
        return Delay(1000 * median_s, 1000 * p99_s, self._parts(median_s), to_ms(capture_s))

    def _parts(self, median_s: float) -> DelayParts | None:
        lookahead_s, added_s = self.animator.lookahead_s, self.added_s
        # Shorter than the look-ahead: the audio was there before it was played.
        if not self.source.live or median_s - added_s < lookahead_s:
            return None
        compute_s, resampling_s = self.metrics.steps_s.percentile(50, self.clock.now()) or 0.0, self.sender.grid.wait_s
        rest_s = median_s - lookahead_s - compute_s - resampling_s - added_s
        return DelayParts(*(1000 * part_s for part_s in (lookahead_s, compute_s, resampling_s, added_s, rest_s)))

    def _level(self) -> Level:
        if self._trouble():  # the meter stands still without input
            return Level()
        if self.chain is None:
            return Level(self.metrics.level_dbfs)
        meter = self.chain.meter
        return Level(meter.rms_dbfs, meter.peak_dbfs, meter.held_peak_dbfs, meter.clipped_per_s, self.chain.gain_db)

    @property
    def timecode(self) -> str | None:
        """`HH:MM:SS:FF` of the last frame sent."""
        frame = self.metrics.frame
        return None if self.timebase is None or frame is None else self.timebase.rate.label(frame)

    def _trouble(self) -> str | None:
        why = self.metrics.failure or self.source.trouble
        if why:
            return f"no sound: {why}"
        heard_at_s = self.metrics.heard_at_s
        silent = heard_at_s is None or self.clock.now() - heard_at_s > _SILENT_S
        return "no sound arrives" if self.source.live and silent else None


def _parts(sink: Sink) -> Sequence[Sink]:
    """The receivers behind a sink that is several."""
    return sink.parts if isinstance(sink, SeveralSinks) else (sink,)


def _target(sink: Sink) -> Target:
    trouble = sink.trouble if isinstance(sink, HearsBack) else None
    return Target(sink.name, sink.sent, sink.errors, trouble)


def _voice_status(voice: VoiceMonitor) -> VoiceStatus:
    offset_ms = 1000 * (voice.late_s + voice.follower.error_s)
    return VoiceStatus(voice.name, offset_ms, voice.follower.drift_ppm, voice.trouble)
