"""The wiring, on one screen: which parts make up `--mic`, `play` and `convert`.

--mic     microphone -> animator -> poses (newest) -> sender, on the sound's clock   -> sinks
play      file       -> animator -> poses (wait)   -> sender, on the playback clock  -> sinks
          file       -> speaker, which is the playback clock
convert   file       -> animator -> take
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from arkit_mapping.character import Character
from arkit_mapping.takes import TakeError, TakeWriter
from livelink_bridge.animator import Animator
from livelink_bridge.channel import Channel
from livelink_bridge.clock import Clock, MonotonicClock
from livelink_bridge.errors import BridgeError, DeviceError, SinkError, SourceError, UsageError
from livelink_bridge.frames import FACE_CHANNELS, FRAME_RATE, FaceFrame, Weights
from livelink_bridge.grid import FixedTiming, LiveTiming, Timing
from livelink_bridge.identity import device_id
from livelink_bridge.inference import animate_ahead, animate_live, step, until_broken, warm_up
from livelink_bridge.listen.animate import animate_paced
from livelink_bridge.metrics import Metrics, Status, Summary
from livelink_bridge.playback import Speaker
from livelink_bridge.poses import Poses, tail
from livelink_bridge.runner import Runner, steady_interpreter
from livelink_bridge.sender import Sender
from livelink_bridge.session import Session
from livelink_bridge.sinks import Sink, open_sink
from livelink_bridge.sources import Source, open_source
from livelink_bridge.sources.microphone import Input, MicrophoneSource
from livelink_bridge.sources.wav import WavSource
from livelink_bridge.timebase import Timebase
from livelink_bridge.timecode import Origin, TimecodeRate, counting
from models.base import SpeechToFace

_LIVE_POSES = 30
"""Poses that wait for the sender, live: half a second, for devices that hand over sound in lumps."""
_PLAY_POSES = 120
"""Poses computed ahead of what is heard: two seconds, so that no look-ahead and no slow step shows."""
_PLAY_BLOCK_S = 1 / 60
"""One pose's worth at a time: each tick makes room for one pose, so the model works just after a tick and is done long before the next.
In larger bursts it met the sender's deadlines, which then were missed by the scheduler's slice of 3 to 4 ms."""
_SPEAKER_BLOCK_S = 0.1
_CONVERT_BLOCK_S = 10.0
_FIRST_POSE_S = 1.0
"""How long a live session waits for its first pose before it sends a neutral face meanwhile."""
_FIRST_SOUND_S = 3.0
"""How long a file waits to be heard: sound servers wake their devices slowly."""
_START_S = 0.05
"""Until the first tick of a file that is not heard: time for the sender's thread to be there."""
_STATUS_S = 0.25
_POLL_S = 0.005
_MAX_FPS = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where poses go, as whom, how often."""

    targets: tuple[str, ...]
    """URIs; see `open_sink`."""
    subject: str
    """The Live Link subject's name."""
    fps: Fraction = Fraction(FRAME_RATE)
    """Packets per second."""
    origin: Origin = "time-of-day"
    """What frame numbers and takes' timecode count from."""
    counting: TimecodeRate | None = None
    """How they count; None is `fps`."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= _MAX_FPS:
            raise UsageError(f"got {self.fps} fps, expected a number from 1 to {_MAX_FPS}")

    def timebase(self, clock: Clock) -> Timebase:
        return Timebase(clock, self.counting or counting(self.fps), self.origin)


def _ignore(_status: Status) -> None:
    """For callers who do not watch."""


def run_live(wanted: Input, model: SpeechToFace, character: Character, outputs: Outputs, *, clock: Clock, stop: threading.Event,
             on_status: Callable[[Status], None] = _ignore) -> Summary:  # fmt: skip
    """Follow a microphone until `stop` is set. One that goes away is followed again when it is back."""
    warm_up(model)
    with open_sinks(outputs) as sinks, closing(MicrophoneSource(wanted, clock=clock)) as source:
        return follow(source, model, character, outputs, sinks, clock=clock, stop=stop, on_status=on_status)


def follow(source: Source, model: SpeechToFace, character: Character, outputs: Outputs, sinks: list[Sink], *, clock: Clock,
           stop: threading.Event, on_status: Callable[[Status], None] = _ignore, timing: Timing | None = None) -> Summary:  # fmt: skip
    """Follow a live source until `stop` is set. When the source fails the face goes neutral and packets keep coming.

    `timing` says when poses are due where the source plays its sound itself; None learns it from when the sound arrives.
    """
    animator = Animator(model, character)
    poses: Channel[FaceFrame] = Channel(_LIVE_POSES, "newest")
    learned, metrics = LiveTiming(), Metrics()
    beat = timing or learned

    def animate() -> None:
        try:
            if timing is None:
                animate_live(source.blocks(), animator, poses, learned, clock=clock, metrics=metrics)
            else:
                animate_paced(source.blocks(), animator, poses, timing, clock=clock, metrics=metrics)
        except BridgeError as error:
            _log.error("%s; the face rests until this is stopped", error)
            metrics.failure = str(error)

    with steady_interpreter(), Runner() as runner:
        sender = Sender(Poses(poses), sinks, beat, fps=outputs.fps, clock=clock, stop=runner.stop, metrics=metrics,
                        timebase=outputs.timebase(clock))  # fmt: skip
        session = Session(source, animator, poses, sender, sinks, metrics, clock)
        runner.start("model", animate, cancel=source.close)
        _wait_for(lambda: beat.zero_s is not None or metrics.failure is not None, clock, stop, _FIRST_POSE_S)
        runner.start("sender", sender.run, cancel=poses.close)
        runner.watch("sender", stop, _every(_STATUS_S, clock, lambda: on_status(session.status())))
    return session.summary()


def run_play(path: Path, model: SpeechToFace, character: Character, outputs: Outputs, *, audio: bool, clock: Clock, stop: threading.Event,
             on_status: Callable[[Status], None] = _ignore) -> Summary:  # fmt: skip
    """Play a sound file to the sinks in real time, and to the speakers if `audio`, until its end or until `stop` is set."""
    with closing(open_source(str(path), clock=clock, block_s=_PLAY_BLOCK_S)) as source, open_sinks(outputs) as sinks, ExitStack() as stack:
        warm_up(model)
        speaker = _speaker(path, clock) if audio else None
        if speaker:
            stack.callback(speaker.close)
        return play(source, model, character, outputs, sinks, speaker=speaker, clock=clock, stop=stop, on_status=on_status)


def play(source: Source, model: SpeechToFace, character: Character, outputs: Outputs, sinks: list[Sink], *, speaker: Speaker | None,
         clock: Clock, stop: threading.Event, on_status: Callable[[Status], None] = _ignore) -> Summary:  # fmt: skip
    """Play a recording: the pose of each moment is sent when that moment is heard, or by the clock where nothing is.

    A recording that is damaged on the way is played up to there, and its error raised afterwards.
    """
    animator = Animator(model, character)
    poses: Channel[FaceFrame] = Channel(_PLAY_POSES, "wait")
    metrics, broken = Metrics(), list[SourceError]()
    blocks = until_broken(source.blocks(), broken)

    def end_model() -> None:
        source.close()
        poses.close()

    with steady_interpreter(), Runner() as runner:
        runner.start("model", lambda: animate_ahead(blocks, animator, poses, clock=clock, metrics=metrics), cancel=end_model)
        _wait_for(lambda: len(poses) > 0 or poses.closed or runner.stop.is_set(), clock, stop)
        timing = _sounding(speaker, runner, clock, stop) or FixedTiming(clock.now() + _START_S)
        sender = Sender(Poses(poses), sinks, timing, fps=outputs.fps, clock=clock, stop=runner.stop, metrics=metrics,
                        timebase=outputs.timebase(clock))  # fmt: skip
        session = Session(source, animator, poses, sender, sinks, metrics, clock)
        runner.start("sender", sender.run)
        runner.watch("sender", stop, _every(_STATUS_S, clock, lambda: on_status(session.status())))
    if broken:
        raise broken[0]
    return session.summary()


def convert_file(path: Path, out: Path, model: SpeechToFace, character: Character, *,
                 on_progress: Callable[[float], None] = lambda _part: None) -> Summary:  # fmt: skip
    """Write the take of a sound file to `out`, as fast as the machine goes, in memory that does not grow with the file.

    The take is what `run_play` sends, pose for pose, from timecode 00:00:00:00.000, with MouthClose as predicted. `on_progress`
    gets the part done, 0 to 1. An interrupted conversion leaves no file.
    """
    clock, metrics = MonotonicClock(), Metrics()
    animator = Animator(model, character)
    source = WavSource(path, clock=clock, block_s=_CONVERT_BLOCK_S)
    last = np.zeros(FACE_CHANNELS, np.float32)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with closing(source), TakeWriter(out) as take:
            for block in source.blocks():
                last = _append(take, step(animator, block, clock, metrics), last)
                on_progress(min(1.0, metrics.sound_s / source.duration_s) if source.duration_s else 0.0)
            last = _append(take, animator.flush(), last)
            take.append(tail(last))
    except TakeError as error:
        raise SinkError(str(error)) from error
    except OSError as error:
        raise SinkError(f"take {out} cannot be written: {error.strerror}") from error
    return Summary.of_take(str(out), take.rows, metrics, animator.bad_poses)


@contextmanager
def open_sinks(outputs: Outputs) -> Iterator[list[Sink]]:
    """All of a session's sinks; each is closed whatever happens to the others."""
    identity = device_id(outputs.subject)
    with ExitStack() as stack:
        sinks = []
        for uri in outputs.targets:
            sink = open_sink(uri, subject=outputs.subject, device_id=identity)
            stack.callback(sink.close)
            sinks.append(sink)
        yield sinks


def _speaker(path: Path, clock: Clock) -> Speaker | None:
    source = open_source(str(path), clock=clock, block_s=_SPEAKER_BLOCK_S)
    try:
        return Speaker(source, block_s=_SPEAKER_BLOCK_S, clock=clock)
    except DeviceError as error:
        source.close()
        _log.warning("%s; going on without sound", error)
        return None


def _sounding(speaker: Speaker | None, runner: Runner, clock: Clock, stop: threading.Event) -> Speaker | None:
    """The speaker once it is heard; None where there is none, or it stays mute: the face must not wait for it for ever."""
    if speaker is None:
        return None
    runner.start("sound", speaker.feed, cancel=speaker.close)
    _wait_for(lambda: speaker.zero_s is not None or runner.stop.is_set(), clock, stop, _FIRST_SOUND_S)
    if speaker.zero_s is not None or runner.stop.is_set() or stop.is_set():
        return speaker
    speaker.close()
    _log.warning("no sound output: it was opened but does not begin to play; going on without sound")
    return None


def _append(take: TakeWriter, frames: list[FaceFrame], last: Weights) -> Weights:
    """Write poses; the last one written so far."""
    if not frames:
        return last
    take.append(np.stack([frame.weights for frame in frames]))
    return frames[-1].weights


def _wait_for(ready: Callable[[], bool], clock: Clock, stop: threading.Event, at_most_s: float = math.inf) -> None:
    begun_s = clock.now()
    while not ready() and clock.now() - begun_s < at_most_s and clock.wait_until(clock.now() + _POLL_S, stop):
        pass


def _every(period_s: float, clock: Clock, report: Callable[[], None]) -> Callable[[], None]:
    """A function that calls `report` when `period_s` has passed since it last did."""
    due_s = clock.now()

    def maybe() -> None:
        nonlocal due_s
        if clock.now() >= due_s:
            due_s = clock.now() + period_s
            report()

    return maybe
