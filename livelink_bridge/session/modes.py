"""The wiring, on one screen: which parts make up `--mic`, `play` and `convert`.

--mic     microphone -> front -> animator -> poses (newest) -> sender, on the sound's clock -> sinks
          microphone -> voice out, as much later as the sender is
          control    -> face, front, targets and takes of that
listen    program    -> animator -> poses (newest) -> sender, on the program's clock -> sinks
play      file       -> animator -> poses (wait)   -> sender, on the playback clock  -> sinks
          file       -> speaker, which is the playback clock
replay    take       -> poses (wait) -> sender, on the playback clock -> sinks (take_playback.py)
convert   file       -> animator -> take
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from livelink_bridge.audio.downmix import mixed_down
from livelink_bridge.audio.input.input_chain import InputChain
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import FaceFrame
from livelink_bridge.core.workers import Runner, every, wait_for
from livelink_bridge.errors import SourceError
from livelink_bridge.face.animator import Animator
from livelink_bridge.face.face import Face
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.remote_control.live_target import LiveStage
from livelink_bridge.remote_control.server import Server
from livelink_bridge.remote_control.voice import DirectedVoice
from livelink_bridge.reporting.metrics import Metrics, Status, Summary
from livelink_bridge.session.live import STATUS_S, LiveSession, VoiceMonitorConfig, run_sessions
from livelink_bridge.session.model_thread import animate_ahead, stop_at_error, warm_up
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.playback.audible import SPEAKER_BLOCK_S, open_speaker, wait_until_audible
from livelink_bridge.session.playback.speaker import Speaker
from livelink_bridge.session.remote import Direction, OnStage, nobody_on_stage, open_control, stage_of
from livelink_bridge.session.subject import SubjectOutput, recorders
from livelink_bridge.sinks import Sink
from livelink_bridge.sources import Source, open_source
from livelink_bridge.sources.audio_file import no_warning
from livelink_bridge.sources.demux import open_microphones
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.sources.pipe import PipeSource
from livelink_bridge.timing.arrival_clock import FixedTiming, Timing
from speech_to_face.base import SpeechToFace

_PLAY_POSES = 120
"""Poses computed ahead of what is heard: two seconds, so that no look-ahead and no slow step shows."""
_PLAY_BLOCK_S = 1 / 60
"""One pose's worth at a time: each tick makes room for one pose, so the model works just after a tick and is done long
before the next. In larger bursts it met the sender's deadlines, which then were missed by the scheduler's slice of 3 to
4 ms."""
_START_S = 0.05
"""Until the first tick of a file that is not heard: time for the sender's thread to be there."""

FrontOf = Callable[[str], InputChain | None]
"""A microphone's name -> what stands between it and the network."""


def _ignore(_status: Status) -> None:
    """For callers who do not watch."""


def _no_front(_name: str) -> InputChain | None:
    """For microphones whose sound is taken as it is."""
    return None


def run_live(
    wanted: Input,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    *,
    clock: Clock,
    stop: threading.Event,
    front: FrontOf = _no_front,
    aloud: VoiceMonitorConfig | None = None,
    direction: Direction | None = None,
    more: Sequence[Sink] = (),
    on_status: Callable[[Status], None] = _ignore,
    on_stage: OnStage = nobody_on_stage,
) -> Summary:
    """Follow a microphone until `stop` is set. One that goes away is followed again when it is back.

    `front` makes what stands between the microphone of that name and the network; `direction` lets others direct,
    `outputs` being so; `more` are the caller's own sinks, who closes them; `on_stage` is given, once, what may be
    directed from here.
    """
    warm_up(model)
    with open_sinks(outputs) as sinks, closing(MicrophoneSource(wanted, clock=clock)) as source:
        made = front(source.name)
        return follow(
            source,
            model,
            face,
            outputs,
            [*sinks, *more],
            clock=clock,
            stop=stop,
            front=made,
            aloud=aloud,
            direction=direction,
            on_status=on_status,
            on_stage=on_stage,
        )


def run_pipe(
    source: PipeSource,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    *,
    clock: Clock,
    stop: threading.Event,
    front: InputChain | None = None,
    on_status: Callable[[Status], None] = _ignore,
) -> Summary:
    """Play what a program writes into a pipe, until it was all played or `stop` is set.

    What could be read of sound that breaks on the way is played, and its error raised afterwards.
    """
    over = threading.Event()

    def watch(status: Status) -> None:
        on_status(status)
        if source.played_out() or stop.is_set():
            over.set()

    warm_up(model)
    with open_sinks(outputs) as sinks, closing(source):
        summary = follow(
            source, model, face, outputs, sinks, clock=clock, stop=over, front=front, on_status=watch, timing=source
        )
    if source.failure:
        raise source.failure
    return summary


def follow(
    source: Source,
    model: SpeechToFace,
    face: Face,
    outputs: Outputs,
    sinks: list[Sink],
    *,
    clock: Clock,
    stop: threading.Event,
    front: InputChain | None = None,
    aloud: VoiceMonitorConfig | None = None,
    direction: Direction | None = None,
    on_status: Callable[[Status], None] = _ignore,
    on_stage: OnStage = nobody_on_stage,
    timing: Timing | None = None,
) -> Summary:
    """Follow a live source until `stop` is set. When the source fails the face goes neutral and packets keep coming.

    `timing` says when poses are due where the source plays its sound itself; None learns it from when the sound
    arrives.
    """
    face.reset()
    with Runner(clock) as runner:
        performance = LiveSession(
            source, model, face, outputs, sinks, clock=clock, stop=runner.stop, front=front, aloud=aloud, timing=timing
        )
        control = _directed([performance], direction, on_stage, clock)
        run_sessions(
            [performance],
            runner,
            clock=clock,
            stop=stop,
            control=control,
            on_status=lambda: on_status(performance.session.status()),
        )
    return performance.session.summary()


def _directed(
    performances: Sequence[LiveSession], direction: Direction | None, on_stage: OnStage, clock: Clock
) -> Server | None:
    """Give away what may be directed of performances, and open the control port where there is to be one."""
    stage = stage_of(performances, clock)
    on_stage(stage, {performance.subject: performance.session for performance in performances})
    if direction is None:
        return None
    kept = recorders(performances[0].sinks) if len(performances) == 1 else []
    return open_control(direction, stage, kept[-1].folder if kept else None, clock)


@dataclass(frozen=True, slots=True)
class Performer:
    """One of several voices with its face."""

    wanted: Input
    face: Face
    outputs: Outputs
    front: FrontOf = _no_front
    aloud: VoiceMonitorConfig | None = None
    more: Sequence[Sink] = ()
    """The caller's own, who closes them."""


def run_performers(
    performers: Sequence[Performer],
    model: SpeechToFace,
    *,
    clock: Clock,
    stop: threading.Event,
    on_status: Callable[[dict[str, Status]], None],
    direction: Direction | None = None,
    on_stage: OnStage = nobody_on_stage,
) -> dict[str, Summary]:
    """Follow several microphones, or channels of one, until `stop` is set; by subject."""
    warm_up(model)
    with ExitStack() as stack:
        sinks = [stack.enter_context(open_sinks(performer.outputs)) for performer in performers]
        sources, demuxes = open_microphones([performer.wanted for performer in performers], clock)
        for close in [source.close for source in sources] + [demux.close for demux in demuxes]:
            stack.callback(close)
        with Runner(clock) as runner:
            performances: dict[str, LiveSession] = {}
            for performer, source, targets in zip(performers, sources, sinks, strict=True):
                front = performer.front(source.name)
                made = LiveSession(
                    source,
                    model,
                    performer.face,
                    performer.outputs,
                    [*targets, *performer.more],
                    clock=clock,
                    stop=runner.stop,
                    front=front,
                    aloud=performer.aloud,
                )
                stack.callback(made.close)
                performances[performer.outputs.subject] = made
            for number, demux in enumerate(demuxes, 1):
                runner.start(f"microphone {number}", demux.run, cancel=demux.close)

            def report() -> None:
                on_status({subject: performance.session.status() for subject, performance in performances.items()})

            everybody = list(performances.values())
            control = _directed(everybody, direction, on_stage, clock)
            run_sessions(everybody, runner, clock=clock, stop=stop, control=control, on_status=report)
    return {subject: performance.session.summary() for subject, performance in performances.items()}


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
    on_status: Callable[[Status], None] = _ignore,
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
    on_status: Callable[[Status], None] = _ignore,
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
