"""What is happening in one session, put together from the parts that know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from livelink_bridge.animator import Animator
from livelink_bridge.channel import Channel
from livelink_bridge.clock import Clock
from livelink_bridge.frames import FaceFrame
from livelink_bridge.metrics import Metrics, Status, Summary, to_ms
from livelink_bridge.sender import Sender
from livelink_bridge.sinks.base import Sink
from livelink_bridge.sinks.take import TakeSink
from livelink_bridge.sources.base import Source

_SILENT_S = 1.0
"""A live source that hands over nothing for so long is not merely late."""


@dataclass(frozen=True, slots=True)
class Session:
    """The parts of a running session that count something."""

    source: Source
    animator: Animator
    poses: Channel[FaceFrame]
    sender: Sender
    sinks: Sequence[Sink]
    metrics: Metrics
    clock: Clock

    def status(self) -> Status:
        delays_s = self.metrics.delays_s
        return Status(
            state=self._state(),
            fps=self.metrics.fps(),
            delay_ms=to_ms(delays_s.percentile(50)),
            delay_p99_ms=to_ms(delays_s.percentile(99)),
            level_dbfs=self.metrics.level_dbfs,
            sent=self.metrics.sent,
            dropped=self._dropped(),
            held=self.sender.poses.held,
            overflows=self.source.overflows,
        )

    def summary(self) -> Summary:
        metrics = self.metrics
        return Summary(
            sent=metrics.sent,
            seconds=metrics.sound_s,
            delay_ms=to_ms(metrics.delays_s.percentile(50)),
            delay_p99_ms=to_ms(metrics.delays_s.percentile(99)),
            step_ms=to_ms(metrics.steps_s.percentile(50)),
            step_p99_ms=to_ms(metrics.steps_s.percentile(99)),
            held=self.sender.poses.held,
            dropped=self._dropped(),
            overflows=self.source.overflows,
            gaps=self.animator.gaps,
            bad_poses=self.animator.bad_poses,
            sink_errors=sum(sink.errors for sink in self.sinks),
            late_ticks=self.sender.grid.late,
            takes=tuple(str(sink.path) for sink in self.sinks if isinstance(sink, TakeSink)),
        )

    def _dropped(self) -> int:
        return self.source.dropped + self.poses.dropped + self.sender.poses.skipped

    def _state(self) -> str:
        if self.metrics.failure:
            return f"no sound: {self.metrics.failure}"
        if self.source.trouble:
            return f"no sound: {self.source.trouble}"
        if not self.source.live:
            return "playing"
        heard_at_s = self.metrics.heard_at_s
        silent = heard_at_s is None or self.clock.now() - heard_at_s > _SILENT_S
        return "no sound arrives" if silent else "live"
