"""`replay`: a take's rows become frames of 60 Hz by timecode, and go to the wires with its audio.

take  -> frames (wait) -> sender, on the playback clock -> sinks
audio -> speaker, which is the playback clock
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arkit_mapping.channels import FRAME_RATE, SHAPE_COUNT
from arkit_mapping.takes.csv import Take
from arkit_mapping.takes.edit import at_times, gaps, grid, grid_rows, timecode
from livelink_bridge.core.channel import Channel
from livelink_bridge.core.clock import Clock
from livelink_bridge.core.frames import AudioBlock, FaceFrame, Weights
from livelink_bridge.core.limits import REPLAY_SPEED
from livelink_bridge.core.workers import Runner, every
from livelink_bridge.errors import UsageError
from livelink_bridge.face.jitter_buffer import JitterBuffer
from livelink_bridge.reporting.metrics import Metrics, Status, Summary
from livelink_bridge.session.outputs import Outputs, open_sinks
from livelink_bridge.session.playback.speaker import SPEAKER_BLOCK_S, Speaker, open_speaker, playback_timing
from livelink_bridge.session.subject import SubjectOutput
from livelink_bridge.sinks import Sink
from livelink_bridge.sources.take_audio import TakeAudioSource
from livelink_bridge.timing.shown import Shown
from livelink_bridge.timing.stamp import Stamp
from livelink_bridge.timing.timebase import DAY_S, Timebase
from livelink_bridge.timing.timecode import TimecodeRate

SEAM_POSES = 12
"""Frames between the end of a loop and its beginning: the face crosses over in 0.2 s instead of jumping."""
_AHEAD_FRAMES = 30
"""Frames that wait for the sender, half a second: there is no network to be slow."""
_LONG_GAP_S = 10.0
"""A gap in the rows that is longer is reported: the face is interpolated over it."""
_STATUS_S = 0.25
_BELOW_ONE = 0.99999994
_LEAST_STEP = 1e-3
"""By how many frames a stamp follows the one before where the playback clock was set back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TakePlay:
    """A take and how to play it."""

    take: Take
    """Trimmed to what is played."""
    name: str
    """For messages: the file."""
    speed: float = 1.0
    """1 is as recorded, 2 twice as fast; 0.1 to 10."""
    loop: bool = False
    """Whether it begins again at its end, until stopped."""
    original_timecode: bool = False
    """Whether packets carry the take's own time instead of the session's."""

    def __post_init__(self) -> None:
        if self.speed not in REPLAY_SPEED:
            raise UsageError(f"got speed {self.speed:g}, expected {REPLAY_SPEED}; 1 is as recorded")
        if self.loop and self.original_timecode:
            raise UsageError(
                "got --loop and --original-timecode, expected one of them: a loop would take the timecode back each "
                "time"
            )

    @property
    def start_s(self) -> float:
        """Time of its first row, as `Take.times_s` counts."""
        return float(self.take.times_s[0])

    @property
    def pass_poses(self) -> int:
        """Frames of the take itself, once through."""
        return grid_rows(self.take, FRAME_RATE, speed=self.speed)

    def frames(self) -> Iterator[FaceFrame]:
        """The frames to send, MouthClose as recorded; endless where it loops."""
        index = 0
        while True:
            for weights in self._once():
                yield FaceFrame(weights, index)
                index += 1
            if not self.loop:
                return

    def _once(self) -> Iterator[Weights]:
        rows = None
        for times_s in grid(self.take, FRAME_RATE, speed=self.speed):
            rows = _sendable(at_times(self.take, times_s))
            yield from rows
        if self.loop and rows is not None:
            yield from _seam(rows[-1], _sendable(self.take.values[:1].copy())[0])


class TakeTimebase(Timebase):
    """Stamps in the take's own time: each frame carries the timecode of its moment in the take, whenever it is sent."""

    def __init__(self, clock: Clock, rate: TimecodeRate, play: TakePlay, shown: Shown) -> None:
        """`shown` gives the time at which the take's first row was, or would have been, shown."""
        super().__init__(clock, rate)
        self._play = play
        self._shown = shown
        self._before = -math.inf

    def stamp(self, at_s: float) -> Stamp:
        """The stamp for clock time `at_s`, seconds: the moment of the take that is shown then. Stamps rise."""
        zero_s = self._shown.zero_s
        passed_s = 0.0 if zero_s is None else at_s - zero_s
        # A millionth of a frame is below what takes hold and above what the sums of seconds lose.
        frames = round(self.rate.frames_at(self._play.start_s + self._play.speed * passed_s), 6)
        self._before = frames = max(frames, self._before + _LEAST_STEP)
        whole = math.floor(frames)
        return Stamp(whole, min(frames - whole, _BELOW_ONE), self.rate.exact, self.rate.seconds_at(frames) % DAY_S)


class TakeSource:
    """A take as the source of a session: it has a name and no audio."""

    live = False
    trouble = None
    overflows = 0
    dropped = 0

    def __init__(self, play: TakePlay) -> None:
        self.name = play.name
        self.sample_rate = play.take.rate
        self.duration_s = None if play.loop else play.pass_poses / FRAME_RATE

    def blocks(self) -> Iterator[AudioBlock]:
        """None: a take is not animated."""
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


class _NoNetwork:
    """Stands where other sessions have an animator: nothing is lost and nothing is late."""

    gaps = 0
    bad_poses = 0
    lookahead_s = 0.0


def run_replay(
    play: TakePlay,
    sound: Path | None,
    outputs: Outputs,
    *,
    sound_from_s: float = 0.0,
    clock: Clock,
    stop: threading.Event,
    on_status: Callable[[Status], None] = lambda _status: None,
) -> Summary:
    """Play a take to the sinks in real time, with its audio on the loudspeakers, until its end or until `stop` is set.

    Parameters
    ----------
    sound : the take's audio file; None plays the face alone
    sound_from_s : where in the audio file the take's first row is, seconds

    Raises
    ------
    SourceError for audio that cannot be read, UsageError and SinkError for receivers.
    """
    tell_long_gaps(play)
    pause_s = (SEAM_POSES if play.loop else 0) / FRAME_RATE
    with ExitStack() as stack:
        source = None
        if sound is not None:
            source = TakeAudioSource(
                sound,
                clock=clock,
                block_s=SPEAKER_BLOCK_S,
                pass_s=play.pass_poses / FRAME_RATE,
                from_s=sound_from_s,
                speed=play.speed,
                loop=play.loop,
                pause_s=pause_s,
            )
            stack.callback(source.close)
        sinks = stack.enter_context(open_sinks(outputs))
        speaker = open_speaker(source, clock) if source else None
        if speaker:
            stack.callback(speaker.close)
        return replay(play, outputs, sinks, speaker=speaker, clock=clock, stop=stop, on_status=on_status)


def replay(
    play: TakePlay,
    outputs: Outputs,
    sinks: list[Sink],
    *,
    speaker: Speaker | None,
    clock: Clock,
    stop: threading.Event,
    on_status: Callable[[Status], None] = lambda _status: None,
) -> Summary:
    """The frame of each moment is sent when that moment is played, or by the clock without a speaker. The face ends
    neutral."""
    frames: Channel[FaceFrame] = Channel(_AHEAD_FRAMES, "wait")
    metrics = Metrics()
    with Runner(clock) as runner:
        runner.start("take", lambda: _feed(play, frames, metrics), cancel=frames.close)
        timing = playback_timing(frames, speaker, runner, clock, stop)
        shown = Shown()
        output = SubjectOutput(
            JitterBuffer(frames),
            outputs,
            sinks,
            timing,
            clock=clock,
            stop=runner.stop,
            metrics=metrics,
            timebase=_timebase(play, outputs, shown, clock),
            shown=shown,
        )
        session = output.reporter(TakeSource(play), _NoNetwork(), frames)
        runner.start("sender", output.sender.run)

        def report() -> None:
            metrics.level_dbfs = speaker.level_dbfs if speaker is not None and timing is speaker else None
            on_status(session.status())

        runner.watch("sender", stop, every(_STATUS_S, clock, report))
    return session.summary()


def _feed(play: TakePlay, frames: Channel[FaceFrame], metrics: Metrics) -> None:
    """A thread's body: the take's frames, as far ahead as the channel holds."""
    for frame in play.frames():
        if not frames.put(frame):
            return
        metrics.sound_s += 1 / FRAME_RATE
    frames.close()


def _timebase(play: TakePlay, outputs: Outputs, shown: Shown, clock: Clock) -> Timebase:
    timebase = outputs.timebase(clock)
    return TakeTimebase(clock, timebase.rate, play, shown) if play.original_timecode else timebase


def tell_long_gaps(play: TakePlay) -> None:
    """Warn of each gap in the rows that is so long that the face is made up there."""
    for at_s, gap_s in gaps(play.take):
        if gap_s > _LONG_GAP_S:
            _log.warning(
                "%s has no rows for %.1f s after %s; the face goes slowly from one to the other",
                play.name,
                gap_s,
                timecode(play.start_s + at_s),
            )


def _sendable(rows: Weights) -> Weights:
    """float32 (n, 61) with weights clipped to [0, 1]; takes hold what the phone measured, unclipped."""
    rows[:, :SHAPE_COUNT] = np.clip(rows[:, :SHAPE_COUNT], 0.0, 1.0)
    return rows


def _seam(last: Weights, first: Weights) -> Weights:
    """float32 (SEAM_POSES, 61) between the end of a loop and its beginning, neither included."""
    part = np.arange(1, SEAM_POSES + 1, dtype=np.float32) / (SEAM_POSES + 1)
    part = part * part * (3 - 2 * part)
    return np.asarray(last + part[:, None] * (first - last))
