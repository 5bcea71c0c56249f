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
from livelink_bridge.core.workers import Runner, every, wait_for
from livelink_bridge.errors import SourceError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.remote_control.live_target import LiveStage
from livelink_bridge.remote_control.voice import DirectedVoice
from livelink_bridge.reporting.metrics import Metrics, Status, Summary
from livelink_bridge.session.live import STATUS_S
from livelink_bridge.session.model_thread import animate_ahead, stop_at_error, warm_up
from livelink_bridge.session.modes.follow import ignore_status
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.playback.speaker import SPEAKER_BLOCK_S, Speaker, open_speaker, wait_until_audible
from livelink_bridge.session.remote import OnStage, nobody_on_stage
from livelink_bridge.session.subject import SubjectOutput, recorders
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source, open_source
from livelink_bridge.sources.audio_file import no_warning
from livelink_bridge.timing.arrival_clock import FixedTiming
from speech_to_face.base import SpeechToFace

_PLAY_POSES = 120
"""Poses computed ahead of what is heard: two seconds, so that no look-ahead and no slow step shows."""
_PLAY_BLOCK_S = 1 / FRAME_RATE
"""One pose's worth at a time: each tick makes room for one pose, so the model works just after a tick and is done long
before the next. In larger bursts it met the sender's deadlines, which then were missed by the scheduler's slice of 3 to
4 ms."""
_START_S = 0.05
"""Until the first tick of a file that is not heard: time for the sender's thread to be there."""


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
    on_stage: OnStage = nobody_on_stage,
) -> Summary:
    """Play a sound file to the sinks in real time, and to the speakers if `audio`, until its end or until `stop` is
    set.

    `more` are the caller's own sinks, who closes them; `on_stage` is given, once, what may be directed from here.
    `allow_cut` plays what there is of a file that ends before its header says.
    """
    opened = open_source(str(path), clock=clock, block_s=_PLAY_BLOCK_S, allow_cut=allow_cut)
    with closing(opened) as source, open_sinks(outputs) as sinks, ExitStack() as stack:
        warm_up(model)
        speaker = None
        if audio:
            heard = open_source(str(path), clock=clock, block_s=SPEAKER_BLOCK_S, allow_cut=allow_cut, warn=no_warning)
            speaker = open_speaker(heard, clock)
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
            on_stage=on_stage,
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
    on_stage: OnStage = nobody_on_stage,
) -> Summary:
    """Play a recording: the pose of each moment is sent when that moment is heard, or by the clock where nothing is.

    A recording that is damaged on the way is played up to there, and its error raised afterwards.
    """
    face.reset()
    animator = Animator(model, face)
    poses: Channel[FaceFrame] = Channel(_PLAY_POSES, "wait")
    metrics, broken = Metrics(), list[SourceError]()
    blocks = mixed_down(stop_at_error(source.blocks(), broken))
    for recorder in recorders(sinks):
        blocks = recorder.tee(blocks)

    def end_model() -> None:
        source.close()
        poses.close()

    with Runner(clock) as runner:
        runner.start(
            "model", lambda: animate_ahead(blocks, animator, poses, clock=clock, metrics=metrics), cancel=end_model
        )
        wait_for(lambda: len(poses) > 0 or poses.closed or runner.stop.is_set(), clock, stop)
        timing = wait_until_audible(speaker, runner, clock, stop) or FixedTiming(clock.now() + _START_S)
        output = SubjectOutput(
            JitterBuffer(poses), outputs, sinks, timing, clock=clock, stop=runner.stop, metrics=metrics, face=face
        )
        session = output.reporter(source, animator, poses)
        kept = {outputs.subject: recorders(sinks)[-1]} if recorders(sinks) else {}
        stage = LiveStage(
            {outputs.subject: DirectedVoice(face)}, {}, None, timecode=lambda: session.timecode or "", recorders=kept
        )
        on_stage(stage, {outputs.subject: session})
        runner.start("sender", output.sender.run)
        runner.watch("sender", stop, every(STATUS_S, clock, lambda: on_status(session.status())))
    if broken:
        raise broken[0]
    return session.summary()
