"""`play`: a recording with its face, in real time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from arkit_mapping.channels import FRAME_RATE
from livelink_bridge.audio.downmix import mixed_down
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.core.workers import Runner, every
from livelink_bridge.errors import SourceError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.remote_control.live_interface import LiveInterface
from livelink_bridge.remote_control.voice import RemoteVoice
from livelink_bridge.reporting.metrics import Metrics, Status, Summary
from livelink_bridge.session.live import STATUS_S
from livelink_bridge.session.model_thread import animate_ahead, stop_at_error, warm_up
from livelink_bridge.session.modes.follow import ignore_status
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.playback.speaker import SPEAKER_BLOCK_S, Speaker, open_speaker, playback_timing
from livelink_bridge.session.remote import OnStart, ignore_start
from livelink_bridge.session.status import StatusReporter
from livelink_bridge.session.subject import SubjectOutput, recorders
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source, open_source
from livelink_bridge.sources.audio_file import no_warning
from speech_to_face.base import SpeechToFace

_AHEAD_FRAMES = 120
"""Frames computed ahead of what is played: two seconds, so that no look-ahead and no slow step shows."""
_BLOCK_S = 1 / FRAME_RATE
"""One frame's worth at a time: each tick makes room for one frame, so the model works just after a tick and is done
long before the next. In larger bursts it met the sender's deadlines, which then were missed by the scheduler's slice of
3 to 4 ms."""


def run_play(
    path: Path,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    *,
    audio: bool,
    clock: Clock,
    stop: threading.Event,
    more: Sequence[Sink] = (),
    allow_cut: bool = False,
    on_status: Callable[[Status], None] = ignore_status,
    on_start: OnStart = ignore_start,
) -> Summary:
    """Play an audio file to the sinks in real time until its end.

    Parameters
    ----------
    audio : whether the loudspeakers play it too
    stop : ends it early
    more : the caller's own sinks, which the caller closes
    allow_cut : play what there is of a file that ends before its header says
    on_start : is given, once, what can be controlled of the session

    Raises
    ------
    SourceError for a file that cannot be read, UsageError and SinkError for receivers.
    """
    opened = open_source(str(path), clock=clock, block_s=_BLOCK_S, allow_cut=allow_cut)
    with closing(opened) as source, open_sinks(outputs) as sinks, ExitStack() as stack:
        warm_up(model)
        speaker = None
        if audio:
            played = open_source(str(path), clock=clock, block_s=SPEAKER_BLOCK_S, allow_cut=allow_cut, warn=no_warning)
            speaker = open_speaker(played, clock)
        if speaker:
            stack.callback(speaker.close)
        return play(
            source,
            model,
            face,
            outputs,
            [*sinks, *more],
            speaker=speaker,
            clock=clock,
            stop=stop,
            on_status=on_status,
            on_start=on_start,
        )


def play(
    source: Source,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    sinks: list[Sink],
    *,
    speaker: Speaker | None,
    clock: Clock,
    stop: threading.Event,
    on_status: Callable[[Status], None] = ignore_status,
    on_start: OnStart = ignore_start,
) -> Summary:
    """Play a recording: the frame of each moment is sent when that moment is played, or by the clock without a speaker.

    A recording that is damaged on the way is played up to there, and its SourceError raised afterwards.
    """
    face.reset()
    animator, metrics, broken = Animator(model, face), Metrics(), list[SourceError]()
    frames: Channel[FaceFrame] = Channel(_AHEAD_FRAMES, "wait")
    blocks = mixed_down(stop_at_error(source.blocks(), broken))
    for recorder in recorders(sinks):
        blocks = recorder.tee(blocks)

    def animate() -> None:
        animate_ahead(blocks, animator, frames, clock=clock, metrics=metrics)

    def end_model() -> None:
        source.close()
        frames.close()

    with Runner(clock) as runner:
        runner.start("model", animate, cancel=end_model)
        timing = playback_timing(frames, speaker, runner, clock, stop)
        output = SubjectOutput(
            JitterBuffer(frames), outputs, sinks, timing, clock=clock, stop=runner.stop, metrics=metrics, face=face
        )
        session = output.reporter(source, animator, frames)
        on_start(_remote(outputs.subject, face, sinks, session), {outputs.subject: session})
        runner.start("sender", output.sender.run)
        runner.watch("sender", stop, every(STATUS_S, clock, lambda: on_status(session.status())))
    if broken:
        raise broken[0]
    return session.summary()


def _remote(subject: str, face: Face, sinks: Sequence[Sink], session: StatusReporter) -> LiveInterface:
    """What can be controlled of a recording that is played: its face and takes, not its voice or targets."""
    kept = {subject: recorders(sinks)[-1]} if recorders(sinks) else {}
    voices = {subject: RemoteVoice(face)}
    return LiveInterface(voices, {}, None, timecode=lambda: session.timecode or "", recorders=kept)
