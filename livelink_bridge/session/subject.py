"""One subject on its way to the receivers: what live sessions, `play`, `replay` and the preview page send through."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.face.face import Face
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.playback.voice_monitor import VoiceMonitor
from livelink_bridge.session.sender import FrameBuffer, Sender
from livelink_bridge.session.status import Chain, Inference, StatusReporter
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source
from livelink_bridge.takes.recorder import Recorder
from livelink_bridge.timing.arrival_clock import DelayedTiming, Timing
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.timebase import Timebase


class SubjectOutput:
    """Face frames in, stamped packets out: the sender of one subject, wired to its sinks, recorders and time base."""

    def __init__(
        self,
        frames: FrameBuffer,
        outputs: Outputs,
        sinks: Sequence[Sink],
        timing: Timing,
        *,
        clock: Clock,
        stop: threading.Event,
        metrics: Metrics,
        face: Face | None = None,
        timebase: Timebase | None = None,
        shown: Shown | None = None,
    ) -> None:
        """
        Parameters
        ----------
        frames : what each tick shows
        outputs : rate, timecode and delay of the subject
        sinks : opened; recorders among them follow which moment of the audio is shown
        timing : when frames are due, before the delay of `outputs`
        stop : ends the sender
        face : its lip rule goes before the sinks' own; None is each sink's own
        timebase : stamps the packets; None is that of `outputs`
        shown : what the sender writes each tick to; None makes one
        """
        self.sinks, self.metrics = sinks, metrics
        self.shown = shown or Shown()
        """The moment of the audio that is shown now."""
        self.timing = DelayedTiming(timing, outputs.delay_s)
        self._clock, self._outputs, self._face = clock, outputs, face
        self._timebase = timebase or outputs.timebase(clock)
        self.sender = Sender(
            frames,
            sinks,
            self.timing,
            fps=outputs.fps,
            clock=clock,
            stop=stop,
            metrics=metrics,
            timebase=self._timebase,
            lips=face,
            shown=self.shown,
        )
        for recorder in recorders(sinks):
            recorder.follow(self.shown)

    def reporter(
        self,
        source: Source,
        inference: Inference,
        channel: Channel[FaceFrame],
        *,
        chain: Chain | None = None,
        voice_out: VoiceMonitor | None = None,
    ) -> StatusReporter:
        """What reports of a session whose frames come from `source` by way of `inference` and `channel`."""
        return StatusReporter(
            source,
            inference,
            channel,
            self.sender,
            self.sinks,
            self.metrics,
            self._clock,
            chain=chain,
            voice_out=voice_out,
            face=self._face,
            timebase=self._timebase,
            added_s=self._outputs.delay_s,
        )


def recorders(sinks: Sequence[Sink]) -> list[Recorder]:
    """The sinks that record: they also need the audio, and which moment of it each frame shows."""
    return [sink for sink in sinks if isinstance(sink, Recorder)]
