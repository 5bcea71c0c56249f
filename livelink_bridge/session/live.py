"""One live voice and its face: the parts of `--mic`, `listen` and performers, and how several run at once."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.downmix import mixed_down
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.audio.mute import Mute
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.core.workers import Runner, beside, every, wait_for
from livelink_bridge.errors import BridgeError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.remote_control.server import Server
from livelink_bridge.reporting.metrics import Metrics
from livelink_bridge.session.model_thread import animate_live
from livelink_bridge.session.outputs import Outputs
from livelink_bridge.session.paced_model_thread import animate_paced
from livelink_bridge.session.playback.voice_monitor import VoiceMonitor
from livelink_bridge.session.subject import SubjectOutput, recorders
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source
from livelink_bridge.timing.arrival_clock import ArrivalClock, Timing
from livelink_bridge.timing.shown import Shown
from speech_to_face.base import SpeechToFace

STATUS_S = 0.25
_WAITING_FRAMES = 30
"""Frames that wait for the sender besides those that a model gives at once: half a second, for devices that deliver
audio in lumps."""
_FIRST_FRAME_S = 1.0
"""How long a session waits for its first frame before it starts to send a neutral face."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VoiceMonitorConfig:
    """A monitor output: the voice, played as much later as its face is shown."""

    device: str | None = None
    """An index, a part of a name, or None for the system's output."""
    delay_s: float = 0.0
    """Extra delay, seconds: for a face that takes time to be drawn."""


class LiveSession:
    """One live voice and its face: source, animator, channel of frames, sender, and perhaps a monitor output."""

    def __init__(
        self,
        source: Source,
        model: SpeechToFace,
        face: Face,
        outputs: Outputs,
        sinks: list[Sink],
        *,
        clock: Clock,
        stop: threading.Event,
        chain: InputChain | None = None,
        monitor: VoiceMonitorConfig | None = None,
        timing: Timing | None = None,
    ) -> None:
        """
        Parameters
        ----------
        source : opened; the caller closes it
        face : liveliness, mood and character
        outputs : rate, timecode and delay
        sinks : opened; the caller closes them
        stop : ends the sender
        chain : the input chain; None only mixes down and resamples
        monitor : the monitor output; None plays nothing
        timing : when frames are due, where the source plays its audio itself; None learns it from the arrivals

        Raises
        ------
        DeviceError for a monitor output that cannot be opened.
        """
        self.source, self._timing, self._clock = source, timing, clock
        self.subject, self.face, self.chain, self.sinks = outputs.subject, face, chain, sinks
        self.metrics, self._learned = Metrics(), ArrivalClock()
        self._animator = Animator(model, face, chain)
        # The look-ahead of a model that works in blocks holds the whole block, so no model gives more at once.
        waiting_s = model.lookahead_s + outputs.delay_s
        self._poses: Channel[FaceFrame] = Channel(_WAITING_FRAMES + math.ceil(waiting_s * FRAME_RATE), "newest")
        self.output = SubjectOutput(
            JitterBuffer(self._poses),
            outputs,
            sinks,
            timing or self._learned,
            clock=clock,
            stop=stop,
            metrics=self.metrics,
            face=face,
        )
        self.mute = Mute()
        self._voice_out = _monitor(monitor, self.output.shown, outputs.delay_s, clock) if monitor else None
        self.reporter = self.output.reporter(
            source, self._animator, self._poses, chain=chain, voice_out=self._voice_out
        )

    @property
    def ready(self) -> bool:
        """Whether frames are timed, or never will be."""
        return self.output.timing.zero_s is not None or self.metrics.failure is not None

    def animate(self) -> None:
        """The model thread's body."""
        blocks = mixed_down(self.mute.over(self.source.blocks()))
        if self._voice_out:
            blocks = self._voice_out.tee(blocks)
        for recorder in recorders(self.sinks):
            blocks = recorder.tee(blocks)
        try:
            if self._timing is None:
                animate_live(
                    blocks, self._animator, self._poses, self._learned, clock=self._clock, metrics=self.metrics
                )
            else:
                animate_paced(
                    blocks, self._animator, self._poses, self.output.timing, clock=self._clock, metrics=self.metrics
                )
        except BridgeError as error:
            _log.error("%s; the face stays neutral until this is stopped", error)
            self.metrics.failure = str(error)

    def tend(self) -> None:
        """Called by the main thread four times a second: looks after the monitor output."""
        if self._voice_out:
            self._voice_out.tend()

    def end_poses(self) -> None:
        """Close the channel of frames: the sender ends neutral."""
        self._poses.close()

    def close(self) -> None:
        """Close the monitor output. Harmless twice."""
        if self._voice_out:
            self._voice_out.close()


def _monitor(config: VoiceMonitorConfig, shown: Shown, face_delay_s: float, clock: Clock) -> VoiceMonitor:
    """The monitor output. Frames are held back for audio that reaches its audience late; the voice itself is not."""
    return VoiceMonitor(
        config.device, clock=clock, shown=shown, later_s=config.delay_s - face_delay_s, slack_s=face_delay_s
    )


def run_sessions(
    sessions: Sequence[LiveSession],
    runner: Runner,
    *,
    clock: Clock,
    stop: threading.Event,
    on_status: Callable[[], None],
    control: Server | None = None,
) -> None:
    """Run sessions together until `stop` is set, each on two threads, and remote control on one more.

    Parameters
    ----------
    runner : of their threads
    on_status : called four times a second on this thread
    control : the remote control's server; when it fails the sessions go on without it
    """
    tending = [beside("the voice's playback", session.tend) for session in sessions]

    def tend() -> None:
        for one in tending:
            one()
        on_status()

    with ExitStack() as stack:
        if control:
            runner.start("remote control", control.run, cancel=control.stop, side=True)
        for number, session in enumerate(sessions, 1):
            stack.callback(session.close)
            runner.start(f"model {number}", session.animate, cancel=session.source.close)
        wait_for(lambda: all(session.ready for session in sessions), clock, stop, _FIRST_FRAME_S)
        for number, session in enumerate(sessions, 1):
            runner.start(f"sender {number}", session.output.sender.run, cancel=session.end_poses)
        runner.watch("sender 1", stop, every(STATUS_S, clock, tend))
